"""Answers that the checks of chapter 02 must reject, with a piece of what they must say."""

import numpy as np

from tests.wrong_answers import Args

PI, A, B = (
    np.array([0.6, 0.4]),
    np.array([[0.7, 0.3], [0.2, 0.8]]),
    np.array([[0.5, 0.5], [0.1, 0.9]]),
)
CASINO = (
    np.array([2 / 3, 1 / 3]),
    np.array([[0.95, 0.05], [0.1, 0.9]]),
    np.array([[1 / 6] * 6, [0.1] * 5 + [0.5]]),
)


def rows(x):
    return x / x.sum(axis=-1, keepdims=True)


# ---- what a good student hands in ------------------------------------------------------------


def one_step(belief, symbol, A, B):
    return rows((belief @ A) * B[:, symbol])


def predict(belief, A, B, symbol, n):
    for _ in range(n):
        belief = belief @ A
    return sum(belief[k] * B[k, symbol] for k in range(len(belief)))


def forward(y, pi, A, B):
    alpha, log_c, prior = [], 0.0, pi
    for symbol in y:
        joint = prior * B[:, symbol]
        alpha.append(rows(joint))
        log_c += np.log(joint.sum())
        prior = alpha[-1] @ A
    return np.array(alpha), log_c


def honest(y):
    odds = np.exp(forward(y, *CASINO)[1] + len(y) * np.log(6))
    return 1 / (1 + odds)


def future(y, A, B, shift=1):
    beta = [np.ones(len(A))]
    for t in reversed(range(len(y) - 1)):
        beta.insert(0, rows(A @ (B[:, y[t + shift]] * beta[0])))
    return np.array(beta)


def smoother(y, pi, A, B):
    return rows(forward(y, pi, A, B)[0] * future(y, A, B))


def viterbi(y, pi, A, B):
    log_delta, back = np.log(pi) + np.log(B[:, y[0]]), []
    for symbol in y[1:]:
        scores = log_delta[:, None] + np.log(A)
        back.append(scores.argmax(axis=0))
        log_delta = scores.max(axis=0) + np.log(B[:, symbol])
    path = [int(log_delta.argmax())]
    for pointers in reversed(back):
        path.insert(0, int(pointers[path[0]]))
    return path


def filter_with_gaps(y, pi, A, B):
    alpha, prior = np.empty((len(y), len(pi))), pi
    for t, symbol in enumerate(y):
        alpha[t] = rows(prior * (1 if symbol == -1 else B[:, symbol]))
        prior = alpha[t] @ A
    return alpha


def fixed_lag(y, pi, A, B, lag):
    last = len(y) - 1
    return np.array([smoother(y[: min(t + lag, last) + 1], pi, A, B)[t] for t in range(len(y))])


def sample_path(y, pi, A, B, rng):
    alpha = forward(y, pi, A, B)[0]
    z = [rng.choice(len(pi), p=alpha[-1])]
    for a in alpha[-2::-1]:
        z.insert(0, rng.choice(len(pi), p=rows(a * A[:, z[0]])))
    return np.array(z)


# ---- and what others do ----------------------------------------------------------------------


def honest_without_logs(y):
    pi, A, B = CASINO
    a = pi * B[:, y[0]]
    for symbol in y[1:]:
        a = (a @ A) * B[:, symbol]
    p = (1 / 6) ** len(y)
    return p / (p + a.sum())


def smoother_back_transposed(y, pi, A, B):
    beta = np.ones((len(y), len(pi)))
    for t in range(len(y) - 2, -1, -1):
        beta[t] = (B[:, y[t + 1]] * beta[t + 1]) @ A
    return rows(forward(y, pi, A, B)[0] * beta)


def smoother_not_normalised(y, pi, A, B):
    a, b = np.empty((len(y), len(pi))), np.ones((len(y), len(pi)))
    a[0] = pi * B[:, y[0]]
    for t in range(1, len(y)):
        a[t] = (a[t - 1] @ A) * B[:, y[t]]
    for t in range(len(y) - 2, -1, -1):
        b[t] = A @ (B[:, y[t + 1]] * b[t + 1])
    return a * b


def viterbi_in_probabilities(y, pi, A, B):
    delta, back = pi * B[:, y[0]], []
    for symbol in y[1:]:
        back.append((delta[:, None] * A).argmax(axis=0))
        delta = (delta[:, None] * A).max(axis=0) * B[:, symbol]
    path = [int(delta.argmax())]
    for pointers in reversed(back):
        path.insert(0, int(pointers[path[0]]))
    return path


def viterbi_without_going_back(y, pi, A, B):
    log_delta = np.log(pi) + np.log(B[:, y[0]])
    path = [int(log_delta.argmax())]
    for symbol in y[1:]:
        log_delta = (log_delta[:, None] + np.log(A)).max(axis=0) + np.log(B[:, symbol])
        path.append(int(log_delta.argmax()))
    return np.array(path)


def gaps_are_the_last_symbol(y, pi, A, B):
    return forward(y, pi, A, B)[0]


def gaps_stop_the_clock(y, pi, A, B):
    belief, prior, alpha = pi, pi, []
    for symbol in y:
        if symbol != -1:
            belief = rows(prior * B[:, symbol])
            prior = belief @ A
        alpha.append(belief)
    return np.array(alpha)


def gaps_forget_everything(y, pi, A, B):
    alpha = filter_with_gaps(y, pi, A, B)
    alpha[y == -1] = 1 / len(pi)
    return alpha


def each_step_by_itself(y, pi, A, B, rng):
    return np.array([rng.choice(len(pi), p=g) for g in smoother(y, pi, A, B)])


def from_the_filter(y, pi, A, B, rng):
    return np.array([rng.choice(len(pi), p=a) for a in forward(y, pi, A, B)[0]])


def back_by_a_row(y, pi, A, B, rng):
    alpha = forward(y, pi, A, B)[0]
    z = [rng.choice(len(pi), p=alpha[-1])]
    for a in alpha[-2::-1]:
        z.insert(0, rng.choice(len(pi), p=rows(a * A[z[0]])))
    return np.array(z)


def from_the_prior(y, pi, A, B, rng):
    z = [rng.choice(len(pi), p=pi)]
    for _ in y[1:]:
        z.append(rng.choice(len(pi), p=A[z[-1]]))
    return np.array(z)


ONE = np.ones((3, 1))
THREE = np.array([0.4, 0.3, 0.3])
MEET = np.array([[1.0, 0, 0], [0, 1, 0], [0, 1, 0]])

WRONG = {
    "check_joint": [
        (0.5 * 0.7 * 0.5 * 0.3 * 0.9, "where is pi"),
        (0.6 * 0.5 * 0.7 * 0.5 * 0.2 * 0.9, "reads the table backwards"),
        (0.6 * 0.7 * 0.3, "what does each coin show"),
        (0.5 * 0.5 * 0.9, "how likely is the path"),
        (np.log(0.6 * 0.5 * 0.7 * 0.5 * 0.3 * 0.9), "logarithm"),
        (0.6 + 0.5 + 0.7 + 0.5 + 0.3 + 0.9, "too large"),
    ],
    "check_one_step": [
        (lambda belief, y, A, B: (belief @ A) * B[:, y], "did you normalise"),
        (lambda belief, y, A, B: rows((A @ belief) * B[:, y]), "belief @ A"),
        (lambda belief, y, A, B: rows((belief @ A) * B[y]), "a column"),
        (lambda belief, y, A, B: rows(belief * B[:, y]), "without predicting"),
        (lambda belief, y, A, B: rows(belief * B[:, y]) @ A, "the next step"),
        (lambda belief, y, A, B: belief @ A, "only predicted"),
        (lambda belief, y, A, B: np.log(one_step(belief, y, A, B)), "log probabilities"),
        (one_step(PI, 1, A, B), "expected a function"),
    ],
    "check_predict": [
        (lambda b, A, B, v, n: predict(b, A, B, v, n - 1), "one move too few"),
        (lambda b, A, B, v, n: predict(b, A, B, v, n + 1), "one move too many"),
        (lambda b, A, B, v, n: (b @ A**n @ B)[v], "matrix_power"),
        (lambda b, A, B, v, n: (np.linalg.matrix_power(A, n) @ b @ B)[v], "belief @ A"),
        (lambda b, A, B, v, n: (b @ np.linalg.matrix_power(A, n))[v], "each state show"),
        (lambda b, A, B, v, n: b @ np.linalg.matrix_power(A, n) @ B, "expected one number"),
    ],
    "check_which_house": [
        (honest_without_logs, "underflow"),
        (lambda y: 1 - honest(y), "the casino"),
        (lambda y: -len(y) * np.log(6) - forward(y, *CASINO)[1], "log odds"),
        (lambda y: 0.5, "too"),
    ],
    "check_smoother": [
        (lambda *model: forward(*model)[0], "this is the filter"),
        (lambda y, pi, A, B: rows(forward(y, pi, A, B)[0] * future(y, A, B, 0)), "off by one"),
        (smoother_back_transposed, "from the other side"),
        (smoother_not_normalised, "did you normalise"),
        (lambda y, pi, A, B: rows(future(y, A, B)), "the future alone"),
        (lambda *model: smoother(*model).T, "transposed"),
        (lambda *model: smoother(*model)[::-1], "first axis runs backwards"),
    ],
    "check_viterbi": [
        (lambda *model: smoother(*model).argmax(axis=1), "not the best path"),
        (lambda *model: forward(*model)[0].argmax(axis=1), "largest filter belief"),
        (viterbi_in_probabilities, "underflows"),
        (viterbi_without_going_back, "back pointers"),
        (lambda *model: viterbi(*model)[::-1], "backwards"),
        (lambda *model: viterbi(*model)[:-1], "too short"),
    ],
    "check_missing": [
        (gaps_are_the_last_symbol, "the last symbol"),
        (gaps_stop_the_clock, "predict at every step"),
        (gaps_forget_everything, "the prediction is still there"),
        (lambda y, *model: forward(y[y >= 0], *model)[0], "every step needs a belief"),
    ],
    "check_impossible": [
        (Args(PI, A, B, [0, 1]), "use three"),
        (Args(THREE, np.full((3, 3), 1 / 3), ONE, [0, 0]), "put a zero into A"),
        (Args(THREE, MEET, ONE, [0]), "no transition"),
        (Args(THREE, MEET.T, ONE, [0, 0]), "sum to 1"),
        (Args([0.8, 0.1, 0.1], MEET, ONE, [0, 0]), "form a possible path"),
        (Args(THREE, MEET, ONE, [0, 1]), "from 0 to V - 1"),
        (Args([0.5, 0.25, 0.25], MEET, ONE, [0, 0]), "tie"),
        (Args(THREE, MEET, np.array([[1, 0], [1, 0], [1.0, 0]]), [0, 1]), "no path at all"),
    ],
    "check_fixed_lag": [
        (lambda *c: forward(*c[:4])[0], "this is the filter"),
        (lambda *c: smoother(*c[:4]), "all of the future"),
        (lambda *c: fixed_lag(*c[:4], c[4] - 1), "one step too few"),
        (lambda *c: fixed_lag(*c[:4], c[4] + 1), "one step too many"),
        (lambda *c: fixed_lag(*c).T, "transposed"),
    ],
    "check_sampler": [
        (each_step_by_itself, "given the state after it"),
        (from_the_filter, "follow the filter"),
        (back_by_a_row, "a column"),
        (from_the_prior, "start at the end"),
        (lambda y, pi, A, B, rng: viterbi(y, pi, A, B), "every path is the same"),
        (lambda y, pi, A, B, rng: sample_path(y, pi, A, B, rng)[:-1], "one state a step"),
    ],
}

RIGHT = {
    "check_joint": [0.6 * 0.5 * 0.7 * 0.5 * 0.3 * 0.9],
    "check_one_step": [one_step],
    "check_predict": [predict],
    "check_which_house": [honest],
    "check_smoother": [smoother],
    "check_viterbi": [viterbi],
    "check_missing": [filter_with_gaps],
    "check_impossible": [
        Args(THREE, MEET, ONE, [0, 0]),
        Args(
            [0.8, 0.1, 0.1],
            [[0.8, 0.2, 0.0], [0.1, 0.1, 0.8], [0.3, 0.0, 0.7]],
            [[0.7, 0.3], [0.5, 0.5], [0.2, 0.8]],
            [0, 0, 1, 1],
        ),
    ],
    "check_fixed_lag": [fixed_lag],
    "check_sampler": [sample_path],
}
