r"""The vanilla recurrent cell: one state, one matrix product a step, forward and backward.

.. math:: h_t = \phi(x_t W_{xh} + h_{t-1} W_{hh} + b_h)

Letters: N batch, T time, D input, H hidden.

References
----------
Elman (1990), doi:10.1207/s15516709cog1402_1: our ``h`` is his context units. The backward pass is
Werbos (1990), doi:10.1109/5.58337: our ``dh`` is his ordered derivative with respect to the state.
"""

from dataclasses import dataclass

import numpy as np

from course_lib._recurrent import (
    bounded,
    mask_series,
    read_batch,
    read_kept,
    read_output_gradient,
    read_params,
    read_row,
    read_sizes,
    read_state,
    read_step,
    set_weights,
    swap_time,
)
from course_lib.trace import Series, Trace

# name: (function of the pre-activation a, its slope as a function of the result h)
ACTIVATIONS = {
    "tanh": (np.tanh, lambda h: 1.0 - h**2),
    "relu": (lambda a: np.maximum(a, 0.0), lambda h: (h > 0.0).astype(float)),
    "linear": (lambda a: a, lambda h: np.ones_like(h)),
}
RANGES = {"tanh": (-1.0, 1.0), "relu": (0.0, None), "linear": (None, None)}  # of h


@dataclass(frozen=True, slots=True, eq=False)
class RNNParams:
    """Weights of one vanilla recurrent cell; also the form of their gradient."""

    W_xh: np.ndarray  # (D, H)
    W_hh: np.ndarray  # (H, H)
    b_h: np.ndarray  # (H,)

    def __post_init__(self):
        set_weights(self, W_xh=(None, None))
        H = self.W_xh.shape[1]
        set_weights(self, W_hh=(H, H), b_h=(H,))


@dataclass(frozen=True, slots=True, eq=False)
class RNNTrace:
    """What the backward pass and the plots need from one forward pass.

    ``h`` has one more slot than ``x``: ``h[:, t + 1]`` is the state after ``x[:, t]``. A masked
    step carries the state over unchanged, so the last slot is each sequence's final state.
    """

    x: np.ndarray  # (N, T, D), 0 in masked steps
    h: np.ndarray  # (N, T + 1, H)
    mask: np.ndarray | None  # (N, T), True where a step was read
    activation: str

    @property
    def h_final(self):
        """State (N, H) after each sequence's own last step."""
        return self.h[:, -1]

    def to_trace(self, n=0):
        """Return sequence n as a :class:`~course_lib.trace.Trace` with the series x and h."""
        read_row(n, len(self.x))
        series = Series("x", self.x[n]), bounded("h", self.h[n, 1:], *RANGES[self.activation])
        return Trace("rnn", (*series, *mask_series(self.mask, n)))


@dataclass(frozen=True, slots=True, eq=False)
class RNNGrads:
    """Gradient of a loss with respect to everything that went into a forward pass."""

    params: RNNParams
    x: np.ndarray  # (N, T, D)
    h0: np.ndarray  # (N, H)


def init_rnn(D, H, rng, recurrent="uniform", radius=None):
    r"""Draw starting weights.

    All are uniform in :math:`(-1/\sqrt H, 1/\sqrt H)`, as PyTorch's are, unless ``recurrent`` says
    otherwise for ``W_hh``.

    Parameters
    ----------
    D, H : int
        Number of inputs and of hidden units, at least 1.
    rng : numpy.random.Generator
        Source of the random numbers.
    recurrent : {"uniform", "orthogonal", "identity"}
        ``W_hh``: uniform as the rest; a random orthogonal matrix, which keeps lengths; or the
        identity with ``b_h`` = 0, which keeps the state.
    radius : float, optional
        Rescale ``W_hh`` so that its largest absolute eigenvalue is this, above 0.

    Returns
    -------
    params : RNNParams
        Starting weights.

    Raises
    ------
    ValueError
        If a size is below 1, the kind of start is unknown, or ``radius`` is not positive.

    References
    ----------
    Orthogonal: Saxe et al. (2014), arXiv:1312.6120. Identity: Le et al. (2015), arXiv:1504.00941.
    """
    read_sizes(D, H)
    if recurrent not in ("uniform", "orthogonal", "identity"):
        raise ValueError(
            f"recurrent must be 'uniform', 'orthogonal' or 'identity', got {recurrent!r}"
        )
    bound = 1.0 / np.sqrt(H)
    W_xh = rng.uniform(-bound, bound, (D, H))
    W_hh = rng.uniform(-bound, bound, (H, H))
    b_h = rng.uniform(-bound, bound, H)
    if recurrent == "orthogonal":
        Q, R = np.linalg.qr(rng.normal(size=(H, H)))
        W_hh = Q * np.sign(np.diag(R))  # without the signs, some matrices would be more likely
    elif recurrent == "identity":
        W_hh, b_h = np.eye(H), np.zeros(H)
    if radius is not None:
        if not radius > 0:
            raise ValueError(f"radius must be above 0, got {radius}")
        W_hh = W_hh * (radius / np.abs(np.linalg.eigvals(W_hh)).max())
    return RNNParams(W_xh, W_hh, b_h)


def read_activation(activation):
    """Return (function, slope) of an activation by its name; ValueError lists the names."""
    if activation not in ACTIVATIONS:
        known = ", ".join(repr(name) for name in ACTIVATIONS)
        raise ValueError(f"activation must be one of {known}, got {activation!r}")
    return ACTIVATIONS[activation]


def rnn_cell(x_t, h_prev, params, activation="tanh"):
    r"""Advance the hidden state by one time step.

    .. math:: h_t = \phi(x_t W_{xh} + h_{t-1} W_{hh} + b_h)

    Parameters
    ----------
    x_t : ndarray of shape (N, D)
        Input at time t.
    h_prev : ndarray of shape (N, H)
        Hidden state after time t - 1.
    params : RNNParams
        Cell weights.
    activation : {"tanh", "relu", "linear"}
        The function :math:`\phi`; "linear" is the identity function.

    Returns
    -------
    h_t : ndarray of shape (N, H)
        Hidden state after time t, entries in (-1, 1) for tanh, at least 0 for relu.

    Raises
    ------
    ValueError
        If an argument does not match the weights, is not finite, or the activation is unknown.

    References
    ----------
    Elman (1990), doi:10.1207/s15516709cog1402_1. Our ``h`` is his context units.
    """
    read_params(params, RNNParams)
    phi, _ = read_activation(activation)
    x_t, h_prev = read_step(x_t, h_prev, *params.W_xh.shape)
    return phi(x_t @ params.W_xh + h_prev @ params.W_hh + params.b_h)


def rnn_forward(x, params, h0=None, lengths=None, mask=None, activation="tanh"):
    """Read a batch of sequences from the first step to the last.

    Parameters
    ----------
    x : ndarray of shape (N, T, D)
        Inputs; what stands in masked steps is never looked at.
    params : RNNParams
        Cell weights.
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
    trace : RNNTrace
        Inputs, every state, and the final state of each sequence.

    Raises
    ------
    ValueError
        If shapes do not fit, numbers are not finite, a sequence is empty, or both ``lengths`` and
        ``mask`` are given.
    """
    read_params(params, RNNParams)
    phi, _ = read_activation(activation)
    D, H = params.W_xh.shape
    x, mask = read_batch(x, D, lengths, mask)
    T, N, _ = x.shape
    kept = read_kept(mask)

    h = np.empty((T + 1, N, H))
    h[0] = read_state("h0", h0, N, H)
    from_input = x @ params.W_xh + params.b_h  # (T, N, H), every step at once
    for t in range(T):
        h_t = phi(from_input[t] + h[t] @ params.W_hh)
        h[t + 1] = h_t if kept is None else np.where(kept[t], h_t, h[t])
    return RNNTrace(x=swap_time(x), h=swap_time(h), mask=mask, activation=activation)


def rnn_backward(dh, trace, params, dh_final=None):
    r"""Backpropagate through time: from gradients at the states to gradients at everything else.

    .. math::
        \delta_t = \left(dh_t + \delta_{t+1} W_{hh}^\top\right) \odot \phi'(a_t), \qquad
        dW_{hh} = \sum_t h_{t-1}^\top \delta_t

    Parameters
    ----------
    dh : ndarray of shape (N, T, H)
        Gradient of the loss with respect to ``trace.h[:, 1:]``. In a masked step that is the
        state carried over, so a loss that should not see padding has 0 there.
    trace : RNNTrace
        What :func:`rnn_forward` left behind.
    params : RNNParams
        The weights it used.
    dh_final : ndarray of shape (N, H), optional
        Gradient with respect to ``trace.h_final`` that comes on top, zeros if not given.

    Returns
    -------
    grads : RNNGrads
        Gradients with respect to the weights (summed over batch and time), ``x`` and ``h0``;
        0 for inputs of masked steps.

    Raises
    ------
    ValueError
        If shapes do not fit the trace, or numbers are not finite.

    References
    ----------
    Werbos (1990), doi:10.1109/5.58337.
    """
    read_params(params, RNNParams)
    D, H = params.W_xh.shape
    dh = read_output_gradient(dh, trace, RNNTrace, D, H)
    _, slope = read_activation(trace.activation)
    x, h, kept = swap_time(trace.x), swap_time(trace.h), read_kept(trace.mask)
    T, N, _ = x.shape

    da = np.empty((T, N, H))  # gradient at the pre-activation of every step
    dh_next = read_state("dh_final", dh_final, N, H)  # what step t + 1 sends back
    for t in reversed(range(T)):
        dh_t = dh[t] + dh_next
        da[t] = dh_t * slope(h[t + 1])
        if kept is None:
            dh_next = da[t] @ params.W_hh.T
        else:
            da[t] *= kept[t]
            dh_next = np.where(kept[t], da[t] @ params.W_hh.T, dh_t)

    flat = da.reshape(T * N, H)  # one product over all steps instead of one a step
    dW_xh = x.reshape(T * N, D).T @ flat
    dW_hh = h[:-1].reshape(T * N, H).T @ flat
    return RNNGrads(
        params=RNNParams(dW_xh, dW_hh, flat.sum(axis=0)),
        x=swap_time(da @ params.W_xh.T),
        h0=dh_next,
    )
