"""Checks of chapter 04, From HMM to RNN: one family.

Letters: T time, K states, V symbols. Tables are asymmetric, starts are not stationary, and K = V,
so that a table read the wrong way round gives a wrong number, not an error.
"""

import itertools

import numpy as np

from course_lib.exercises.kit import exercise, wrong_claim, wrong_function

COIN = np.array([[0.7, 0.3], [0.2, 0.8]]), np.array([[0.5, 0.5], [0.1, 0.9]])
CLIMATE = (
    np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.4, 0.1, 0.5]]),
    np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.1, 0.2, 0.7]]),
)
LOG_ODDS = np.array([-3.0, -1.0, 0.0, 0.4, 2.5])


def _rows(x):
    return x / x.sum(axis=-1, keepdims=True)


def _softmax(x):
    return _rows(np.exp(x - x.max()))


@exercise("4.1 The forward step as a cell")
def check_cell(function):
    """One step of the forward recursion from a belief and a one-hot input."""
    cases = [
        (np.array([0.8, 0.2]), np.array([0.0, 1.0]), *COIN),
        (np.array([0.2, 0.7, 0.1]), np.array([1.0, 0.0, 0.0]), *CLIMATE),
    ]
    return wrong_function(
        function,
        cases,
        want=lambda h, x, A, B: _rows((h @ A) * (B @ x)),
        axes=("state",),
        distribution=True,
        likely=[
            (
                lambda h, x, A, B: (h @ A) * (B @ x),
                "this is the joint: the activation of this cell is to divide by the sum",
            ),
            (
                lambda h, x, A, B: _softmax((h @ A) * (B @ x)),
                "softmax exponentiates first; these are probabilities already: divide by their sum",
            ),
            (
                lambda h, x, A, B: _rows((A @ h) * (B @ x)),
                "`A @ h` reads the table backwards; states are rows: `h @ A`",
            ),
            (
                lambda h, x, A, B: _rows((h @ A) * (x @ B)),
                "`x @ B` picks a row, what one state shows; every state's view is `B @ x`",
            ),
            (
                lambda h, x, A, B: _rows(h * (B @ x)),
                "the state may have moved since the last input: predict first",
            ),
            (
                lambda h, x, A, B: _rows((h @ A) + (B @ x)),
                "the input is added here; in this cell it multiplies",
            ),
            (
                lambda h, x, A, B: _rows(h * (B @ x)) @ A,
                "weighted first and predicted afterwards: this belief is about the next step",
            ),
        ],
    )


def _sigmoid(L):
    return np.exp(-np.logaddexp(0.0, -np.asarray(L, dtype=float)))


def _move(L, A):
    stay, come = np.log(A[1]), np.log(A[0])  # from state 1, from state 0
    return np.logaddexp(come[1], stay[1] + L) - np.logaddexp(come[0], stay[0] + L)


@exercise("4.2 Log odds, one step later")
def check_move(function):
    """Log odds of state 1 at the next step, before anything is seen."""
    tables = COIN[0], np.array([[0.95, 0.05], [0.1, 0.9]])
    cases = [(L, A) for A in tables for L in (-1.3, 0.0, 2.2, 40.0, 1000.0, -1000.0)]

    def naive(L, A):
        return np.log((A[0, 1] + A[1, 1] * np.exp(L)) / (A[0, 0] + A[1, 0] * np.exp(L)))

    return wrong_function(
        function,
        cases,
        want=_move,
        likely=[
            (naive, "right on small numbers; exp(1000) overflows: go through the sigmoid"),
            (
                lambda L, A: A[0, 1] + (A[1, 1] - A[0, 1]) * _sigmoid(L),
                "this is the probability; the question asks for its log odds",
            ),
            (lambda L, A: _move(L, A.T), "the table is read backwards: A[i, j] goes from i to j"),
            (lambda L, A: -_move(L, A), "these are the log odds of state 0"),
            (
                lambda L, A: (A[1, 1] - A[0, 1]) * L,
                "log odds do not shrink in proportion; that is the linear cell of a later stop",
            ),
        ],
    )


@exercise("4.3 Three tables of your own")
def check_three_tables(keep, forget, flip):
    """Transition tables whose move is the identity, a constant 0, and a decreasing function."""
    tables = {"keep": keep, "forget": forget, "flip": flip}
    tables = {name: np.asarray(A, dtype=float) for name, A in tables.items()}

    def moved(name):
        p = _sigmoid(LOG_ODDS)
        p = p * tables[name][1, 1] + (1 - p) * tables[name][0, 1]
        with np.errstate(divide="ignore"):
            return np.log(p) - np.log1p(-p)

    def probabilities(A):
        return A.shape == (2, 2) and (A >= 0).all() and np.allclose(A.sum(axis=1), 1)

    claims = [
        (lambda _, A=A: probabilities(A), f"{name} must be 2 by 2, its rows probabilities, sum 1")
        for name, A in tables.items()
    ]
    claims += [
        (lambda _: np.allclose(moved("keep"), LOG_ODDS), "keep changes the log odds; nobody moves"),
        (
            lambda _: np.ptp(moved("forget")) < 1e-9,
            "forget still lets the old log odds through; its two rows must say the same",
        ),
        (
            lambda _: np.allclose(moved("forget"), 0),
            "forget forgets, but its prediction is not even odds: log odds 0 are one half",
        ),
        (
            lambda _: (np.diff(moved("flip")) < 0).all(),
            "flip must turn evidence round: the more surely state 1 now, the less likely next",
        ),
    ]
    return wrong_claim(None, claims)


def _kalman_step(mean, var, y, a, q, r):
    ahead = a * a * var + q
    gain = ahead / (ahead + r)
    return a * mean + gain * (y - a * mean), (1 - gain) * ahead


@exercise("4.4 One step of the Kalman filter")
def check_kalman_step(function):
    """Mean and variance after one more observation."""

    def with_gain(mean, var, y, a, q, r, gain):
        return a * mean + gain * (y - a * mean), (1 - gain) * (a * a * var + q)

    def not_squared(mean, var, y, a, q, r):
        ahead = a * var + q
        return a * mean + ahead / (ahead + r) * (y - a * mean), ahead * r / (ahead + r)

    def not_shrunk(mean, var, y, a, q, r):
        return _kalman_step(mean, var, y, a, q, r)[0], a * a * var + q

    def not_moved(mean, var, y, a, q, r):
        return _kalman_step(mean, var, y, 1.0, 0.0, r)

    def from_old_mean(mean, var, y, a, q, r):
        new = _kalman_step(mean, var, y, a, q, r)
        ahead = a * a * var + q
        return mean + ahead / (ahead + r) * (y - mean), new[1]

    cases = [(0.3, 0.5, 1.7, 0.85, 0.06, 1.6), (-1.0, 2.0, 0.4, 0.6, 0.3, 0.2)]
    return wrong_function(
        function,
        cases,
        want=_kalman_step,
        parts=("mean", "variance"),
        likely=[
            (not_squared, "a number a times larger has a variance a * a times larger"),
            (not_shrunk, "the mean is right; having looked, you know more: shrink the variance"),
            (not_moved, "weighted without predicting first: the state moves before you look"),
            (from_old_mean, "the mean moves too: compare y with the predicted mean a * mean"),
            (
                lambda m, v, y, a, q, r: with_gain(m, v, y, a, q, r, v / (v + r)),
                "the gain is taken from the old variance; use the predicted one",
            ),
            (
                lambda m, v, y, a, q, r: with_gain(m, v, y, a, q, r, r / ((a * a * v + q) + r)),
                "the gain is upside down: a noisy observation, large r, must count little",
            ),
        ],
    )


def _settled(a, q, r, steps=2000):
    var = r
    for _ in range(steps):
        ahead = a * a * var + q
        var = ahead * r / (ahead + r)
    ahead = a * a * var + q
    return a, ahead / (ahead + r), var / (var + r)  # a, gain, gain from the wrong variance


@exercise("4.5 A filter that has settled")
def check_settled(function):
    """Weights (recurrent, input) of the scalar linear cell that the Kalman filter becomes."""

    def pair(choose):
        return lambda a, q, r: choose(*_settled(a, q, r))

    return wrong_function(
        function,
        [(0.85, 0.06, 1.6), (0.5, 1.0, 0.3), (0.99, 0.001, 5.0)],
        want=pair(lambda a, gain, _: (a * (1 - gain), gain)),
        parts=("recurrent weight", "input weight"),
        rtol=1e-5,
        likely=[
            (pair(lambda a, gain, _: (gain, a * (1 - gain))), "the two weights are swapped"),
            (pair(lambda a, gain, _: (1 - gain, gain)), "the mean is multiplied by a as well"),
            (pair(lambda a, gain, _: (a, gain)), "what y gains, the prediction loses: 1 - gain"),
            (
                pair(lambda a, _, late: (a * (1 - late), late)),
                "this gain is taken from the variance after looking; use the one before",
            ),
            (
                lambda a, q, r: (a * r / (q + r), q / (q + r)),
                "this is the gain of a first step from a known state; repeat until it settles",
            ),
        ],
    )


def _network(A, B):
    coupling = 0.25 * np.log(A[0, 0] * A[1, 1] / (A[0, 1] * A[1, 0]))
    return 0.5 * np.log(B[1] / B[0]), np.tanh(coupling), 0.5 * np.log(A[1, 1] / A[0, 0])


@exercise("4.6 A network set by hand")
def check_network(function):
    """Weights (W_xh, W_hh, b) of the one-unit network that imitates a two-state filter."""
    cases = [
        COIN,
        (np.array([[0.9, 0.1], [0.35, 0.65]]), np.array([[0.2, 0.3, 0.5], [0.6] + 2 * [0.2]])),
    ]

    def changed(change):
        return lambda A, B: change(*_network(A, B), A)

    return wrong_function(
        function,
        cases,
        want=_network,
        parts=("W_xh", "W_hh", "b"),
        likely=[
            (
                changed(lambda w, u, b, A: (2 * w, u, b)),
                "h is the tanh of half of the log odds: the evidence is halved, too",
            ),
            (
                changed(lambda w, u, b, A: (w, u, 2 * b)),
                "h is the tanh of half of the log odds: the bias is halved, too",
            ),
            (changed(lambda w, u, b, A: (2 * w, u, 2 * b)), "log odds are halved before the tanh"),
            (
                changed(lambda w, u, b, A: (w, 1 - A[0, 1] - A[1, 0], b)),
                "this is the second eigenvalue of A, near to the slope rho and not equal to it",
            ),
            (
                changed(lambda w, u, b, A: (w, np.arctanh(u), b)),
                "this is the coupling J: the slope is its tanh",
            ),
            (changed(lambda w, u, b, A: (-w, u, b)), "L are the log odds of state 1 against 0"),
            (
                changed(lambda w, u, b, A: (w, u, -b)),
                "the bias says which state stays longer: 1 over 0",
            ),
            (
                changed(lambda w, u, b, A: (w, u, 0 * b)),
                "where is the bias? The states stay unequally",
            ),
        ],
    )


def _joint(L, order=1):
    bits = np.array(list(itertools.product([0, 1], repeat=len(L))))[:, ::order]
    p = _sigmoid(L)
    return np.prod(np.where(bits == 1, p, 1 - p), axis=1)


@exercise("4.7 n numbers for two to the n")
def check_joint_belief(function):
    """Belief over all combinations of independent bits, from their log odds."""
    cases = [np.array([0.7, -1.2]), np.array([2.0, 0.1, -0.6]), np.array([-0.3])]
    return wrong_function(
        function,
        cases,
        want=_joint,
        axes=("combination",),
        distribution=True,
        likely=[
            (lambda L: _joint(L, order=-1), "the first bit must change slowest, as in `product`"),
            (lambda L: _joint(-L), "bits 0 and 1 are swapped: L > 0 makes 1 the likelier"),
            (
                lambda L: np.array([
                    L[np.array(b) == 1].sum() for b in itertools.product([0, 1], repeat=len(L))
                ]),
                "these are sums of log odds: turn them into probabilities, and normalise",
            ),
            (
                lambda L: np.array([
                    np.prod(_sigmoid(L)[np.array(b) == 1])
                    for b in itertools.product([0, 1], repeat=len(L))
                ]),
                "a bit that is 0 has a probability too: multiply by 1 - p",
            ),
            (lambda L: _sigmoid(L), "this is one number a bit; asked is one a combination"),
        ],
    )  # fmt: skip


def _kalman(y, a, q, r, mean0, var0, _points=None):
    mean, var = np.empty(len(y)), np.empty(len(y))
    for t, seen in enumerate(y):
        ahead_mean, ahead = (mean0, var0) if t == 0 else (a * mean[t - 1], a * a * var[t - 1] + q)
        gain = ahead / (ahead + r)
        mean[t], var[t] = ahead_mean + gain * (seen - ahead_mean), (1 - gain) * ahead
    return mean, var


@exercise("4.8 A line made of points")
def check_grid_filter(function):
    """Mean and variance of a Bayes filter on points of a line, equal to the Kalman filter."""
    rng = np.random.default_rng(48)
    points = np.linspace(-8.0, 8.0, 401)
    cases = [
        (rng.normal(size=6), 0.85, 0.2, 1.6, 0.3, 0.5, points),
        (rng.normal(size=3), 0.6, 0.3, 0.4, -1.0, 1.5, points),
    ]

    def second_moment(*case):
        mean, var = _kalman(*case)
        return mean, var + mean**2

    def moved_early(y, a, q, r, mean0, var0, _):
        return _kalman(y, a, q, r, a * mean0, a * a * var0 + q)

    return wrong_function(
        function,
        cases,
        want=_kalman,
        parts=("mean", "variance"),
        rtol=1e-6,
        atol=1e-6,
        likely=[
            (second_moment, "this is the mean square; subtract the square of the mean"),
            (moved_early, "moved before the first observation: the start is about the first state"),
            (
                lambda y, a, q, r, m, v, _: _kalman(y, a, q**2, r**2, m, v**2),
                "a variance was used as a standard deviation: the exponent divides by it once",
            ),
            (
                lambda y, a, q, r, m, v, _: _kalman(y, 1.0, q, r, m, v),
                "from x the state goes to around a * x, not to around x",
            ),
        ],
    )
