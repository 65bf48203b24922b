"""Sentences demo: any typed sentence, and what networks think of it after each word."""

import sys

import numpy as np

from course_lib.demos import _sentence_networks, _sentence_words, _svg
from course_lib.demos._demo import Demo, picture
from course_lib.demos._state import check_limit, check_state, goals_of, labels_of

MAX_V, MAX_CLAUSE = 120, 12
LINE = 88  # letters in a line of the picture without JavaScript


def sentences(
    name, text, vocabulary, networks, *,
    deciding, clauses=(), word_classes=None, labels=("no", "yes"),
    length=0, seed=0, t=0, network=0, title="", goals=None, predict=False,
):  # fmt: skip
    """Show what networks think of a sentence after each of its words.

    The reader types any sentence, steps from word to word or plays, chooses how long the sentence
    is and turns the word that decides into its opposite. After each word each network gives the
    probability of label 1; the step at which one changes its mind is marked. Beside it stands the
    signal that is left of the word that decides: by how much the network's margin (score of label 1
    less score of label 0) differs between the sentence and its twin, in which the first two
    deciding words are replaced by their opposites.

    Parameters
    ----------
    name : str
        Lower-case name, unique on the page; links such as ``#demo=name&opts.length=40&t=39`` use
        it.
    text : str
        What is typed at first, with at least one word, at most 300 characters. Letters and
        apostrophes inside words count, all else separates; of more than 80 words the first 80 are
        read.
    vocabulary : sequence of str
        V words in lower case, at most 120; word 0 stands for all that are not there.
    networks : sequence of SentenceNetwork
        1 to 3 networks; four decimals of each weight are used.
    deciding : tuple of (sequence of str, sequence of str)
        Words for label 0 and, at the same places, their opposites for label 1: the first one in a
        sentence decides its label.
    clauses : sequence of str, optional
        What can follow: rows of words such as ``"and the PART was ADJECTIVE"``, at most 12 words
        each. None: the reader cannot choose the length.
    word_classes : dict of (str, sequence of str), optional
        The words that a word of a clause such as ``"PART"`` stands for.
    labels : tuple of (str, str), default=("no", "yes")
        Names of the two labels.
    length : int, default=0
        Words of the sentence, at most 80: clauses fill up what is not typed.
    seed : int, default=0
        Seed of the clauses.
    t : int, default=0
        Step shown first.
    network : int, default=0
        Index of the network whose arithmetic is shown first.
    title : str, default=""
        Heading of the demo.
    goals : sequence of Goal, optional
        Small tasks that the demo recognises; by default such as some clauses reach.
    predict : bool, default=False
        Start with "predict first" switched on.

    Returns
    -------
    demo : Demo
        Put it last in a cell to show it. Its trace holds the numbers of the words ``word`` (T,),
        and for n networks P(label 1) ``p``, the margins ``margin`` and ``twin`` and their distance
        ``signal``, each (T, n).

    Raises
    ------
    ValueError
        If a shape, a word, a label or the size does not fit; the message names it.
    """
    vocabulary, networks = [str(word) for word in vocabulary], list(networks)
    check_limit("vocabulary", len(vocabulary), MAX_V, "words")
    labels_of("vocabulary", vocabulary, len(vocabulary), "")
    check_limit("networks", len(networks), _sentence_networks.MAX_NETWORKS, "networks")
    labels_of("networks", [n.name for n in networks], len(networks), "")
    if not -len(networks) <= network < len(networks):
        raise ValueError(f"network must be below {len(networks)}, got {network}")
    state = {
        "v": 1,
        "view": "sentences",
        "name": name,
        "fixed": {
            "vocabulary": vocabulary,
            "networks": [_sentence_networks.stored(n, len(vocabulary)) for n in networks],
            "deciding": [[str(word) for word in words] for words in deciding],
            "clauses": [str(clause) for clause in clauses],
            "classes": {k: [str(w) for w in words] for k, words in (word_classes or {}).items()},
            "labels": labels_of("labels", labels, 2, ""),
            "goals": [],
            "title": title,
        },
        "text": str(text),
        "t": t,
        "seed": seed,
        "opts": {"network": network % len(networks), "length": length, "predict": predict},
    }
    fixed = state["fixed"]
    used = " ".join(fixed["clauses"]).split()  # classes of openings alone need not travel
    fixed["classes"] = {k: words for k, words in fixed["classes"].items() if k in used}
    check_state(state)
    check(state)
    fixed["goals"] = goals_of(_sentence_networks.reachable(state) if goals is None else goals)
    check_state(state)
    return Demo(state, sys.modules[__name__])


def check(state):
    """Raise ``ValueError`` where text, words, networks and steps do not fit each other."""
    fixed, opts = state["fixed"], state["opts"]
    places = {word: k for k, word in enumerate(fixed["vocabulary"])}
    for data in fixed["networks"]:
        _sentence_networks.check_stored(data, len(places))
    no, yes = fixed["deciding"]
    if len(no) != len(yes) or len({*no, *yes}) != 2 * len(no):
        raise ValueError(
            f"deciding must pair different words with their opposites, got {no}, {yes}"
        )
    for clause in fixed["clauses"]:
        if not 1 <= len(clause.split()) <= MAX_CLAUSE:
            raise ValueError(f"clauses must have 1 to {MAX_CLAUSE} words, got {clause!r}")
    for key, words in fixed["classes"].items():
        if not words:
            raise ValueError(f"classes.{key} must hold a word")
    slots = {slot for clause in fixed["clauses"] for slot in clause.split()} - {*fixed["classes"]}
    options = {word for words in fixed["classes"].values() for word in words}
    unknown = sorted({*no, *yes, *slots, *options} - {*places})
    if unknown:
        raise ValueError(f"{unknown[0]!r} must be in the vocabulary or name a class of words")
    if len(state["text"].encode("utf-16-le", "surrogatepass")) > 2 * _sentence_words.MAX_TEXT:
        raise ValueError(f"text must be at most {_sentence_words.MAX_TEXT} characters")
    if not _sentence_words.typed(state["text"]):
        raise ValueError(f"text must hold a word, got {state['text']!r}")
    for key, value, most in (
        ("t", state["t"], len(_sentence_words.sentence(state))),
        ("network", opts["network"], len(fixed["networks"])),
    ):
        if value >= most:
            raise ValueError(f"{key} must be below {most}, got {value}")


def trace(state):
    """Return the words, P(label 1), the margins of sentence and twin, and the signal that is left.

    Series are ``word`` (T,), numbers of the words; ``p``, ``margin``, ``twin`` and ``signal``
    (T, number of networks).
    """
    from course_lib.trace import Series, Trace

    fixed = state["fixed"]
    words = _sentence_words.sentence(state)
    read = [
        np.array([_sentence_words.numbers(some, fixed["vocabulary"])])
        for some in (words, _sentence_words.turned(words, fixed["deciding"]))
    ]
    margin, twin = (
        np.stack([_sentence_networks.margins(data, one)[0] for data in fixed["networks"]], axis=1)
        for one in read
    )
    names = tuple(data["name"] for data in fixed["networks"])
    return Trace(
        "sentences",
        (
            Series("word", read[0][0]),
            Series("p", _sentence_networks.probability(margin), names, 0.0, 1.0),
            Series("margin", margin, names),
            Series("twin", twin, names),
            Series("signal", abs(margin - twin), names, 0.0),
        ),
    )


def summary(state):
    """Return the sizes, for the fixed text form."""
    T, n = len(_sentence_words.sentence(state)), len(state["fixed"]["networks"])
    return f"T={T}, V={len(state['fixed']['vocabulary'])}, {n} network{'s' if n > 1 else ''}"


def fallback(state):
    """Return the picture for readers without JavaScript: P(label 1) after every word."""
    fixed, words, result = state["fixed"], _sentence_words.sentence(state), trace(state)
    known = {*fixed["vocabulary"]}
    places = _sentence_words.verbs(words, fixed["deciding"])
    lines = [""]
    for word in (word if word in known else f"{word} (unknown)" for word in words):
        longer = f"{lines[-1]} {word}".strip()
        lines = [*lines[:-1], longer] if len(longer) <= LINE else [*lines, word]
    y, parts = 10 + 20 * len(lines), []
    parts += [_svg.text(16, 26 + 20 * k, line) for k, line in enumerate(lines)]
    said = []
    for k, data in enumerate(fixed["networks"]):
        p = result["p"][:, k]
        parts.append(_svg.lane(12, y + 20 + 62 * k, 656, 50, data["name"], p - 0.5, 0.5))
        changes = _sentence_networks.turns(result["margin"][:, k], places[0]) if places else []
        minds = ", ".join(f"“{words[t]}” (t = {t})" for t in changes[:3])
        more = f" and {len(changes) - 3} more" if len(changes) > 3 else ""
        mind = f"changing its mind at {minds}{more}" if changes else "without changing its mind"
        said.append(f"{data['name']} {p[-1]:.2f}, {mind}")
    yes = fixed["labels"][1]
    parts.append(_svg.text(142, y + 40 + 62 * len(said), f"bars up: {yes}; down: not", "start"))
    alt = (
        f"P({yes}) after each of {len(words)} words, by {len(said)} networks. "
        f"The sentence: “{' '.join(words)}”. After the last word: {'; '.join(said)}."
    )
    return picture(_svg.svg(680, y + 56 + 62 * len(said), "".join(parts), "Sentence"), alt)
