r"""Short PyTorch training loops: a recurrent layer with a linear readout, seeds, clipping, history.

Chapters use these to ask one question at a time (which cell, which start, which length), so
everything else stays the same: Adam, a fresh batch at every step, gradients clipped by norm.
A batch is drawn anew each time, so there is no training set to overfit, and the loss of a step is
an honest estimate of the loss on data never seen.

Training runs in float32, as it does in practice; the reference cells of ``course_lib`` take the
trained weights over in float64 by ``torch_bridge.from_torch``. Everything random follows from the
seeds that are passed; the state of PyTorch's own generator is left as it was.

Letters: N batch, T time, D input, H hidden, n_out numbers put out at each step.
"""

import os
import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from tqdm.auto import trange

from course_lib.datasets.task import score_task

CELLS = {"rnn": nn.RNN, "relu_rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
STARTS = (None, "orthogonal", "identity")


class SequenceModel(nn.Module):
    """A recurrent layer of PyTorch and a linear readout of its state at every step.

    Parameters
    ----------
    cell : {"rnn", "relu_rnn", "lstm", "gru"}
        Kind of cell; ``rnn`` has tanh.
    D, H, n_out : int
        Sizes: input, hidden state, output.
    seed : int
        Seed of the starting weights.
    forget_bias : float, optional
        LSTM only: what the two biases of the forget gate add up to at the start. None leaves
        PyTorch's start, two numbers uniform in (-1/sqrt(H), 1/sqrt(H)).
    recurrent : {None, "orthogonal", "identity"}
        Start of the recurrent weights, one square block a gate; None leaves PyTorch's. "identity"
        also sets the biases of an RNN to 0, as Le, Jaitly and Hinton (2015), arXiv:1504.00941, do.
    n_layers : int, default=1
        Recurrent layers on top of each other.

    Raises
    ------
    ValueError
        If the cell or the start is unknown, or a cell has no forget gate to set.
    """

    def __init__(self, cell, D, H, n_out, seed, *, forget_bias=None, recurrent=None, n_layers=1):
        super().__init__()
        if cell not in CELLS:
            raise ValueError(f"cell must be one of {', '.join(CELLS)}, got {cell!r}")
        if recurrent not in STARTS:
            raise ValueError(f"recurrent must be one of {STARTS}, got {recurrent!r}")
        if forget_bias is not None and cell != "lstm":
            raise ValueError(f"forget_bias needs a cell with a forget gate, lstm; got {cell!r}")
        extra = {"nonlinearity": "relu"} if cell == "relu_rnn" else {}
        self.cell, self.n_out = cell, n_out
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.core = CELLS[cell](D, H, n_layers, batch_first=True, **extra)
            self.readout = nn.Linear(H, n_out)
            with torch.no_grad():
                for name, weights in self.core.named_parameters():
                    _start(name, weights, H, cell, recurrent, forget_bias)

    def forward(self, x, state=None):
        """Return the outputs (N, T, n_out) and the state after the last step."""
        h, state = self.core(x, state)
        return self.readout(h), state


def _start(name, weights, H, cell, recurrent, forget_bias):
    """Set one tensor of a recurrent layer to its start; PyTorch orders LSTM gates i, f, g, o."""
    if recurrent is not None and name.startswith("weight_hh"):
        for block in weights.split(H):
            if recurrent == "orthogonal":
                nn.init.orthogonal_(block)
            else:
                nn.init.eye_(block)
    if recurrent == "identity" and name.startswith("bias") and cell in ("rnn", "relu_rnn"):
        weights.zero_()
    if forget_bias is not None and name.startswith("bias"):
        weights[H : 2 * H] = forget_bias if name.startswith("bias_ih") else 0.0


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """What a training left behind, step by step.

    Parameters
    ----------
    loss : ndarray of shape (T,)
        Loss of each step's fresh batch before its update: nats, or squared units for ``mse``.
    grad_norm : ndarray of shape (T,)
        Euclidean norm of the whole gradient before clipping.
    stopped : bool
        True if ``stop_loss`` was reached before the last step.
    seconds : float
        Wall time.
    """

    loss: np.ndarray
    grad_norm: np.ndarray
    stopped: bool
    seconds: float

    @property
    def steps(self):
        """Number of updates that were made."""
        return len(self.loss)


def task_loss(outputs, task):
    """Return the loss of the outputs as a tensor that can be differentiated.

    Parameters
    ----------
    outputs : torch.Tensor of shape (N, T, n_out)
        What the model put out at each step.
    task : Task
        What was asked.

    Returns
    -------
    loss : torch.Tensor of shape ()
        Mean cross-entropy in nats, or mean squared error, over the answers that count.
    """
    target = torch.as_tensor(task.target)
    if task.where == "last":
        outputs = outputs[:, -1]
    if task.measure == "mse":
        losses = (outputs[..., 0] - target.to(outputs.dtype)) ** 2
    else:
        losses = nn.functional.cross_entropy(
            outputs.reshape(-1, task.n_out), target.reshape(-1), reduction="none"
        ).reshape(target.shape)
    if task.weight is None:
        return losses.mean()
    weight = torch.as_tensor(task.weight, dtype=losses.dtype)
    return (losses * weight).sum() / weight.sum()


def train(
    model,
    sample,
    *,
    steps,
    seed,
    lr=0.003,
    batch=64,
    clip=1.0,
    stop_loss=None,
    window=20,
    truncate=None,
    decay=False,
    watch=None,
    progress=True,
):
    """Train a model in place on batches that are drawn anew at every step.

    Parameters
    ----------
    model : SequenceModel
        Changed in place. Any module that returns (outputs, state) from (x, state) will do.
    sample : callable
        ``sample(n, rng)`` returns a Task of n sequences.
    steps : int
        Updates to make, at least 1.
    seed : int
        Seed of the batches.
    lr : float, default=0.003
        Step size of Adam (Kingma and Ba 2015, arXiv:1412.6980).
    batch : int, default=64
        Sequences in each batch.
    clip : float or None, default=1.0
        Largest norm of the gradient that an update uses; None does not clip.
    stop_loss : float, optional
        Stop when the mean loss of the last ``window`` steps is at most this.
    window : int, default=20
        Steps in that mean.
    truncate : int, optional
        Cut the gradient every so many steps of a sequence (truncated BPTT); None sends it through
        the whole sequence.
    decay : bool, default=False
        Let the step size fall on a straight line from ``lr`` at the first update towards 0 after
        the last of ``steps``, so that the noise of single batches dies out; else it stays.
    watch : callable, optional
        ``watch(updates, model)`` is called before the first update and after each one, to measure
        or to copy the model on its way; it must not change the model.
    progress : bool, default=True
        Show a bar while training. The environment variable ``TQDM_DISABLE`` hides all bars.

    Returns
    -------
    history : History
        Loss and gradient norm of each step, and the seconds it took.

    Raises
    ------
    ValueError
        If a number is out of range, or the loss stops being finite.
    """
    for name, value in {"steps": steps, "batch": batch, "window": window}.items():
        if value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}")
    if truncate is not None and truncate < 1:
        raise ValueError(f"truncate must be at least 1 step, or None, got {truncate}")
    rng = np.random.default_rng(seed)
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    limit = float("inf") if clip is None else clip
    loss, grad_norm, stopped = [], [], False
    hidden = not progress or bool(os.environ.get("TQDM_DISABLE"))
    start, bar = time.perf_counter(), trange(steps, disable=hidden, leave=False, desc="training")
    if watch is not None:
        watch(0, model)
    for step in bar:
        task = sample(batch, rng)
        optimiser.zero_grad()
        value = task_loss(_outputs(model, task, truncate), task)
        value.backward()
        grad_norm.append(float(nn.utils.clip_grad_norm_(model.parameters(), limit)))
        loss.append(value.item())
        if not np.isfinite([loss[-1], grad_norm[-1]]).all():
            bar.close()
            raise ValueError(
                f"loss {loss[-1]} and gradient norm {grad_norm[-1]} at step {step} must be finite; "
                "use a smaller lr, or clip the gradient"
            )
        if decay:
            for group in optimiser.param_groups:
                group["lr"] = lr * (1 - step / steps)
        optimiser.step()
        if watch is not None:
            watch(step + 1, model)
        recent = float(np.mean(loss[-window:]))
        if step % 20 == 0:
            bar.set_postfix(loss=f"{recent:.3f}")
        if stop_loss is not None and len(loss) >= window and recent <= stop_loss:
            stopped = True
            break
    bar.close()
    return History(np.array(loss), np.array(grad_norm), stopped, time.perf_counter() - start)


def _outputs(model, task, truncate):
    """Outputs (N, T, n_out); the state passes every cut, the gradient does not."""
    x = torch.as_tensor(task.x, dtype=next(model.parameters()).dtype)
    if truncate is None:
        return model(x)[0]
    outputs, state = [], None
    for piece in x.split(truncate, dim=1):
        scores, state = model(piece, state)
        state = tuple(s.detach() for s in state) if isinstance(state, tuple) else state.detach()
        outputs.append(scores)
    return torch.cat(outputs, dim=1)


def evaluate(model, task):
    """Return the score of a model on a task, in the task's own measure.

    Parameters
    ----------
    model : SequenceModel
        Not changed.
    task : Task
        Sequences that training did not draw: use a seed of their own.

    Returns
    -------
    score : float
        Accuracy in [0, 1], or mean squared error.
    """
    with torch.no_grad():
        return score_task(task, _outputs(model, task, None).numpy())


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One seed's training: the trained model, its score on the test task, and its history."""

    seed: int
    score: float
    history: History
    model: nn.Module


def run_seeds(make_model, sample, test, seeds, **options):
    """Train one model a seed and score each on the same test task.

    Parameters
    ----------
    make_model : callable
        ``make_model(seed)`` returns a fresh model.
    sample : callable
        ``sample(n, rng)`` returns a Task of n sequences to train on.
    test : Task
        What each trained model is scored on.
    seeds : iterable of int
        One training each; a seed fixes the starting weights and the batches.
    **options : object
        For `train`, but ``seed``.

    Returns
    -------
    runs : list of Run
        In the order of the seeds.
    """
    runs = []
    for seed in seeds:
        model = make_model(seed)
        history = train(model, sample, seed=seed, **options)
        runs.append(Run(seed, evaluate(model, test), history, model))
    return runs
