"""Words of a sentences demo: what was typed, and the clauses that a seed puts behind it."""

import re

from course_lib.demos._state import uniforms

MAX_T, MAX_TEXT = 80, 300
UNKNOWN = 0  # number of the word that stands for all that are not in the vocabulary
# Letters, with apostrophes inside; what else Python counts as a letter, JavaScript counts too.
WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")


def typed(text):
    """Return the words of any text in lower case, 80 at most."""
    return [word.lower() for word in WORD.findall(text)][:MAX_T]


def added(fixed, seed, n):
    """Return the first ``n`` words of clauses: each clause and each word of a class drawn evenly.

    The same seed gives the same words in the browser, and more words of it begin with the same.
    """
    words, clauses = [], fixed["clauses"]
    if not clauses or n < 1:
        return words
    draws = iter(uniforms(seed, 2 * (n + MAX_T)))
    while len(words) < n:
        for slot in clauses[int(next(draws) * len(clauses))].split():
            options = fixed["classes"].get(slot)
            words.append(options[int(next(draws) * len(options))] if options else slot)
    return words[:n]


def sentence(state):
    """Return all words that the networks read: the typed ones, and clauses up to the length."""
    words = typed(state["text"])
    return words + added(state["fixed"], state["seed"], state["opts"]["length"] - len(words))


def numbers(words, vocabulary):
    """Return the place of each word in the vocabulary, 0 for one that is not there."""
    place = {word: number for number, word in enumerate(vocabulary)}
    return [place.get(word, UNKNOWN) for word in words]


def verbs(words, deciding):
    """Return the places of the first two words that decide: the first one is the answer's."""
    return [t for t, word in enumerate(words) if word in deciding[0] or word in deciding[1]][:2]


def turned(words, deciding):
    """Return the twin: the first two words that decide, each replaced by its opposite."""
    opposite = dict(zip(deciding[0] + deciding[1], deciding[1] + deciding[0], strict=True))
    twin = list(words)
    for t in verbs(words, deciding):
        twin[t] = opposite[twin[t]]
    return twin


def label(words, deciding):
    """Return the label that the first deciding word stands for, or None where there is none."""
    places = verbs(words, deciding)
    return int(words[places[0]] in deciding[1]) if places else None
