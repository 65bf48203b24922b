"""One-head demo: self-attention on a typed sentence, from the embeddings to the output."""

import sys

import numpy as np

from course_lib._checks import check_finite, check_shape
from course_lib.demos import _sentence_words, _svg
from course_lib.demos._demo import Demo, picture
from course_lib.demos._state import (
    SHORT,
    Goal,
    check_limit,
    check_state,
    goals_of,
    labels_of,
    plain,
)

MAX_V, MAX_T, MAX_M, MAX_E, MAX_TEXT, LARGEST = 24, 10, 8, 4, 120, 4.0
WEIGHTS = ("W_q", "W_k", "W_v")
SURE = 0.9  # of a goal: nearly all the weight
TRIED = 200  # pairs of words at the ends of their sliders


def one_head(
    name, text, vocabulary, embedding, params, *,
    positions="sinusoidal", causal=True, scale=True,
    t=0, row=0, key=0, title="", goals=None, predict=False,
):  # fmt: skip
    """Show what one head of self-attention does with a typed sentence, stage by stage.

    The stages are 0 embeddings, 1 positions added, 2 queries, keys and values, 3 scores, 4 scaled,
    5 masked, 6 weights, 7 output. Each is a heat map; the arithmetic of the chosen cell stands
    below. The reader types a sentence, moves words, drags numbers of their embeddings, and
    switches mask, positions and scaling; rows that a change moved are marked in every stage.

    Parameters
    ----------
    name : str
        Lower-case name, unique on the page; links such as ``#demo=name&t=6&opts.causal=false``
        use it.
    text : str
        What is typed at first, with at least one word, at most 120 characters; of more than 10
        words the first 10 are read.
    vocabulary : sequence of str
        V words in lower case, 2 to 24; word 0 stands for all that are not there.
    embedding : array-like of shape (V, M)
        One row a word, M even and at most 8, entries in [-4, 4]; four digits are used.
    params : tuple of three array-like of shape (M, E)
        W_q, W_k and W_v, used as ``x @ W``; E even and at most 4, entries in [-10, 10].
    positions : {"sinusoidal", "rotary", "none"}
        What tells the head where a word stands.
    causal : bool, default=True
        A word may look at itself and at words before it only.
    scale : bool, default=True
        Divide the scores by the square root of E.
    t : int, default=0
        Stage shown first.
    row, key : int, default=0
        The word that looks, and the one it looks at, chosen first.
    title : str, default=""
        Heading of the demo.
    goals : sequence of Goal, optional
        Small tasks that the demo recognises.
    predict : bool, default=False
        Start with "predict first" switched on.

    Returns
    -------
    demo : Demo
        Put it last in a cell to show it. Its trace holds, for every word, ``x`` (T, M), ``q``,
        ``k``, ``v`` and ``output`` (T, E), and ``scores``, ``scaled`` and ``weights`` (T, T).

    Raises
    ------
    ValueError
        If a shape, a size, a word or an option does not fit; the message names it.
    """
    vocabulary = [str(word) for word in vocabulary]
    check_limit("vocabulary", len(vocabulary), MAX_V, "words")
    labels_of("vocabulary", vocabulary, len(vocabulary), "")
    if len(params) != len(WEIGHTS):
        raise ValueError(f"params must hold W_q, W_k and W_v, got {len(params)} arrays")
    arrays = {"embedding": embedding, **dict(zip(WEIGHTS, params, strict=True))}
    for key_, x in arrays.items():  # JSON knows neither NaN nor arrays
        arrays[key_] = plain(check_finite(key_, check_shape(key_, x, (None, None))), SHORT)
    state = {
        "v": 1,
        "view": "one_head",
        "name": name,
        "fixed": {"vocabulary": vocabulary, "goals": [], "title": title},
        "params": arrays,
        "text": str(text),
        "t": t,
        "opts": {
            "positions": positions, "causal": causal, "scale": scale,
            "row": row, "key": key, "feature": 0, "unit": 0, "predict": predict,
        },
    }  # fmt: skip
    check_state(state)
    check(state)
    state["fixed"]["goals"] = goals_of(_goals(state) if goals is None else goals)
    check_state(state)
    return Demo(state, sys.modules[__name__])


def words_of(state):
    """Return the words of the sentence, ten at most."""
    return _sentence_words.typed(state["text"])[:MAX_T]


def check(state):
    """Raise ``ValueError`` where sentence, weights and chosen cells do not fit each other."""
    p, opts, T = state["params"], state["opts"], len(words_of(state))
    if len(state["text"].encode("utf-16-le", "surrogatepass")) > 2 * MAX_TEXT:
        raise ValueError(f"text must be at most {MAX_TEXT} characters")  # as JavaScript counts
    if not T:
        raise ValueError(f"text must hold a word, got {state['text']!r}")
    M, E = len(p["embedding"][0]), len(p["W_q"][0])
    for key, width, most in (("embedding", M, MAX_M), ("W_q", E, MAX_E)):
        if width % 2 or not 2 <= width <= most:
            raise ValueError(f"{key} must have an even width from 2 to {most}, got {width}")
    shapes = {"embedding": (len(state["fixed"]["vocabulary"]), M)} | dict.fromkeys(WEIGHTS, (M, E))
    for key, (rows, columns) in shapes.items():
        found = {len(p[key]), *map(len, p[key])}
        if len(p[key]) != rows or any(len(line) != columns for line in p[key]):
            raise ValueError(f"{key} must have shape ({rows}, {columns}), got sizes {found}")
    if max(abs(v) for line in p["embedding"] for v in line) > LARGEST:
        raise ValueError(f"embedding must lie in [-{LARGEST:g}, {LARGEST:g}]")
    for key, value, most in (
        ("row", opts["row"], T),
        ("key", opts["key"], T),
        ("feature", opts["feature"], M),
        ("unit", opts["unit"], 3 * E),
    ):
        if value >= most:
            raise ValueError(f"{key} must be below {most}, got {value}")


def trace(state):
    """Return inputs, queries, keys, values, scores, weights and outputs of every word.

    Series are ``x`` (T, M), ``q``, ``k``, ``v`` (T, E), ``scores``, ``scaled``, ``weights``
    (T, T) and ``output`` (T, E).
    """
    from course_lib.attention import attend, causal_mask, dot_scores
    from course_lib.positions import rotate, sinusoidal_positions
    from course_lib.trace import Series, Trace

    p, opts = state["params"], state["opts"]
    numbers = _sentence_words.numbers(words_of(state), state["fixed"]["vocabulary"])
    x = np.array(p["embedding"], float)[numbers]
    if opts["positions"] == "sinusoidal":
        x = x + sinusoidal_positions(*x.shape)
    q, k, v = (x @ np.array(p[key], float) for key in WEIGHTS)
    if opts["positions"] == "rotary":
        q, k = rotate(q), rotate(k)
    mask = causal_mask(len(x)) if opts["causal"] else None
    seen = attend(q[None], k[None], v[None], "scaled" if opts["scale"] else "dot", mask)
    return Trace(
        "one head",
        (
            Series("x", x),
            *(Series(key, values) for key, values in zip("qkv", (q, k, v), strict=True)),
            Series("scores", dot_scores(q[None], k[None])[0]),
            Series("scaled", seen.scores[0]),
            Series("weights", seen.weights[0], low=0.0, high=1.0),
            Series("output", seen.context[0]),
        ),
    )


def _goals(state):
    """Return tasks that are open at the start."""
    opts, words = state["opts"], words_of(state)
    goals, weights = [], trace(state)["weights"]
    if len(words) < 2:
        return goals
    if (weights - np.diag(np.diag(weights))).max() < SURE < _surest(state["params"]):
        text = f"Make one word give another more than {SURE} of its weight."
        goals.append(Goal(text, (("other", ">", SURE),)))
    if opts["causal"]:
        goals.append(Goal("Let the first word look at a later one.", (("ahead", ">", 0),)))
    if len({*words}) > 1:
        text = "Let words change places so that every output only goes along with its word."
        goals.append(Goal(text, (("along", "==", True),)))
    return goals


def _surest(params):
    """Return the largest weight between two words that some drags of embeddings reach."""
    from course_lib.attention import attend

    x = np.random.default_rng(0).choice([-LARGEST, LARGEST], (TRIED, 2, len(params["W_q"])))
    q, k = (x @ np.array(params[key], float) for key in ("W_q", "W_k"))
    weights = attend(q, k, x).weights
    return max(weights[:, 0, 1].max(), weights[:, 1, 0].max())


def summary(state):
    """Return the sizes, for the fixed text form."""
    p = state["params"]
    sizes = f"V={len(p['embedding'])}, M={len(p['embedding'][0])}, E={len(p['W_q'][0])}"
    return f"T={len(words_of(state))}, {sizes}"


def fallback(state):
    """Return the picture for readers without JavaScript: who looks at whom, and how much."""
    words, weights = words_of(state), trace(state)["weights"]
    T, left, top, wide, tall = len(words), 110, 54, 54, 30
    parts = [_svg.text(16, 26, "Each row: how much that word looks at the words of the columns")]
    for s, word in enumerate(words):
        parts.append(_svg.text(left + wide * (s + 0.5), top - 8, word[:7], "middle"))
    for t, word in enumerate(words):
        y = top + tall * t
        parts.append(_svg.text(left - 8, y + 20, word[:13], "end"))
        for s in range(T):
            x, w = left + wide * s, weights[t, s]
            cell = _svg.rect(x + 1, y + 1, wide - 2, tall - 2, _svg.STATE_COLOURS[0])
            parts.append(cell.replace("/>", f' fill-opacity="{0.6 * w:.2f}"/>'))
            parts.append(_svg.text(x + wide / 2, y + 20, f"{w:.2f}", "middle"))
    most = [
        f"“{word}” looks most at “{words[s]}” ({row[s]:.2f})"
        for word, row, s in zip(words, weights, weights.argmax(axis=1), strict=True)
    ]
    mask = "A word looks back only" if state["opts"]["causal"] else "Every word may look everywhere"
    alt = (
        f"Attention weights of one head on {T} words, “{' '.join(words)}”. {mask}. "
        f"{'; '.join(most)}."
    )
    size = (left + wide * max(T, 7) + 16, top + tall * max(T, 3) + 24)
    return picture(_svg.svg(*size, "".join(parts), "Attention weights"), alt)
