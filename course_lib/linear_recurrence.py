r"""Recurrences that are linear in their state: the diagonal linear RNN, and the forward algorithm.

A *diagonal* linear RNN gives every unit a decay of its own and no other memory,

.. math:: h_t = a \odot h_{t-1} + x_t W_{xh} + b_h,

so each unit is an exponentially fading sum of its inputs; with H = 1 it is the scalar linear RNN.

The forward algorithm of an HMM is a recurrence of the same kind: a linear map of the state, then a
product with what the input says, then one division that keeps the sum at 1,

.. math:: \alpha_t = \frac{(\alpha_{t-1} A) \odot B_{:, y_t}}{c_t}.

Letters: N batch, T time, D input, H hidden, K states, V symbols.

References
----------
Linear recurrences: Martin and Cundy (2018), arXiv:1709.04057; our ``a`` is their decay lambda.
Forward algorithm: Rabiner (1989), doi:10.1109/5.18626; our ``c`` is 1 / his c_t.
"""

from dataclasses import dataclass

import numpy as np

from course_lib._checks import (
    check_distribution,
    check_finite,
    check_hmm,
    check_shape,
    check_symbols,
    impossible_observation,
)
from course_lib.scan import linear_scan
from course_lib.trace import Series, Trace


@dataclass(frozen=True, slots=True, eq=False)
class LinearParams:
    """Weights of a diagonal linear RNN: decay ``a``, input weights, bias."""

    a: np.ndarray  # (H,) decay of each unit; |a| < 1 forgets, |a| = 1 keeps, |a| > 1 explodes
    W_xh: np.ndarray  # (D, H)
    b_h: np.ndarray  # (H,)


@dataclass(frozen=True, slots=True, eq=False)
class LinearTrace:
    """What the backward pass and the plots need from one forward pass.

    ``h`` has one more slot than ``x``: ``h[:, t + 1]`` is the state after ``x[:, t]``.
    """

    x: np.ndarray  # (N, T, D)
    h: np.ndarray  # (N, T + 1, H)

    def to_trace(self, n=0):
        """Return sequence n as a :class:`~course_lib.trace.Trace` of inputs and states."""
        return Trace("linear_rnn", (Series("x", self.x[n]), Series("h", self.h[n, 1:])))


@dataclass(frozen=True, slots=True, eq=False)
class LinearGrads:
    """Gradients with the names and shapes of what they belong to."""

    params: LinearParams
    x: np.ndarray  # (N, T, D)
    h0: np.ndarray  # (N, H)


def linear_cell(x_t, h_prev, params):
    r"""Advance the state of a diagonal linear RNN by one step.

    .. math:: h_t = a \odot h_{t-1} + x_t W_{xh} + b_h

    Parameters
    ----------
    x_t : ndarray of shape (N, D)
        Input at time t.
    h_prev : ndarray of shape (N, H)
        State after time t - 1.
    params : LinearParams
        Weights.

    Returns
    -------
    h_t : ndarray of shape (N, H)
        State after time t, unbounded.

    Raises
    ------
    ValueError
        If a shape does not fit the weights, or a number is not finite.
    """
    D, H = _check_params(params)
    x_t = check_finite("x_t", check_shape("x_t", x_t, (None, D)))
    h_prev = check_finite("h_prev", check_shape("h_prev", h_prev, (len(x_t), H)))
    return params.a * h_prev + x_t @ params.W_xh + params.b_h


def linear_forward(x, params, h0=None):
    """Run a diagonal linear RNN over whole sequences.

    Parameters
    ----------
    x : ndarray of shape (N, T, D)
        Inputs.
    params : LinearParams
        Weights.
    h0 : ndarray of shape (N, H), optional
        State before the first step; zeros if left out.

    Returns
    -------
    trace : LinearTrace
        Inputs and the state after every step.

    Raises
    ------
    ValueError
        If a shape does not fit the weights, or a number is not finite.
    """
    x, h0 = _read_run(x, params, h0)
    (N, T, _), H = x.shape, len(params.a)
    h = np.empty((N, T + 1, H))
    h[:, 0] = h0
    drive = x @ params.W_xh + params.b_h  # (N, T, H), all steps at once: no state in it
    for t in range(T):
        h[:, t + 1] = params.a * h[:, t] + drive[:, t]
    return LinearTrace(x, h)


def linear_rnn_scan(x, params, h0=None):
    """Run a diagonal linear RNN over whole sequences in rounds instead of steps.

    Parameters
    ----------
    x : ndarray of shape (N, T, D)
        Inputs.
    params : LinearParams
        Weights.
    h0 : ndarray of shape (N, H), optional
        State before the first step; zeros if left out.

    Returns
    -------
    trace : LinearTrace
        As :func:`linear_forward` returns it.

    Raises
    ------
    ValueError
        If a shape does not fit the weights, or a number is not finite.
    """
    x, h0 = _read_run(x, params, h0)
    h = linear_scan(params.a, x @ params.W_xh + params.b_h, h0)
    return LinearTrace(x, np.concatenate([h0[:, None], h], axis=1))


def linear_backward(dh, trace, params):
    """Send gradients back through time through a diagonal linear RNN.

    Parameters
    ----------
    dh : ndarray of shape (N, T, H)
        Gradient of the loss with respect to the state after each step.
    trace : LinearTrace
        Of the forward pass.
    params : LinearParams
        The weights it ran with.

    Returns
    -------
    grads : LinearGrads
        With respect to weights, inputs and first state.

    Raises
    ------
    ValueError
        If ``dh`` does not have the shape of the states.
    """
    _check_params(params)
    N, T, H = trace.h[:, 1:].shape
    dh = check_finite("dh", check_shape("dh", dh, (N, T, H)))
    ddrive, dh_next = np.empty((N, T, H)), np.zeros((N, H))  # nothing comes back from after T
    for t in reversed(range(T)):
        ddrive[:, t] = dh[:, t] + dh_next
        dh_next = ddrive[:, t] * params.a
    dparams = LinearParams(
        a=(ddrive * trace.h[:, :-1]).sum(axis=(0, 1)),
        W_xh=np.einsum("ntd,nth->dh", trace.x, ddrive),
        b_h=ddrive.sum(axis=(0, 1)),
    )
    return LinearGrads(dparams, x=ddrive @ params.W_xh.T, h0=dh_next)


def _read_run(x, params, h0):
    """Return x (N, T, D) and h0 (N, H) as float64; refuse what does not fit the weights."""
    D, H = _check_params(params)
    x = check_finite("x", check_shape("x", x, (None, None, D)))
    N, T, _ = x.shape
    if N == 0 or T == 0:
        raise ValueError(f"x must hold at least one sequence of one step, got shape {x.shape}")
    if h0 is None:
        return x, np.zeros((N, H))
    return x, check_finite("h0", check_shape("h0", h0, (N, H)))


def _check_params(params):
    a = check_finite("a", check_shape("a", params.a, (None,)))
    W_xh = check_finite("W_xh", check_shape("W_xh", params.W_xh, (None, len(a))))
    check_finite("b_h", check_shape("b_h", params.b_h, (len(a),)))
    return W_xh.shape


def hmm_cell(belief_prev, y_t, A, B, pi=None):
    r"""Advance the beliefs of an HMM by one observation: the forward algorithm as a cell.

    .. math:: \alpha_t = (\alpha_{t-1} A) \odot B_{:, y_t} \,/\, c_t

    Parameters
    ----------
    belief_prev : ndarray of shape (N, K) or None
        Beliefs after time t - 1, rows sum to 1; None at the first step.
    y_t : ndarray of shape (N,)
        Symbols seen at time t, from 0 to V - 1.
    A : ndarray of shape (K, K)
        Transition table, rows sum to 1.
    B : ndarray of shape (K, V)
        Emission table, rows sum to 1.
    pi : ndarray of shape (K,), optional
        Start distribution; needed where ``belief_prev`` is None, and used only there.

    Returns
    -------
    belief : ndarray of shape (N, K)
        Beliefs after time t, rows sum to 1.
    log_c : ndarray of shape (N,)
        Log probability of each symbol given those before it, nats.

    Raises
    ------
    ValueError
        If a shape or a distribution does not fit, or a symbol is impossible.
    """
    A = check_distribution("A", check_shape("A", A, (None, len(np.asarray(A)))))
    B = check_distribution("B", check_shape("B", B, (len(A), None)))
    y_t = check_symbols("y_t", check_shape("y_t", y_t, (None,)), B.shape[1])
    shape = (len(y_t), len(A))
    if belief_prev is None:
        if pi is None:
            raise ValueError("pi must be given at the first step, where belief_prev is None")
        predicted = np.broadcast_to(
            check_distribution("pi", check_shape("pi", pi, shape[1:])), shape
        )
    else:
        belief_prev = check_shape("belief_prev", belief_prev, shape)
        predicted = check_distribution("belief_prev", belief_prev) @ A  # (N, K)
    joint = predicted * B[:, y_t].T  # (N, K) p(z_t, y_t | y_{<t})
    c = joint.sum(axis=1)
    if not c.all():
        n = int(np.argmin(c))
        raise ValueError(f"symbol {y_t[n]} of sequence {n} has probability zero after what it saw")
    return joint / c[:, None], np.log(c)


def hmm_cell_forward(y, pi, A, B):
    """Run the forward algorithm as a recurrent network runs its cell: one step, again and again.

    Parameters
    ----------
    y : ndarray of shape (T,)
        Symbols from 0 to V - 1.
    pi : ndarray of shape (K,)
        Start distribution.
    A : ndarray of shape (K, K)
        Transition table, rows sum to 1.
    B : ndarray of shape (K, V)
        Emission table, rows sum to 1.

    Returns
    -------
    beliefs : ndarray of shape (T, K)
        Belief after every step; equal to ``alpha`` of :func:`course_lib.hmm.forward_filter`.
    log_c : ndarray of shape (T,)
        Log probability of each symbol given those before it, nats.

    Raises
    ------
    ValueError
        If the model does not fit together, or an observation is impossible.
    """
    pi, A, emission = check_hmm(pi, A, B)
    y = check_symbols("y", check_shape("y", y, (None,)), np.shape(B)[1])
    beliefs, log_c, belief = np.empty((len(y), len(pi))), np.empty(len(y)), None
    for t in range(len(y)):
        try:
            belief, step_log_c = hmm_cell(belief, y[t : t + 1], A, emission.B, pi)
        except ValueError as error:
            raise impossible_observation(y, t) from error
        beliefs[t], log_c[t] = belief[0], step_log_c[0]
    return beliefs, log_c
