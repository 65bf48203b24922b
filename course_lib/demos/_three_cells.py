"""Three cells demo: RNN, LSTM and GRU read one sequence, under one cursor."""

import sys

import numpy as np

from course_lib.demos import _cells, _svg
from course_lib.demos._demo import Demo, picture
from course_lib.demos._state import SHORT, Goal, check_limit, goals_of, labels_of, plain

KINDS = ("rnn", "lstm", "gru")
NAMES = {"rnn": "RNN", "lstm": "LSTM", "gru": "GRU"}

GOALS = (
    Goal(
        "Find an input that still matters: change only the first step, so that the last hidden "
        "state of one cell moves at least ten times as far as that of another.",
        (("only_first", "==", True), ("echo_ratio", ">=", 10)),
    ),
    Goal("Drive a gate of the LSTM or the GRU past 0.99.", (("gate_max", ">", 0.99),)),
)


def three_cells(
    name, x, rnn, lstm, gru, *,
    readout=None, ask=1, target=None, inputs=None, units=None, classes=None,
    t=0, unit=0, model="lstm", show=None, title="", goals=GOALS, predict=False,
):  # fmt: skip
    """Show RNN, LSTM and GRU on one sequence whose inputs can be dragged.

    Parameters
    ----------
    name : str
        Lower-case name, unique on the page; links such as ``#demo=name&t=3`` use it.
    x : array-like of shape (T, D)
        One sequence, at most 60 steps of 8 inputs in [-10, 10]; rounded to four digits.
    rnn : RNNParams
        Weights of the tanh RNN; every cell has at most 8 units, with weights of four digits.
    lstm : LSTMParams
        Weights of the LSTM.
    gru : GRUParams
        Weights of the GRU, in any of its forms.
    readout : dict, optional
        ``{"rnn": (W, b), "lstm": (W, b), "gru": (W, b)}`` with W of shape (H, C) and b (C,). With
        C = 1 it is the number ``h @ W + b``, else the probability of class ``ask`` by softmax.
    ask : int, default=1
        Class whose probability is shown.
    target : array-like of shape (T,), optional
        What the readout should say at each step, for a lane of its own.
    inputs, units : sequence of str, optional
        Labels of the D inputs, and of the units that all three cells have.
    classes : sequence of str, optional
        Labels of the C classes.
    t : int, default=0
        Step shown first.
    unit : int, default=0
        Unit shown first.
    model : {"rnn", "lstm", "gru"}, default="lstm"
        Cell whose arithmetic is written out first.
    show : {"h", "gates", "readout"}, optional
        What the lanes show; the readout where there is one, else the hidden unit.
    title : str, default=""
        Heading of the demo.
    goals : sequence of Goal
        Small tasks that the demo recognises.
    predict : bool, default=False
        Start with "predict first" switched on.

    Returns
    -------
    demo : Demo
        Put it last in a cell to show it.

    Raises
    ------
    ValueError
        If a shape, a number or the size does not fit; the message names it.
    """
    xs, inputs = _cells.inputs_of(x, inputs)
    cells, least = {"rnn": rnn, "lstm": lstm, "gru": gru}, _cells.MAX_H
    for kind, params in cells.items():
        if _cells.kind_of(kind, params) != kind:
            raise ValueError(f"{kind} must be params of that cell, got {type(params).__name__}")
        H = _cells.sizes(kind, params)[1]
        check_limit(kind, H, _cells.MAX_H, "units")
        least = min(least, H)
    heads = None if readout is None else _heads(readout)
    n_out = 0 if heads is None else len(heads["rnn"]["b"])
    state = {
        "v": 1,
        "view": "three_cells",
        "name": name,
        "fixed": {
            **{kind: _cells.weights(kind, params) for kind, params in cells.items()},
            "inputs": inputs,
            "units": labels_of("units", units, least, "unit "),
            "readout": heads,
            "ask": ask if n_out > 1 else 0,
            "classes": labels_of("classes", classes, max(n_out, 1), "class "),
            "target": None if target is None else plain(np.asarray(target, dtype=float), SHORT),
            "goals": goals_of(goals),
            "title": title,
        },
        "xs": xs,
        "t": t,
        "seed": 0,
        "opts": {
            "unit": unit,
            "model": model,
            "show": show or ("h" if heads is None else "readout"),
            "predict": predict,
        },
    }
    return Demo(state, sys.modules[__name__])


def _heads(readout):
    if not isinstance(readout, dict) or set(readout) != set(KINDS):
        raise ValueError("readout must be a dict with the keys 'rnn', 'lstm' and 'gru'")
    heads = {}
    for kind, (W, b) in readout.items():
        W, b = np.asarray(W, dtype=float), np.asarray(b, dtype=float)
        if W.ndim != 2 or b.shape != (W.shape[1],):
            raise ValueError(
                f"readout[{kind!r}] must be W (H, C) and b (C,), got {W.shape} and {b.shape}"
            )
        heads[kind] = {"W": plain(W, SHORT), "b": plain(b, SHORT)}
    if len({len(head["b"]) for head in heads.values()}) != 1:
        raise ValueError("readout: all three must have the same number of outputs")
    return heads


def check(state):
    """Raise ``ValueError`` where weights, inputs and readouts do not fit each other."""
    from course_lib._checks import check_finite, check_shape

    fixed, opts, T = state["fixed"], state["opts"], len(state["xs"])
    D = len(fixed["inputs"])
    for kind in KINDS:
        H = len(fixed[kind][_cells.FIELDS[kind][1]])
        _cells.check_weights(kind, kind, fixed[kind], D, H)
        if fixed["readout"] is not None:
            head = fixed["readout"][kind]
            name, C = f"readout[{kind!r}]", len(head["b"])
            check_finite(f"{name} W", check_shape(f"{name} W", np.array(head["W"]), (H, C)))
            check_finite(f"{name} b", check_shape(f"{name} b", np.array(head["b"]), (C,)))
            if fixed["ask"] >= C:
                raise ValueError(
                    f"ask must be below {C}, the number of classes, got {fixed['ask']}"
                )
    for t, row in enumerate(state["xs"]):
        check_shape(f"x at t={t}", row, (D,))
    if fixed["target"] is not None:
        check_finite("target", check_shape("target", fixed["target"], (T,)))
    if opts["show"] == "readout" and fixed["readout"] is None:
        raise ValueError("show: no readout was given to show")
    if state["t"] >= T:
        raise ValueError(f"t must be below {T}, got {state['t']}")
    if opts["unit"] >= len(fixed["units"]):
        raise ValueError(f"unit must be below {len(fixed['units'])}, got {opts['unit']}")


def trace(state):
    """Return h, gates and readouts of the three cells after every step, as ``rnn_h`` and so on."""
    from course_lib.gru import gru_forward
    from course_lib.lstm import lstm_forward
    from course_lib.rnn import rnn_forward
    from course_lib.trace import Series, Trace

    fixed = state["fixed"]
    x = np.array(state["xs"], dtype=float)[None]
    series = [Series("x", x[0], labels=fixed["inputs"])]
    run = {"rnn": rnn_forward, "lstm": lstm_forward, "gru": gru_forward}
    for kind in KINDS:
        ran = run[kind](x, _cells.params(kind, fixed[kind]))
        series.append(Series(f"{kind}_h", ran.h[0, 1:]))
        if kind == "lstm":
            series.append(Series("lstm_c", ran.c[0, 1:]))
        for gate in {"rnn": "", "lstm": "ifgo", "gru": "rzn"}[kind]:
            series.append(Series(f"{kind}_{gate}", getattr(ran, gate)[0]))
        if fixed["readout"] is not None:
            series.append(Series(f"{kind}_readout", _say(ran.h[0, 1:], fixed, kind)))
    return Trace("three_cells", tuple(series))


def _say(h, fixed, kind):
    """Return the readout (T,) of hidden states (T, H)."""
    head = fixed["readout"][kind]
    scores = h @ np.array(head["W"], dtype=float) + np.array(head["b"], dtype=float)
    if scores.shape[1] == 1:
        return scores[:, 0]
    e = np.exp(scores - scores.max(axis=1, keepdims=True))
    return (e / e.sum(axis=1, keepdims=True))[:, fixed["ask"]]


def summary(state):
    """Return the sizes, for the fixed text form."""
    fixed = state["fixed"]
    H = ", ".join(str(len(fixed[kind][_cells.FIELDS[kind][1]])) for kind in KINDS)
    return f"T={len(state['xs'])}, D={len(fixed['inputs'])}, H={H}"


def fallback(state):
    """Return the picture for readers without JavaScript: the inputs, and a lane a cell."""
    result, fixed, unit = trace(state), state["fixed"], state["opts"]["unit"]
    rows = [(f"x: {label}", result["x"][:, d]) for d, label in enumerate(fixed["inputs"])]
    what = "hidden unit" if fixed["readout"] is None else "readout"
    ends = {}
    for kind in KINDS:
        values = result[f"{kind}_h"][:, unit] if what != "readout" else result[f"{kind}_readout"]
        rows.append((f"{what}, {NAMES[kind]}", values))
        ends[NAMES[kind]] = values[-1]
    if fixed["target"] is not None:
        rows.append(("target", np.array(fixed["target"])))
    parts = [
        _svg.lane(12, 14 + k * 38, 656, 30, label, values) for k, (label, values) in enumerate(rows)
    ]
    alt = (
        f"One sequence of {result.T} steps read by an RNN, an LSTM and a GRU; {what} of each as "
        "bars over time. After the last step: "
        + ", ".join(f"{label} {value:.3f}" for label, value in ends.items())
        + "."
    )
    return picture(_svg.svg(680, 20 + 38 * len(rows), "".join(parts), "Three cells"), alt)
