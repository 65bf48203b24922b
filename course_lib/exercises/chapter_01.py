"""Checks of chapter 01, Order matters.

Letters: T time, V symbols. Every table used here is asymmetric, and no start is stationary, so
that a table read the wrong way round or a forgotten start gives a wrong number, not a right one.
"""

import itertools

import numpy as np

from course_lib import markov
from course_lib.exercises.kit import exercise, wrong_claim, wrong_function, wrong_value

TWO = (np.array([0.8, 0.2]), np.array([[0.75, 0.25], [1 / 3, 2 / 3]]))
THREE = (
    np.array([0.5, 0.2, 0.3]),
    np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.4, 0.1, 0.5]]),
)
NOTEBOOKS = (np.array([0, 1, 1, 2, 0]), np.array([2, 0, 1, 0, 0, 1]))  # sun, rain, snow
DAYS = np.array([0, 1, 2, 2, 0, 1, 0, 0])
TOSSES = np.array([1, 0, 0, 1, 1, 1])


@exercise("1.1 A table by hand")
def check_table(answer):
    """Transition table of two notebooks of three kinds of weather."""
    counts = markov.transition_counts(list(NOTEBOOKS), 3).astype(float)
    glued = markov.transition_counts(np.concatenate(NOTEBOOKS), 3).astype(float)
    return wrong_value(
        answer,
        _rows(counts),
        axes=("from", "to"),
        distribution=True,
        likely=[
            (_rows(counts).round(2), "close, but rounded: write 1 / 3, and let Python divide"),
            (counts, "these are the counts: divide each row by its sum"),
            (counts.T, "these are the counts, from and to swapped"),
            (_rows(glued), "the last day of one notebook is not the day before the next notebook"),
            (glued, "the last day of one notebook is not the day before the next notebook"),
            (counts / counts.sum(), "divided by the number of all steps: each row has its own sum"),
            (
                counts / counts.sum(axis=0),
                "divided by the column sums: that says where a day came from, not where it goes",
            ),
            (_rows(counts.T), "from and to are swapped: rows are where a step starts"),
        ],
    )


def _log_prob(y, pi, A):
    return float(np.log(pi[y[0]]) + np.log(A[y[:-1], y[1:]]).sum())


@exercise("1.2 The log probability of a sequence")
def check_log_prob(function):
    """Log probability of a sequence under a chain, in nats."""
    return wrong_function(
        function,
        [(DAYS, *THREE), (TOSSES, *TWO), (DAYS[:1], *THREE)],
        want=_log_prob,
        likely=[
            (lambda y, pi, A: np.exp(_log_prob(y, pi, A)), "this is the probability: take the log"),
            (
                lambda y, pi, A: _log_prob(y, pi, A) - np.log(pi[y[0]]),
                "the first symbol has a probability too: where is pi?",
            ),
            (
                lambda y, pi, A: _log_prob(y, pi, A.T),
                "A[i, j] goes from i to j: this reads the table from the column to the row",
            ),
            (lambda y, pi, A: _log_prob(y, pi, A) / np.log(2), "this is in bits; use np.log"),
            (lambda y, pi, A: _log_prob(y, pi, A) / np.log(10), "base 10; use np.log"),
            (lambda y, pi, A: _log_prob(y, pi, A) / len(y), "a mean; the question asks for a sum"),
            (lambda y, pi, A: -_log_prob(y, pi, A), "this is the surprise: the sign is reversed"),
            (
                lambda y, pi, A: float(np.log(pi[y]).sum()),
                "this scores a bag: pi is for the first symbol only",
            ),
        ],
    )


def _forecast(today, A, n):
    return np.linalg.matrix_power(A, n)[today]


@exercise("1.3 The weather in n days")
def check_forecast(function):
    """Distribution of the symbol n steps from now."""
    cases = [(0, THREE[1], 3), (2, THREE[1], 1), (1, TWO[1], 4), (1, THREE[1], 0)]
    power = np.linalg.matrix_power
    return wrong_function(
        function,
        cases,
        want=_forecast,
        axes=("symbol",),
        distribution=True,
        likely=[
            (lambda i, A, n: (A**n)[i], "A ** n raises every entry by itself: use matrix_power"),
            (lambda i, A, n: _rows(A**n)[i], "A ** n raises every entry: use matrix_power"),
            (lambda i, A, n: power(A, n)[:, i], "a column is about where today came from"),
            (lambda i, A, n: power(A, n + 1)[i], "one step too many"),
            (lambda i, A, n: power(A, max(n - 1, 0))[i], "one step too few"),
            (lambda i, A, n: A[i], "this is tomorrow, whatever n is"),
            (lambda i, A, n: n * A[i], "n times a probability is not a probability"),
            (
                lambda i, A, n: markov.stationary_distribution(A),
                "this is the long run: after n steps today still counts",
            ),
        ],
    )


@exercise("1.4 The long run")
def check_stationary(function):
    """Stationary distribution of a transition table."""
    ring = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.5, 0.0, 0.5]])
    return wrong_function(
        function,
        [(THREE[1],), (TWO[1],), (ring,)],
        want=markov.stationary_distribution,
        axes=("symbol",),
        distribution=True,
        atol=1e-6,
        rtol=1e-5,
        likely=[
            (
                lambda A: np.full(len(A), 1 / len(A)),
                "equal shares: `A @ x = x` holds for every table; the question is `x @ A = x`",
            ),
            (
                lambda A: np.linalg.matrix_power(A, 2)[0],
                "two steps are not the long run: go on until nothing changes",
            ),
            (lambda A: A[0], "one step from symbol 0 is not the long run"),
            (lambda A: A.mean(axis=0), "a plain mean of the rows: busy symbols must weigh more"),
            (
                lambda A: _left_eigenvector(A) / np.linalg.norm(_left_eigenvector(A)),
                "the eigenvector is right, its length is not: divide by its sum, not by its norm",
            ),
        ],
    )


def _left_eigenvector(A):
    return markov.stationary_distribution(A)


def _score(y, A):
    nats = -np.log(A[y[:-1], y[1:]]).mean()
    return float(nats), float(nats / np.log(2)), float(np.exp(nats))


@exercise("1.5 Nats, bits, perplexity")
def check_score(function):
    """Cross-entropy of the steps of a held-out sequence, in three units."""
    return wrong_function(
        function,
        [(DAYS, THREE[1]), (TOSSES, TWO[1])],
        want=_score,
        parts=("nats", "bits", "perplexity"),
        likely=[
            (lambda y, A: _units(_steps(y, A).sum()), "a sum over the steps; take the mean"),
            (
                lambda y, A: _units(_steps(y, A).sum() / len(y)),
                "off by one: T symbols make T - 1 steps",
            ),
            (lambda y, A: _units(_steps(y, A.T).mean()), "A[i, j] goes from i to j"),
            (
                lambda y, A: (_score(y, A)[0], _score(y, A)[0] * np.log(2), _score(y, A)[2]),
                "bits: there are more bits than nats, so divide by log 2",
            ),
            (
                lambda y, A: (*_score(y, A)[:2], np.exp(_score(y, A)[1])),
                "perplexity: exp belongs to nats, 2 ** to bits",
            ),
            (
                lambda y, A: (*_score(y, A)[:2], 2 ** _score(y, A)[0]),
                "perplexity: 2 ** belongs to bits, exp to nats",
            ),
            (
                lambda y, A: (-_score(y, A)[0], -_score(y, A)[1], 1 / _score(y, A)[2]),
                "surprise is minus the log: the sign is missing",
            ),
        ],
    )


def _steps(y, A):
    return -np.log(A[y[:-1], y[1:]])


def _units(nats):
    return float(nats), float(nats / np.log(2)), float(np.exp(nats))


def _bags(A, T):
    """Probability of every bag of T items of a stationary chain, by all V^T sequences."""
    pi, bags = markov.stationary_distribution(A), {}
    for y in itertools.product(range(len(A)), repeat=T):
        p = pi[y[0]] * np.prod([A[i, j] for i, j in itertools.pairwise(y)])
        bags[tuple(sorted(y))] = bags.get(tuple(sorted(y)), 0.0) + p
    return np.array([bags[key] for key in sorted(bags)])


@exercise("1.6 Two chains, one bag")
def check_same_bag(A, other):
    """Two chains that differ, although every bag is equally probable under both."""
    A, other = np.array(A, dtype=float), np.array(other, dtype=float)
    two = (A, other)
    return wrong_claim(
        two,
        [
            (
                lambda c: all(a.ndim == 2 and a.shape[0] == a.shape[1] for a in c),
                "a transition table is square: one row and one column a symbol",
            ),
            (
                lambda c: c[0].shape == c[1].shape and 3 <= len(c[0]) <= 4,
                "use three or four symbols in both: with two, the bags of two items fix the table",
            ),
            (
                lambda c: all((a >= 0).all() and np.allclose(a.sum(axis=1), 1) for a in c),
                "every row must hold probabilities that sum to 1",
            ),
            (lambda c: not np.allclose(*c, atol=1e-6), "these are the same table twice"),
            (
                lambda c: all((np.linalg.matrix_power(a + np.eye(len(a)), 9) > 0).all() for a in c),
                "every symbol must be reachable from every other",
            ),
            (
                lambda c: np.allclose(*map(markov.stationary_distribution, c), atol=1e-6),
                "the two visit their symbols unequally often, so a bag tells them apart",
            ),
            (
                lambda c: all(
                    np.allclose(_bags(c[0], T), _bags(c[1], T), atol=1e-6) for T in (3, 4)
                ),
                "equal shares in the long run are not enough: some bags of 3 or 4 items are more "
                "probable under one of them; think of a film shown backwards",
            ),
        ],
    )


def _interpolate(counts, shorter, weight, spread=None):
    lower = (spread or _same_suffix)(counts, shorter)
    totals = counts.sum(axis=1, keepdims=True)
    own = np.divide(counts, totals, out=lower.copy(), where=totals > 0)
    return weight * own + (1 - weight) * lower


def _same_suffix(counts, shorter):
    return np.tile(shorter, (len(counts) // len(shorter), 1))


def _same_prefix(counts, shorter):
    return np.repeat(shorter, len(counts) // len(shorter), axis=0)


def _uniform(counts, shorter):
    return np.full(counts.shape, 1 / counts.shape[1])


@exercise("1.7 Lean on the shorter memory")
def check_interpolate(function):
    """Table that mixes an n-gram model with the model of one symbol less."""
    pairs = np.array([[6.0, 2.0, 1.0], [1.0, 0.0, 4.0], [3.0, 1.0, 1.0]])
    triples = np.array([[6.0, 2.0], [1.0, 3.0], [0.0, 0.0], [5.0, 2.0]])
    alone, chain = np.array([[0.5, 0.2, 0.3]]), np.array([[0.8, 0.2], [0.3, 0.7]])
    return wrong_function(
        function,
        [(pairs, alone, 0.8), (triples, chain, 0.6), (triples, chain, 0.0)],
        want=_interpolate,
        axes=("context", "symbol"),
        distribution=True,
        likely=[
            (lambda c, s, w: _interpolate(c, s, 1 - w), "the weight belongs to the longer memory"),
            (
                lambda c, s, w: _interpolate(c, s, w, _same_prefix),
                "np.repeat forgets the newest symbol: the shorter context keeps the newest ones, "
                "so its table is repeated as a whole, np.tile",
            ),
            (
                lambda c, s, w: w * _rows_or_zero(c) + (1 - w) * _same_suffix(c, s),
                "a row without counts must be the shorter memory alone, or it does not sum to 1",
            ),
            (
                lambda c, s, w: w * _rows(c) + (1 - w) * _same_suffix(c, s),
                "a row without counts is 0 / 0: use the shorter memory alone there",
            ),
            (
                lambda c, s, w: _interpolate(c, s, w, _uniform),
                "mixed with equal shares: lean on the table of the shorter memory",
            ),
            (
                lambda c, s, w: w * c + (1 - w) * _same_suffix(c, s),
                "counts and probabilities do not mix: divide each row by its sum first",
            ),
            (
                lambda c, s, w: _rows(w * c + (1 - w) * _same_suffix(c, s)),
                "counts and probabilities do not mix: divide each row by its sum first",
            ),
        ],
    )


def _spells(y, symbol):
    return np.array([len(list(run)) for value, run in itertools.groupby(y) if value == symbol])


@exercise("1.8 How long does it stay dry?")
def check_spells(function):
    """Lengths of all runs of a symbol, in the order in which they occur."""
    first_and_last = np.array([0, 0, 0, 1, 0, 1, 1, 0, 0])
    inside = np.array([1, 0, 0, 1, 1, 0, 2, 2, 0, 0, 0, 0, 1])
    return wrong_function(
        function,
        [(first_and_last, 0), (inside, 0), (inside, 1), (np.array([0, 0]), 0)],
        want=_spells,
        axes=("spell",),
        likely=[
            (
                lambda y, s: _spells(y, s)[:-1] if y[-1] == s else _spells(y, s),
                "a spell that lasts until the end is missing",
            ),
            (
                lambda y, s: _spells(y, s)[1:] if y[0] == s else _spells(y, s),
                "a spell that begins with the first day is missing",
            ),
            (
                lambda y, s: _spells(y, s) - 1,
                "off by one: these are the steps inside a spell, not its days",
            ),
            (lambda y, s: _spells(y, s) + 1, "off by one: the day after the spell is counted too"),
            (
                lambda y, s: np.array([len(list(run)) for _, run in itertools.groupby(y)]),
                "these are the runs of every symbol, not of one",
            ),
            (lambda y, s: np.sort(_spells(y, s)), "keep the spells in the order of time"),
            (lambda y, s: float(_spells(y, s).mean()), "this is the mean: return every length"),
        ],
    )


def _rows(x):
    with np.errstate(invalid="ignore"):
        return x / x.sum(axis=-1, keepdims=True)


def _rows_or_zero(x):
    totals = x.sum(axis=1, keepdims=True)
    return np.divide(x, totals, out=np.zeros_like(x), where=totals > 0)
