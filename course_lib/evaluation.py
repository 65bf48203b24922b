r"""How good are predicted probabilities: AUC, log loss, their intervals, calibration, costs.

Answers are 0 or 1, predictions are probabilities of a 1. The measures take *weights*, one a case:
a bootstrap sample (Efron 1979, doi:10.1214/aos/1176344552) is a set of weights that says how often
each case was drawn. The same weights for two models give the interval of their difference, which
is narrower than the two intervals suggest, because hard cases are hard for both.

scikit-learn has the measures too; the tests compare ours with it. Ours take many sets of weights at
once, which makes a bootstrap a matter of milliseconds.

Letters: n cases, R bootstrap samples.
"""

from dataclasses import dataclass

import numpy as np

from course_lib._checks import check_finite, check_shape


def auc(y, p, weight=None):
    r"""Return the area under the ROC curve.

    The probability that a case drawn from those with y = 1 has a larger p than one drawn from those
    with y = 0, ties counted as one half:

    .. math:: \mathrm{AUC} = P(p_1 > p_0) + \tfrac12 P(p_1 = p_0) .

    Parameters
    ----------
    y : ndarray of shape (n,)
        Answers, 0 or 1, both present.
    p : ndarray of shape (n,)
        Predictions; only their order matters.
    weight : ndarray of shape (n,) or (R, n), optional
        Weights from 0; None weighs all alike.

    Returns
    -------
    area : float or ndarray of shape (R,)
        From 0 to 1; 1/2 for predictions that ignore the case; one value a row of weights. NaN for a
        row whose weights leave out one of the two answers.

    Raises
    ------
    ValueError
        If shapes do not fit, y is not 0 or 1 or has one value only, or p is not finite.

    References
    ----------
    Hanley and McNeil (1982), doi:10.1148/radiology.143.1.7063747.
    """
    y, p, weight = _checked(y, p, weight)
    if y.min() == y.max():
        raise ValueError(
            f"y must hold both 0 and 1, got {int(y[0])} only: there is no order to see"
        )
    order = np.argsort(p, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(p[order]) > 0])  # one group for each value of p
    ones = np.add.reduceat((weight * y)[..., order], starts, axis=-1)
    zeros = np.add.reduceat((weight * (1 - y))[..., order], starts, axis=-1)
    below = zeros.cumsum(axis=-1) - zeros  # weight of the zeros with a smaller p
    with np.errstate(invalid="ignore"):
        return (ones * (below + 0.5 * zeros)).sum(axis=-1) / (
            ones.sum(axis=-1) * zeros.sum(axis=-1)
        )


def log_loss(y, p, weight=None):
    r"""Return the mean of :math:`-\log` of the probability given to what came.

    Parameters
    ----------
    y : ndarray of shape (n,)
        Answers, 0 or 1.
    p : ndarray of shape (n,)
        Probability of a 1, from 0 to 1.
    weight : ndarray of shape (n,) or (R, n), optional
        Weights from 0; None weighs all alike.

    Returns
    -------
    loss : float or ndarray of shape (R,)
        Nats a case; infinite if something came to which probability 0 was given.

    Raises
    ------
    ValueError
        If shapes do not fit, y is not 0 or 1, or p is no probability.
    """
    y, p, weight = _checked(y, p, weight)
    _check_probability(p)
    with np.errstate(divide="ignore", invalid="ignore"):
        loss = -np.log(np.where(y == 1, p, 1 - p))  # -log(0) is infinity, as it should be
        weighted = np.where(weight > 0, weight * loss, 0)  # but what was not drawn costs nothing
    return weighted.sum(axis=-1) / weight.sum(axis=-1)


def bootstrap_weights(n, R, rng):
    """Draw how often each case comes in a sample of n out of n, with replacement, R times.

    Parameters
    ----------
    n : int
        Number of cases.
    R : int
        Number of samples.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    weight : ndarray of shape (R, n)
        Whole numbers from 0; rows sum to n.
    """
    return rng.multinomial(n, np.full(n, 1 / n), size=R)


def middle(values, level=0.95):
    """Return the interval that holds the middle of the values, such as a bootstrap's.

    Parameters
    ----------
    values : ndarray of shape (R,)
        One value a bootstrap sample.
    level : float, default=0.95
        Share of the values inside, between 0 and 1.

    Returns
    -------
    low, high : float
        Quantiles (1 - level) / 2 and (1 + level) / 2.

    Raises
    ------
    ValueError
        If level is not between 0 and 1.
    """
    if not 0 < level < 1:
        raise ValueError(f"level must be between 0 and 1, got {level}")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


@dataclass(frozen=True, slots=True, eq=False)
class Bins:
    """Cases put together by what was predicted for them.

    Parameters
    ----------
    predicted : ndarray of shape (n_bins,)
        Mean prediction of each bin, growing.
    observed : ndarray of shape (n_bins,)
        Share of ones in each bin.
    count : ndarray of shape (n_bins,)
        Cases in each bin.
    """

    predicted: np.ndarray  # (n_bins,)
    observed: np.ndarray  # (n_bins,)
    count: np.ndarray  # (n_bins,)

    @property
    def std_error(self):
        """Standard error sqrt(p (1 - p) / count) of each share if the predictions are right."""
        return np.sqrt(self.predicted * (1 - self.predicted) / self.count)


def calibration_bins(y, p, n_bins=10):
    """Compare predicted with observed shares, in bins of nearly equal size.

    Parameters
    ----------
    y : ndarray of shape (n,)
        Answers, 0 or 1.
    p : ndarray of shape (n,)
        Probability of a 1.
    n_bins : int, default=10
        Number of bins, from 1 to n.

    Returns
    -------
    bins : Bins
        From the smallest predictions to the largest.

    Raises
    ------
    ValueError
        If shapes do not fit, y is not 0 or 1, p is no probability, or n_bins is out of range.
    """
    y, p, _ = _checked(y, p, None)
    _check_probability(p)
    if not 1 <= n_bins <= len(p):
        raise ValueError(f"n_bins must be from 1 to the number of cases, {len(p)}, got {n_bins}")
    parts = np.array_split(np.argsort(p, kind="stable"), n_bins)
    return Bins(
        predicted=np.array([p[part].mean() for part in parts]),
        observed=np.array([y[part].mean() for part in parts]),
        count=np.array([len(part) for part in parts]),
    )


def best_threshold(false_alarm, miss):
    """Return the probability from which acting is cheaper than waiting.

    Acting for nothing has a price, and so has not acting where it was needed. At probability p the
    mean prices are (1 - p) * false_alarm and p * miss; they are equal at the threshold.

    Parameters
    ----------
    false_alarm : float
        Price of acting where y = 0, positive.
    miss : float
        Price of not acting where y = 1, positive, in the same unit.

    Returns
    -------
    threshold : float
        Act if p is at least this; between 0 and 1.

    Raises
    ------
    ValueError
        If a price is not positive.

    References
    ----------
    Elkan (2001), The foundations of cost-sensitive learning, IJCAI, section 2.
    """
    if not (false_alarm > 0 and miss > 0):
        raise ValueError(f"both prices must be positive, got {false_alarm} and {miss}")
    return false_alarm / (false_alarm + miss)


def mean_cost(y, p, threshold, false_alarm, miss, weight=None):
    """Return the mean price a case of acting wherever p is at least the threshold.

    Parameters
    ----------
    y : ndarray of shape (n,)
        Answers, 0 or 1.
    p : ndarray of shape (n,)
        Predictions.
    threshold : float
        Act from here on.
    false_alarm, miss : float
        Price of acting where y = 0, and of not acting where y = 1.
    weight : ndarray of shape (n,) or (R, n), optional
        Weights from 0; None weighs all alike.

    Returns
    -------
    cost : float or ndarray of shape (R,)
        In the unit of the prices.

    Raises
    ------
    ValueError
        If shapes do not fit, y is not 0 or 1, or p is not finite.
    """
    y, p, weight = _checked(y, p, weight)
    act = p >= threshold
    cost = np.where(act & (y == 0), false_alarm, 0.0) + np.where(~act & (y == 1), miss, 0.0)
    return (weight * cost).sum(axis=-1) / weight.sum(axis=-1)


def _checked(y, p, weight):
    """Answers, predictions and weights as float arrays whose last axes agree."""
    y = check_finite("y", check_shape("y", y, (None,)))
    p = check_finite("p", check_shape("p", p, (len(y),)))
    if len(y) == 0 or not np.isin(y, (0, 1)).all():
        raise ValueError("y must hold at least one answer, each 0 or 1")
    weight = np.ones(len(y)) if weight is None else check_finite("weight", weight)
    if weight.ndim not in (1, 2) or weight.shape[-1] != len(y) or weight.min() < 0:
        raise ValueError(f"weight must be (..., {len(y)}) and not negative, got {weight.shape}")
    return y, p, weight


def _check_probability(p):
    if p.min() < 0 or p.max() > 1:
        raise ValueError(
            f"p must be from 0 to 1, got {p.min():.3g} to {p.max():.3g}; "
            "turn scores into probabilities by a sigmoid first"
        )
