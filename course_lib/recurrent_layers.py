"""Layers of recurrent cells on top of each other, and in both directions.

``layers`` is a tuple with one entry a layer: ``(params,)``, or ``(forward, backward)`` for two
directions. All cells are of one kind, RNN, LSTM or GRU. A layer reads the states of the layer
below, of both directions side by side. States of all cells are listed layer by layer, forward
before backward, as PyTorch does.

The backward direction reads the sequence from its last step to its first. With padding it meets
the padding first and carries its start state over it, so it starts at each sequence's own end.

Letters: N batch, T time, D input, H hidden, P directions (1 or 2), L cells: layers times P.

References
----------
Both directions: Schuster and Paliwal (1997), doi:10.1109/78.650093. Layers: El Hihi and Bengio
(1995), and measured by Graves, Mohamed and Hinton (2013), doi:10.1109/ICASSP.2013.6638947.
"""

from dataclasses import dataclass, fields

import numpy as np

from course_lib._checks import check_finite, check_shape
from course_lib._recurrent import read_kind, read_mask
from course_lib.gru import GRUParams, gru_backward, gru_forward
from course_lib.lstm import LSTMParams, lstm_backward, lstm_forward
from course_lib.rnn import RNNParams, rnn_backward, rnn_forward

FORWARD = {RNNParams: rnn_forward, LSTMParams: lstm_forward, GRUParams: gru_forward}
BACKWARD = {RNNParams: rnn_backward, LSTMParams: lstm_backward, GRUParams: gru_backward}


@dataclass(frozen=True, slots=True, eq=False)
class StackTrace:
    """What the backward pass and the plots need from one pass through all layers."""

    h: np.ndarray  # (N, T, P H) states of the top layer, 0 in masked steps
    h_final: np.ndarray  # (L, N, H)
    c_final: np.ndarray | None  # (L, N, H), LSTM only
    traces: tuple  # one tuple a layer, one trace a direction; time runs backwards in the second
    mask: np.ndarray | None  # (N, T)


@dataclass(frozen=True, slots=True, eq=False)
class StackGrads:
    """Gradient of a loss with respect to everything that went into a pass through all layers."""

    layers: tuple  # as the layers: a tuple of one or two params a layer
    x: np.ndarray  # (N, T, D)
    h0: np.ndarray  # (L, N, H)
    c0: np.ndarray | None  # (L, N, H), LSTM only


def n_parameters(params):
    """Return how many numbers a cell, or a tuple of layers of cells, has learned.

    Parameters
    ----------
    params : RNNParams, LSTMParams, GRUParams, or tuple of them
        Any dataclass of arrays, or any nesting of tuples of such.

    Returns
    -------
    n : int
        Number of entries in all arrays. PyTorch counts H more for an RNN and 4H more for an LSTM,
        because it keeps two biases where only their sum matters.
    """
    if isinstance(params, tuple | list):
        return sum(n_parameters(part) for part in params)
    values = (getattr(params, field.name) for field in fields(params))
    return sum(value.size for value in values if isinstance(value, np.ndarray))


def init_stack(init, D, H, rng, n_layers=1, bidirectional=False):
    """Draw starting weights for several layers.

    Parameters
    ----------
    init : callable
        ``init_rnn``, ``init_lstm`` or ``init_gru``: called as init(D, H, rng).
    D, H : int
        Inputs of the first layer, and hidden units of each cell.
    rng : numpy.random.Generator
        Source of the random numbers.
    n_layers : int, default=1
        Number of layers, at least 1.
    bidirectional : bool, default=False
        Two cells a layer, one for each direction.

    Returns
    -------
    layers : tuple of tuple of params
        One tuple a layer.

    Raises
    ------
    ValueError
        If there is no layer.
    """
    if n_layers < 1:
        raise ValueError(f"n_layers must be at least 1, got {n_layers}")
    P = 2 if bidirectional else 1
    sizes = [D] + [P * H] * (n_layers - 1)
    return tuple(tuple(init(size, H, rng) for _ in range(P)) for size in sizes)


def stack_forward(x, layers, h0=None, c0=None, lengths=None, mask=None, activation="tanh"):
    """Read a batch of sequences through all layers.

    Parameters
    ----------
    x : ndarray of shape (N, T, D)
        Inputs; what stands in masked steps is never looked at.
    layers : tuple of tuple of params
        One tuple a layer, of one or two cells; see the top of this module.
    h0, c0 : ndarray of shape (L, N, H), optional
        Start states of all cells, zeros if not given; ``c0`` for the LSTM only.
    lengths : ndarray of shape (N,), optional
        Number of steps of each sequence, from 1 to T; the rest is padding.
    mask : ndarray of shape (N, T), optional
        True where a step is read, at least once a sequence; instead of ``lengths``.
    activation : {"tanh", "relu", "linear"}
        Function of vanilla cells.

    Returns
    -------
    trace : StackTrace
        States of the top layer, final states, and the traces of all cells.

    Raises
    ------
    ValueError
        If the layers do not fit on each other, or an argument does not fit the layers.
    """
    kind, D, H = check_layers(layers)
    x = check_shape("x", x, (None, None, D))
    N, T, _ = x.shape
    mask = read_mask(lengths, mask, N, T)
    start = {"h0": _read_states("h0", h0, layers, N, H)}
    if kind is LSTMParams:
        start["c0"] = _read_states("c0", c0, layers, N, H)
    elif c0 is not None:
        raise ValueError(f"c0 must be None for {kind.__name__}, got an array; only LSTMs have it")
    options = {"activation": activation} if kind is RNNParams else {}

    below, traces, cell = x, [], 0
    for layer in layers:
        row = []
        for direction, params in enumerate(layer):
            states = {name: value[cell] for name, value in start.items()}
            inputs, seen = _along(below, direction), _along(mask, direction)
            row.append(FORWARD[kind](inputs, params, mask=seen, **states, **options))
            cell += 1
        traces.append(tuple(row))
        states = [_along(trace.h[:, 1:], direction) for direction, trace in enumerate(row)]
        below = np.concatenate(states, axis=2)
    cells = [trace for row in traces for trace in row]
    return StackTrace(
        h=_without_padding(below, mask),
        h_final=np.array([trace.h_final for trace in cells]),
        c_final=np.array([t.c_final for t in cells]) if kind is LSTMParams else None,
        traces=tuple(traces),
        mask=mask,
    )


def stack_backward(dh, trace, layers, dh_final=None, dc_final=None):
    """Backpropagate through time and through all layers.

    Parameters
    ----------
    dh : ndarray of shape (N, T, P * H)
        Gradient of the loss with respect to ``trace.h``; masked steps are not looked at.
    trace : StackTrace
        What :func:`stack_forward` left behind.
    layers : tuple of tuple of params
        The weights it used.
    dh_final, dc_final : ndarray of shape (L, N, H), optional
        Gradients with respect to the final states that come on top, zeros if not given.

    Returns
    -------
    grads : StackGrads
        Gradients with respect to all weights, ``x`` and the start states.

    Raises
    ------
    ValueError
        If shapes do not fit the trace, or numbers are not finite.
    """
    kind, _, H = check_layers(layers)
    read_kind("trace", trace, StackTrace)
    N = len(trace.h)
    finals = {"dh_final": _read_states("dh_final", dh_final, layers, N, H)}
    if kind is LSTMParams:
        finals["dc_final"] = _read_states("dc_final", dc_final, layers, N, H)
    elif dc_final is not None:
        raise ValueError(f"dc_final must be None for {kind.__name__}, got an array")
    dh = check_finite("dh", check_shape("dh", dh, trace.h.shape))

    grads, P = [], len(layers[0])
    for number in reversed(range(len(layers))):
        dh, above = 0.0, _without_padding(dh, trace.mask)
        row = []
        for direction, params in enumerate(layers[number]):
            ends = {name: value[number * P + direction] for name, value in finals.items()}
            own = _along(above[:, :, direction * H : (direction + 1) * H], direction)
            cell = BACKWARD[kind](own, trace.traces[number][direction], params, **ends)
            dh = dh + _along(cell.x, direction)  # both directions read the same layer below
            row.append(cell)
        grads.insert(0, row)
    cells = [cell for row in grads for cell in row]
    return StackGrads(
        layers=tuple(tuple(cell.params for cell in row) for row in grads),
        x=dh,
        h0=np.array([cell.h0 for cell in cells]),
        c0=np.array([cell.c0 for cell in cells]) if kind is LSTMParams else None,
    )


def _along(x, direction):
    """Turn time (axis 1) round for the backward direction."""
    return x if x is None or direction == 0 else x[:, ::-1]


def _without_padding(x, mask):
    """Set masked steps to 0."""
    return x if mask is None else np.where(mask[:, :, None], x, 0.0)


def _read_states(name, states, layers, N, H):
    """Return states (L, N, H) as float64; None means zeros."""
    shape = (sum(map(len, layers)), N, H)
    if states is None:
        return np.zeros(shape)
    return check_finite(name, check_shape(name, states, shape))


def check_layers(layers):
    """Refuse layers that do not fit on each other.

    Parameters
    ----------
    layers : tuple of tuple of params
        One tuple a layer, of one or two cells.

    Returns
    -------
    kind : type
        RNNParams, LSTMParams or GRUParams.
    D, H : int
        Inputs of the first layer, and hidden units of each cell.

    Raises
    ------
    ValueError
        If they are of different kinds or sizes, or not such a tuple.
    """
    form = "layers must be a tuple with a tuple of one or two params for each layer"
    if not isinstance(layers, tuple | list) or not layers:
        raise ValueError(f"{form}, got {type(layers).__name__}")
    for layer in layers:
        if not isinstance(layer, tuple | list) or len(layer) not in (1, 2):
            raise ValueError(f"{form}, got {type(layer).__name__} for a layer")
    kind, P = type(layers[0][0]), len(layers[0])
    if kind not in FORWARD:
        raise ValueError(
            f"layers must hold RNNParams, LSTMParams or GRUParams, got {kind.__name__}"
        )
    D, H = _sizes(layers[0][0])
    size = D
    for number, layer in enumerate(layers):
        got = [(type(params).__name__, *_sizes(params)) for params in layer]
        if got != [(kind.__name__, size, H)] * P:
            raise ValueError(
                f"layer {number} must have {P} x {kind.__name__} with D = {size} and H = {H}, "
                f"got (kind, D, H) = {', '.join(map(str, got))}"
            )
        size = P * H
    return kind, D, H


def _sizes(params):
    """D and H of any of the cells."""
    if isinstance(params, RNNParams):
        return params.W_xh.shape
    return (len(params.W_xa), len(params.W_ha)) if type(params) in FORWARD else (None, None)
