"""The models of the ladder that follow a gradient: one function for all of them.

PyTorch is imported when the first of them is trained; reading results does not need it.

Letters: N sequences, T time, D input, H hidden, n_out numbers put out at each step.
"""

import numpy as np

from course_lib.ladder.fitted import Fitted


def recurrent(D, T, n_out, seed, *, patient=False, **options):
    """Return a recurrent layer with a linear readout.

    Parameters
    ----------
    D, T, n_out : int
        Sizes of the task: input, steps, output.
    seed : int
        Seed of the starting weights.
    patient : bool
        LSTM and GRU only: let the gates that keep start so far open that the memories of the units
        last from 1 to T - 1 steps, as long as the task may need.
    **options : object
        For `training.SequenceModel`.

    Returns
    -------
    model : SequenceModel
        Not trained.

    References
    ----------
    Tallec and Ollivier (2018), arXiv:1804.11188, whose chrono initialisation this start is.
    """
    from course_lib.training import SequenceModel

    model = SequenceModel(D=D, n_out=n_out, seed=seed, **options)
    if patient:
        _start_patient(model, T, np.random.default_rng((seed, 1)))  # not that of the batches
    return model


def attending(D, T, n_out, seed, **options):
    """Return a stack of attention blocks, each of which may look back and not ahead.

    Parameters
    ----------
    D, T, n_out : int
        Sizes of the task: input, steps, output; attention need not be told T.
    seed : int
        Seed of the starting weights.
    **options : object
        For `AttentionModel` of `attention_models`.

    Returns
    -------
    model : AttentionModel
        Not trained.
    """
    from course_lib.attention_models import AttentionModel

    return AttentionModel(D, n_out=n_out, seed=seed, causal=True, **options)


def parallel(D, T, n_out, seed, *, patient=False, layers=None, **options):
    """Return a recurrence whose gates do not look at its state, alone or in layers.

    Parameters
    ----------
    D, T, n_out : int
        Sizes of the task: input, steps, output.
    seed : int
        Seed of the starting weights.
    patient : bool
        Start with memories that last up to as long as the task, as in `recurrent`.
    layers : int, optional
        So many on top of each other, as in `parallel_models.ParallelStack`; None for one alone.
    **options : object
        For `parallel_models.ParallelModel`.

    Returns
    -------
    model : ParallelModel or ParallelStack
        Not trained.
    """
    from course_lib.parallel_models import ParallelModel, ParallelStack

    options |= {"D": D, "n_out": n_out, "seed": seed, "patient": T if patient else None}
    return ParallelModel(**options) if layers is None else ParallelStack(layers=layers, **options)


def _start_patient(model, T, rng):
    """Set the biases of the gates that keep, and of an LSTM's input gate, by the task's length."""
    import torch

    H = model.core.hidden_size
    keep = torch.as_tensor(np.log(rng.uniform(1, T - 1, size=H)), dtype=torch.float32)
    with torch.no_grad():
        model.core.bias_ih_l0[H : 2 * H] = keep  # second of the LSTM's i, f, g, o; of GRU's r, z, n
        model.core.bias_hh_l0[H : 2 * H] = 0.0
        if model.cell == "lstm":
            model.core.bias_ih_l0[:H] = -keep
            model.core.bias_hh_l0[:H] = 0.0


def fit_network(spec, seed, *, build, **options):
    """Train a network by the recipe of its task.

    Parameters
    ----------
    spec : TaskSpec
        The task; its recipe says how long, and with which steps.
    seed : int
        Seed of the starting weights and of the batches.
    build : callable
        ``build(D, T, n_out, seed, **options)`` returns a module that turns x (N, T, D) into outputs
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
    _, T, D = one.x.shape
    network = build(D=D, T=T, n_out=one.n_out, seed=seed, **options)
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
