"""Chain demo: order against bag, and a seeded random walk."""

import sys

import numpy as np

from course_lib.demos import _svg
from course_lib.demos._demo import Demo, picture
from course_lib.demos._state import (
    Goal,
    check_limit,
    check_state,
    goals_of,
    integers,
    labels_of,
    plain,
    uniforms,
)

MAX_T, MAX_V, WALK = 12, 8, 60

FLIP = Goal(
    "Turn the verdict of the chain round without changing a single item.",
    (("flipped", "==", True),),
)


def best_order(tokens, pi, A):
    """Return the largest log odds (nats) of any order of ``tokens``: dynamic programming on bags.

    ``best[bag, last]`` is the best score of an order of ``bag`` that ends with ``last``.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        start = np.nan_to_num(np.log(pi[0]) - np.log(pi[1]), nan=-np.inf)
        steps = np.nan_to_num(np.log(A[0]) - np.log(A[1]), nan=-np.inf)
    full = np.bincount(tokens, minlength=len(start))
    unit = np.eye(len(start), dtype=int)
    best = {(tuple(unit[k]), k): start[k] for k in range(len(start)) if full[k]}
    for _ in range(len(tokens) - 1):
        longer = {}
        for (bag, last), score in best.items():
            for k in np.flatnonzero(full > bag):
                key = (tuple((np.array(bag) + unit[k]).tolist()), int(k))
                longer[key] = max(longer.get(key, -np.inf), score + steps[last, k])
        best = longer
    return float(max(best.values()))


def default_goals(tokens, pi, A):
    """Return the goals of an order demo; the second one knows the best order of all."""
    best = best_order(tokens, pi, A)
    if not np.isfinite(best):
        return (FLIP,)
    words = f"Find the order with the highest chain score of all, {best:+.2f} nats."
    return (FLIP, Goal(words, (("chain_score", ">=", round(best - 1e-6, 9)),)))


def chain(
    name, items, tokens, classes, bag=None, t=None, *,
    seed=1, mode="order", cls=0, title="", goals=None, predict=False,
):  # fmt: skip
    """Show a sequence whose items can be put in another order, scored by a bag and by chains.

    Parameters
    ----------
    name : str
        Lower-case name, unique on the page; links such as ``#demo=name&mode=walk`` use it.
    items : sequence of str
        Labels of the V items, at most 8.
    tokens : array-like of shape (T,)
        The sequence, 2 to 12 items in [0, V).
    classes : sequence of (str, array-like of shape (V,), array-like of shape (V, V))
        One or two chains: label, start probabilities, transition probabilities.
    bag : array-like of shape (C, V), optional
        Item probabilities of each class for the bag score; by default the stationary
        distribution of its chain.
    t : int, optional
        Highlighted step; the last one by default.
    seed : int, default=1
        Seed of the walk.
    mode : {"order", "walk"}, default="order"
        What is shown first. One class alone can only walk.
    cls : {0, 1}, default=0
        Class whose chain walks.
    title : str, default=""
        Heading of the demo.
    goals : sequence of Goal, optional
        Small tasks that the demo recognises; by default two that fit the chains.
    predict : bool, default=False
        Start with "predict first" switched on.

    Returns
    -------
    demo : Demo
        Put it last in a cell to show it.

    Raises
    ------
    ValueError
        If a shape, a probability, an item or the size does not fit; the message names it.
    """
    from course_lib._checks import check_shape
    from course_lib.markov import stationary_distribution

    items = labels_of("items", list(items), len(items), "")
    check_limit("items", len(items), MAX_V, "items")
    tokens = integers("tokens", tokens)
    if not 2 <= len(tokens) <= MAX_T:
        raise ValueError(f"tokens: the demo shows 2 to {MAX_T} items, got {len(tokens)}")
    check_limit("classes", len(classes), 2, "classes")
    pi = [np.asarray(row, dtype=float) for _, row, _ in classes]
    A = [np.asarray(rows, dtype=float) for _, _, rows in classes]
    for row, table in zip(pi, A, strict=True):
        check_shape("pi", row, (len(items),))
        check_shape("A", table, (len(items), len(items)))
    bag = [stationary_distribution(a) for a in A] if bag is None else np.asarray(bag, dtype=float)
    mode = "walk" if len(classes) == 1 else mode
    state = {
        "v": 1,
        "view": "chain",
        "name": name,
        "fixed": {
            "items": items,
            "classes": [str(label) for label, _, _ in classes],
            "goals": [],
            "title": title,
        },
        "params": {"pi": plain(pi), "A": plain(A), "bag": plain(bag)},
        "tokens": tokens,
        "t": (0 if mode == "walk" else len(tokens) - 1) if t is None else t,
        "seed": seed,
        "opts": {"mode": mode, "cls": cls, "cell": 0, "predict": predict},
    }
    check_state(state)
    check(state)
    if goals is None:
        goals = default_goals(tokens, pi, A) if len(classes) == 2 else ()
    state["fixed"]["goals"] = goals_of(goals)
    return Demo(state, sys.modules[__name__])


def check(state):
    """Raise ``ValueError`` where the numbers do not make chains over the items."""
    from course_lib._checks import check_distribution, check_shape, check_symbols

    params, V, C = state["params"], len(state["fixed"]["items"]), len(state["fixed"]["classes"])
    for key, shape in (("pi", (C, V)), ("A", (C, V, V)), ("bag", (C, V))):
        rows = np.array(params[key], dtype=float)
        check_shape(key, rows, shape)
        check_distribution(key, rows)
    check_symbols("tokens", state["tokens"], V)
    last = WALK if state["opts"]["mode"] == "walk" else len(state["tokens"]) - 1
    if state["t"] > last:
        raise ValueError(f"t must be at most {last}, got {state['t']}")
    if state["opts"]["cls"] >= C:
        raise ValueError(f"cls must be below {C}, got {state['opts']['cls']}")


def walk(state):
    """Return the walk of the state's seed: ``WALK + 1`` items."""
    cls = state["opts"]["cls"]
    pi, A = state["params"]["pi"][cls], state["params"]["A"][cls]
    out, row = [], pi
    for u in uniforms(state["seed"], WALK + 1):
        out.append(_draw(row, u))
        row = A[out[-1]]
    return out


def _draw(row, u):
    total = 0.0
    for k, p in enumerate(row):
        total += p
        if u < total:
            return k
    return max(k for k, p in enumerate(row) if p > 0)  # u above a sum that rounding left below 1


def trace(state):
    """Return per-step log probabilities of the order, or the walk, as one trace."""
    from course_lib.trace import Series, Trace

    params, classes = state["params"], state["fixed"]["classes"]
    if state["opts"]["mode"] == "walk":
        path = np.array(walk(state))
        visits = np.cumsum(np.eye(len(state["fixed"]["items"]))[path], axis=0)
        share = visits / visits.sum(axis=1, keepdims=True)
        labels = state["fixed"]["items"]
        return Trace("chain", (Series("walk", path), Series("visits", share, labels=labels)))
    pi, A, bag = (np.array(params[key], dtype=float) for key in ("pi", "A", "bag"))
    y = np.array(state["tokens"])
    with np.errstate(divide="ignore"):
        steps = np.log(np.stack([pi[:, y[0]], *A[:, y[:-1], y[1:]].T]))  # (T, C) nats
        bags = np.log(bag[:, y].T)  # (T, C) nats
    series = [
        Series("tokens", y),
        Series("log_p", steps, labels=classes, unit="nats"),
        Series("log_bag", bags, labels=classes, unit="nats"),
    ]
    with np.errstate(invalid="ignore"):  # impossible for both classes: no verdict
        series.append(Series("log_odds", steps[:, 0] - steps[:, 1], unit="nats"))
        series.append(Series("chain_score", np.cumsum(steps[:, 0] - steps[:, 1]), unit="nats"))
        series.append(Series("bag_score", np.cumsum(bags[:, 0] - bags[:, 1]), unit="nats"))
    return Trace("chain", tuple(series))


def summary(state):
    """Return the sizes, for the fixed text form."""
    fixed = state["fixed"]
    return f"T={len(state['tokens'])}, V={len(fixed['items'])}, C={len(fixed['classes'])}"


def fallback(state):
    """Return the picture for readers without JavaScript: the items and both scores."""
    fixed, tokens = state["fixed"], state["tokens"]
    words = [fixed["items"][k] for k in tokens]
    parts = []
    for t, word in enumerate(words):
        x, width = 16 + t * 648 / len(words), 648 / len(words) - 8
        parts.append(_svg.rect(x, 16, width, 40, "#e6edf3"))
        parts.append(_svg.text(x + width / 2, 41, word, "middle"))
    if len(fixed["classes"]) == 1:
        alt = f"A Markov chain over {', '.join(fixed['items'])}; the demo walks on it."
    else:
        scores = trace({**state, "opts": {**state["opts"], "mode": "order"}})
        bag, order = scores["bag_score"][-1], scores["chain_score"][-1]
        alt = (
            f"The sequence {', '.join(words)}. Log odds of {fixed['classes'][0]} against "
            f"{fixed['classes'][1]}: bag {bag:+.2f} nats in every order, "
            f"chain {order:+.2f} nats in this one."
        )
        reach = max(abs(bag), abs(order), 1.0) if np.isfinite(bag + order) else 1.0
        for row, (label, score) in enumerate((("bag", bag), ("chain", order))):
            top, length = 74 + row * 34, 260 * float(np.clip(score / reach, -1, 1))
            parts.append(_svg.text(16, top + 17, label))
            colour = _svg.STATE_COLOURS[0 if score >= 0 else 1]
            parts.append(_svg.rect(380 + min(length, 0), top, abs(length), 24, colour))
            parts.append(_svg.text(90, top + 17, f"{score:+.2f}", "end"))
        parts.append(_svg.rect(379.5, 68, 1, 68, _svg.INK))
    return picture(_svg.svg(680, 150, "".join(parts), "Order and bag"), alt)
