"""Belief-simplex demo: the exact belief and the belief decoded from a network, in one triangle."""

import sys

import numpy as np

from course_lib.demos import _belief_goals, _belief_networks, _svg
from course_lib.demos._demo import Demo, picture
from course_lib.demos._state import check_limit, check_state, goals_of, integers, labels_of, plain

MAX_T, MAX_V = 40, 8
LONGEST = 11  # symbols behind a drawn belief
SHOWN = 600  # beliefs drawn faintly in the picture without JavaScript


def belief_simplex(
    name, obs, pi, A, B, networks, *,
    states=None, symbols=None, t=0, network=-1, cell=0, title="", goals=None, predict=False,
):  # fmt: skip
    """Show the exact belief of an HMM beside the beliefs decoded from networks.

    The reader adds, changes and deletes symbols. The exact filter and the linear probe of the
    chosen network move in the triangle of all beliefs (with two states: on two rulers), over the
    beliefs that short sequences can reach. Distances are in sides of the triangle: two corners are
    1 apart.

    Parameters
    ----------
    name : str
        Lower-case name, unique on the page; links such as ``#demo=name&obs=[0,1,2]&t=2`` use it.
    obs : array-like of shape (T,)
        Observed symbols in [0, V), 1 to 40 of them.
    pi : array-like of shape (K,)
        Start probabilities of 2 or 3 states.
    A : array-like of shape (K, K)
        Transition probabilities from row to column.
    B : array-like of shape (K, V)
        Emission probabilities, at most 8 symbols.
    networks : sequence of BeliefNetwork
        1 to 4 networks, the best one last; four decimals of each weight are used.
    states, symbols : sequence of str, optional
        Labels; where a state is called like a symbol, states are shown as "state a" and so on.
    t : int, default=0
        Step shown first.
    network : int, default=-1
        Index of the network shown first, from the end where negative.
    cell : int, default=0
        State whose arithmetic is written out.
    title : str, default=""
        Heading of the demo.
    goals : sequence of Goal, optional
        Small tasks that the demo recognises; by default two that some short sequence reaches.
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
    from course_lib._checks import check_hmm, check_shape

    pi, A, B = (np.asarray(x, dtype=float) for x in (pi, A, B))
    check_hmm(pi, A, check_shape("B", B, (len(pi), None)))
    K, V = B.shape
    if K not in (2, 3):
        raise ValueError(f"pi: the demo draws beliefs in 2 or 3 states, got {K}")
    check_limit("B", V, MAX_V, "symbols")
    networks = list(networks)
    check_limit("networks", len(networks), _belief_networks.MAX_NETWORKS, "networks")
    if not -len(networks) <= network < len(networks):
        raise ValueError(f"network must be below {len(networks)}, got {network}")
    labels_of("networks", [n.name for n in networks], len(networks), "")
    states = labels_of("states", states, K, "state ")
    symbols = labels_of("symbols", symbols, V, "")
    if set(states) & set(symbols):
        states = [f"state {state}" for state in states]
    stored = [_belief_networks.stored(n, V, K) for n in networks]
    if goals is None:
        goals = _belief_goals.reachable(pi, A, B, stored)
    state = {
        "v": 1,
        "view": "belief_simplex",
        "name": name,
        "fixed": {
            "states": states,
            "symbols": symbols,
            "model": {"pi": plain(pi), "A": plain(A), "B": plain(B)},
            "networks": stored,
            "goals": goals_of(goals),
            "title": title,
        },
        "obs": integers("obs", obs),
        "t": t,
        "seed": 0,
        "opts": {"network": network % len(networks), "cell": cell, "predict": predict},
    }
    check_state(state)
    return Demo(state, sys.modules[__name__])


def _arrays(state):
    model = state["fixed"]["model"]
    return np.array(state["obs"]), *(np.array(model[k], dtype=float) for k in ("pi", "A", "B"))


def check(state):
    """Raise ``ValueError`` where symbols, networks and steps do not fit each other."""
    from course_lib._checks import check_symbols

    fixed, opts, T = state["fixed"], state["opts"], len(state["obs"])
    K, V = len(fixed["states"]), len(fixed["symbols"])
    check_symbols("obs", state["obs"], V)
    for data in fixed["networks"]:
        _belief_networks.check_stored(data, V, K)
    for key, value, most in (
        ("t", state["t"], T),
        ("network", opts["network"], len(fixed["networks"])),
        ("cell", opts["cell"], K),
    ):
        if value >= most:
            raise ValueError(f"{key} must be below {most}, got {value}")


def trace(state):
    """Return exact and decoded beliefs, next-symbol probabilities and distances of every step.

    Series are ``belief`` (T, K) and ``next`` (T, V) of the exact filter; ``decoded_0`` (T, K) and
    ``next_0`` (T, V) of the first network, and so on; ``gap`` (T, number of networks), the distance
    of each decoded belief from the exact one in sides of the triangle.
    """
    from course_lib.hmm import forward_filter
    from course_lib.trace import Series, Trace

    fixed = state["fixed"]
    obs, pi, A, B = _arrays(state)
    belief = forward_filter(obs, pi, A, B).alpha
    series = [
        Series("obs", obs),
        Series("belief", belief, fixed["states"]),
        Series("next", belief @ A @ B, fixed["symbols"]),
    ]
    gaps = []
    for k, data in enumerate(fixed["networks"]):
        _, decoded, following = _belief_networks.run(data, obs[None])
        series.append(Series(f"decoded_{k}", decoded[0], fixed["states"]))
        series.append(Series(f"next_{k}", following[0], fixed["symbols"]))
        gaps.append(_belief_goals.sides(decoded[0], belief))
    names = tuple(data["name"] for data in fixed["networks"])
    series.append(Series("gap", np.stack(gaps, axis=1), names))
    return Trace("belief_simplex", tuple(series))


def summary(state):
    """Return the sizes, for the fixed text form."""
    fixed, n = state["fixed"], len(state["fixed"]["networks"])
    return (
        f"T={len(state['obs'])}, K={len(fixed['states'])}, V={len(fixed['symbols'])}, "
        f"{n} network{'s' if n > 1 else ''}"
    )


def cloud(pi, A, B, most):
    """Return the beliefs (n, K) after all sequences of the greatest length with n <= ``most``.

    At most 11 symbols: where few sequences are possible, n need not grow.
    """
    V, beliefs = B.shape[1], pi[None]
    prior = beliefs
    for _ in range(LONGEST):
        if len(prior) * V > most:
            break
        joint = (prior[:, None] * B.T).reshape(-1, len(pi))  # (n * V, K)
        c = joint.sum(axis=1, keepdims=True)
        beliefs = joint[c[:, 0] > 0] / c[c[:, 0] > 0]
        prior = beliefs @ A
    return beliefs


def fallback(state):
    """Return the picture for readers without JavaScript: both beliefs after every symbol."""
    fixed, n = state["fixed"], state["opts"]["network"]
    obs, pi, A, B = _arrays(state)
    name = fixed["networks"][n]["name"]
    try:
        result = trace(state)
    except ValueError as error:  # an impossible sequence is a fine start for a demo
        words = _svg.text(16, 30, str(error))
        return picture(_svg.svg(680, 50, words, "impossible sequence"), str(error))
    pair = {"exact": result["belief"], name: result[f"decoded_{n}"]}
    ends = "; ".join(
        f"{label}: "
        + ", ".join(f"{s} {p:.2f}" for s, p in zip(fixed["states"], b[-1], strict=True))
        for label, b in pair.items()
    )
    alt = (
        f"The exact belief after each of {len(obs)} symbols, and the belief decoded from the "
        f"network “{name}”. At the last step {ends}. They are {result['gap'][-1, n]:.3f} apart, "
        "where two corners are 1 apart."
    )
    if len(pi) == 2:
        parts = [
            _svg.lane(12, 30 + 54 * k, 656, 44, f"{fixed['states'][1]}, {label}", b[:, 1], 1.0)
            for k, (label, b) in enumerate(pair.items())
        ]
        return picture(_svg.svg(680, 160, "".join(parts), "Beliefs"), alt)
    corners = np.array([[40, 262], [328, 262], [184, 262 - 144 * 3**0.5]])
    dots = "".join(f"M{x:.0f} {y:.0f}h0" for x, y in cloud(pi, A, B, SHOWN) @ corners)
    parts = [
        f'<path d="M{"L".join(f"{x:.0f} {y:.0f}" for x, y in corners)}Z" fill="none" '
        f'stroke="{_svg.FAINT}" stroke-width="2"/>'
        f'<path d="{dots}" stroke="#9aa5b1" stroke-width="2" stroke-linecap="round"/>',
        _svg.text(40, 284, fixed["states"][0]),
        _svg.text(328, 284, fixed["states"][1], "end"),
        _svg.text(196, 24, fixed["states"][2]),
    ]
    for k, (label, b) in enumerate(pair.items()):
        points, colour = (b @ corners).clip(4, 336), _svg.STATE_COLOURS[k]
        x, y = points[-1]
        parts.append(_svg.polyline(points, colour, 1.5))
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" fill="{colour}"/>')
        parts.append(_svg.rect(370, 60 + 30 * k, 14, 14, colour))
        parts.append(_svg.text(392, 72 + 30 * k, label if k == 0 else f"decoded: {label}"))
    symbols = " ".join(fixed["symbols"][y] for y in obs)
    parts.append(_svg.text(370, 132, f"read: {symbols[:40]}{'…' if len(symbols) > 40 else ''}"))
    return picture(_svg.svg(680, 300, "".join(parts), "Belief simplex"), alt)
