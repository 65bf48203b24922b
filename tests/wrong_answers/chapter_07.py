"""Answers that the checks of chapter 07 must reject, with a piece of what they must say."""

import numpy as np

from course_lib.lstm import LSTMParams


def sigma(a):
    return 1 / (1 + np.exp(-a))


# ---- what a good student hands in ------------------------------------------------------------


def bias_for(half_life):
    """By bisection, so that no formula is used twice."""
    low, high = -50.0, 50.0
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if sigma(middle) ** half_life < 0.5 else (low, middle)
    return low


def count(D, H):
    return sum(rows * 4 * H for rows in (D, H, 1, 1))


def step(x_t, h_prev, c_prev, W_xa, W_ha, b_a):
    H = h_prev.shape[1]
    a = x_t @ W_xa + h_prev @ W_ha + b_a
    i, f, o = sigma(a[:, :H]), sigma(a[:, H : 2 * H]), sigma(a[:, 3 * H :])
    c_t = f * c_prev + i * np.tanh(a[:, 2 * H : 3 * H])
    return o * np.tanh(c_t), c_t


def along(f):
    return np.array([f[t:].prod(axis=0) for t in range(len(f) + 1)])


def back(dh_t, dc_next, i, f, g, o, c_prev, c_t):
    show = np.tanh(c_t)
    dc = dc_next + dh_t * o * (1 - show * show)
    di, df, dg, do = dc * g, dc * c_prev, dc * i, dh_t * show
    da = np.hstack([di * i * (1 - i), df * f * (1 - f), dg * (1 - g * g), do * o * (1 - o)])
    return da, dc * f


def unit(i, f, g, o, W_ha=(0, 0, 0, 0)):
    """One unit from (weights of the inputs, bias) of each gate."""
    gates = (i, f, g, o)
    W_xa = np.array([weights for weights, _ in gates], dtype=float).T
    return LSTMParams(W_xa, np.array([W_ha], dtype=float), np.array([b for _, b in gates], float))


ON = ((0, 0), 10)  # a gate that is open whatever comes
KEEP = {"i": ((0, 20), -10), "f": ((0, -20), 10), "g": ((3, 0), 0), "o": ON}
OPEN = ((0, 0, 0), 20)
COUNT = {"i": OPEN, "f": OPEN, "g": ((1, -1, 0), 0), "o": OPEN}


# ---- and what others do ----------------------------------------------------------------------


def step_no_tanh(x_t, h_prev, c_prev, W_xa, W_ha, b_a):
    a = x_t @ W_xa + h_prev @ W_ha + b_a
    i, f, g, o = np.split(a, 4, axis=1)
    c_t = sigma(f) * c_prev + sigma(i) * np.tanh(g)
    return sigma(o) * c_t, c_t


def step_all_gates(x_t, h_prev, c_prev, W_xa, W_ha, b_a):
    i, f, g, o = np.split(sigma(x_t @ W_xa + h_prev @ W_ha + b_a), 4, axis=1)
    c_t = f * c_prev + i * g
    return o * np.tanh(c_t), c_t


def blocks(order):
    """The cell for somebody who believes in another order of the blocks."""

    def cell(x_t, h_prev, c_prev, W_xa, W_ha, b_a):
        columns = np.arange(len(b_a)).reshape(4, -1)[[order.index(k) for k in "ifgo"]].ravel()
        return step(x_t, h_prev, c_prev, W_xa[:, columns], W_ha[:, columns], b_a[columns])

    return cell


def back_shown_only(dh_t, dc_next, i, f, g, o, c_prev, c_t):
    return back(dh_t, np.zeros_like(dc_next), i, f, g, o, c_prev, c_t)


def back_without_slopes(dh_t, dc_next, i, f, g, o, c_prev, c_t):
    dc = dc_next + dh_t * o * (1 - np.tanh(c_t) ** 2)
    return np.hstack([dc * g, dc * c_prev, dc * i, dh_t * np.tanh(c_t)]), dc * f


def back_straight(dh_t, dc_next, i, f, g, o, c_prev, c_t):
    """Without the slope of the tanh between c_t and h_t."""
    dc = dc_next + dh_t * o
    di, df, dg, do = dc * g, dc * c_prev, dc * i, dh_t * np.tanh(c_t)
    da = np.hstack([di * i * (1 - i), df * f * (1 - f), dg * (1 - g * g), do * o * (1 - o)])
    return da, dc * f


def back_new_cell(dh_t, dc_next, i, f, g, o, c_prev, c_t):
    da, dc_prev = back(dh_t, dc_next, i, f, g, o, c_t, c_t)
    return da, dc_prev


def back_all_sigmoid(dh_t, dc_next, i, f, g, o, c_prev, c_t):
    dc = dc_next + dh_t * o * (1 - np.tanh(c_t) ** 2)
    ds = dc * g, dc * c_prev, dc * i, dh_t * np.tanh(c_t)
    gates = i, f, g, o
    return np.hstack([d * s * (1 - s) for d, s in zip(ds, gates, strict=True)]), dc * f


C = 0.5 * 2.0 + 0.9 * -0.6

WRONG = {
    "check_states": [
        ((0.9 * 2.0 + 0.5 * -0.6, 0.25 * np.tanh(1.5)), "f keeps the old"),
        ((2.0 - 0.54, 0.25 * np.tanh(1.46)), "passes the forget gate first"),
        ((1.0 - 0.6, 0.25 * np.tanh(0.4)), "passes the input gate first"),
        ((C, 0.25 * C), "passes a tanh on its way out"),
        ((C, np.tanh(0.25 * C)), "the tanh comes first"),
        ((C, np.tanh(C)), "shows a quarter"),
        ((0.25 * np.tanh(C), C), "first c, then h"),
        ((-0.54, 0.25 * np.tanh(-0.54)), "is gone"),
        (C, "expected 2 results"),
        ((0.5, 0.1), "too large"),
    ],
    "check_forget_bias": [
        (lambda n: 0.5 ** (1 / n), "this is the gate"),
        (lambda n: np.log(0.5) / n, "logarithm of the gate"),
        (lambda n: -bias_for(n), "the sign"),
        (lambda n: np.log(np.exp(-1 / n) / (1 - np.exp(-1 / n))), "not one half"),
        (lambda n: np.log(0.5**n) - np.log(1 - 0.5**n), "not a power"),
        (lambda n: np.log(n), "exact bias"),
        (bias_for(7.0), "expected a function"),
    ],
    "check_parameters": [
        (lambda D, H: count(D, H) - 4 * H, "two biases"),
        (lambda D, H: count(D, H) // 4, "this is one gate"),
        (lambda D, H: 3 * count(D, H) // 4, "four, not three"),
        (lambda D, H: 4 * (D * H + 3 * H), "every unit hears all units"),
        (lambda D, H: 4 * H * (D + H), "biases are missing"),
        (lambda D, H: count(D, H) + 3 * H, "no peepholes"),
        (lambda D, H: (D + H + 1) * H, "vanilla RNN"),
    ],
    "check_step": [
        (lambda *args: step(*args)[::-1], "h_t first"),
        (blocks("figo"), "f and i are swapped"),
        (blocks("ifog"), "g and o are swapped"),
        (step_all_gates, "g is no gate"),
        (step_no_tanh, "the tanh is missing"),
        (lambda x, h, c, *w: step(x, np.zeros_like(h), c, *w), "h_prev is not used"),
        (lambda x, h, c, *w: step(x, c, c, *w), "not c_prev"),
        (lambda *args: step(*args)[0], "expected 2 results"),
    ],
    "check_direct_path": [
        (lambda f: along(f)[:-1], "T + 1 slots"),
        (lambda f: along(f)[::-1], "run backwards"),
        (lambda f: np.array([f[:t].prod(axis=0) for t in range(len(f) + 1)]), "from the start"),
        (lambda f: np.array([f[t:].sum(axis=0) for t in range(len(f) + 1)]), "do not add"),
        (
            lambda f: np.array([f.mean(axis=0) ** (len(f) - t) for t in range(len(f) + 1)]),
            "power of the mean",
        ),
        (lambda f: along(f).T, "transposed"),
    ],
    "check_step_back": [
        (back_shown_only, "dc_next is lost"),
        (lambda dh, *rest: back(np.zeros_like(dh), *rest), "dh_t is lost"),
        (back_straight, "passes a tanh"),
        (back_without_slopes, "its own slope"),
        (back_all_sigmoid, "g is a tanh"),
        (back_new_cell, "*before* the step"),
        (lambda *args: (back(*args)[0], back(*args)[1] / args[3]), "passes the forget gate"),
        (lambda *args: back(*args)[::-1], "da first"),
    ],
    "check_memory_unit": [
        ("open the gate", "expected an LSTMParams"),
        (unit(**COUNT), "W_xa of shape (2, 4)"),
        (unit(**KEEP | {"i": ((0, 20), -30)}), "right after a write"),
        (unit(**KEEP | {"f": ((0, 0), 2)}), "leaked away"),
        (unit(**KEEP | {"i": ON}), "distractors push"),
        (unit(**KEEP | {"i": ((0, 20), -4.0)}), "equal distractors"),
        (unit(**KEEP | {"f": ON}), "add up to about 0"),
    ],
    "check_counter": [
        (7, "expected an LSTMParams"),
        (unit(**KEEP), "W_xa of shape (3, 4)"),
        (unit(**COUNT | {"g": ((-1, 1, 0), 0)}), "raise the cell state"),
        (unit(**COUNT | {"f": ((0, 0, 0), 3)}), "forget gate at 1"),
        (unit(**COUNT | {"g": ((1, -2, 0), 0)}), "take back exactly"),
        (unit(**COUNT | {"g": ((1, -1, 0.5), 0)}), "neither count"),
        (unit(**COUNT | {"f": ((0, 0, -40), 20)}), "make the cell forget"),
        (unit(**COUNT | {"o": ((0, 0, 0), -20)}), "output gate open"),
    ],
}

RIGHT = {
    "check_states": [(C, 0.25 * np.tanh(C))],
    "check_forget_bias": [bias_for],
    "check_parameters": [count],
    "check_step": [step],
    "check_direct_path": [along],
    "check_step_back": [back],
    "check_memory_unit": [
        unit(**KEEP),
        unit(((1, 30), -15), ((0, -30), 15), ((2, 0), 0), ((0, 0), 6), W_ha=(0, 0, 1, 0)),
    ],
    "check_counter": [unit(**COUNT), unit(**COUNT | {"g": ((0.5, -0.5, 0), 0)})],
}
