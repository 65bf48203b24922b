r"""Hourly demand with known noise: a pattern of the week plus an autoregression.

.. math:: y_t = m_{t \bmod 168} + e_t, \qquad e_t = \sum_{k=1}^{K} \phi_k\, e_{t-k} + \sigma\,
    \varepsilon_t, \qquad \varepsilon_t \sim N(0, 1)

Hour 0 is Monday, 0:00. Whoever knows the tables and the past predicts the pattern plus what the
autoregression makes of the last K deviations. What remains is Gaussian, with a spread that follows
from the tables alone: a floor for every model, for every horizon and every measure.

Letters: T hours, L hours seen, P horizons, K coefficients, Q quantiles.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from course_lib._checks import check_finite, check_shape
from course_lib.datasets.task import at_least

WEEK = 168  # hours


@dataclass(frozen=True, slots=True, eq=False)
class DemandProcess:
    r"""The tables of the process.

    Parameters
    ----------
    pattern : ndarray of shape (168,)
        Mean of every hour of the week from Monday, 0:00, on, in the unit of the demand.
    phi : ndarray of shape (K,)
        Coefficients of the autoregression, the most recent deviation first; stationary.
    noise_std : float
        Standard deviation :math:`\sigma` of the fresh noise of an hour, positive.

    Raises
    ------
    ValueError
        If a shape is wrong, a number is not finite, or deviations would grow without bound.
    """

    pattern: np.ndarray
    phi: np.ndarray
    noise_std: float

    def __post_init__(self):
        pattern = check_finite("pattern", check_shape("pattern", self.pattern, (WEEK,))).copy()
        phi = check_finite("phi", check_shape("phi", self.phi, (None,))).copy()
        if not 0 < self.noise_std < np.inf:
            raise ValueError(f"noise_std must be positive and finite, got {self.noise_std}")
        # A deviation dies out if all roots of z^K - phi_1 z^(K-1) - ... lie inside the unit circle.
        largest = np.abs(np.roots([1.0, *-phi])).max(initial=0.0)
        if largest >= 1:
            raise ValueError(
                f"phi must be stationary, got a root of size {largest:.4g}; make phi smaller"
            )
        for name, table in (("pattern", pattern), ("phi", phi)):
            table.setflags(write=False)
            object.__setattr__(self, name, table)


def _week():
    """Mean demand of each hour of a week in MW: two humps on work days, a late start else."""
    hour = np.arange(24)
    morning = np.exp(-0.5 * ((hour - 8) / 2.0) ** 2)
    evening = np.exp(-0.5 * ((hour - 18) / 2.5) ** 2)
    night = np.cos(2 * np.pi * (hour - 15) / 24)
    workday = 500 + 70 * night + 90 * morning + 120 * evening
    weekend = 450 + 60 * night + 30 * np.roll(morning, 2) + 90 * evening
    return np.concatenate([np.tile(workday, 5), np.tile(weekend, 2)]).round()


DEMAND = DemandProcess(pattern=_week(), phi=np.array([1.1, -0.2]), noise_std=10.0)


def sample_demand(process, T, rng):
    """Draw a series that starts on a Monday at 0:00, with deviations that are stationary.

    Parameters
    ----------
    process : DemandProcess
        Where it comes from.
    T : int
        Hours, at least 1.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    y : ndarray of shape (T,)
        Demand, in the unit of the pattern.

    Raises
    ------
    ValueError
        If T is too small.
    """
    T, K = at_least("T", T, 1), len(process.phi)
    warm_up = _memory(process)
    noise = process.noise_std * rng.normal(size=warm_up + T)
    e = np.zeros(K + warm_up + T)  # K zeros in front of the first
    for t, fresh in enumerate(noise):
        e[K + t] = e[t : K + t][::-1] @ process.phi + fresh
    return process.pattern[np.arange(T) % WEEK] + e[K + warm_up :]


def exact_forecast(process, y, start, P):
    r"""Return the best forecast of the next P hours: the conditional mean, given the tables.

    Parameters
    ----------
    process : DemandProcess
        Where the series come from.
    y : ndarray of shape (..., L)
        What was seen, the oldest hour first; L at least K, the number of coefficients.
    start : int or ndarray
        Hour of the week of the first value, or any count of hours since a Monday, 0:00; one number,
        or one for each row of ``y``.
    P : int
        Hours ahead, at least 1.

    Returns
    -------
    mean : ndarray of shape (..., P)
        Forecasts of hours 1 to P after the last one seen.

    Raises
    ------
    ValueError
        If fewer than K hours are given, or P is too small.
    """
    y, P, K = check_finite("y", y), at_least("P", P, 1), len(process.phi)
    L = y.shape[-1] if y.ndim else 0
    if L < K:
        raise ValueError(f"y must hold at least {K} hours, as phi does, got {L}")
    hours = np.asarray(start)[..., None] + np.arange(L + P)  # (..., L + P)
    pattern = np.broadcast_to(process.pattern[hours % WEEK], (*y.shape[:-1], L + P))
    e = np.concatenate([y - pattern[..., :L], np.zeros((*y.shape[:-1], P))], axis=-1)
    for t in range(L, L + P):
        e[..., t] = e[..., t - K : t][..., ::-1] @ process.phi
    return pattern[..., L:] + e[..., L:]


def error_floor(process, P):
    r"""Return the smallest root mean squared error that any forecast can have, h hours ahead.

    .. math:: \text{floor}_h = \sigma \sqrt{\psi_0^2 + \dots + \psi_{h-1}^2}, \qquad
        \psi_0 = 1, \quad \psi_j = \sum_k \phi_k\, \psi_{j-k}

    psi_j is what is left of a shock j hours later. The error is Gaussian, so the floors of the
    other measures follow: `absolute_floor` and `pinball_floor`.

    Parameters
    ----------
    process : DemandProcess
        Where the series come from.
    P : int
        Hours ahead, at least 1.

    Returns
    -------
    floor : ndarray of shape (P,)
        In the unit of the pattern, growing with the horizon.
    """
    return process.noise_std * np.sqrt(np.cumsum(_shock(process, at_least("P", P, 1)) ** 2))


def absolute_floor(process, P):
    """Return the smallest mean absolute error, h = 1 to P hours ahead, shape (P,)."""
    return error_floor(process, P) * np.sqrt(2 / np.pi)


def pinball_floor(process, P, quantiles):
    r"""Return the smallest mean pinball loss, attained by the true quantiles.

    Under a normal distribution of standard deviation s the true quantile at level q costs
    :math:`s\, \varphi(\Phi^{-1}(q))`, the height of the bell curve there.

    Parameters
    ----------
    process : DemandProcess
        Where the series come from.
    P : int
        Hours ahead, at least 1.
    quantiles : ndarray of shape (Q,)
        Levels, between 0 and 1.

    Returns
    -------
    floor : ndarray of shape (P, Q)
        In the unit of the pattern.

    Raises
    ------
    ValueError
        If a level is not between 0 and 1.
    """
    bell = NormalDist()
    heights = [bell.pdf(bell.inv_cdf(q)) for q in _levels(quantiles)]
    return error_floor(process, P)[:, None] * np.array(heights)


def exact_quantiles(process, y, start, P, quantiles):
    """Return the true quantiles of the next P hours, given the tables and the past.

    Parameters
    ----------
    process : DemandProcess
        Where the series come from.
    y : ndarray of shape (..., L)
        What was seen, the oldest hour first.
    start : int or ndarray
        Hour of the week of the first value; one number, or one for each row of ``y``.
    P : int
        Hours ahead, at least 1.
    quantiles : ndarray of shape (Q,)
        Levels, between 0 and 1.

    Returns
    -------
    values : ndarray of shape (..., P, Q)
        In the unit of the pattern.
    """
    steps = np.array([NormalDist().inv_cdf(q) for q in _levels(quantiles)])
    spread = error_floor(process, P)[:, None] * steps  # (P, Q)
    return exact_forecast(process, y, start, P)[..., None] + spread


def _levels(quantiles):
    levels = check_finite("quantiles", check_shape("quantiles", quantiles, (None,)))
    if not ((levels > 0) & (levels < 1)).all():
        raise ValueError(f"quantiles must be between 0 and 1, got {levels}")
    return levels


def _shock(process, n):
    """What is left of a shock after 0, ..., n - 1 hours; shape (n,)."""
    K = len(process.phi)
    psi = np.zeros(K + n)
    psi[K] = 1.0
    for j in range(K + 1, K + n):
        psi[j] = psi[j - K : j][::-1] @ process.phi
    return psi[K:]


def _memory(process):
    """Hours after which a shock is forgotten to single precision: no start is then seen."""
    largest = np.abs(np.roots([1.0, *-process.phi])).max(initial=0.0)
    return int(np.ceil(np.log(1e-9) / np.log(max(largest, 0.1))))
