"""Bottleneck demo: a sentence squeezed into one vector, and what can still be read out of it."""

import sys

import numpy as np

from course_lib.demos import _bottleneck_networks, _seq2seq_weights, _seq2seq_words, _svg
from course_lib.demos._demo import Demo, picture
from course_lib.demos._state import check_limit, check_state, goals_of

MAX_S, MAX_NETWORKS, MAX_H = 20, 3, 40
ORDERS = ("mirror", "same")


def bottleneck(
    name, source, source_words, target_words, networks, *, start, stop,
    meaning=None, order="mirror", t=0, network=0, width=1, seed=0,
    title="", goals=None, predict=False,
):  # fmt: skip
    """Squeeze a sentence into one vector and see which of its words can still be recovered.

    Encoders without attention read a sentence word by word; the last state is all that their
    decoders get. Bars show, for the vector after the words read so far, the probability that the
    decoder gives to the right translation of each word, told the right words before it. Below
    stands what each network writes by itself, greedily or by beam search. The reader types,
    inserts, moves and deletes words, steps through reading and writing, and sets the beam.

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
    networks : dict of (str, Seq2SeqParams)
        1 to 3 encoder-decoders without attention by name, at most 40 units; four decimals of each
        weight are used.
    start, stop : int
        Tokens that open and end a target.
    meaning : sequence of int, optional
        The target token of each source word; the same number if not given.
    order : {"mirror", "same"}, default="mirror"
        Whether the target's words come last first.
    t : int, default=0
        Step shown first: 0 to S - 1 read the S words, S to 2 S + 1 write.
    network : int, default=0
        Index of the network whose states, beam and arithmetic are shown first.
    width : int, default=1
        Hypotheses of the beam, 1 to 8; 1 is greedy.
    seed : int, default=0
        Seed of the sentence that the reader may ask for.
    title : str, default=""
        Heading of the demo.
    goals : sequence of Goal, optional
        Small tasks that the demo recognises; by default such as some random sentences reach.
    predict : bool, default=False
        Start with "predict first" switched on.

    Returns
    -------
    demo : Demo
        Put it last in a cell to show it. Its trace runs over the S source words: for n networks
        ``recovered`` (S, S, n), P(right word) by [words read, word], NaN for words not read yet;
        ``kept`` (S, S, n), whether the right word is the most probable token;
        ``written`` (S, n), what stands at the place of each word in the output; ``right`` (S, n).

    Raises
    ------
    ValueError
        If a word, a weight, a number or the size does not fit; the message names it.
    """
    check_limit("networks", len(networks), MAX_NETWORKS, "networks")
    if not -len(networks) <= network < len(networks):
        raise ValueError(f"network must be below {len(networks)}, got {network}")
    state = {
        "v": 1,
        "view": "bottleneck",
        "name": name,
        "fixed": {
            **_seq2seq_words.vocabulary(source_words, target_words, meaning),
            "order": order,
            "start": start,
            "stop": stop,
            "networks": [_seq2seq_weights.stored(*one) for one in networks.items()],
            "goals": [],
            "title": title,
        },
        "tokens": _seq2seq_words.numbers(source, source_words),
        "t": t,
        "seed": seed,
        "opts": {"network": network % len(networks), "width": width, "predict": predict},
    }
    check_state(state)
    check(state)
    fixed = state["fixed"]
    if goals is None:
        goals = _bottleneck_networks.reachable(fixed, state["tokens"], width)
    fixed["goals"] = goals_of(goals)
    return Demo(state, sys.modules[__name__])


def check(state):
    """Raise ``ValueError`` where words, networks and steps do not fit each other."""
    fixed, tokens = state["fixed"], state["tokens"]
    V_s, V_t, S = len(fixed["source_words"]), len(fixed["target_words"]), len(tokens)
    lower = [word.lower() for word in fixed["source_words"]]
    if len({*lower}) < V_s or any(len(word.split()) != 1 for word in lower):
        raise ValueError("source_words must differ in lower case and hold no spaces")
    if len(fixed["meaning"]) != V_s:
        raise ValueError(f"meaning must hold {V_s} tokens, got {len(fixed['meaning'])}")
    for data in fixed["networks"]:
        params = _seq2seq_weights.params_of(data)
        name = f"network {data['name']!r}"
        if params.attention is not None:
            raise ValueError(f"{name} must have no attention, got {data['attention']!r}")
        if params.H > MAX_H:
            raise ValueError(f"{name} must have at most {MAX_H} units, got {params.H}")
        sizes = len(params.embed_source), len(params.b_out)
        if sizes != (V_s, V_t):
            raise ValueError(
                f"{name} must read {V_s} words and write {V_t} tokens, got {sizes[0]} and "
                f"{sizes[1]}"
            )
        if fixed["start"] >= len(params.embed_target):
            raise ValueError(f"start must be a token that {name} can read, got {fixed['start']}")
    limits = [("t", state["t"], 2 * S + _bottleneck_networks.MORE)]
    limits += [("network", state["opts"]["network"], len(fixed["networks"]))]
    limits += [("stop", fixed["stop"], V_t)]
    limits += [("meaning", token, V_t) for token in fixed["meaning"]]
    limits += [("tokens", token, V_s) for token in tokens]
    for key, value, most in limits:
        if not 0 <= value < most:
            raise ValueError(f"{key} must be below {most}, got {value}")


def trace(state):
    """Return the source words, what can be recovered of them, and what is written for them.

    Series are ``source`` (S,); for n networks ``recovered`` and ``kept`` (S, S, n), ``written`` and
    ``right`` (S, n).
    """
    from course_lib.trace import Series, Trace

    fixed, tokens = state["fixed"], state["tokens"]
    networks = [_seq2seq_weights.params_of(data) for data in fixed["networks"]]
    best = [
        _bottleneck_networks.search(params, tokens, fixed, state["opts"]["width"])[0]
        for params in networks
    ]
    S, names = len(tokens), tuple(data["name"] for data in fixed["networks"])
    said = np.stack([_bottleneck_networks.written(one, S, fixed["order"]) for one in best], axis=1)
    read = [_bottleneck_networks.recovered(params, tokens, fixed) for params in networks]
    return Trace(
        "bottleneck",
        (
            Series("source", np.array(tokens)),
            Series("recovered", np.stack([p for p, _ in read], axis=2)),
            Series("kept", np.stack([kept for _, kept in read], axis=2)),
            Series("written", said, names),
            Series("right", said == np.array(fixed["meaning"])[tokens][:, None], names),
        ),
    )


def summary(state):
    """Return the sizes, for the fixed text form."""
    fixed = state["fixed"]
    H = [_seq2seq_weights.params_of(data).H for data in fixed["networks"]]
    return f"S={len(state['tokens'])}, V={len(fixed['source_words'])}, H={', '.join(map(str, H))}"


def fallback(state):
    """Return the picture for readers without JavaScript: what the last vector still holds."""
    fixed, result = state["fixed"], trace(state)
    words = [fixed["source_words"][k] for k in state["tokens"]]
    S, names = len(words), [data["name"] for data in fixed["networks"]]
    w, colour = min(46, 540 // S), _svg.STATE_COLOURS[0]
    parts = [_svg.text(8, 22, "Can the word be read out of the vector? Bars: P(right word)")]
    for i, word in enumerate(words):
        x = 142 + (i + 0.5) * w
        parts.append(_svg.text(x, 96, word, "start", f' transform="rotate(-60 {x:g} 96)"'))
    said = []
    for n, label in enumerate(names):
        p, y = result["recovered"][-1, :, n], 112 + 70 * n
        parts.append(_svg.text(8, y + 30, label))
        parts.append(_svg.rect(142, y + 50, S * w, 1, _svg.FAINT))
        for i, v in enumerate(p):
            parts.append(_svg.rect(142 + i * w + 1, y + 50 * (1 - v), w - 2, 50 * v, colour))
        output = [
            fixed["target_words"][k] if k >= 0 else "nothing" for k in result["written"][:, n]
        ]
        wrong = [
            f"{word} (written: {told})"
            for word, told, ok in zip(words, output, result["right"][:, n], strict=True)
            if not ok
        ]
        said.append(
            f"{label} translates {int(result['right'][:, n].sum())} of {S} words rightly"
            + (f"; wrong: {', '.join(wrong)}" if wrong else "")
        )
    alt = (
        f"The sentence “{' '.join(words)}”, squeezed into one vector. {'. '.join(said)}. Bars: "
        "the probability that the decoder gives to the right translation of each word."
    )
    return picture(_svg.svg(700, 126 + 70 * len(names), "".join(parts), "Bottleneck"), alt)
