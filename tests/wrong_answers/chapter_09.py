"""Answers that the checks of chapter 09 must reject, with a piece of what they must say."""

from itertools import pairwise, product
from math import log, prod

import numpy as np

from tests.wrong_answers import Args

# ---- what a good student hands in ------------------------------------------------------------


def predict(belief, A, B):
    """Every state now, every state next, one by one."""
    probs = np.zeros(B.shape[1])
    for now, later in product(range(len(A)), repeat=2):
        probs += belief[now] * A[now, later] * B[later]
    return probs


def predict_columns(belief, A, B):
    return B.T @ (A.T @ belief)


def shift(y):
    return y[:, :-1], y[:, 1:]


def shift_by_roll(y):
    return y[:, :-1], np.roll(y, -1, axis=1)[:, :-1]


def shift_in_lists(y):
    return [[row[:-1] for row in y.tolist()], [row[1:] for row in y.tolist()]]


def excess(p, q):
    total = 0.0
    for p_row, q_row in zip(p, q, strict=True):
        total += sum(a * log(a / b) for a, b in zip(p_row, q_row, strict=True) if a > 0)
    return total / len(p)


def excess_by_difference(p, q):
    safe = np.where(p > 0, p, 1.0)
    return np.mean(-(p * np.log(q)).sum(axis=1) + (p * np.log(safe)).sum(axis=1))


def r_squared(actual, decoded):
    error = spread = 0.0
    for column, guess in zip(actual.T, decoded.T, strict=True):
        error += sum((column - guess) ** 2)
        spread += sum((column - column.mean()) ** 2)
    return 1 - error / spread


def r_squared_by_means(actual, decoded):
    return 1 - ((actual - decoded) ** 2).mean() / actual.var(axis=0).mean()


def ones(h):
    return np.hstack([h, np.ones((len(h), 1))])


def weights(h, b, penalty=0.0):
    """From the normal equations; the check asks lstsq."""
    X = ones(h)
    return np.linalg.inv(X.T @ X + penalty * np.eye(X.shape[1])) @ X.T @ b


def probe(h_fit, b_fit, h_new):
    return ones(h_new) @ weights(h_fit, b_fit)


def probe_centred(h_fit, b_fit, h_new):
    mean = h_fit.mean(axis=0)
    W = np.linalg.pinv(h_fit - mean) @ (b_fit - b_fit.mean(axis=0))
    return (h_new - mean) @ W + b_fit.mean(axis=0)


def probe_standardised(h_fit, b_fit, h_new):
    mean, std = h_fit.mean(axis=0), h_fit.std(axis=0)
    return probe((h_fit - mean) / std, b_fit, (h_new - mean) / std)


def joint(pi, A, B, n):
    """p(z_1, y_1..n) by walking through all paths, {(z_1, y): probability}."""
    table = {}
    K, V = B.shape
    for z in product(range(K), repeat=n):
        p_z = pi[z[0]] * prod(A[i, j] for i, j in pairwise(z))
        for y in product(range(V), repeat=n):
            p = p_z * prod(B[k, v] for k, v in zip(z, y, strict=True))
            table[z[0], y] = table.get((z[0], y), 0.0) + p
    return table


def conditional_entropy(table):
    """H(last symbol | the rest of the key), for keys (what is known, symbols)."""
    known = {}
    for (first, y), p in table.items():
        known[first, y[:-1]] = known.get((first, y[:-1]), 0.0) + p
    return sum(p * log(known[first, y[:-1]] / p) for (first, y), p in table.items() if p > 0)


def without_first(table):
    merged = {}
    for (_, y), p in table.items():
        merged[None, y] = merged.get((None, y), 0.0) + p
    return merged


def sandwich(pi, A, B, n):
    table = joint(pi, A, B, n)
    return conditional_entropy(table), conditional_entropy(without_first(table))


def sandwich_by_filter(pi, A, B, n):
    """Entropy of the prediction, averaged over all pasts."""

    def last(prior):
        total = 0.0
        for y in product(range(B.shape[1]), repeat=n - 1):
            weight = np.array(prior)
            for symbol in y:
                weight = (weight * B[:, symbol]) @ A
            p = weight @ B
            total -= sum(a * log(a / p.sum()) for a in p if a > 0)
        return total

    corners = np.eye(len(pi))
    return sum(pi[k] * last(corners[k]) for k in range(len(pi))), last(pi)


# ---- and what others do ----------------------------------------------------------------------


def excess_with_nan(p, q):
    return np.mean(np.sum(p * np.log(p / q), axis=-1))


def excess_swapped(p, q):
    return np.mean(np.sum(q * (np.log(q) - np.log(p)), axis=-1))


def cross_entropy(p, q):
    return -np.mean(np.sum(p * np.log(q), axis=-1))


def entropy(p):
    return cross_entropy(p, np.where(p > 0, p, 1.0))


def abs_terms(p, q):
    terms = p * np.log(np.where(p > 0, p, 1.0) / q)
    return np.mean(np.sum(np.abs(terms), axis=1))


def column_mean(a, d):
    return np.mean([r_squared(a[:, [k]], d[:, [k]]) for k in range(a.shape[1])])


def grand_mean(a, d):
    return 1 - ((a - d) ** 2).sum() / ((a - a.mean()) ** 2).sum()


def row_mean(a, d):
    return 1 - ((a - d) ** 2).sum() / ((a.T - a.mean(axis=1)) ** 2).sum()


def sum_of_squares(x):
    return np.sum(x**2)


def no_intercept(h, b, new):
    return new @ np.linalg.pinv(h) @ b


def own_scale(h, b, new):
    return probe((h - h.mean(0)) / h.std(0), b, (new - new.mean(0)) / new.std(0))


def on_the_simplex(h, b, new):
    return np.clip(probe(h, b, new), 0, 1)


def shares_of_clipped(h, b, new, top=None):
    p = np.clip(probe(h, b, new), 0, top)
    return p / p.sum(axis=1, keepdims=True)


def ones_first(h):
    return np.hstack([np.ones((len(h), 1)), h])


def four_things(h, b):
    return np.linalg.lstsq(ones(h), b, rcond=None)


def unpacked_in_two(h, b, new):
    W, _ = four_things(h, b)
    return ones(new) @ W


def softmaxed(h, b, new):
    e = np.exp(probe(h, b, new))
    return e / e.sum(axis=1, keepdims=True)


def entropies_of_blocks(pi, A, B, n):
    """H(Y_1..n | Z_1) and H(Y_1..n)."""
    table = joint(pi, A, B, n)
    full = -sum(p * log(p) for p in without_first(table).values() if p > 0)
    return sum(p * log(pi[k] / p) for (k, _), p in table.items() if p > 0), full


def per_symbol(pi, A, B, n):
    low, high = entropies_of_blocks(pi, A, B, n)
    return low / n, high / n


def knows_last_state(pi, A, B, n):
    p_last = pi @ np.linalg.matrix_power(A, n - 1)
    return -sum(p_last[k] * b * log(b) for k in range(len(pi)) for b in B[k] if b > 0), sandwich(
        pi, A, B, n
    )[1]


def knows_state_before(pi, A, B, n):
    p_before = pi @ np.linalg.matrix_power(A, n - 2)
    low = -sum(
        p_before[k] * p * log(p) for k in range(len(pi)) for p in A[k] @ B if p > 0
    )  # H(Y_n | Z_n-1)
    return low, sandwich(pi, A, B, n)[1]


def plain_mean(pi, A, B, n):
    return sandwich(np.full(len(pi), 1 / len(pi)), A, B, n)[0], sandwich(pi, A, B, n)[1]


def half_known(pi, A, B, n):
    low = entropies_of_blocks(pi, A, B, n)[0]
    return low - entropies_of_blocks(pi, A, B, n - 1)[1], sandwich(pi, A, B, n)[1]


def one_too_early(pi, A, B, n):
    low = sum(p * sandwich(row, A, B, n)[1] for p, row in zip(pi, A, strict=True))
    return low, sandwich(pi, A, B, n)[1]


def nan_at_zero(pi, A, B, n):
    def last(table):
        p, known = np.array(list(table.values())), {}
        for key, value in table.items():
            known[key[0], key[1][:-1]] = known.get((key[0], key[1][:-1]), 0.0) + value
        rest = np.array([known[first, y[:-1]] for first, y in table])
        with np.errstate(all="ignore"):
            return -np.sum(p * np.log(p / rest))

    table = joint(pi, A, B, n)
    return last(table), last(without_first(table))


def stay(K, share):
    """K by K, `share` on the diagonal, the rest spread evenly."""
    return np.full((K, K), (1 - share) / (K - 1)) + (share - (1 - share) / (K - 1)) * np.eye(K)


def parity_of_ones(tell):
    """Symbols 0 and 1 are fair coins; rarely, 2 or 3 tell whether the ones so far are even or odd.

    States are (parity, bit), in the order even 0, even 1, odd 0, odd 1.
    """
    A, B = np.zeros((4, 4)), np.zeros((4, 4))
    for parity, bit in product((0, 1), repeat=2):
        B[2 * parity + bit, bit] = 1 - tell
        B[2 * parity + bit, 2 + parity] = tell
        for later in (0, 1):
            A[2 * parity + bit, 2 * (parity ^ later) + later] = 0.5
    return A, B


SLOW_A, FAINT_B = np.array([[0.99, 0.01], [0.02, 0.98]]), np.array([[0.6, 0.4], [0.4, 0.6]])
CROSSING_A = np.array([[0.95, 0.05, 0.0], [0.0, 0.95, 0.05], [0.05, 0.0, 0.95]])
CROSSING_B = np.array([[0.9, 0.1], [0.5, 0.5], [0.1, 0.9]])
ROUND = np.roll(np.eye(4), 1, axis=1)  # 0 to 1 to 2 to 3 to 0
ONE_TELLS = np.array([[0.7, 0.3], [0.5, 0.5], [0.5, 0.5], [0.5, 0.5]])

WRONG = {
    "check_predict": [
        (lambda belief, A, B: belief @ B, "where is A?"),
        (lambda belief, A, B: predict(belief, A.T, B), "from right to left"),
        (lambda belief, A, B: A @ belief / sum(A @ belief) @ B, "from right to left"),
        (lambda belief, A, B: predict(belief @ A, A, B), "one step is enough"),
        (lambda belief, A, B: belief @ A, "the next state"),
        (lambda belief, A, B: predict(np.eye(len(A))[belief.argmax()], A, B), "state alone"),
        (lambda belief, A, B: B[(belief @ A).argmax()], "next state alone"),
        (lambda belief, A, B: predict(belief, A, B).argmax(), "the most probable symbol"),
        (
            lambda belief, A, B: 1.0 * (predict(belief, A, B) == predict(belief, A, B).max()),
            "one symbol;",
        ),
        (lambda belief, A, B: 3 * predict(belief, A, B), "did you normalise"),
        (lambda belief, A, B: np.log(predict(belief, A, B)), "take exp"),
        (lambda belief, A, B: B @ A @ belief, "raised ValueError"),
        (lambda belief, A, B: np.full(B.shape[1], 1 / B.shape[1]), "entries are off"),
        (lambda belief, A, B: (belief @ A)[:, None] * B, "an axis too many"),
    ],
    "check_shift": [
        (lambda y: (y[:, :-1], y[:, :-1]), "needs no memory"),
        (lambda y: (y, y), "just read; move it"),
        (lambda y: shift(y)[::-1], "the other way round"),
        (lambda y: shift(y[:, ::-1]), "time runs backwards"),
        (lambda y: (y[:-1], y[1:]), "counts sequences"),
        (lambda y: tuple(part.T for part in shift(y.T)), "counts sequences"),
        (lambda y: (y[:, :-2], y[:, 2:]), "two steps ahead"),
        (lambda y: (y, np.roll(y, -1, axis=1)), "wraps round: the last target"),
        (lambda y: (y, np.roll(y, -1)), "wraps round: the last target"),
        (lambda y: (y, np.roll(y, 1, axis=1)), "brings the past forward"),
        (lambda y: (y, y[:, 1:]), "x is one symbol too long"),
        (lambda y: (y[:, :-1], y), "the target is one symbol too long"),
        (lambda y: (y[:, :-1], y[:, -1]), "ask at every step"),
        (lambda y: (y[:, 1:-1], y[:, 2:]), "x: expected shape"),
        (lambda y: tuple(part.T for part in shift(y)), "transposed"),
        (lambda y: (np.eye(3)[y[:, :-1]], y[:, 1:]), "one-hot rows"),
        (lambda y: tuple(np.eye(y.max() + 1, dtype=int)[part] for part in shift(y)), "one-hot"),
        (lambda y: (np.eye(3)[y[:, :-1]], y[:, :-1]), "an axis too many"),
        (lambda y: shift(y)[0], "expected 2 results"),
        (shift(np.arange(10).reshape(2, 5)), "expected a function"),
    ],
    "check_excess": [
        (excess_with_nan, "0 log 0"),
        (excess_swapped, "p and q are swapped"),
        (cross_entropy, "take off what the best prediction"),
        (lambda p, q: entropy(p), "q is not used"),
        (lambda p, q: entropy(q) - entropy(p), "difference of entropies"),
        (lambda p, q: -excess(p, q), "never gains"),
        (lambda p, q: excess(p, q) / log(2), "in bits"),
        (lambda p, q: excess(p, q) * len(p), "sum over the rows"),
        (lambda p, q: excess(p, q) / p.shape[1], "only the rows are averaged"),
        (abs_terms, "offset each other"),
        (lambda p, q: np.sum((p - q) ** 2) / len(p), "squared difference"),
        (lambda p, q: np.mean((p - q) ** 2), "squared difference"),
        (lambda p, q: np.log(np.where(p > 0, p, q) / q).sum(1).mean(), "weighted by p"),
        (lambda p, q: [excess(p[[k]], q[[k]]) for k in range(len(p))], "one number a row"),
        (lambda p, q: excess(np.maximum(p, 0.01), q), "too"),
    ],
    "check_r_squared": [
        (grand_mean, "one mean for all columns"),
        (row_mean, "the mean of each row"),
        (lambda a, d: 1 - ((a - d) ** 2).sum() / (a**2).sum(), "measured from 0"),
        (column_mean, "averages one share a column"),
        (lambda a, d: [r_squared(a[:, [k]], d[:, [k]]) for k in range(a.shape[1])], "one share a"),
        (lambda a, d: np.corrcoef(np.ravel(a), np.ravel(d))[1, 0] ** 2, "forgives"),
        (lambda a, d: ((a - d) ** 2).sum() / a.var(axis=0).sum() / len(a), "left unexplained"),
        (lambda a, d: r_squared(d, a), "arguments are swapped"),
        (lambda a, d: 1 - sum_of_squares(a - d) / sum_of_squares(d - a.mean(0)), "`decoded` about"),
        (
            lambda a, d: 1 - sum_of_squares(a - d) / sum_of_squares(a - d.mean(0)),
            "from the mean of",
        ),
        (lambda a, d: np.clip(r_squared(a, d), 0, 1), "worse than the mean"),
        (lambda a, d: 1 - np.var(a - d, axis=0).sum() / np.var(a, axis=0).sum(), "constant offset"),
        (lambda a, d: d.var(axis=0).sum() / a.var(axis=0).sum(), "compares two spreads"),
        (lambda a, d: 1 - (1 - r_squared(a, d)) ** 0.5, "a root was taken"),
        (lambda a, d: 1 - abs(a - d).sum() / abs(a - a.mean(axis=0)).sum(), "absolute errors"),
        (lambda a, d: abs(r_squared(a, d)), "worse than the mean"),
        (lambda a, d: ((a - d) ** 2).mean(), "mean squared error"),
        (lambda a, d: 100 * r_squared(a, d), "in percent"),
        (lambda a, d: r_squared(a[:, :1], d[:, :1]), "too"),
    ],
    "check_probe": [
        (no_intercept, "the intercept is missing"),
        (lambda h, b, new: new @ weights(h, b)[:-1], "not added to the new rows"),
        (lambda h, b, new: probe_centred(h, b, new) - b.mean(0), "not put back"),
        (lambda h, b, new: probe_centred(h, b, new + h.mean(0)), "the new ones were not"),
        (lambda h, b, new: probe(h, b, h), "the rows it was fitted on"),
        (lambda h, b, new: probe(new, b, new), "fitted on the new states"),
        (lambda h, b, new: probe(new, b, h), "swapped"),
        (lambda h, b, new: b.copy(), "beliefs that were given"),
        (own_scale, "their own mean and deviation"),
        (lambda h, b, new: probe_centred(h, b, new - new.mean(0) + h.mean(0)), "their own mean;"),
        (lambda h, b, new: ones(new) @ weights(h, b, 1.0), "a penalty of 1 pulls"),
        (lambda h, b, new: ones(new) @ weights(h, b, 0.01), "a penalty of 0.01 pulls"),
        (on_the_simplex, "may leave the triangle"),
        (shares_of_clipped, "may leave the triangle"),
        (lambda h, b, new: shares_of_clipped(h, b, new, top=1.0), "may leave the triangle"),
        (lambda h, b, new: ones_first(new) @ weights(h, b), "on the same side"),
        (
            lambda h, b, new: ones(new) @ (np.linalg.pinv(ones_first(h)) @ b),
            "on the same side",
        ),
        (lambda h, b, new: ones(new) @ four_things(h, b), "did you take [0]"),
        (lambda h, b, new: new @ four_things(h, b)[:-1], "did you take [0]"),
        (lambda h, b, new: four_things(h, b).T @ ones(new).T, "did you take [0]"),
        (lambda h, b, new: ones(new) @ four_things(h, b)[:, :], "did you take [0]"),
        (unpacked_in_two, "did you take [0]"),
        (lambda h, b, new: four_things(h, b), "did you take [0]"),
        (softmaxed, "the probe is linear"),
        (lambda h, b, new: softmaxed(h, np.log(b), new), "the log of the belief"),
        (lambda h, b, new: weights(h, b), "these are the weights"),
        (lambda h, b, new: probe(h, b, new).T, "transposed"),
        (lambda h, b, new: new @ weights(h, b), "raised ValueError"),
        (lambda h, b, new: probe(h, b, new[:-1]), "1 too short"),
        (lambda h, b, new: np.tile(b.mean(axis=0), (len(new), 1)), "entries are off"),
        (lambda h, b, new: probe(h, b, new) if len(h) == len(new) else b, "beliefs that were"),
    ],
    "check_sandwich": [
        (lambda *c: sandwich(*c)[::-1], "the other way round"),
        (nan_at_zero, "0 log 0"),
        (per_symbol, "this is the mean over all n symbols"),
        (lambda *c: (sandwich(*c)[0], per_symbol(*c)[1]), "high is the mean over all"),
        (entropies_of_blocks, "of all n symbols together"),
        (lambda *c: (entropies_of_blocks(*c)[0], sandwich(*c)[1]), "low is the entropy of all n"),
        (lambda *c: (entropies_of_blocks(*c)[1], sandwich(*c)[1]), "low is the entropy of all n"),
        (lambda *c: tuple(h / log(2) for h in sandwich(*c)), "in bits"),
        (knows_last_state, "the state of the last symbol"),
        (knows_state_before, "just before the last symbol"),
        (lambda pi, A, B, n: sandwich(np.full(len(pi), 1 / len(pi)), A, B, n), "pi is not used"),
        (plain_mean, "weight them with pi"),
        (lambda *c: (sandwich(*c)[1],) * 2, "the same as high"),
        (lambda pi, A, B, n: sandwich(pi, A, B, n + 1), "one symbol too many"),
        (lambda pi, A, B, n: sandwich(pi, A, B, n - 1), "one symbol too few"),
        (
            lambda pi, A, B, n: (sandwich(pi, A, B, n)[0], entropies_of_blocks(pi, A, B, 1)[1]),
            "entropy of Y_n alone",
        ),
        (half_known, "known to both entropies"),
        (one_too_early, "the state before the first symbol"),
        (lambda *c: np.mean(sandwich(*c)), "expected 2 results"),
        (lambda *c: tuple(-h for h in sandwich(*c)), "the sign"),
    ],
    "check_hidden_depth": [
        (Args(stay(3, 0.9), stay(3, 0.85)), "R2 0.9"),  # Mess3 of the chapter
        (Args(stay(2, 0.95), np.array([[0.5, 0.5], [0.1, 0.9]])), "tell too much"),  # a casino
        (Args(stay(2, 0.999), stay(2, 0.9)), "each says a lot"),
        (Args(CROSSING_A, CROSSING_B), "below 0.5 is asked"),  # the crossing of the chapter
        (Args(stay(2, 0.8), stay(2, 0.6)), "hardly moves"),
        (Args(np.array([[0.3, 0.7], [0.3, 0.7]]), stay(2, 0.9)), "rows of A are equal"),
        (Args(stay(2, 0.99), np.array([[0.6, 0.4], [0.6, 0.4]])), "rows of B are equal"),
        (Args(stay(3, 0.9), np.eye(3)), "R2 1.000"),
        (Args(SLOW_A.T, FAINT_B), "columns of A sum to 1"),
        (Args(SLOW_A, np.array([[0.6, 0.3], [0.4, 0.7]])), "columns of B sum to 1"),
        (Args(SLOW_A / 2, FAINT_B), "every row of A"),
        (Args(SLOW_A, 2 * FAINT_B - 0.4), "every row of B"),
        (Args(SLOW_A, np.array([[1.2, -0.2], [0.4, 0.6]])), "from 0 to 1"),
        (Args(np.eye(2), FAINT_B), "never reach each other"),
        (Args(SLOW_A[:1], FAINT_B), "must be square"),
        (Args(SLOW_A, np.full((3, 2), 0.5)), "one row a state"),
        (Args(SLOW_A, np.full((4, 2), 0.5).T @ np.ones((4, 1)) / 2), "from 2 to 4"),
        (Args(stay(3, 0.98), np.full((2, 3), 1 / 3)), "transposed?"),
        (Args(stay(5, 0.98), np.full((5, 2), 0.5)), "got 5 states"),
        (Args(stay(3, 0.98), 0.2), "one row a state"),
    ],
}

RIGHT = {
    "check_predict": [
        predict,
        predict_columns,
        lambda belief, A, B: list(np.einsum("i,ij,jv->v", belief, A, B)),
    ],
    "check_shift": [shift, shift_by_roll, shift_in_lists],
    "check_excess": [
        excess,
        excess_by_difference,
        lambda p, q: excess(p, np.where(p > 0, q, 1.0)),
    ],
    "check_r_squared": [r_squared, r_squared_by_means],
    "check_probe": [probe, probe_centred, probe_standardised],
    "check_sandwich": [sandwich, sandwich_by_filter],
    "check_hidden_depth": [
        Args(SLOW_A, FAINT_B),
        Args(SLOW_A.tolist(), FAINT_B.tolist()),
        Args(stay(3, 0.98), stay(3, 0.5)),
        Args(SLOW_A, np.array([[0.33333, 0.33333, 0.33333], [0.4, 0.4, 0.2]])),  # by hand
        Args(stay(2, 0.02), FAINT_B),  # a state that nearly always changes can be followed too
        Args(ROUND, ONE_TELLS),  # a clock, which keeps all it ever learned
        Args(*parity_of_ones(0.05)),
    ],
}
