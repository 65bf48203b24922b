r"""The forward algorithm: what is known about the state now, from everything seen so far.

Letters: T time, K states, V symbols, D features. ``A[i, j]`` is from i to j, rows sum to 1, beliefs
are rows. ``B`` is an array (K, V) for symbols, or a Gaussian or Poisson of
:mod:`course_lib.emissions`. Log means nats.

References
----------
Rabiner (1989), doi:10.1109/5.18626: our ``alpha`` is his scaled variable, our ``c`` is 1 / c_t.
"""

from dataclasses import dataclass

import numpy as np

from course_lib._checks import check_hmm, impossible_observation
from course_lib.emissions import log_likelihood
from course_lib.trace import Series, Trace


@dataclass(frozen=True, slots=True, eq=False)
class FilterTrace:
    """What the forward pass leaves behind."""

    alpha: np.ndarray  # (T, K) p(z_t | y_{1:t}), rows sum to 1
    log_c: np.ndarray  # (T,) log p(y_t | y_{<t}), nats
    predicted: np.ndarray  # (T, K) p(z_t | y_{<t}), rows sum to 1

    @property
    def log_evidence(self):
        """Log evidence in nats, the sum of ``log_c``."""
        return float(self.log_c.sum())

    def to_trace(self, states=None, steps=None):
        """Return a :class:`~course_lib.trace.Trace`; labels of states and of steps are optional."""
        series = (
            Series("predicted", np.clip(self.predicted, 0, 1), states, 0.0, 1.0),
            Series("alpha", np.clip(self.alpha, 0, 1), states, 0.0, 1.0),
            Series("log_c", self.log_c, unit="nats"),
        )
        return Trace("forward_filter", series, steps)


def log_with_zeros(p):
    """Return the log of probabilities in nats; log 0 is -inf, without a warning."""
    with np.errstate(divide="ignore"):
        return np.log(p)


def read_sequence(y, pi, A, B):
    """Check the arguments of one sequence and return pi, A and its log likelihoods.

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
    pi : ndarray of shape (K,)
        As given, float64.
    A : ndarray of shape (K, K)
        As given, float64.
    log_b : ndarray of shape (T, K)
        Log probability (density) of each observation in each state, nats.

    Raises
    ------
    ValueError
        If an argument does not fit, or there is more than one sequence.
    """
    pi, A, emission = check_hmm(pi, A, B)
    log_b = log_likelihood(y, emission)
    if log_b.ndim != 2:
        raise ValueError(
            f"y must be one sequence of shape (T,), or (T, D) for D features, got {np.shape(y)}; "
            "for many sequences use course_lib.hmm_batch"
        )
    return pi, A, log_b


def forward_filter(y, pi, A, B):
    r"""Run the scaled forward algorithm: weight, normalise, predict.

    .. math:: \alpha_t(j) = \frac{1}{c_t}\, b_j(y_t) \sum_i \alpha_{t-1}(i)\, A_{ij}

    A belief below about 1e-308 becomes 0 and stays 0; :func:`forward_log` keeps it.

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
    trace : FilterTrace
        Beliefs ``alpha`` and ``predicted`` (T, K), and ``log_c`` (T,) in nats.

    Raises
    ------
    ValueError
        If an argument does not fit, or an observation is impossible (the time step is named).

    References
    ----------
    Rabiner (1989), doi:10.1109/5.18626, section V.A; 1 / c_t there is our c_t.
    """
    pi, A, log_b = read_sequence(y, pi, A, B)
    alpha, predicted, log_c = np.empty_like(log_b), np.empty_like(log_b), np.empty(len(log_b))
    prior = pi
    for t in range(len(log_b)):
        top = log_b[t].max(where=prior > 0, initial=-np.inf)  # of states that can be reached
        if top == -np.inf:
            raise impossible_observation(y, t)
        joint = prior * np.exp(np.minimum(log_b[t] - top, 0.0))  # (K,) p(z_t, y_t | y_{<t}) / e^top
        c = joint.sum()
        predicted[t], alpha[t] = prior, joint / c
        log_c[t] = np.log(c) + top
        prior = alpha[t] @ A
    return FilterTrace(alpha=alpha, log_c=log_c, predicted=predicted)


def forward_log(y, pi, A, B):
    r"""Run the forward algorithm on logs, without scaling.

    .. math:: \log\alpha_t(j) = \log b_j(y_t) + \log\sum_i e^{\log\alpha_{t-1}(i) + \log A_{ij}}

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
    log_alpha : ndarray of shape (T, K)
        log p(z_t, y_{1:t}), nats; ``-inf`` where that cannot be.

    Raises
    ------
    ValueError
        If an argument does not fit.
    """
    pi, A, log_b = read_sequence(y, pi, A, B)
    log_A, log_alpha = log_with_zeros(A), np.empty_like(log_b)
    log_alpha[0] = log_with_zeros(pi) + log_b[0]
    for t in range(1, len(log_b)):
        log_alpha[t] = np.logaddexp.reduce(log_alpha[t - 1][:, None] + log_A, axis=0) + log_b[t]
    return log_alpha
