r"""Read what a network knows from its hidden state, and measure what it fails to know.

A **linear probe** is a regression from hidden states to a quantity that we can compute and the
network was never told, here the exact belief :math:`p(z_t \mid y_{1:t})` of a filter:

.. math:: \hat{b}_t = h_t W + b

It is fitted on some sequences and judged on others. A good fit says that the quantity can be read
off the state by adding and weighing; it does not say that the network uses it. It says little
without controls: an untrained network, the last few symbols, labels that were shuffled.

Letters: N sequences, T time, H hidden units or other features, K quantities to read (states),
V symbols, k number of symbols looked back.

References
----------
Alain and Bengio (2017), Understanding intermediate layers using linear classifier probes,
arXiv:1610.01644; our hidden state ``h`` is their layer :math:`h_k`. Controls: Hewitt and Liang
(2019), doi:10.18653/v1/D19-1275.
"""

from dataclasses import dataclass

import numpy as np

from course_lib._checks import (
    check_distribution,
    check_finite,
    check_shape,
    check_symbols,
)


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """A linear map from a hidden state to K numbers: ``h @ W + b``.

    Parameters
    ----------
    W : ndarray of shape (H, K)
        Weights.
    b : ndarray of shape (K,)
        Intercept.
    """

    W: np.ndarray
    b: np.ndarray


def fit_probe(h, beliefs, ridge=0.0):
    r"""Fit the probe by least squares, with an intercept.

    .. math:: \min_{W, b} \sum_{n,t} \| h_{nt} W + b - \beta_{nt} \|^2 + \lambda \| W \|^2

    Of several equally good probes it is the one with the smallest weights, so units that copy each
    other share theirs. Rows of beliefs sum to 1; without a ridge so do decoded rows, yet their
    entries may leave the range from 0 to 1.

    Parameters
    ----------
    h : ndarray of shape (..., H)
        Hidden states, or other features; leading axes as those of ``beliefs``.
    beliefs : ndarray of shape (..., K)
        What is to be read from them.
    ridge : float, default=0.0
        Price :math:`\lambda` of large weights, at least 0; the intercept is free.

    Returns
    -------
    probe : Probe
        For `apply_probe`.

    Raises
    ------
    ValueError
        If the leading axes differ, nothing is given, a number is not finite, or ``ridge`` is
        negative.
    """
    h, beliefs = _rows("h", h), _rows("beliefs", beliefs)
    if h.shape[:-1] != beliefs.shape[:-1]:
        raise ValueError(
            f"h and beliefs must agree in all axes but the last, got {h.shape} and "
            f"{beliefs.shape}; leave out the state before the first symbol (h[:, 1:])"
        )
    if not 0 <= ridge < np.inf:
        raise ValueError(f"ridge must be at least 0 and finite, got {ridge}")
    h, beliefs = h.reshape(-1, h.shape[-1]), beliefs.reshape(-1, beliefs.shape[-1])
    mean_h, mean_belief = h.mean(axis=0), beliefs.mean(axis=0)
    left, right = h - mean_h, beliefs - mean_belief  # the best intercept makes the means meet
    if ridge > 0:  # as if each weight had been observed once, as 0
        left = np.vstack([left, np.sqrt(ridge) * np.eye(left.shape[1])])
        right = np.vstack([right, np.zeros((left.shape[1], right.shape[1]))])
    W = np.linalg.lstsq(left, right, rcond=None)[0]
    return Probe(W, mean_belief - mean_h @ W)


def apply_probe(probe, h):
    """Decode hidden states.

    Parameters
    ----------
    probe : Probe
        From `fit_probe`.
    h : ndarray of shape (..., H)
        Hidden states.

    Returns
    -------
    decoded : ndarray of shape (..., K)
        May leave the range of what was fitted: a straight line knows no bounds.

    Raises
    ------
    ValueError
        If the states have another number of units than the probe was fitted on.
    """
    h, H = check_finite("h", h), len(probe.W)
    if h.ndim == 0 or h.shape[-1] != H:
        raise ValueError(f"h must have {H} units in its last axis as the probe has, got {h.shape}")
    return h @ probe.W + probe.b


def r_squared(actual, decoded):
    r"""Return the share of the variance that is explained, pooled over the columns.

    .. math:: R^2 = 1 - \frac{\sum_{n,k} (\beta_{nk} - \hat{\beta}_{nk})^2}
                             {\sum_{n,k} (\beta_{nk} - \bar{\beta}_k)^2}

    Each column varies about its own mean, taken over the rows given here.

    Parameters
    ----------
    actual : ndarray of shape (..., K)
        The truth.
    decoded : ndarray of shape (..., K)
        What was read.

    Returns
    -------
    r2 : float
        1 if all is read exactly, 0 if as well as by always naming the mean, negative if worse.

    Raises
    ------
    ValueError
        If the shapes differ or no column of ``actual`` varies.
    """
    actual = _rows("actual", actual)
    decoded = check_finite("decoded", check_shape("decoded", decoded, actual.shape))
    columns = tuple(range(actual.ndim - 1))
    if np.ptp(actual, axis=columns).max() == 0:
        raise ValueError("actual must vary in some column: there is no variance to explain")
    total = ((actual - actual.mean(axis=columns)) ** 2).sum()
    return float(1 - ((actual - decoded) ** 2).sum() / total)


def last_symbols(ys, V, k):
    """Return the last k symbols before and at every step, one-hot: all that a window can know.

    Parameters
    ----------
    ys : ndarray of shape (N, T)
        Symbols from 0 to V - 1.
    V : int
        Number of symbols.
    k : int
        Length of the window, at least 1.

    Returns
    -------
    features : ndarray of shape (N, T, k * V)
        Entry ``j * V + v`` at t is 1 if the symbol at t - j was v; zeros before the start.

    Raises
    ------
    ValueError
        If ``k`` is below 1 or a symbol is out of range.
    """
    if k != int(k) or k < 1:
        raise ValueError(f"k must be a whole number of at least 1, got {k}")
    one_hot = np.eye(V)[check_symbols("ys", check_shape("ys", ys, (None, None)), V)]
    N, T, _ = one_hot.shape
    features = np.zeros((N, T, k, V))
    for j in range(min(k, T)):
        features[:, j:, j] = one_hot[:, : T - j]
    return features.reshape(N, T, k * V)


def excess_loss(p, q):
    r"""Return how much it costs to predict q where the exact prediction is p.

    .. math:: D(p \,\|\, q) = \sum_v p_v \log \frac{p_v}{q_v}

    The expected loss of q is the entropy of p, which nobody can avoid, plus this. Averaged over
    held-out symbols it has far less noise than the difference of two measured losses, since no
    symbol has to be drawn.

    Parameters
    ----------
    p : ndarray of shape (..., V)
        Exact probabilities of the next symbol, sums 1 along the last axis.
    q : ndarray of shape (..., V)
        Predicted probabilities (not logs), sums 1 along the last axis.

    Returns
    -------
    excess : ndarray
        Nats, of the shape of p without its last axis; at least 0 up to rounding, infinite where q
        excludes what p allows.

    Raises
    ------
    ValueError
        If the shapes differ or rows do not sum to 1.

    References
    ----------
    Kullback and Leibler (1951), doi:10.1214/aoms/1177729694: the mean information for
    discriminating between p and q.
    """
    p = check_distribution("p", p)
    q = check_distribution("q", check_shape("q", q, p.shape))
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = p * (np.log(p) - np.log(q))  # infinite where q = 0 < p
    return np.where(p > 0, terms, 0.0).sum(axis=-1)  # 0 log 0 = 0: what never happens is free


def bootstrap_interval(values, rng, level=0.95, draws=2000):
    """Return the mean of independent values, and an interval by drawing them again and again.

    Parameters
    ----------
    values : ndarray of shape (N,)
        One number for each **independent** sequence, such as its mean loss. Steps within a
        sequence depend on each other: average over them first.
    rng : numpy.random.Generator
        Source of the draws.
    level : float, default=0.95
        Share of the drawn means inside the interval, between 0 and 1.
    draws : int, default=2000
        How often N values are drawn from the N with replacement.

    Returns
    -------
    mean : float
        Of the values.
    low, high : float
        Ends of the interval: percentiles of the drawn means.

    Raises
    ------
    ValueError
        If there are fewer than 2 values, or ``level`` or ``draws`` is out of range.

    References
    ----------
    Efron (1979), doi:10.1214/aos/1176344552; the percentile method.
    """
    values = check_finite("values", check_shape("values", values, (None,)))
    N = len(values)
    if N < 2:
        raise ValueError(f"values must hold at least 2 independent numbers, got {N}")
    if not 0 < level < 1:
        raise ValueError(f"level must be between 0 and 1, such as 0.95, got {level}")
    if draws < 1:
        raise ValueError(f"draws must be at least 1, got {draws}")
    means = [values[rng.integers(N, size=N)].mean() for _ in range(draws)]
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(values.mean()), float(low), float(high)


def _rows(name, x):
    """Return x as finite float64 with at least one row."""
    x = check_finite(name, x)
    if x.ndim < 2 or x.size == 0:
        raise ValueError(
            f"{name} must have one row a state, shape (..., columns), got {x.shape}; "
            "put a single column in by x[:, None]"
        )
    return x
