"""Alignment demo: an encoder-decoder with attention writes, and the map of its looks grows."""

import sys

import numpy as np

from course_lib.demos import _alignment_network, _seq2seq_weights, _seq2seq_words, _svg
from course_lib.demos._demo import Demo, picture
from course_lib.demos._state import check_state, goals_of

MAX_S, MAX_H = 20, 20


def alignment(
    name, source, source_words, target_words, params, *, start, stop,
    meaning=None, order="mirror", use="trained", t=0, cell=0, title="", goals=None, predict=False,
):  # fmt: skip
    """Show where an encoder-decoder with attention looks while it writes.

    The reader types, moves and deletes source words; the network writes greedily, and each step
    adds its row of weights to the map. As a control the weights can be replaced, by equal ones or
    by 1 at the largest.

    Parameters
    ----------
    name : str
        Lower-case name, unique on the page; links such as ``#demo=name&tokens=[0,2]&t=1`` use it.
    source : sequence of str
        1 to 20 source words.
    source_words : sequence of str
        The V_s words there are, at most 24, without spaces; they differ in lower case.
    target_words : sequence of str
        Names of all V_t tokens that can be written, that of STOP among them.
    params : Seq2SeqParams
        Weights with attention, at most 20 units; four decimals of each are used.
    start, stop : int
        Tokens that open and end a target.
    meaning : sequence of int, optional
        The target token of each source word; the same number if not given.
    order : {"mirror", "same"}, default="mirror"
        Whether the target's words come last first.
    use : {"trained", "uniform", "hardest"}, default="trained"
        Weights that the context is mixed by.
    t : int, default=0
        Step of writing shown first, 0 to S.
    cell : int, default=0
        Source word whose arithmetic is written out.
    title : str, default=""
        Heading of the demo.
    goals : sequence of Goal, optional
        Small tasks that the demo recognises; by default such as some random sentences reach.
    predict : bool, default=False
        Start with "predict first" switched on.

    Returns
    -------
    demo : Demo
        Put it last in a cell to show it. Its trace runs over the n steps of writing: ``weights``
        (n, S), ``log_probs`` (n, V_t), ``written`` and ``right`` (n,).

    Raises
    ------
    ValueError
        If a word, a weight, a number or the size does not fit; the message names it.
    """
    state = {
        "v": 1,
        "view": "alignment",
        "name": name,
        "fixed": {
            **_seq2seq_words.vocabulary(source_words, target_words, meaning),
            "order": order,
            "start": start,
            "stop": stop,
            "network": _seq2seq_weights.stored("network", params),
            "goals": [],
            "title": title,
        },
        "tokens": _seq2seq_words.numbers(source, source_words),
        "t": t,
        "seed": 0,
        "opts": {"use": use, "cell": cell, "predict": predict},
    }
    check_state(state)
    check(state)
    goals = _alignment_network.reachable(state) if goals is None else goals
    state["fixed"]["goals"] = goals_of(goals)
    return Demo(state, sys.modules[__name__])


def check(state):
    """Raise ``ValueError`` where words, weights and steps do not fit each other."""
    fixed, tokens = state["fixed"], state["tokens"]
    V_s, V_t, S = len(fixed["source_words"]), len(fixed["target_words"]), len(tokens)
    lower = [word.lower() for word in fixed["source_words"]]
    if len({*lower}) < V_s or any(len(word.split()) != 1 for word in lower):
        raise ValueError("source_words must differ in lower case and hold no spaces")
    if len(fixed["meaning"]) != V_s:
        raise ValueError(f"meaning must hold {V_s} tokens, got {len(fixed['meaning'])}")
    params = _seq2seq_weights.params_of(fixed["network"])
    if params.attention is None:
        raise ValueError("params must have attention, got None")
    if params.H > MAX_H:
        raise ValueError(f"params must have at most {MAX_H} units, got {params.H}")
    sizes = len(params.embed_source), len(params.b_out)
    if sizes != (V_s, V_t):
        raise ValueError(
            f"params must read {V_s} words and write {V_t} tokens, got {sizes[0]} and {sizes[1]}"
        )
    limits = [("t", state["t"], S + 1), ("cell", state["opts"]["cell"], S)]
    limits += [("stop", fixed["stop"], V_t), ("start", fixed["start"], len(params.embed_target))]
    limits += [("meaning", token, V_t) for token in fixed["meaning"]]
    limits += [("tokens", token, V_s) for token in tokens]
    for key, value, most in limits:
        if not 0 <= value < most:
            raise ValueError(f"{key} must be below {most}, got {value}")


def trace(state):
    """Return weights, log probabilities and what is written, over the steps of writing.

    Series are ``weights`` (n, S), the ones the context was mixed by; ``log_probs`` (n, V_t);
    ``written`` (n,); ``right`` (n,), what should have been written. n is at most S + 1.
    """
    from course_lib.trace import Series, Trace

    fixed, tokens = state["fixed"], state["tokens"]
    params = _seq2seq_weights.params_of(fixed["network"])
    result = _alignment_network.write(params, tokens, fixed, state["opts"]["use"])
    right = [*_alignment_network.wanted(tokens, fixed), fixed["stop"]]
    n = len(result.written)
    return Trace(
        "alignment",
        (
            Series("weights", result.weights, low=0.0, high=1.0),
            Series("log_probs", result.log_probs, fixed["target_words"], unit="nats"),
            Series("written", result.written),
            Series("right", np.array(right[:n])),
        ),
        tuple(fixed["target_words"][k] for k in result.written),
    )


def summary(state):
    """Return the sizes, for the fixed text form."""
    params = _seq2seq_weights.params_of(state["fixed"]["network"])
    kind = state["fixed"]["network"]["attention"]
    return f"S={len(state['tokens'])}, V={len(params.embed_source)}, H={params.H}, {kind}"


def fallback(state):
    """Return the picture for readers without JavaScript: the whole map."""
    fixed, result = state["fixed"], trace(state)
    words = [fixed["source_words"][k] for k in state["tokens"]]
    w, tall = min(46, 540 // len(words)), 24
    parts = []
    for i, word in enumerate(words):
        x = 142 + (i + 0.5) * w
        parts.append(_svg.text(x, 76, word, "start", f' transform="rotate(-60 {x:g} 76)"'))
    said = []
    for t, (row, word) in enumerate(zip(result["weights"], result.steps, strict=True)):
        y = 84 + tall * t
        parts.append(_svg.text(130, y + 17, word, "end"))
        for i, weight in enumerate(row):
            parts.append(
                f'<rect x="{142 + i * w + 1}" y="{y + 1}" width="{w - 2}" height="{tall - 2}" '
                f'fill="{_svg.STATE_COLOURS[0]}" fill-opacity="{weight:.3f}" '
                f'stroke="{_svg.FAINT}"/>'
            )
        said.append(f"{word}: {words[int(row.argmax())]} ({row.max():.2f})")
    wrong = int((result["written"] != result["right"]).sum())
    alt = (
        f"Alignment map of the sentence “{' '.join(words)}”: a row for every token written, a "
        f"column for every word read. Each token and the word it looks at most: {'; '.join(said)}. "
        f"{wrong} of {result.T} tokens are wrong."
    )
    height = max(170, 96 + tall * result.T)
    return picture(_svg.svg(700, height, "".join(parts), "Alignment"), alt)
