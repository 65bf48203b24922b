"""Goals of the belief simplex that can be reached: all short sequences are tried first."""

import itertools

import numpy as np

from course_lib.demos import _belief_networks
from course_lib.demos._state import Goal

TRIED = 3000  # sequences of the longest kind: 3 symbols in any order, 7 times
CLOSE = 0.05  # in sides: two dots that touch in the picture


def sides(a, b):
    """Return the distance of two beliefs; that of two corners is 1."""
    return np.sqrt(((a - b) ** 2).sum(axis=-1) / 2)


def reachable(pi, A, B, stored):
    """Return goals that some short sequence reaches.

    A belief near the middle, and a sequence that one network follows and another does not, where
    there is one.
    """
    V = B.shape[1]
    longest = max(n for n in range(1, 12) if n == 1 or V**n <= TRIED)
    centre, apart = np.inf, 0.0
    slow = len(stored) - 2  # the network before the last, which the author put last as the best
    for n in range(1, longest + 1):
        obs = np.array(list(itertools.product(range(V), repeat=n)))
        belief, possible = _last_beliefs(obs, pi, A, B)
        middle = sides(belief, np.full(len(pi), 1 / len(pi)))
        centre = min(centre, middle[possible].min())
        if slow >= 0:
            decoded = (_belief_networks.run(stored[k], obs)[1][:, -1] for k in (-1, slow))
            best, other = (sides(d, belief) for d in decoded)
            apart = max(apart, other[possible & (best < CLOSE)].max(initial=0.0))
    near = np.ceil(105 * centre + 1) / 100
    goals = [
        Goal(
            f"Lead the exact belief to within {near:g} of the centre: one side is 1, and no "
            f"sequence of up to {longest} symbols comes nearer than {centre:.2g}.",
            (("centre", "<=", float(near)),),
        )
    ]
    far = np.floor(90 * apart) / 100
    if far > CLOSE:
        names = [stored[k]["name"] for k in (slow, -1)]
        goals.append(
            Goal(
                f"Find a sequence after which “{names[0]}” is off by more than {far:g} while "
                f"“{names[1]}” is within {CLOSE:g}.",
                ((f"gap.{slow}", ">", float(far)), ("gap.-1", "<", CLOSE)),
            )
        )
    return tuple(goals)


def _last_beliefs(obs, pi, A, B):
    """Return the belief after the last symbol of each sequence, and which can happen at all."""
    belief, possible = np.tile(pi, (len(obs), 1)), np.ones(len(obs), dtype=bool)
    for t in range(obs.shape[1]):
        joint = (belief @ A if t else belief) * B[:, obs[:, t]].T
        c = joint.sum(axis=1, keepdims=True)
        possible &= c[:, 0] > 0
        belief = joint / np.where(c > 0, c, 1.0)
    return belief, possible
