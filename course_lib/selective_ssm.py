r"""A selective state space: a bank of fading memories whose input decides what they keep.

Every channel d has K memories, each a linear recurrence; the step size delta, the way in B and the
way out C are made from the input of that moment, which is what *selective* means:

.. math::
    \Delta_t &= \mathrm{softplus}(x_t W_\Delta + b_\Delta), \quad
        B_t = x_t W_B, \quad C_t = x_t W_C \\
    h_t[d, k] &= \bar A_t[d, k]\, h_{t-1}[d, k] + \bar B_t[d, k]\, x_t[d], \qquad
        \bar A_t[d, k] = e^{\Delta_t[d] A[d, k]} \\
    y_t[d] &= \textstyle\sum_k C_t[k]\, h_t[d, k] + \mathrm{skip}[d]\, x_t[d]

A is negative, so a small delta keeps (the step is hardly noticed) and a large one forgets and
writes. Two ways to bring B to a step of length delta:

- ``"zoh"``: :math:`\bar B = (e^{\Delta A} - 1) / A \cdot B_t`, exact if x is held during the step;
- ``"euler"``: :math:`\bar B = \Delta B_t`, its first order, which Mamba's published code uses.

This is the recurrence of Mamba alone. Left out of its block: the short convolution and SiLU before
it, the gate beside it, and the low rank of W_delta.

Letters: N batch, T time, D channels of the input and of the output, K memories a channel.

References
----------
Gu and Dao (2023), doi:10.48550/arXiv.2312.00752: their N is our K, their D our skip, s_B, s_C and
s_Delta our products with W_B, W_C and W_delta. Start of A: Gu et al. (2022),
doi:10.48550/arXiv.2206.11893 (S4D-Real).
"""

from dataclasses import dataclass

import numpy as np

from course_lib._checks import check_finite, check_shape
from course_lib._recurrent import read_kind, set_weights
from course_lib.scan import linear_scan

DISCRETISATIONS = ("zoh", "euler")


@dataclass(frozen=True, slots=True, eq=False)
class SelectiveSSMParams:
    """Weights of a selective state space, and how it goes from a rate to a step."""

    W_delta: np.ndarray  # (D, D)
    b_delta: np.ndarray  # (D,)
    W_B: np.ndarray  # (D, K)
    W_C: np.ndarray  # (D, K)
    A_log: np.ndarray  # (D, K); A = -exp(A_log)
    skip: np.ndarray  # (D,)
    discretisation: str = "zoh"  # or "euler"

    def __post_init__(self):
        set_weights(self, A_log=(None, None))
        D, K = self.A_log.shape
        set_weights(self, W_delta=(D, D), b_delta=(D,), W_B=(D, K), W_C=(D, K), skip=(D,))
        if self.discretisation not in DISCRETISATIONS:
            raise ValueError(
                f"discretisation must be 'zoh' or 'euler', got {self.discretisation!r}"
            )

    @property
    def A(self):
        """Rates (D, K), all below 0."""
        return -np.exp(self.A_log)


def init_selective_ssm(D, K, rng, shortest=0.001, longest=0.1):
    """Return Mamba's start: rates 1 to K in every channel, step sizes spread over a range.

    Parameters
    ----------
    D, K : int
        Channels, and memories of each.
    rng : numpy.random.Generator
        Source of randomness.
    shortest, longest : float
        Range of the step sizes at input 0; their logarithms are uniform. A memory of rate 1 lasts
        1 / step size steps.

    Returns
    -------
    params : SelectiveSSMParams
        W_B, W_C and W_delta uniform in (-1/sqrt(D), 1/sqrt(D)), skip 1.

    Raises
    ------
    ValueError
        If a size is below 1, or the range is not one of positive numbers.
    """
    if min(D, K) < 1:
        raise ValueError(f"D and K must be at least 1, got {D} and {K}")
    if not 0 < shortest <= longest:
        raise ValueError(f"must have 0 < shortest <= longest, got {shortest} and {longest}")
    W_delta, W_B, W_C = (rng.uniform(-1, 1, size=(D, n)) / np.sqrt(D) for n in (D, K, K))
    delta = np.exp(rng.uniform(np.log(shortest), np.log(longest), size=D))
    b_delta = delta + np.log(-np.expm1(-delta))  # softplus(b_delta) = delta
    A_log = np.log(np.tile(np.arange(1.0, K + 1), (D, 1)))
    return SelectiveSSMParams(W_delta, b_delta, W_B, W_C, A_log, np.ones(D))


def discretise(x, params):
    r"""Return factor and summand of every memory, for all steps at once.

    Parameters
    ----------
    x : ndarray of shape (..., D)
        Inputs.
    params : SelectiveSSMParams
        Weights.

    Returns
    -------
    A_bar : ndarray of shape (..., D, K)
        What a step leaves of the memory, in [0, 1].
    B_bar_x : ndarray of shape (..., D, K)
        What it adds.
    """
    delta = np.logaddexp(0.0, x @ params.W_delta + params.b_delta)[..., None]  # (..., D, 1)
    B_t = (x @ params.W_B)[..., None, :]  # (..., 1, K)
    length = delta if params.discretisation == "euler" else np.expm1(delta * params.A) / params.A
    return np.exp(delta * params.A), length * B_t * x[..., None]


def selective_ssm_step(x_t, h_prev, params):
    """Advance the memories of all channels by one step, and read them.

    Parameters
    ----------
    x_t : ndarray of shape (N, D)
        Input at time t.
    h_prev : ndarray of shape (N, D, K) or None
        Memories after time t - 1; None for zeros.
    params : SelectiveSSMParams
        Weights.

    Returns
    -------
    y_t : ndarray of shape (N, D)
        Output.
    h_t : ndarray of shape (N, D, K)
        Memories after time t.

    Raises
    ------
    ValueError
        If a shape does not fit the weights, or a number is not finite.
    """
    read_kind("params", params, SelectiveSSMParams)
    x_t = check_finite("x_t", check_shape("x_t", x_t, (None, len(params.A_log))))
    A_bar, B_bar_x = discretise(x_t, params)
    h_t = A_bar * _read_state("h_prev", h_prev, len(x_t), params) + B_bar_x
    return _read_out(x_t, h_t, params), h_t


def selective_ssm_loop(x, params, h0=None):
    """Run a selective state space over whole sequences, step by step.

    Parameters
    ----------
    x : ndarray of shape (N, T, D)
        Inputs.
    params : SelectiveSSMParams
        Weights.
    h0 : ndarray of shape (N, D, K), optional
        Memories before the first step; zeros if left out.

    Returns
    -------
    y : ndarray of shape (N, T, D)
        Output of every step.
    h : ndarray of shape (N, D, K)
        Memories after the last step.

    Raises
    ------
    ValueError
        If a shape does not fit the weights, or a number is not finite.
    """
    x, h = _read(x, params, h0)
    y = np.empty_like(x)
    for t in range(x.shape[1]):
        y[:, t], h = selective_ssm_step(x[:, t], h, params)
    return y, h


def selective_ssm_scan(x, params, h0=None):
    """Run a selective state space over whole sequences in rounds.

    Parameters
    ----------
    x : ndarray of shape (N, T, D)
        Inputs.
    params : SelectiveSSMParams
        Weights.
    h0 : ndarray of shape (N, D, K), optional
        Memories before the first step; zeros if left out.

    Returns
    -------
    y : ndarray of shape (N, T, D)
        Output of every step.
    h : ndarray of shape (N, D, K)
        Memories after the last step.

    Raises
    ------
    ValueError
        If a shape does not fit the weights, or a number is not finite.
    """
    x, h0 = _read(x, params, h0)
    h = linear_scan(*discretise(x, params), h0)  # (N, T, D, K)
    return _read_out(x, h, params), h[:, -1]


def _read_out(x, h, params):
    C_t = x @ params.W_C  # (..., K)
    return (h @ C_t[..., None])[..., 0] + params.skip * x


def _read(x, params, h0):
    read_kind("params", params, SelectiveSSMParams)
    x = check_finite("x", check_shape("x", x, (None, None, len(params.A_log))))
    if 0 in x.shape:
        raise ValueError(f"x must hold at least one sequence of one step, got shape {x.shape}")
    return x, _read_state("h0", h0, len(x), params)


def _read_state(name, h, N, params):
    if h is None:
        return np.zeros((N, *params.A_log.shape))
    return check_finite(name, check_shape(name, h, (N, *params.A_log.shape)))
