r"""The backward algorithm and smoothing: what the future says about the state now.

Letters: T time, K states, V symbols, D features. ``A[i, j]`` is from i to j, rows sum to 1. ``B``
is an array (K, V) for symbols, or a Gaussian or Poisson of :mod:`course_lib.emissions`.

References
----------
Rabiner (1989), doi:10.1109/5.18626: our ``beta``, ``gamma`` and ``xi`` are his, scaled.
"""

import numpy as np

from course_lib.hmm_forward import forward_filter, log_with_zeros, read_sequence

LARGEST = 1e300  # cap of beta: only a state that cannot be reached gets there, and it has alpha 0
LARGEST_LOG = 690.0  # exp of it is near 1e300


def backward_log(y, pi, A, B):
    r"""Run the backward algorithm on logs, without scaling.

    .. math:: \log\beta_t(i) = \log\sum_j e^{\log A_{ij} + \log b_j(y_{t+1}) + \log\beta_{t+1}(j)}

    Parameters
    ----------
    y : ndarray of shape (T,) or (T, D)
        One sequence.
    pi : ndarray of shape (K,)
        Start distribution; only its shape matters here.
    A : ndarray of shape (K, K)
        Transition table, rows sum to 1.
    B : ndarray of shape (K, V), Gaussian or Poisson
        Emissions.

    Returns
    -------
    log_beta : ndarray of shape (T, K)
        log p(y_{t+1:T} | z_t), nats; the last row is 0.

    Raises
    ------
    ValueError
        If an argument does not fit.
    """
    pi, A, log_b = read_sequence(y, pi, A, B)
    log_A, log_beta = log_with_zeros(A), np.zeros_like(log_b)
    for t in reversed(range(len(log_b) - 1)):
        log_beta[t] = np.logaddexp.reduce(log_A + log_b[t + 1] + log_beta[t + 1], axis=1)
    return log_beta


def backward(y, pi, A, B):
    r"""Run the backward algorithm, scaled by the ``c`` of the forward pass.

    .. math:: \beta_t(i) = \frac{1}{c_{t+1}} \sum_j A_{ij}\, b_j(y_{t+1})\, \beta_{t+1}(j)

    Parameters
    ----------
    y : ndarray of shape (T,) or (T, D)
        One sequence.
    pi : ndarray of shape (K,)
        Start distribution.
    A : ndarray of shape (K, K)
        Transition table, rows sum to 1.
    B : ndarray of shape (K, V), Gaussian or Poisson
        Emissions.

    Returns
    -------
    beta : ndarray of shape (T, K)
        p(y_{t+1:T} | z_t) / p(y_{t+1:T} | y_{1:t}), at least 0, at most 1e300: rows of
        ``alpha * beta`` sum to 1, and the last row is 1.

    Raises
    ------
    ValueError
        If an argument does not fit, or an observation is impossible.
    """
    return _backward(forward_filter(y, pi, A, B), *read_sequence(y, pi, A, B)[1:])


def _backward(trace, A, log_b):
    """Return beta (T, K) from what the forward pass left behind."""
    beta = np.ones_like(log_b)
    weight = np.exp(np.minimum(log_b - trace.log_c[:, None], LARGEST_LOG))  # (T, K) b / c
    for t in reversed(range(len(log_b) - 1)):
        with np.errstate(over="ignore"):
            ahead = np.minimum(weight[t + 1] * beta[t + 1], LARGEST)
        beta[t] = A @ ahead
    return beta


def smooth(y, pi, A, B):
    r"""Return the smoothed beliefs: the state at t, given the whole sequence.

    .. math:: \gamma_t(i) = p(z_t = i \mid y_{1:T}) = \alpha_t(i)\, \beta_t(i)

    Parameters
    ----------
    y : ndarray of shape (T,) or (T, D)
        One sequence.
    pi : ndarray of shape (K,)
        Start distribution.
    A : ndarray of shape (K, K)
        Transition table, rows sum to 1.
    B : ndarray of shape (K, V), Gaussian or Poisson
        Emissions.

    Returns
    -------
    gamma : ndarray of shape (T, K)
        Rows sum to 1.

    Raises
    ------
    ValueError
        If an argument does not fit, or an observation is impossible.
    """
    pi, A, log_b = read_sequence(y, pi, A, B)
    trace = forward_filter(y, pi, A, B)
    return trace.alpha * _backward(trace, A, log_b)


def pairwise_posteriors(y, pi, A, B):
    r"""Return the beliefs about two neighbouring states, given the whole sequence.

    .. math:: \xi_t(i, j) = \alpha_t(i)\, A_{ij}\, b_j(y_{t+1})\, \beta_{t+1}(j) / c_{t+1}

    Parameters
    ----------
    y : ndarray of shape (T,) or (T, D)
        One sequence.
    pi : ndarray of shape (K,)
        Start distribution.
    A : ndarray of shape (K, K)
        Transition table, rows sum to 1.
    B : ndarray of shape (K, V), Gaussian or Poisson
        Emissions.

    Returns
    -------
    xi : ndarray of shape (T - 1, K, K)
        p(z_t = i, z_{t+1} = j | y_{1:T}); each table sums to 1.

    Raises
    ------
    ValueError
        If an argument does not fit, or an observation is impossible.
    """
    pi, A, log_b = read_sequence(y, pi, A, B)
    trace = forward_filter(y, pi, A, B)
    beta = _backward(trace, A, log_b)
    weight = np.exp(np.minimum(log_b - trace.log_c[:, None], LARGEST_LOG))
    with np.errstate(over="ignore"):
        ahead = np.minimum(weight * beta, LARGEST)  # (T, K)
    return trace.alpha[:-1, :, None] * A * ahead[1:, None, :]


def posterior_decode(y, pi, A, B):
    """Return the most probable state of every step by itself (T,); the path may be impossible."""
    return smooth(y, pi, A, B).argmax(axis=1)
