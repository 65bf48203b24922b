"""Answers that the checks of chapter 13 must reject, with a piece of what they must say."""

import math

import numpy as np
from scipy.optimize import minimize_scalar

# ---- what a good student hands in ------------------------------------------------------------


def bits(probs, y):
    return sum(-math.log2(row[symbol]) for row, symbol in zip(probs, y, strict=True)) / len(y)


def chosen(probs, y):
    return np.take_along_axis(probs, np.asarray(y)[:, None], axis=1)[:, 0]


def bits_by_nats(probs, y):
    return -np.log(chosen(probs, y)).mean() / np.log(2)


def batches(y, N, T):
    L = len(y) // N
    data, pairs, s = y[: N * L].reshape(N, L), [], 0
    while s + T + 1 <= L:
        piece = data[:, s : s + T + 1]
        pairs.append((piece[:, :-1], piece[:, 1:]))
        s += T
    return pairs


def batches_in_lists(y, N, T):
    return [(x.tolist(), target.tolist()) for x, target in batches(y, N, T)]


def heat(probs, temperature):
    powers = (probs / probs.max()) ** (1 / temperature)
    return powers / powers.sum()


def heat_by_logs(probs, temperature):
    with np.errstate(divide="ignore"):
        scores = np.log(probs) / temperature
    weights = np.exp(scores - scores.max())
    return weights / weights.sum()


def nucleus(probs, mass):
    kept, total = np.zeros(len(probs)), 0.0
    for symbol in sorted(range(len(probs)), key=lambda v: -probs[v]):
        if total >= mass:
            break
        kept[symbol] = probs[symbol]
        total += probs[symbol]
    return kept / kept.sum()


def back_off(counts, shorter):
    N, U = sum(counts), sum(count > 0 for count in counts)
    return np.array(
        [p if N == 0 else (c + U * p) / (N + U) for c, p in zip(counts, shorter, strict=True)]
    )


def best_weight(p, q):
    grid = np.linspace(0, 1, 4001)
    return grid[np.argmax([np.log(w * p + (1 - w) * q).mean() for w in grid])]


def best_weight_by_scipy(p, q):
    found = minimize_scalar(lambda w: -np.log(w * p + (1 - w) * q).mean(), (0, 1), (0, 1),
                            method="bounded")  # fmt: skip
    return found.x


def best_weight_by_em(p, q):
    w = 0.5
    for _ in range(3000):
        w = (w * p / (w * p + (1 - w) * q)).mean()
    return w


# ---- and what others do ----------------------------------------------------------------------


def side_by_side(y, N):
    return y[: len(y) // N * N].reshape(N, -1)


def pairs(data, T, starts):
    return [(data[:, s : s + T], data[:, s + 1 : s + 1 + T]) for s in starts]


def every_piece(y, N, T):
    data = side_by_side(y, N)
    return pairs(data, T, range(data.shape[1] - T))


def skipping(y, N, T):
    data = side_by_side(y, N)
    return pairs(data, T, range(0, data.shape[1] - T, T + 1))


def columns(y, N, T):
    L = len(y) // N
    return pairs(y[: N * L].reshape(L, N).T, T, range(0, L - T, T))


def page_by_page(y, N, T):
    n = (len(y) - 1) // (N * T)
    return [
        (y[k * N * T : (k + 1) * N * T].reshape(N, T),
         y[k * N * T + 1 : (k + 1) * N * T + 1].reshape(N, T))
        for k in range(n)
    ]  # fmt: skip


def rolled(y, N, T):
    data = side_by_side(y, N)
    ahead = np.roll(data, -1, axis=1)
    return [(data[:, s : s + T], ahead[:, s : s + T]) for s in range(0, data.shape[1] - T + 1, T)]


def softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum()


def plain_powers(p, tau):
    q = p ** (1 / tau)
    return q / q.sum()


def sets(rule):
    """A sampler that keeps the places which the rule returns."""

    def kept(probs, mass):
        places = rule(probs, mass)
        out = np.zeros(len(probs))
        out[places] = probs[places]
        return out / out.sum()

    return kept


def largest_below(probs, mass):
    order = np.argsort(-probs)
    return order[np.cumsum(probs[order]) <= mass]


def beyond_the_mass(probs, mass):
    order = np.argsort(-probs)
    return order[: np.sum(np.cumsum(probs[order]) <= mass) + 1]


def smallest_first(probs, mass):
    order = np.argsort(probs)
    return order[np.cumsum(probs[order]) - probs[order] < mass]


def U(c):
    return np.count_nonzero(c)


def mixture(w, p, q):
    return w * p + (1 - w) * q


WRONG = {
    "check_bits": [
        (lambda p, y: bits(p, y) * math.log(2), "nats"),
        (lambda p, y: -bits(p, y), "sign"),
        (lambda p, y: bits(p, y) * len(y), "divide by its length"),
        (lambda p, y: -np.log2(chosen(p, y).mean()), "before the logarithm"),
        (lambda p, y: -np.sum(p * np.log2(p), axis=1).mean(), "entropy"),
        (lambda p, y: np.mean([-np.log2(p[t, v]) for t in range(len(y)) for v in y]), "one entry"),
        (lambda p, y: -np.log2(p.max(axis=1)).mean(), "most probable"),
        (lambda p, y: bits(p[:-1], y[1:]), "in step"),
        (lambda p, y: 2 ** bits(p, y), "perplexity"),
        (lambda p, y: -np.log2(chosen(p, y)), "shape"),
        (bits(np.eye(2), [0, 1]), "expected a function"),
    ],
    "check_batches": [
        (lambda y, N, T: [(b, a) for a, b in batches(y, N, T)], "exchanged"),
        (lambda y, N, T: [(a, a.copy()) for a, b in batches(y, N, T)], "input itself"),
        (skipping, "skipped"),
        (every_piece, "overlap"),
        (columns, "no transposing"),
        (page_by_page, "row i does not go on"),
        (lambda y, N, T: batches(y, N, T)[:-1], "last pair"),
        (lambda y, N, T: [(a.T, b.T) for a, b in batches(y, N, T)], "exchanged"),
        (rolled, "wraps round"),
        (lambda y, N, T: batches(y, N, T)[0], "✗"),
        (lambda y, N, T: batches(y, T, N), "shape"),
        (lambda y, N, T: [a for a, _ in batches(y, N, T)], "raised"),
        (batches(np.arange(30), 2, 4)[0][0], "expected a function"),
    ],
    "check_heat": [
        (lambda p, tau: p**tau / (p**tau).sum(), "1 / temperature"),
        (lambda p, tau: p ** (1 / tau), "divide by the sum"),
        (lambda p, tau: softmax(p / tau), "takes logarithms"),
        (lambda p, tau: softmax(np.log(p + 1e-12) / tau), "stays impossible"),
        (lambda p, tau: softmax(np.log(np.maximum(p, 1e-30)) / tau), "too large"),
        (lambda p, tau: (p / tau) / (p / tau).sum(), "as they were"),
        (lambda p, tau: p.copy(), "as they were"),
        (plain_powers, "underflow"),
        (lambda p, tau: p.argmax(), "shape"),
        (lambda p, tau: np.log(heat(p, tau)), "✗"),
    ],
    "check_nucleus": [
        (sets(largest_below), "crosses the mass"),
        (sets(beyond_the_mass), "one symbol too many"),
        (sets(smallest_first), "sort downwards"),
        (sets(lambda p, m: np.flatnonzero(p >= 1 - m)), "threshold"),
        (sets(lambda p, m: np.flatnonzero(np.cumsum(p) - p < m)), "order of the alphabet"),
        (lambda p, m: np.where(nucleus(p, m) > 0, p, 0), "divide by the sum"),
        (lambda p, m: (nucleus(p, m) > 0) / np.count_nonzero(nucleus(p, m)), "in proportion"),
        (lambda p, m: -np.sort(-nucleus(p, m)), "own place"),
        (lambda p, m: p, "✗"),
        (lambda p, m: np.flatnonzero(nucleus(p, m)), "✗"),
    ],
    "check_back_off": [
        (lambda c, s: c / c.sum(), "left over"),
        (lambda c, s: (c + s) / (c.sum() + 1), "not 1"),
        (lambda c, s: (c + len(c) * s) / (c.sum() + len(c)), "whole alphabet"),
        (lambda c, s: (c / c.sum() + s) / 2, "not how many in all"),
        (lambda c, s: (c + U(c) * s) / c.sum(), "divide by N + U"),
        (lambda c, s: (c + U(c == 0) * s) / (c.sum() + U(c == 0)), "not those that were not"),
        (lambda c, s: (c + 1) / (c + 1).sum(), "borrow from"),
        (lambda c, s: np.where(c > 0, c / (c.sum() + U(c)), s), "common share"),
        (lambda c, s: s, "not used"),
        (lambda c, s: (c + U(c) * s) / (c.sum() + U(c)), "never seen"),
        (
            lambda c, s: np.where(c > 0, c, U(c) * s / s[c == 0].sum()) / (c.sum() + U(c)),
            "a say in",
        ),
        (lambda c, s: (c + U(c) * s).sum() / (c.sum() + U(c)), "shape"),
    ],
    "check_best_weight": [
        (lambda p, q: best_weight(q, p), "weight of q"),
        (
            lambda p, q: float(np.log(p).mean() > np.log(q).mean()),
            "logarithms were mixed",
        ),
        (lambda p, q: np.mean(p > q), "by how much"),
        (lambda p, q: p.sum() / (p + q).sum(), "mean probabilities"),
        (lambda p, q: 0.5, "guess"),
        (lambda p, q: round(best_weight(p, q), 1), "✗"),
        (lambda p, q: mixture(best_weight(p, q), p, q), "shape"),
        (lambda p, q: -np.log2(mixture(best_weight(p, q), p, q)).mean(), "✗"),
        (0.5, "expected a function"),
    ],
}

RIGHT = {
    "check_bits": [bits, bits_by_nats],
    "check_batches": [batches, batches_in_lists],
    "check_heat": [heat, heat_by_logs, lambda p, tau: heat(p, tau).tolist()],
    "check_nucleus": [nucleus],
    "check_back_off": [back_off],
    "check_best_weight": [best_weight, best_weight_by_scipy, best_weight_by_em],
}
