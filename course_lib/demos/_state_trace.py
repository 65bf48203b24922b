"""State trace demo: one recurrent cell reads a sequence; inputs, weights and start are dragged."""

import copy
import html
import inspect
import sys

import numpy as np

from course_lib.demos import _cells, _svg
from course_lib.demos._demo import Demo, picture
from course_lib.demos._state import Goal, check_limit, goals_of, labels_of, plain

LARGEST_WEIGHT = 20.0
ACTIVATIONS = ("tanh", "relu", "linear")
DRAWN = 7  # digits of what a reader's own cell returns

GOALS = (
    Goal("Drive a hidden unit past 0.99 in size.", (("largest", ">", 0.99),)),
    Goal(
        "Make the cell forget its start: a small change of the first state reaches the last one at "
        "less than a thousandth of its size.",
        (("memory", "<", 1e-3),),
    ),
    Goal(
        "Make the cell remember its start: at least half of such a change arrives.",
        (("memory", ">=", 0.5),),
    ),
)


def state_trace(
    name, x, params=None, *,
    h0=None, c0=None, inputs=None, units=None, activation="tanh", t=0, unit=0, pair=None,
    show="h", cell=None, title="", goals=None, predict=False,
):  # fmt: skip
    """Show the hidden units of a cell at every step; inputs, weights and start can be dragged.

    Two units can be drawn against each other, as a path through the plane.

    Parameters
    ----------
    name : str
        Lower-case name, unique on the page; links such as ``#demo=name&t=3`` use it.
    x : array-like of shape (T, D)
        One sequence, at most 60 steps of 8 inputs in [-10, 10]; rounded to four digits.
    params : RNNParams, LSTMParams or GRUParams, optional
        Weights of at most 8 units, each at most 20 in size; rounded to four digits. Can be left out
        when ``cell`` and ``h0`` are given.
    h0, c0 : array-like of shape (H,), optional
        Hidden state before the first step, and cell state of an LSTM; zeros by default.
    inputs, units : sequence of str, optional
        Labels of the D inputs and the H units.
    activation : {"tanh", "relu", "linear"}, default="tanh"
        Activation of a vanilla RNN.
    t : int, default=0
        Step shown first.
    unit : int, default=0
        Unit whose weights and arithmetic are shown first.
    pair : (int, int), optional
        Units drawn against each other; the first two by default.
    show : {"h", "c"}, default="h"
        What the lanes of an LSTM show: hidden or cell states.
    cell : callable, optional
        A cell of your own, ``cell(x_t, h_prev) -> h_t`` or ``cell(x_t, h_prev, params) -> h_t``,
        with arrays of shapes (1, D), (1, H) and (1, H). The kernel runs it at every change; what it
        raises is shown in the demo.
    title : str, default=""
        Heading of the demo.
    goals : sequence of Goal, optional
        Small tasks that the demo recognises. By default about saturation and memory, none of them
        for a cell of your own.
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
    if cell is not None and not callable(cell):
        raise ValueError(f"cell must be a function, got {type(cell).__name__}")
    if params is None:
        if cell is None or h0 is None:
            raise ValueError("params must be given, or else both cell and h0")
        kind, D, H = "own", len(inputs), len(np.atleast_1d(h0))
    else:
        kind = _cells.kind_of("params", params)
        D, H = _cells.sizes(kind, params)
    if cell is not None and kind == "lstm":
        raise ValueError("cell: a cell of your own has one state, h; leave params out or give RNN")
    if D != len(inputs):
        raise ValueError(f"x must have {D} inputs a step, as the weights have, got {len(inputs)}")
    check_limit("params", H, _cells.MAX_H, "units")
    state = {
        "v": 1,
        "view": "state_trace",
        "name": name,
        "fixed": {
            "kind": kind,
            "activation": activation,
            "inputs": inputs,
            "units": labels_of("units", units, H, "unit "),
            "cell": None if cell is None else _describe(cell),
            "computed": None,
            "goals": goals_of((() if cell else GOALS) if goals is None else goals),
            "title": title,
        },
        "xs": xs,
        "params": {} if params is None else _cells.weights(kind, params),
        "h0": _start("h0", h0, H),
        "c0": _start("c0", c0, H) if kind == "lstm" else [],
        "t": t,
        "seed": 0,
        "opts": {
            "unit": unit,
            "pair": [0, min(1, H - 1)] if pair is None else list(pair),
            "show": show,
            "predict": predict,
        },
    }
    if cell is None:
        return Demo(state, sys.modules[__name__])
    check(state)
    state["fixed"]["computed"] = OwnCell(cell).live(state)
    return Demo(state, OwnCell(cell))


def _start(name, value, H):
    from course_lib._checks import check_finite, check_shape

    value = np.zeros(H) if value is None else check_finite(name, np.asarray(value, dtype=float))
    return plain(check_shape(name, value, (H,)), 4)


def _describe(cell):
    """Return the name of a reader's own cell, and whether it takes the weights."""
    try:
        takes = len(inspect.signature(cell).parameters)
    except (TypeError, ValueError):  # some built-in functions have no signature
        takes = 2
    if takes not in (2, 3):
        raise ValueError(f"cell must take x_t and h_prev, or also params, got {takes} parameters")
    return {"name": getattr(cell, "__name__", "cell")[:60], "weights": takes == 3}


def check(state):
    """Raise ``ValueError`` where weights, inputs and start do not fit each other."""
    from course_lib._checks import check_shape

    fixed, opts, kind = state["fixed"], state["opts"], state["fixed"]["kind"]
    D, H = len(fixed["inputs"]), len(fixed["units"])
    if fixed["activation"] not in ACTIVATIONS:
        raise ValueError(f"activation must be one of {ACTIVATIONS}, got {fixed['activation']!r}")
    if fixed["activation"] != "tanh" and kind not in ("rnn", "own"):
        raise ValueError(f"activation can be chosen for an RNN only, got {kind}")
    if kind != "own":
        _cells.check_weights(kind, "params", state["params"], D, H)
        for key, values in state["params"].items():
            if isinstance(values, list) and np.abs(values).max() > LARGEST_WEIGHT:
                raise ValueError(
                    f"params.{key} must be at most {LARGEST_WEIGHT:g} in size, "
                    f"got {np.abs(values).max():g}"
                )
    for t, row in enumerate(state["xs"]):
        check_shape(f"x at t={t}", row, (D,))
    check_shape("h0", state["h0"], (H,))
    check_shape("c0", state["c0"], (H if kind == "lstm" else 0,))
    if state["t"] >= len(state["xs"]):
        raise ValueError(f"t must be below {len(state['xs'])}, got {state['t']}")
    for key, value in (("unit", opts["unit"]), *(("pair", k) for k in opts["pair"])):
        if value >= H:
            raise ValueError(f"{key} must be below {H}, got {value}")
    if opts["show"] == "c" and kind != "lstm":
        raise ValueError(f"show: only an LSTM has a cell state c, got {kind}")


def _run(state):
    """Return the library's trace of the cell on the state's numbers."""
    fixed, kind = state["fixed"], state["fixed"]["kind"]
    x, h0 = np.array(state["xs"], dtype=float)[None], np.array(state["h0"], dtype=float)[None]
    params = _cells.params(kind, state["params"])
    if kind == "rnn":
        from course_lib.rnn import rnn_forward

        return rnn_forward(x, params, h0, activation=fixed["activation"])
    if kind == "gru":
        from course_lib.gru import gru_forward

        return gru_forward(x, params, h0)
    from course_lib.lstm import lstm_forward

    return lstm_forward(x, params, h0, np.array(state["c0"], dtype=float)[None])


def trace(state):
    """Return x, h and, where the cell has them, c and the gates, after every step."""
    return _run(state).to_trace()


def summary(state):
    """Return kind and sizes, for the fixed text form."""
    fixed = state["fixed"]
    kind = fixed["kind"] if fixed["cell"] is None else fixed["cell"]["name"]
    return f"{kind}, T={len(state['xs'])}, D={len(fixed['inputs'])}, H={len(fixed['units'])}"


def fallback(state):
    """Return the picture for readers without JavaScript: a lane an input and a lane a unit."""
    return _picture(state, _run(state).h[0, 1:])


def _picture(state, h):
    fixed = state["fixed"]
    xs = np.array(state["xs"], dtype=float)
    rows = [(f"x: {label}", xs[:, d]) for d, label in enumerate(fixed["inputs"])]
    rows += [(f"h: {label}", h[:, k]) for k, label in enumerate(fixed["units"])]
    parts = [
        _svg.lane(12, 14 + k * 38, 656, 30, label, values) for k, (label, values) in enumerate(rows)
    ]
    ends = ", ".join(f"{u} {v:.3f}" for u, v in zip(fixed["units"], h[-1], strict=True))
    alt = (
        f"Inputs and hidden units of a recurrent cell at {len(xs)} steps, as bars over time. "
        f"After the last step: {ends}."
    )
    return picture(_svg.svg(680, 20 + 38 * len(rows), "".join(parts), "State trace"), alt)


class OwnCell:
    """The view of a reader's own cell: the same demo, with the states that the cell returns."""

    check, summary = staticmethod(check), staticmethod(summary)

    def __init__(self, cell):
        self.cell = cell
        self.takes_weights = _describe(cell)["weights"]

    def states(self, state):
        """Yield the start, then the state after each step; a wrong result is a ``ValueError``."""
        x, h = np.array(state["xs"], dtype=float), np.array(state["h0"], dtype=float)
        kind = state["fixed"]["kind"]
        more = ()
        if self.takes_weights:
            more = (None if kind == "own" else _cells.params(kind, state["params"]),)
        yield h
        for t in range(len(x)):
            h_t = self.cell(x[t : t + 1].copy(), h[None].copy(), *more)
            if h_t is None:
                raise ValueError("the cell returned None: is its return missing?")
            h_t = np.asarray(h_t, dtype=float)
            if h_t.shape not in ((1, len(h)), (len(h),)):
                raise ValueError(f"the cell must return shape (1, {len(h)}), got {h_t.shape}")
            h = h_t.reshape(len(h)).copy()
            if not np.isfinite(h).all():
                raise ValueError(f"the cell returned {h[~np.isfinite(h)][0]}")
            yield h

    def live(self, state):
        """Return what the page shows: the states, and the error that stopped the cell, if any."""
        h, error = [], ""
        try:
            for row in self.states(state):
                h.append(plain(row, DRAWN))
        except Exception as problem:  # whatever a reader's code raises belongs in the demo
            error = f"{type(problem).__name__} at t = {len(h) - 1}: {problem}"[:300]
        of = copy.deepcopy([state[key] for key in ("xs", "h0", "params")])
        return {"h": h, "error": error, "of": of}

    def trace(self, state):
        """Return x and h, as the cell computes them now."""
        from course_lib.trace import Series, Trace

        fixed = state["fixed"]
        h = np.array(list(self.states(state)))[1:]
        x = Series("x", np.array(state["xs"], dtype=float), labels=fixed["inputs"])
        return Trace("own", (x, Series("h", h, labels=fixed["units"])))

    def fallback(self, state):
        """Return the picture, with the error in words where the cell stops."""
        computed, H = state["fixed"]["computed"], len(state["fixed"]["units"])
        h = np.full((len(state["xs"]), H), np.nan)
        done = np.array(computed["h"][1:]).reshape(-1, H)
        h[: len(done)] = done
        shown = _picture(state, np.nan_to_num(h))
        return shown if not computed["error"] else f"<p>{html.escape(computed['error'])}</p>{shown}"
