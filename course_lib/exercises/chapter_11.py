"""Checks of chapter 11, will this session buy?

Letters: n sessions, T time, H hidden, K intents, V events. Sizes are pairwise distinct where a
transposed or mixed-up axis must not pass.
"""

import numpy as np

from course_lib.datasets.sessions import SHOP, exact_buy_probability
from course_lib.exercises.kit import exercise, wrong_claim, wrong_function


def _shop(rng, K):
    """Moves, endings with and without a purchase, and a belief, of a shop with K intents."""
    rows = rng.dirichlet(np.ones(K + 2), size=K)
    return rows[:, :K], rows[:, K], rows[:, K + 1], rng.dirichlet(np.ones(K))


# ---- 11.1 ---------------------------------------------------------------------------------------


def _chance(Q, r):
    return np.linalg.solve(np.eye(len(Q)) - Q, r)


@exercise("11.1 The chance of each intent")
def check_chance(function):
    """Probability that a session with this intent will end with a purchase."""
    rng = np.random.default_rng(111)
    return wrong_function(
        function,
        [_shop(rng, K)[:2] for K in (2, 3, 4)],
        want=_chance,
        axes=("intent",),
        likely=[
            (lambda Q, r: r, "this is buying at once; most buyers make another click first"),
            (lambda Q, r: r + Q @ r, "this is buying within two clicks; go on for ever"),
            (
                lambda Q, r: _chance(Q.T, r),
                "Q is read backwards: Q[i, j] goes from i to j, and the chance is a column",
            ),
            (lambda Q, r: Q @ _chance(Q, r), "a purchase after the present click is missing"),
            (lambda Q, r: r / (1 - Q.sum(axis=1)), "this is for a session that ends right here"),
            (
                lambda Q, r: r / (1 - np.diag(Q)),
                "an intent may also turn into another one and buy then",
            ),
            (lambda Q, r: np.linalg.solve(np.eye(len(Q)) + Q, r), "u - Q u = r: mind the sign"),
            (lambda Q, r: np.linalg.inv(np.eye(len(Q)) - Q), "this counts visits; multiply by r"),
            (
                lambda Q, r: _chance(Q, r) / _chance(Q, r).sum(),
                "no distribution over intents is asked; the chances need not sum to 1",
            ),
            (
                lambda Q, r: _chance(Q, 1 - Q.sum(axis=1)),
                "every session ends; only those that end with a purchase count",
            ),
            (lambda Q, r: 1 - _chance(Q, r), "this is the chance of leaving without a purchase"),
        ],
    )


# ---- 11.2 ---------------------------------------------------------------------------------------


def _last(outputs, lengths):
    return outputs[np.arange(len(lengths)), lengths - 1]


@exercise("11.2 Where each session ends")
def check_last(function):
    """Output at the last real step of each sequence."""
    rng = np.random.default_rng(114)
    # Padded steps hold numbers too, as they do in a network.
    cases = [
        (rng.normal(size=(4, 7, 3)), np.array([7, 2, 5, 1])),
        (rng.normal(size=(3, 5, 2)), np.array([4, 1, 2])),
        (rng.normal(size=(6, 4, 5)), np.array([1, 2, 3, 3, 2, 1])),
    ]
    return wrong_function(
        function,
        cases,
        want=_last,
        axes=("session", "unit"),
        likely=[
            (lambda o, T: o[:, -1], "the last column is padding for most sessions"),
            (
                lambda o, T: o[np.arange(len(T)), np.minimum(T, o.shape[1] - 1)],
                "one step too late: steps are numbered from 0, so the last is lengths - 1",
            ),
            (lambda o, T: o[np.arange(len(T)), T - 2], "one step too early"),
            (
                lambda o, T: o[:, T - 1],
                "every session at the ends of all; give an index of the session as well",
            ),
            (
                lambda o, T: np.stack([row[:t].mean(axis=0) for row, t in zip(o, T, strict=True)]),
                "this is the mean over the real steps; the last one is asked",
            ),
            (lambda o, T: o[:, 0], "this is the first step"),
            (lambda o, T: o[:, T.max() - 1], "the end of the longest is not the end of the others"),
            (
                lambda o, T: o[np.arange(len(T)), -T],
                "counted from the right end of the array, padding included",
            ),
            (lambda o, T: o.max(axis=1), "this is the largest value over time"),
        ],
    )


# ---- 11.3 ---------------------------------------------------------------------------------------


def _pairs(y, p, tie):
    ones, zeros = p[y == 1][:, None], p[y == 0]
    return (ones > zeros).mean() + tie * (ones == zeros).mean()


def _auc(y, p):
    return _pairs(y, p, 0.5)


@exercise("11.3 AUC by pairs")
def check_auc(function):
    """Share of pairs (buyer, other) in the right order, ties one half."""
    rng = np.random.default_rng(113)
    cases = []
    for n, digits in ((13, 6), (17, 1), (11, 1)):
        y = np.r_[1, 0, rng.integers(2, size=n - 2)]
        cases.append((y, np.round(0.3 * y + 0.6 * rng.random(n), digits)))
    return wrong_function(
        function,
        cases,
        want=_auc,
        likely=[
            (lambda y, p: _pairs(y, p, 0.0), "a tie counts one half, not nothing"),
            (lambda y, p: _pairs(y, p, 1.0), "a tie counts one half, not a whole"),
            (lambda y, p: 1 - _auc(y, p), "the other way round: buyers should be higher"),
            (
                lambda y, p: _auc(y, p) * (y == 1).sum() * (y == 0).sum(),
                "this is the number of pairs; divide by how many there are",
            ),
            (
                lambda y, p: _auc(y, p) * (y == 1).sum() * (y == 0).sum() / len(y) ** 2,
                "divide by the pairs of a buyer and another, not by all pairs",
            ),
            (lambda y, p: ((p >= 0.5) == y).mean(), "this is the accuracy at one half"),
            (lambda y, p: 2 * _auc(y, p) - 1, "this is the Gini index, 2 AUC - 1"),
            (
                lambda y, p: p[y == 1].mean() - p[y == 0].mean(),
                "a difference of means; only the order counts",
            ),
            (
                lambda y, p: (p[y == 1] > p[y == 0].mean()).mean(),
                "compare with each of the others, not with their mean",
            ),
        ],
    )


# ---- 11.4 ---------------------------------------------------------------------------------------


def _undo(p, w):
    return p / (p + w * (1 - p))


@exercise("11.4 Undo the weights")
def check_undo(function):
    """The probability behind a prediction that was trained with buyers weighted w."""
    p = np.array([0.02, 0.1, 0.35, 0.5, 0.64, 0.9, 0.97])
    return wrong_function(
        function,
        [(p, 8.0), (p[1:], 3.0), (p[:-2], 0.5)],
        want=_undo,
        axes=("session",),
        likely=[
            (lambda p, w: p / w, "odds are divided by w, not probabilities"),
            (
                lambda p, w: _undo(p, 1 / w),
                "the wrong way: weights made it larger, make it smaller",
            ),
            (lambda p, w: p / (1 - p) / w, "these are the odds; turn them into a probability"),
            (lambda p, w: np.log(p / (1 - p) / w), "these are log odds; a probability is asked"),
            (
                lambda p, w: p / (p + w),
                "the others keep their share 1 - p: w multiplies it, it does not replace it",
            ),
            (
                lambda p, w: 1 / (1 + np.exp(-(np.log(p / (1 - p)) - w))),
                "take log w off the log odds, not w",
            ),
            (lambda p, w: _undo(p, w + 1), "the weight of a buyer is w, that of another visitor 1"),
            (lambda p, w: _undo(p, w) / _undo(p, w).sum(), "each visitor is a case of its own"),
            (lambda p, w: 1 - _undo(p, w), "this is the probability of leaving"),
            (lambda p, w: p, "nothing was undone"),
        ],
    )


# ---- 11.5 ---------------------------------------------------------------------------------------


def _two_answers(belief, Q, r, leave):
    on = belief @ Q
    return belief @ r / (belief @ (r + leave)), on @ _chance(Q, r) / on.sum()


@exercise("11.5 If it ends here, if it goes on")
def check_two_answers(function):
    """P(buy) if the last click was the last, and if another one follows."""
    rng = np.random.default_rng(112)
    cases = []
    for K in (2, 3, 5):
        Q, r, leave, belief = _shop(rng, K)
        cases.append((belief, Q, r, leave))

    def likely(ends=None, goes=None):
        def wrong(belief, Q, r, leave):
            right = _two_answers(belief, Q, r, leave)
            return (
                right[0] if ends is None else ends(belief, Q, r, leave),
                right[1] if goes is None else goes(belief, Q, r, leave),
            )

        return wrong

    return wrong_function(
        function,
        cases,
        want=_two_answers,
        parts=("ends", "goes_on"),
        likely=[
            (lambda *c: _two_answers(*c)[::-1], "the other way round: first ends, then goes_on"),
            (
                likely(ends=lambda b, Q, r, leave: b @ r),
                "ends: divide by the probability that the session ends here at all",
            ),
            (
                likely(ends=lambda b, Q, r, leave: b @ (r / (r + leave))),
                "ends: the ending is evidence about the intent too; one ratio of two sums, not a "
                "mean of ratios",
            ),
            (
                likely(ends=lambda b, Q, r, leave: b @ r / (b @ leave)),
                "ends: these are odds; a probability is asked",
            ),
            (
                likely(ends=lambda b, Q, r, leave: b @ _chance(Q, r)),
                "ends: this is the answer as things stand, before one knows that it ends",
            ),
            (
                likely(goes=lambda b, Q, r, leave: b @ _chance(Q, r)),
                "goes_on: this is the answer as things stand; a purchase right now is ruled out",
            ),
            (
                likely(goes=lambda b, Q, r, leave: b @ Q @ _chance(Q, r)),
                "goes_on: divide by the probability that the session goes on",
            ),
            (
                likely(goes=lambda b, Q, r, leave: b @ Q @ r / (b @ Q).sum()),
                "goes_on: this is a purchase at the very next click; later ones count too",
            ),
            (
                likely(
                    goes=lambda b, Q, r, leave: (
                        b @ (Q / Q.sum(axis=1, keepdims=True)) @ _chance(Q, r)
                    )
                ),
                "goes_on: that it goes on is evidence about the intent too; divide after mixing",
            ),
            (
                likely(goes=lambda b, Q, r, leave: Q @ b @ _chance(Q, r) / (Q @ b).sum()),
                "goes_on: beliefs are rows, belief @ Q",
            ),
        ],
    )


# ---- 11.6 ---------------------------------------------------------------------------------------


def _decide(p, false_alarm, miss):
    return (p >= false_alarm / (false_alarm + miss)).astype(int)


def _zero_or_one(answer):
    """True and False as 1 and 0, so that a wrong entry is named instead of the kind of answer."""
    if isinstance(answer, (list, tuple, np.ndarray)) and np.asarray(answer).dtype == bool:
        return np.asarray(answer).astype(int)
    return answer


def _decide_cases():
    p = np.array([0.01, 0.08, 0.15, 0.22, 0.3, 0.45, 0.55, 0.63, 0.72, 0.85, 0.93, 0.99])
    many = np.linspace(0.005, 0.995, 100)  # so that a cut a little off is seen
    return [(p, 1.0, 4.0), (p[1:], 3.0, 1.0), (p[2:], 0.5, 9.0), (many, 20.0, 30.0)]


@exercise("11.6 Act or wait")
def check_decide(function):
    """True where acting is cheaper on average."""

    def at(threshold):
        return lambda p, c, m: (p >= threshold(c, m)).astype(int)

    def numbers(*case):
        return _zero_or_one(function(*case))

    return wrong_function(
        numbers if callable(function) else function,
        _decide_cases(),
        want=_decide,
        axes=("session",),
        likely=[
            (at(lambda c, m: 0.5), "one half is right only if both errors cost the same"),
            (
                at(lambda c, m: m / (c + m)),
                "the prices are swapped: the dearer a miss, the sooner one acts",
            ),
            (
                at(lambda c, m: c / m),
                "acting does not always cost: only where nobody buys, (1 - p) * false_alarm",
            ),
            (
                lambda p, c, m: 1 - _decide(p, c, m),
                "the other way round: True is to act, and one acts where a purchase is likely",
            ),
            (
                lambda p, c, m: np.minimum((1 - p) * c, p * m),
                "these are the mean costs; which of the two is smaller?",
            ),
            (lambda p, c, m: np.ones(len(p)), "to act always is dear where p is small"),
            (
                lambda p, c, m: np.zeros(len(p)),
                "never to act is dear where p is large",
            ),
            (lambda p, c, m: c / (c + m), "this is the threshold; compare p with it"),
        ],
    )


# ---- 11.7 ---------------------------------------------------------------------------------------

LEAST_GAP, MOST_CLICKS = 0.35, 10


def _words(names):
    """Words of a text, whatever its commas and capitals; a list stays as it is."""
    return names.lower().replace(",", " ").split() if isinstance(names, str) else names


def _session(names):
    """A session as numbers; names and numbers are both welcome."""
    return [SHOP.events.index(e) if isinstance(e, str) else int(e) for e in _words(names)]


def _p_buy(names):
    return exact_buy_probability(SHOP, np.array([_session(names)]))[0, -1]


@exercise("11.7 Same bag, another visitor")
def check_same_bag(one, two):
    """Two sessions with the same clicks whose chances lie far apart."""
    for names in (one, two):
        unknown = [e for e in _words(names) if isinstance(e, str) and e not in SHOP.events]
        if unknown:
            return f"{unknown[0]!r} is no event; use {', '.join(SHOP.events)}"
    gap = None
    try:
        gap = abs(_p_buy(one) - _p_buy(two))
    except (TypeError, ValueError, IndexError) as error:
        return f"a session is a text of events, or a list of their names: {error}"
    return wrong_claim(
        (one, two),
        [
            (
                lambda a: max(len(_session(s)) for s in a) <= MOST_CLICKS,
                f"more than {MOST_CLICKS} clicks; shorter sessions will do",
            ),
            (
                lambda a: sorted(_session(a[0])) == sorted(_session(a[1])),
                "the two bags differ; use the same clicks in another order",
            ),
            (
                lambda a: _session(a[0]) != _session(a[1]),
                "this is twice the same session; change the order",
            ),
            (
                lambda a: gap >= LEAST_GAP,
                f"the chances differ by {gap:.2f}, at least {LEAST_GAP} is asked; which clicks "
                "speak for wanting only if they come last?",
            ),
        ],
    )
