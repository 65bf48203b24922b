"""How far this book's cells are from PyTorch's: the largest absolute differences, in float64.

Each row of the matrix is a cell that reads a padded batch of sequences of different lengths, with
a random loss on all its outputs and final states; every number and every gradient is compared.

Letters: N batch, T time, D input, H hidden, L cells, P directions.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from course_lib.gru import GRUParams, init_gru
from course_lib.lstm import LSTMParams, init_lstm
from course_lib.recurrent_layers import init_stack, stack_backward, stack_forward
from course_lib.rnn import RNNParams, init_rnn
from course_lib.torch_bridge import to_torch

N, T, D, H = 4, 9, 3, 5
LENGTHS = np.array([9, 4, 1, 7])
# name: (start, layers, both directions?, function of a vanilla cell)
CELLS = {
    "RNN": (init_rnn, 1, False, "tanh"),
    "RNN, relu": (init_rnn, 1, False, "relu"),
    "LSTM": (init_lstm, 1, False, "tanh"),
    "GRU": (init_gru, 1, False, "tanh"),
    "RNN, 3 layers": (init_rnn, 3, False, "tanh"),
    "LSTM, 3 layers": (init_lstm, 3, False, "tanh"),
    "GRU, 3 layers": (init_gru, 3, False, "tanh"),
    "RNN, 2 layers, both directions": (init_rnn, 2, True, "tanh"),
    "LSTM, 2 layers, both directions": (init_lstm, 2, True, "tanh"),
    "GRU, 2 layers, both directions": (init_gru, 2, True, "tanh"),
}
# Our arrays, and the tensors of PyTorch with the same gradient; an RNN and an LSTM of PyTorch have
# two biases, of which only the sum matters, so each has the gradient of our one.
BOTH = ("bias_ih", "bias_hh")
TENSORS = {
    RNNParams: {"W_xh": ("weight_ih",), "W_hh": ("weight_hh",), "b_h": BOTH},
    LSTMParams: {"W_xa": ("weight_ih",), "W_ha": ("weight_hh",), "b_a": BOTH},
    GRUParams: {
        **{"W_xa": ("weight_ih",), "W_ha": ("weight_hh",)},
        **{"b_x": ("bias_ih",), "b_h": ("bias_hh",)},
    },
}


@dataclass(frozen=True, slots=True)
class ParityRow:
    """One comparison: which cell, which quantity, and the largest absolute difference."""

    cell: str
    quantity: str
    difference: float


def cell_parity(seed=0):
    """Compare every cell with PyTorch's on the same weights, data and loss.

    Parameters
    ----------
    seed : int, default=0
        Seed of weights, data and loss.

    Returns
    -------
    rows : list of ParityRow
        Cells in turn; for each, the quantities "outputs", "final h" ("final c") and "d" with the
        name of everything that has a gradient; the largest over layers and directions.
    """
    rows = []
    for name, (init, n_layers, both, activation) in CELLS.items():
        rng = np.random.default_rng(seed)
        layers = init_stack(init, D, H, rng, n_layers, both)
        ours, theirs = compare(layers, rng, activation)
        rows += [
            ParityRow(name, quantity, float(max_difference(value, theirs[quantity])))
            for quantity, value in ours.items()
        ]
    return rows


def max_difference(ours, theirs):
    """Return the largest absolute difference over two lists of arrays, shape by shape."""
    pairs = list(zip(ours, theirs, strict=True))
    assert all(a.shape == b.shape for a, b in pairs), "shapes differ"
    return max(np.abs(a - b).max() for a, b in pairs)


def compare(layers, rng, activation="tanh", lengths=LENGTHS):
    """Run layers here and in PyTorch, forward and backward.

    Parameters
    ----------
    layers : tuple of tuple of params
        One tuple a layer, of one or two cells.
    rng : numpy.random.Generator
        Source of the data and of the loss.
    activation : {"tanh", "relu"}
        Function of vanilla cells.
    lengths : ndarray of shape (N,)
        Number of steps of each sequence; the longest is T.

    Returns
    -------
    ours, theirs : dict of str to list of ndarray
        The same quantities under the same names, as in :func:`cell_parity`.
    """
    module = to_torch(layers, activation)
    lstm = isinstance(module, nn.LSTM)
    size = len(lengths), int(max(lengths)), module.input_size
    cells, states = sum(map(len, layers)), ("h0", "c0")[: 1 + lstm]
    x = rng.normal(size=size)
    start = {key: rng.normal(size=(cells, size[0], module.hidden_size)) for key in states}
    # The loss is the sum of all outputs and final states, each times a random number.
    dh = rng.normal(size=(*size[:2], len(layers[0]) * module.hidden_size))
    ends = {f"d{key}_final": rng.normal(size=value.shape) for key, value in
            zip(("h", "c"), start.values(), strict=False)}  # fmt: skip

    trace = stack_forward(x, layers, **start, lengths=lengths, activation=activation)
    grads = stack_backward(dh, trace, layers, **ends)
    ours = {"outputs": [trace.h], "final h": [trace.h_final]}
    ours |= {"final c": [trace.c_final]} if lstm else {}
    ours |= {"dx": [grads.x]} | {f"d{key}": [getattr(grads, key)] for key in states}
    for layer in grads.layers:
        for params in layer:
            for name, tensors in TENSORS[type(params)].items():
                ours.setdefault(f"d{name}", []).extend([getattr(params, name)] * len(tensors))
    return ours, _in_torch(module, x, start, lengths, dh, list(ends.values()), layers)


def _in_torch(module, x, start, lengths, dh, ends, layers):
    """The same quantities from PyTorch's packed sequences and autograd."""
    x, dh, *ends = (torch.from_numpy(array) for array in (x, dh, *ends))
    state = [torch.from_numpy(array).requires_grad_() for array in start.values()]
    x.requires_grad_()
    packed = nn.utils.rnn.pack_padded_sequence(
        x, torch.from_numpy(np.asarray(lengths)), batch_first=True, enforce_sorted=False
    )
    packed, final = module(packed, tuple(state) if len(state) == 2 else state[0])
    outputs, _ = nn.utils.rnn.pad_packed_sequence(packed, batch_first=True, total_length=x.shape[1])
    final = final if isinstance(final, tuple) else (final,)
    loss = (outputs * dh).sum() + sum((a * b).sum() for a, b in zip(final, ends, strict=True))
    loss.backward()

    theirs = {"outputs": [outputs.detach().numpy()]}
    theirs |= {f"final {k}": [v.detach().numpy()] for k, v in zip("hc", final, strict=False)}
    theirs |= {"dx": [x.grad.numpy()]}
    theirs |= {f"d{k}": [v.grad.numpy()] for k, v in zip(start, state, strict=True)}
    for number, layer in enumerate(layers):
        for suffix, params in zip(("", "_reverse"), layer, strict=False):
            for name, tensors in TENSORS[type(params)].items():
                for tensor in tensors:
                    gradient = getattr(module, f"{tensor}_l{number}{suffix}").grad
                    theirs.setdefault(f"d{name}", []).append(gradient.numpy().T)
    return theirs
