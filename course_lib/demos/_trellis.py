"""Trellis demo: filter, smoother and Viterbi of a categorical HMM, step by step."""

import sys

import numpy as np

from course_lib.demos import _svg
from course_lib.demos._demo import Demo, picture
from course_lib.demos._state import Goal, check_limit, goals_of, integers, labels_of, plain

MAX_T, MAX_K, MAX_V = 40, 5, 8

GOALS = (
    Goal(
        "Find a step where the most probable state and the Viterbi path disagree.",
        (("differ", ">=", 1),),
    ),
    Goal("Make the belief in one state at the last step pass 0.99.", (("last_max", ">", 0.99),)),
    Goal("Make the sequence impossible, and read why.", (("impossible", "==", True),)),
)


def trellis(
    name, obs, pi, A, B, states=None, symbols=None, t=0, *,
    show="forward", cell=None, title="", goals=GOALS, predict=False,
):  # fmt: skip
    """Show the trellis of a categorical HMM, with every probability and observation editable.

    Parameters
    ----------
    name : str
        Lower-case name, unique on the page; links such as ``#demo=name&t=3`` use it.
    obs : array-like of shape (T,)
        Observed symbols in [0, V), 1 to 40 of them.
    pi : array-like of shape (K,)
        Start probabilities, at most 5 states.
    A : array-like of shape (K, K)
        Transition probabilities from row to column.
    B : array-like of shape (K, V)
        Emission probabilities, at most 8 symbols.
    states, symbols : sequence of str, optional
        Labels.
    t : int, default=0
        Highlighted step.
    show : {"forward", "backward", "viterbi"}, default="forward"
        Pass that the trellis steps through.
    cell : int, optional
        State whose arithmetic is written out; the last one by default.
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
        If a shape, a probability, a symbol or the size does not fit; the message names it.
    """
    from course_lib._checks import check_hmm

    pi, A, B = (np.asarray(x, dtype=float) for x in (pi, A, B))
    obs = integers("obs", obs)
    check_limit("obs", len(obs), MAX_T, "steps")
    if pi.ndim != 1 or B.ndim != 2:
        raise ValueError(f"pi must have shape (K,) and B (K, V), got {pi.shape} and {B.shape}")
    check_limit("pi", len(pi), MAX_K, "states")
    check_limit("B", B.shape[1], MAX_V, "symbols")
    check_hmm(pi, A, B)
    state = {
        "v": 1,
        "view": "trellis",
        "name": name,
        "fixed": {
            "states": labels_of("states", states, len(pi), "state "),
            "symbols": labels_of("symbols", symbols, B.shape[1], ""),
            "goals": goals_of(goals),
            "title": title,
        },
        "params": {"pi": plain(pi), "A": plain(A), "B": plain(B)},
        "obs": obs,
        "t": t,
        "seed": 0,
        "opts": {
            "show": show,
            "cell": len(pi) - 1 if cell is None else cell,
            "predict": predict,
        },
    }
    return Demo(state, sys.modules[__name__])


def _arrays(state):
    params = state["params"]
    return state["obs"], *(np.array(params[key], dtype=float) for key in ("pi", "A", "B"))


def check(state):
    """Raise ``ValueError`` where the numbers do not make a model, or ``t`` is past the end."""
    from course_lib._checks import check_hmm, check_symbols

    obs, pi, A, B = _arrays(state)
    check_hmm(pi, A, B)
    check_symbols("obs", obs, B.shape[1])
    if state["t"] >= len(obs):
        raise ValueError(
            f"t must be below {len(obs)}, the number of observations, got {state['t']}"
        )
    if state["opts"]["cell"] >= len(pi):
        raise ValueError(f"cell must be below {len(pi)}, got {state['opts']['cell']}")


def trace(state):
    """Return filter, smoother and Viterbi of the state as one trace."""
    from course_lib import hmm
    from course_lib.trace import Series, Trace

    obs, pi, A, B = _arrays(state)
    obs, labels = np.array(obs), state["fixed"]["states"]
    filtered = hmm.forward_filter(obs, pi, A, B)
    decoded = hmm.viterbi(obs, pi, A, B)
    series = (
        Series("obs", obs),
        Series("predicted", filtered.predicted, labels=labels),
        Series("alpha", filtered.alpha, labels=labels),
        Series("log_c", filtered.log_c, unit="nats"),
        Series("beta", hmm.backward(obs, pi, A, B), labels=labels),
        Series("gamma", hmm.smooth(obs, pi, A, B), labels=labels),
        Series("log_delta", decoded.log_delta, labels=labels, unit="nats"),
        Series("path", decoded.path),
    )
    return Trace("hmm", series)


def summary(state):
    """Return the sizes, for the fixed text form."""
    K, V = len(state["params"]["pi"]), len(state["params"]["B"][0])
    return f"T={len(state['obs'])}, K={K}, V={V}"


def fallback(state):
    """Return the picture for readers without JavaScript: three strips over time."""
    from course_lib import hmm

    obs, pi, A, B = _arrays(state)
    obs, T, K = np.array(obs), len(state["obs"]), len(state["params"]["pi"])
    states, symbols = state["fixed"]["states"], state["fixed"]["symbols"]
    try:
        strips = {
            "filter": hmm.forward_filter(obs, pi, A, B).alpha,
            "smoother": hmm.smooth(obs, pi, A, B),
            "Viterbi": np.eye(K)[hmm.viterbi(obs, pi, A, B).path],
        }
    except ValueError as error:  # an impossible sequence is a fine start for a demo
        words = _svg.text(16, 30, str(error))
        return picture(_svg.svg(680, 50, words, "impossible sequence"), str(error))
    left, width, parts = 90, 574, [_svg.legend(90, 22, states)]
    for t, y in enumerate(obs):
        x = left + (t + 0.5) * width / T
        parts.append(_svg.text(x, 50, symbols[y], "middle"))
    for row, (label, strip) in enumerate(strips.items()):
        top = 62 + row * 58
        parts.append(_svg.text(12, top + 28, label))
        parts.append(_svg.stacked(left, top, width, 48, strip))
    finals = ", ".join(
        f"{label} {states[int(np.argmax(strip[-1]))]}" for label, strip in strips.items()
    )
    alt = (
        f"Probabilities of {', '.join(states)} after each of {T} observations, by the filter, the "
        f"smoother and the Viterbi path. Most probable at the last step: {finals}."
    )
    return picture(_svg.svg(680, 240, "".join(parts), "Trellis"), alt)
