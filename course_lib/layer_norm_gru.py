r"""The GRU with layer normalisation of what comes in and what comes back.

.. math::
    r_t, z_t &= \sigma\left(\mathrm{norm}(x_t W_{x,rz}) \odot gain_{x,rz} + b_{x,rz}
        + \mathrm{norm}(h_{t-1} W_{h,rz}) \odot gain_{h,rz} + b_{h,rz}\right) \\
    n_t &= \tanh\left(\mathrm{norm}(x_t W_{xn}) \odot gain_{xn} + b_{xn}
        + r_t \odot (\mathrm{norm}(h_{t-1} W_{hn}) \odot gain_{hn} + b_{hn})\right) \\
    h_t &= z_t \odot h_{t-1} + (1 - z_t) \odot n_t

The gates r and z are normalised together, the candidate n by itself, and r acts after the product.
With ``update="write"`` z changes its meaning as in :mod:`course_lib.gru`.

Letters: N batch, T time, D input, H hidden.

References
----------
Ba, Kiros and Hinton (2016), doi:10.48550/arXiv.1607.06450, supplementary material: their alpha are
our gains and their beta our biases; their z writes, as ``update="write"`` does.
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
from course_lib.gru import GATES, GRUParams, GRUTrace
from course_lib.layer_norm import LayerNormTrace, normalise, normalise_backward


@dataclass(frozen=True, slots=True, eq=False)
class LayerNormGRUParams:
    """Weights of a GRU cell that resets after the product, and the gains."""

    cell: GRUParams
    gain_x: np.ndarray  # (3H,)
    gain_h: np.ndarray  # (3H,)

    def __post_init__(self):
        read_kind("cell", self.cell, GRUParams)
        if self.cell.reset != "after":
            raise ValueError(f"cell.reset must be 'after', got {self.cell.reset!r}")
        H = len(self.cell.W_ha)
        set_weights(self, gain_x=(3 * H,), gain_h=(3 * H,))


@dataclass(frozen=True, slots=True, eq=False)
class LayerNormGRUTrace:
    """What one forward pass left behind; ``cell`` has inputs, states, gates, and makes figures."""

    cell: GRUTrace
    norm_x: LayerNormTrace  # normed (T, N, 3H), inv_std (T, N, 3H) repeated for each unit
    norm_h: LayerNormTrace  # the same shapes


@dataclass(frozen=True, slots=True, eq=False)
class LayerNormGRUGrads:
    """Gradient of a loss with respect to everything that went into a forward pass."""

    params: LayerNormGRUParams
    x: np.ndarray  # (N, T, D)
    h0: np.ndarray  # (N, H)


def _groups(H):
    """What is normalised together: r with z, and n by itself."""
    return slice(0, 2 * H), slice(2 * H, 3 * H)


def _normalise_groups(a):
    """Normalise both groups of (..., 3H); inv_std is repeated for each unit."""
    normed, inv_std = np.empty_like(a), np.empty_like(a)
    for group in _groups(a.shape[-1] // 3):
        normed[..., group], inv_std[..., group] = normalise(a[..., group])
    return normed, inv_std


def _groups_backward(dnormed, normed, inv_std):
    """Return the gradient at what :func:`_normalise_groups` was given."""
    da = np.empty_like(dnormed)
    for group in _groups(da.shape[-1] // 3):
        parts = (array[..., group] for array in (dnormed, normed, inv_std))
        da[..., group] = normalise_backward(*parts)
    return da


def layer_norm_gru_forward(x, params, h0=None, lengths=None, mask=None):
    """Read a batch of sequences; the formulas are at the top of this module.

    Parameters
    ----------
    x : ndarray of shape (N, T, D)
        Inputs; what stands in masked steps is never looked at.
    params : LayerNormGRUParams
        Weights and gains.
    h0 : ndarray of shape (N, H), optional
        State before the first step, zeros if not given.
    lengths : ndarray of shape (N,), optional
        Number of steps of each sequence, from 1 to T; the rest is padding.
    mask : ndarray of shape (N, T), optional
        True where a step is read, at least once a sequence; instead of ``lengths``.

    Returns
    -------
    trace : LayerNormGRUTrace
        ``trace.cell`` is a :class:`~course_lib.gru.GRUTrace`.

    Raises
    ------
    ValueError
        For the same reasons as :func:`~course_lib.gru.gru_forward`.

    References
    ----------
    Ba, Kiros and Hinton (2016), doi:10.48550/arXiv.1607.06450.
    """
    read_params(params, LayerNormGRUParams)
    cell = params.cell
    D, H = len(cell.W_xa), len(cell.W_ha)
    x, mask = read_batch(x, D, lengths, mask)
    T, N, _ = x.shape
    kept = read_kept(mask)
    rz_block = _groups(H)[0]

    h, past = np.empty((T + 1, N, H)), np.empty((T, N, H))
    h[0] = read_state("h0", h0, N, H)
    norm_x = LayerNormTrace(*_normalise_groups(x @ cell.W_xa))  # every step at once
    norm_h = LayerNormTrace(np.empty((T, N, 3 * H)), np.empty((T, N, 3 * H)))
    gates = norm_x.normed * params.gain_x + cell.b_x  # pre-activations until their step is read
    for t in range(T):
        norm_h.normed[t], norm_h.inv_std[t] = _normalise_groups(h[t] @ cell.W_ha)
        a_h = norm_h.normed[t] * params.gain_h + cell.b_h
        rz = gates[t][:, rz_block]
        rz[:] = sigmoid(rz + a_h[:, rz_block])
        r, z, n = (gates[t][:, block(name, GATES, H)] for name in GATES)
        past[t] = a_h[:, 2 * H :]
        n[:] = np.tanh(n + r * past[t])
        keep = z if cell.update == "keep" else 1.0 - z
        h[t + 1] = keep * h[t] + (1.0 - keep) * n
        if kept is not None:
            np.copyto(h[t + 1], h[t], where=~kept[t])

    r, z, n = (swap_time(gates[:, :, block(name, GATES, H)]) for name in GATES)
    seen = GRUTrace(swap_time(x), swap_time(h), r, z, n, mask, swap_time(past))
    return LayerNormGRUTrace(seen, norm_x, norm_h)


def layer_norm_gru_backward(dh, trace, params, dh_final=None):
    """Backpropagate through time, as :func:`~course_lib.gru.gru_backward` does, and the norms.

    Parameters
    ----------
    dh : ndarray of shape (N, T, H)
        Gradient of the loss with respect to ``trace.cell.h[:, 1:]``.
    trace : LayerNormGRUTrace
        What :func:`layer_norm_gru_forward` left behind.
    params : LayerNormGRUParams
        The weights it used.
    dh_final : ndarray of shape (N, H), optional
        Gradient with respect to ``trace.cell.h_final`` that comes on top, zeros if not given.

    Returns
    -------
    grads : LayerNormGRUGrads
        Gradients with respect to the weights, the gains, ``x`` and ``h0``.

    Raises
    ------
    ValueError
        If shapes do not fit the trace, or numbers are not finite.
    """
    read_params(params, LayerNormGRUParams)
    read_kind("trace", trace, LayerNormGRUTrace)
    cell, seen, norm_x, norm_h = params.cell, trace.cell, trace.norm_x, trace.norm_h
    D, H = len(cell.W_xa), len(cell.W_ha)
    dh = read_output_gradient(dh, seen, GRUTrace, D, H)
    x, h, past, kept = *map(swap_time, (seen.x, seen.h, seen.past)), read_kept(seen.mask)
    r, z, n = (swap_time(getattr(seen, name)) for name in GATES)
    T, N, _ = x.shape

    da = np.empty((T, N, 3 * H))  # gradient at what the input feeds, after its norm
    dy_h, da_h = np.empty((T, N, 3 * H)), np.empty((T, N, 3 * H))  # the state: after, before
    dh_next = read_state("dh_final", dh_final, N, H)
    for t in reversed(range(T)):
        dh_t = dh[t] + dh_next
        da_r, da_z, da_n = (da[t][:, block(name, GATES, H)] for name in GATES)
        keep = z[t] if cell.update == "keep" else 1.0 - z[t]
        dz = dh_t * (h[t] - n[t] if cell.update == "keep" else n[t] - h[t])
        da_n[:] = dh_t * (1.0 - keep) * (1.0 - n[t] ** 2)
        da_z[:] = dz * z[t] * (1.0 - z[t])
        da_r[:] = da_n * past[t] * r[t] * (1.0 - r[t])
        if kept is not None:
            da[t] *= kept[t]
        dy_h[t] = da[t]
        dy_h[t][:, 2 * H :] *= r[t]
        da_h[t] = _groups_backward(dy_h[t] * params.gain_h, norm_h.normed[t], norm_h.inv_std[t])
        dh_prev = dh_t * keep + da_h[t] @ cell.W_ha.T
        dh_next = dh_prev if kept is None else np.where(kept[t], dh_prev, dh_t)

    da_x = _groups_backward(da * params.gain_x, norm_x.normed, norm_x.inv_std)
    dW_xa = x.reshape(T * N, D).T @ da_x.reshape(T * N, 3 * H)
    dW_ha = h[:-1].reshape(T * N, H).T @ da_h.reshape(T * N, 3 * H)
    db_x, db_h = da.sum(axis=(0, 1)), dy_h.sum(axis=(0, 1))
    return LayerNormGRUGrads(
        params=LayerNormGRUParams(
            cell=replace(cell, W_xa=dW_xa, W_ha=dW_ha, b_x=db_x, b_h=db_h),
            gain_x=(da * norm_x.normed).sum(axis=(0, 1)),
            gain_h=(dy_h * norm_h.normed).sum(axis=(0, 1)),
        ),
        x=swap_time(da_x @ cell.W_xa.T),
        h0=dh_next,
    )
