"""Answers that the checks of chapter 05 must reject, with a piece of what they must say."""

import numpy as np

from tests.wrong_answers import Args

FIRST = np.tanh(0.8 * 1.0 - 0.6 * 0.5 + 0.1)
SECOND = np.tanh(0.8 * -2.0 - 0.6 * FIRST + 0.1)


# ---- what a good student hands in ------------------------------------------------------------


def run(x, h0, W_xh, W_hh, b_h):
    h = np.empty((len(x) + 1, len(h0)))
    h[0] = h0
    for t in range(len(x)):
        h[t + 1] = np.tanh(W_xh.T @ x[t] + W_hh.T @ h[t] + b_h)
    return h


def parameters(D, H, n_out):
    return D * H + H * H + H + H * n_out + n_out


def last_states(h, lengths):
    return h[np.arange(len(h)), lengths]


def threshold(w):
    """By search: the largest drop of w h - arctanh h between 0 and 1."""
    h = np.linspace(0, 1, 2_000_001)[:-1]
    return (w * h - np.arctanh(h)).max()


def recall(states, x, k):
    read = np.column_stack([np.ones(len(states) - k), states[k:]])
    past = x[: len(x) - k]
    weights = np.linalg.lstsq(read, past, rcond=None)[0]
    return np.corrcoef(read @ weights, past)[0, 1] ** 2


def parity_cell(gain):
    W_hh = gain / 2 * np.array([[1.0, 1.0], [-1.0, -1.0]])
    b_h = gain * np.array([-0.5, -1.5])
    return Args(np.full((1, 2), gain), W_hh, b_h, -np.ones(2), np.array([1.0, -1.0]), -1.0)


# ---- and what others do ----------------------------------------------------------------------


def run_without_carry(x, h0, W_xh, W_hh, b_h):
    return np.array([h0, *(np.tanh(x_t @ W_xh + h0 @ W_hh + b_h) for x_t in x)])


def run_in_place(x, h0, W_xh, W_hh, b_h):
    states = [h0]
    for x_t in x:
        h0[:] = np.tanh(x_t @ W_xh + h0 @ W_hh + b_h)
        states.append(h0)
    return np.array(states)


def recall_without_constant(states, x, k):
    past = x[: len(x) - k]
    left = past - states[k:] @ np.linalg.lstsq(states[k:], past, rcond=None)[0]
    return 1 - (left**2).mean() / past.var()


def recall_ahead(states, x, k):
    return recall(states[: len(x) - k], x[k:], 0)


SOFT, HARD = parity_cell(2.1), parity_cell(6.0)
SUM_ONLY = Args(np.full((1, 2), 4.0), np.eye(2), -np.ones(2), -np.ones(2), np.ones(2), 0.0)

WRONG = {
    "check_two_steps": [
        (FIRST, "the second input is still to come"),
        (0.8 * -2.0 - 0.6 * FIRST + 0.1, "what goes into the second tanh"),
        (0.8 * -2.0 - 0.6 * (0.8 - 0.3 + 0.1) + 0.1, "every step ends with tanh"),
        (np.tanh(-1.6 - 0.6 * np.tanh(0.8 + 0.1) + 0.1), "the initial state is not zero"),
        (np.tanh(-1.6 - 0.6 * np.tanh(0.8 - 0.3)), "the bias is added"),
        (np.tanh(-1.6 - 0.6 * 0.5 + 0.1), "the state after the first"),
        (np.tanh(1.2 + 0.8 * np.tanh(-0.6 + 0.4 + 0.1) + 0.1), "swapped"),
    ],
    "check_run": [
        (lambda *c: run(*c)[1:], "T + 1 states"),
        (run_without_carry, "nothing is carried on"),
        (lambda x, h0, W_xh, W_hh, b_h: run(x, h0, W_xh, W_hh.T, b_h), "from the wrong side"),
        (lambda x, h0, W_xh, W_hh, b_h: run(x, h0, W_xh, W_hh, 0 * b_h), "where is the bias"),
        (lambda x, h0, W_xh, W_hh, b_h: run(x, 0 * h0, W_xh, W_hh, b_h), "starts from zero"),
        (run_in_place, "changes its argument"),
        (lambda *c: run(*c)[-1], "shape"),
        (np.zeros((7, 3)), "expected a function"),
    ],
    "check_parameters": [
        (lambda D, H, n_out: parameters(D, H, n_out) + H, "one bias too many"),
        (lambda D, H, n_out: H * (D + H + 1), "the readout has parameters too"),
        (lambda D, H, n_out: H * (D + H) + H * n_out, "the biases are missing"),
        (lambda D, H, n_out: parameters(D, H, n_out) - n_out, "a bias for each output"),
        (lambda D, H, n_out: H * (D + 1) + n_out * (H + 1), "where is W_hh"),
        (lambda D, H, n_out: H * (D + 2) + n_out * (H + 1), "from every unit to every unit"),
    ],
    "check_last_states": [
        (lambda h, lengths: h[:, -1], "after the padding"),
        (lambda h, lengths: last_states(h, lengths - 1), "one step too early"),
        (lambda h, lengths: h[:, lengths], "the lengths of all"),
        (
            lambda h, lengths: np.array(
                [s[: n + 1].mean(0) for s, n in zip(h, lengths, strict=True)]
            ),
            "this is the mean",
        ),
    ],
    "check_latch": [
        (Args(2.0, 0.9), "one resting state only"),
        (Args(2.0, -2.0), "turns the sign round"),
        (Args(-2.0, 2.0), "must be positive"),
        (Args(1.0, 2.0), "push harder"),
        (Args(4.0, 2.0), "too sensitive"),
        (Args(2.0, 2.0), "leave more room"),
        (Args(np.inf, 2.0), "finite"),
    ],
    "check_threshold": [
        (lambda w: -threshold(w), "wrong sign"),
        (lambda w: np.sqrt(1 - 1 / w), "where the unit stands"),
        (lambda w: np.sqrt(w * w - w), "make up the difference"),
        (lambda w: w - 1, "not a line"),
        (lambda w: threshold(w) / 2, "too small"),
    ],
    "check_parity": [
        (SUM_ONLY, "two ones are even again"),
        (SOFT, "drive them to -1 and 1"),
        (parity_cell(1.5), "does a zero leave the state"),
        (Args(*HARD[:5], -3.0), "a single one is odd"),
        (Args(*HARD[:3], np.array([1.0, -1.0]), *HARD[4:]), "three zeros are even"),
        (Args(*HARD[:3], -3 * np.ones(2), *HARD[4:]), "tanh never leaves"),
        (Args(np.ones(2), *HARD[1:]), "W_xh must have shape (1, 2)"),
        (Args(HARD[0], np.zeros((2, 2)), *HARD[2:]), "two ones are even again"),
    ],
    "check_recall": [
        (recall_without_constant, "add a column of ones"),
        (recall_ahead, "k steps ahead"),
        (lambda states, x, k: recall(states, x, 0), "the present input"),
        (lambda states, x, k: recall(states, x, k) ** 0.5, "a correlation"),
        (lambda states, x, k: 1 - recall(states, x, k), "*not* explained"),
        (lambda states, x, k: recall(states, x, k + 1), "one step off"),
    ],
}

RIGHT = {
    "check_two_steps": [SECOND, round(SECOND, 4)],
    "check_run": [run],
    "check_parameters": [parameters],
    "check_last_states": [last_states],
    "check_latch": [Args(5.0, 3.0), Args(4.0, 2.5)],
    "check_threshold": [threshold],
    "check_parity": [HARD, parity_cell(10.0)],
    "check_recall": [recall],
}
