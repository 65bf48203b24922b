"""Checks of chapter 15, attention.

Letters: T queries, S keys, E width, A hidden width of the additive score, V words. Sizes are
pairwise distinct where a mixed-up axis must not pass.
"""

import numpy as np

from course_lib.attention import softmax
from course_lib.exercises.kit import exercise, wrong_function

# ---- 15.1 -----------------------------------------------------------------------------------


def _weights(scores, mask):
    return softmax(np.where(mask, scores, -np.inf))


def _weights_cases():
    rng = np.random.default_rng(151)
    mask = np.array(
        [[True, True, False, True], [False, True, True, False], [True, False, True, True]]
    )
    # The second mask has True in every column as well, so that a wrong axis gives no nan there.
    return [
        (rng.normal(size=(3, 4)) * 2, mask),
        (rng.normal(size=(2, 5)), np.ones((2, 5), dtype=bool)),
        (
            np.array([[1000.0, 999.0, 0.0], [-1000.0, -1001.0, 500.0]]),
            np.array([[True, True, True], [True, True, False]]),
        ),
    ]


def _quietly(function):
    def calm(*arguments):
        with np.errstate(all="ignore"):
            return function(*arguments)

    return calm


@exercise("15.1 Weights under a mask")
def check_weights(function):
    """Softmax over the keys that may be looked at."""
    cases = _weights_cases()

    def no_rows(scores, mask):
        powers = np.exp(np.where(mask, scores, -np.inf) - scores.max())
        return powers / powers.sum()

    likely = [
        (lambda s, m: softmax(s), "the mask is not used"),
        (
            lambda s, m: softmax(s) * m,
            "the mask came after the softmax: a row must sum to 1 over what may be seen",
        ),
        (lambda s, m: softmax(s * m), "a score of 0 is a score like others, exp(0) = 1; use -inf"),
        (
            lambda s, m: softmax(np.where(m, s, 0.0)),
            "a score of 0 is a score like others, exp(0) = 1; use -inf",
        ),
        (no_rows, "all rows together sum to 1; each query's row must"),
        (
            lambda s, m: np.where(m, s, 0) / np.where(m, s, 0).sum(1, keepdims=True),
            "no exponential",
        ),
        (
            lambda s, m: np.log(_weights(s, m)),
            "these are the logarithms of the weights",
        ),
    ]
    problem = wrong_function(
        function, cases[:1], want=_weights, likely=likely, axes=("query", "key"), distribution=True
    )
    if problem is not None:
        turned = wrong_function(
            function, [(cases[0][0], ~cases[0][1])], want=lambda s, m: _weights(s, ~m)
        )
        if turned is None:
            return "the mask is read the other way round; here True means that a query may look"
        columns = wrong_function(
            function,
            cases[1:2],
            want=lambda s, m: softmax(s, axis=0),
        )
        if columns is None:
            return "the softmax runs over the queries; each query's row must sum to 1"
        return problem
    if wrong_function(function, cases[2:], want=_weights) is not None:
        return (
            "scores of a thousand overflow, or a hidden key gets a share: first -inf where the "
            "mask is False, then subtract each row's largest score"
        )
    return wrong_function(function, cases[1:2], want=_weights, axes=("query", "key"))


# ---- 15.2 -----------------------------------------------------------------------------------


def _additive(q, k, W_q, W_k, a):
    return np.tanh((q @ W_q)[:, None] + (k @ W_k)[None]) @ a


@exercise("15.2 Additive scores")
def check_additive(function):
    """Scores of a network with one hidden layer."""
    rng = np.random.default_rng(152)
    T, S, E_q, E_k, A = 3, 5, 2, 4, 6
    cases = [
        tuple(rng.normal(size=shape) for shape in ((T, E_q), (S, E_k), (E_q, A), (E_k, A), (A,)))
    ]
    return wrong_function(
        function,
        cases,
        want=_additive,
        axes=("query", "key"),
        likely=[
            (
                lambda q, k, W_q, W_k, a: ((q @ W_q)[:, None] + (k @ W_k)[None]) @ a,
                "the tanh is missing, and without it all queries look alike",
            ),
            (
                lambda q, k, W_q, W_k, a: np.tanh(((q @ W_q)[:, None] + (k @ W_k)[None]) @ a),
                "tanh came after `u`; each hidden number goes through it first",
            ),
            (
                lambda q, k, W_q, W_k, a: (np.tanh(q @ W_q)[:, None] + np.tanh(k @ W_k)[None]) @ a,
                "the sum goes through tanh, not its two parts",
            ),
            (
                lambda q, k, W_q, W_k, a: np.tanh((q @ W_q)[:, None] * (k @ W_k)[None]) @ a,
                "query's and key's part are added, not multiplied",
            ),
            (
                lambda q, k, W_q, W_k, a: softmax(_additive(q, k, W_q, W_k, a)),
                "these are weights already; the scores are asked",
            ),
            (
                lambda q, k, W_q, W_k, a: _additive(q, k, W_q, W_k, a) / np.sqrt(len(a)),
                "the additive score is not divided by the root of a width",
            ),
            (
                lambda q, k, W_q, W_k, a: np.tanh((q @ W_q)[:, None] + (k @ W_k)[None]),
                "this is the hidden layer; `u` makes one number of each row",
            ),
            (
                lambda q, k, W_q, W_k, a: _additive(q, k, W_q, W_k, a).T,
                "transposed: a row is a query, a column a key",
            ),
        ],
    )


# ---- 15.3 -----------------------------------------------------------------------------------


def _score_gradient(weights, d_weights):
    return weights * (d_weights - (weights * d_weights).sum(axis=1, keepdims=True))


@exercise("15.3 Through the softmax")
def check_score_gradient(function):
    """Gradient at the scores from the gradient at the weights."""
    rng = np.random.default_rng(153)
    cases = [
        (rng.dirichlet(np.ones(S), size=T), rng.normal(size=(T, S))) for T, S in ((3, 5), (4, 2))
    ]
    return wrong_function(
        function,
        cases,
        want=_score_gradient,
        axes=("query", "key"),
        likely=[
            (
                lambda w, d: w * d,
                "the mix is missing: what counts is whether a value is better than the mix",
            ),
            (
                lambda w, d: w * (1 - w) * d,
                "this is the diagonal alone; a score moves the other weights, too",
            ),
            (
                lambda w, d: d - (w * d).sum(axis=1, keepdims=True),
                "the factor in front is missing: a key moves in proportion to its weight",
            ),
            (
                lambda w, d: w * (d - d.mean(axis=1, keepdims=True)),
                "the mix is weighted: sum of weight times gradient, not the plain mean",
            ),
            (
                lambda w, d: w * (d - (w * d).sum(axis=0, keepdims=True)),
                "each query has a mix of its own: sum over the keys, axis 1",
            ),
            (
                lambda w, d: w * (d - (w * d).sum()),
                "each query has a mix of its own: sum over the keys, axis 1",
            ),
            (lambda w, d: -_score_gradient(w, d), "the sign: better than the mix goes up"),
            (lambda w, d: d.copy(), "this is the gradient at the weights, as it came"),
        ],
    )


# ---- 15.4 -----------------------------------------------------------------------------------


def _entropy(weights):
    return -(weights * np.log(np.where(weights > 0, weights, 1.0))).sum(axis=1)


def _effective(weights):
    return np.exp(_entropy(weights))


@exercise("15.4 How many words does it look at?")
def check_effective(function):
    """Exponential of the entropy of each row."""
    rng = np.random.default_rng(154)
    soft = [(rng.dirichlet(np.ones(5), size=3),), (rng.dirichlet(np.full(4, 0.7), size=6),)]
    hard = [(np.array([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]]),)]
    problem = wrong_function(
        function,
        soft,
        want=_effective,
        axes=("query",),
        likely=[
            (_entropy, "this is the entropy, in nats; its exponential is asked"),
            (lambda w: 2 ** _entropy(w), "2 to the power of nats: use exp with ln, or 2 with log2"),
            (lambda w: np.exp(_entropy(w) / np.log(2)), "exp of bits: use exp with ln"),
            (lambda w: np.exp(-_entropy(w)), "the sign: the logarithms of weights are negative"),
            (
                lambda w: 1 / (w**2).sum(axis=1),
                "this is another number of that kind, the inverse of the sum of squares",
            ),
            (lambda w: _effective(w.T), "summed over the queries; a row is a query"),
            (lambda w: _effective(w).mean(), "one number a query is asked, not their mean"),
            (
                lambda w: np.exp(-(w * np.log(w)).mean(axis=1)),
                "a sum over the keys, not their mean",
            ),
            (lambda w: 1 / w.max(axis=1), "only the largest weight is used"),
        ],
    )
    if problem is None and wrong_function(function, hard, want=_effective) is not None:
        return "a weight of exactly 0: 0 times ln 0 counts as 0"
    return problem


# ---- 15.5 -----------------------------------------------------------------------------------


def _window(T, w):
    back = np.arange(T)[:, None] - np.arange(T)[None]
    return (back >= 0) & (back < w)


def _as_numbers(function):
    """The mask as 0 and 1, which the kit compares; what is no mask stays as it is."""

    def numbers(T, w):
        mask = function(T, w)
        if mask is None or mask is Ellipsis:
            return mask
        mask = np.asarray(mask)
        if mask.dtype != bool:
            raise TypeError(f"a mask holds True and False, got {mask.dtype}")
        return mask.astype(float)

    return numbers


@exercise("15.5 The mask of a window")
def check_window_mask(function):
    """True for the place itself and the w - 1 before it."""
    if not callable(function):
        return wrong_function(function, [], want=_window)

    def of(rule):
        return lambda T, w: rule(np.arange(T)[:, None] - np.arange(T)[None], w).astype(float)

    return wrong_function(
        _as_numbers(function),
        [(6, 3), (5, 1), (4, 9)],
        want=_as_numbers(_window),
        axes=("query", "key"),
        likely=[
            (of(lambda back, w: back >= 0), "this is the causal mask; the window has an end"),
            (
                of(lambda back, w: (back >= 0) & (back <= w)),
                "one place too many: itself and w - 1 before it are w places",
            ),
            (
                of(lambda back, w: (back > 0) & (back < w)),
                "a place may look at itself: back = 0 belongs to the window",
            ),
            (
                of(lambda back, w: (back > 0) & (back <= w)),
                "a place may look at itself: back = 0 belongs to the window",
            ),
            (of(lambda back, w: abs(back) < w), "this looks ahead, too; a window looks back only"),
            (
                of(lambda back, w: (back <= 0) & (back > -w)),
                "rows are queries and columns keys: this one looks ahead",
            ),
            (
                of(lambda back, w: ~((back >= 0) & (back < w))),
                "True and False are exchanged: here True means may look",
            ),
            (of(lambda back, w: back < w), "this looks ahead, too; a window looks back only"),
        ],
    )


# ---- 15.6 -----------------------------------------------------------------------------------


def _corrected(weights, source, target, D):
    joint = weights * D[source][:, target].T
    return joint / joint.sum(axis=1, keepdims=True)


@exercise("15.6 From the map to the filter")
def check_corrected(function):
    """Weights times what each place gives to the word that came, normalised."""
    rng = np.random.default_rng(156)
    cases = []
    for T, S, V in ((3, 5, 4), (6, 2, 7)):
        cases.append(
            (
                rng.dirichlet(np.ones(S), size=T),
                rng.integers(V, size=S),
                rng.integers(V, size=T),
                rng.dirichlet(np.full(V, 0.6), size=V),
            )
        )

    def likelihood(source, target, D):
        return D[source][:, target].T

    def normal(joint, axis=1):
        return joint / joint.sum(axis=axis, keepdims=True)

    return wrong_function(
        function,
        cases,
        want=_corrected,
        axes=("target word", "place"),
        distribution=True,
        likely=[
            (
                lambda w, x, y, D: w * likelihood(x, y, D),
                "these are joint probabilities; divide each row by its sum",
            ),
            (
                lambda w, x, y, D: normal(w * likelihood(x, y, D), axis=0),
                "divided by the sums of the columns; each target word's row sums to 1",
            ),
            (
                lambda w, x, y, D: normal(likelihood(x, y, D)),
                "the dictionary alone: the map, where the finger was expected, is missing",
            ),
            (
                lambda w, x, y, D: normal(w + likelihood(x, y, D)),
                "chances of things that both hold are multiplied, not added",
            ),
            (
                lambda w, x, y, D: normal(w * D.T[x][:, y].T),
                "the dictionary is read backwards: a row is a source word, a column a target word",
            ),
            (
                lambda w, x, y, D: normal(w * np.roll(likelihood(x, y, D), 1, axis=0)),
                "out of step: row t is multiplied by what target word t says",
            ),
            (
                lambda w, x, y, D: softmax(w * likelihood(x, y, D)),
                "no exponential here: these are probabilities already; divide by their sum",
            ),
            (lambda w, x, y, D: w.copy(), "the words that came are not used"),
        ],
    )
