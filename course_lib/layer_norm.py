r"""Layer normalisation: every vector gets mean 0 and variance 1, then a learned gain and bias.

.. math::
    \hat x = \frac{x - \mu}{\sqrt{\sigma^2 + \epsilon}}, \qquad y = \hat x \odot gain + bias,
    \qquad \mu, \sigma^2 \text{ over the last axis}

Each vector is normalised by itself: nothing depends on the other sequences of the batch or on how
long they are, which is why recurrent cells use this and not batch normalisation. The vanilla cell
with it stands below; the gated ones in :mod:`course_lib.layer_norm_lstm` and
:mod:`course_lib.layer_norm_gru`.

Letters: N batch, T time, D input, H hidden; "..." any axes before the last.

References
----------
Ba, Kiros and Hinton (2016), doi:10.48550/arXiv.1607.06450: their g is our ``gain``, their b our
``bias``; epsilon is not theirs, all libraries add it.
"""

from dataclasses import dataclass, replace

import numpy as np

from course_lib._checks import check_finite, check_shape
from course_lib._recurrent import (
    read_batch,
    read_kept,
    read_kind,
    read_output_gradient,
    read_params,
    read_state,
    set_weights,
    swap_time,
)
from course_lib.rnn import RNNParams, RNNTrace, read_activation

EPSILON = 1e-5  # added to the variance, as PyTorch does; a constant vector becomes 0


def normalise(x):
    """Return x with mean 0 and variance 1 over the last axis, and 1 / sqrt(variance + epsilon)."""
    centred = x - x.mean(axis=-1, keepdims=True)
    inv_std = 1.0 / np.sqrt((centred**2).mean(axis=-1, keepdims=True) + EPSILON)
    return centred * inv_std, inv_std


def normalise_backward(dnormed, normed, inv_std):
    """Return dx from the gradient at what :func:`normalise` returned.

    The mean and the variance depend on every entry: what they take away is subtracted.

    Parameters
    ----------
    dnormed : ndarray of shape (..., H)
        Gradient at the normalised vectors.
    normed : ndarray of shape (..., H)
        The normalised vectors.
    inv_std : ndarray of shape (..., 1)
        One over their standard deviation.

    Returns
    -------
    dx : ndarray of shape (..., H)
        Gradient at the vectors; its mean is 0, and it is at right angles to ``normed`` up to
        epsilon.
    """
    mean = dnormed.mean(axis=-1, keepdims=True)
    along = (dnormed * normed).mean(axis=-1, keepdims=True)
    return inv_std * (dnormed - mean - normed * along)


@dataclass(frozen=True, slots=True, eq=False)
class LayerNormTrace:
    """What the backward pass needs from one forward pass."""

    normed: np.ndarray  # (..., H) before gain and bias
    inv_std: np.ndarray  # (..., 1)


@dataclass(frozen=True, slots=True, eq=False)
class LayerNormGrads:
    """Gradient of a loss with respect to everything that went into a layer normalisation."""

    x: np.ndarray  # (..., H)
    gain: np.ndarray  # (H,)
    bias: np.ndarray  # (H,)


def layer_norm_forward(x, gain, bias):
    """Normalise every vector along the last axis.

    Parameters
    ----------
    x : ndarray of shape (..., H)
        Vectors, any number of axes before the last.
    gain, bias : ndarray of shape (H,)
        Scale and shift of each unit, learned.

    Returns
    -------
    y : ndarray of shape (..., H)
        Normalised vectors times gain plus bias.
    trace : LayerNormTrace
        For :func:`layer_norm_backward`.

    Raises
    ------
    ValueError
        If shapes do not fit or numbers are not finite.
    """
    x = check_finite("x", x)
    if x.ndim == 0 or x.size == 0:
        raise ValueError(f"x must hold at least one vector, got shape {x.shape}")
    H = x.shape[-1]
    gain = check_finite("gain", check_shape("gain", gain, (H,)))
    bias = check_finite("bias", check_shape("bias", bias, (H,)))
    normed, inv_std = normalise(x)
    return normed * gain + bias, LayerNormTrace(normed, inv_std)


def layer_norm_backward(dy, trace, gain):
    """Go back from the gradient at the result to those at ``x``, ``gain`` and ``bias``.

    Parameters
    ----------
    dy : ndarray of shape (..., H)
        Gradient of the loss with respect to the result.
    trace : LayerNormTrace
        What :func:`layer_norm_forward` left behind.
    gain : ndarray of shape (H,)
        The gain it used.

    Returns
    -------
    grads : LayerNormGrads
        Gradients; those of gain and bias are summed over all vectors.

    Raises
    ------
    ValueError
        If shapes do not fit the trace, or numbers are not finite.
    """
    H = trace.normed.shape[-1]
    dy = check_finite("dy", check_shape("dy", dy, trace.normed.shape))
    gain = check_finite("gain", check_shape("gain", gain, (H,)))
    return LayerNormGrads(
        x=normalise_backward(dy * gain, trace.normed, trace.inv_std),
        gain=(dy * trace.normed).reshape(-1, H).sum(axis=0),
        bias=dy.reshape(-1, H).sum(axis=0),
    )


@dataclass(frozen=True, slots=True, eq=False)
class LayerNormRNNParams:
    """Weights of a vanilla cell and the gain of its normalisation; ``cell.b_h`` is the bias."""

    cell: RNNParams
    gain: np.ndarray  # (H,)

    def __post_init__(self):
        read_kind("cell", self.cell, RNNParams)
        set_weights(self, gain=self.cell.b_h.shape)


@dataclass(frozen=True, slots=True, eq=False)
class LayerNormRNNTrace:
    """What one forward pass left behind; ``cell`` has inputs and states, and makes figures."""

    cell: RNNTrace
    norm: LayerNormTrace  # normed (T, N, H), time-major


@dataclass(frozen=True, slots=True, eq=False)
class LayerNormRNNGrads:
    """Gradient of a loss with respect to everything that went into a forward pass."""

    params: LayerNormRNNParams
    x: np.ndarray  # (N, T, D)
    h0: np.ndarray  # (N, H)


def layer_norm_rnn_forward(x, params, h0=None, lengths=None, mask=None, activation="tanh"):
    r"""Read a batch of sequences with a vanilla cell whose pre-activation is normalised.

    .. math:: h_t = \phi\left(\mathrm{norm}(x_t W_{xh} + h_{t-1} W_{hh}) \odot gain + b_h\right)

    Parameters
    ----------
    x : ndarray of shape (N, T, D)
        Inputs; what stands in masked steps is never looked at.
    params : LayerNormRNNParams
        Weights and gain.
    h0 : ndarray of shape (N, H), optional
        State before the first step, zeros if not given.
    lengths : ndarray of shape (N,), optional
        Number of steps of each sequence, from 1 to T; the rest is padding.
    mask : ndarray of shape (N, T), optional
        True where a step is read, at least once a sequence; instead of ``lengths``.
    activation : {"tanh", "relu", "linear"}
        Function of the cell.

    Returns
    -------
    trace : LayerNormRNNTrace
        ``trace.cell`` is an :class:`~course_lib.rnn.RNNTrace`.

    Raises
    ------
    ValueError
        For the same reasons as :func:`~course_lib.rnn.rnn_forward`.

    References
    ----------
    Ba, Kiros and Hinton (2016), doi:10.48550/arXiv.1607.06450, equation 4.
    """
    read_params(params, LayerNormRNNParams)
    cell, (phi, _) = params.cell, read_activation(activation)
    D, H = cell.W_xh.shape
    x, mask = read_batch(x, D, lengths, mask)
    T, N, _ = x.shape
    kept = read_kept(mask)

    h, normed, inv_std = np.empty((T + 1, N, H)), np.empty((T, N, H)), np.empty((T, N, 1))
    h[0] = read_state("h0", h0, N, H)
    from_input = x @ cell.W_xh  # (T, N, H), every step at once
    for t in range(T):
        normed[t], inv_std[t] = normalise(from_input[t] + h[t] @ cell.W_hh)
        h_t = phi(normed[t] * params.gain + cell.b_h)
        h[t + 1] = h_t if kept is None else np.where(kept[t], h_t, h[t])
    return LayerNormRNNTrace(
        cell=RNNTrace(swap_time(x), swap_time(h), mask, activation),
        norm=LayerNormTrace(normed, inv_std),
    )


def layer_norm_rnn_backward(dh, trace, params, dh_final=None):
    """Backpropagate through time, as :func:`~course_lib.rnn.rnn_backward` does, and the norm.

    Parameters
    ----------
    dh : ndarray of shape (N, T, H)
        Gradient of the loss with respect to ``trace.cell.h[:, 1:]``.
    trace : LayerNormRNNTrace
        What :func:`layer_norm_rnn_forward` left behind.
    params : LayerNormRNNParams
        The weights it used.
    dh_final : ndarray of shape (N, H), optional
        Gradient with respect to ``trace.cell.h_final`` that comes on top, zeros if not given.

    Returns
    -------
    grads : LayerNormRNNGrads
        Gradients with respect to the weights, the gain, ``x`` and ``h0``.

    Raises
    ------
    ValueError
        If shapes do not fit the trace, or numbers are not finite.
    """
    read_params(params, LayerNormRNNParams)
    read_kind("trace", trace, LayerNormRNNTrace)
    cell, (_, slope) = params.cell, read_activation(trace.cell.activation)
    D, H = cell.W_xh.shape
    dh, norm = read_output_gradient(dh, trace.cell, RNNTrace, D, H), trace.norm
    x, h, kept = swap_time(trace.cell.x), swap_time(trace.cell.h), read_kept(trace.cell.mask)
    T, N, _ = x.shape

    dy, da = np.empty((T, N, H)), np.empty((T, N, H))  # after and before the normalisation
    dh_next = read_state("dh_final", dh_final, N, H)
    for t in reversed(range(T)):
        dh_t = dh[t] + dh_next
        dy[t] = dh_t * slope(h[t + 1])
        if kept is not None:
            dy[t] *= kept[t]
        da[t] = normalise_backward(dy[t] * params.gain, norm.normed[t], norm.inv_std[t])
        dh_next = da[t] @ cell.W_hh.T
        if kept is not None:
            dh_next = np.where(kept[t], dh_next, dh_t)

    flat = da.reshape(T * N, H)
    dW_xh, dW_hh = x.reshape(T * N, D).T @ flat, h[:-1].reshape(T * N, H).T @ flat
    return LayerNormRNNGrads(
        params=LayerNormRNNParams(
            cell=replace(cell, W_xh=dW_xh, W_hh=dW_hh, b_h=dy.sum(axis=(0, 1))),
            gain=(dy * norm.normed).sum(axis=(0, 1)),
        ),
        x=swap_time(da @ cell.W_xh.T),
        h0=dh_next,
    )
