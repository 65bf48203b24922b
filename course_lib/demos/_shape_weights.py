"""Weights of a recurrent module from a seed, named and shaped as PyTorch's, and as the course's."""

import numpy as np

from course_lib.demos._state import uniforms

GATES = {"RNN": 1, "LSTM": 4, "GRU": 3}


def state_dict(seed, cell, D, H, n_layers, bidirectional):
    """Return the arrays of ``module.state_dict()``, in its order.

    All entries are uniform in [-1/sqrt(H), 1/sqrt(H)], drawn one after the other.
    """
    G, directions = GATES[cell], ("", "_reverse")[: 1 + bidirectional]
    shapes = {}
    for layer in range(n_layers):
        size = D if layer == 0 else len(directions) * H
        for direction in directions:
            for part, shape in (
                ("weight_ih", (G * H, size)),
                ("weight_hh", (G * H, H)),
                ("bias_ih", (G * H,)),
                ("bias_hh", (G * H,)),
            ):
                shapes[f"{part}_l{layer}{direction}"] = shape
    draws = 2 * np.array(uniforms(seed, sum(int(np.prod(s)) for s in shapes.values()))) - 1
    ends = np.cumsum([np.prod(shape) for shape in shapes.values()])[:-1]
    parts = np.split(draws / np.sqrt(H), ends)
    return {key: x.reshape(shape) for (key, shape), x in zip(shapes.items(), parts, strict=True)}


def layers(weights, cell, n_layers):
    """Return the same weights as :func:`~course_lib.recurrent_layers.stack_forward` takes them."""
    directions = ("", "_reverse") if "bias_ih_l0_reverse" in weights else ("",)
    return tuple(
        tuple(_params(weights, cell, f"_l{layer}{direction}") for direction in directions)
        for layer in range(n_layers)
    )


def _params(weights, cell, suffix):
    from course_lib.gru import GRUParams
    from course_lib.lstm import LSTMParams
    from course_lib.rnn import RNNParams

    W_x, W_h = (weights[f"weight_{part}{suffix}"].T for part in ("ih", "hh"))
    b_x, b_h = (weights[f"bias_{part}{suffix}"] for part in ("ih", "hh"))
    if cell == "GRU":
        return GRUParams(W_x, W_h, b_x, b_h)
    return {"LSTM": LSTMParams, "RNN": RNNParams}[cell](W_x, W_h, b_x + b_h)
