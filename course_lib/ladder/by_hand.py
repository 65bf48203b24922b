"""Models whose weights are written down: what they can do, whether or not a training finds it.

A training that fails leaves open whether the model could have done better. These settle it for
three tasks: each function gives models that make no mistake, whatever the length, or next to none.

Letters: N sequences, T time, D input, K states.
"""

import numpy as np

from course_lib.gru import GRUParams, gru_forward
from course_lib.hmm_batch import filter_batch
from course_lib.lstm import LSTMParams, lstm_forward
from course_lib.rnn import RNNParams, rnn_forward

OPEN = 20.0  # pre-activation of an open gate; a shut one has its negative, 2e-9


def memory(x):
    """Name the first symbol with one hidden unit, or two states.

    The RNN's unit holds itself at tanh(5), plus or minus, by a weight of 5; the gates of LSTM and
    GRU open for the first symbol and shut for distractors; the HMM has a state for each first
    symbol and never leaves it.

    Parameters
    ----------
    x : ndarray of shape (N, T, 4)
        Inputs of ``memory_task``: two symbols that can come first, two distractors.

    Returns
    -------
    outputs : dict of str to ndarray of shape (N, T, 2)
        By name of the model: scores of the two answers.
    """
    first, later = np.array([[-5.0], [5.0], [0.0], [0.0]]), np.array([[0], [0], [1], [1]])
    keep, write = OPEN * (2 * later - 1), OPEN * (1 - 2 * later)  # open for distractors, or first
    ready = np.full((4, 1), OPEN)
    lstm = LSTMParams(np.hstack([write, keep, first, ready]), np.zeros((1, 4)), np.zeros(4))
    gru = GRUParams(np.hstack([ready, keep, first]), np.zeros((1, 3)), np.zeros(3), np.zeros(3))
    rnn = RNNParams(first, np.array([[5.0]]), np.zeros(1))
    B = np.array([[1, 0, 1, 1], [0, 1, 1, 1]]) / 3
    sign = np.array([-1.0, 1.0])  # the unit is negative for the first answer
    return {
        "HMM": filter_batch(x.argmax(axis=2), np.array([0.5, 0.5]), np.eye(2), B)[0],
        "RNN": rnn_forward(x, rnn).h[:, 1:] * sign,
        "LSTM": lstm_forward(x, lstm).h[:, 1:] * sign,
        "GRU": gru_forward(x, gru).h[:, 1:] * sign,
    }


def parity(x):
    """Tell whether the number of ones is odd, with two hidden units or four states.

    With s the present bit plus the parity so far, the RNN's first unit is 1 from s = 1 on and its
    second from s = 2 on, both -1 below; the parity is odd where only the first is 1. The HMM's
    state is the pair of parity and present bit.

    Parameters
    ----------
    x : ndarray of shape (N, T, 1)
        Inputs of ``parity_task``: bits.

    Returns
    -------
    outputs : dict of str to ndarray of shape (N, T, 2)
        By name of the model: scores of even and odd.
    """
    rnn = RNNParams(
        np.array([[10.0, 10.0]]), np.array([[5.0, 5.0], [-5.0, -5.0]]), np.array([-5.0, -15.0])
    )
    h = rnn_forward(x, rnn).h[:, 1:]
    only_first = h[..., 0] - h[..., 1]  # near 2 where the parity is odd, near 0 where even
    A = 0.5 * np.array([[1, 0, 0, 1], [1, 0, 0, 1], [0, 1, 1, 0], [0, 1, 1, 0]])
    B = np.eye(2)[[0, 1, 0, 1]]  # states: even 0, even 1, odd 0, odd 1
    belief = filter_batch(x[..., 0].astype(int), np.array([0.5, 0, 0, 0.5]), A, B)[0]
    return {
        "HMM": np.stack([belief[..., :2].sum(axis=2), belief[..., 2:].sum(axis=2)], axis=2),
        "RNN": np.stack([np.ones_like(only_first), only_first], axis=2),
    }


def adding(x):
    """Name the sum of the two marked numbers, to a ten-thousandth, with three hidden units.

    Where the number v is unmarked, the first unit is -1 and the second 1; where it is marked, they
    are about v / 100 and 0. The third adds up a tenth of both, one step late, in the middle of
    tanh, where it is nearly a straight line; over 200 steps the error grows to a three-thousandth.

    Parameters
    ----------
    x : ndarray of shape (N, T, 2)
        Inputs of ``adding_task``: number and mark.

    Returns
    -------
    outputs : dict of str to ndarray of shape (N, T, 1)
        By name of the model: the sum so far.
    """
    W_xh = np.array([[0.01, 0.0, 0.0], [OPEN, -OPEN, 0.0]])
    W_hh = np.array([[0.0, 0.0, 0.1], [0.0, 0.0, 0.1], [0.0, 0.0, 1.0]])
    h = rnn_forward(x, RNNParams(W_xh, W_hh, np.array([-OPEN, OPEN, 0.0]))).h[:, 1:]
    return {"RNN": 100 * (h[..., :1] + h[..., 1:2]) + 1000 * h[..., 2:]}
