"""Networks that a belief-simplex demo compares: their weights as short text, and what they say."""

import base64
from dataclasses import dataclass

import numpy as np

from course_lib._checks import check_finite, check_shape
from course_lib.demos import _cells

MAX_H, MAX_NETWORKS = 16, 4
UNIT = 1e-4
# In units: weights travel as 16-bit multiples of one of these, in a third of the digits' bytes.
STEPS = (1, 2, 5, 10, 20, 50, 100)


@dataclass(frozen=True)
class BeliefNetwork:
    """A recurrent network that predicts the next symbol, with a probe that decodes a belief.

    Parameters
    ----------
    name : str
        What the reader chooses it by, such as ``"after 50 updates"``.
    params : GRUParams, LSTMParams or RNNParams
        A cell that reads one-hot symbols (D = V), at most 16 units.
    readout : tuple of (ndarray of shape (H, V), ndarray of shape (V,))
        Weights W and b: the next symbol has probabilities softmax(h @ W + b).
    probe : tuple of (ndarray of shape (H, K), ndarray of shape (K,))
        Weights W and b: the decoded belief is h @ W + b. It sums to 1 if the probe was fitted to
        beliefs with an intercept, but its entries may leave [0, 1].
    """

    name: str
    params: object
    readout: tuple
    probe: tuple


def stored(network, V, K):
    """Return a network as JSON; a shape that does not fit V symbols and K states is refused."""
    name = f"network {network.name!r}"
    kind = _cells.kind_of(f"params of {name}", network.params)
    D, H = _cells.sizes(kind, network.params)
    if D != V or not 1 <= H <= MAX_H:
        raise ValueError(
            f"{name} must read {V} symbols with 1 to {MAX_H} units, got {D} inputs and {H} units"
        )
    arrays = {key: getattr(network.params, key, None) for key in _cells.FIELDS[kind]}
    for part, pair, width in (("readout", network.readout, V), ("probe", network.probe, K)):
        W, b = pair
        arrays[f"{part}_W"] = check_shape(f"{part} of {name}", np.asarray(W), (H, width))
        arrays[f"{part}_b"] = check_shape(f"{part} of {name}", np.asarray(b), (width,))
    form = {key: getattr(network.params, key) for key in ("reset", "update") if kind == "gru"}
    packed = {k: None if x is None else _pack(f"{k} of {name}", x) for k, x in arrays.items()}
    return {"name": str(network.name), "kind": kind, **form, "weights": packed}


def _pack(name, x):
    """Return ``[rows, step, text]``: 16-bit multiples of ``step`` units in base 64."""
    x = check_finite(name, x)
    most = np.abs(x).max() / UNIT
    step = next((step for step in STEPS if most / step <= 32767), None)
    if step is None:
        raise ValueError(f"{name}: weights must be at most 327 in size, got {most * UNIT:g}")
    whole = np.rint(x / (step * UNIT)).astype("<i2")
    return [len(x) if x.ndim == 2 else 0, step, base64.b64encode(whole.tobytes()).decode()]


def _unpack(packed):
    rows, step, text = packed
    whole = np.frombuffer(base64.b64decode(text), "<i2").astype(float) * step
    x = whole / 10_000  # not times 1e-4: this way JavaScript gets the same number to the last bit
    return x.reshape(rows, -1) if rows else x


def check_stored(data, V, K):
    """Raise ``ValueError`` unless a stored network fits V symbols and K states."""
    weights = {k: None if x is None else _unpack(x) for k, x in data["weights"].items()}
    H = len(weights["readout_W"])
    name = f"network {data['name']!r}"
    _cells.check_weights(data["kind"], name, {**data, **weights}, V, H)
    for key, shape in (
        ("readout_W", (H, V)),
        ("readout_b", (V,)),
        ("probe_W", (H, K)),
        ("probe_b", (K,)),
    ):
        check_shape(f"{key} of {name}", weights[key], shape)


def run(data, obs):
    """Return states (N, T, H), decoded beliefs (N, T, K) and next symbols (N, T, V) for (N, T)."""
    from course_lib.gru import gru_forward
    from course_lib.lstm import lstm_forward
    from course_lib.rnn import rnn_forward

    forward = {"gru": gru_forward, "lstm": lstm_forward, "rnn": rnn_forward}[data["kind"]]
    weights = {k: None if x is None else _unpack(x) for k, x in data["weights"].items()}
    V = len(weights["readout_b"])
    h = forward(np.eye(V)[obs], _cells.params(data["kind"], {**data, **weights})).h[:, 1:]
    decoded = h @ weights["probe_W"] + weights["probe_b"]
    scores = h @ weights["readout_W"] + weights["readout_b"]
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return h, decoded, e / e.sum(axis=-1, keepdims=True)
