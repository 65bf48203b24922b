"""The two models of a forecast demo: their weights as short text, and what they forecast."""

from dataclasses import dataclass

import numpy as np

from course_lib._checks import check_shape
from course_lib.demos import _cells
from course_lib.demos._packed_weights import (
    check_cell,
    pack,
    pack_cell,
    run_cell,
    unpack,
    unpack_all,
)
from course_lib.demos._state import check_limit

HOURS, MAX_P, MAX_H = 24, 24, 16
Q = 3  # a low quantile, the median, a high one


@dataclass(frozen=True)
class ForecastNetwork:
    """A recurrent network that forecasts three quantiles of every hour to come.

    Parameters
    ----------
    name : str
        What it is called, such as ``"GRU"``.
    params : GRUParams, LSTMParams or RNNParams
        A cell that reads one scaled value an hour (D = 1), at most 16 units.
    readout : tuple of (ndarray of shape (H, P, 3), ndarray of shape (P, 3))
        Weights W and b at the state after the last hour: the quantiles of the hour p, in the
        scale of the input, are ``h @ W[:, p] + b[p]``.
    """

    name: str
    params: object
    readout: tuple


def stored_linear(linear):
    """Return a linear model (W (24, P, 3), b (P, 3)) as JSON."""
    W, b = (np.asarray(x, dtype=float) for x in linear)
    if W.ndim != 3 or W.shape[0] != HOURS or W.shape[2] != Q:
        raise ValueError(f"linear: W must have shape (24, P, 3), got {W.shape}")
    check_limit("linear", W.shape[1], MAX_P, "hours to come")
    check_shape("b of linear", b, W.shape[1:])
    return {"W": pack("W of linear", W.reshape(HOURS, -1)), "b": pack("b of linear", b.ravel())}


def stored_network(network, P):
    """Return a network for P hours as JSON; a shape that does not fit is refused."""
    name = f"network {network.name!r}"
    kind = _cells.kind_of(f"params of {name}", network.params)
    D, H = _cells.sizes(kind, network.params)
    if D != 1 or not 1 <= H <= MAX_H:
        raise ValueError(
            f"{name} must read 1 input with 1 to {MAX_H} units, got {D} inputs and {H} units"
        )
    W, b = (np.asarray(x, dtype=float) for x in network.readout)
    check_shape(f"readout W of {name}", W, (H, P, Q))
    check_shape(f"readout b of {name}", b, (P, Q))
    packed = pack_cell(name, network.params, readout_W=W.reshape(H, -1), readout_b=b.ravel())
    return {"name": str(network.name), **packed}


def check_stored(fixed):
    """Return P; ``ValueError`` unless the stored models fit each other."""
    W, b = (unpack(fixed["linear"][key]) for key in ("W", "b"))
    P = len(b) // Q
    check_shape("W of linear", W, (HOURS, P * Q))
    check_shape("b of linear", b, (P * Q,))
    check_limit("linear", P, MAX_P, "hours to come")
    data = fixed["network"]
    weights, name = unpack_all(data), f"network {data['name']!r}"
    H = len(weights["readout_W"])
    check_cell(name, data, 1, H)
    check_shape(f"readout_W of {name}", weights["readout_W"], (H, P * Q))
    check_shape(f"readout_b of {name}", weights["readout_b"], (P * Q,))
    return P


# All arrays below are scaled: mean 0 and standard deviation 1. ``model`` is "linear" or "network".


def states(fixed, z):
    """Return the network's states (N, 24, H) as it reads windows (N, 24)."""
    return run_cell(fixed["network"], z[:, :, None])


def outputs(fixed, model, z):
    """Return what a model puts out for windows (N, 24): (N, P, 3), as it comes."""
    if model == "linear":
        W, b = (unpack(fixed["linear"][key]) for key in ("W", "b"))
        return (z @ W + b).reshape(len(z), -1, Q)
    W, b = (unpack(fixed["network"]["weights"][key]) for key in ("readout_W", "readout_b"))
    return (states(fixed, z)[:, -1] @ W + b).reshape(len(z), -1, Q)


def quantiles(fixed, model, z):
    """Return the sorted outputs (N, P, 3): nothing else keeps quantiles from crossing."""
    return np.sort(outputs(fixed, model, z), axis=-1)


def recursive(fixed, model, z, P):
    """Return P medians (N, P): each is read as the next hour, and the oldest hour dropped."""
    medians = []
    for _ in range(P):
        medians.append(quantiles(fixed, model, z)[:, 0, 1])
        z = np.concatenate([z[:, 1:], medians[-1][:, None]], axis=1)
    return np.stack(medians, axis=1)


def slopes(fixed, model, z, p):
    """Return the derivative (24,) of the median of hour p by each hour of one window (24,)."""
    k = np.argsort(outputs(fixed, model, z[None])[0, p], kind="stable")[1]
    if model == "linear":
        return unpack(fixed["linear"]["W"])[:, p * Q + k]
    from course_lib.gru import gru_backward, gru_forward
    from course_lib.lstm import lstm_backward, lstm_forward
    from course_lib.rnn import rnn_backward, rnn_forward

    data = fixed["network"]
    forward, backward = {
        "gru": (gru_forward, gru_backward),
        "lstm": (lstm_forward, lstm_backward),
        "rnn": (rnn_forward, rnn_backward),
    }[data["kind"]]
    weights = unpack_all(data)
    params = _cells.params(data["kind"], {**data, **weights})
    run = forward(z[None, :, None], params)
    dh = np.zeros((1, HOURS, len(weights["readout_W"])))
    dh[0, -1] = weights["readout_W"][:, p * Q + k]
    return backward(dh, run, params).x[0, :, 0]
