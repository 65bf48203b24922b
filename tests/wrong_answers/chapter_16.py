"""Answers that the checks of chapter 16 must reject, with a piece of what they must say."""

import math

import numpy as np

# ---- what a good student hands in ------------------------------------------------------------


def soft(scores, axis=-1):
    weights = np.exp(scores - scores.max(axis=axis, keepdims=True))
    return weights / weights.sum(axis=axis, keepdims=True)


def head(x, W_q, W_k, W_v):
    q, k, v = x @ W_q, x @ W_k, x @ W_v
    rows = []
    for t in range(len(x)):
        scores = q[t] @ k[: t + 1].T / math.sqrt(len(q[t]))
        rows.append(soft(scores) @ v[: t + 1])
    return np.array(rows)


def head_by_mask(x, W_q, W_k, W_v):
    scores = (x @ W_q) @ (x @ W_k).T / np.sqrt(W_q.shape[1])
    return soft(scores + np.triu(np.full_like(scores, -1e9), 1)) @ (x @ W_v)


def count(M, F):
    return 4 * M * M + 2 * M * F + 9 * M + F


def split(x, n_heads):
    return np.stack(np.split(x, n_heads, axis=2), axis=1)


def split_by_axes(x, n_heads):
    N, T, _ = x.shape
    return np.moveaxis(x.reshape(N, T, n_heads, -1), 2, 1)


def turn(x, t):
    z = (x[0::2] + 1j * x[1::2]) * np.exp(1j * t * 10000.0 ** (-np.arange(0, len(x), 2) / len(x)))
    return np.column_stack([z.real, z.imag]).ravel()


def step(q, k, v, K, V):
    K, V = np.concatenate([K, k[None]]), np.concatenate([V, v[None]])
    return soft(K @ q / math.sqrt(len(q))) @ V, K, V


def gap(gamma, B, y):
    rows = []
    for t, symbol in enumerate(y):
        others = gamma[t] / B[:, symbol]
        rows.append(others / others.sum() @ B)
    return np.array(rows)


def back(M, d, sign=1.0, speed=None, same=False):
    W = np.zeros((M, M))
    for i in range(0, M, 2):
        angle = sign * d * (1.0 if same else 10000.0 ** (-i / M))
        cos, sin = np.cos(angle), np.sin(angle)
        W[i : i + 2, i : i + 2] = [[cos, -sin], [sin, cos]]
    return W


def back_scaled(M, d):
    return 3.0 * back(M, d)


# ---- and what others do ----------------------------------------------------------------------


def attend(x, W_q, W_k, W_v, may=None, scale=None, axis=-1):
    scores = (x @ W_q) @ (x @ W_k).T / (np.sqrt(W_q.shape[1]) if scale is None else scale)
    if may is not None:
        scores = np.where(may, scores, -1e9)
    return soft(scores, axis) @ (x @ W_v)


def lower(x, k=0):
    return np.tri(len(x), k=k, dtype=bool)


def weights_masked_late(x, W_q, W_k, W_v):
    weights = soft((x @ W_q) @ (x @ W_k).T / np.sqrt(W_q.shape[1])) * lower(x)
    return weights @ (x @ W_v)


def hidden_is_zero(x, W_q, W_k, W_v):
    scores = (x @ W_q) @ (x @ W_k).T / np.sqrt(W_q.shape[1]) * lower(x)
    return soft(scores) @ (x @ W_v)


def one_reshape(x, n):
    N, T, M = x.shape
    return x.reshape(N, n, T, M // n)


def not_moved(x, n):
    return x.reshape(*x.shape[:2], n, -1)


def every_nth(x, n):
    return np.stack([x[:, :, head::n] for head in range(n)], axis=1)


def pairs_of_halves(x, t):
    half = len(x) // 2
    z = (x[:half] + 1j * x[half:]) * np.exp(1j * t * 10000.0 ** (-np.arange(half) / half))
    return np.concatenate([z.real, z.imag])


def turned_by(x, angles):
    z = (x[0::2] + 1j * x[1::2]) * np.exp(1j * angles)
    return np.column_stack([z.real, z.imag]).ravel()


def speeds(x):
    return 10000.0 ** (-np.arange(0, len(x), 2) / len(x))


def old_steps_only(q, k, v, K, V):
    context = soft(K @ q / math.sqrt(len(q))) @ V if len(K) else np.zeros(len(v))
    return context, np.vstack([K, k]), np.vstack([V, v])


def gap_of(change):
    def wrong(gamma, B, y):
        return change(gamma, B, B[:, y].T)

    return wrong


def rows(weights):
    return weights / weights.sum(axis=1, keepdims=True)


RIGHT = {
    "check_head": [head, head_by_mask],
    "check_count": [count, lambda M, F: 4 * (M + 1) * M + (M + 1) * F + (F + 1) * M + 4 * M],
    "check_split": [split, split_by_axes],
    "check_turn": [turn],
    "check_step": [step],
    "check_gap": [gap, gap_of(lambda g, B, own: rows(g / own) @ B)],
    "check_back": [back, back_scaled],
}
WRONG = {
    "check_head": [
        (lambda x, q, k, v: attend(x, q, k, v), "no mask"),
        (lambda x, q, k, v: attend(x, q, k, v, lower(x).T), "wrong way round"),
        (lambda x, q, k, v: attend(x, q, k, v, lower(x, 1)), "too generous"),
        (lambda x, q, k, v: attend(x, q, k, v, lower(x), scale=1.0), "not divided"),
        (lambda x, q, k, v: attend(x, q, k, v, lower(x), scale=len(q.T)), "not by E"),
        (lambda x, q, k, v: attend(x, q, k, v, lower(x), scale=len(q) ** 0.5), "head's width"),
        (lambda x, q, k, v: attend(x, k, q, v, lower(x)), "exchanged"),
        (lambda x, q, k, v: attend(x, q, k, v, lower(x), scale=len(x) ** 0.5), "number of steps"),
        (weights_masked_late, "after the softmax"),
        (hidden_is_zero, "minus infinity"),
        (lambda x, q, k, v: attend(x, q, k, v, lower(x), axis=0), "wrong axis"),
        (lambda x, q, k, v: head(x, q, k, v).T, "transposed"),
        (np.ones((5, 2)), "function"),
    ],
    "check_count": [
        (lambda M, F: count(M, F) - 4 * M, "gain and a bias each"),
        (lambda M, F: count(M, F) - 2 * M, "a gain *and* a bias"),
        (lambda M, F: 4 * M * M + 2 * M * F, "only matrices"),
        (lambda M, F: 4 * M * M + 2 * M * F + 4 * M, "biases"),
        (lambda M, F: count(M, F) - M * M - M, "W_o"),
        (lambda M, F: count(M, F) - M * F - M, "there and back"),
        (lambda M, F: 12 * M * M, "rule of thumb"),
        (lambda M, F: count(M, F) * 2, "no weights of their own"),
    ],
    "check_split": [
        (one_reshape, "mixes times with heads"),
        (not_moved, "behind the time axis"),
        (every_nth, "first E columns"),
        (lambda x, n: split(x, n).swapaxes(2, 3), "exchanged"),
        (lambda x, n: split(x, n).swapaxes(0, 1), "batch comes first"),
        (lambda x, n: split(x, n).reshape(-1, x.shape[1], x.shape[2] // n), "one axis"),
    ],
    "check_turn": [
        (lambda x, t: turned_by(x, -t * speeds(x)), "other way"),
        (lambda x, t: x.view(complex) * np.exp(1j * t * speeds(x)), "complex numbers"),
        (pairs_of_halves, "neighbours are pairs"),
        (lambda x, t: turned_by(x, np.full(len(x) // 2, t)), "own speed"),
        (lambda x, t: turned_by(x, t * np.sqrt(speeds(x))), "factor 2"),
        (lambda x, t: turned_by(x, (t + 1) * speeds(x)), "count from 0"),
        (lambda x, t: turned_by(x, t * speeds(x) * np.pi / 180), "radians"),
        (lambda x, t: x + turned_by(np.tile([0.0, 1.0], len(x) // 2), -t * speeds(x)), "added"),
    ],
    "check_step": [
        (old_steps_only, "look at itself"),
        (lambda q, k, v, K, V: (step(q, k, v, K, V)[0], K, V), "not in it"),
        (
            lambda q, k, v, K, V: step(q * math.sqrt(len(q)), k, v, K, V),
            "not divided",
        ),
        (
            lambda q, k, v, K, V: (
                step(q, k, v, K, V)[0],
                np.vstack([k, K]),
                np.vstack([v, V]),
            ),
            "last in the cache",
        ),
        (lambda q, k, v, K, V: step(k, k, v, K, V), "query asks"),
        (lambda q, k, v, K, V: (step(q, k, v, K, V)[0], *step(q, k, v, K, V)[:0:-1]), "exchanged"),
        (
            lambda q, k, v, K, V: (
                step(q, k, v, K, V)[0],
                np.vstack([K[1:], k]) if len(K) else K,
                np.vstack([V[1:], v]) if len(V) else V,
            ),
            "thrown away",
        ),
    ],
    "check_gap": [
        (gap_of(lambda g, B, own: g @ B), "peeped"),
        (gap_of(lambda g, B, own: g / own @ B), "no distribution yet"),
        (gap_of(lambda g, B, own: rows(g * own) @ B), "counted twice"),
        (gap_of(lambda g, B, own: rows(g / own)), "over states"),
        (gap_of(lambda g, B, own: rows(g / own @ B**2)), "twice at the end"),
    ],
    "check_back": [
        (lambda M, d: np.eye(M), "looks at itself"),
        (lambda M, d: back(M, d, sign=-1.0), "ahead instead of back"),
        (lambda M, d: back(M, 1), "whatever d is"),
        (lambda M, d: back(M, d, same=True), "own speed"),
        (lambda M, d: back(M, d)[:-1], "shape"),
        (lambda M, d: np.full((M, M), np.nan), "finite"),
        (np.eye(8), "function"),
    ],
}
