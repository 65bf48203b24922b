r"""Trainable recurrences without a state in their gates, with the interface of `SequenceModel`.

All matrix products of a layer run over all steps at once; what is left to be done in order is one
multiplication and one addition a step, :math:`h_t = a_t \odot h_{t-1} + b_t`. On a GPU that is done
by a scan. On one CPU thread a loop over the steps is faster at the lengths of this book (batch 32,
200 steps, 32 units, forward and backward: 2 ms against 21 ms for the doubling scan and 7 ms for a
loop that PyTorch differentiates), so a loop with a written-out gradient is used here; the scan is
`scan.linear_scan`, and the numbers are the same.

Starts, all published, none tuned:

- ``min_gru``, ``min_lstm``: PyTorch's ``nn.Linear``, as in the paper's code; ``patient`` sets the
  gates that keep as Tallec and Ollivier (2018), arXiv:1804.11188, do for a task of that length;
- ``linear_rnn``: decays :math:`a = e^{-e^\nu}` whose squares are uniform in (0, 1), and inputs
  scaled by :math:`\sqrt{1 - a^2}`, Orvieto et al. (2023), arXiv:2303.06349; ``patient`` as above;
- ``linear_attention``: ``nn.Linear`` without bias; nothing in it forgets;
- ``ssm``: Mamba's, rates 1 to K and step sizes log-uniform from 0.001 to 0.1, Gu and Dao (2023),
  arXiv:2312.00752; ``patient`` takes them from 1 / (T - 1) to 1.

Letters: N batch, T time, D input, H hidden, K memories a channel of ``ssm``, n_out outputs a step.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from course_lib.linear_attention import LinearAttentionParams
from course_lib.linear_recurrence import LinearParams
from course_lib.min_rnn import MinGRUParams, MinLSTMParams
from course_lib.selective_ssm import SelectiveSSMParams


class _LinearRecurrence(torch.autograd.Function):
    """Gradient of a linear recurrence: the same recurrence, from the end."""

    @staticmethod
    def forward(ctx, a, b, h0):
        h, before = torch.empty_like(b), h0
        for a_t, b_t, h_t in zip(a.unbind(), b.unbind(), h.unbind(), strict=True):
            before = torch.addcmul(b_t, a_t, before, out=h_t)
        ctx.save_for_backward(a, h, h0)
        return h

    @staticmethod
    def backward(ctx, dh):
        a, h, h0 = ctx.saved_tensors
        db = dh.clone(memory_format=torch.contiguous_format)
        a_steps, db_steps = a.unbind(), db.unbind()
        for t in range(len(db) - 2, -1, -1):
            db_steps[t].addcmul_(a_steps[t + 1], db_steps[t + 1])
        da = torch.empty_like(db)
        torch.mul(db[1:], h[:-1], out=da[1:])
        torch.mul(db[0], h0, out=da[0])
        return da, db, a[0] * db[0]


def linear_recurrence(a, b, h0):
    r"""Run h_t = a_t h_{t-1} + b_t; the twin of `scan.linear_scan`, with a gradient.

    Parameters
    ----------
    a : torch.Tensor of shape (T, N, H)
        Factors, time first: a step is one block of memory.
    b : torch.Tensor of shape (T, N, H)
        Summands.
    h0 : torch.Tensor of shape (N, H)
        State before the first step.

    Returns
    -------
    h : torch.Tensor of shape (T, N, H)
        State after every step; any axes may stand for (N, H).
    """
    return _LinearRecurrence.apply(a, b, h0)


def _run(a, b, h0):
    """States (T, N, ...) of a linear recurrence, and the last of them."""
    h = linear_recurrence(a, b, torch.zeros_like(b[0]) if h0 is None else h0)
    return h, h[-1]


def _memories(H, patient):
    """Logits of what H units keep, so that they last from 1 to patient - 1 steps."""
    return torch.log(torch.empty(H).uniform_(1, patient - 1))


def _array(weights):
    return weights.detach().numpy().astype(float)


class _MinGRU(nn.Module):
    def __init__(self, D, H, patient):
        super().__init__()
        self.gate, self.candidate = nn.Linear(D, H), nn.Linear(D, H)
        if patient is not None:
            with torch.no_grad():
                self.gate.bias.copy_(-_memories(H, patient))

    def forward(self, x, state):
        gate = self.gate(x)
        return _run(torch.sigmoid(-gate), torch.sigmoid(gate) * self.candidate(x), state)

    def to_params(self):
        layers = self.gate, self.candidate
        return MinGRUParams(
            *(_array(i.weight).T for i in layers), *(_array(i.bias) for i in layers)
        )


class _MinLSTM(nn.Module):
    def __init__(self, D, H, patient):
        super().__init__()
        self.forget, self.write = nn.Linear(D, H), nn.Linear(D, H)
        self.candidate = nn.Linear(D, H)
        if patient is not None:
            with torch.no_grad():
                keep = _memories(H, patient)
                self.forget.bias.copy_(keep)
                self.write.bias.copy_(-keep)

    def forward(self, x, state):
        # log f - log i, whose logistic is f / (f + i)
        toward_keep = functional.softplus(-self.write(x)) - functional.softplus(-self.forget(x))
        written = torch.sigmoid(-toward_keep) * self.candidate(x)
        return _run(torch.sigmoid(toward_keep), written, state)

    def to_params(self):
        layers = self.forget, self.write, self.candidate
        return MinLSTMParams(
            *(_array(i.weight).T for i in layers), *(_array(i.bias) for i in layers)
        )


class _LinearRNN(nn.Module):
    def __init__(self, D, H, patient):
        super().__init__()
        self.drive = nn.Linear(D, H)
        if patient is None:
            decay = torch.sqrt(torch.empty(H).uniform_(1e-3, 1.0 - 1e-3))
        else:
            decay = torch.sigmoid(_memories(H, patient))
        self.nu = nn.Parameter(torch.log(-torch.log(decay)))
        with torch.no_grad():
            self.drive.weight *= torch.sqrt(1 - decay**2)[:, None]

    def decay(self):
        return torch.exp(-torch.exp(self.nu))

    def forward(self, x, state):
        drive = self.drive(x)
        return _run(self.decay().expand_as(drive), drive, state)

    def to_params(self):
        return LinearParams(
            _array(self.decay()), _array(self.drive.weight).T, _array(self.drive.bias)
        )


class _LinearAttention(nn.Module):
    def __init__(self, D, H):
        super().__init__()
        self.query, self.key, self.value = (nn.Linear(D, H, bias=False) for _ in range(3))

    def forward(self, x, state):
        x = x.transpose(0, 1)  # (N, T, D)
        query, key = (functional.elu(layer(x)) + 1 for layer in (self.query, self.key))
        v = self.value(x)
        weights = torch.tril(query @ key.transpose(1, 2))  # (N, T, T)
        y, total = weights @ v, weights.sum(dim=2, keepdim=True)
        S, z = key.transpose(1, 2) @ v, key.sum(dim=1)
        if state is not None:
            y, total = y + query @ state[0], total + query @ state[1][:, :, None]
            S, z = S + state[0], z + state[1]
        return (y / total).transpose(0, 1), (S, z)

    def to_params(self):
        layers = self.query, self.key, self.value
        return LinearAttentionParams(*(_array(layer.weight).T for layer in layers))


class _SelectiveSSM(nn.Module):
    def __init__(self, H, K, patient):
        super().__init__()
        self.delta = nn.Linear(H, H)
        self.B, self.C = nn.Linear(H, K, bias=False), nn.Linear(H, K, bias=False)
        self.A_log = nn.Parameter(torch.log(torch.arange(1.0, K + 1)).repeat(H, 1))
        self.skip = nn.Parameter(torch.ones(H))
        shortest, longest = (0.001, 0.1) if patient is None else (1 / (patient - 1), 1.0)
        delta = torch.exp(torch.empty(H).uniform_(np.log(shortest), np.log(longest)))
        with torch.no_grad():
            self.delta.bias.copy_(delta + torch.log(-torch.expm1(-delta)))

    def forward(self, u, state):
        delta = functional.softplus(self.delta(u))  # (T, N, H)
        a = torch.exp(delta[..., None] * -torch.exp(self.A_log))  # (T, N, H, K)
        b = (delta * u)[..., None] * self.B(u)[..., None, :]
        h, state = _run(a, b, state)
        return (h @ self.C(u)[..., None])[..., 0] + self.skip * u, state

    def to_params(self):
        return SelectiveSSMParams(
            W_delta=_array(self.delta.weight).T,
            b_delta=_array(self.delta.bias),
            W_B=_array(self.B.weight).T,
            W_C=_array(self.C.weight).T,
            A_log=_array(self.A_log),
            skip=_array(self.skip),
            discretisation="euler",
        )


def _core(kind, D, H, patient, K):
    """One recurrence; a selective state space has as many channels in as out, the others D in."""
    if kind == "ssm":
        return _SelectiveSSM(H, K, patient)
    if kind == "linear_attention":
        return _LinearAttention(D, H)
    cores = {"min_gru": _MinGRU, "min_lstm": _MinLSTM, "linear_rnn": _LinearRNN}
    return cores[kind](D, H, patient)


KINDS = ("min_gru", "min_lstm", "linear_rnn", "linear_attention", "ssm")


def _check(kind, patient):
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, got {kind!r}")
    if patient is not None and kind == "linear_attention":
        raise ValueError("linear_attention has no gate that keeps: leave patient out")
    if patient is not None and patient < 3:
        raise ValueError(f"patient must be a length of at least 3, got {patient}")


class ParallelModel(nn.Module):
    """One recurrence that a scan could run, and a linear readout of what it shows at every step.

    Parameters
    ----------
    kind : {"min_gru", "min_lstm", "linear_rnn", "linear_attention", "ssm"}
        The recurrence. ``ssm`` has a linear layer from D inputs to H channels below it and is
        brought to steps by "euler", as Mamba's code is; ``linear_attention`` has one head with
        queries, keys and values of width H.
    D, H, n_out : int
        Sizes: input, hidden, output.
    seed : int
        Seed of the starting weights.
    patient : int, optional
        Length T of the task, at least 3: memories start lasting from 1 to T - 1 steps. None leaves
        the start of the module docstring.
    K : int, default=8
        Memories of each channel of ``ssm``.

    Raises
    ------
    ValueError
        If the kind is unknown, or ``patient`` does not fit it.

    References
    ----------
    Feng et al. (2024), doi:10.48550/arXiv.2410.01201; Katharopoulos et al. (2020),
    doi:10.48550/arXiv.2006.16236; Gu and Dao (2023), doi:10.48550/arXiv.2312.00752.
    """

    def __init__(self, kind, D, H, n_out, seed, *, patient=None, K=8):
        super().__init__()
        _check(kind, patient)
        self.kind, self.n_out = kind, n_out
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embed = nn.Linear(D, H) if kind == "ssm" else nn.Identity()
            self.core = _core(kind, D, H, patient, K)
            self.readout = nn.Linear(H, n_out)

    def features(self, x, state=None):
        """Return what the readout reads, (N, T, H), and the state after the last step."""
        shown, state = self.core(self.embed(x.transpose(0, 1)), state)
        return shown.transpose(0, 1), state

    def forward(self, x, state=None):
        """Return the outputs (N, T, n_out) and the state after the last step."""
        shown, state = self.features(x, state)
        return self.readout(shown), state

    def to_params(self):
        """Return the weights of the recurrence for its NumPy functions, in float64."""
        return self.core.to_params()


class ParallelStack(nn.Module):
    r"""Layers of one recurrence, each reading what the layer below shows and adding to it.

    .. math:: u^{(l)} = u^{(l-1)} + \mathrm{recurrence}(\mathrm{norm}(u^{(l-1)}))

    Gates that do not look at the state see the input only; from the second layer on, what they see
    has a memory. Norm first and a sum around it is the form of the papers' models and of
    transformer blocks; there is no feed-forward part here.

    Parameters
    ----------
    kind : {"min_gru", "min_lstm", "linear_rnn", "linear_attention", "ssm"}
        The recurrence, as in `ParallelModel`.
    D, H, n_out : int
        Sizes: input, hidden, output. A linear layer brings the D inputs to H below the first one.
    seed : int
        Seed of the starting weights.
    layers : int, default=2
        Recurrences on top of each other.
    patient : int, optional
        As in `ParallelModel`, in every layer.
    K : int, default=8
        Memories of each channel of ``ssm``.

    Raises
    ------
    ValueError
        If ``layers`` is below 1.
    """

    def __init__(self, kind, D, H, n_out, seed, *, layers=2, patient=None, K=8):
        super().__init__()
        if layers < 1:
            raise ValueError(f"layers must be at least 1, got {layers}")
        _check(kind, patient)
        self.kind, self.n_out = kind, n_out
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embed = nn.Linear(D, H)
            self.cores = nn.ModuleList(_core(kind, H, H, patient, K) for _ in range(layers))
            self.norms = nn.ModuleList(nn.LayerNorm(H) for _ in range(layers + 1))
            self.readout = nn.Linear(H, n_out)

    def forward(self, x, state=None):
        """Return the outputs (N, T, n_out) and the states of all layers after the last step."""
        shown, states = self.embed(x.transpose(0, 1)), []
        for n, core in enumerate(self.cores):
            added, after = core(self.norms[n](shown), None if state is None else state[n])
            shown = shown + added
            states.append(after)
        return self.readout(self.norms[-1](shown)).transpose(0, 1), states
