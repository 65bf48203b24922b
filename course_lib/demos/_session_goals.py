"""What the three observers of a session say, and goals that some short session reaches."""

import itertools

import numpy as np

from course_lib.demos import _packed_weights
from course_lib.demos._state import Goal

TRIED = 5000  # sessions of the longest kind: 8 events in any order, 4 times
LEAST = 0.03  # a difference that can be seen in the picture
CUTS = 1 / (1 + np.arange(0.5, 50.5, 0.5))  # P(buy) from which one acts, at each stop of the slider


def ideal(belief, process):
    """Return P(buy) (..., 3) so far, if it ends here and if it goes on, and P(ends here) (...)."""
    Q, buy, leave, chance = (np.array(process[k], float) for k in ("Q", "buy", "leave", "chance"))
    over, goes = belief @ (buy + leave), belief @ Q.sum(axis=1)
    with np.errstate(invalid="ignore"):  # 0 / 0 where it cannot end, or must: not a number
        answers = (belief @ chance, belief @ buy / over, belief @ (Q @ chance) / goes)
    return np.stack(answers, axis=-1), over


def observers(obs, fixed):
    """Return P(buy) (N, T) by the network and by the bag after every event of ``obs`` (N, T)."""
    weights, bag = _packed_weights.unpack_all(fixed["network"]), fixed["bag"]
    one_hot = np.eye(len(fixed["events"]))[obs]
    h = _packed_weights.run_cell(fixed["network"], one_hot)
    counts = one_hot.cumsum(axis=1)
    scores = (
        h @ weights["readout_W"] + weights["readout_b"],
        counts @ np.array(bag["coef"], float) + bag["intercept"],
    )
    return tuple(0.5 + 0.5 * np.tanh(0.5 * score) for score in scores)  # never overflows


def last_answers(obs, fixed, ask):
    """Return P(buy) (N, 3) by ideal observer, network and bag after the last event.

    ``ask`` is the question to the ideal observer, an index into what :func:`ideal` returns. NaN
    where no session is like that.
    """
    pi, Q, B = (np.array(fixed["process"][key], float) for key in ("pi", "Q", "B"))
    prior = np.tile(pi, (len(obs), 1))
    for t in range(obs.shape[1]):
        joint = prior * B.T[obs[:, t]]
        with np.errstate(invalid="ignore"):
            belief = joint / joint.sum(axis=1, keepdims=True)
        prior = belief @ Q
    exact = ideal(belief, fixed["process"])[0][:, ask]
    return np.column_stack([exact, *(line[:, -1] for line in observers(obs, fixed))])


def reachable(fixed, ask, question):
    """Return up to three goals, each reached by some session of a few events.

    ``question`` are words for what the ideal observer is asked, the one of index ``ask``.
    """
    V = len(fixed["events"])
    n = max(n for n in range(1, 12) if n == 1 or V**n <= TRIED)
    kind = fixed["network"]["kind"].upper()
    goals, spread, off, alone = [], 0.0, 0.0, False
    for m in range(1, n + 1):
        obs = np.array(list(itertools.product(range(V), repeat=m)))
        answers = last_answers(obs, fixed, ask)
        possible = np.isfinite(answers[:, 0])
        exact, network, bag = answers[possible].T
        spread = max(spread, widest(np.sort(obs, axis=1)[possible], exact))
        off = max(off, np.abs(network - exact).max(initial=0.0))
        others = np.maximum(network, bag)[:, None]
        alone = alone or ((exact[:, None] >= CUTS) & (others < CUTS)).any()

    spread, off = _floor(0.8 * spread), _floor(0.9 * off)
    if spread >= LEAST:
        goals.append(
            Goal(
                "Put the same events in another order, so that the ideal observer's P(buy) "
                f"{question}, after the last one, differs by more than {spread:g} between the two. "
                f"(Up to {n} events can. What does the bag say to both?)",
                (("same_bag", ">", spread),),
            )
        )
    if off >= LEAST:
        goals.append(
            Goal(
                f"Lead the {kind} away from the ideal observer's P(buy) {question}: by more than "
                f"{off:g}. (Up to {n} events can.)",
                (("off", ">", off),),
            )
        )
    if alone:
        goals.append(
            Goal(
                f"Find a session and a cost of a miss with which only the ideal observer acts, "
                f"while the {kind} and the bag wait.",
                (("acts.0", "==", True), ("acts.1", "==", False), ("acts.2", "==", False)),
            )
        )
    return tuple(goals)


def widest(bags, values):
    """Return the largest difference between values of equal rows of ``bags`` (N, n)."""
    high, low = {}, {}
    for bag, value in zip(map(tuple, bags.tolist()), values.tolist(), strict=True):
        high[bag] = max(value, high.get(bag, value))
        low[bag] = min(value, low.get(bag, value))
    return max((high[bag] - low[bag] for bag in high), default=0.0)


def _floor(x):
    return float(np.floor(100 * x) / 100)
