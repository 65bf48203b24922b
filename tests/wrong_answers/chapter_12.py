"""Answers that the checks of chapter 12 must reject, with a piece of what they must say."""

import numpy as np

# ---- what a good student hands in ------------------------------------------------------------


def windows(y, L, P):
    rows = np.lib.stride_tricks.sliding_window_view(y, L + P)
    return rows[:, :L].copy(), rows[:, L:].copy()


def windows_in_lists(y, L, P):
    y = y.tolist()
    count = len(y) - L - P + 1
    return [y[k : k + L] for k in range(count)], [y[k + L : k + L + P] for k in range(count)]


def wrong_windows(shift=0, drop_last=0, step=1):
    def cut(y, L, P):
        origins = range(L, len(y) - P + 1 - drop_last, step)
        X = [y[t - L + shift : t + shift] for t in origins]
        return np.array(X), np.array([y[t : t + P] for t in origins])

    return cut


def season(X, P, m):
    return np.stack([X[:, len(X[0]) - m + h % m] for h in range(P)], axis=1)


def season_by_tiling(X, P, m):
    return np.tile(X[:, -m:], -(-P // m))[:, :P]


def mase(actual, forecast, train, m):
    errors = [abs(train[t] - train[t - m]) for t in range(m, len(train))]
    top = sum(abs(a - b) for a, b in zip(actual, forecast, strict=True)) / len(actual)
    return top / (sum(errors) / len(errors))


def pinball(y, forecast, q):
    error = y - forecast
    return np.mean(np.where(error >= 0, q, q - 1) * error)


def pinball_by_parts(y, forecast, q):
    return np.mean(q * (y - forecast).clip(0) + (1 - q) * (forecast - y).clip(0))


def floor(phi, sigma, P):
    psi = [1.0]
    for j in range(1, P):
        psi.append(sum(phi[k] * psi[j - 1 - k] for k in range(min(j, len(phi)))))
    return [sigma * sum(p * p for p in psi[: h + 1]) ** 0.5 for h in range(P)]


def floor_by_companion(phi, sigma, P):
    """Powers of the matrix that moves the last K deviations on by one hour."""
    step = np.eye(len(phi), k=-1)
    step[0] = phi
    psi = [np.linalg.matrix_power(step, j)[0, 0] for j in range(P)]
    return sigma * np.sqrt(np.cumsum(np.square(psi)))


def wrong_floor(combine, psi_of=None):
    def wrong(phi, sigma, P):
        psi = [1.0]
        coefficients = list(phi if psi_of is None else psi_of(phi))
        for j in range(1, P):
            known = range(min(j, len(coefficients)))
            psi.append(sum(coefficients[k] * psi[j - 1 - k] for k in known))
        return combine(np.array(psi), sigma)

    return wrong


def rooted(psi, sigma):
    return sigma * np.sqrt(np.cumsum(psi**2))


def widen(low, high, y, share):
    """Try every width that a value asks for, from the smallest one on."""
    for extra in sorted(np.maximum(low - y, y - high)):
        inside = (low - extra <= y + 1e-12) & (y <= high + extra + 1e-12)
        if inside.mean() >= share - 1e-9:
            return extra
    return None


def widen_by_quantile(low, high, y, share):
    asked = np.maximum(low - y, y - high)
    return np.quantile(asked, share - 1e-9, method="inverted_cdf")


def wrong_width(distance, pick):
    return lambda low, high, y, share: pick(np.sort(distance(low, high, y)), share)


def both_ends(low, high, y):
    return np.maximum(low - y, y - high)


def kth(asked, share):
    return asked[int(np.ceil(share * len(asked) - 1e-9)) - 1]


def feed_back(next_value, x, P):
    window = list(x)
    for _ in range(P):
        window.append(next_value(np.array(window[-len(x) :])))
    return window[len(x) :]


def feed_back_by_recursion(next_value, x, P):
    first = next_value(x)
    if P == 1:
        return [first]
    return [first, *feed_back_by_recursion(next_value, np.append(x[1:], first), P - 1)]


def in_place(next_value, x, P):
    forecasts = []
    for _ in range(P):
        forecasts.append(next_value(x))
        x[:-1] = x[1:]
        x[-1] = forecasts[-1]
    return np.array(forecasts)


def moving(move):
    def wrong(next_value, x, P):
        window, forecasts = x, []
        for _ in range(P):
            forecasts.append(next_value(window))
            window = move(window, forecasts[-1])
        return np.array(forecasts)

    return wrong


def ruler(train, m):
    return np.abs(train[m:] - train[:-m]).mean()


# ---- the tables ------------------------------------------------------------------------------

WRONG = {
    "check_windows": [
        (wrong_windows(shift=1), "ends inside the answer"),
        (lambda y, L, P: (windows(y, L, P)[0][:-1], windows(y, L, P)[1][1:]), "an hour is lost"),
        (wrong_windows(drop_last=1), "last window is missing"),
        (lambda y, L, P: tuple(part[1:] for part in windows(y, L, P)), "first window is missing"),
        (lambda y, L, P: (windows(y, L, P)[0][:, ::-1], windows(y, L, P)[1]), "run backwards"),
        (lambda y, L, P: windows(y, L, P)[::-1], "swapped"),
        (lambda y, L, P: tuple(part.T for part in windows(y, L, P)), "transposed"),
        (lambda y, L, P: (windows(y, L, P)[0], windows(y, L, P)[1][:, 0]), "only the first hour"),
        (lambda y, L, P: (windows(y, L, P)[0], windows(y, L, P)[1][:, -1]), "only the last hour"),
        (lambda y, L, P: wrong_windows(step=P)(y, L, P), "answers that do not overlap"),
        (lambda y, L, P: wrong_windows(step=L)(y, L, P), "windows that do not overlap"),
        (lambda y, L, P: windows(y, L, P)[0], "expected 2 results"),
        (lambda y, L, P: (np.zeros(3),) * 2, "X: expected shape"),
        (windows(np.arange(9.0), 2, 1), "expected a function"),
    ],
    "check_seasonal": [
        (lambda X, P, m: np.repeat(X[:, -1:], P, axis=1), "repeats the last value"),
        (lambda X, P, m: X[:, [h % m for h in range(P)]], "first season"),
        (lambda X, P, m: X[:, -m:], "as it stands"),
        (lambda X, P, m: X[:, -m : X.shape[1] - m + P], "nothing comes"),
        (lambda X, P, m: season(X[:, ::-1], P, X.shape[1])[:, np.arange(P) % m], "runs backwards"),
        (lambda X, P, m: np.roll(X[:, -m:], -1, axis=1)[:, np.arange(P) % m], "too late"),
        (lambda X, P, m: np.roll(X[:, -m:], 1, axis=1)[:, np.arange(P) % m], "too early"),
        (lambda X, P, m: X[:, -P:], "last P hours"),
        (lambda X, P, m: season(X, P, m).T, "transposed"),
        (lambda X, P, m: np.repeat(X[:, -m, None], P, axis=1), "one hour of the season"),
        (
            lambda X, P, m: np.repeat(X[:, -m:].mean(axis=1)[:, None], P, axis=1),
            "mean of the season",
        ),
        (lambda X, P, m: season(X, P, m)[0], "an axis is missing"),
    ],
    "check_mase": [
        (lambda a, f, train, m: np.abs(a - f).mean(), "mean absolute error; divide"),
        (lambda a, f, train, m: np.abs(a - f).mean() / np.abs(np.diff(train)).mean(), "m apart"),
        (
            lambda a, f, train, m: np.abs(a - f).mean() / np.abs(np.diff(train, n=m)).mean(),
            "m times over",
        ),
        (
            lambda a, f, train, m: np.abs(a - f).mean() / np.abs(np.roll(train, m) - train).mean(),
            "the roll goes round",
        ),
        (lambda a, f, train, m: np.abs(a - f).mean() / ruler(a, m), "from the training part"),
        (lambda a, f, train, m: 1 / mase(a, f, train, m), "upside down"),
        (lambda a, f, train, m: (a - f).mean() / ruler(train, m), "both signs"),
        (lambda a, f, train, m: abs((f - a).mean()) / ruler(train, m), "both signs"),
        (
            lambda a, f, train, m: np.abs(a - f).mean() / abs((train[m:] - train[:-m]).mean()),
            "ups and downs",
        ),
        (
            lambda a, f, train, m: np.sqrt(
                np.mean((a - f) ** 2) / np.mean((train[m:] - train[:-m]) ** 2)
            ),
            "squared errors",
        ),
        (
            lambda a, f, train, m: np.abs(a - f).sum() / np.abs(train[m:] - train[:-m]).sum(),
            "different numbers of hours",
        ),
        (lambda a, f, train, m: np.abs(a - f).sum() / ruler(train, m), "is a sum"),
        (lambda a, f, train, m: np.abs(a - f).mean() / train.std(), "not the spread"),
        (
            lambda a, f, train, m: np.abs(a - f).mean() / np.abs(train - train.mean()).mean(),
            "not that of the mean",
        ),
        (lambda a, f, train, m: np.abs(a - f) / ruler(train, m), "one number an hour"),
        (lambda a, f, train, m: np.mean(np.abs(a - f) / np.abs(a)), "relative error"),
        (lambda a, f, train, m: np.mean(np.abs(a - f) / train), "broadcast"),
    ],
    "check_pinball": [
        (lambda y, f, q: pinball(f, y, q), "sides are swapped"),
        (lambda y, f, q: pinball(y, f, 1 - q), "sides are swapped"),
        (lambda y, f, q: np.minimum(q * (y - f), (q - 1) * (y - f)).mean(), "take the larger"),
        (lambda y, f, q: np.mean(q * (y - f).clip(0)), "too much forecast costs nothing"),
        (lambda y, f, q: np.mean((1 - q) * (f - y).clip(0)), "too little forecast costs nothing"),
        (lambda y, f, q: np.mean(np.where(y > f, q, 1 - q) * (y - f)), "never negative"),
        (lambda y, f, q: np.abs(y - f).mean(), "q must tell them apart"),
        (lambda y, f, q: q * np.abs(y - f).mean(), "costs 1 - q"),
        (lambda y, f, q: 2 * pinball(y, f, q), "twice as large"),
        (lambda y, f, q: pinball(y, f, q) * y.size, "a sum came back"),
        (lambda y, f, q: np.where(y > f, q * (y - f), (q - 1) * (y - f)), "an entry came back"),
        (lambda y, f, q: np.mean(np.where(y > f, q, 1 - q)), "by how far"),
        (lambda y, f, q: np.mean(np.where(y > f, q, 1 - q) * (y - f) ** 2), "squared distances"),
        (
            lambda y, f, q: max(q * (y - f).mean(), (q - 1) * (y - f).mean()),
            "too early",
        ),
        (lambda y, f, q: -pinball(y, f, q), "the sign"),
    ],
    "check_floor": [
        (wrong_floor(lambda psi, s: s * psi), "weights of single shocks"),
        (wrong_floor(lambda psi, s: s * np.abs(psi)), "weights of single shocks"),
        (wrong_floor(lambda psi, s: s * np.cumsum(psi)), "not the shocks themselves"),
        (wrong_floor(lambda psi, s: s**2 * np.cumsum(psi**2)), "take the root"),
        (wrong_floor(lambda psi, s: s * np.cumsum(psi**2)), "root of the sum of squares"),
        (wrong_floor(lambda psi, s: s * rooted(psi, s)), "must not be squared"),
        (wrong_floor(lambda psi, s: np.sqrt(s * np.cumsum(psi**2))), "without its square"),
        (wrong_floor(lambda psi, s: rooted(psi, 1.0)), "sigma is missing"),
        (wrong_floor(rooted, lambda phi: phi[::-1]), "wrong end"),
        (wrong_floor(rooted, lambda phi: phi[:1]), "only the first coefficient"),
        (lambda phi, sigma, P: sigma * np.sqrt(1 + np.arange(P)), "never fade"),
        (lambda phi, sigma, P: np.ones(P) * sigma, "the same for every horizon"),
        (lambda phi, sigma, P: floor(phi, sigma, P + 1)[1:], "one hour too far"),
        (lambda phi, sigma, P: [0.0, *floor(phi, sigma, P)[:-1]], "psi_0 = 1"),
        (
            lambda phi, sigma, P: np.sqrt(2 / np.pi) * np.array(floor(phi, sigma, P)),
            "mean absolute error",
        ),
        (lambda phi, sigma, P: floor(phi, sigma, P)[-1], "only the last horizon"),
    ],
    "check_widen": [
        (wrong_width(both_ends, np.quantile), "between two values"),
        (wrong_width(both_ends, lambda a, s: a[min(round(s * len(a) + 0.49), len(a) - 1)]), "more"),
        (
            wrong_width(
                both_ends, lambda a, s: kth(a[:-1], s * len(a) / (len(a) - 1) - 1 / (len(a) - 1))
            ),
            "left out",
        ),
        (wrong_width(both_ends, lambda a, s: max(kth(a, s), 0.0)), "negative number"),
        (wrong_width(lambda *band: both_ends(*band).clip(0), kth), "negative number"),
        (wrong_width(both_ends, lambda a, s: -kth(a, s)), "the sign"),
        (wrong_width(both_ends, lambda a, s: 2 * kth(a, s)), "each side is asked"),
        (wrong_width(both_ends, lambda a, s: kth(a, 1 - s)), "leaves the share outside"),
        (wrong_width(both_ends, lambda a, s: a[-1]), "every value"),
        (wrong_width(both_ends, lambda a, s: kth(a, (1 + s) / 2)), "one end alone"),
        (wrong_width(lambda low, high, y: y - high, kth), "only the upper end"),
        (wrong_width(lambda low, high, y: low - y, kth), "only the lower end"),
        (wrong_width(lambda low, high, y: np.minimum(low - y, y - high), kth), "beyond one end"),
        (wrong_width(lambda low, high, y: np.abs(y - (low + high) / 2), kth), "from the middle"),
        (lambda low, high, y, share: np.zeros(len(y)), "expected one number"),
    ],
    "check_recursive": [
        (moving(lambda window, new: window), "the same forecast"),
        (moving(lambda window, new: np.append(window, new)), "the window grows"),
        (moving(lambda window, new: np.append(new, window[:-1])), "put in front"),
        (moving(lambda window, new: np.append(window[:-1], new)), "the oldest one must go"),
        (lambda f, x, P: np.append(x, feed_back(f, x, P)), "came back as well"),
        (lambda f, x, P: np.append(x, feed_back(f, x, P))[-len(x) :], "the last window"),
        (lambda f, x, P: feed_back(f, x, P)[-1], "only the last forecast"),
        (lambda f, x, P: feed_back(f, x, P)[::-1], "run backwards"),
        (lambda f, x, P: feed_back(f, x, P + 1), "one forecast too many"),
        (lambda f, x, P: feed_back(f, x, P + 1)[1:], "left out"),
        (lambda f, x, P: feed_back(f, x[::-1], P), "read backwards"),
        (in_place, "changes its argument"),
    ],
}

RIGHT = {
    "check_windows": [windows, windows_in_lists],
    "check_seasonal": [season, season_by_tiling],
    "check_mase": [mase, lambda a, f, train, m: np.mean(np.abs(f - a)) / ruler(train, m)],
    "check_pinball": [pinball, pinball_by_parts],
    "check_floor": [floor, floor_by_companion],
    "check_widen": [widen, widen_by_quantile],
    "check_recursive": [feed_back, feed_back_by_recursion],
}
