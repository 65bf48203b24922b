"""Answers that the checks of chapter 04 must reject, with a piece of what they must say."""

import itertools

import numpy as np

from tests.wrong_answers import Args


def rows(x):
    return x / x.sum(axis=-1, keepdims=True)


def sigmoid(L):
    return 1 / (1 + np.exp(-L))


# ---- what a good student hands in ------------------------------------------------------------


def cell(h, x, A, B):
    joint = (h @ A) * (B @ x)
    return joint / joint.sum()


def move(L, A):
    p = np.array([1 - sigmoid(L), sigmoid(L)]) @ A
    return np.log(p[1] / p[0])


def kalman_step(mean, var, y, a, q, r):
    mean, var = a * mean, a**2 * var + q
    precision = 1 / var + 1 / r  # another way to the same numbers
    return (mean / var + y / r) / precision, 1 / precision


def settled(a, q, r):
    b = q - r * (1 - a**2)  # positive root of P^2 - b P - q r = 0, P the predicted variance
    P = (b + np.sqrt(b**2 + 4 * q * r)) / 2
    return a * r / (P + r), P / (P + r)


def network(A, B):
    ratio = np.sqrt(A[0, 0] * A[1, 1] / (A[0, 1] * A[1, 0]))
    b = np.log(np.sqrt(A[1, 1] / A[0, 0]))
    return (
        [np.log(p / q) / 2 for p, q in zip(B[1], B[0], strict=True)],
        (ratio - 1) / (ratio + 1),
        b,
    )


def joint_belief(L):
    belief = np.ones(1)
    for p in sigmoid(L):
        belief = np.kron(belief, [1 - p, p])
    return belief


def normal(x, mean, var):
    return np.exp(-((x - mean) ** 2) / (2 * var))


def grid_filter(y, a, q, r, mean0, var0, points, moves_first=False, centred=True):
    A = rows(normal(points, a * points[:, None], q))
    prior = rows(normal(points, mean0, var0))
    mean, var = [], []
    for seen in y:
        prior = prior @ A if moves_first and not mean else prior
        belief = rows(prior * normal(seen, points, r))
        mean.append(belief @ points)
        var.append(belief @ (points - (mean[-1] if centred else 0)) ** 2)
        prior = belief @ A
    return np.array(mean), np.array(var)


# ---- and what others do ----------------------------------------------------------------------


def softmax_cell(h, x, A, B):
    e = np.exp((h @ A) * (B @ x))
    return e / e.sum()


def move_by_exp(L, A):
    odds = np.exp(L)
    return np.log((A[0, 1] + A[1, 1] * odds) / (A[0, 0] + A[1, 0] * odds))


def kalman_not_squared(mean, var, y, a, q, r):
    P = a * var + q
    return a * mean + P / (P + r) * (y - a * mean), P - P * P / (P + r)


def kalman_not_shrunk(mean, var, y, a, q, r):
    return kalman_step(mean, var, y, a, q, r)[0], a**2 * var + q


def kalman_gain(mean, var, y, a, q, r, gain):
    return a * mean + gain * (y - a * mean), (1 - gain) * (a**2 * var + q)


def kalman_old_mean(mean, var, y, a, q, r):
    P = a**2 * var + q
    return mean + P / (P + r) * (y - mean), P * r / (P + r)


def changed(change):
    """A wrong `network`: the right three results, changed."""
    return lambda A, B: change(np.array(network(A, B)[0]), *network(A, B)[1:], A)


def least_significant_first(L):
    belief = np.ones(1)
    for p in sigmoid(L):
        belief = np.kron([1 - p, p], belief)
    return belief


def ones_only(L):
    bits = itertools.product([0, 1], repeat=len(L))
    return np.array(
        [np.prod([p for p, b in zip(sigmoid(L), bit, strict=True) if b]) for bit in bits]
    )


SAME, HALF, SWAP = np.eye(2), np.full((2, 2), 0.5), np.eye(2)[::-1]

WRONG = {
    "check_cell": [
        (lambda h, x, A, B: (h @ A) * (B @ x), "this is the joint"),
        (softmax_cell, "softmax exponentiates"),
        (lambda h, x, A, B: cell(h, x, A.T, B), "reads the table backwards"),
        (lambda h, x, A, B: cell(h, x, A, B.T), "picks a row"),
        (lambda h, x, A, B: rows(h * (B @ x)), "predict first"),
        (lambda h, x, A, B: rows(h @ A + B @ x), "it multiplies"),
        (lambda h, x, A, B: rows(h * (B @ x)) @ A, "about the next step"),
        (lambda h, x, A, B: np.tanh((h @ A) * (B @ x)), "did you normalise"),
    ],
    "check_move": [
        (move_by_exp, "overflows"),
        (lambda L, A: A[0, 1] + (A[1, 1] - A[0, 1]) * sigmoid(L), "this is the probability"),
        (lambda L, A: move(L, A.T), "read backwards"),
        (lambda L, A: -move(L, A), "of state 0"),
        (lambda L, A: (A[1, 1] - A[0, 1]) * L, "in proportion"),
    ],
    "check_three_tables": [
        (Args(HALF, HALF, SWAP), "keep changes"),
        (Args(SAME, SAME, SWAP), "still lets the old"),
        (Args(SAME, np.array([[0.2, 0.8], [0.2, 0.8]]), SWAP), "not even odds"),
        (Args(SAME, HALF, SAME), "turn evidence round"),
        (Args(SAME, HALF, np.array([[0.9, 0.3], [0.1, 0.7]])), "flip must be 2 by 2"),
        (Args(2 * SAME, HALF, SWAP), "keep must be 2 by 2"),
    ],
    "check_kalman_step": [
        (kalman_not_squared, "a * a times larger"),
        (kalman_not_shrunk, "shrink the variance"),
        (lambda m, v, y, a, q, r: kalman_step(m, v, y, 1.0, 0.0, r), "without predicting"),
        (kalman_old_mean, "the mean moves too"),
        (lambda m, v, y, a, q, r: kalman_gain(m, v, y, a, q, r, v / (v + r)), "old variance"),
        (
            lambda m, v, y, a, q, r: kalman_gain(m, v, y, a, q, r, r / (a**2 * v + q + r)),
            "upside down",
        ),
        (lambda *step: kalman_step(*step)[0], "expected 2 results"),
        (lambda *step: kalman_step(*step)[::-1], "mean"),
    ],
    "check_settled": [
        (lambda a, q, r: settled(a, q, r)[::-1], "swapped"),
        (lambda a, q, r: (1 - settled(a, q, r)[1], settled(a, q, r)[1]), "multiplied by a"),
        (lambda a, q, r: (a, settled(a, q, r)[1]), "the prediction loses"),
        (lambda a, q, r: (a * r / (q + r), q / (q + r)), "repeat until it settles"),
        (lambda a, q, r: settled(a, q, r)[1], "expected 2 results"),
    ],
    "check_network": [
        (changed(lambda w, u, b, A: (2 * w, u, b)), "the evidence is halved"),
        (changed(lambda w, u, b, A: (w, u, 2 * b)), "the bias is halved"),
        (changed(lambda w, u, b, A: (2 * w, u, 2 * b)), "before the tanh"),
        (changed(lambda w, u, b, A: (w, np.linalg.eigvals(A).min(), b)), "second eigenvalue"),
        (changed(lambda w, u, b, A: (w, np.arctanh(u), b)), "the coupling J"),
        (changed(lambda w, u, b, A: (-w, u, b)), "of state 1 against 0"),
        (changed(lambda w, u, b, A: (w, u, -b)), "which state stays longer"),
        (changed(lambda w, u, b, A: (w, u, 0.0)), "where is the bias"),
    ],
    "check_joint_belief": [
        (least_significant_first, "slowest"),
        (lambda L: joint_belief(-L), "swapped"),
        (lambda L: [sum(x) for x in itertools.product(*[(0, v) for v in L])], "sums of log odds"),
        (ones_only, "multiply by 1 - p"),
        (sigmoid, "one number a bit"),
    ],
    "check_grid_filter": [
        (lambda *case: grid_filter(*case, centred=False), "mean square"),
        (lambda *case: grid_filter(*case, moves_first=True), "before the first observation"),
        (
            lambda y, a, q, r, m, v, points: grid_filter(y, a, q**2, r**2, m, v**2, points),
            "standard deviation",
        ),
        (lambda y, a, q, r, m, v, points: grid_filter(y, 1.0, q, r, m, v, points), "around a * x"),
        (lambda *case: grid_filter(*case)[0], "expected 2 results"),
    ],
}

RIGHT = {
    "check_cell": [cell],
    "check_move": [move],
    "check_three_tables": [
        Args(SAME, HALF, SWAP),
        Args(SAME.tolist(), HALF.tolist(), [[0.4, 0.6], [0.7, 0.3]]),
    ],
    "check_kalman_step": [kalman_step],
    "check_settled": [settled],
    "check_network": [network],
    "check_joint_belief": [joint_belief],
    "check_grid_filter": [grid_filter],
}
