r"""Forecasts by hand: windows, baselines, measures, and origins that roll.

A window holds the last L values, the oldest first; its answer is the next P values. One row is one
*origin*, the moment at which the forecast is made. All functions work in whatever unit the series
has; scale with numbers from the training part only.

Letters: T values of a series, n origins, L lags, P horizons, Q quantiles.

References
----------
Hyndman and Koehler (2006), Another look at measures of forecast accuracy,
doi:10.1016/j.ijforecast.2006.03.001 (MASE). Koenker and Bassett (1978), Regression quantiles,
doi:10.2307/1913643 (pinball loss). Tashman (2000), doi:10.1016/S0169-2070(00)00065-0 (rolling
origin).
"""

from dataclasses import dataclass

import numpy as np

from course_lib._checks import check_finite, check_shape


@dataclass(frozen=True, slots=True, eq=False)
class LinearForecast:
    """A linear map from the last L values to the next P: ``X @ W + b``.

    Parameters
    ----------
    W : ndarray of shape (L, P)
        Weights, the oldest lag first.
    b : ndarray of shape (P,)
        Intercepts.
    """

    W: np.ndarray
    b: np.ndarray


def make_windows(series, L, P, first=None, last=None):
    """Cut a series into windows and their answers.

    Parameters
    ----------
    series : ndarray of shape (T,)
        Values in order of time.
    L : int
        Values in a window, at least 1.
    P : int
        Values in an answer, at least 1.
    first, last : int, optional
        Only answers that lie wholly in ``series[first:last]``; their windows may reach back before
        ``first``, as they may when a forecast is made.

    Returns
    -------
    X : ndarray of shape (n, L)
        Windows, the oldest value first.
    Y : ndarray of shape (n, P)
        What came next.
    origins : ndarray of shape (n,)
        Index in the series of the first value of each answer.

    Raises
    ------
    ValueError
        If no window fits.
    """
    series = check_finite("series", check_shape("series", series, (None,)))
    for name, value in {"L": L, "P": P}.items():
        if value != int(value) or value < 1:
            raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")
    first = L if first is None else max(L, first)
    last = len(series) if last is None else last
    if not first + P <= last <= len(series):
        raise ValueError(
            f"no window of {L} + {P} values fits between {first - L} and {last} of a series "
            f"of {len(series)}; shorten L or P"
        )
    origins = np.arange(first, last - P + 1)
    X = np.lib.stride_tricks.sliding_window_view(series, L)[origins - L]
    Y = np.lib.stride_tricks.sliding_window_view(series, P)[origins]
    return X, Y, origins


def naive(X, P):
    """Forecast that the last value stays.

    Parameters
    ----------
    X : ndarray of shape (n, L)
        Windows, the oldest value first.
    P : int
        Horizons.

    Returns
    -------
    forecast : ndarray of shape (n, P)
        The last value, P times.
    """
    X = check_finite("X", check_shape("X", X, (None, None)))
    return np.repeat(X[:, -1:], P, axis=1)


def seasonal_naive(X, P, season):
    """Forecast what was one season ago, or the last time the season was seen.

    Parameters
    ----------
    X : ndarray of shape (n, L)
        Windows, the oldest value first; L at least ``season``.
    P : int
        Horizons; beyond one season the last season is repeated.
    season : int
        Length of a season: 24 hours a day, 168 a week.

    Returns
    -------
    forecast : ndarray of shape (n, P)
        ``X[:, L - season + (h mod season)]`` at horizon h + 1.

    Raises
    ------
    ValueError
        If a window is shorter than a season.
    """
    X = check_finite("X", check_shape("X", X, (None, None)))
    if not 1 <= season <= X.shape[1]:
        raise ValueError(
            f"season must be from 1 to the {X.shape[1]} values of a window, got {season}; "
            "cut longer windows"
        )
    return X[:, X.shape[1] - season + np.arange(P) % season]


def fit_linear(X, Y, ridge=0.0):
    r"""Fit a linear autoregression for every horizon by least squares.

    Parameters
    ----------
    X : ndarray of shape (n, L)
        Windows.
    Y : ndarray of shape (n, P)
        What came next.
    ridge : float, default=0.0
        Price of large weights, at least 0; the intercept is free.

    Returns
    -------
    model : LinearForecast
        For `apply_linear` and `recursive_forecast`.

    Raises
    ------
    ValueError
        If the rows differ in number, or ``ridge`` is negative.
    """
    X = check_finite("X", check_shape("X", X, (None, None)))
    Y = check_finite("Y", check_shape("Y", Y, (len(X), None)))
    if not 0 <= ridge < np.inf:
        raise ValueError(f"ridge must be at least 0 and finite, got {ridge}")
    mean_X, mean_Y = X.mean(axis=0), Y.mean(axis=0)
    left, right = X - mean_X, Y - mean_Y
    if ridge > 0:  # as if each weight had been observed once, as 0
        left = np.vstack([left, np.sqrt(ridge) * np.eye(X.shape[1])])
        right = np.vstack([right, np.zeros((X.shape[1], Y.shape[1]))])
    W = np.linalg.lstsq(left, right, rcond=None)[0]
    return LinearForecast(W, mean_Y - mean_X @ W)


def apply_linear(model, X):
    """Return the forecasts of a linear model, shape (n, P), for windows X of shape (n, L)."""
    X = check_finite("X", check_shape("X", X, (None, len(model.W))))
    return X @ model.W + model.b


def recursive_forecast(one_step, X, P):
    """Forecast P steps with a model for one: each forecast is read as if it had happened.

    Parameters
    ----------
    one_step : callable
        ``one_step(X)`` returns the next value of each window, (n,), from windows (n, L).
    X : ndarray of shape (n, L)
        Windows, the oldest value first; not changed.
    P : int
        Horizons.

    Returns
    -------
    forecast : ndarray of shape (n, P)
        Horizons 1 to P.

    Raises
    ------
    ValueError
        If the model does not return one number a window.
    """
    window = check_finite("X", check_shape("X", X, (None, None)))
    steps = []
    for _ in range(P):
        value = check_finite("forecast", check_shape("forecast", one_step(window), (len(window),)))
        steps.append(value)
        window = np.column_stack([window[:, 1:], value])
    return np.stack(steps, axis=1)


def mase(actual, forecast, train, season):
    r"""Return the mean absolute scaled error.

    .. math:: \frac{\text{mean}\; |y - \hat{y}|}{\text{mean}_{t > m}\; |y_t - y_{t-m}|}

    The lower mean runs over the training part: what repeating the last season costs there.

    Parameters
    ----------
    actual : ndarray
        What came, of any shape.
    forecast : ndarray
        What was said, of the same shape and in the same unit.
    train : ndarray of shape (T,)
        The training part of the series, T above ``season``.
    season : int
        Length m of a season, from 1 on.

    Returns
    -------
    error : float
        Below 1 if smaller than the error of repeating the last season was in training.

    Raises
    ------
    ValueError
        If shapes differ, the training part is shorter than a season, or it repeats itself exactly.
    """
    actual = check_finite("actual", actual)
    forecast = check_finite("forecast", check_shape("forecast", forecast, actual.shape))
    train = check_finite("train", check_shape("train", train, (None,)))
    if not 1 <= season < len(train):
        raise ValueError(f"season must be from 1 to {len(train) - 1}, got {season}")
    scale = np.abs(train[season:] - train[:-season]).mean()
    if scale == 0:
        raise ValueError("train repeats itself exactly: there is no error to scale by")
    return float(np.abs(actual - forecast).mean() / scale)


def pinball(actual, forecast, quantiles):
    r"""Return the pinball loss of forecast quantiles, entry by entry.

    .. math:: \ell_q(y, \hat{y}) = \max\bigl(q\,(y - \hat{y}),\; (q - 1)\,(y - \hat{y})\bigr)

    Its mean is smallest where a share q of the truth lies below the forecast. At q = 1/2 it is half
    the absolute error.

    Parameters
    ----------
    actual : ndarray
        What came, of any shape.
    forecast : ndarray of shape (..., Q)
        Forecast quantiles, in the same unit.
    quantiles : ndarray of shape (Q,)
        Levels, between 0 and 1.

    Returns
    -------
    loss : ndarray of shape (..., Q)
        At least 0, in the unit of ``actual``.

    Raises
    ------
    ValueError
        If shapes do not fit, or a level is out of range.
    """
    q = check_finite("quantiles", check_shape("quantiles", quantiles, (None,)))
    if not ((q > 0) & (q < 1)).all():
        raise ValueError(f"quantiles must be between 0 and 1, got {q}")
    actual = check_finite("actual", actual)
    forecast = check_finite("forecast", check_shape("forecast", forecast, (*actual.shape, len(q))))
    error = actual[..., None] - forecast
    return np.maximum(q * error, (q - 1) * error)


def coverage(actual, low, high):
    """Return the share of the truth that lies in the interval, ends included.

    Parameters
    ----------
    actual : ndarray
        What came, of any shape.
    low, high : ndarray
        Ends of the interval, of the same shape.

    Returns
    -------
    share : float
        From 0 to 1.

    Raises
    ------
    ValueError
        If shapes differ, or a lower end lies above its upper end.
    """
    actual = check_finite("actual", actual)
    low = check_finite("low", check_shape("low", low, actual.shape))
    high = check_finite("high", check_shape("high", high, actual.shape))
    if (low > high).any():
        raise ValueError("low must not lie above high; sort quantiles that cross first")
    return float(((low <= actual) & (actual <= high)).mean())


def rolling_origins(T, first, step):
    """Return pairs (end of training, end of testing) for an origin that rolls through time.

    Parameters
    ----------
    T : int
        Length of the series.
    first : int
        End of the first training part.
    step : int
        Values tested before the model is fitted again on all that lies behind.

    Returns
    -------
    folds : list of (int, int)
        Train on ``series[:a]``, test on ``series[a:b]``; the last test part may be shorter.

    Raises
    ------
    ValueError
        If nothing would be left to train or to test on.
    """
    if not 0 < first < T or step < 1:
        raise ValueError(f"first must be from 1 to {T - 1} and step positive, got {first}, {step}")
    return [(a, min(a + step, T)) for a in range(first, T, step)]
