"""Checks of chapter 17: lines that follow lines, scans, states of fixed size."""

import numpy as np

from course_lib.exercises.kit import exercise, wrong_function
from course_lib.linear_attention import positive_features
from course_lib.scan import combine_linear, linear_scan

# ---- 17.1 -----------------------------------------------------------------------------------


def _two_steps(rng, *shape):
    """Factors and summands of two steps, all numbers different."""
    return tuple((rng.uniform(0.1, 0.9, shape), rng.normal(size=shape)) for _ in range(2))


@exercise("17.1 Two steps as one")
def check_combine(function):
    """Factor and summand of two steps of a linear recurrence."""
    rng = np.random.default_rng(1701)
    return wrong_function(
        function,
        [_two_steps(rng), _two_steps(rng, 3), _two_steps(rng, 4, 2)],
        want=combine_linear,
        parts=("factor", "summand"),
        likely=[
            (
                lambda left, right: combine_linear(right, left),
                "left and right are exchanged: left comes first in time",
            ),
            (
                lambda left, right: (left[0] * right[0], left[1] + right[1]),
                "the second step multiplies all that it is given, the first summand too",
            ),
            (
                lambda left, right: (left[0] * right[0], right[0] * left[1]),
                "the second step adds something, too",
            ),
            (
                lambda left, right: (left[0] * right[0], right[0] * (left[1] + right[1])),
                "the second summand is added after the second factor has multiplied",
            ),
            (
                lambda left, right: (left[0] + right[0], right[0] * left[1] + right[1]),
                "a factor of a factor: multiply the two factors",
            ),
            (
                lambda left, right: (right[0], right[0] * left[1] + right[1]),
                "the state is multiplied by both factors, one after the other",
            ),
            (
                lambda left, right: tuple(reversed(combine_linear(left, right))),
                "the factor comes first, then the summand",
            ),
        ],
    )


# ---- 17.2 -----------------------------------------------------------------------------------


def _count(T):
    rounds = int(T - 1).bit_length()
    return rounds, sum(T - 2**r for r in range(rounds))


@exercise("17.2 Rounds and work")
def check_count(function):
    """Rounds and combinations of the doubling scan."""
    with_log = lambda f: lambda T: (int(f(np.log2(T))), _count(T)[1])  # noqa: E731, short
    return wrong_function(
        function,
        [1, 2, 3, 8, 9, 1000],
        want=_count,
        parts=("rounds", "combinations"),
        likely=[
            (
                lambda T: (max(1, _count(T)[0]), _count(T)[1]),
                "rounds: one element needs no round",
            ),
            (with_log(np.floor), "rounds: 2 to the power of the rounds must reach T; round up"),
            (
                lambda T: (_count(T)[0], T * _count(T)[0]),
                "combinations: the first entries have no partner, and more of them every round",
            ),
            (
                lambda T: (_count(T)[0], T - 1),
                "combinations: that is what a loop needs; a scan combines nearly all, every round",
            ),
            (
                lambda T: (_count(T)[0], 2 * T),
                "combinations: that is the cleverer tree; count those of doubling",
            ),
            (
                lambda T: (_count(T)[0], sum(T // 2 ** (r + 1) for r in range(_count(T)[0]))),
                "combinations: this pairs neighbours up and gives one total; all running "
                "combinations are asked",
            ),
            (
                lambda T: (T - 1, T - 1),
                "rounds: in a round everything happens at once",
            ),
            (lambda T: _count(T)[::-1], "rounds first, then combinations"),
        ],
    )


# ---- 17.3 -----------------------------------------------------------------------------------


def _attend_step(q, k, v, S, z, feature=positive_features):
    S = S + np.outer(feature(k), v)
    z = z + feature(k)
    return feature(q) @ S / (feature(q) @ z), S, z


def _answer_before_writing(q, k, v, S, z):
    _, S_new, z_new = _attend_step(q, k, v, S, z)
    f = positive_features(q)
    return f @ S / (f @ z), S_new, z_new


def _without_division(q, k, v, S, z):
    _, S, z = _attend_step(q, k, v, S, z)
    return positive_features(q) @ S, S, z


def _divided_by_all(q, k, v, S, z):
    _, S, z = _attend_step(q, k, v, S, z)
    return positive_features(q) @ S / z.sum(), S, z


def _bare_query(q, k, v, S, z):
    _, S, z = _attend_step(q, k, v, S, z)
    return q @ S / (q @ z), S, z


def _overwritten(q, k, v, S, z):
    return _attend_step(q, k, v, np.zeros_like(S), np.zeros_like(z))


@exercise("17.3 A step of linear attention")
def check_step(function):
    """Output and new state of linear attention."""
    rng = np.random.default_rng(1703)
    cases = []
    for E, E_v in ((3, 2), (4, 5)):
        q, k, v = rng.normal(size=E), rng.normal(size=E), rng.normal(size=E_v)
        S, z = rng.normal(size=(E, E_v)), rng.uniform(0.5, 2, E)
        cases.append((q, k, v, S, z))
    return wrong_function(
        function,
        cases,
        want=_attend_step,
        parts=("output", "S", "z"),
        likely=[
            (
                _answer_before_writing,
                "the newest pair belongs to the past that is asked: write first, then answer",
            ),
            (_without_division, "the output is a mean: divide by what the weights add up to"),
            (
                _divided_by_all,
                "the weights of this query add up to phi(q) @ z, not to the sum of z",
            ),
            (_bare_query, "the query goes through the feature map as well"),
            (
                lambda *case: _attend_step(*case, feature=lambda u: u),
                "queries and keys go through the feature map phi",
            ),
            (
                lambda *case: _attend_step(*case, feature=np.exp),
                "the feature map of this chapter is elu(x) + 1, not exp",
            ),
            (_overwritten, "the old sums are gone: add to S and z"),
            (
                lambda q, k, v, S, z: _attend_step(k, q, v, S, z),
                "query and key are exchanged: the key is written, the query asks",
            ),
        ],
    )


# ---- 17.4 -----------------------------------------------------------------------------------


def _sigmoid(u):
    return 1 / (1 + np.exp(-u))


def _min_gru(x, W_z, W_n, h0):
    z = _sigmoid(x @ W_z)
    return linear_scan(1 - z, z * (x @ W_n), h0, axis=0)


def _variant(keep, write, candidate=lambda u: u):
    def run(x, W_z, W_n, h0):
        z = _sigmoid(x @ W_z)
        return linear_scan(keep(z), write(z) * candidate(x @ W_n), h0, axis=0)

    return run


@exercise("17.4 A minGRU in rounds")
def check_min_gru(function):
    """States of a minGRU from inputs, weights and first state."""
    rng = np.random.default_rng(1704)
    cases = [
        (rng.normal(size=(T, D)), *rng.normal(size=(2, D, H)), rng.normal(size=H))
        for T, D, H in ((6, 3, 2), (9, 2, 4))
    ]
    from_zero = lambda x, W_z, W_n, h0: _min_gru(x, W_z, W_n, np.zeros_like(h0))  # noqa: E731
    return wrong_function(
        function,
        cases,
        want=_min_gru,
        likely=[
            (
                _variant(lambda z: z, lambda z: 1 - z),
                "z is the share that is written here; keep 1 - z",
            ),
            (from_zero, "the state before the first step is h0, not 0"),
            (_variant(lambda z: 1 - z, lambda z: 1.0), "only the share z of it is written"),
            (_variant(lambda z: z, lambda z: z), "kept and written must add up to 1"),
            (
                _variant(lambda z: 1 - z, lambda z: z, np.tanh),
                "the candidate of this exercise is a straight line, without tanh",
            ),
            (
                lambda x, W_z, W_n, h0: _min_gru(x, W_n, W_z, h0),
                "the two weights are exchanged: W_z makes the gate",
            ),
            (
                lambda x, W_z, W_n, h0: linear_scan(1 - x @ W_z, (x @ W_z) * (x @ W_n), h0, axis=0),
                "the gate goes through the logistic function",
            ),
            (
                lambda x, W_z, W_n, h0: _min_gru(x, W_z, W_n, h0)[-1],
                "the states of all steps are asked, not only the last one",
            ),
        ],
    )


# ---- 17.5 -----------------------------------------------------------------------------------


def _tables_after(left, right):
    return np.take_along_axis(np.asarray(right), np.asarray(left), axis=1)


@exercise("17.5 A machine in rounds")
def check_tables(function):
    """Two tables of next states as one, for many pairs at once."""
    rng = np.random.default_rng(1705)
    cases = [
        (rng.integers(K, size=(n, K)), rng.integers(K, size=(n, K)))
        for n, K in ((5, 3), (7, 6))  # n >= K
    ]
    return wrong_function(
        function,
        cases,
        want=_tables_after,
        axes=("pair", "state"),
        likely=[
            (
                lambda left, right: _tables_after(right, left),
                "left and right are exchanged: the table on the left is used first",
            ),
            (
                lambda left, right: right[left],
                "right[left] takes whole rows of other pairs; stay in the same row",
            ),
            (
                lambda left, right: left * right,
                "these are names of states, not amounts: look them up",
            ),
            (
                lambda left, right: (left + right) % left.shape[1],
                "these are names of states, not amounts: look them up",
            ),
            (lambda left, right: right, "this forgets where the first table has led"),
            (lambda left, right: left, "the second table is not used"),
            (
                lambda left, right: right[0][left],
                "every pair has a second table of its own; this uses that of the first pair",
            ),
        ],
    )


# ---- 17.6 -----------------------------------------------------------------------------------


def _outgrows(layers, heads, E, state_bytes, number_bytes):
    return state_bytes // (2 * layers * heads * E * number_bytes) + 1


@exercise("17.6 When does the cache outgrow the state?")
def check_outgrows(function):
    """First number of tokens whose cache is larger than a state of fixed size."""
    cases = [(2, 4, 16, 10_000, 4), (12, 3, 64, 9_437_184, 2), (1, 1, 8, 128, 8), (3, 5, 7, 10, 2)]
    return wrong_function(
        function,
        cases,
        want=_outgrows,
        likely=[
            (
                lambda L, h, E, s, n: s // (L * h * E * n) + 1,
                "a key and a value are kept for each token: twice as much",
            ),
            (lambda L, h, E, s, n: s // (2 * h * E * n) + 1, "every layer keeps its own keys"),
            (lambda L, h, E, s, n: s // (2 * L * E * n) + 1, "every head keeps its own keys"),
            (lambda L, h, E, s, n: s // (2 * L * h * E) + 1, "a number takes several bytes"),
            (
                lambda L, h, E, s, n: -(-s // (2 * L * h * E * n)),
                "as large as the state is not larger: look at the case where they are equal",
            ),
            (
                lambda L, h, E, s, n: s // (2 * L * h * E * n),
                "so many tokens fit into the size of the state; the next one outgrows it",
            ),
            (
                lambda L, h, E, s, n: s / (2 * L * h * E * n),
                "tokens are counted in whole numbers: the first one beyond",
            ),
        ],
    )


# ---- 17.7 -----------------------------------------------------------------------------------


def _delta(S, k, v):
    return S + np.outer(k, v - k @ S) / (k @ k)


@exercise("17.7 Overwriting")
def check_delta(function):
    """Memory after the delta rule has written one pair."""
    rng = np.random.default_rng(1707)
    cases = [
        (rng.normal(size=(E, E_v)), rng.normal(size=E), rng.normal(size=E_v))
        for E, E_v in ((3, 2), (4, 5))
    ]
    return wrong_function(
        function,
        cases,
        want=_delta,
        likely=[
            (
                lambda S, k, v: S + np.outer(k, v),
                "this adds; read k @ S first, and write only what is missing",
            ),
            (
                lambda S, k, v: S + np.outer(k, v) / (k @ k),
                "this adds; read k @ S first, and write only what is missing",
            ),
            (
                lambda S, k, v: S + np.outer(k, v - k @ S),
                "exact for keys of length 1 only: divide by k @ k",
            ),
            (
                lambda S, k, v: S + np.outer(k, v - k @ S) / np.sqrt(k @ k),
                "the key comes in twice, on writing and on reading: divide by its square",
            ),
            (
                lambda S, k, v: S - np.outer(k, v - k @ S) / (k @ k),
                "the sign is the other way round: move towards the new value",
            ),
            (
                lambda S, k, v: np.outer(k, v) / (k @ k),
                "the old pairs are gone; change S only in the direction of the key",
            ),
            (
                lambda S, k, v: S - np.outer(k, k @ S) / (k @ k),
                "this erases the old value and writes nothing",
            ),
        ],
    )


# ---- 17.8 -----------------------------------------------------------------------------------


def _newton(x, w, rounds, slope=lambda h, w: w * (1 - h**2), step=1.0):
    h = np.zeros(len(x))
    for _ in range(rounds):
        before = np.concatenate([[0.0], h[:-1]])
        now = np.tanh(w * before + x)
        a = slope(now, w)
        h = h + step * (linear_scan(a, now - a * before, axis=0) - h)
    return h


def _substitution(x, w, rounds):
    return _newton(x, w, rounds, slope=lambda h, w: 0 * h)


def _by_loop(x, w, rounds):
    h = [0.0]
    for x_t in x:
        h.append(np.tanh(w * h[-1] + x_t))
    return np.array(h[1:])


def _unshifted(x, w, rounds):
    h = np.zeros(len(x))
    for _ in range(rounds):
        now = np.tanh(w * h + x)
        a = w * (1 - now**2)
        h = linear_scan(a, now - a * h, axis=0)
    return h


def _without_offset(x, w, rounds):
    h = np.zeros(len(x))
    for _ in range(rounds):
        now = np.tanh(w * np.concatenate([[0.0], h[:-1]]) + x)
        h = linear_scan(w * (1 - now**2), now, axis=0)
    return h


@exercise("17.8 A tanh cell in rounds")
def check_newton(function):
    """Guess at the states of a tanh cell after some rounds of Newton's method."""
    rng = np.random.default_rng(1708)
    cases = [(rng.normal(size=T), w, n) for T, w, n in ((7, 0.9, 1), (9, -1.2, 2), (12, 1.5, 4))]
    return wrong_function(
        function,
        cases,
        want=_newton,
        likely=[
            (
                _substitution,
                "this puts the old guess in and uses no slope: a state then moves one step a round",
            ),
            (
                lambda x, w, n: _newton(x, w, n, slope=lambda h, w: 1 - h**2),
                "the slope of tanh(w h + x) in h has a factor w: the inner derivative",
            ),
            (
                lambda x, w, n: _newton(x, w, n, slope=lambda h, w: w + 0 * h),
                "the slope changes with the state: w times 1 - tanh squared",
            ),
            (
                _by_loop,
                "the rounds lead there in the end; asked is the guess after so many",
            ),
            (_unshifted, "each step starts from the state BEFORE it: shift the guess by one"),
            (
                _without_offset,
                "the line must go through the point: its summand is f(g) - a g, not f(g)",
            ),
            (lambda x, w, n: _newton(x, w, n + 1), "one round too many"),
            (lambda x, w, n: _newton(x, w, n - 1), "one round too few"),
        ],
    )
