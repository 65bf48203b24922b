"""Weights of this book's cells as PyTorch modules, and back, without rounding in float64.

PyTorch stores every matrix the other way round: its ``weight_ih`` is our ``W_xh.T``, its
``weight_hh`` our ``W_hh.T``, with the blocks in the same order (i, f, g, o and r, z, n). It keeps
two biases everywhere. Our RNN and LSTM keep their sum; the GRU needs both, as ``b_x`` and ``b_h``.

Letters: D input, H hidden.
"""

import numpy as np
import torch
from torch import nn

from course_lib.gru import GRUParams, swap_update
from course_lib.lstm import LSTMParams
from course_lib.recurrent_layers import check_layers
from course_lib.rnn import RNNParams

LAYERS = {nn.RNN: RNNParams, nn.LSTM: LSTMParams, nn.GRU: GRUParams}
CELLS = {nn.RNNCell: RNNParams, nn.LSTMCell: LSTMParams, nn.GRUCell: GRUParams}


def from_torch(module):
    """Return the weights of a recurrent module of PyTorch as those of this book, in float64.

    Dropout between layers is no weight and is left behind. So is the function of a vanilla RNN:
    pass ``activation=module.nonlinearity`` to :func:`~course_lib.rnn.rnn_forward`.

    Parameters
    ----------
    module : nn.RNN, nn.LSTM, nn.GRU, nn.RNNCell, nn.LSTMCell or nn.GRUCell
        With or without biases, on any device, in any precision.

    Returns
    -------
    params : RNNParams, LSTMParams, GRUParams, or tuple of tuple of them
        The weights of one cell; for several layers or directions, ``layers`` as
        :func:`~course_lib.recurrent_layers.stack_forward` takes them.

    Raises
    ------
    ValueError
        If the module is of another kind, or an LSTM with a projection of its state.
    """
    if type(module) in CELLS:
        return _read_cell(module, "", CELLS[type(module)])
    if type(module) not in LAYERS:
        known = ", ".join(f"nn.{kind.__name__}" for kind in (*LAYERS, *CELLS))
        raise ValueError(f"module must be one of {known}, got {type(module).__name__}")
    if module.proj_size:
        raise ValueError(f"module must have proj_size = 0, got {module.proj_size}")
    kind, directions = LAYERS[type(module)], ("", "_reverse")[: 1 + module.bidirectional]
    layers = tuple(
        tuple(_read_cell(module, f"_l{layer}{direction}", kind) for direction in directions)
        for layer in range(module.num_layers)
    )
    return layers[0][0] if len(layers) == len(directions) == 1 else layers


def _read_cell(module, suffix, kind):
    """Read one cell, the tensors of which end in ``suffix``."""
    W_x, W_h = (_array(module, f"weight_{source}{suffix}").T for source in ("ih", "hh"))
    if module.bias:
        b_x, b_h = (_array(module, f"bias_{source}{suffix}") for source in ("ih", "hh"))
    else:
        b_x, b_h = np.zeros((2, W_x.shape[1]))
    if kind is GRUParams:
        return GRUParams(W_x.copy(), W_h.copy(), b_x, b_h)
    return kind(W_x.copy(), W_h.copy(), b_x + b_h)


def _array(module, name):
    return getattr(module, name).detach().cpu().double().numpy().copy()


def to_torch(params, activation="tanh", cell=False):
    """Return the PyTorch module with these weights, in float64, batch first.

    Of the two biases that PyTorch adds for an RNN or LSTM, the first is ours and the second 0. A
    GRU with ``update="write"`` is turned into PyTorch's convention, which is exact.

    Parameters
    ----------
    params : RNNParams, LSTMParams, GRUParams, or tuple of tuple of them
        Weights of one cell, or ``layers`` as
        :func:`~course_lib.recurrent_layers.stack_forward` takes them.
    activation : {"tanh", "relu"}
        Function of a vanilla RNN.
    cell : bool, default=False
        Return the module for a single step (nn.RNNCell and so on) instead of the layer.

    Returns
    -------
    module : nn.RNN, nn.LSTM, nn.GRU, or one of their cells
        Its dtype is torch.float64.

    Raises
    ------
    ValueError
        If PyTorch has no such module: peepholes, reset before the product, another activation; or
        if the layers do not fit on each other.
    """
    layers = params if isinstance(params, tuple | list) else ((params,),)
    kind, D, H = check_layers(layers)
    names = {ours: theirs for theirs, ours in (CELLS if cell else LAYERS).items()}
    options = {"dtype": torch.float64}
    if kind is RNNParams:
        if activation not in ("tanh", "relu"):
            raise ValueError(f"activation must be 'tanh' or 'relu' in PyTorch, got {activation!r}")
        options["nonlinearity"] = activation
    P = len(layers[0])
    if not cell:
        options |= {"num_layers": len(layers), "bidirectional": P == 2, "batch_first": True}
    elif len(layers) * P > 1:
        raise ValueError(f"cell=True needs the weights of one cell, got {len(layers)} x {P} cells")
    module = names[kind](D, H, **options)
    with torch.no_grad():
        for number, layer in enumerate(layers):
            for suffix, one in zip(("", "_reverse"), layer, strict=False):
                _write_cell(module, "" if cell else f"_l{number}{suffix}", one)
    return module


def _write_cell(module, suffix, params):
    """Write the weights of one cell into the tensors that end in ``suffix``."""
    if isinstance(params, GRUParams):
        if params.reset != "after":
            raise ValueError(
                "params.reset must be 'after', the only form PyTorch has, got "
                f"{params.reset!r}; course_lib.gru.swap_reset says when it can be changed"
            )
        params = swap_update(params) if params.update == "write" else params
        arrays = (params.W_xa.T, params.W_ha.T, params.b_x, params.b_h)
    elif isinstance(params, LSTMParams):
        if params.w_ca is not None:
            raise ValueError("params must have no peepholes, PyTorch has none; got w_ca")
        arrays = (params.W_xa.T, params.W_ha.T, params.b_a, np.zeros_like(params.b_a))
    else:
        arrays = (params.W_xh.T, params.W_hh.T, params.b_h, np.zeros_like(params.b_h))
    tensors = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    for name, array in zip(tensors, arrays, strict=True):
        getattr(module, name + suffix).copy_(torch.from_numpy(np.ascontiguousarray(array)))
