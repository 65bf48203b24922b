"""Networks that a belief-simplex demo compares: their weights as short text, and what they say."""

from dataclasses import dataclass

import numpy as np

from course_lib._checks import check_shape
from course_lib.demos import _cells, _packed_weights

MAX_H, MAX_NETWORKS = 16, 4


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
    more = {}
    for part, pair, width in (("readout", network.readout, V), ("probe", network.probe, K)):
        W, b = pair
        more[f"{part}_W"] = check_shape(f"{part} of {name}", np.asarray(W), (H, width))
        more[f"{part}_b"] = check_shape(f"{part} of {name}", np.asarray(b), (width,))
    return {"name": str(network.name), **_packed_weights.pack_cell(name, network.params, **more)}


def check_stored(data, V, K):
    """Raise ``ValueError`` unless a stored network fits V symbols and K states."""
    weights = _packed_weights.unpack_all(data)
    H = len(weights["readout_W"])
    name = f"network {data['name']!r}"
    _packed_weights.check_cell(name, data, V, H)
    for key, shape in (
        ("readout_W", (H, V)),
        ("readout_b", (V,)),
        ("probe_W", (H, K)),
        ("probe_b", (K,)),
    ):
        check_shape(f"{key} of {name}", weights[key], shape)


def run(data, obs):
    """Return states (N, T, H), decoded beliefs (N, T, K) and next symbols (N, T, V) for (N, T)."""
    weights = _packed_weights.unpack_all(data)
    V = len(weights["readout_b"])
    h = _packed_weights.run_cell(data, np.eye(V)[obs])
    decoded = h @ weights["probe_W"] + weights["probe_b"]
    scores = h @ weights["readout_W"] + weights["readout_b"]
    e = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return h, decoded, e / e.sum(axis=-1, keepdims=True)
