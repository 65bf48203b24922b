"""Checks of chapter 09, does a trained network discover the forward algorithm?

Letters: n sequences or rows, T time, H hidden, K states, V symbols. Sizes are pairwise distinct
where a transposed or mixed-up axis must not pass.
"""

import numpy as np

from course_lib.datasets.processes import Process, exact_beliefs, sample_process
from course_lib.exercises.kit import exercise, wrong_function
from course_lib.stationary import stationary_distribution

# ---- 9.1 ------------------------------------------------------------------------------------


def _predict(belief, A, B):
    return belief @ A @ B


def _predict_cases():
    rng = np.random.default_rng(91)
    cases = []
    for K, V in ((2, 3), (3, 5), (4, 2)):
        A, B = rng.dirichlet(np.ones(K), size=K), rng.dirichlet(np.ones(V), size=K)
        cases.append((rng.dirichlet(np.ones(K)), A, B))
    return cases


@exercise("9.1 From a belief to the next symbol")
def check_predict(function):
    """Distribution of the next symbol, given a belief over the present state."""
    return wrong_function(
        function,
        _predict_cases(),
        want=_predict,
        axes=("symbol",),
        distribution=True,
        likely=[
            (
                lambda belief, A, B: belief @ B,
                "the state moves once before it shows a symbol: where is A?",
            ),
            (
                lambda belief, A, B: A @ belief @ B,
                "A is read from right to left: A[i, j] goes from i to j, so beliefs are rows",
            ),
            (
                lambda belief, A, B: A @ belief / (A @ belief).sum() @ B,
                "A is read from right to left: A[i, j] goes from i to j, so beliefs are rows",
            ),
            (
                lambda belief, A, B: belief @ A @ A @ B,
                "that is two steps ahead: one step is enough",
            ),
            (
                lambda belief, A, B: belief @ A,
                "this is the distribution of the next state; which symbols does it show?",
            ),
            (
                lambda belief, A, B: A[belief.argmax()] @ B,
                "this trusts the most probable state alone; let every state have its share",
            ),
            (
                lambda belief, A, B: B[(belief @ A).argmax()],
                "this trusts the most probable next state alone; let every state have its share",
            ),
            (
                lambda belief, A, B: (belief @ A @ B).argmax(),
                "this is the most probable symbol; the whole distribution is asked",
            ),
            (
                lambda belief, A, B: np.eye(B.shape[1])[(belief @ A @ B).argmax()],
                "all probability sits on one symbol; do not round the distribution off",
            ),
        ],
    )


# ---- 9.2 ------------------------------------------------------------------------------------


def _shift(y):
    return y[:, :-1], y[:, 1:]


def _symbols(part):
    """The part, as symbols if it holds one-hot rows."""
    rows = np.asarray(part)
    one_hot = rows.ndim == 3 and np.isin(rows, (0, 1)).all() and (rows.sum(axis=-1) == 1).all()
    return rows.argmax(axis=-1) if one_hot else part


def _without_one_hot(function):
    def decoded(y):
        parts = function(y)
        return tuple(map(_symbols, parts)) if isinstance(parts, (tuple, list)) else parts

    return decoded


@exercise("9.2 The question and its answer")
def check_shift(function):
    """Inputs and targets of next-symbol prediction."""
    rng = np.random.default_rng(92)
    # Three symbols, as in the chapter, so that one-hot rows of three do not stop at an IndexError.
    cases = [rng.integers(0, 3, size=(5, 8)), rng.integers(0, 3, size=(4, 2))]
    wraps = "np.roll wraps round: the last target would be the first symbol; cut it off"
    problem = wrong_function(
        function,
        cases,
        want=_shift,
        parts=("x", "target"),
        likely=[
            (
                lambda y: (y[:, :-1], y[:, :-1]),
                "the target is the symbol that was just read; a copy needs no memory",
            ),
            (lambda y: (y, y), "the target is the symbol that was just read; move it one step on"),
            (
                lambda y: (y[:, 1:], y[:, :-1]),
                "the other way round: this asks for the past, which has already been read",
            ),
            (lambda y: (y[:, :0:-1], y[:, -2::-1]), "time runs backwards: the last is read first"),
            (lambda y: (y[:-1], y[1:]), "the first axis counts sequences; shift along time"),
            (lambda y: (y[:, :-2], y[:, 2:]), "this looks two steps ahead; one is asked"),
            (lambda y: (y, np.roll(y, -1, axis=1)), wraps),
            (lambda y: (y, np.roll(y, -1)), wraps),
            (lambda y: (y, np.roll(y, 1, axis=1)), "roll by +1 brings the past forward, and wraps"),
            (
                lambda y: (y, y[:, 1:]),
                "x is one symbol too long: what follows the last is not known",
            ),
            (
                lambda y: (y[:, :-1], y),
                "the target is one symbol too long: nothing precedes the first",
            ),
            (
                lambda y: (y[:, :-1], y[:, -1]),
                "one target a sequence; every step has a next symbol, so ask at every step",
            ),
            (
                lambda y: (y[:, :-1], y[:, -1:]),
                "one target a sequence; every step has a next symbol, so ask at every step",
            ),
        ],
    )
    if problem is None:
        return None
    if wrong_function(_without_one_hot(function), cases, want=_shift) is None:
        return "one-hot rows came back; the symbols themselves are asked"
    return problem


# ---- 9.3 ------------------------------------------------------------------------------------


def _x_log_x_over(x, other):
    """x log(x / other), entry by entry, with 0 log 0 = 0."""
    with np.errstate(all="ignore"):
        return np.where(x > 0, x * np.log(x / other), 0.0)


def _excess(p, q):
    return _x_log_x_over(p, q).sum(axis=1).mean()


def _mean_entropy(p):
    return -_x_log_x_over(p, 1.0).sum(axis=1).mean()


def _excess_cases():
    rng = np.random.default_rng(93)
    cases = []
    for n, V in ((5, 3), (4, 6)):
        cases.append((rng.dirichlet(np.ones(V), size=n), rng.dirichlet(np.ones(V), size=n)))
    with_zeros = np.array([[0.5, 0.5, 0.0, 0.0], [0.0, 0.2, 0.0, 0.8], [0.1, 0.2, 0.3, 0.4]])
    return [*cases, (with_zeros, rng.dirichlet(np.ones(4), size=3))]


@exercise("9.3 The price of a wrong prediction")
def check_excess(function):
    """Mean excess of the cross-entropy over the entropy, in nats."""
    return wrong_function(
        function,
        _excess_cases(),
        want=_excess,
        likely=[
            (
                lambda p, q: np.sum(p * np.log(p / q), axis=1).mean(),
                "p holds zeros, and 0 log 0 came out as nan; it counts as 0",
            ),
            (lambda p, q: _excess(q, p), "p and q are swapped: symbols are drawn from p"),
            (
                lambda p, q: np.sum(q * np.log(q / p), axis=1).mean(),
                "p and q are swapped: symbols are drawn from p",
            ),
            (
                lambda p, q: -np.sum(p * np.log(q), axis=1).mean(),
                "this is the cross-entropy; take off what the best prediction must pay too",
            ),
            (lambda p, q: _mean_entropy(p), "this is the entropy of p; q is not used"),
            (
                lambda p, q: _mean_entropy(q) - _mean_entropy(p),
                "this is a difference of entropies; q must be scored on symbols drawn from p",
            ),
            (
                lambda p, q: -_excess(p, q),
                "the sign is the other way round: a wrong prediction costs, it never gains",
            ),
            (lambda p, q: _excess(p, q) / np.log(2), "this is in bits; the question asks for nats"),
            (lambda p, q: _excess(p, q) * len(p), "a sum over the rows; the mean is asked"),
            (
                lambda p, q: _excess(p, q) / p.shape[1],
                "sum over symbols; only the rows are averaged",
            ),
            (
                lambda p, q: np.abs(_x_log_x_over(p, q)).sum(axis=1).mean(),
                "single terms may be negative; without abs they offset each other",
            ),
            (
                lambda p, q: ((p - q) ** 2).sum(axis=1).mean(),
                "a squared difference; nats come from a log",
            ),
            (lambda p, q: ((p - q) ** 2).mean(), "a squared difference; nats come from a log"),
            (lambda p, q: _x_log_x_over(p, q).sum(axis=1), "one number a row; their mean is asked"),
            (
                lambda p, q: np.where(p > 0, np.log(p / q), 0.0).sum(axis=1).mean(),
                "each log ratio must be weighted by p",
            ),
        ],
    )


# ---- 9.4 ------------------------------------------------------------------------------------


def _r_squared(actual, decoded, centre=None):
    """One minus squared error over squared spread, all columns pooled."""
    centre = actual.mean(axis=0) if centre is None else centre
    return 1 - ((actual - decoded) ** 2).sum() / ((actual - centre) ** 2).sum()


def _squared_correlation(actual, decoded):
    return np.corrcoef(actual.ravel(), decoded.ravel())[0, 1] ** 2


def _column_shares(actual, decoded):
    error = ((actual - decoded) ** 2).sum(axis=0)
    return 1 - error / ((actual - actual.mean(axis=0)) ** 2).sum(axis=0)


def _r_squared_cases():
    """Good, biased and useless decoders of columns that differ in mean and spread."""
    rng = np.random.default_rng(94)
    cases = []
    for n, K, noise, bias in ((9, 3, 0.2, 0.0), (8, 2, 0.4, 0.5), (7, 4, 3.0, -1.0)):
        actual = rng.normal(loc=np.arange(K), scale=0.5 + np.arange(K), size=(n, K))
        cases.append((actual, 0.9 * actual + bias + noise * rng.normal(size=(n, K))))
    return cases


@exercise("9.4 How much is explained?")
def check_r_squared(function):
    """Share of the variance that a decoder explains, pooled over the columns."""
    return wrong_function(
        function,
        _r_squared_cases(),
        want=_r_squared,
        likely=[
            (
                lambda a, d: _r_squared(a, d, a.mean()),
                "one mean for all columns: each column varies about its own, mean(axis=0)",
            ),
            (
                lambda a, d: _r_squared(a, d, a.mean(axis=1, keepdims=True)),
                "the mean of each row was taken; each column varies about its own, mean(axis=0)",
            ),
            (
                lambda a, d: _r_squared(a, d, 0.0),
                "the spread is measured from 0; measure it from the mean of each column",
            ),
            (
                lambda a, d: _column_shares(a, d).mean(),
                "this averages one share a column; add up errors and spreads first, divide once",
            ),
            (_column_shares, "one share a column; add up errors and spreads first, divide once"),
            (
                _squared_correlation,
                "a correlation forgives a wrong scale and offset; use the errors",
            ),
            (lambda a, d: 1 - _r_squared(a, d), "this share is left unexplained; take it from 1"),
            (
                lambda a, d: _r_squared(d, a),
                "the arguments are swapped: the spread is that of `actual`",
            ),
            (
                lambda a, d: 1 - ((a - d) ** 2).sum() / ((d - a.mean(axis=0)) ** 2).sum(),
                "the spread is that of `decoded` about the mean of `actual`; take `actual` itself",
            ),
            (
                lambda a, d: _r_squared(a, d, d.mean(axis=0)),
                "the spread is measured from the mean of `decoded`; take that of `actual`",
            ),
            (
                lambda a, d: max(0.0, _r_squared(a, d)),
                "a decoder can be worse than the mean; let the number be negative",
            ),
            (
                lambda a, d: abs(_r_squared(a, d)),
                "a decoder can be worse than the mean; let the number be negative",
            ),
            (
                lambda a, d: 1 - (a - d).var(axis=0).sum() / a.var(axis=0).sum(),
                "var takes the mean error off first, so a constant offset costs nothing",
            ),
            (
                lambda a, d: 1 - (a - d).var() / a.var(),
                "var takes the mean error off first, so a constant offset costs nothing",
            ),
            (
                lambda a, d: d.var(axis=0).sum() / a.var(axis=0).sum(),
                "this compares two spreads; it does not ask whether the values agree",
            ),
            (
                lambda a, d: 1 - np.sqrt(((a - d) ** 2).sum() / ((a - a.mean(axis=0)) ** 2).sum()),
                "a root was taken; the share is one of squares",
            ),
            (
                lambda a, d: 1 - np.abs(a - d).sum() / np.abs(a - a.mean(axis=0)).sum(),
                "these are absolute errors; square them",
            ),
            (
                lambda a, d: ((a - d) ** 2).mean(),
                "this is the mean squared error; compare it with the spread of the actual values",
            ),
        ],
    )


# ---- 9.5 ------------------------------------------------------------------------------------


def _with_one(h):
    return np.column_stack([h, np.ones(len(h))])


def _solved(h_fit, b_fit):
    """All four things that lstsq returns; the first are the weights."""
    return np.linalg.lstsq(_with_one(h_fit), b_fit, rcond=None)


def _probe(h_fit, b_fit, h_new):
    return _with_one(h_new) @ _solved(h_fit, b_fit)[0]


# What Python and NumPy say to a tuple that is used as if it were an array.
_TUPLE_AS_ARRAY = (
    "inhomogeneous shape",
    "'tuple' object has no attribute",
    "tuple indices must be",
    "too many values to unpack",
)


def _ridge(strength, intercept_too=False):
    def probe(h_fit, b_fit, h_new):
        X = _with_one(h_fit)
        penalty = strength * np.eye(X.shape[1])
        if not intercept_too:
            penalty[-1, -1] = 0.0
        return _with_one(h_new) @ np.linalg.solve(X.T @ X + penalty, X.T @ b_fit)

    return probe


def _own_statistics(h_fit, b_fit, h_new):
    """Both sets scaled, each by its own mean and deviation."""
    fit, new = ((h - h.mean(axis=0)) / h.std(axis=0) for h in (h_fit, h_new))
    return _probe(fit, b_fit, new)


def _own_mean(h_fit, b_fit, h_new):
    return _probe(h_fit - h_fit.mean(axis=0), b_fit, h_new - h_new.mean(axis=0))


def _own_mean_without_intercept(h_fit, b_fit, h_new):
    W = np.linalg.lstsq(h_fit - h_fit.mean(axis=0), b_fit - b_fit.mean(axis=0), rcond=None)[0]
    return (h_new - h_new.mean(axis=0)) @ W + b_fit.mean(axis=0)


def _softmax(a):
    weights = np.exp(a - a.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def _clipped_to_shares(top):
    def probe(h_fit, b_fit, h_new):
        shares = np.clip(_probe(h_fit, b_fit, h_new), 0.0, top)
        return shares / shares.sum(axis=1, keepdims=True)

    return probe


def _probe_case(rng, n_fit, n_new, H, K):
    """States whose mean is not 0 and drifts, so that intercept and statistics matter."""
    h = rng.normal(size=(n_fit + n_new, H)) * rng.uniform(0.5, 2.0, size=H) + rng.normal(size=H)
    h[n_fit:] = 1.5 * h[n_fit:] + 0.3
    beliefs = _softmax(h @ rng.normal(size=(H, K)) + 0.3 * rng.normal(size=(len(h), K)))
    return h[:n_fit], beliefs[:n_fit], h[n_fit:]


@exercise("9.5 A probe of your own")
def check_probe(function):
    """Beliefs decoded from new hidden states by least squares with an intercept."""
    rng = np.random.default_rng(95)
    # As many new rows as old ones, so that a mix-up of the two sets runs and can be named.
    equal = [_probe_case(rng, 17, 17, 4, 3), _probe_case(rng, 23, 23, 5, 2)]
    unequal = [_probe_case(rng, 17, 11, 4, 3), _probe_case(rng, 13, 29, 5, 2)]
    no_intercept = "the intercept is missing: add a column of ones to both sets of states"
    outside = "a linear probe may leave the triangle, and then it must show; leave the numbers"
    four_things = "lstsq returns four things, the weights first: did you take [0]?"
    other_side = "is the column of ones on the same side of both sets of states?"
    strengths = (1e-3, 1e-2, 0.1, 1.0, 10.0)
    likely = [
        (lambda h, b, new: new @ np.linalg.lstsq(h, b, rcond=None)[0], no_intercept),
        (
            lambda h, b, new: new @ _solved(h, b)[0][:-1],
            "the intercept was fitted, but not added to the new rows",
        ),
        (
            lambda h, b, new: (new - h.mean(0)) @ np.linalg.lstsq(h - h.mean(0), b, rcond=None)[0],
            "the mean belief was taken off and not put back",
        ),
        (
            lambda h, b, new: new @ np.linalg.lstsq(h - h.mean(0), b, rcond=None)[0] + b.mean(0),
            "the states were centred for the fit, but the new ones were not",
        ),
        (lambda h, b, new: _probe(h, b, h), "these are the rows it was fitted on; decode h_new"),
        (lambda h, b, new: _probe(new, b, new), "it was fitted on the new states"),
        (lambda h, b, new: _probe(new, b, h), "h_fit and h_new are swapped"),
        (lambda h, b, new: b, "these are the beliefs that were given; decode h_new"),
        (_own_statistics, "new states were scaled by their own mean and deviation; use h_fit's"),
        (_own_mean, "new states were centred by their own mean; use that of h_fit"),
        (
            _own_mean_without_intercept,
            "new states were centred by their own mean; use that of h_fit",
        ),
        *(
            (_ridge(strength, both), f"a penalty of {strength:g} pulls the weights to 0; use none")
            for strength in strengths
            for both in (False, True)
        ),
        (lambda h, b, new: np.clip(_probe(h, b, new), 0.0, 1.0), outside),
        (lambda h, b, new: np.maximum(_probe(h, b, new), 0.0), outside),
        *((_clipped_to_shares(top), outside) for top in (None, 1.0)),
        (
            lambda h, b, new: np.roll(_with_one(new), 1, axis=1) @ _solved(h, b)[0],
            other_side,
        ),
        (
            lambda h, b, new: _with_one(new) @ np.roll(_solved(h, b)[0], 1, axis=0),
            other_side,
        ),
        (lambda h, b, new: _solved(h, b), four_things),
        (lambda h, b, new: _softmax(_probe(h, b, new)), "a softmax on top; the probe is linear"),
        (
            lambda h, b, new: _softmax(_probe(h, np.log(b), new)),
            "the log of the belief was fitted; fit the belief itself",
        ),
        (
            lambda h, b, new: _solved(h, b)[0],
            "these are the weights; use them on h_new",
        ),
    ]
    for cases in (equal, unequal):
        problem = wrong_function(
            function, cases, want=_probe, axes=("row", "state"), likely=likely, atol=1e-7
        )
        if problem is not None and any(text in problem for text in _TUPLE_AS_ARRAY):
            return f"{problem.rpartition('; ')[0]}; {four_things}"
        if problem is not None:
            return problem
    return None


# ---- 9.6 ------------------------------------------------------------------------------------


def _block_entropy(start, A, B, n, x_log_x=lambda x: _x_log_x_over(x, 1.0)):
    """H(Y_1, ..., Y_n) in nats, if Z_1 has the distribution start; 0 for n = 0."""
    weights = np.asarray(start, dtype=float)[None]  # (sequences, K) p(y_1..t-1, z_t)
    for _ in range(n - 1):
        weights = (weights[:, None, :] * B.T @ A).reshape(-1, len(A))
    return -x_log_x(weights @ B).sum() if n > 0 else 0.0


def _last_entropy(start, A, B, n, **options):
    """H(Y_n | Y_1, ..., Y_n-1)."""
    return _block_entropy(start, A, B, n, **options) - _block_entropy(start, A, B, n - 1, **options)


def _over_corners(weights, A, B, n, entropy=_last_entropy, **options):
    """Mean over a state that is known, with the given weights."""
    return sum(
        w * entropy(e, A, B, n, **options) for w, e in zip(weights, np.eye(len(A)), strict=True)
    )


def _sandwich(pi, A, B, n, **options):
    return _over_corners(pi, A, B, n, **options), _last_entropy(pi, A, B, n, **options)


def _sandwich_cases():
    """Stationary processes, one of which cannot show every sequence."""
    casino = np.array([[0.9, 0.1], [0.3, 0.7]]), np.array([[0.2, 0.3, 0.5], [0.6, 0.3, 0.1]])
    gaps = (
        np.array([[0.5, 0.5, 0.0], [0.0, 0.0, 1.0], [0.9, 0.0, 0.1]]),
        np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]),  # 0, 1, 0 never happens
    )
    return [
        (stationary_distribution(A), A, B, n) for (A, B), n in ((casino, 3), (gaps, 4), (casino, 2))
    ]


@exercise("9.6 Close in on the floor")
def check_sandwich(function):
    """Two bounds of the entropy rate, by all sequences of n symbols."""

    def uniform(A):
        return np.full(len(A), 1 / len(A))

    def h(pi, A, B, n):
        return _last_entropy(pi, A, B, n)

    def knows_state_at(step):
        """Low bound from a state that is known `step` steps before the last symbol."""

        def function(pi, A, B, n):
            before = pi @ np.linalg.matrix_power(A, n - 1 - step)
            return _over_corners(before, A, B, 1 + step), h(pi, A, B, n)

        return function

    return wrong_function(
        function,
        _sandwich_cases(),
        want=_sandwich,
        parts=("low", "high"),
        likely=[
            (
                lambda *c: _sandwich(*c, x_log_x=lambda x: x * np.log(x)),
                "some sequences never happen, and 0 log 0 came out as nan; it counts as 0",
            ),
            (
                lambda *c: _sandwich(*c)[::-1],
                "the other way round: who knows the first state as well is less surprised",
            ),
            (
                lambda pi, A, B, n: (
                    _over_corners(pi, A, B, n, entropy=_block_entropy) / n,
                    _block_entropy(pi, A, B, n) / n,
                ),
                "this is the mean over all n symbols; the last one given the others is asked",
            ),
            (
                lambda pi, A, B, n: (
                    _over_corners(pi, A, B, n),
                    _block_entropy(pi, A, B, n) / n,
                ),
                "high is the mean over all n symbols; the last one given the others is asked",
            ),
            (
                lambda pi, A, B, n: (
                    _over_corners(pi, A, B, n, entropy=_block_entropy),
                    h(pi, A, B, n),
                ),
                "low is the entropy of all n symbols together; take off that of the first n - 1",
            ),
            (
                lambda pi, A, B, n: (_block_entropy(pi, A, B, n), h(pi, A, B, n)),
                "low is the entropy of all n symbols together; only the last is asked, and Z_1 "
                "is given",
            ),
            (
                lambda pi, A, B, n: (
                    _over_corners(pi, A, B, n, entropy=_block_entropy),
                    _block_entropy(pi, A, B, n),
                ),
                "this is the entropy of all n symbols together; take off that of the first n - 1",
            ),
            (
                lambda pi, A, B, n: (
                    _over_corners(pi, A, B, n, entropy=_block_entropy)
                    - _block_entropy(pi, A, B, n - 1),
                    h(pi, A, B, n),
                ),
                "in low the first state must be known to both entropies of the difference",
            ),
            (knows_state_at(0), "low knows the state of the last symbol; only Z_1 is given"),
            (
                knows_state_at(1),
                "low knows the state just before the last symbol; only Z_1 is given",
            ),
            (
                lambda pi, A, B, n: (
                    sum(p * h(row, A, B, n) for p, row in zip(pi, A, strict=True)),
                    h(pi, A, B, n),
                ),
                "low knows the state before the first symbol; Z_1 is the one that shows Y_1",
            ),
            (
                lambda pi, A, B, n: _sandwich(uniform(A), A, B, n),
                "pi is not used: the process does not start with equal chances",
            ),
            (
                lambda pi, A, B, n: (_over_corners(uniform(A), A, B, n), h(pi, A, B, n)),
                "low is a plain mean over the first states; weight them with pi",
            ),
            (
                lambda pi, A, B, n: (h(pi, A, B, n), h(pi, A, B, n)),
                "low is the same as high: let it know the first state",
            ),
            (lambda pi, A, B, n: _sandwich(pi, A, B, n + 1), "one symbol too many"),
            (lambda pi, A, B, n: _sandwich(pi, A, B, n - 1), "one symbol too few"),
            (
                lambda pi, A, B, n: (
                    _over_corners(pi, A, B, n),
                    _block_entropy(pi @ np.linalg.matrix_power(A, n - 1), A, B, 1),
                ),
                "high is the entropy of Y_n alone; the symbols before it are known",
            ),
        ],
    )


# ---- 9.7 ------------------------------------------------------------------------------------

LEAST_VARIANCE, MOST_EXPLAINED, SYMBOLS_SEEN = 0.05, 0.5, 4
RUNS, STEPS, SETTLED = 200, 400, 100  # sequences, symbols of each, symbols before the first belief


def _depth(process):
    """Total variance of the filtered belief, and R2 of a probe from the last few symbols."""
    _, y = sample_process(process, RUNS, STEPS, np.random.default_rng(97))
    beliefs = exact_beliefs(process, y)[:, SETTLED:]
    one_hot = np.eye(process.V)[y]
    # One symbol is left out: it is one minus the others, and the intercept is there for it.
    recent = [one_hot[:, SETTLED - k : STEPS - k, 1:] for k in range(SYMBOLS_SEEN)]
    seen = np.concatenate(recent, axis=-1)
    half = RUNS // 2
    fit_x, fit_b, x, b = (
        part.reshape(-1, part.shape[-1])
        for part in (seen[:half], beliefs[:half], seen[half:], beliefs[half:])
    )
    variance = b.var(axis=0).sum()
    # A belief that never moves has nothing to explain.
    return variance, _r_squared(b, _probe(fit_x, fit_b, x)) if variance > 1e-12 else 1.0


def _no_table(name, table):
    """What keeps a matrix from being one of probabilities, row by row, or None."""
    if not np.isfinite(table).all() or (table < 0).any():
        return f"the entries of {name} are probabilities: from 0 to 1"
    if np.allclose(table.sum(axis=1), 1.0, rtol=0.0, atol=2e-5):
        return None
    if np.allclose(table.sum(axis=0), 1.0, rtol=0.0, atol=2e-5):
        return f"the columns of {name} sum to 1, its rows must; transposed?"
    return f"every row of {name} must sum to 1"


@exercise("9.7 A process that hides")
def check_hidden_depth(A, B):
    """A process whose belief moves, and cannot be told from the last four symbols."""
    A, B = np.asarray(A, dtype=float), np.asarray(B, dtype=float)
    if A.ndim != 2 or A.shape[0] != A.shape[1]:
        return f"A must be square, one row and one column a state, got shape {A.shape}"
    if B.ndim != 2 or len(B) != len(A):
        turned = B.ndim == 2 and B.shape[1] == len(A)
        return (
            f"B must have one row a state, {len(A)} of them, got shape {B.shape}"
            f"{'; transposed?' if turned else ''}"
        )
    if not (2 <= len(A) <= 4 and 2 <= B.shape[1] <= 4):
        return f"from 2 to 4 states and symbols, got {len(A)} states and {B.shape[1]} symbols"
    problem = _no_table("A", A) or _no_table("B", B)
    if problem is not None:
        return problem
    # Rows typed by hand miss 1 by a little, more than the library lets pass.
    A, B = (table / table.sum(axis=1, keepdims=True) for table in (A, B))
    try:
        pi = stationary_distribution(A)
    except ValueError:
        return "some states never reach each other, so A has no one long-run distribution"
    states, symbols = (tuple(str(k) for k in range(size)) for size in B.shape)
    variance, explained = _depth(Process("yours", pi, A, B, states, symbols))
    moves = f"total variance {variance:.3f} of the belief, at least {LEAST_VARIANCE} is asked"
    told = f"R2 {explained:.3f} from the last four symbols, below {MOST_EXPLAINED} is asked"
    if np.allclose(B, B[0]):
        return f"the rows of B are equal, so symbols say nothing about the state; {moves}"
    if np.allclose(A, A[0]):
        return f"the rows of A are equal, so the state forgets itself at each step; {told}"
    if variance < LEAST_VARIANCE:
        return f"the belief hardly moves: symbols say little, and the state soon changes; {moves}"
    if explained >= MOST_EXPLAINED:
        return (
            f"these few symbols tell too much: each says a lot, or the state soon changes; {told}"
        )
    return None
