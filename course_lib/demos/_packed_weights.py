"""Learned weights as short text for the demos: 16-bit numbers in base 64, and cells made of them.

The twin in JavaScript is ``js/core/packed.js``. What a demo computes with are the rounded weights.
"""

import base64

import numpy as np

from course_lib._checks import check_finite
from course_lib.demos import _cells

UNIT = 1e-4
# In units: weights travel as 16-bit multiples of one of these, in a third of the digits' bytes.
STEPS = (1, 2, 5, 10, 20, 50, 100)


def pack(name, x):
    """Return ``[rows, step, text]``: 16-bit multiples of ``step`` units in base 64.

    ``x`` has one axis (then ``rows`` is 0) or two; entries up to 3.2767 keep four decimals, larger
    ones fewer, and 327.67 is the largest of all.
    """
    x = check_finite(name, x)
    if x.ndim not in (1, 2) or not x.size:
        raise ValueError(f"{name} must have one or two axes and an entry, got shape {x.shape}")
    most = np.abs(x).max() / UNIT
    step = next((step for step in STEPS if most / step <= 32767), None)
    if step is None:
        raise ValueError(f"{name}: weights must be at most 327 in size, got {most * UNIT:g}")
    whole = np.rint(x / (step * UNIT)).astype("<i2")
    return [len(x) if x.ndim == 2 else 0, step, base64.b64encode(whole.tobytes()).decode()]


def unpack(packed):
    """Return the array that :func:`pack` stored, rounded as it is there."""
    rows, step, text = packed
    whole = np.frombuffer(base64.b64decode(text), "<i2").astype(float) * step
    x = whole / 10_000  # not times 1e-4: this way JavaScript gets the same number to the last bit
    return x.reshape(rows, -1) if rows else x


def pack_cell(name, params, **more):
    """Return a cell as JSON: ``kind``, the form of a GRU, and ``weights``, ``more`` among them.

    ``params`` are RNNParams, LSTMParams or GRUParams; ``more`` are arrays that travel with them,
    such as an embedding or a readout.
    """
    kind = _cells.kind_of(f"params of {name}", params)
    form = {key: getattr(params, key) for key in ("reset", "update") if kind == "gru"}
    arrays = {key: getattr(params, key, None) for key in _cells.FIELDS[kind]} | more
    packed = {k: None if x is None else pack(f"{k} of {name}", x) for k, x in arrays.items()}
    return {"kind": kind, **form, "weights": packed}


def unpack_all(data):
    """Return the arrays of a stored cell by name; peepholes that it lacks are None."""
    return {k: None if x is None else unpack(x) for k, x in data["weights"].items()}


def check_cell(name, data, D, H):
    """Raise ``ValueError`` unless ``data`` is a stored cell of D inputs and H units."""
    if data.get("kind") not in _cells.KINDS.values():
        raise ValueError(f"{name}: kind must be rnn, lstm or gru, got {data.get('kind')!r}")
    _cells.check_weights(data["kind"], name, {**data, **unpack_all(data)}, D, H)


def run_cell(data, x):
    """Return the states (N, T, H) of a stored cell that reads ``x`` (N, T, D)."""
    from course_lib.gru import gru_forward
    from course_lib.lstm import lstm_forward
    from course_lib.rnn import rnn_forward

    forward = {"gru": gru_forward, "lstm": lstm_forward, "rnn": rnn_forward}[data["kind"]]
    params = _cells.params(data["kind"], {**data, **unpack_all(data)})
    return forward(x, params).h[:, 1:]
