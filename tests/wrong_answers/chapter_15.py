"""Answers that the checks of chapter 15 must reject, with a piece of what they must say."""

import numpy as np
from scipy.special import log_softmax
from scipy.special import softmax as scipy_softmax
from scipy.stats import entropy

# ---- what a good student hands in ------------------------------------------------------------


def weights(scores, mask):
    rows = []
    for row, seen in zip(scores, mask, strict=True):
        powers = [np.exp(e - row[seen].max()) if m else 0.0 for e, m in zip(row, seen, strict=True)]
        rows.append([p / sum(powers) for p in powers])
    return rows


def weights_by_scipy(scores, mask):
    return scipy_softmax(np.where(mask, scores, -np.inf), axis=1)


def additive(q, k, W_q, W_k, a):
    return np.array([[np.tanh(x @ W_q + y @ W_k) @ a for y in k] for x in q])


def score_gradient(w, d):
    return np.array([(np.diag(p) - np.outer(p, p)) @ g for p, g in zip(w, d, strict=True)])


def effective(w):
    return np.exp(entropy(w, axis=1))


def window(T, w):
    return np.tril(np.ones((T, T), bool)) & np.triu(np.ones((T, T), bool), 1 - w)


def window_in_lists(T, w):
    return [[0 <= t - s < w for s in range(T)] for t in range(T)]


def corrected(w, x, y, D):
    out = np.zeros_like(w)
    for t, word in enumerate(y):
        out[t] = [w[t, s] * D[other, word] for s, other in enumerate(x)]
        out[t] /= out[t].sum()
    return out


# ---- and what others do ----------------------------------------------------------------------


def soft(scores, axis=1):
    return scipy_softmax(scores, axis=axis)


def no_maximum(scores, mask):
    powers = np.exp(np.where(mask, scores, -np.inf))
    return powers / powers.sum(axis=1, keepdims=True)


def far_below(scores, mask):
    return soft(np.where(mask, scores, -1.0))


def all_rows(scores, mask):
    powers = np.exp(np.where(mask, scores, -np.inf))
    return powers / powers.sum()


def give(w, x, y, D):
    return D[x][:, y].T


def normal(joint):
    return joint / joint.sum(axis=1, keepdims=True)


def back(T):
    return np.subtract.outer(np.arange(T), np.arange(T))


WRONG = {
    "check_weights": [
        (lambda s, m: soft(s), "not used"),
        (lambda s, m: soft(s) * m, "after the softmax"),
        (lambda s, m: soft(s * m), "exp(0) = 1"),
        (lambda s, m: np.exp(s * m) / np.exp(s * m).sum(1, keepdims=True), "exp(0) = 1"),
        (all_rows, "each query's row must"),
        (lambda s, m: weights_by_scipy(s, ~m), "the other way round"),
        (lambda s, m: soft(np.where(m, s, -np.inf), axis=0), "runs over the queries"),
        (no_maximum, "overflow"),
        (far_below, "✗"),
        (lambda s, m: soft(np.where(m, s, -30.0)), "a hidden key gets a share"),
        (lambda s, m: normal(soft(s) * m), "a hidden key gets a share"),
        (lambda s, m: log_softmax(np.where(m, s, -np.inf), axis=1), "logarithms"),
        (lambda s, m: normal(np.where(m, s, 0.0)), "no exponential"),
        (lambda s, m: weights_by_scipy(s, m).T, "transposed"),
        (lambda s, m: weights_by_scipy(s, m).argmax(axis=1), "✗"),
        (np.eye(3), "expected a function"),
    ],
    "check_additive": [
        (lambda q, k, Q, K, a: ((q @ Q)[:, None] + k @ K) @ a, "tanh is missing"),
        (lambda q, k, Q, K, a: np.tanh(((q @ Q)[:, None] + k @ K) @ a), "after `u`"),
        (
            lambda q, k, Q, K, a: (np.tanh(q @ Q) @ a)[:, None] + np.tanh(k @ K) @ a,
            "not its two parts",
        ),
        (lambda q, k, Q, K, a: np.tanh((q @ Q)[:, None] * (k @ K)) @ a, "not multiplied"),
        (lambda q, k, Q, K, a: soft(additive(q, k, Q, K, a)), "weights already"),
        (lambda q, k, Q, K, a: additive(q, k, Q, K, a) / len(a) ** 0.5, "not divided"),
        (lambda q, k, Q, K, a: np.tanh((q @ Q)[:, None] + k @ K), "hidden layer"),
        (lambda q, k, Q, K, a: additive(q, k, Q, K, a).T, "ransposed"),
        (lambda q, k, Q, K, a: np.tanh(q @ Q + k @ K) @ a, "raised"),
        (lambda q, k, Q, K, a: q @ k.T, "raised"),
        (np.zeros((3, 5)), "expected a function"),
    ],
    "check_score_gradient": [
        (lambda w, d: w * d, "mix is missing"),
        (lambda w, d: w * d * (1 - w), "diagonal"),
        (lambda w, d: d - np.sum(w * d, 1)[:, None], "in proportion"),
        (lambda w, d: w * (d - d.mean(1)[:, None]), "not the plain mean"),
        (lambda w, d: w * (d - (w * d).sum(0)), "of its own"),
        (lambda w, d: w * (d - np.sum(w * d)), "of its own"),
        (lambda w, d: w * ((w * d).sum(1)[:, None] - d), "sign"),
        (lambda w, d: d, "as it came"),
        (lambda w, d: w * (d - (w * d).sum(1)), "✗"),
        (lambda w, d: score_gradient(w, d).sum(axis=1), "shape"),
        (score_gradient(np.eye(2), np.eye(2)), "expected a function"),
    ],
    "check_effective": [
        (lambda w: entropy(w, axis=1), "its exponential"),
        (lambda w: 2 ** entropy(w, axis=1), "power of nats"),
        (lambda w: np.exp(entropy(w, axis=1, base=2)), "exp of bits"),
        (lambda w: np.exp((w * np.log(w)).sum(1)), "sign"),
        (lambda w: 1 / np.square(w).sum(1), "sum of squares"),
        (lambda w: effective(w.T), "✗"),
        (lambda w: effective(w).mean(), "one number a query"),
        (lambda w: np.exp(-np.mean(w * np.log(w), axis=1)), "not their mean"),
        (lambda w: 1 / np.max(w, 1), "largest weight"),
        (lambda w: np.exp(-(w * np.log(w)).sum(1)), "exactly 0"),
        (lambda w: np.exp(-(w * np.log(w + 1e-3)).sum(1)), "✗"),
        (lambda w: (w > 0).sum(1), "✗"),
        (2.0, "expected a function"),
    ],
    "check_window_mask": [
        (lambda T, w: back(T) >= 0, "causal mask"),
        (lambda T, w: (back(T) >= 0) & (back(T) <= w), "one place too many"),
        (lambda T, w: (back(T) > 0) & (back(T) < w), "look at itself"),
        (lambda T, w: (back(T) > 0) & (back(T) <= w), "look at itself"),
        (lambda T, w: abs(back(T)) < w, "looks ahead"),
        (lambda T, w: window(T, w).T, "looks ahead"),
        (lambda T, w: ~window(T, w), "exchanged"),
        (lambda T, w: back(T) < w, "looks ahead"),
        (lambda T, w: window(T, w).astype(int), "True and False"),
        (lambda T, w: np.where(window(T, w), 0.0, -np.inf), "True and False"),
        (lambda T, w: window(T + 1, w), "shape"),
        (window(4, 2), "expected a function"),
    ],
    "check_corrected": [
        (lambda w, x, y, D: w * give(w, x, y, D), "divide each row"),
        (lambda w, x, y, D: (w * give(w, x, y, D)) / (w * give(w, x, y, D)).sum(0), "columns"),
        (lambda w, x, y, D: normal(give(w, x, y, D)), "map"),
        (lambda w, x, y, D: normal(w + give(w, x, y, D)), "not added"),
        (lambda w, x, y, D: normal(w * D[y][:, x]), "backwards"),
        (lambda w, x, y, D: corrected(w, x, np.roll(y, 1), D), "out of step"),
        (lambda w, x, y, D: soft(w * give(w, x, y, D)), "no exponential"),
        (lambda w, x, y, D: w, "not used"),
        (lambda w, x, y, D: normal(w * D[x][:, y]), "raised"),
        (lambda w, x, y, D: corrected(w, x, y, D).argmax(1), "shape"),
        (np.eye(2), "expected a function"),
    ],
}

RIGHT = {
    "check_weights": [weights, weights_by_scipy],
    "check_additive": [additive, lambda *x: additive(*x).tolist()],
    "check_score_gradient": [score_gradient],
    "check_effective": [effective],
    "check_window_mask": [window, window_in_lists],
    "check_corrected": [corrected],
}
