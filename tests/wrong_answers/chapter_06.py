"""Answers that the checks of chapter 06 must reject, with a piece of what they must say."""

import math

import numpy as np

# ---- what a good student hands in ------------------------------------------------------------


def two_steps():
    w, u, x, h0 = -0.9, 0.5, (1.0, 0.2), 0.3

    def loss(w):
        h = h0
        for value in x:
            h = math.tanh(w * h + u * value)
        return 0.5 * (h - 0.6) ** 2

    return (loss(w + 1e-5) - loss(w - 1e-5)) / 2e-5


H1 = math.tanh(-0.9 * 0.3 + 0.5)
H2 = math.tanh(-0.9 * H1 + 0.1)
ERROR = H2 - 0.6
DA2 = ERROR * (1 - H2**2)


def steps_until(factor, share):
    n = 0
    while factor**n > share:
        n += 1
    return n


def jacobian(h, W):
    return np.diag(1 - h**2) @ W.T


def clip(grads, max_norm):
    norm = np.linalg.norm(np.concatenate([g.ravel() for g in grads]))
    return grads if norm <= max_norm else [g * max_norm / norm for g in grads]


def reach(T, k):
    seen, out = 0, []
    for t in range(T):
        seen = 1 if t % k == 0 else seen + 1
        out.append(seen)
    return np.array(out)


def truncated(h, dh_last, W_hh, window):
    dW, dh = 0, dh_last
    for t in list(range(len(h) - 1, 0, -1))[:window]:
        da = dh * (1 - h[t] ** 2)
        dW = dW + h[t - 1][:, None] * da
        dh = W_hh @ da
    return dW


def rtrl(x, W_xh, W_hh, dh):
    size = len(W_hh)
    h, dW = np.zeros(size), np.zeros((size, size))
    influence = np.zeros((size, size, size))  # unit, weight from, weight to
    for t in range(len(x)):
        new = np.einsum("kij,kl->lij", influence, W_hh)
        for i in range(size):
            for j in range(size):
                new[j, i, j] += h[i]
        h = np.tanh(x[t] @ W_xh + h @ W_hh)
        influence = (1 - h**2)[:, None, None] * new
        dW = dW + np.einsum("k,kij->ij", dh[t], influence)
    return dW


# ---- and what others do ----------------------------------------------------------------------


def rtrl_last_error_only(x, W_xh, W_hh, dh):
    late = np.zeros_like(dh)
    late[-1] = dh[-1]
    return rtrl(x, W_xh, W_hh, late)


def rtrl_forgets(x, W_xh, W_hh, dh):
    h, dW = np.zeros(len(W_hh)), np.zeros_like(W_hh)
    for t in range(len(x)):
        before, h = h, np.tanh(x[t] @ W_xh + h @ W_hh)
        dW += np.outer(before, dh[t] * (1 - h**2))
    return dW


def rtrl_without_slope(x, W_xh, W_hh, dh):
    states = [np.zeros(len(W_hh))]
    for row in x:
        states.append(np.tanh(row @ W_xh + states[-1] @ W_hh))
    dW, later = np.zeros_like(W_hh), np.zeros(len(W_hh))
    for t in range(len(x), 0, -1):
        da = dh[t - 1] + later
        dW += np.outer(states[t - 1], da)
        later = da @ W_hh.T
    return dW


def window_with_its_own_state(h, dh_last, W_hh, window):
    dW, dh = 0, dh_last
    for t in list(range(len(h) - 1, 0, -1))[:window]:
        da = dh * (1 - h[t] ** 2)
        dW = dW + np.outer(h[t], da)
        dh = da @ W_hh.T
    return dW


def window_not_added(h, dh_last, W_hh, window):
    dh = dh_last
    for t in list(range(len(h) - 1, 0, -1))[:window]:
        da = dh * (1 - h[t] ** 2)
        dW = np.outer(h[t - 1], da)
        dh = da @ W_hh.T
    return dW


def window_at_the_start(h, dh_last, W_hh, window):
    dW, dh = 0, dh_last
    for t in range(len(h) - 1, 0, -1):
        da = dh * (1 - h[t] ** 2)
        if t <= window:
            dW = dW + np.outer(h[t - 1], da)
        dh = da @ W_hh.T
    return dW


def back(dh, h, W, slope, through):
    da = dh * slope(h)
    return da, through(da, W)


ROTATION = 0.9 * np.array([[0.0, 1.0], [-1.0, 0.0]])

WRONG = {
    "check_two_steps": [
        (DA2 * H1, "the last step alone"),
        (DA2 * -0.9 * (1 - H1**2) * 0.3, "the first step alone"),
        (DA2 * H2 + DA2 * -0.9 * (1 - H1**2) * H1, "the state before it"),
        (ERROR * H1 + ERROR * -0.9 * 0.3, "slope of tanh is missing"),
        (DA2 * H1 + DA2 * (1 - H1**2) * 0.3, "multiplied by w"),
        (DA2 * H1 + DA2 * -0.9 * 0.3, "a tanh at step 1"),
        (0.5 * ERROR**2, "the loss itself"),
        (1.0, "too large"),
    ],
    "check_step_back": [
        (lambda dh, h, W: back(dh, h, W, lambda h: 1 - h**2, lambda da, W: da @ W), "forward"),
        (lambda dh, h, W: (dh, dh @ W.T), "slope of tanh"),
        (
            lambda dh, h, W: back(dh, h, W, lambda h: 1 - np.tanh(h) ** 2, lambda da, W: da @ W.T),
            "been through tanh",
        ),
        (lambda dh, h, W: (dh * (1 - h**2), dh @ W.T), "hand back da"),
        (
            lambda dh, h, W: back(dh, h, W, lambda h: 1 - h, lambda da, W: da @ W.T),
            "square the state",
        ),
        (lambda dh, h, W: ((dh * (1 - h**2)) @ W.T, dh * (1 - h**2)), "the other order"),
        (lambda dh, h, W: (dh * (1 - h**2)) @ W.T, "expected 2 results"),
    ],
    "check_steps_until": [
        (lambda f, s: steps_until(f, s) - 1, "round up"),
        (lambda f, s: math.log(s, f), "whole numbers"),
        (lambda f, s: steps_until(f, s) + 1, "one step too many"),
        (lambda f, s: math.ceil((1 - s) / (1 - f)), "the same factor"),
        (lambda f, s: math.log(f) / math.log(s), "upside down"),
    ],
    "check_jacobian": [
        (lambda h, W: W.T @ np.diag(1 - h**2), "rows, not columns"),
        (lambda h, W: W.T, "slope of tanh is missing"),
        (lambda h, W: W @ np.diag(1 - h**2), "transposed"),
        (lambda h, W: np.diag(1 - h**2) @ W, "where it goes to"),
        (lambda h, W: np.diag(1 - h**2), "W_hh is missing"),
        (lambda h, W: np.diag(1 - np.tanh(h) ** 2) @ W.T, "already"),
    ],
    "check_bump": [
        (ROTATION, "this matrix is normal"),
        (np.array([[1.1, 0.5], [0.0, 0.3]]), "above 0.9"),
        (np.array([[0.5, 0.5], [0.0, 0.4]]), "stay below 10"),
        (np.array([[0.9]]), "one number"),
        (np.array([[0.9, 50.0], [0.0, 0.8]]), "no giants"),
        (np.ones((2, 3)), "square"),
    ],
    "check_clip": [
        (lambda gs, m: [np.clip(g, -m, m) for g in gs], "by value"),
        (lambda gs, m: [g * min(1, m / np.linalg.norm(g)) for g in gs], "not one each"),
        (lambda gs, m: [g * m / math.sqrt(sum((g**2).sum() for g in gs)) for g in gs], "at most 1"),
        (
            lambda gs, m: [g * min(1, m / sum(np.linalg.norm(g) for g in gs)) for g in gs],
            "norms do not add up",
        ),
        (
            lambda gs, m: [g * min(1, m / sum((g**2).sum() for g in gs)) for g in gs],
            "square root",
        ),
        (lambda gs, m: [0 * g for g in gs], "not thrown away"),
    ],
    "check_reach": [
        (lambda T, k: np.minimum(np.arange(T) + 1, k), "slides along"),
        (lambda T, k: np.full(T, min(T, k)), "the last step of a piece"),
        (lambda T, k: np.arange(T) % k, "its own step"),
        (lambda T, k: np.arange(1, T + 1), "without a detach"),
        (lambda T, k: k - np.arange(T) % k, "runs backwards"),
        (lambda T, k: 5, "got one number"),
    ],
    "check_truncated": [
        (lambda h, d, W, k: truncated(h, d, W, 99), "the full gradient"),
        (lambda h, d, W, k: truncated(h, d, W, k - 1), "too few"),
        (lambda h, d, W, k: truncated(h, d, W, k + 1), "too many"),
        (window_with_its_own_state, "the state before it"),
        (window_not_added, "add the steps up"),
        (window_at_the_start, "holds the last ones"),
        (lambda *c: truncated(*c).T, "transposed"),
    ],
    "check_fault": [
        ("a", "add up"),
        ("b", "keeps no history"),
        ("d", "plain number"),
        ("e", "not one of the choices"),
    ],
    "check_rtrl": [
        (rtrl_forgets, "influence of older steps"),
        (rtrl_without_slope, "slope of tanh"),
        (rtrl_last_error_only, "every step"),
        (lambda *c: rtrl(*c).T, "transposed"),
    ],
}

RIGHT = {
    "check_two_steps": [two_steps()],
    "check_step_back": [lambda dh, h, W: (dh * (1 - h**2), (W @ (dh * (1 - h**2)).T).T)],
    "check_steps_until": [steps_until],
    "check_jacobian": [jacobian],
    "check_bump": [
        np.array([[0.9, 2.0, 0.0], [0.0, 0.8, 2.0], [0.0, 0.0, 0.7]]),
        np.diag(np.full(5, 0.5)) + np.diag(np.full(4, 2.0), 1),
    ],
    "check_clip": [clip],
    "check_reach": [reach],
    "check_truncated": [truncated],
    "check_fault": ["c", " C "],
    "check_rtrl": [rtrl],
}
