"""Networks of a sentences demo: stored weights, what they answer after every word, and goals."""

from dataclasses import dataclass

import numpy as np

from course_lib._checks import check_shape
from course_lib.demos import _cells, _packed_weights, _sentence_words
from course_lib.demos._state import Goal

MAX_D, MAX_H, MAX_NETWORKS = 16, 24, 3
TRIED = 12  # seeds of clauses in which goals are looked for
LATE = 20  # steps after which a signal that is left is memory
FORGOTTEN, HELD = 0.1, 1.0  # signals: odds 1.1 times as large in one sentence as in its twin, or e


@dataclass(frozen=True)
class SentenceNetwork:
    """A recurrent network that reads a sentence word by word and says which label it has.

    Parameters
    ----------
    name : str
        What the reader chooses it by, such as ``"LSTM"``.
    embedding : ndarray of shape (V, D)
        The D numbers that stand for each word; row 0 stands for unknown words. D is at most 16.
    params : GRUParams, LSTMParams or RNNParams
        A cell that reads D numbers, at most 24 units.
    readout : tuple of (ndarray of shape (H, 2), ndarray of shape (2,))
        Weights W and b: after each word the labels have probabilities softmax(h @ W + b).
    """

    name: str
    embedding: np.ndarray
    params: object
    readout: tuple


def stored(network, V):
    """Return a network as JSON; a shape that does not fit V words is refused."""
    name = f"network {network.name!r}"
    kind = _cells.kind_of(f"params of {name}", network.params)
    D, H = _cells.sizes(kind, network.params)
    if not (1 <= D <= MAX_D and 1 <= H <= MAX_H):
        raise ValueError(
            f"{name} must read 1 to {MAX_D} numbers a word with 1 to {MAX_H} units, got {D} and {H}"
        )
    W, b = (np.asarray(x, dtype=float) for x in network.readout)
    more = {
        "embedding": check_shape(f"embedding of {name}", np.asarray(network.embedding), (V, D)),
        "readout_W": check_shape(f"readout of {name}", W, (H, 2)),
        "readout_b": check_shape(f"readout of {name}", b, (2,)),
    }
    packed = _packed_weights.pack_cell(name, network.params, **more)
    return {"name": str(network.name), **packed}


def check_stored(data, V):
    """Raise ``ValueError`` unless a stored network fits V words."""
    weights = _packed_weights.unpack_all(data)
    name = f"network {data['name']!r}"
    for key, width in (("embedding", None), ("readout_W", 2)):
        if key not in weights:
            raise ValueError(f"{name} lacks {key}")
        check_shape(f"{key} of {name}", weights[key], (None, width))
    check_shape(f"embedding of {name}", weights["embedding"], (V, None))
    check_shape(f"readout_b of {name}", weights.get("readout_b", np.zeros(0)), (2,))
    D, H = weights["embedding"].shape[1], len(weights["readout_W"])
    _packed_weights.check_cell(name, data, D, H)


def margins(data, numbers):
    """Return by how much label 1 is ahead of label 0 after every word (N, T), in nats of odds."""
    weights = _packed_weights.unpack_all(data)
    h = _packed_weights.run_cell(data, weights["embedding"][numbers])
    scores = h @ weights["readout_W"] + weights["readout_b"]
    return scores[..., 1] - scores[..., 0]


def probability(margin):
    """Return P(label 1); never overflows."""
    return 0.5 + 0.5 * np.tanh(0.5 * margin)


def turns(margin, first):
    """Return the steps after step ``first`` at which the side of a margin (T,) changes."""
    side = margin >= 0
    return [t for t in range(first + 1, len(side)) if side[t] != side[t - 1]]


def reachable(state):
    """Return goals, each only if the clauses of some seed reach it behind the author's words.

    One network changes its mind and another does not, where there is such a case; one has lost the
    first words and another holds them; and a word that is not in the vocabulary, if there is none.
    """
    fixed = state["fixed"]
    own = _sentence_words.typed(state["text"])
    places = _sentence_words.verbs(own, fixed["deciding"])
    goals = []
    if places and fixed["clauses"]:
        vocabulary, deciding = fixed["vocabulary"], fixed["deciding"]
        rows = [
            start + _sentence_words.added(fixed, seed, _sentence_words.MAX_T - len(start))
            for start in (own, _sentence_words.turned(own, deciding))
            for seed in range(TRIED)
        ]
        both = [
            np.array([_sentence_words.numbers(row, vocabulary) for row in some])
            for some in (rows, [_sentence_words.turned(row, deciding) for row in rows])
        ]
        pairs = [[margins(data, numbers) for numbers in both] for data in fixed["networks"]]
        goals += _change_goal(fixed, [pair[0] for pair in pairs], places[0])
        goals += _signal_goal(fixed, [abs(a - b) for a, b in pairs])
    if {*own} <= {*fixed["vocabulary"]}:
        goals.append(Goal("Type a word that no network knows.", (("unknown", ">", 0),)))
    return goals


def _change_goal(fixed, margin, first):
    """One network changes its mind, another, if any does, not: as far as the first change."""
    names = [data["name"] for data in fixed["networks"]]
    when = [[turns(row, first) for row in rows] for rows in margin]
    for a, mine in enumerate(when):
        for b, others in enumerate(when):
            pairs = zip(mine, others, strict=True)
            if a != b and any(x and (not y or x[0] < y[0]) for x, y in pairs):
                text = f"Have “{names[a]}” change its mind where “{names[b]}” does not."
                return [Goal(text, ((f"turns.{a}", ">", 0), (f"turns.{b}", "==", 0)))]
    for a, mine in enumerate(when):
        if any(mine):
            return [Goal(f"Have “{names[a]}” change its mind.", ((f"turns.{a}", ">", 0),))]
    return []


def _signal_goal(fixed, signal):
    """The signal of one network is gone while that of another is there."""
    names = [data["name"] for data in fixed["networks"]]
    for a, mine in enumerate(names):
        for b, other in enumerate(names):
            if ((signal[a] < FORGOTTEN) & (signal[b] > HELD))[:, LATE:].any():
                text = (
                    f"Go to a step from t = {LATE} on at which the signal is below {FORGOTTEN:g} "
                    f"in “{mine}” and above {HELD:g} in “{other}”."
                )
                when = ((f"signal.{a}", "<", FORGOTTEN), (f"signal.{b}", ">", HELD))
                return [Goal(text, (*when, ("t", ">=", LATE)))]
    return []
