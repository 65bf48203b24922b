"""Checks of chapter 12, what will the next hour need?

Letters: n windows or values, T hours, L lags, P horizons, m length of a season, K coefficients.
Sizes are pairwise distinct where a mixed-up axis must not pass.
"""

import numpy as np

from course_lib.exercises.kit import exercise, wrong_function

# ---- 12.1 -----------------------------------------------------------------------------------


def _windows(y, L, P, shift=0, stop=1, step=1):
    origins = range(L, len(y) - P + stop, step)
    X = np.array([y[t - L + shift : t + shift] for t in origins])
    return X, np.array([y[t : t + P] for t in origins])


def _gap(y, L, P):
    X, Y = _windows(y, L, P)
    return X[:-1], Y[1:]


def _flipped(y, L, P):
    X, Y = _windows(y, L, P)
    return X[:, ::-1], Y


def _swapped(y, L, P):
    X, Y = _windows(y, L, P)
    return Y, X


def _last_of_each(y, L, P):
    X, Y = _windows(y, L, P)
    return X, Y[:, -1]


def _first_of_each(y, L, P):
    X, Y = _windows(y, L, P)
    return X, Y[:, 0]


@exercise("12.1 Cut the windows")
def check_windows(function):
    """Windows and what came next, both in order."""
    rng = np.random.default_rng(121)
    cases = [(rng.normal(size=17), 5, 3), (rng.normal(size=11), 2, 4), (np.arange(9.0), 1, 1)]
    return wrong_function(
        function,
        cases,
        want=_windows,
        parts=("X", "Y"),
        likely=[
            (
                lambda y, L, P: _windows(y, L, P, shift=1),
                "the window ends inside the answer: its last value must come just before Y",
            ),
            (_gap, "an hour is lost between the window and the answer"),
            (
                lambda y, L, P: _windows(y, L, P, stop=0),
                "the last window is missing: range stops before its end",
            ),
            (
                lambda y, L, P: tuple(part[1:] for part in _windows(y, L, P)),
                "the first window is missing: the first origin is L",
            ),
            (_flipped, "the windows run backwards: the oldest hour first"),
            (_swapped, "X and Y are swapped"),
            (
                lambda y, L, P: tuple(part.T for part in _windows(y, L, P)),
                "transposed: one row a window",
            ),
            (_last_of_each, "only the last hour of each answer; all P are asked"),
            (_first_of_each, "only the first hour of each answer; all P are asked"),
            (
                lambda y, L, P: _windows(y, L, P, step=P),
                "answers that do not overlap; all windows are asked, so go on by one hour",
            ),
            (
                lambda y, L, P: _windows(y, L, P, step=L),
                "windows that do not overlap; all windows are asked, so go on by one hour",
            ),
        ],
    )


# ---- 12.2 -----------------------------------------------------------------------------------


def _season(X, P, m):
    return X[:, X.shape[1] - m + np.arange(P) % m]


@exercise("12.2 As last season")
def check_seasonal(function):
    """Forecasts that repeat the last season and go round."""
    rng = np.random.default_rng(122)
    cases = [(rng.normal(size=(3, 7)), 4, 5), (rng.normal(size=(2, 6)), 8, 3)]
    cases.append((rng.normal(size=(5, 4)), 4, 4))  # a window of just one season
    cases.append((rng.normal(size=(2, 7)), 2, 3))
    return wrong_function(
        function,
        cases,
        want=_season,
        axes=("window", "hour"),
        likely=[
            (
                lambda X, P, m: np.repeat(X[:, -1:], P, axis=1),
                "this repeats the last value; repeat the last season",
            ),
            (
                lambda X, P, m: X[:, np.arange(P) % m],
                "this is the first season of the window; the last one is asked",
            ),
            (
                lambda X, P, m: X[:, -m:],
                "this is the last season as it stands; P hours are asked, and it goes round",
            ),
            (
                lambda X, P, m: X[:, -m:][:, :P],
                "beyond one season nothing comes; go round with a remainder",
            ),
            (
                lambda X, P, m: X[:, ::-1][:, np.arange(P) % m],
                "the season runs backwards: the oldest of its hours comes first",
            ),
            (
                lambda X, P, m: X[:, X.shape[1] - m + (np.arange(P) + 1) % m],
                "one hour too late in the season: the first forecast is `X[:, -m]`",
            ),
            (
                lambda X, P, m: X[:, X.shape[1] - m + (np.arange(P) - 1) % m],
                "one hour too early in the season: the first forecast is `X[:, -m]`",
            ),
            (lambda X, P, m: X[:, -P:], "these are the last P hours; begin m hours ago"),
            (
                lambda X, P, m: np.repeat(X[:, -m : -m + 1] if m > 1 else X[:, -1:], P, axis=1),
                "one hour of the season is repeated; each hour has its own",
            ),
            (lambda X, P, m: _season(X, P, m).T, "transposed: one row a window"),
            (
                lambda X, P, m: np.repeat(X[:, -m:].mean(axis=1, keepdims=True), P, axis=1),
                "this is the mean of the season; repeat its hours one by one",
            ),
        ],
    )


# ---- 12.3 -----------------------------------------------------------------------------------


def _error(actual, forecast):
    return np.abs(actual - forecast).mean()


def _ruler(train, m):
    return np.abs(train[m:] - train[:-m]).mean()


def _mase(actual, forecast, train, m):
    return _error(actual, forecast) / _ruler(train, m)


@exercise("12.3 A scaled error")
def check_mase(function):
    """Mean absolute error over that of the seasonal naive forecast in training."""
    rng = np.random.default_rng(123)
    cases = []
    for n, T, m in ((7, 23, 4), (9, 17, 3), (5, 12, 1)):
        actual = rng.normal(size=n).cumsum() + 9
        cases.append((actual, actual + rng.normal(0.4, 1, size=n), rng.normal(size=T).cumsum(), m))
    return wrong_function(
        function,
        cases,
        want=_mase,
        likely=[
            (
                lambda a, f, train, m: _error(a, f),
                "this is the mean absolute error; divide by what repeating a season cost",
            ),
            (
                lambda a, f, train, m: _error(a, f) / _ruler(train, 1),
                "the ruler compares neighbours; compare values m apart",
            ),
            (
                lambda a, f, train, m: _error(a, f) / np.abs(np.diff(train, n=m)).mean(),
                "np.diff(train, n=m) takes differences m times over; compare values m apart",
            ),
            (
                lambda a, f, train, m: _error(a, f) / np.abs(train - np.roll(train, m)).mean(),
                "the roll goes round: the first m differences join end and start",
            ),
            (
                lambda a, f, train, m: _error(a, f) / _ruler(a, m),
                "the ruler comes from the training part; the test part would measure itself",
            ),
            (
                lambda a, f, train, m: _ruler(train, m) / _error(a, f),
                "upside down: the error of the forecast goes on top",
            ),
            (
                lambda a, f, train, m: (a - f).mean() / _ruler(train, m),
                "errors of both signs offset each other; take absolute values first",
            ),
            (
                lambda a, f, train, m: abs((a - f).mean()) / _ruler(train, m),
                "errors of both signs offset each other; take absolute values first",
            ),
            (
                lambda a, f, train, m: _error(a, f) / abs((train[m:] - train[:-m]).mean()),
                "in the ruler ups and downs offset each other; take absolute values first",
            ),
            (
                lambda a, f, train, m: (
                    np.sqrt(((a - f) ** 2).mean()) / np.sqrt(((train[m:] - train[:-m]) ** 2).mean())
                ),
                "these are squared errors; absolute ones are asked",
            ),
            (
                lambda a, f, train, m: np.abs(a - f).sum() / np.abs(train[m:] - train[:-m]).sum(),
                "these are sums over different numbers of hours; take means",
            ),
            (
                lambda a, f, train, m: np.abs(a - f).sum() / _ruler(train, m),
                "the upper part is a sum; take the mean",
            ),
            (
                lambda a, f, train, m: _error(a, f) / train.std(),
                "the ruler is the error of repeating a season, not the spread",
            ),
            (
                lambda a, f, train, m: _error(a, f) / np.abs(train - train.mean()).mean(),
                "the ruler is the error of repeating a season, not that of the mean",
            ),
            (
                lambda a, f, train, m: np.abs(a - f) / _ruler(train, m),
                "one number an hour came back; take the mean",
            ),
            (
                lambda a, f, train, m: np.abs((a - f) / a).mean(),
                "this is a relative error, in parts of the truth; scale by the training error",
            ),
        ],
    )


# ---- 12.4 -----------------------------------------------------------------------------------


def _pinball(y, forecast, q):
    error = y - forecast
    return np.maximum(q * error, (q - 1) * error).mean()


@exercise("12.4 The lopsided loss")
def check_pinball(function):
    """Mean pinball loss of one quantile."""
    rng = np.random.default_rng(124)
    cases = [(rng.normal(size=7), rng.normal(size=7), q) for q in (0.1, 0.8)]
    cases.append((rng.normal(size=(3, 4)), rng.normal(size=(3, 4)), 0.7))
    return wrong_function(
        function,
        cases,
        want=_pinball,
        likely=[
            (
                lambda y, f, q: _pinball(f, y, q),
                "the sides are swapped: too little forecast costs q",
            ),
            (
                lambda y, f, q: _pinball(y, f, 1 - q),
                "the sides are swapped: too little forecast costs q",
            ),
            (
                lambda y, f, q: np.minimum(q * (y - f), (q - 1) * (y - f)).mean(),
                "the smaller of the two is never positive; take the larger",
            ),
            (
                lambda y, f, q: (q * np.maximum(y - f, 0)).mean(),
                "too much forecast costs nothing here; it costs 1 - q",
            ),
            (
                lambda y, f, q: ((1 - q) * np.maximum(f - y, 0)).mean(),
                "too little forecast costs nothing here; it costs q",
            ),
            (
                lambda y, f, q: np.where(y > f, q * (y - f), (1 - q) * (y - f)).mean(),
                "the cost of too much forecast came out negative; a cost is never negative",
            ),
            (
                lambda y, f, q: np.abs(y - f).mean(),
                "both sides cost the same here; q must tell them apart",
            ),
            (
                lambda y, f, q: (q * np.abs(y - f)).mean(),
                "both sides cost the same here; too much forecast costs 1 - q",
            ),
            (
                lambda y, f, q: 2 * _pinball(y, f, q),
                "twice as large: the weights are q and 1 - q, with no factor in front",
            ),
            (
                lambda y, f, q: np.maximum(q * (y - f), (q - 1) * (y - f)).sum(),
                "a sum came back; the mean is asked",
            ),
            (
                lambda y, f, q: np.maximum(q * (y - f), (q - 1) * (y - f)),
                "one number an entry came back; the mean is asked",
            ),
            (
                lambda y, f, q: np.where(y > f, q, 1 - q).mean(),
                "this weighs which side it is; multiply by how far",
            ),
            (
                lambda y, f, q: (np.where(y > f, q, 1 - q) * (y - f) ** 2).mean(),
                "these are squared distances; the pinball loss grows in proportion",
            ),
            (
                lambda y, f, q: max(q * (y - f).mean(), (q - 1) * (y - f).mean()),
                "the mean is taken too early: errors of both signs offset each other",
            ),
        ],
    )


# ---- 12.5 -----------------------------------------------------------------------------------


def _psi(phi, P, first=1.0):
    K, psi = len(phi), np.zeros(len(phi) + P)
    psi[K] = first
    for j in range(K + 1, K + P):
        psi[j] = psi[j - K : j][::-1] @ np.asarray(phi)
    return psi[K:]


def _floor(phi, sigma, P):
    return sigma * np.sqrt(np.cumsum(_psi(phi, P) ** 2))


@exercise("12.5 The floor")
def check_floor(function):
    """Least root mean squared errors of an autoregression."""
    cases = [
        ([0.8], 10.0, 5),
        ([0.5, 0.3, -0.2], 2.0, 7),
        ([1.1, -0.2], 3.0, 4),
        ([0.6, 0.1], 1.5, 1),
    ]
    return wrong_function(
        function,
        [(np.array(phi), sigma, P) for phi, sigma, P in cases],
        want=_floor,
        axes=("horizon",),
        likely=[
            (
                lambda phi, sigma, P: sigma * _psi(phi, P),
                "these are the weights of single shocks; the h unknown shocks add up",
            ),
            (
                lambda phi, sigma, P: sigma * np.abs(_psi(phi, P)),
                "these are the weights of single shocks; the h unknown shocks add up",
            ),
            (
                lambda phi, sigma, P: sigma * np.cumsum(_psi(phi, P)),
                "variances of independent shocks add up, not the shocks themselves",
            ),
            (
                lambda phi, sigma, P: sigma * np.abs(np.cumsum(_psi(phi, P))),
                "variances of independent shocks add up, not the shocks themselves",
            ),
            (
                lambda phi, sigma, P: sigma**2 * np.cumsum(_psi(phi, P) ** 2),
                "this is the variance; take the root",
            ),
            (
                lambda phi, sigma, P: sigma * np.cumsum(_psi(phi, P) ** 2),
                "the root of the sum of squares is missing",
            ),
            (
                lambda phi, sigma, P: sigma**2 * np.sqrt(np.cumsum(_psi(phi, P) ** 2)),
                "sigma is a standard deviation; it must not be squared after the root",
            ),
            (
                lambda phi, sigma, P: np.sqrt(sigma * np.cumsum(_psi(phi, P) ** 2)),
                "sigma stands under the root without its square",
            ),
            (
                lambda phi, sigma, P: np.sqrt(np.cumsum(_psi(phi, P) ** 2)),
                "sigma is missing",
            ),
            (
                lambda phi, sigma, P: sigma * np.sqrt(np.cumsum(_psi(phi[::-1], P) ** 2)),
                "phi is read from the wrong end: its first entry belongs to the last hour",
            ),
            (
                lambda phi, sigma, P: sigma * np.sqrt(np.cumsum(_psi(phi[:1], P) ** 2)),
                "only the first coefficient is used",
            ),
            (
                lambda phi, sigma, P: sigma * np.sqrt(np.arange(1, P + 1)),
                "this is for shocks that never fade; use the weights psi",
            ),
            (
                lambda phi, sigma, P: np.full(P, sigma * 1.0),
                "the same for every horizon: further ahead more shocks are unknown",
            ),
            (
                lambda phi, sigma, P: _floor(phi, sigma, P + 1)[1:],
                "one hour too far: one hour ahead only the fresh noise is unknown",
            ),
            (
                lambda phi, sigma, P: np.append(0.0, _floor(phi, sigma, P)[:-1]),
                "one hour ahead is not certain: psi_0 = 1 counts",
            ),
            (
                lambda phi, sigma, P: _floor(phi, sigma, P) * np.sqrt(2 / np.pi),
                "this is the floor of the mean absolute error; the root mean square is asked",
            ),
            (
                lambda phi, sigma, P: _floor(phi, sigma, P)[-1],
                "only the last horizon came back; all P are asked",
            ),
        ],
    )


# ---- 12.6 -----------------------------------------------------------------------------------


def _asked(low, high, y):
    return np.maximum(low - y, y - high)


def _needed(n, share):
    return int(np.ceil(share * n - 1e-9))


def _widen(low, high, y, share):
    return np.sort(_asked(low, high, y))[_needed(len(y), share) - 1]


@exercise("12.6 Widen a band")
def check_widen(function):
    """Smallest symmetric widening that gives a band its coverage."""
    rng = np.random.default_rng(126)
    cases = []
    for n, width, share in ((10, 0.5, 0.8), (13, 0.3, 0.8), (11, 3.0, 0.7), (9, 0.6, 0.95)):
        middle = rng.normal(size=n)
        y = middle + rng.normal(size=n)
        cases.append((middle - width, middle + 1.5 * width, y, share))

    def by_count(k):
        def wrong(low, high, y, share):
            index = _needed(len(y), share) - 1 + k
            return np.sort(_asked(low, high, y))[min(index, len(y) - 1)]

        return wrong

    return wrong_function(
        function,
        cases,
        want=_widen,
        likely=[
            (
                lambda low, high, y, share: np.quantile(_asked(low, high, y), share),
                "np.quantile went between two values, and then too few of them may lie inside",
            ),
            (by_count(1), "one value more than needed is satisfied"),
            (by_count(-1), "one value is left out: fewer than the share lie inside"),
            (
                lambda low, high, y, share: max(_widen(low, high, y, share), 0.0),
                "a band that is too wide asks for a negative number; do not cut it off at 0",
            ),
            (
                lambda low, high, y, share: -_widen(low, high, y, share),
                "the sign is the other way round: positive widens",
            ),
            (
                lambda low, high, y, share: 2 * _widen(low, high, y, share),
                "this is what both sides get together; each side is asked",
            ),
            (
                lambda low, high, y, share: _widen(low, high, y, 1 - share),
                "this leaves the share outside; it must lie inside",
            ),
            (
                lambda low, high, y, share: _asked(low, high, y).max(),
                "this takes in every value; a share of them is enough",
            ),
            (
                lambda low, high, y, share: _widen(low, high, y, (1 + share) / 2),
                "(1 + share) / 2 is for one end alone; this distance looks at both",
            ),
            (
                lambda low, high, y, share: np.sort(y - high)[_needed(len(y), share) - 1],
                "only the upper end is looked at",
            ),
            (
                lambda low, high, y, share: np.sort(low - y)[_needed(len(y), share) - 1],
                "only the lower end is looked at",
            ),
            (
                lambda low, high, y, share: np.sort(np.minimum(low - y, y - high))[
                    _needed(len(y), share) - 1
                ],
                "a value outside is beyond one end only; take the larger of the two distances",
            ),
            (
                lambda low, high, y, share: np.sort(np.maximum(_asked(low, high, y), 0))[
                    _needed(len(y), share) - 1
                ],
                "a band that is too wide asks for a negative number; do not cut it off at 0",
            ),
            (
                lambda low, high, y, share: np.sort(np.abs(y - (low + high) / 2))[
                    _needed(len(y), share) - 1
                ],
                "this is the distance from the middle; measure from the ends",
            ),
        ],
    )


# ---- 12.7 -----------------------------------------------------------------------------------


def _feed_back(next_value, x, P):
    window = np.asarray(x, dtype=float)
    steps = []
    for _ in range(P):
        steps.append(next_value(window))
        window = np.append(window[1:], steps[-1])
    return np.array(steps)


def _growing(next_value, x, P):
    window, steps = np.asarray(x, dtype=float), []
    for _ in range(P):
        steps.append(next_value(window))
        window = np.append(window, steps[-1])
    return np.array(steps)


def _put_in_front(next_value, x, P):
    window, steps = np.asarray(x, dtype=float), []
    for _ in range(P):
        steps.append(next_value(window))
        window = np.append(steps[-1], window[:-1])
    return np.array(steps)


def _last_replaced(next_value, x, P):
    window, steps = np.array(x, dtype=float), []
    for _ in range(P):
        steps.append(next_value(window))
        window = np.append(window[:-1], steps[-1])
    return np.array(steps)


def _weigh(window):
    """A rule for windows of any length in which every place has its own weight."""
    weights = np.cos(np.arange(1, len(window) + 1))
    return float(window @ weights / np.abs(weights).sum() + 0.1)


@exercise("12.7 Feed it back")
def check_recursive(function):
    """Forecasts that are read as if they had happened."""
    rng = np.random.default_rng(127)
    cases = [(_weigh, rng.normal(size=4), 6), (_weigh, rng.normal(size=3), 2)]
    cases.append((_weigh, rng.normal(size=5), 1))
    return wrong_function(
        function,
        cases,
        want=_feed_back,
        axes=("hour",),
        likely=[
            (
                lambda f, x, P: np.repeat(f(x), P),
                "every hour has the same forecast: the window must move on",
            ),
            (_growing, "the window grows; drop the oldest value at each step"),
            (_put_in_front, "the newest forecast is put in front; the newest belongs at the end"),
            (
                _last_replaced,
                "the forecast takes the place of the last hour; the oldest one must go",
            ),
            (
                lambda f, x, P: np.append(x, _feed_back(f, x, P)),
                "the window came back as well; only the forecasts are asked",
            ),
            (
                lambda f, x, P: np.append(x, _feed_back(f, x, P))[-len(x) :],
                "this is the last window; the P forecasts are asked",
            ),
            (
                lambda f, x, P: _feed_back(f, x, P)[-1],
                "only the last forecast came back; all P are asked",
            ),
            (
                lambda f, x, P: _feed_back(f, x, P)[::-1],
                "the forecasts run backwards: the next hour first",
            ),
            (
                lambda f, x, P: _feed_back(f, x, P + 1),
                "one forecast too many",
            ),
            (
                lambda f, x, P: _feed_back(f, x, P + 1)[1:],
                "the next hour itself is left out: P forecasts, the first one for the next hour",
            ),
            (
                lambda f, x, P: _feed_back(f, x[::-1], P),
                "the window is read backwards; the oldest hour comes first",
            ),
        ],
    )
