r"""The LSTM with layer normalisation of what comes in, what comes back and what is shown.

.. math::
    a_t &= \mathrm{norm}(x_t W_{xa}) \odot gain_x + \mathrm{norm}(h_{t-1} W_{ha}) \odot gain_h
        + b_a \\
    c_t &= f_t \odot c_{t-1} + i_t \odot g_t, \qquad
    h_t = o_t \odot \tanh(\mathrm{norm}(c_t) \odot gain_c + b_c)

with i, f, o = σ and g = tanh of their blocks of a. Each norm over 4H numbers is one for all four
blocks. The cell state itself is never normalised, only what is shown of it, so the straight path
through time stays as it is.

Letters: N batch, T time, D input, H hidden.

References
----------
Ba, Kiros and Hinton (2016), doi:10.48550/arXiv.1607.06450, supplementary material: their alpha are
our gains; of their two beta and b before the gates only the sum matters, our ``b_a``.
"""

from dataclasses import dataclass, replace

import numpy as np

from course_lib._recurrent import (
    block,
    read_batch,
    read_kept,
    read_kind,
    read_output_gradient,
    read_params,
    read_state,
    set_weights,
    sigmoid,
    swap_time,
)
from course_lib.layer_norm import LayerNormTrace, normalise, normalise_backward
from course_lib.lstm import GATES, LSTMParams, LSTMTrace


@dataclass(frozen=True, slots=True, eq=False)
class LayerNormLSTMParams:
    """Weights of an LSTM cell without peepholes, the gains, and the bias of the shown cell."""

    cell: LSTMParams
    gain_x: np.ndarray  # (4H,)
    gain_h: np.ndarray  # (4H,)
    gain_c: np.ndarray  # (H,)
    b_c: np.ndarray  # (H,)

    def __post_init__(self):
        read_kind("cell", self.cell, LSTMParams)
        if self.cell.w_ca is not None:
            raise ValueError("cell must have no peepholes, got w_ca")
        H = len(self.cell.W_ha)
        set_weights(self, gain_x=(4 * H,), gain_h=(4 * H,), gain_c=(H,), b_c=(H,))


@dataclass(frozen=True, slots=True, eq=False)
class LayerNormLSTMTrace:
    """What one forward pass left behind; ``cell`` has inputs, states, gates, and makes figures."""

    cell: LSTMTrace
    norm_x: LayerNormTrace  # normed (T, N, 4H), time-major, as the next two
    norm_h: LayerNormTrace  # normed (T, N, 4H)
    norm_c: LayerNormTrace  # normed (T, N, H)


@dataclass(frozen=True, slots=True, eq=False)
class LayerNormLSTMGrads:
    """Gradient of a loss with respect to everything that went into a forward pass."""

    params: LayerNormLSTMParams
    x: np.ndarray  # (N, T, D)
    h0: np.ndarray  # (N, H)
    c0: np.ndarray  # (N, H)


def layer_norm_lstm_forward(x, params, h0=None, c0=None, lengths=None, mask=None):
    """Read a batch of sequences; the formulas are at the top of this module.

    Parameters
    ----------
    x : ndarray of shape (N, T, D)
        Inputs; what stands in masked steps is never looked at.
    params : LayerNormLSTMParams
        Weights and gains.
    h0, c0 : ndarray of shape (N, H), optional
        Hidden and cell state before the first step, zeros if not given.
    lengths : ndarray of shape (N,), optional
        Number of steps of each sequence, from 1 to T; the rest is padding.
    mask : ndarray of shape (N, T), optional
        True where a step is read, at least once a sequence; instead of ``lengths``.

    Returns
    -------
    trace : LayerNormLSTMTrace
        ``trace.cell`` is an :class:`~course_lib.lstm.LSTMTrace`.

    Raises
    ------
    ValueError
        For the same reasons as :func:`~course_lib.lstm.lstm_forward`.

    References
    ----------
    Ba, Kiros and Hinton (2016), doi:10.48550/arXiv.1607.06450.
    """
    read_params(params, LayerNormLSTMParams)
    cell = params.cell
    D, H = len(cell.W_xa), len(cell.W_ha)
    x, mask = read_batch(x, D, lengths, mask)
    T, N, _ = x.shape
    kept = read_kept(mask)

    h, c = np.empty((T + 1, N, H)), np.empty((T + 1, N, H))
    h[0], c[0] = read_state("h0", h0, N, H), read_state("c0", c0, N, H)
    norm_x = LayerNormTrace(*normalise(x @ cell.W_xa))  # every step at once
    norm_h = LayerNormTrace(np.empty((T, N, 4 * H)), np.empty((T, N, 1)))
    norm_c = LayerNormTrace(np.empty((T, N, H)), np.empty((T, N, 1)))
    gates = norm_x.normed * params.gain_x + cell.b_a  # pre-activations until their step is read
    for t in range(T):
        norm_h.normed[t], norm_h.inv_std[t] = normalise(h[t] @ cell.W_ha)
        a = gates[t]
        a += norm_h.normed[t] * params.gain_h
        i, f, g, o = (a[:, block(name, GATES, H)] for name in GATES)
        i[:], f[:], g[:], o[:] = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        c[t + 1] = f * c[t] + i * g
        norm_c.normed[t], norm_c.inv_std[t] = normalise(c[t + 1])
        h[t + 1] = o * np.tanh(norm_c.normed[t] * params.gain_c + params.b_c)
        if kept is not None:
            np.copyto(h[t + 1], h[t], where=~kept[t])
            np.copyto(c[t + 1], c[t], where=~kept[t])

    i, f, g, o = (swap_time(gates[:, :, block(name, GATES, H)]) for name in GATES)
    seen = LSTMTrace(swap_time(x), swap_time(h), swap_time(c), i, f, g, o, mask)
    return LayerNormLSTMTrace(seen, norm_x, norm_h, norm_c)


def layer_norm_lstm_backward(dh, trace, params, dh_final=None, dc_final=None):
    """Backpropagate through time, as :func:`~course_lib.lstm.lstm_backward` does, and the norms.

    Parameters
    ----------
    dh : ndarray of shape (N, T, H)
        Gradient of the loss with respect to ``trace.cell.h[:, 1:]``.
    trace : LayerNormLSTMTrace
        What :func:`layer_norm_lstm_forward` left behind.
    params : LayerNormLSTMParams
        The weights it used.
    dh_final, dc_final : ndarray of shape (N, H), optional
        Gradients with respect to the final states that come on top, zeros if not given.

    Returns
    -------
    grads : LayerNormLSTMGrads
        Gradients with respect to the weights, the gains, ``x``, ``h0`` and ``c0``.

    Raises
    ------
    ValueError
        If shapes do not fit the trace, or numbers are not finite.
    """
    read_params(params, LayerNormLSTMParams)
    read_kind("trace", trace, LayerNormLSTMTrace)
    cell, seen, norm_x, norm_h, norm_c = (
        *(params.cell, trace.cell),
        *(trace.norm_x, trace.norm_h, trace.norm_c),
    )
    D, H = len(cell.W_xa), len(cell.W_ha)
    dh = read_output_gradient(dh, seen, LSTMTrace, D, H)
    x, h, c, kept = *map(swap_time, (seen.x, seen.h, seen.c)), read_kept(seen.mask)
    i, f, g, o = (swap_time(getattr(seen, name)) for name in GATES)
    T, N, _ = x.shape

    da, da_h = np.empty((T, N, 4 * H)), np.empty((T, N, 4 * H))  # at a, and at h W_ha
    dm = np.empty((T, N, H))  # at norm(c) * gain_c + b_c
    dh_next = read_state("dh_final", dh_final, N, H)
    dc_next = read_state("dc_final", dc_final, N, H)
    for t in reversed(range(T)):
        dh_t = dh[t] + dh_next
        shown = np.tanh(norm_c.normed[t] * params.gain_c + params.b_c)
        dm[t] = dh_t * o[t] * (1.0 - shown**2)
        dc_t = dc_next + normalise_backward(
            dm[t] * params.gain_c, norm_c.normed[t], norm_c.inv_std[t]
        )
        da_i, da_f, da_g, da_o = (da[t][:, block(name, GATES, H)] for name in GATES)
        da_o[:] = dh_t * shown * o[t] * (1.0 - o[t])
        da_i[:] = dc_t * g[t] * i[t] * (1.0 - i[t])
        da_f[:] = dc_t * c[t] * f[t] * (1.0 - f[t])
        da_g[:] = dc_t * i[t] * (1.0 - g[t] ** 2)
        if kept is not None:
            da[t] *= kept[t]
            dm[t] *= kept[t]
        da_h[t] = normalise_backward(da[t] * params.gain_h, norm_h.normed[t], norm_h.inv_std[t])
        dh_prev, dc_prev = da_h[t] @ cell.W_ha.T, dc_t * f[t]
        if kept is not None:
            dh_prev = np.where(kept[t], dh_prev, dh_t)
            dc_prev = np.where(kept[t], dc_prev, dc_next)
        dh_next, dc_next = dh_prev, dc_prev

    da_x = normalise_backward(da * params.gain_x, norm_x.normed, norm_x.inv_std)
    dW_xa = x.reshape(T * N, D).T @ da_x.reshape(T * N, 4 * H)
    dW_ha = h[:-1].reshape(T * N, H).T @ da_h.reshape(T * N, 4 * H)
    return LayerNormLSTMGrads(
        params=LayerNormLSTMParams(
            cell=replace(cell, W_xa=dW_xa, W_ha=dW_ha, b_a=da.sum(axis=(0, 1))),
            gain_x=(da * norm_x.normed).sum(axis=(0, 1)),
            gain_h=(da * norm_h.normed).sum(axis=(0, 1)),
            gain_c=(dm * norm_c.normed).sum(axis=(0, 1)),
            b_c=dm.sum(axis=(0, 1)),
        ),
        x=swap_time(da_x @ cell.W_xa.T),
        h0=dh_next,
        c0=dc_next,
    )
