"""Weights of recurrent cells as JSON, and back, for the demos that show a cell at work."""

import numpy as np

from course_lib._checks import check_finite, check_shape
from course_lib.demos._state import SHORT, check_limit, labels_of, plain

MAX_T, MAX_H = 60, 8
FIELDS = {
    "linear": ("W_xh", "a", "b_h"),
    "rnn": ("W_xh", "W_hh", "b_h"),
    "lstm": ("W_xa", "W_ha", "b_a", "w_ca"),
    "gru": ("W_xa", "W_ha", "b_x", "b_h"),
}
BLOCKS = {"linear": 1, "rnn": 1, "lstm": 4, "gru": 3}
KINDS = {"RNNParams": "rnn", "LSTMParams": "lstm", "GRUParams": "gru"}


def kind_of(name, params):
    """Return "rnn", "lstm" or "gru" for the params of a cell; anything else is refused."""
    kind = KINDS.get(type(params).__name__)
    if kind is None:
        raise ValueError(
            f"{name} must be RNNParams, LSTMParams or GRUParams, got {type(params).__name__}"
        )
    return kind


def sizes(kind, params):
    """Return D and H of a cell's weights."""
    return getattr(params, FIELDS[kind][0]).shape[0], getattr(params, FIELDS[kind][1]).shape[0]


def weights(kind, params):
    """Return the arrays of ``params`` as nested lists of four digits; absent peepholes are None."""
    arrays = {key: getattr(params, key, None) for key in FIELDS[kind]}
    out = {key: None if x is None else plain(x, SHORT) for key, x in arrays.items()}
    return out | {"reset": params.reset, "update": params.update} if kind == "gru" else out


def check_weights(kind, name, data, D, H):
    """Raise ``ValueError`` unless ``data`` holds the weights of a cell of D inputs and H units."""
    missing = [key for key in FIELDS[kind] if key not in data]
    if missing:
        raise ValueError(f"{name} lacks {missing[0]}")
    if kind == "gru" and not (
        data.get("reset") in ("after", "before") and data.get("update") in ("keep", "write")
    ):
        raise ValueError(
            f"{name}: reset must be 'after' or 'before' and update 'keep' or 'write', got "
            f"{data.get('reset')!r} and {data.get('update')!r}"
        )
    wide = BLOCKS[kind] * H
    middle = (H,) if kind == "linear" else (H, wide)
    shapes = ((D, wide), middle, (wide,), (wide,) if kind == "gru" else (3, H))
    for key, shape in zip(FIELDS[kind], shapes, strict=False):
        if data[key] is not None:
            x = np.asarray(data[key], dtype=float)
            check_finite(f"{name}.{key}", check_shape(f"{name}.{key}", x, shape))


def params(kind, data):
    """Return the params dataclass of stored weights."""
    lists = {key: data[key] for key in FIELDS[kind]}
    arrays = {k: None if x is None else np.array(x, dtype=float) for k, x in lists.items()}
    if kind == "linear":
        from course_lib.linear_recurrence import LinearParams

        return LinearParams(**arrays)
    if kind == "rnn":
        from course_lib.rnn import RNNParams

        return RNNParams(**arrays)
    if kind == "gru":
        from course_lib.gru import GRUParams

        return GRUParams(**arrays, reset=data["reset"], update=data["update"])
    from course_lib.lstm import LSTMParams

    return LSTMParams(**arrays)


def inputs_of(x, inputs, prefix="input "):
    """Return ``x`` of shape (T, D) as lists, and D labels; too long or too wide is refused."""
    x = check_finite("x", x)
    if x.ndim != 2:
        raise ValueError(f"x must have shape (T, D), one sequence, got {x.shape}")
    check_limit("x", len(x), MAX_T, "steps")
    check_limit("x", x.shape[1], MAX_H, "inputs")
    return plain(x, SHORT), labels_of("inputs", inputs, x.shape[1], prefix)
