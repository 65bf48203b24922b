"""Checks of chapter 02, Hidden Markov models.

Letters: T time, K states, V symbols. Every table used here is asymmetric, every start is not
stationary, and K = V, so that a table read the wrong way round gives a wrong number, not an error.
"""

import numpy as np

from course_lib import hmm
from course_lib.datasets.casino import CASINO_A, CASINO_B, CASINO_PI
from course_lib.exercises.kit import OPEN, exercise, wrong_claim, wrong_function, wrong_value

COIN = (
    np.array([0.6, 0.4]),
    np.array([[0.7, 0.3], [0.2, 0.8]]),
    np.array([[0.5, 0.5], [0.1, 0.9]]),
)
CLIMATE = (
    np.array([0.5, 0.2, 0.3]),
    np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6], [0.4, 0.1, 0.5]]),
    np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.1, 0.2, 0.7]]),
)
TOSSES = np.array([1, 1, 0, 1, 0])
DAYS = np.array([0, 1, 2, 2, 0, 1])
CASES = [(TOSSES, *COIN), (DAYS, *CLIMATE), (DAYS[:1], *CLIMATE)]


def _step(belief, symbol, A, B):
    joint = (belief @ A) * B[:, symbol]
    return joint / joint.sum()


def _rows(x):
    return x / x.sum(axis=-1, keepdims=True)


@exercise("2.1 One path by hand")
def check_joint(answer):
    """Joint probability of the path fair, fair, trick and tails, heads, heads."""
    pi, A, B = COIN
    y, z = np.array([0, 1, 1]), np.array([0, 0, 1])
    want = np.exp(hmm.log_joint(z, y, *COIN))
    return wrong_value(
        answer,
        want,
        likely=[
            (want / pi[0], "the first state has a probability too: where is pi?"),
            (want / A[0, 1] * A[1, 0], "A[i, j] goes from i to j: this reads the table backwards"),
            (pi[0] * A[0, 0] * A[0, 1], "this is the path alone: what does each coin show?"),
            (B[0, 0] * B[0, 1] * B[1, 1], "these are the tosses alone: how likely is the path?"),
            (
                want / np.exp(hmm.forward_filter(y, *COIN).log_evidence),
                "this is the path given the tosses; the joint is not divided by the evidence",
            ),
        ],
    )


@exercise("2.2 One step of the filter")
def check_one_step(function):
    """Belief after one more observation, from the belief before."""
    cases = [(np.array([0.8, 0.2]), 1, *COIN[1:]), (np.array([0.2, 0.7, 0.1]), 0, *CLIMATE[1:])]
    return wrong_function(
        function,
        cases,
        want=_step,
        axes=("state",),
        distribution=True,
        likely=[
            (lambda b, y, A, B: (b @ A) * B[:, y], "this is the joint: did you normalise?"),
            (lambda b, y, A, B: b @ A, "only predicted: the observation is not in it yet"),
            (
                lambda b, y, A, B: _rows(b * B[:, y]),
                "weighted without predicting first: the state may have moved since",
            ),
            (
                lambda b, y, A, B: _rows((A @ b) * B[:, y]),
                "`A @ belief` reads the table backwards; beliefs are rows: `belief @ A`",
            ),
            (
                lambda b, y, A, B: _rows((b @ A) * B[y]),
                "B[symbol] is what one state shows; every state's view of the symbol is a column",
            ),
            (
                lambda b, y, A, B: _rows(b * B[:, y]) @ A,
                "weighted first and predicted afterwards: the belief belongs to the next step",
            ),
        ],
    )


def _predict_symbol(belief, A, B, symbol, n):
    return float((belief @ np.linalg.matrix_power(A, n) @ B)[symbol])


@exercise("2.3 A six in n rolls' time")
def check_predict(function):
    """Probability of a symbol n steps after the last belief."""
    cases = [
        (np.array([0.8, 0.2]), *COIN[1:], 1, 3),
        (np.array([0.2, 0.7, 0.1]), *CLIMATE[1:], 2, 1),
        (np.array([0.2, 0.7, 0.1]), *CLIMATE[1:], 0, 4),
    ]
    power = np.linalg.matrix_power
    return wrong_function(
        function,
        cases,
        want=_predict_symbol,
        likely=[
            (
                lambda b, A, B, v, n: _predict_symbol(b, A, B, v, n - 1),
                "one move too few: the belief is about the last roll, so one roll ahead is one A",
            ),
            (
                lambda b, A, B, v, n: _predict_symbol(b, A, B, v, n + 1),
                "one move too many: n rolls ahead are n moves",
            ),
            (
                lambda b, A, B, v, n: (power(A, n) @ b @ B)[v],
                "`A @ belief` reads the table backwards; beliefs are rows: `belief @ A`",
            ),
            (
                lambda b, A, B, v, n: (b @ A**n @ B)[v],
                "`A**n` raises each entry to a power; matrix_power multiplies matrices",
            ),
            (
                lambda b, A, B, v, n: (b @ power(A, n))[v],
                "this is the probability of a state; what does each state show?",
            ),
        ],
    )


def _honest_house(y):
    log_casino = hmm.forward_filter(y, CASINO_PI, CASINO_A, CASINO_B).log_evidence
    log_honest = -len(y) * np.log(6.0)
    return float(np.exp(-np.logaddexp(0.0, log_casino - log_honest)))


@exercise("2.4 Which house is it?")
def check_which_house(function):
    """Probability that a game came from an honest house, both houses equally likely before."""
    rng = np.random.default_rng(24)
    cheats = hmm.sample_hmm(40, CASINO_PI, CASINO_A, CASINO_B, rng)[1]
    cases = [np.array([5, 5, 2]), rng.integers(0, 6, 60), cheats, np.tile([0, 3, 5, 1, 2, 4], 250)]

    def evidence(y):
        return np.exp(hmm.forward_filter(y, CASINO_PI, CASINO_A, CASINO_B).log_evidence)

    return wrong_function(
        function,
        cases,
        want=_honest_house,
        likely=[
            (
                lambda y: 6.0 ** -len(y) / (6.0 ** -len(y) + evidence(y)),
                "on a long game both evidences underflow: compare their logarithms",
            ),
            (lambda y: 1 - _honest_house(y), "this is the probability of the casino"),
            (
                lambda y: (
                    -len(y) * np.log(6.0)
                    - hmm.forward_filter(y, CASINO_PI, CASINO_A, CASINO_B).log_evidence
                ),
                "these are log odds in nats; turn them into a probability",
            ),
        ],
    )


def _unscaled(y, pi, A, B, shift=1):
    a, b = [pi * B[:, y[0]]], [np.ones(len(pi))]
    for symbol in y[1:]:
        a.append((a[-1] @ A) * B[:, symbol])
    for t in reversed(range(len(y) - 1)):
        b.insert(0, A @ (B[:, y[t + shift]] * b[0]))
    return np.array(a), np.array(b)


def _smooth_transposed(y, pi, A, B):
    a, _ = _unscaled(y, pi, A, B)
    _, b = _unscaled(y, pi, A.T, B)
    return _rows(a * b)


@exercise("2.5 The smoother")
def check_smoother(function):
    """p(z_t | all observations) for every t."""
    return wrong_function(
        function,
        CASES,
        want=hmm.smooth,
        axes=("time", "state"),
        distribution=True,
        likely=[
            (
                lambda *m: hmm.forward_filter(*m).alpha,
                "this is the filter: the future is missing",
            ),
            (
                lambda *m: _rows(np.prod(_unscaled(*m, shift=0), axis=0)),
                "off by one on the way back: beta[t] needs the observation at t + 1",
            ),
            (
                _smooth_transposed,
                "the backward step needs `A @ ...`: going back reads the table from the other side",
            ),
            (lambda *m: _rows(_unscaled(*m)[1]), "this is the future alone: multiply by alpha"),
            (
                lambda *m: np.prod(_unscaled(*m), axis=0),
                "these are joint with the data: did you normalise each row?",
            ),
        ],
    )


def _viterbi_product(y, pi, A, B):
    delta, back = pi * B[:, y[0]], []
    for symbol in y[1:]:
        scores = delta[:, None] * A
        back.append(scores.argmax(axis=0))
        delta = scores.max(axis=0) * B[:, symbol]
    path = [int(delta.argmax())]
    for pointers in reversed(back):
        path.append(int(pointers[path[-1]]))
    return np.array(path[::-1])


@exercise("2.6 The Viterbi path")
def check_viterbi(function):
    """The most probable path."""
    long = hmm.sample_hmm(1500, *CLIMATE, np.random.default_rng(26))[1]
    cases = [(TOSSES, *COIN), (DAYS, *CLIMATE), (long, *CLIMATE)]
    return wrong_function(
        function,
        cases,
        want=lambda *m: hmm.viterbi(*m).path,
        axes=("time",),
        likely=[
            (hmm.posterior_decode, "these are the best states one by one, not the best path"),
            (
                lambda *m: hmm.forward_filter(*m).alpha.argmax(axis=1),
                "this is the largest filter belief at each step: nothing is carried back",
            ),
            (
                lambda *m: hmm.viterbi(*m).log_delta.argmax(axis=1),
                "this takes the best end at every step; follow the back pointers from the last",
            ),
            (_viterbi_product, "right on short sequences; on long ones the product underflows"),
            (
                lambda y, pi, A, B: (
                    hmm.viterbi(y, pi, A.T / A.T.sum(axis=1, keepdims=True), B).path
                ),
                "the maximum runs over the state that one comes from: axis 0 of (from, to)",
            ),
        ],
    )


def _filter_missing(y, pi, A, B):
    alpha, prior = [], pi
    for symbol in y:
        alpha.append(prior if symbol < 0 else _rows(prior * B[:, symbol]))
        prior = alpha[-1] @ A
    return np.array(alpha)


def _filter_standing_still(y, pi, A, B):
    alpha, belief, moved = [], pi, pi
    for symbol in y:
        if symbol >= 0:
            belief = _rows(moved * B[:, symbol])
            moved = belief @ A
        alpha.append(belief)
    return np.array(alpha)


@exercise("2.7 Rolls that nobody saw")
def check_missing(function):
    """Filter of a sequence in which -1 stands for an observation that is missing."""
    gaps, start = np.array([0, -1, -1, 2, -1, 1]), np.array([-1, 1, -1, 0, 0])
    return wrong_function(
        function,
        [(gaps, *CLIMATE), (start, *COIN)],
        want=_filter_missing,
        axes=("time", "state"),
        distribution=True,
        likely=[
            (
                lambda y, *m: hmm.forward_filter(y % m[2].shape[1], *m).alpha,
                "B[:, -1] is the last symbol: a missing observation is no observation",
            ),
            (
                _filter_standing_still,
                "the state moves on even when nobody looks: predict at every step",
            ),
            (
                lambda y, *m: hmm.forward_filter(y[y >= 0], *m).alpha,
                "every step needs a belief, the missing ones too",
            ),
            (
                lambda y, pi, A, B: np.array(
                    [
                        np.full(len(pi), 1 / len(pi)) if s < 0 else a
                        for s, a in zip(y, _filter_missing(y, pi, A, B), strict=True)
                    ]
                ),
                "not seeing is not knowing nothing: the prediction is still there",
            ),
        ],
    )


@exercise("2.8 An impossible story of your own")
def check_impossible(pi, A, B, y):
    """A model and a sequence whose posterior decoding has probability zero."""
    model = tuple(np.asarray(x, dtype=float) for x in (pi, A, B))
    y = np.asarray(y)

    def rows_sum_to_one(_):
        return all((x >= 0).all() and np.allclose(x.sum(axis=-1), 1) for x in model)

    def fits(_):
        K, V = model[2].shape
        return model[0].shape == (K,) and model[1].shape == (K, K) and 0 <= y.min() <= y.max() < V

    def stands_out(_):
        gamma = np.sort(hmm.smooth(y, *model), axis=1)
        return (gamma[:, -1] - gamma[:, -2] > 1e-6).all()

    return wrong_claim(
        None,
        [
            (rows_sum_to_one, "pi and the rows of A and B must be probabilities that sum to 1"),
            (fits, "shapes must be (K,), (K, K), (K, V), and symbols run from 0 to V - 1"),
            (
                lambda _: len(model[0]) > 2,
                "two states cannot do it: two neighbours above one half share some path; use three",
            ),
            (lambda _: len(y) > 1, "one step has no transition to be impossible: use two or more"),
            (lambda _: (model[1] == 0).any(), "every transition is possible: put a zero into A"),
            (
                lambda _: np.isfinite(hmm.forward_filter(y, *model).log_evidence),
                "the sequence itself is impossible: no path at all explains it",
            ),
            (stands_out, "two states tie at some step: make the largest one clearly the largest"),
            (
                lambda _: hmm.log_joint(hmm.posterior_decode(y, *model), y, *model) == -np.inf,
                "the most probable states form a possible path; let several routes share a state",
            ),
        ],
    )


def _fixed_lag(y, pi, A, B, lag, shift=1):
    alpha = hmm.forward_filter(y, pi, A, B).alpha
    future = np.ones_like(alpha)
    for _ in range(lag):
        earlier = np.ones_like(future)
        earlier[:-1] = (B[:, y[shift : len(y) - 1 + shift]].T * future[1:]) @ A.T
        future = earlier
    return _rows(alpha * future)


@exercise("2.9 Wait a little")
def check_fixed_lag(function):
    """p(z_t | y_1 ... y_{t + lag}) for every t."""
    long = hmm.sample_hmm(30, *CLIMATE, np.random.default_rng(29))[1]
    cases = [(long, *CLIMATE, 2), (np.tile(TOSSES, 3), *COIN, 4), (long, *CLIMATE, 1)]
    return wrong_function(
        function,
        cases,
        want=_fixed_lag,
        axes=("time", "state"),
        distribution=True,
        likely=[
            (lambda *c: hmm.forward_filter(*c[:4]).alpha, "this is the filter: lag 0"),
            (lambda *c: hmm.smooth(*c[:4]), "this is the smoother: it looks at all of the future"),
            (lambda *c: _fixed_lag(*c[:4], c[4] - 1), "one step too few: lag counts future rolls"),
            (lambda *c: _fixed_lag(*c[:4], c[4] + 1), "one step too many: lag counts future rolls"),
            (
                lambda *c: _fixed_lag(*c, shift=0),
                "off by one: from t the first future observation is the one at t + 1",
            ),
        ],
    )


@exercise("2.10 Paths drawn from the posterior")
def check_sampler(function):
    """One path drawn from p(z_1 ... z_T | y) with a generator."""
    if not callable(function):
        return "expected a function sample_path(y, pi, A, B, rng)"
    n, y, rng = 4000, DAYS[:4], np.random.default_rng(210)
    drawn = [function(y, *CLIMATE, rng) for _ in range(n)]
    if any(np.shape(z) != y.shape for z in drawn):
        if any(z is None or z is Ellipsis for z in drawn):
            return OPEN
        return f"expected a path of shape {y.shape}, got {np.shape(drawn[0])}; one state a step"
    z = np.asarray(drawn)
    if not np.isin(z, range(3)).all():
        return "a path holds states from 0 to K - 1; draw a state, not its probability"
    if (z == z[0]).all():
        return "every path is the same; draw with rng, do not take the largest"
    once = np.eye(3)[z]  # (n, T, K)
    pairs = np.einsum("nti,ntj->tij", once[:, :-1], once[:, 1:]) / n
    if _near(pairs, hmm.pairwise_posteriors(y, *CLIMATE), n):
        return None
    if _near(once.mean(axis=0), hmm.smooth(y, *CLIMATE), n):
        return (
            "each step alone is right, pairs of neighbours are not; drawn one by one? "
            "A state must be drawn given the state after it"
        )
    if _near(once.mean(axis=0), hmm.forward_filter(y, *CLIMATE).alpha, n):
        return "the states follow the filter; the later state must weight the earlier one"
    if _near(once[:, -1].mean(axis=0), hmm.smooth(y, *CLIMATE)[-1], n):
        return "the last state is right, earlier ones are not; weight alpha by A[:, next], a column"
    return (
        "the last state does not follow the filter; start at the end, with alpha of the last step"
    )


def _near(share, probability, n):
    """Whether shares of n draws are within 5 standard errors, and a hair for zeros."""
    error = np.sqrt(probability * (1 - probability) / n)
    return bool((np.abs(share - probability) < 5 * error + 1e-3).all())
