r"""Gated recurrent unit: one state, a gate that asks what to keep and one what to look at.

.. math::
    r_t &= \sigma(x_t W_{xr} + b_{xr} + h_{t-1} W_{hr} + b_{hr}) && \text{look at the past?} \\
    z_t &= \sigma(x_t W_{xz} + b_{xz} + h_{t-1} W_{hz} + b_{hz}) && \text{keep, or write?}

Two choices were published for what z means and two for where r acts, and both are written down
in ``GRUParams``:

- ``update="keep"``: h_t = z h_{t-1} + (1 - z) n_t; ``"write"``: h_t = (1 - z) h_{t-1} + z n_t.
- ``reset="after"``: n_t = tanh(x W_xn + b_xn + r (h_{t-1} W_hn + b_hn));
  ``"before"``: n_t = tanh(x W_xn + b_xn + (r h_{t-1}) W_hn + b_hn).

Cho et al. (2014) keep and reset before the product, Chung et al. (2014) write and reset before it,
cuDNN and PyTorch keep and reset after it, which lets all products of a step run as one.

``W_xa`` (D, 3H) and ``W_ha`` (H, 3H) hold the blocks r, z, n side by side, PyTorch's order.

Letters: N batch, T time, D input, H hidden.

References
----------
Cho et al. (2014), doi:10.3115/v1/D14-1179: their U is our ``W_h``, their candidate with a tilde our
``n``. Chung et al. (2014), arXiv:1412.3555.
"""

from dataclasses import dataclass, replace

import numpy as np

from course_lib._recurrent import (
    block,
    bounded,
    mask_series,
    read_batch,
    read_gate,
    read_kept,
    read_output_gradient,
    read_params,
    read_row,
    read_sizes,
    read_state,
    read_step,
    set_weights,
    sigmoid,
    squash_inplace,
    swap_time,
)
from course_lib.trace import Series, Trace

GATES = "rzn"  # order of the blocks


@dataclass(frozen=True, slots=True, eq=False)
class GRUParams:
    """Weights of one GRU cell, blocks r, z, n, and its convention; also the form of a gradient."""

    W_xa: np.ndarray  # (D, 3H)
    W_ha: np.ndarray  # (H, 3H)
    b_x: np.ndarray  # (3H,)
    b_h: np.ndarray  # (3H,)
    reset: str = "after"  # or "before"
    update: str = "keep"  # or "write"

    def __post_init__(self):
        set_weights(self, W_ha=(None, None))
        H = len(self.W_ha)
        set_weights(self, W_ha=(H, 3 * H), W_xa=(None, 3 * H), b_x=(3 * H,), b_h=(3 * H,))
        if self.reset not in ("after", "before"):
            raise ValueError(f"reset must be 'after' or 'before', got {self.reset!r}")
        if self.update not in ("keep", "write"):
            raise ValueError(f"update must be 'keep' or 'write', got {self.update!r}")

    def gate(self, name):
        """Return the weights of one gate.

        Parameters
        ----------
        name : {"r", "z", "n"}
            Which gate; n is the candidate.

        Returns
        -------
        W_x : ndarray of shape (D, H)
            From the input.
        W_h : ndarray of shape (H, H)
            From the hidden state.
        b_x : ndarray of shape (H,)
            Bias beside the input's part.
        b_h : ndarray of shape (H,)
            Bias beside the state's part; for r and z only the sum of the two matters.

        Raises
        ------
        ValueError
            If there is no such gate.
        """
        read_gate("name", name, GATES)
        k = block(name, GATES, len(self.W_ha))
        return self.W_xa[:, k], self.W_ha[:, k], self.b_x[k], self.b_h[k]


@dataclass(frozen=True, slots=True, eq=False)
class GRUTrace:
    """What the backward pass and the plots need from one forward pass.

    ``h`` has one more slot than ``x``: ``h[:, t + 1]`` is the state after ``x[:, t]``. A masked
    step carries the state over unchanged; what its gates show there means nothing.
    """

    x: np.ndarray  # (N, T, D), 0 in masked steps
    h: np.ndarray  # (N, T + 1, H)
    r: np.ndarray  # (N, T, H)
    z: np.ndarray  # (N, T, H)
    n: np.ndarray  # (N, T, H)
    mask: np.ndarray | None  # (N, T), True where a step was read
    past: np.ndarray  # (N, T, H) what r multiplies: h W_hn + b_hn after, h before the product

    @property
    def h_final(self):
        """State (N, H) after each sequence's own last step."""
        return self.h[:, -1]

    def to_trace(self, n=0):
        """Return sequence n as a :class:`~course_lib.trace.Trace`: x, r, z, n, h."""
        read_row(n, len(self.x))
        series = (
            Series("x", self.x[n]),
            Series("r", self.r[n], low=0.0, high=1.0),
            Series("z", self.z[n], low=0.0, high=1.0),
            Series("n", self.n[n], low=-1.0, high=1.0),
            bounded("h", self.h[n, 1:], -1.0, 1.0),
        )
        return Trace("gru", (*series, *mask_series(self.mask, n)))


@dataclass(frozen=True, slots=True, eq=False)
class GRUGrads:
    """Gradient of a loss with respect to everything that went into a forward pass."""

    params: GRUParams
    x: np.ndarray  # (N, T, D)
    h0: np.ndarray  # (N, H)


def init_gru(D, H, rng, reset="after", update="keep"):
    r"""Draw starting weights, uniform in :math:`(-1/\sqrt H, 1/\sqrt H)` as PyTorch's are.

    Parameters
    ----------
    D, H : int
        Number of inputs and of hidden units, at least 1.
    rng : numpy.random.Generator
        Source of the random numbers.
    reset : {"after", "before"}
        Where r acts: after the product with W_hn, or before it.
    update : {"keep", "write"}
        What z = 1 means: keep the old state, or write the candidate.

    Returns
    -------
    params : GRUParams
        Starting weights.

    Raises
    ------
    ValueError
        If a size is below 1 or the convention is unknown.
    """
    read_sizes(D, H)
    bound = 1.0 / np.sqrt(H)
    shapes = ((D, 3 * H), (H, 3 * H), 3 * H, 3 * H)
    return GRUParams(*(rng.uniform(-bound, bound, shape) for shape in shapes), reset, update)


def swap_update(params):
    """Return the same GRU with the other meaning of z; exact for every GRU.

    The logistic function of -a is 1 - that of a, so changing the sign of all that feeds z turns
    z into 1 - z.

    Parameters
    ----------
    params : GRUParams
        Weights in either convention.

    Returns
    -------
    params : GRUParams
        Weights that give the same states with the other ``update``.

    Raises
    ------
    ValueError
        If ``params`` is of another cell.
    """
    read_params(params, GRUParams)
    sign = np.ones(len(params.b_x))
    sign[block("z", GATES, len(params.W_ha))] = -1.0
    flipped = {name: sign * getattr(params, name) for name in ("W_xa", "W_ha", "b_x", "b_h")}
    return replace(params, **flipped, update="write" if params.update == "keep" else "keep")


def swap_reset(params):
    """Return the same GRU with the other place of r, where there is one.

    The two places give the same states for every input only if r, one number a unit, may change
    places with W_hn: if W_hn is diagonal. And r multiplies ``b_hn`` only in the form "after", so
    from there ``b_hn`` must be 0; to there, it moves into ``b_xn``.

    Parameters
    ----------
    params : GRUParams
        Weights in either convention.

    Returns
    -------
    params : GRUParams
        Weights that give the same states with the other ``reset``.

    Raises
    ------
    ValueError
        If W_hn mixes units, or r multiplies a bias that is not 0: then no weights of the other
        form give the same states.
    """
    read_params(params, GRUParams)
    n = block("n", GATES, len(params.W_ha))
    W_hn = params.W_ha[:, n]
    mixed = np.argwhere((W_hn != 0.0) & ~np.eye(len(W_hn), dtype=bool))
    if len(mixed):
        j, k = (int(index) for index in mixed[0])
        raise ValueError(
            "W_hn must be diagonal for the reset gate to change places with it, got "
            f"{W_hn[j, k]:.4g} from unit {j} to unit {k}: r[{j}] h[{j}] W is not r[{k}] h[{j}] W"
        )
    b_x, b_h = params.b_x.copy(), params.b_h.copy()
    if params.reset == "before":
        b_x[n] += b_h[n]
        b_h[n] = 0.0
    elif b_h[n].any():
        unit = int(np.flatnonzero(b_h[n])[0])
        raise ValueError(
            "b_hn must be 0 for the reset gate to move before the product, got "
            f"{b_h[n][unit]:.4g} for unit {unit}: r multiplies this bias only in the form 'after'"
        )
    return replace(params, b_x=b_x, b_h=b_h, reset="before" if params.reset == "after" else "after")


def gru_cell(x_t, h_prev, params):
    """Advance the hidden state by one time step; the formulas are at the top of this module.

    Parameters
    ----------
    x_t : ndarray of shape (N, D)
        Input at time t.
    h_prev : ndarray of shape (N, H)
        Hidden state after time t - 1, entries in (-1, 1).
    params : GRUParams
        Cell weights and convention.

    Returns
    -------
    h_t : ndarray of shape (N, H)
        Hidden state after time t: between ``h_prev`` and the candidate, so in (-1, 1).

    Raises
    ------
    ValueError
        If an argument does not match the weights or is not finite.

    References
    ----------
    Cho et al. (2014), doi:10.3115/v1/D14-1179; Chung et al. (2014), arXiv:1412.3555.
    """
    read_params(params, GRUParams)
    D, H = len(params.W_xa), len(params.W_ha)
    x_t, h_prev = read_step(x_t, h_prev, D, H)
    (x_r, x_z, x_n) = np.split(x_t @ params.W_xa + params.b_x, 3, axis=1)  # (N, H) each
    _, W_hn, _, b_hn = params.gate("n")

    a_h = h_prev @ params.W_ha[:, : 2 * H] + params.b_h[: 2 * H]
    r, z = sigmoid(x_r + a_h[:, :H]), sigmoid(x_z + a_h[:, H:])
    if params.reset == "after":
        n = np.tanh(x_n + r * (h_prev @ W_hn + b_hn))
    else:
        n = np.tanh(x_n + (r * h_prev) @ W_hn + b_hn)
    keep = z if params.update == "keep" else 1.0 - z
    return keep * h_prev + (1.0 - keep) * n


def gru_forward(x, params, h0=None, lengths=None, mask=None):
    r"""Read a batch of sequences from the first step to the last.

    Both gates go through one tanh, because :math:`\sigma(a) = k \tanh(k a) + 1 - k` with
    :math:`k = 1/2`.

    Parameters
    ----------
    x : ndarray of shape (N, T, D)
        Inputs; what stands in masked steps is never looked at.
    params : GRUParams
        Cell weights and convention.
    h0 : ndarray of shape (N, H), optional
        State before the first step, zeros if not given.
    lengths : ndarray of shape (N,), optional
        Number of steps of each sequence, from 1 to T; the rest is padding.
    mask : ndarray of shape (N, T), optional
        True where a step is read, at least once a sequence; instead of ``lengths``.

    Returns
    -------
    trace : GRUTrace
        Inputs, states, gates, and the final state of each sequence.

    Raises
    ------
    ValueError
        If shapes do not fit, numbers are not finite, a sequence is empty, or both ``lengths`` and
        ``mask`` are given.
    """
    read_params(params, GRUParams)
    D, H = len(params.W_xa), len(params.W_ha)
    x, mask = read_batch(x, D, lengths, mask)
    T, N, _ = x.shape
    kept = read_kept(mask)
    W_h, b_h = _state_weights(params)
    _, W_hn, _, b_hn = params.gate("n")

    h = np.empty((T + 1, N, H))
    h[0] = read_state("h0", h0, N, H)
    past = np.empty((T, N, H)) if params.reset == "after" else h[:-1]
    k = np.repeat((0.5, 0.5, 1.0), H)  # the candidate stays as it is
    W_h, b_h = k[: len(b_h)] * W_h, k[: len(b_h)] * b_h
    gates = x @ (k * params.W_xa)  # (T, N, 3H), every step at once
    gates += k * params.b_x
    for t in range(T):
        a = gates[t]  # (N, 3H), a view: pre-activations turn into gates in their place
        r, z, n = (a[:, block(name, GATES, H)] for name in GATES)
        a_h = h[t] @ W_h + b_h  # (N, 3H) if r comes after the product, else (N, 2H)
        rz = a[:, : 2 * H]
        rz += a_h[:, : 2 * H]
        squash_inplace(rz, 0.5)
        if params.reset == "after":
            past[t] = a_h[:, 2 * H :]
            n += r * past[t]
        else:
            n += (r * h[t]) @ W_hn + b_hn
        np.tanh(n, out=n)
        old, new = (h[t], n) if params.update == "keep" else (n, h[t])
        h[t + 1] = new + z * (old - new)
        if kept is not None:
            np.copyto(h[t + 1], h[t], where=~kept[t])

    r, z, n = (swap_time(gates[:, :, block(name, GATES, H)]) for name in GATES)
    return GRUTrace(swap_time(x), swap_time(h), r, z, n, mask, swap_time(past))


def _state_weights(params):
    """Weights and bias of what h is multiplied by before any gate is known."""
    columns = (3 if params.reset == "after" else 2) * len(params.W_ha)
    return params.W_ha[:, :columns], params.b_h[:columns]


def gru_backward(dh, trace, params, dh_final=None):
    r"""Backpropagate through time: from gradients at the states to gradients at everything else.

    For ``update="keep"`` the state h_t = z h_{t-1} + (1 - z) n gives
    :math:`\delta n = \delta h\,(1 - z)`, :math:`\delta z = \delta h\,(h_{t-1} - n)`, and
    :math:`\delta h\, z` goes straight back to the state before; "write" swaps the two roles.

    Parameters
    ----------
    dh : ndarray of shape (N, T, H)
        Gradient of the loss with respect to ``trace.h[:, 1:]``. In a masked step that is the
        state carried over, so a loss that should not see padding has 0 there.
    trace : GRUTrace
        What :func:`gru_forward` left behind.
    params : GRUParams
        The weights it used.
    dh_final : ndarray of shape (N, H), optional
        Gradient with respect to ``trace.h_final`` that comes on top, zeros if not given.

    Returns
    -------
    grads : GRUGrads
        Gradients with respect to the weights (summed over batch and time), ``x`` and ``h0``;
        0 for inputs of masked steps.

    Raises
    ------
    ValueError
        If shapes do not fit the trace, or numbers are not finite.

    References
    ----------
    Cho et al. (2014), doi:10.3115/v1/D14-1179; Werbos (1990), doi:10.1109/5.58337.
    """
    read_params(params, GRUParams)
    D, H = len(params.W_xa), len(params.W_ha)
    dh = read_output_gradient(dh, trace, GRUTrace, D, H)
    x, h, past, kept = *map(swap_time, (trace.x, trace.h, trace.past)), read_kept(trace.mask)
    r, z, n = (swap_time(getattr(trace, name)) for name in GATES)
    T, N, _ = x.shape
    after = params.reset == "after"
    _, W_hn, _, _ = params.gate("n")
    W_h, _ = _state_weights(params)

    da = np.empty((T, N, 3 * H))  # gradient at what the input feeds, every step
    da_h = np.empty((T, N, 3 * H)) if after else da  # and at what the state feeds
    dh_next = read_state("dh_final", dh_final, N, H)  # what step t + 1 sends back
    for t in reversed(range(T)):
        dh_t = dh[t] + dh_next
        da_r, da_z, da_n = (da[t][:, block(name, GATES, H)] for name in GATES)
        keep = z[t] if params.update == "keep" else 1.0 - z[t]
        dz = dh_t * (h[t] - n[t] if params.update == "keep" else n[t] - h[t])

        da_n[:] = dh_t * (1.0 - keep) * (1.0 - n[t] ** 2)
        da_z[:] = dz * z[t] * (1.0 - z[t])
        drh = da_n if after else da_n @ W_hn.T  # at the product r * past
        da_r[:] = drh * past[t] * r[t] * (1.0 - r[t])
        if kept is not None:
            da[t] *= kept[t]
        if after:
            da_h[t, :, : 2 * H] = da[t, :, : 2 * H]
            da_h[t, :, 2 * H :] = da_n * r[t]
        dh_prev = dh_t * keep + da_h[t, :, : W_h.shape[1]] @ W_h.T
        if not after:
            dh_prev += drh * r[t]
        dh_next = dh_prev if kept is None else np.where(kept[t], dh_prev, dh_t)

    flat, flat_h = da.reshape(T * N, 3 * H), da_h.reshape(T * N, 3 * H)
    dW_xa = x.reshape(T * N, D).T @ flat
    dW_ha = h[:-1].reshape(T * N, H).T @ flat_h
    if not after:
        dW_ha[:, 2 * H :] = (r * h[:-1]).reshape(T * N, H).T @ flat[:, 2 * H :]
    db_x, db_h = flat.sum(axis=0), flat_h.sum(axis=0)
    return GRUGrads(
        params=replace(params, W_xa=dW_xa, W_ha=dW_ha, b_x=db_x, b_h=db_h),
        x=swap_time(da @ params.W_xa.T),
        h0=dh_next,
    )
