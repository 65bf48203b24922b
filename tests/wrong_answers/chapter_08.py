"""Answers that the checks of chapter 08 must reject, with a piece of what they must say."""

from itertools import product
from math import comb, log, log2, tanh

import numpy as np

from tests.wrong_answers import Args

# ---- what a good student hands in ------------------------------------------------------------


def s(a):
    return 1 / (1 + np.exp(-a))


def count(cell, D, H):
    return {"rnn": 1, "gru": 3, "lstm": 4}[cell] * (D * H + H * H + 2 * H)


def half_life(z):
    return log2(0.5) / log2(z)


def flip(W_xa, W_ha, b_x, b_h):
    H = len(W_ha)
    sign = np.repeat([1.0, -1.0, 1.0], H)
    return W_xa * sign, W_ha * sign, b_x * sign, b_h * sign


def gru_step(x_t, h_prev, W_xa, W_ha, b_x, b_h):
    H = h_prev.shape[1]
    from_x, from_h = x_t @ W_xa + b_x, h_prev @ W_ha + b_h
    gates = s(from_x[:, : 2 * H] + from_h[:, : 2 * H])
    n = np.tanh(from_x[:, 2 * H :] + gates[:, :H] * from_h[:, 2 * H :])
    return n + gates[:, H:] * (h_prev - n)


def back(dh, r, z, n, h_prev, W_ha, b_h):
    """Row by row from the Jacobian, so that it shares nothing with the check."""
    H = r.shape[1]
    W = [W_ha[:, k * H : (k + 1) * H] for k in range(3)]
    rows = []
    for k in range(len(dh)):
        past = h_prev[k] @ W[2] + b_h[2 * H :]
        slope_n = 1 - n[k] ** 2
        J_n = (W[0] * (r[k] * (1 - r[k]) * past) + W[2] * r[k]) * slope_n
        J = np.diag(z[k]) + W[1] * (z[k] * (1 - z[k]) * (h_prev[k] - n[k])) + J_n * (1 - z[k])
        rows.append(J @ dh[k])
    return np.array(rows)


def p_value(k_a, k_b, n):
    """Every way to hand out the labels, one by one."""
    total, here, as_unlikely, every = k_a + k_b, comb(n, k_a) * comb(n, k_b), 0, 0
    for labels in product([0, 1], repeat=2 * n):
        if sum(labels) != n:
            continue
        solved = sum(labels[:total])
        every += 1
        as_unlikely += comb(n, solved) * comb(n, total - solved) <= here
    return as_unlikely / every


def patient_bias(H, t_max, rng):
    return np.log(rng.uniform(1, t_max - 1, size=H))


# ---- and what others do ----------------------------------------------------------------------


def step_reset_before(x_t, h_prev, W_xa, W_ha, b_x, b_h):
    (x_r, x_z, x_n), (W_r, W_z, W_n) = (np.split(a, 3, axis=1) for a in (x_t @ W_xa + b_x, W_ha))
    b_r, b_z, b_n = np.split(b_h, 3)
    r, z = s(x_r + h_prev @ W_r + b_r), s(x_z + h_prev @ W_z + b_z)
    n = np.tanh(x_n + (r * h_prev) @ W_n + b_n)
    return z * h_prev + (1 - z) * n


def step_writes(x_t, h_prev, W_xa, W_ha, b_x, b_h):
    return gru_step(x_t, h_prev, *flip(W_xa, W_ha, b_x, b_h))


def step_zrn(x_t, h_prev, *weights):
    H = h_prev.shape[1]
    order = [*range(H, 2 * H), *range(H), *range(2 * H, 3 * H)]
    return gru_step(x_t, h_prev, *(w[..., order] for w in weights))


def step_one_bias(x_t, h_prev, W_xa, W_ha, b_x, b_h):
    return gru_step(x_t, h_prev, W_xa, W_ha, b_x, 0 * b_h)


def step_bias_outside(x_t, h_prev, W_xa, W_ha, b_x, b_h):
    H = h_prev.shape[1]
    inside, outside = b_h.copy(), b_x.copy()
    inside[2 * H :], outside[2 * H :] = 0, b_x[2 * H :] + b_h[2 * H :]
    return gru_step(x_t, h_prev, W_xa, W_ha, outside, inside)


def flip_without_biases(W_xa, W_ha, b_x, b_h):
    new = flip(W_xa, W_ha, b_x, b_h)
    return (*new[:2], b_x, b_h)


def flip_reset(W_xa, W_ha, b_x, b_h):
    sign = np.repeat([-1.0, 1.0, 1.0], len(W_ha))
    return W_xa * sign, W_ha * sign, b_x * sign, b_h * sign


def flip_one_minus(*weights):
    H = len(weights[1])
    turned = []
    for w in weights:
        w = w.copy()
        w[..., H : 2 * H] = 1 - w[..., H : 2 * H]
        turned.append(w)
    return tuple(turned)


def flip_all(*weights):
    return tuple(-w for w in weights)


def back_without(what):
    def function(dh, r, z, n, h_prev, W_ha, b_h):
        H, right = r.shape[1], back(dh, r, z, n, h_prev, W_ha, b_h)
        if what == "keep":
            return right - dh * z
        if what == "z":
            return right - (dh * (h_prev - n) * z * (1 - z)) @ W_ha[:, H : 2 * H].T
        past = h_prev @ W_ha[:, 2 * H :] + b_h[2 * H :]
        da_n = dh * (1 - z) * (1 - n**2)
        return right - (da_n * past * r * (1 - r)) @ W_ha[:, :H].T

    return function


def back_turned(dh, r, z, n, h_prev, W_ha, b_h):
    H, right = r.shape[1], back(dh, r, z, n, h_prev, W_ha, b_h)
    return right - 2 * (dh * (h_prev - n) * z * (1 - z)) @ W_ha[:, H : 2 * H].T


def switch(keep=8.0, open_on=-14.0, open_off=-14.0, on=10.0, off=0.0):
    W_xa = np.array([[0.0, open_on, on], [0.0, open_off, off]])
    return Args(W_xa, np.zeros((1, 3)), np.array([0.0, keep, 0.0]), np.zeros(3))


def one_sided(k_a, k_b, n):
    every = comb(2 * n, k_a + k_b)
    high = max(k_a, k_b)
    return sum(comb(n, k) * comb(n, k_a + k_b - k) for k in range(high, n + 1)) / every


R, Z = 0.75, 0.8  # gates of exercise 8.1
H_ONE = 0.6
N_ONE = tanh(0.5 * -1 + R * (2.0 * H_ONE + 0.4))
TWO = np.array([0.99, -0.99]), np.array([[9.0, 9.0], [18.0, 18.0]])
LOUD, SILENT = np.array([1.0, 0.0]), np.array([0.5, 0.5])

WRONG = {
    "check_one_step": [
        ((1 - Z) * H_ONE + Z * N_ONE, "not the share written"),
        (Z * H_ONE + (1 - Z) * tanh(-0.5 + R * 1.2 + 0.4), "r multiplies it too"),
        (N_ONE, "this is the candidate"),
        (Z * H_ONE + (1 - Z) * tanh(-0.5 + 1.6), "the reset gate is missing"),
        (log(4) * H_ONE + (1 - log(4)) * tanh(-0.5 + log(3) * 1.6), "logistic function"),
        (Z * H_ONE + (1 - Z) * (-0.5 + R * 1.6), "goes through tanh"),
    ],
    "check_count": [
        (lambda cell, D, H: count(cell, D, H) * (D + H + 1) / (D + H + 2), "PyTorch keeps two"),
        (lambda cell, D, H: count(cell, D, H) * (D + H) / (D + H + 2), "biases are missing"),
        (lambda cell, D, H: count(cell, D, H) - (cell != "rnn") * H * (D + H + 2), "only the gate"),
        (lambda cell, D, H: H * (D + H + 2), "this is one block"),
    ],
    "check_half_life": [
        (lambda z: -1 / log(z), "1/e"),
        (lambda z: 1 / (1 - z), "mean age"),
        (lambda z: half_life(1 - z), "z is what is kept"),
        (lambda z: 0.5 / (1 - z), "a share of what is left"),
    ],
    "check_flip": [
        (flip_without_biases, "the biases feed z"),
        (flip_reset, "this is block r"),
        (flip_one_minus, "not 1 minus the gate"),
        (flip_all, "all blocks were turned"),
        (lambda W_xa, W_ha, b_x, b_h: (W_xa, W_ha, b_x, b_h), "off"),
    ],
    "check_cell": [
        (step_reset_before, "not h"),
        (step_writes, "the share that is kept"),
        (step_zrn, "in the order r, z, n"),
        (step_one_bias, "b_h is missing"),
        (step_bias_outside, "inside the brackets"),
        (lambda x, h, *w: gru_step(x, h, *w)[0], "expected shape"),
    ],
    "check_backward": [
        (back_without("keep"), "the straight way is missing"),
        (back_without("z"), "through the update gate is missing"),
        (back_without("r"), "through the reset gate is missing"),
        (back_turned, "h_prev - n"),
        (lambda dh, r, z, *rest: dh * z, "only the straight way"),
    ],
    "check_switch": [
        (switch(open_on=0.0), "above 0.9 at once"),
        (switch(keep=2.0), "leaks away"),
        (switch(open_off=0.0), "below 0.1"),
        (switch(off=-3.0), "not at -1"),
        (Args(np.zeros((3, 3)), np.zeros((1, 3)), np.zeros(3), np.zeros(3)), "shapes must be"),
    ],
    "check_seeds": [
        (one_sided, "one side"),
        (lambda a, b, n: comb(n, a) * comb(n, b) / comb(2 * n, a + b), "exactly this table"),
        (lambda a, b, n: 1 - p_value(a, b, n), "one minus"),
    ],
    "check_part": [
        (Args(TWO[0][:1], np.array([[30.0]]), np.array([0.5])), "with one unit"),
        (Args(TWO[0], np.diag([9.0, 9.0]), LOUD), "diagonal"),
        (Args(*TWO, SILENT), "one factor"),
        (Args(TWO[0], TWO[1] / 30, LOUD), "less than 1.9"),
        (Args(np.array([3.0, -3.0]), TWO[1], LOUD), "strictly between"),
        (Args(*TWO, np.array([2.0, 0.0])), "between 0 and 1"),
    ],
    "check_patient": [
        (lambda H, t_max, rng: np.full(H, log(t_max)), "same biases"),
        (lambda H, t_max, rng: np.full(H, rng.uniform(3.0, 4.0)), "one memory"),
        (lambda H, t_max, rng: -patient_bias(H, t_max, rng), "forget at once"),
        (
            lambda H, t_max, rng: np.log(np.exp(rng.uniform(0, log(t_max), H)) - 1 + 1e-9),
            "logarithms of the memories are uniform",
        ),
        (lambda H, t_max, rng: patient_bias(H, 3 * t_max, rng), "longer than t_max"),
        (lambda H, t_max, rng: patient_bias(H, t_max, rng)[:5], "one bias a unit"),
    ],
}

RIGHT = {
    "check_one_step": [Z * H_ONE + (1 - Z) * N_ONE],
    "check_count": [count],
    "check_half_life": [half_life],
    "check_flip": [flip],
    "check_cell": [gru_step],
    "check_backward": [back],
    "check_switch": [switch(), switch(keep=9.0, open_on=-16.0, open_off=-16.0, on=5.0)],
    "check_seeds": [p_value],
    "check_part": [Args(*TWO, LOUD)],
    "check_patient": [patient_bias],
}
