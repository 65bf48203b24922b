"""Checks of chapter 06, Backpropagation through time.

Letters: N batch, T time, D input, H hidden.
"""

import math

import numpy as np

from course_lib.exercises.kit import (
    exercise,
    wrong_choice,
    wrong_claim,
    wrong_function,
    wrong_value,
)

_RNG = np.random.default_rng(606)
X = _RNG.normal(size=(6, 2))  # (T, D)
W_XH = _RNG.normal(size=(2, 4)) / 2  # (D, H)
W_HH = _RNG.normal(size=(4, 4)) / 2  # (H, H)
DH = _RNG.normal(size=(6, 4))  # (T, H)


# ---- 6.1 ------------------------------------------------------------------------------------

PULSE = {"w": -0.9, "u": 0.5, "h": 0.3, "x": (1.0, 0.2), "target": 0.6}


def _two_steps(w=PULSE["w"]):
    """States h_0, h_1, h_2 of the scalar network of exercise 6.1."""
    h = [PULSE["h"]]
    for x in PULSE["x"]:
        h.append(math.tanh(w * h[-1] + PULSE["u"] * x))
    return h


@exercise("6.1 Two steps by hand")
def check_two_steps(answer):
    """Derivative of the loss with respect to the recurrent weight."""
    h, w = _two_steps(), PULSE["w"]
    error = h[2] - PULSE["target"]
    da_2 = error * (1 - h[2] ** 2)
    da_1 = da_2 * w * (1 - h[1] ** 2)
    late, early = da_2 * h[1], da_1 * h[0]
    return wrong_value(
        answer,
        late + early,
        likely=[
            (late, "this is the share of the last step alone; the weight was used twice"),
            (early, "this is the share of the first step alone; the weight was used twice"),
            (da_2 * h[2] + da_1 * h[1], "each da is multiplied by the state before it, h[t - 1]"),
            (
                error * h[1] + error * w * h[0],
                "the slope of tanh is missing: da = dh * (1 - h**2)",
            ),
            (
                late + da_2 * (1 - h[1] ** 2) * h[0],
                "on its way from step 2 to step 1 the message is multiplied by w",
            ),
            (late + da_2 * w * h[0], "the message passes a tanh at step 1 as well"),
            (0.5 * error**2, "this is the loss itself, not its derivative"),
            (-(late + early), "the sign: the loss has h minus target inside"),
        ],
    )


# ---- 6.2 ------------------------------------------------------------------------------------


def step_back(dh, h, W_hh):
    da = dh * (1 - h**2)
    return da, da @ W_hh.T


@exercise("6.2 One step back")
def check_step_back(function):
    """da at a step, and what it hands to the state before."""
    rng = np.random.default_rng(62)
    cases = [
        (rng.normal(size=(n, size)), np.tanh(rng.normal(size=(n, size))), _square(rng, size))
        for n, size in ((3, 4), (1, 2))
    ]
    return wrong_function(
        function,
        cases,
        want=step_back,
        parts=("da", "dh_prev"),
        likely=[
            (
                lambda dh, h, W: (dh * (1 - h**2), (dh * (1 - h**2)) @ W),
                "`@ W_hh` is the way forward; the way back reads the matrix from the other side",
            ),
            (lambda dh, h, W: (dh, dh @ W.T), "the slope of tanh, 1 - h**2, is missing"),
            (
                lambda dh, h, W: (dh * (1 - np.tanh(h) ** 2), (dh * (1 - np.tanh(h) ** 2)) @ W.T),
                "h has been through tanh already: its slope is 1 - h**2",
            ),
            (
                lambda dh, h, W: (dh * (1 - h**2), dh @ W.T),
                "hand back da, not dh: the message passes tanh before the matrix",
            ),
            (
                lambda dh, h, W: (dh * (1 - h), (dh * (1 - h)) @ W.T),
                "the slope of tanh is 1 - h**2: square the state",
            ),
            (
                lambda dh, h, W: step_back(dh, h, W)[::-1],
                "the two results are in the other order: first da, then what goes back",
            ),
        ],
    )


def _square(rng, size):
    return rng.normal(size=(size, size))


# ---- 6.3 ------------------------------------------------------------------------------------


def steps_until(factor, share):
    return math.ceil(math.log(share) / math.log(factor))


@exercise("6.3 A thousandth is left")
def check_steps_until(function):
    """Smallest number of steps after which at most a share is left."""
    cases = [(0.7, 0.001), (0.9, 0.01), (0.99, 0.5), (0.731, 1e-6)]
    return wrong_function(
        function,
        cases,
        want=steps_until,
        likely=[
            (lambda f, s: math.floor(math.log(s) / math.log(f)), "round up: one step too few"),
            (lambda f, s: math.log(s) / math.log(f), "steps are whole numbers: round up"),
            (lambda f, s: steps_until(f, s) + 1, "one step too many: n steps leave factor**n"),
            (
                lambda f, s: math.ceil((1 - s) / (1 - f)),
                "that would be a loss of the same amount each step; here it is the same factor",
            ),
            (lambda f, s: math.log(f) / math.log(s), "the fraction is upside down"),
        ],
    )


# ---- 6.4 ------------------------------------------------------------------------------------


def step_jacobian(h, W_hh):
    return (1 - h**2)[:, None] * W_hh.T


@exercise("6.4 The Jacobian of one step")
def check_jacobian(function):
    """d h_t / d h_{t-1} with the later state in the rows."""
    rng = np.random.default_rng(64)
    cases = [(np.tanh(rng.normal(size=size)), _square(rng, size)) for size in (3, 5)]
    return wrong_function(
        function,
        cases,
        want=step_jacobian,
        axes=("later", "earlier"),
        likely=[
            (
                lambda h, W: W.T * (1 - h**2),
                "the slope belongs to the unit that is reached: it multiplies rows, not columns",
            ),
            (lambda h, W: W.T, "the slope of tanh is missing"),
            (
                lambda h, W: W * (1 - h**2),
                "transposed: row i is the later unit, so that a message travels as message @ J",
            ),
            (
                lambda h, W: (1 - h**2)[:, None] * W,
                "W_hh[i, j] is from unit i to unit j; here the row is where it goes to",
            ),
            (lambda h, W: np.diag(1 - h**2), "these are the slopes alone; W_hh is missing"),
            (
                lambda h, W: (1 - np.tanh(h) ** 2)[:, None] * W.T,
                "h has been through tanh already: its slope is 1 - h**2",
            ),
        ],
    )


# ---- 6.5 ------------------------------------------------------------------------------------


@exercise("6.5 A shrinking matrix that grows")
def check_bump(W):
    """A matrix of spectral radius at most 0.9 one of whose powers has a norm above 10."""
    W = np.asarray(W, dtype=float)

    def square(_):
        return W.ndim == 2 and W.shape[0] == W.shape[1] >= 1 and W.shape[0] <= 8

    def highest(_=None):
        power, top = np.eye(len(W)), 0.0
        for _ in range(200):
            power = power @ W
            top = max(top, np.linalg.norm(power, 2))
        return top

    return wrong_claim(
        None,
        [
            (square, "expected a square matrix of at most 8 rows"),
            (lambda _: np.isfinite(W).all(), "the entries must be finite numbers"),
            (lambda _: len(W) > 1, "one number cannot do it: its powers shrink from the start"),
            (lambda _: np.abs(W).max() <= 2, "keep every entry between -2 and 2; no giants needed"),
            (
                lambda _: np.abs(np.linalg.eigvals(W)).max() <= 0.9 + 1e-9,
                "the spectral radius is above 0.9: these powers may grow for ever",
            ),
            (
                lambda _: not np.allclose(W @ W.T, W.T @ W),
                "this matrix is normal, its norm is its radius; make the eigenvectors oblique",
            ),
            (
                lambda _: highest() > 10,
                "the norms of the powers stay below 10; raise what one unit feeds into the next, "
                "or use a longer chain of units",
            ),
        ],
    )


# ---- 6.6 ------------------------------------------------------------------------------------


def clip_all(grads, max_norm):
    norm = math.sqrt(sum(float((g**2).sum()) for g in grads))
    return [g * min(1.0, max_norm / norm) for g in grads]


def _clip_each(grads, max_norm):
    return [g * min(1.0, max_norm / np.linalg.norm(g)) for g in grads]


def _norm_of_norms(grads, max_norm):
    norm = sum(np.linalg.norm(g) for g in grads)
    return [g * min(1.0, max_norm / norm) for g in grads]


def _always(grads, max_norm):
    norm = math.sqrt(sum(float((g**2).sum()) for g in grads))
    return [g * max_norm / norm for g in grads]


@exercise("6.6 Clip by norm")
def check_clip(function):
    """All gradients together, shortened to a norm, direction kept."""
    rng = np.random.default_rng(66)
    large = [rng.normal(size=(3, 2)), 4 * rng.normal(size=5)]
    cases = [(large, 1.0), (large, 100.0), ([0.01 * g for g in large], 0.5)]
    return wrong_function(
        function,
        cases,
        want=clip_all,
        likely=[
            (
                lambda gs, m: [np.clip(g, -m, m) for g in gs],
                "this clips by value: each entry by itself, which turns the direction",
            ),
            (_clip_each, "one norm for all arrays together, not one each: the direction turns"),
            (_always, "a gradient that is short enough must stay as it is: scale by at most 1"),
            (_norm_of_norms, "norms do not add up: sum the squares of all entries, then one root"),
            (
                lambda gs, m: [g * min(1.0, m / sum((g**2).sum() for g in gs)) for g in gs],
                "the square root is missing",
            ),
            (
                lambda gs, m: [np.zeros_like(g) for g in gs],
                "a gradient that is too long is shortened, not thrown away",
            ),
        ],
    )


# ---- 6.7 ------------------------------------------------------------------------------------


def reach(T, k):
    return np.arange(T) % k + 1


@exercise("6.7 How far does each loss see?")
def check_reach(function):
    """Steps, this one included, that the loss of each step reaches if states are detached."""
    return wrong_function(
        function,
        [(12, 5), (7, 3), (4, 9), (5, 1)],
        want=reach,
        axes=("time",),
        likely=[
            (
                lambda T, k: np.minimum(np.arange(T) + 1, k),
                "this is a window that slides along; here the cuts stay where they are",
            ),
            (lambda T, k: np.full(T, min(k, T)), "only the last step of a piece reaches that far"),
            (lambda T, k: np.arange(T) % k, "a loss reaches its own step too: count it"),
            (lambda T, k: np.arange(T) + 1, "this is without a detach: all the way to the start"),
            (
                lambda T, k: k - np.arange(T) % k,
                "these are the steps to the end of the piece; the gradient runs backwards",
            ),
        ],
    )


# ---- 6.8 ------------------------------------------------------------------------------------


def states_of(x, W_xh, W_hh):
    h = [np.zeros(len(W_hh))]
    for row in x:
        h.append(np.tanh(row @ W_xh + h[-1] @ W_hh))
    return np.array(h)  # (T + 1, H)


def truncated(h, dh_last, W_hh, window):
    dW, dh = np.zeros_like(W_hh), dh_last
    last = len(h) - 1
    for t in range(last, max(last - window, 0), -1):
        da = dh * (1 - h[t] ** 2)
        dW += np.outer(h[t - 1], da)
        dh = da @ W_hh.T
    return dW


def _shifted(h, dh_last, W_hh, window):
    dW, dh = np.zeros_like(W_hh), dh_last
    last = len(h) - 1
    for t in range(last, max(last - window, 0), -1):
        da = dh * (1 - h[t] ** 2)
        dW += np.outer(h[t], da)
        dh = da @ W_hh.T
    return dW


def _not_added(h, dh_last, W_hh, window):
    return truncated(h, dh_last, W_hh, window) - truncated(h, dh_last, W_hh, window - 1)


def _the_start(h, dh_last, W_hh, window):
    return truncated(h, dh_last, W_hh, 99) - truncated(h, dh_last, W_hh, len(h) - 1 - window)


@exercise("6.8 A window")
def check_truncated(function):
    """Gradient of the recurrent weights from the last steps only."""
    h = states_of(X, W_XH, W_HH)
    cases = [(h, DH[-1], W_HH, window) for window in (2, 4, 5)]
    return wrong_function(
        function,
        cases,
        want=truncated,
        axes=("from", "to"),
        likely=[
            (lambda *c: truncated(*c[:3], 99), "this is the full gradient: the window is not used"),
            (lambda *c: truncated(*c[:3], c[3] - 1), "one step too few: window steps must count"),
            (lambda *c: truncated(*c[:3], c[3] + 1), "one step too many in the window"),
            (_shifted, "each da is multiplied by the state before it, h[t - 1]"),
            (_not_added, "only the oldest step of the window is left: add the steps up"),
            (_the_start, "these are the first steps; the window holds the last ones"),
            (lambda *c: truncated(*c).T, "transposed: W_hh[i, j] is from unit i to unit j"),
        ],
    )


# ---- 6.9 ------------------------------------------------------------------------------------


@exercise("6.9 Whose fault?")
def check_fault(answer):
    """Which line makes the memory of a training loop grow."""
    return wrong_choice(
        answer,
        "c",
        among=("a", "b", "c", "d"),
        likely={
            "a": "gradients that are not set to zero add up, but their size stays that of weights",
            "b": "clipping looks at gradients only; it keeps no history",
            "d": "`item()` gives a plain number and drops the history; this line is the right one",
        },
    )


# ---- 6.10 -----------------------------------------------------------------------------------


def by_bptt(x, W_xh, W_hh, dh):
    h, dW, later = states_of(x, W_xh, W_hh), np.zeros_like(W_hh), np.zeros(len(W_hh))
    for t in range(len(x), 0, -1):
        da = (dh[t - 1] + later) * (1 - h[t] ** 2)
        dW += np.outer(h[t - 1], da)
        later = da @ W_hh.T
    return dW


def _forward_mode(x, W_xh, W_hh, dh, carry=True, slope=True):
    """Carry d h_t / d W_hh forward, shape (H, H, H): weight from, weight to, unit."""
    H = len(W_hh)
    h, influence, dW = np.zeros(H), np.zeros((H, H, H)), np.zeros_like(W_hh)
    for row, error in zip(x, dh, strict=True):
        direct = np.einsum("i,jk->ijk", h, np.eye(H))
        h = np.tanh(row @ W_xh + h @ W_hh)
        moved = direct + (influence @ W_hh if carry else 0)
        influence = moved * (1 - h**2) if slope else moved
        dW += influence @ error
    return dW


def _last_error_only(x, W_xh, W_hh, dh):
    late = np.zeros_like(dh)
    late[-1] = dh[-1]
    return by_bptt(x, W_xh, W_hh, late)


@exercise("6.10 Forward in time")
def check_rtrl(function):
    """The gradient of W_hh without going back: real-time recurrent learning."""
    cases = [(X, W_XH, W_HH, DH), (X[:3, :1], W_XH[:1, :3], W_HH[:3, :3], DH[:3, :3])]
    return wrong_function(
        function,
        cases,
        want=by_bptt,
        axes=("from", "to"),
        likely=[
            (
                lambda *c: _forward_mode(*c, carry=False),
                "the influence of older steps is lost: carry it through W_hh, influence @ W_hh",
            ),
            (lambda *c: _forward_mode(*c, slope=False), "the slope of tanh, 1 - h**2, is missing"),
            (_last_error_only, "only the last error is used: add up the errors of every step"),
            (lambda *c: by_bptt(*c).T, "transposed: W_hh[i, j] is from unit i to unit j"),
        ],
    )
