"""Answers that the checks of chapter 17 must reject, with a piece of what they must say."""

import math

import numpy as np

# ---- what a good student hands in ------------------------------------------------------------


def combine(left, right):
    return right[0] * left[0], right[0] * left[1] + right[1]


def combine_through_points(left, right):
    """A line is known from its values at 0 and 1."""
    at = [right[0] * (left[0] * h + left[1]) + right[1] for h in (0.0, 1.0)]
    return at[1] - at[0], at[0]


def count(T):
    rounds = math.ceil(math.log2(T))
    return rounds, sum(T - 2**r for r in range(rounds))


def count_by_doing(T):
    reach, rounds, combinations = 1, 0, 0
    while reach < T:
        rounds, combinations, reach = rounds + 1, combinations + T - reach, 2 * reach
    return [rounds, combinations]


def phi(x):
    return np.where(x > 0, x + 1, np.exp(np.minimum(x, 0)))


def step(q, k, v, S, z):
    S, z = S + np.outer(phi(k), v), z + phi(k)
    return phi(q) @ S / (phi(q) @ z), S, z


def step_in_columns(q, k, v, S, z):
    S, z = S + phi(k)[:, None] * v, z + phi(k)
    weights = phi(q)[:, None]
    return (weights * S).sum(axis=0) / (weights[:, 0] * z).sum(), S, z


def sigmoid(u):
    return 1 / (1 + np.exp(-u))


def min_gru(x, W_z, W_n, h0, gate=sigmoid, candidate=lambda u: u, keep=None):
    h, states = h0, []
    for x_t in x:
        z = gate(x_t @ W_z)
        h = (1 - z if keep is None else keep(z)) * h + z * candidate(x_t @ W_n)
        states.append(h)
    return np.array(states)


def tables(left, right):
    return np.take_along_axis(right, left, axis=1)


def tables_by_loop(left, right):
    return [[second[state] for state in first] for first, second in zip(left, right, strict=True)]


def outgrows(layers, heads, E, state_bytes, number_bytes):
    return state_bytes // (2 * layers * heads * E * number_bytes) + 1


def outgrows_by_counting(layers, heads, E, state_bytes, number_bytes):
    t = 1
    while t * 2 * layers * heads * E * number_bytes <= state_bytes:
        t += 1
    return t


def delta(S, k, v):
    return S + np.outer(k, v - k @ S) / (k @ k)


def delta_by_projection(S, k, v):
    onto = np.outer(k, k) / (k @ k)
    return S - onto @ S + np.outer(k, v) / (k @ k)


def newton(x, w, rounds, slope=lambda now, w: w * (1 - now**2)):
    h = np.zeros(len(x))
    for _ in range(rounds):
        before = np.concatenate([[0.0], h[:-1]])
        now = np.tanh(w * before + x)
        state, new = 0.0, []
        for old, f, a in zip(before, now, slope(now, w), strict=True):
            state = f + a * (state - old)
            new.append(state)
        h = np.array(new)
    return h


# ---- and what others do ----------------------------------------------------------------------


def old_answer(q, k, v, S, z):
    return phi(q) @ S / (phi(q) @ z), *step(q, k, v, S, z)[1:]


def undivided(q, k, v, S, z):
    _, S, z = step(q, k, v, S, z)
    return phi(q) @ S, S, z


def transposed(q, k, v, S, z):
    S = S + np.outer(v, phi(k))
    return phi(q) @ S, S, z


def in_place(q, k, v, S, z):
    S += np.outer(phi(k), v)
    z += phi(k)
    return phi(q) @ S / (phi(q) @ z), S, z


def raw(q, k, v, S, z):
    S, z = S + np.outer(k, v), z + k
    return q @ S / (q @ z), S, z


def bare_query(q, k, v, S, z):
    _, S, z = step(q, k, v, S, z)
    return q @ S / (q @ z), S, z


def all_of_z(q, k, v, S, z):
    _, S, z = step(q, k, v, S, z)
    return phi(q) @ S / np.sum(z), S, z


def loop(x, w, rounds):
    h, states = 0.0, []
    for x_t in x:
        h = np.tanh(w * h + x_t)
        states.append(h)
    return np.array(states)


def put_in(x, w, rounds):
    h = np.zeros(len(x))
    for _ in range(rounds):
        h = np.tanh(w * np.append(0.0, h[:-1]) + x)
    return h


WRONG = {
    "check_combine": [
        (lambda left, right: combine(right, left), "exchanged"),
        (lambda left, right: (left[0] * right[0], left[1] + right[1]), "the first summand too"),
        (lambda left, right: (left[0] * right[0], right[0] * left[1]), "adds something"),
        (lambda left, right: (left[0] * right[0], right[0] * (left[1] + right[1])), "after"),
        (lambda left, right: (left[0] + right[0], combine(left, right)[1]), "multiply the two"),
        (lambda left, right: (right[0], combine(left, right)[1]), "both factors"),
        (lambda left, right: combine(left, right)[::-1], "comes first"),
        (lambda left, right: combine(left, right)[1], "2 results"),
        (lambda left, right: (left[0] @ right[0], left[1]), "raised"),
        ((0.5, 2.0), "expected a function"),
    ],
    "check_count": [
        (lambda T: (math.floor(math.log2(T)), count(T)[1]), "round up"),
        (lambda T: (max(1, count(T)[0]), count(T)[1]), "no round"),
        (lambda T: (count(T)[0], T * count(T)[0]), "no partner"),
        (lambda T: (count(T)[0], T - 1), "what a loop needs"),
        (lambda T: (count(T)[0], 2 * T), "cleverer tree"),
        (lambda T: (T - 1, T - 1), "at once"),
        (lambda T: count(T)[::-1], "rounds first"),
        (
            lambda T: (count(T)[0], sum(T // 2 ** (r + 1) for r in range(count(T)[0]))),
            "all running",
        ),
        (lambda T: (math.log2(T), count(T)[1]), "rounds"),
        (lambda T: count(T)[0], "2 results"),
        (lambda T: (count(T)[0] + 1, count(T)[1]), "rounds"),
    ],
    "check_step": [
        (old_answer, "write first"),
        (undivided, "divide by"),
        (transposed, "shapes may not fit"),
        (in_place, "changes its argument"),
        (raw, "feature map phi"),
        (bare_query, "query goes through"),
        (all_of_z, "not to the sum of z"),
        (lambda q, k, v, S, z: step(q, k, v, 0 * S, 0 * z), "add to S"),
        (lambda q, k, v, S, z: step(k, q, v, S, z), "query and key are exchanged"),
        (lambda q, k, v, S, z: step(q, k, v, S, z)[0], "3 results"),
    ],
    "check_min_gru": [
        (lambda x, W_z, W_n, h0: min_gru(x, -W_z, W_n, h0), "share that is written"),
        (lambda x, W_z, W_n, h0: min_gru(x, W_z, W_n, 0 * h0), "not 0"),
        (lambda x, W_z, W_n, h0: min_gru(x, W_z, W_n, h0, keep=lambda z: z), "add up to 1"),
        (lambda x, W_z, W_n, h0: min_gru(x, W_z, W_n, h0, candidate=np.tanh), "without tanh"),
        (lambda x, W_z, W_n, h0: min_gru(x, W_n, W_z, h0), "two weights are exchanged"),
        (lambda x, W_z, W_n, h0: min_gru(x, W_z, W_n, h0, gate=lambda u: u), "logistic"),
        (lambda x, W_z, W_n, h0: min_gru(x, W_z, W_n, h0)[-1], "not only the last"),
        (lambda x, W_z, W_n, h0: min_gru(x[::-1], W_z, W_n, h0), "✗"),
        (lambda x, W_z, W_n, h0: np.vstack([h0, min_gru(x, W_z, W_n, h0)]), "too long"),
    ],
    "check_tables": [
        (lambda left, right: tables(right, left), "exchanged"),
        (lambda left, right: right[left], "whole rows"),
        (lambda left, right: left * right, "names of states"),
        (lambda left, right: (left + right) % left.shape[1], "names of states"),
        (lambda left, right: right, "where the first table"),
        (lambda left, right: left, "second table is not used"),
        (lambda left, right: right[0][left], "first pair"),
        (lambda left, right: np.eye(left.shape[1])[tables(left, right)], "shape"),
    ],
    "check_outgrows": [
        (lambda n, h, E, s, b: s // (n * h * E * b) + 1, "twice as much"),
        (lambda n, h, E, s, b: s // (2 * h * E * b) + 1, "every layer"),
        (lambda n, h, E, s, b: s // (2 * n * E * b) + 1, "every head"),
        (lambda n, h, E, s, b: s // (2 * n * h * E) + 1, "several bytes"),
        (lambda n, h, E, s, b: math.ceil(s / (2 * n * h * E * b)), "not larger"),
        (lambda n, h, E, s, b: s // (2 * n * h * E * b), "the next one"),
        (lambda n, h, E, s, b: s / (2 * n * h * E * b), "whole numbers"),
        (lambda n, h, E, s, b: 2 * n * h * E * b, "✗"),
    ],
    "check_delta": [
        (lambda S, k, v: S + np.outer(k, v), "this adds"),
        (lambda S, k, v: S + np.outer(k, v) / (k @ k), "this adds"),
        (lambda S, k, v: S + np.outer(k, v - k @ S), "length 1"),
        (lambda S, k, v: S + np.outer(k, v - k @ S) / np.linalg.norm(k), "its square"),
        (lambda S, k, v: 2 * S - delta(S, k, v), "other way round"),
        (lambda S, k, v: np.outer(k, v) / (k @ k), "old pairs are gone"),
        (lambda S, k, v: S - np.outer(k, k @ S) / (k @ k), "writes nothing"),
        (lambda S, k, v: delta(S, k, v).T, "transposed"),
    ],
    "check_newton": [
        (put_in, "uses no slope"),
        (lambda x, w, n: newton(x, w, n, slope=lambda now, w: 1 - now**2), "factor w"),
        (lambda x, w, n: newton(x, w, n, slope=lambda now, w: w + 0 * now), "slope changes"),
        (loop, "in the end"),
        (lambda x, w, n: newton(x, w, n + 1), "too many"),
        (lambda x, w, n: newton(x, w, n - 1), "too few"),
        (lambda x, w, n: newton(x, w, n)[-1], "shape"),
        (lambda x, w, n: np.append(0.0, newton(x, w, n)), "too long"),
    ],
}

RIGHT = {
    "check_combine": [combine, combine_through_points, lambda a, b: list(combine(a, b))],
    "check_count": [count, count_by_doing],
    "check_step": [step, step_in_columns],
    "check_min_gru": [min_gru],
    "check_tables": [tables, tables_by_loop],
    "check_outgrows": [outgrows, outgrows_by_counting],
    "check_delta": [delta, delta_by_projection],
    "check_newton": [newton],
}
