"""Attention-map demo: queries, keys and values in the plane, and who looks where."""

import sys

import numpy as np

from course_lib.demos import _attention_goals, _svg
from course_lib.demos._demo import Demo, picture
from course_lib.demos._state import check_limit, check_state, goals_of, labels_of, plain

MAX_T, MAX_S, REACH = 6, 8, 3.0
DIGITS = 2  # of every coordinate: what a reader sees is what is computed with


def attention_map(
    name, q, k, v, *,
    queries=None, keys=None, temperature=1.0, scaled=True, mask="none", length=None, t=0, cell=0,
    title="", goals=None, predict=False,
):  # fmt: skip
    """Show attention between vectors of two numbers, which the reader drags.

    Queries and keys lie in one plane, values and the context in another. The map of weights has a
    row a query, the arithmetic of one key is written out. The scores can be divided by the square
    root of 2 and by a temperature, and some keys hidden by a mask.

    Parameters
    ----------
    name : str
        Lower-case name, unique on the page; links such as ``#demo=name&t=1&opts.temperature=0.1``
        use it.
    q : array-like of shape (T, 2)
        Queries, 1 to 6, entries from -3 to 3.
    k : array-like of shape (S, 2)
        Keys, 1 to 8.
    v : array-like of shape (S, 2)
        Values, one a key.
    queries : sequence of str, optional
        Names of the queries.
    keys : sequence of str, optional
        Names of the keys and their values.
    temperature : float, default=1.0
        Scores are divided by it before the softmax, from 0.05 to 4.
    scaled : bool, default=True
        Divide the scores by the square root of the width, 2.
    mask : {"none", "causal", "padding"}, default="none"
        Which keys are hidden: those that come later, where the queries are the last T places; or
        those from ``length`` on.
    length : int, optional
        Keys that are no padding; all if not given.
    t : int, default=0
        Query shown first.
    cell : int, default=0
        Key whose arithmetic is written out.
    title : str, default=""
        Heading of the demo.
    goals : sequence of Goal, optional
        Small tasks that the demo recognises; by default three about sharp and flat weights.
    predict : bool, default=False
        Start with "predict first" switched on.

    Returns
    -------
    demo : Demo
        Put it last in a cell to show it.

    Raises
    ------
    ValueError
        If a shape, a number or a label does not fit; the message names it.
    """
    from course_lib._checks import check_finite, check_shape

    q, k = (np.asarray(x, dtype=float) for x in (q, k))
    T, S = len(check_shape("q", q, (None, 2))), len(check_shape("k", k, (None, 2)))
    check_limit("q", T, MAX_T, "queries")
    check_limit("k", S, MAX_S, "keys")
    arrays = {"q": q, "k": k, "v": check_shape("v", np.asarray(v, dtype=float), (S, 2))}
    for key, x in arrays.items():
        if np.abs(check_finite(key, x)).max() > REACH:
            raise ValueError(f"{key} must have entries from -3 to 3, got {np.abs(x).max():g}")
    state = {
        "v": 1,
        "view": "attention_map",
        "name": name,
        "fixed": {
            "queries": labels_of("queries", queries, T, "q"),
            "keys": labels_of("keys", keys, S, "k"),
            "goals": [],
            "title": title,
        },
        "params": {key: plain(x.round(DIGITS)) for key, x in arrays.items()},
        "t": t,
        "seed": 0,
        "opts": {
            "temperature": plain(round(float(temperature), DIGITS)),
            "scaled": bool(scaled),
            "mask": mask,
            "length": S if length is None else length,
            "cell": cell,
            "predict": predict,
        },
    }
    check_state(state)
    check(state)
    state["fixed"]["goals"] = goals_of(_attention_goals.open_goals(state, weights_of(state)))
    if goals is not None:
        state["fixed"]["goals"] = goals_of(goals)
    return Demo(state, sys.modules[__name__])


def check(state):
    """Raise ``ValueError`` where vectors, labels, mask and steps do not fit each other."""
    fixed, params, opts = state["fixed"], state["params"], state["opts"]
    T, S = len(fixed["queries"]), len(fixed["keys"])
    for key, rows in (("q", T), ("k", S), ("v", S)):
        if len(params[key]) != rows:
            raise ValueError(f"params.{key} must have {rows} rows, got {len(params[key])}")
    for key, value, most in (
        ("t", state["t"], T - 1),
        ("cell", opts["cell"], S - 1),
        ("length", opts["length"], S),
    ):
        if value > most:
            raise ValueError(f"{key} must be at most {most}, got {value}")
    if opts["mask"] == "causal" and T > S:
        raise ValueError(f"a causal mask needs at least as many keys as queries, got {S} and {T}")


def _attend(state):
    from course_lib.attention import attend, causal_mask, padding_mask

    params, opts = state["params"], state["opts"]
    q, k, v = (np.array(params[key], dtype=float) for key in "qkv")
    masks = {
        "none": lambda: None,
        "causal": lambda: causal_mask(len(q), len(k)),
        "padding": lambda: padding_mask([opts["length"]], len(k)),
    }
    score = "scaled" if opts["scaled"] else "dot"
    return attend(q[None] / opts["temperature"], k[None], v[None], score, masks[opts["mask"]]())


def weights_of(state):
    """Return the weights (T, S)."""
    return _attend(state).weights[0]


def trace(state):
    """Return queries, scores, weights and contexts over the queries.

    Series are ``q`` (T, 2); ``scores`` (T, S), before the temperature and as if there were no mask;
    ``weights`` (T, S) and ``context`` (T, 2).
    """
    from course_lib.trace import Series, Trace

    fixed, result, tau = state["fixed"], _attend(state), state["opts"]["temperature"]
    keys = fixed["keys"]
    series = (
        Series("q", result.q[0] * tau),
        Series("scores", result.scores[0] * tau, keys),
        Series("weights", result.weights[0], keys, 0.0, 1.0),
        Series("context", result.context[0]),
    )
    return Trace("attention_map", series, tuple(fixed["queries"]))


def summary(state):
    """Return the sizes, for the fixed text form."""
    fixed = state["fixed"]
    return f"{len(fixed['queries'])} queries, {len(fixed['keys'])} keys"


def fallback(state):
    """Return the picture for readers without JavaScript: the map of weights."""
    fixed, result = state["fixed"], trace(state)
    queries, keys, weights = fixed["queries"], fixed["keys"], result["weights"]
    left, top, wide, tall = 130, 40, 540 / len(keys), 34
    parts = [
        _svg.text(left + (s + 0.5) * wide, 28, key[:10], "middle") for s, key in enumerate(keys)
    ]
    for t, name in enumerate(queries):
        y = top + t * tall
        parts.append(_svg.text(12, y + 22, name[:16]))
        for s, w in enumerate(weights[t]):
            x = left + s * wide
            parts.append(
                f'<rect x="{x + 2:.1f}" y="{y + 2}" width="{wide - 4:.1f}" height="{tall - 4}" '
                f'fill="{_svg.STATE_COLOURS[0]}" fill-opacity="{0.55 * w:.3f}" '
                f'stroke="{_svg.FAINT}"/>'
            )
            parts.append(_svg.text(x + wide / 2, y + 22, f"{w:.2f}", "middle"))
    said = "; ".join(
        f"{name} looks most at {keys[int(row.argmax())]} ({row.max():.2f})"
        for name, row in zip(queries, weights, strict=True)
    )
    alt = (
        f"Map of attention weights: {len(queries)} queries, one a row, and {len(keys)} keys, one a "
        f"column; every row sums to 1. {said}."
    )
    height = max(170, top + tall * len(queries) + 12)
    return picture(_svg.svg(680, height, "".join(parts), "Attention"), alt)
