"""Session demo: who will buy? The exact filter, a network and a bag of events read the clicks."""

import sys

import numpy as np

from course_lib.demos import _cells, _packed_weights, _session_goals, _svg
from course_lib.demos._demo import Demo, picture
from course_lib.demos._state import check_limit, check_state, goals_of, integers, labels_of, plain

MAX_K, MAX_V, MAX_H = 5, 8, 24
ASKS = ("open", "ends", "goes")
QUESTIONS = ("so far", "if it ends here", "if it goes on")


def session(
    name, events, process, bag, network, *,
    t=0, intent=0, ask="open", miss=9.0, title="", goals=None, predict=False,
):  # fmt: skip
    r"""Build a session click by click and see three observers say whether it will end in a buy.

    The ideal observer knows the process and filters the hidden intent exactly; the network reads
    the events in order; the bag only counts them, :math:`\sigma(\text{counts} \cdot w + b)`. The
    reader inserts, changes, moves and deletes events, asks the ideal observer about the session so
    far, if it ends here or if it goes on, and sets what a missed buyer costs.

    Parameters
    ----------
    name : str
        Lower-case name, unique on the page; links such as ``#demo=name&obs=[0,2]&t=1`` use it.
    events : array-like of shape (T,)
        Events in [0, V), 1 to 40 of them.
    process : SessionProcess
        Process of the sessions: at most 5 intents and 8 events.
    bag : tuple of (array-like of shape (V,), float)
        Weights and intercept of a logistic regression on the counts of the events so far.
    network : tuple of (LSTMParams, array-like of shape (H,), float)
        A cell (also GRUParams or RNNParams) that reads one-hot events, at most 24 units, and the
        readout W, b: after every event P(buy) is sigmoid(h @ W + b). Four decimals of each weight
        are used. An embedding E can be multiplied into the weights of the input: E @ W_xa.
    t : int, default=0
        Event shown first.
    intent : int, default=0
        Intent whose arithmetic is written out.
    ask : {"open", "ends", "goes"}, default="open"
        What the ideal observer is asked first: P(buy) given the events so far, given that the
        session ends here, or given that it goes on. Train network and bag for the same question.
    miss : float, default=9.0
        Cost of not acting on a buyer in units of acting on somebody who leaves, from 0.5 to 50: one
        acts from P(buy) = 1 / (1 + miss).
    title : str, default=""
        Heading of the demo.
    goals : sequence of Goal, optional
        Small tasks that the demo recognises; by default up to three that short sessions reach.
    predict : bool, default=False
        Start with "predict first" switched on.

    Returns
    -------
    demo : Demo
        Put it last in a cell to show it.

    Raises
    ------
    ValueError
        If a shape, a probability, an event or the size does not fit; the message names it.
    """
    if ask not in ASKS:
        raise ValueError(f"ask must be one of {', '.join(ASKS)}, got {ask!r}")
    K, V = len(process.intents), len(process.events)
    check_limit("intents", K, MAX_K, "intents")
    check_limit("events of the process", V, MAX_V, "kinds of event")
    tables = {key: np.asarray(getattr(process, key), dtype=float) for key in _TABLES}
    _check_process(tables, K, V)
    tables["chance"] = np.linalg.solve(np.eye(K) - tables["Q"], tables["buy"])
    fixed = {
        "intents": labels_of("intents", process.intents, K, ""),
        "events": labels_of("events of the process", process.events, V, ""),
        "process": {key: plain(x) for key, x in tables.items()},
        "bag": _stored_bag(bag, V),
        "network": _stored_network(network, V),
        "goals": [],
        "title": title,
    }
    state = {
        "v": 1,
        "view": "session",
        "name": name,
        "fixed": fixed,
        "obs": integers("events", events),
        "t": t,
        "seed": 0,
        "opts": {"intent": intent, "ask": ask, "miss": plain(miss), "predict": predict},
    }
    check_state(state)
    check(state)
    if goals is None:
        asked = ASKS.index(ask)
        goals = _session_goals.reachable(fixed, asked, QUESTIONS[asked])
    fixed["goals"] = goals_of(goals)
    return Demo(state, sys.modules[__name__])


_TABLES = ("pi", "Q", "B", "buy", "leave")


def _check_process(tables, K, V):
    """Raise ``ValueError`` unless the tables are probabilities of K intents and V events."""
    from course_lib._checks import check_distribution, check_shape

    shapes = {"pi": (K,), "Q": (K, K), "B": (K, V), "buy": (K,), "leave": (K,)}
    for key, shape in shapes.items():
        check_shape(f"{key} of the process", tables[key], shape)
    check_distribution("pi of the process", tables["pi"])
    check_distribution("B of the process", tables["B"])
    moves = np.column_stack([tables["Q"], tables["buy"], tables["leave"]])
    check_distribution("(Q, buy, leave) of the process", moves)
    if not (np.linalg.matrix_power(tables["Q"], K).sum(axis=1) < 1 - 1e-9).all():
        raise ValueError("every session of the process must be able to end")


def _stored_bag(bag, V):
    from course_lib._checks import check_finite, check_shape

    coef, intercept = bag
    coef = check_finite("weights of the bag", coef).reshape(-1)
    intercept = check_finite("intercept of the bag", intercept).reshape(-1)
    check_shape("weights of the bag", coef, (V,))
    check_shape("intercept of the bag", intercept, (1,))
    return {"coef": plain(coef), "intercept": plain(intercept[0])}


def _stored_network(network, V):
    from course_lib._checks import check_shape

    params, W, b = network
    kind = _cells.kind_of("params of the network", params)
    D, H = _cells.sizes(kind, params)
    if D != V or not 1 <= H <= MAX_H:
        raise ValueError(
            f"the network must read {V} events with 1 to {MAX_H} units, got {D} inputs and {H}"
        )
    W, b = np.asarray(W, dtype=float).reshape(-1), np.asarray(b, dtype=float).reshape(-1)
    check_shape("readout of the network", W, (H,))
    check_shape("intercept of the network's readout", b, (1,))
    return _packed_weights.pack_cell("the network", params, readout_W=W, readout_b=b)


def check(state):
    """Raise ``ValueError`` where events, process, weights and steps do not fit each other."""
    from course_lib._checks import check_shape, check_symbols

    fixed, T = state["fixed"], len(state["obs"])
    K, V = len(fixed["intents"]), len(fixed["events"])
    check_symbols("events", state["obs"], V)
    tables = {key: np.array(x, dtype=float) for key, x in fixed["process"].items()}
    _check_process(tables, K, V)
    check_shape("chance of the process", tables["chance"], (K,))
    check_shape("weights of the bag", np.array(fixed["bag"]["coef"]), (V,))
    weights = _packed_weights.unpack_all(fixed["network"])
    _packed_weights.check_cell("the network", fixed["network"], V, len(weights["readout_W"]))
    check_shape("intercept of the network's readout", weights["readout_b"], (1,))
    for key, value, most in (("t", state["t"], T), ("intent", state["opts"]["intent"], K)):
        if value >= most:
            raise ValueError(f"{key} must be below {most}, got {value}")


def trace(state):
    """Return the belief, and what the three observers say, after every event.

    Series are ``belief`` (T, K); ``ideal`` (T, 3), P(buy) so far, if the session ends here and if
    it goes on (NaN where that cannot be); ``over`` (T,), the probability that it ends here;
    ``network`` (T,) and ``bag`` (T,).
    """
    from course_lib.hmm import forward_filter
    from course_lib.trace import Series, Trace

    fixed, obs = state["fixed"], np.array(state["obs"])
    pi, Q, B, buy, leave = (np.array(fixed["process"][k], dtype=float) for k in _TABLES)
    K, V = B.shape
    # The end is a state with an event of its own; no session that is still read has shown it.
    A = np.eye(K + 1)
    A[:K] = np.column_stack([Q, buy + leave])
    shows = np.zeros((K + 1, V + 1))
    shows[:K, :V], shows[K, V] = B, 1.0
    belief = forward_filter(obs, np.append(pi, 0.0), A, shows).alpha[:, :K]
    ideal, over = _session_goals.ideal(belief, fixed["process"])
    said, counted = _session_goals.observers(obs[None], fixed)
    return Trace(
        "session",
        (
            Series("obs", obs),
            Series("belief", belief, fixed["intents"]),
            Series("ideal", ideal, QUESTIONS),
            Series("over", over),
            Series("network", said[0]),
            Series("bag", counted[0]),
        ),
    )


def summary(state):
    """Return the sizes, for the fixed text form."""
    fixed, network = state["fixed"], state["fixed"]["network"]
    H = len(_packed_weights.unpack_all(network)["readout_W"])
    return (
        f"T={len(state['obs'])}, K={len(fixed['intents'])}, V={len(fixed['events'])}, "
        f"{network['kind'].upper()} of {H} units"
    )


def fallback(state):
    """Return the picture for readers without JavaScript: three lines over the events."""
    fixed = state["fixed"]
    words = [fixed["events"][y] for y in state["obs"]]
    try:
        result = trace(state)
    except ValueError as error:  # an impossible session is a fine start for a demo
        return picture(
            _svg.svg(680, 50, _svg.text(16, 30, str(error)), "impossible session"), str(error)
        )
    ideal = result["ideal"][:, ASKS.index(state["opts"]["ask"])]
    lines = {
        "ideal observer": ideal,
        fixed["network"]["kind"].upper(): result["network"],
        "bag of events": result["bag"],
    }
    ends = ", ".join(f"{label} {line[-1]:.2f}" for label, line in lines.items())
    alt = (
        f"P(buy) by three observers after each of {len(words)} events: {', '.join(words)}. "
        f"After the last one: {ends}. The ideal observer believes most in "
        f"{fixed['intents'][int(result['belief'][-1].argmax())]}."
    )
    top = max(0.25, np.nanmax(np.concatenate(list(lines.values()))))
    x = np.linspace(60, 660, len(words)) if len(words) > 1 else np.array([360.0])
    parts = [
        _svg.legend(60, 22, list(lines)),
        _svg.text(8, 46, f"{top:.2f}"),
        _svg.text(8, 190, "0"),
    ]
    parts.append(_svg.rect(60, 186, 600, 1, _svg.FAINT))
    for colour, line in zip(_svg.STATE_COLOURS, lines.values(), strict=False):
        points = np.column_stack([x, 186 - 144 * line / top])
        points = points[np.isfinite(points[:, 1])]
        parts.append(_svg.polyline(points, colour))
        parts += [_svg.rect(a - 3, b - 3, 6, 6, colour) for a, b in points]
    for place, word in zip(x, words, strict=True):
        turned = f' transform="rotate(-55 {place:g} 204)"'
        parts.append(_svg.text(place, 204, word, "end", turned))
    return picture(_svg.svg(680, 270, "".join(parts), "P(buy)"), alt)
