"""Gate trace demo: every gate of an LSTM at every step, gates held by hand, an RNN beside it."""

import sys

import numpy as np

from course_lib.demos import _cells, _svg
from course_lib.demos._demo import Demo, picture
from course_lib.demos._state import SHORT, Goal, check_limit, goals_of, labels_of, plain

GATES = {"i": (0.0, 1.0), "f": (0.0, 1.0), "g": (-1.0, 1.0), "o": (0.0, 1.0)}


def default_goals(T):
    """Return goals about the bit: the first step with an input of at least 0.5.

    The page measures what is left of it by reading the sequence again with that step at zero.
    """
    steps = max(1, min(20, T - 2))
    return (
        Goal(
            f"Keep the bit alive for {steps} steps: at least half of what it did to the cell state "
            "is still there.",
            (("alive", ">=", steps),),
        ),
        Goal(
            "Hold one gate so that more than half of the bit is gone after a single step.",
            (("alive", "==", 0), ("held", ">", 0)),
        ),
    )


def gate_trace(
    name, x, params, rnn=None, *,
    inputs=None, units=None, t=0, unit=0, clamp=None, compare=None,
    title="", goals=None, predict=False,
):  # fmt: skip
    """Show i, f, g, o, c and h of an LSTM at every step of a sequence whose inputs can be dragged.

    Any gate can be held at a number; a vanilla RNN can read the same sequence beside it.

    Parameters
    ----------
    name : str
        Lower-case name, unique on the page; links such as ``#demo=name&opts.clamp.f=1`` use it.
    x : array-like of shape (T, D)
        One sequence, at most 60 steps of 8 inputs in [-10, 10]; rounded to four digits.
    params : LSTMParams
        Weights of at most 8 units; the demo works with four digits of each.
    rnn : RNNParams, optional
        Vanilla RNN that reads the same sequence; it has as many inputs and units.
    inputs, units : sequence of str, optional
        Labels of the D inputs and the H units.
    t : int, default=0
        Step shown first.
    unit : int, default=0
        Unit shown first.
    clamp : dict, optional
        Gates held at the start, such as ``{"f": 1.0}``: i, f and o in [0, 1], g in [-1, 1].
    compare : bool, optional
        Show the RNN; by default wherever one is given.
    title : str, default=""
        Heading of the demo.
    goals : sequence of Goal, optional
        Small tasks that the demo recognises; by default two about keeping the first large input.
    predict : bool, default=False
        Start with "predict first" switched on.

    Returns
    -------
    demo : Demo
        Put it last in a cell to show it.

    Raises
    ------
    ValueError
        If a shape, a gate or the size does not fit; the message names it.
    """
    xs, inputs = _cells.inputs_of(x, inputs)
    H = len(params.W_ha)
    check_limit("params", H, _cells.MAX_H, "units")
    unknown = set(clamp or {}) - set(GATES)
    if unknown:
        raise ValueError(f"clamp must name gates i, f, g, o, got {sorted(unknown)[0]!r}")
    held = {gate: (clamp or {}).get(gate) for gate in GATES}
    state = {
        "v": 1,
        "view": "gate_trace",
        "name": name,
        "fixed": {
            "lstm": _cells.weights("lstm", params),
            "rnn": None if rnn is None else _cells.weights("rnn", rnn),
            "inputs": inputs,
            "units": labels_of("units", units, H, "unit "),
            "goals": goals_of(default_goals(len(xs)) if goals is None else goals),
            "title": title,
        },
        "xs": xs,
        "t": t,
        "seed": 0,
        "opts": {
            "clamp": {k: None if v is None else plain(v, SHORT) for k, v in held.items()},
            "unit": unit,
            "compare": rnn is not None if compare is None else compare,
            "predict": predict,
        },
    }
    return Demo(state, sys.modules[__name__])


def check(state):
    """Raise ``ValueError`` where weights, inputs and gates do not fit each other."""
    from course_lib._checks import check_shape

    fixed, opts = state["fixed"], state["opts"]
    D, H = len(fixed["inputs"]), len(fixed["units"])
    _cells.check_weights("lstm", "params", fixed["lstm"], D, H)
    if fixed["rnn"] is not None:
        _cells.check_weights("rnn", "rnn", fixed["rnn"], D, H)
    elif opts["compare"]:
        raise ValueError("compare: no rnn was given to compare with")
    for t, row in enumerate(state["xs"]):
        check_shape(f"x at t={t}", row, (D,))
    if state["t"] >= len(state["xs"]):
        raise ValueError(f"t must be below {len(state['xs'])}, got {state['t']}")
    if opts["unit"] >= H:
        raise ValueError(f"unit must be below {H}, got {opts['unit']}")
    for gate, value in opts["clamp"].items():
        low, high = GATES[gate]
        if value is not None and not low <= value <= high:
            raise ValueError(f"clamp of {gate} must be from {low:g} to {high:g}, got {value}")


def trace(state):
    """Return gates and states of the LSTM (and ``rnn_h`` of the RNN) after every step."""
    from course_lib.lstm import lstm_forward
    from course_lib.trace import Series, Trace

    fixed = state["fixed"]
    x, units = np.array(state["xs"], dtype=float)[None], fixed["units"]
    clamp = {gate: v for gate, v in state["opts"]["clamp"].items() if v is not None}
    lstm = lstm_forward(x, _cells.params("lstm", fixed["lstm"]), clamp=clamp)
    series = [Series("x", x[0], labels=fixed["inputs"])]
    series += [
        Series(gate, getattr(lstm, gate)[0], units, low, high)
        for gate, (low, high) in GATES.items()
    ]
    series += [Series("c", lstm.c[0, 1:], units), Series("h", lstm.h[0, 1:], units, -1, 1)]
    if fixed["rnn"] is not None:
        from course_lib.rnn import rnn_forward

        h = rnn_forward(x, _cells.params("rnn", fixed["rnn"])).h
        series.append(Series("rnn_h", h[0, 1:], units, -1, 1))
    return Trace("lstm", tuple(series))


def summary(state):
    """Return the sizes, for the fixed text form."""
    fixed = state["fixed"]
    beside = "" if fixed["rnn"] is None else ", with an RNN"
    return f"T={len(state['xs'])}, D={len(fixed['inputs'])}, H={len(fixed['units'])}{beside}"


def fallback(state):
    """Return the picture for readers without JavaScript: one lane a quantity, bars over time."""
    result, fixed, unit = trace(state), state["fixed"], state["opts"]["unit"]
    rows = [(f"x: {label}", result["x"][:, d]) for d, label in enumerate(fixed["inputs"])]
    rows += [(key, result[key][:, unit]) for key in (*GATES, "c", "h")]
    if fixed["rnn"] is not None:
        rows.append(("h of the RNN", result["rnn_h"][:, unit]))
    parts = [
        _svg.lane(12, 14 + k * 38, 656, 30, label, values) for k, (label, values) in enumerate(rows)
    ]
    c, label = result["c"][:, unit], fixed["units"][unit]
    peak = int(np.argmax(np.abs(c)))
    alt = (
        f"Inputs, gates, cell state and hidden state of {label} at {result.T} steps. The cell "
        f"state is largest at t = {peak}, with {c[peak]:.3f}, and {c[-1]:.3f} at the last step."
    )
    if fixed["rnn"] is not None:
        alt += f" The hidden state of the RNN ends at {result['rnn_h'][-1, unit]:.3f}."
    return picture(_svg.svg(680, 20 + 38 * len(rows), "".join(parts), "Gate trace"), alt)
