"""The models of the ladder that follow a gradient: one function for all of them.

PyTorch is imported when the first of them is trained; reading results does not need it.

Letters: N sequences, T time, D input, H hidden, n_out numbers put out at each step.
"""

import numpy as np

from course_lib.ladder.fitted import Fitted


def recurrent(D, n_out, seed, **options):
    """Return a recurrent layer with a linear readout, a `training.SequenceModel`."""
    from course_lib.training import SequenceModel

    return SequenceModel(D=D, n_out=n_out, seed=seed, **options)


def fit_network(spec, seed, *, build, **options):
    """Train a network by the recipe of its task.

    Parameters
    ----------
    spec : TaskSpec
        The task; its recipe says how long, and with which steps.
    seed : int
        Seed of the starting weights and of the batches.
    build : callable
        ``build(D, n_out, seed, **options)`` returns a module that turns x (N, T, D) into outputs
        (N, T, n_out) and a state.
    **options : object
        For ``build``.

    Returns
    -------
    fitted : Fitted
        The trained network.

    Raises
    ------
    ValueError
        If the loss stops being finite.
    """
    import torch

    from course_lib.training import train

    torch.set_num_threads(1)
    one = spec.sample(1, np.random.default_rng(seed))  # for its sizes
    network = build(D=one.x.shape[2], n_out=one.n_out, seed=seed, **options)
    recipe = spec.recipe
    history = train(
        network,
        spec.sample,
        steps=recipe.updates,
        seed=seed,
        lr=recipe.lr,
        batch=recipe.batch,
        clip=recipe.clip,
        stop_loss=recipe.stop_loss,
        progress=False,
    )

    def outputs(x):
        with torch.no_grad():
            return network(torch.as_tensor(x, dtype=torch.float32))[0].numpy()

    parameters = sum(weights.numel() for weights in network.parameters())
    return Fitted(outputs, parameters, history.steps)
