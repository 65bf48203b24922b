"""Answers that the checks of chapter 01 must reject, with a piece of what they must say."""

import itertools

import numpy as np

from tests.wrong_answers import Args

TABLE = np.array([[1 / 4, 3 / 4, 0], [1 / 3, 1 / 3, 1 / 3], [1, 0, 0]])
COUNTS = np.array([[1.0, 3, 0], [1, 1, 1], [2, 0, 0]])
GLUED = np.array([[1.0, 3, 1], [1, 1, 1], [2, 0, 0]])


def rows(x):
    with np.errstate(invalid="ignore"):
        return x / x.sum(axis=1, keepdims=True)


# ---- what a good student hands in ------------------------------------------------------------


def log_prob(y, pi, A):
    total = np.log(pi[y[0]])
    for t in range(1, len(y)):
        total += np.log(A[y[t - 1], y[t]])
    return total


def forecast(today, A, n):
    belief = np.eye(len(A))[today]
    for _ in range(n):
        belief = belief @ A
    return belief


def stationary(A):
    share = np.full(len(A), 1 / len(A))
    for _ in range(2000):
        share = share @ A
    return share


def eigenvector(A):
    values, vectors = np.linalg.eig(A.T)
    return np.real(vectors[:, np.argmin(np.abs(values - 1))])


def score(y, A):
    nats = -np.mean([np.log(A[i, j]) for i, j in itertools.pairwise(y)])
    return nats, nats / np.log(2), np.exp(nats)


def interpolate(counts, shorter, weight):
    table = np.tile(shorter, (len(counts) // len(shorter), 1))
    for i, row in enumerate(counts):
        if row.sum() > 0:
            table[i] = weight * row / row.sum() + (1 - weight) * table[i]
    return table


def spells(y, symbol):
    lengths, run = [], 0
    for value in [*y, None]:
        if value is not None and value == symbol:
            run += 1
        elif run:
            lengths.append(run)
            run = 0
    return lengths


# ---- and what others do ----------------------------------------------------------------------


def spells_without_the_last(y, symbol):
    lengths, run = [], 0
    for value in y:
        if value == symbol:
            run += 1
        elif run:
            lengths.append(run)
            run = 0
    return np.array(lengths)


def spells_by_differences(y, symbol):
    edges = np.flatnonzero(np.diff((np.asarray(y) == symbol).astype(int)))
    return np.diff(edges)


def three_units(nats):
    return nats, nats / np.log(2), np.exp(nats)


CYCLE = np.array([[0.2, 0.7, 0.1], [0.1, 0.2, 0.7], [0.7, 0.1, 0.2]])
SLOW = np.array([[0.6, 0.35, 0.05], [0.05, 0.6, 0.35], [0.35, 0.05, 0.6]])
STUCK = np.array([[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]])
UNEVEN = np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.4, 0.1, 0.5]])

WRONG = {
    "check_table": [
        (COUNTS, "divide each row"),
        (rows(GLUED), "not the day before the next notebook"),
        (COUNTS / COUNTS.sum(axis=0), "divided by the column sums"),
        (rows(COUNTS.T), "from and to are swapped"),
        (TABLE.T, "columns sum to 1"),
        (COUNTS / COUNTS.sum(), "number of all steps"),
        (rows(COUNTS + 1), "entries are off"),
        (TABLE[:, :2], "expected shape (3, 3)"),
        (TABLE.round(2), "rounded"),
    ],
    "check_log_prob": [
        (lambda y, pi, A: np.exp(log_prob(y, pi, A)), "take the log"),
        (lambda y, pi, A: log_prob(y, pi, A) - np.log(pi[y[0]]), "where is pi"),
        (lambda y, pi, A: log_prob(y, pi, A.T), "from i to j"),
        (lambda y, pi, A: log_prob(y, pi, A) / np.log(2), "bits"),
        (lambda y, pi, A: log_prob(y, pi, A) / np.log(10), "base 10"),
        (lambda y, pi, A: log_prob(y, pi, A) / len(y), "asks for a sum"),
        (lambda y, pi, A: -log_prob(y, pi, A), "sign"),
        (lambda y, pi, A: np.log(pi[y]).sum(), "scores a bag"),
        (log_prob(np.array([0, 1]), *[np.array([0.5, 0.5]), np.eye(2) / 2 + 0.25]), "a function"),
        (lambda y, pi, A: sum(np.log(A[y[t], y[t + 1]]) for t in range(len(y))), "runs past"),
    ],
    "check_forecast": [
        (lambda i, A, n: (A**n)[i], "every entry"),
        (lambda i, A, n: np.linalg.matrix_power(A, n)[:, i], "a column"),
        (lambda i, A, n: forecast(i, A, n + 1), "one step too many"),
        (lambda i, A, n: forecast(i, A, max(n - 1, 0)), "one step too few"),
        (lambda i, A, n: A[i], "this is tomorrow"),
        (lambda i, A, n: stationary(A), "the long run"),
        (lambda i, A, n: np.linalg.matrix_power(A, n), "an axis too many"),
    ],
    "check_stationary": [
        (lambda A: np.full(len(A), 1 / len(A)), "equal shares"),
        (lambda A: np.linalg.matrix_power(A, 2)[0], "two steps"),
        (lambda A: A[0], "one step from symbol 0"),
        (lambda A: A.mean(axis=0), "plain mean"),
        (lambda A: np.abs(eigenvector(A)), "divide by its sum"),
        (lambda A: np.log(stationary(A)), "log probabilities"),
        (lambda A: np.linalg.eig(A.T)[1][:, 0], "take np.real"),
    ],
    "check_score": [
        (lambda y, A: three_units(score(y, A)[0] * (len(y) - 1)), "take the mean"),
        (lambda y, A: three_units(score(y, A)[0] * (len(y) - 1) / len(y)), "off by one"),
        (lambda y, A: score(y, A.T), "from i to j"),
        (
            lambda y, A: (score(y, A)[0], score(y, A)[0] * np.log(2), score(y, A)[2]),
            "divide by log",
        ),
        (lambda y, A: (*score(y, A)[:2], np.exp(score(y, A)[1])), "exp belongs to nats"),
        (lambda y, A: (*score(y, A)[:2], 2 ** score(y, A)[0]), "2 ** belongs to bits"),
        (lambda y, A: (-score(y, A)[0], -score(y, A)[1], 1 / score(y, A)[2]), "minus the log"),
        (lambda y, A: score(y, A)[0], "expected 3 results"),
    ],
    "check_same_bag": [
        (Args(CYCLE, CYCLE), "the same table twice"),
        (Args(UNEVEN, CYCLE), "unequally often"),
        (Args(CYCLE, SLOW), "not enough"),
        (Args(STUCK, STUCK[::-1, ::-1]), "reachable"),
        (Args(2 * CYCLE, CYCLE), "sum to 1"),
        (Args(np.full((2, 2), 0.5), np.eye(2)), "three or four"),
        (Args(CYCLE[:2], CYCLE[:2]), "square"),
        (Args(UNEVEN, UNEVEN.T), "sum to 1"),
    ],
    "check_interpolate": [
        (lambda c, s, w: interpolate(c, s, 1 - w), "belongs to the longer"),
        (lambda c, s, w: interpolate(c, np.repeat(s, len(c) // len(s), axis=0), w), "np.tile"),
        (lambda c, s, w: w * rows(c) + (1 - w) * np.tile(s, (len(c) // len(s), 1)), "0 / 0"),
        (
            lambda c, s, w: w * np.nan_to_num(rows(c)) + (1 - w) * interpolate(c * 0, s, 0),
            "the shorter memory alone",
        ),
        (lambda c, s, w: interpolate(c, np.full(s.shape, 1 / s.shape[1]), w), "equal shares"),
        (lambda c, s, w: w * c + (1 - w) * interpolate(c * 0, s, 0), "do not mix"),
        (lambda c, s, w: rows(w * c + (1 - w) * interpolate(c * 0, s, 0)), "do not mix"),
        (lambda c, s, w: interpolate(c, s, w).T, "columns sum to 1"),
        (lambda c, s, w: w * rows(c) + (1 - w) * s, "raised ValueError"),
    ],
    "check_spells": [
        (spells_without_the_last, "until the end"),
        (lambda y, s: spells(y, s)[1:] if y[0] == s else spells(y, s), "the first day"),
        (lambda y, s: np.array(spells(y, s)) - 1, "off by one"),
        (lambda y, s: np.array(spells(y, s)) + 1, "off by one"),
        (lambda y, s: np.mean(spells(y, s)), "this is the mean"),
        (lambda y, s: sorted(spells(y, s)), "order of time"),
        (spells_by_differences, "entries are off"),
    ],
}

RIGHT = {
    "check_table": [TABLE, TABLE.tolist()],
    "check_log_prob": [log_prob],
    "check_forecast": [forecast],
    "check_stationary": [stationary, lambda A: eigenvector(A) / eigenvector(A).sum()],
    "check_score": [score],
    "check_same_bag": [
        Args(CYCLE, CYCLE.T),
        Args(
            UNEVEN,
            UNEVEN.T * stationary(UNEVEN) / stationary(UNEVEN)[:, None],
        ),
    ],
    "check_interpolate": [interpolate],
    "check_spells": [spells],
}
