"""Answers that the checks of chapter 11 must reject, with a piece of what they must say."""

import numpy as np

from tests.wrong_answers import Args

# ---- what a good student hands in ------------------------------------------------------------


def chance(Q, r):
    """By walking on until nothing is left."""
    total, ahead = np.zeros(len(r)), np.array(r)
    for _ in range(4000):
        total, ahead = total + ahead, Q @ ahead
    return total


def chance_by_inverse(Q, r):
    return np.linalg.inv(np.eye(len(r)) - Q) @ r


def two_answers(belief, Q, r, leave):
    bought = left = more = later = 0.0
    u = chance_by_inverse(Q, r)
    for i, b in enumerate(belief):
        bought, left = bought + b * r[i], left + b * leave[i]
        for j in range(len(belief)):
            more, later = more + b * Q[i, j], later + b * Q[i, j] * u[j]
    return bought / (bought + left), later / more


def area(y, p):
    total = 0.0
    for a in p[y == 1]:
        for b in p[y == 0]:
            total += 1.0 if a > b else 0.5 if a == b else 0.0
    return total / (sum(y == 1) * sum(y == 0))


def area_by_ranks(y, p):
    ranks = np.array([(p < a).sum() + ((p == a).sum() + 1) / 2 for a in p])
    n1 = y.sum()
    return (ranks[y == 1].sum() - n1 * (n1 + 1) / 2) / (n1 * (len(y) - n1))


def last(outputs, lengths):
    return np.stack([row[T - 1] for row, T in zip(outputs, lengths, strict=True)])


def last_by_mask(outputs, lengths):
    at_end = np.arange(outputs.shape[1]) == lengths[:, None] - 1
    return outputs[at_end]


def decide(p, false_alarm, miss):
    return (1 - p) * false_alarm <= p * miss


def undo(p, w):
    odds = p / (1 - p) / w
    return odds / (1 + odds)


GOOD = "home product reviews search reviews reviews add cart add cart"
TURNED = "add cart add cart reviews reviews reviews search product home"

WRONG = {
    "check_chance": [
        (lambda Q, r: r, "buying at once"),
        (lambda Q, r: r + Q @ r, "within two clicks"),
        (lambda Q, r: chance_by_inverse(Q.T, r), "read backwards"),
        (lambda Q, r: Q @ chance(Q, r), "after the present click is missing"),
        (lambda Q, r: r / (1 - Q.sum(axis=1)), "ends right here"),
        (lambda Q, r: r / (1 - np.diag(Q)), "turn into another one"),
        (lambda Q, r: np.linalg.inv(np.eye(len(r)) + Q) @ r, "mind the sign"),
        (lambda Q, r: np.linalg.inv(np.eye(len(r)) - Q), "multiply by r"),
        (lambda Q, r: chance(Q, r) / sum(chance(Q, r)), "need not sum to 1"),
        (lambda Q, r: np.ones(len(r)), "every session ends"),
        (lambda Q, r: 1 - chance(Q, r), "without a purchase"),
        (lambda Q, r: 100 * chance(Q, r), "percent"),
        (lambda Q, r: chance(Q, r)[::-1], "runs backwards"),
        (lambda Q, r: chance(Q, r)[0], "shape"),
        (lambda Q, r: r / 0.0, "is inf"),
    ],
    "check_two_answers": [
        (lambda *c: two_answers(*c)[::-1], "the other way round"),
        (lambda b, Q, r, m: (b @ r, two_answers(b, Q, r, m)[1]), "that the session ends here at"),
        (
            lambda b, Q, r, m: (np.sum(b * r / (r + m)), two_answers(b, Q, r, m)[1]),
            "not a mean of ratios",
        ),
        (lambda b, Q, r, m: (b @ r / (b @ m), two_answers(b, Q, r, m)[1]), "these are odds"),
        (lambda b, Q, r, m: (b @ chance(Q, r), two_answers(b, Q, r, m)[1]), "as things stand"),
        (lambda b, Q, r, m: (two_answers(b, Q, r, m)[0], b @ chance(Q, r)), "right now is ruled"),
        (
            lambda b, Q, r, m: (two_answers(b, Q, r, m)[0], b @ Q @ chance(Q, r)),
            "that the session goes on",
        ),
        (
            lambda b, Q, r, m: (two_answers(b, Q, r, m)[0], b @ Q @ r / (b @ Q).sum()),
            "at the very next click",
        ),
        (
            lambda b, Q, r, m: (
                two_answers(b, Q, r, m)[0],
                (b * (Q @ chance(Q, r)) / Q.sum(axis=1)).sum(),
            ),
            "divide after mixing",
        ),
        (
            lambda b, Q, r, m: (
                two_answers(b, Q, r, m)[0],
                (Q @ b) @ chance(Q, r) / (Q @ b).sum(),
            ),
            "beliefs are rows",
        ),
        (lambda *c: two_answers(*c)[0], "2"),
        (lambda *c: (0.5, 0.5), "ends"),
    ],
    "check_auc": [
        (lambda y, p: np.mean([a > b for a in p[y == 1] for b in p[y == 0]]), "not nothing"),
        (lambda y, p: np.mean([a >= b for a in p[y == 1] for b in p[y == 0]]), "not a whole"),
        (lambda y, p: 1 - area(y, p), "the other way round"),
        (lambda y, p: area(1 - y, p), "the other way round"),
        (lambda y, p: area(y, p) * sum(y) * sum(1 - y), "the number of pairs"),
        (lambda y, p: area(y, p) * sum(y) * sum(1 - y) / len(y) ** 2, "not by all pairs"),
        (lambda y, p: np.mean((p >= 0.5) == (y == 1)), "the accuracy"),
        (lambda y, p: 2 * area(y, p) - 1, "Gini"),
        (lambda y, p: p[y == 1].mean() - p[y == 0].mean(), "a difference of means"),
        (lambda y, p: np.mean(p[y == 1] > p[y == 0].mean()), "not with their mean"),
        (lambda y, p: 0.5, "0.5"),
        (lambda y, p: 100 * area(y, p), "percent"),
    ],
    "check_last": [
        (lambda o, T: o[:, -1], "the last column is padding"),
        (lambda o, T: o[range(len(T)), np.minimum(T, o.shape[1] - 1)], "one step too late"),
        (lambda o, T: o[range(len(T)), T], "raised IndexError"),
        (lambda o, T: o[range(len(T)), T - 2], "one step too early"),
        (lambda o, T: o[:, T - 1], "the ends of all"),
        (lambda o, T: np.array([a[:t].mean(0) for a, t in zip(o, T, strict=True)]), "the mean"),
        (lambda o, T: o[:, 0], "the first step"),
        (lambda o, T: o[:, max(T) - 1], "longest"),
        (lambda o, T: o[range(len(T)), -T], "from the right end"),
        (lambda o, T: o.max(1), "largest value"),
        (lambda o, T: last(o, T).T, "transposed"),
    ],
    "check_decide": [
        (lambda p, c, m: p >= 0.5, "one half"),
        (lambda p, c, m: p >= m / (c + m), "swapped"),
        (lambda p, c, m: p >= c / m, "only where nobody buys"),
        (lambda p, c, m: p < c / (c + m), "the other way round"),
        (lambda p, c, m: p * m >= c, "only where nobody buys"),
        (lambda p, c, m: np.minimum((1 - p) * c, p * m), "these are the mean costs"),
        (lambda p, c, m: p >= 0, "to act always"),
        (lambda p, c, m: p > 1, "never to act"),
        (lambda p, c, m: c / (c + m), "this is the threshold"),
        (lambda p, c, m: p >= c / (c + m) + 0.02, "2 of 100 entries are off"),
        (lambda p, c, m: list(p > 0.9), "entries are off"),
        (lambda p, c, m: (p >= 0.5).all(), "expected numbers"),
    ],
    "check_undo": [
        (lambda p, w: p / w, "not probabilities"),
        (lambda p, w: w * p / (w * p + 1 - p), "the wrong way"),
        (lambda p, w: p / (1 - p) / w, "these are the odds"),
        (lambda p, w: np.log(p) - np.log(1 - p) - np.log(w), "log odds"),
        (lambda p, w: p / (p + w), "does not replace it"),
        (lambda p, w: 1 / (1 + (1 - p) / p * np.exp(w)), "take log w off"),
        (lambda p, w: undo(p, w + 1), "the weight of a buyer is w"),
        (lambda p, w: undo(p, w) / sum(undo(p, w)), "a case of its own"),
        (lambda p, w: 1 - undo(p, w), "leaving"),
        (lambda p, w: p, "nothing was undone"),
        (lambda p, w: undo(p, w)[::-1], "runs backwards"),
    ],
    "check_same_bag": [
        (Args("search reviews", "search search"), "the two bags differ"),
        (Args(GOOD, GOOD), "twice the same"),
        (Args("home search", "search home"), "at least 0.35 is asked"),
        (Args(GOOD + " help", TURNED + " help"), "more than 10"),
        (Args("home buy", "buy home"), "'buy' is no event"),
        (Args(["home", "Add"], ["Add", "home"]), "'Add' is no event"),
        (Args([9, 0], [0, 9]), "text of events"),
        (Args("", ""), "text of events"),
        (Args(3, 4), "right kind"),
        (Args("add cart", "cart add"), "differ by"),
    ],
}

RIGHT = {
    "check_chance": [chance, chance_by_inverse],
    "check_two_answers": [two_answers],
    "check_auc": [area, area_by_ranks],
    "check_last": [last, last_by_mask],
    "check_decide": [decide, lambda p, c, m: p > c / (c + m), lambda *c: list(decide(*c))],
    "check_undo": [undo, lambda p, w: 1 / (1 + w * (1 / p - 1))],
    "check_same_bag": [
        Args(GOOD, TURNED),
        Args(TURNED.split(), GOOD.split()),
        Args(GOOD.capitalize(), TURNED.replace(" ", ", ")),
    ],
}
