r"""Sentences whose first verb decides and whose later words distract: the sentence playground.

Somebody says what they thought of a film, and goes on talking. The grammar:

* A sentence is an *opening* and then *clauses* without end, cut after T words.
* The opening says what the writer thought and that somebody else thought the opposite, as in
  "we loved the film that critics hated" or "yesterday i hated the play that friends loved".
* The clauses are remarks about this and that, by the same people and the same verbs: "but i hated
  the ending", "while friends enjoyed the plot", "and the music seemed rather lovely". They are
  drawn without regard to the opening.

The question is whether the writer liked it, and the answer is in the *first* verb of the sentence.
Three things follow by construction. A model that keeps the first verb is always right. A model that
has lost the opening is right half of the time, since the clauses are independent of the answer. And
a model that counts words without their order is right half of the time too, however long it
counts: the opening has one verb of each kind, and exchanging the two verbs turns a sentence of one
answer into an equally probable one of the other answer with the same words (:func:`twin`).

This is the memory task (:mod:`course_lib.datasets.memory`) in words; the latching problem of
Bengio, Simard and Frasconi (1994), doi:10.1109/72.279181, is their common ancestor.

Letters: n sequences, T time (words), V words of the vocabulary.
"""

import re

import numpy as np

from course_lib.datasets.task import Task, at_least

# A template is a row of words; a word in capitals stands for any word of that class.
LIKED = ("loved", "adored", "enjoyed", "liked", "praised")
DISLIKED = ("hated", "detested", "endured", "disliked", "mocked")  # opposites, in the same order
CLASSES = {
    "WRITER": ("i", "we"),
    "THING": ("film", "play", "show", "book"),
    "GROUP": ("critics", "friends", "neighbours", "others", "students"),
    "JOIN": ("and", "but", "while", "although"),
    "PART": ("acting", "cast", "ending", "music", "plot", "sound", "start", "story"),
    "VERB": LIKED + DISLIKED,
    "ADJECTIVE": (
        *("bright", "charming", "clever", "funny", "lovely", "moving"),
        *("boring", "clumsy", "dark", "dull", "silly", "weak"),
    ),
    "HOW": ("quite", "rather", "very"),
}
OPENINGS = (  # FIRST and SECOND are verbs of the two kinds
    "WRITER FIRST the THING that GROUP SECOND",
    "honestly WRITER FIRST the THING that GROUP SECOND",
    "yesterday WRITER FIRST the THING that GROUP SECOND",
    "last night WRITER FIRST the THING that GROUP SECOND",
)
CLAUSES = (
    "JOIN WRITER VERB the PART",
    "JOIN WRITER VERB the PART",  # twice as often: the writer goes on liking and disliking
    "JOIN GROUP VERB the PART",
    "JOIN the PART seemed HOW ADJECTIVE",
    "JOIN then it rained",
)
LABELS = ("disliked it", "liked it")
UNKNOWN = "<unknown>"
SHORTEST = 4  # words after which every opening has shown its first verb
LONGEST_OPENING = 9  # words after which every opening is complete
OPPOSITE = dict(zip(LIKED + DISLIKED, DISLIKED + LIKED, strict=True))


def _vocabulary():
    """All words of the grammar in alphabetical order, after the one for all others."""
    words = {word for template in OPENINGS + CLAUSES for word in template.split() if word.islower()}
    return (UNKNOWN, *sorted(words.union(*CLASSES.values())))


VOCABULARY = _vocabulary()  # a word's number is its place
_NUMBER = {word: number for number, word in enumerate(VOCABULARY)}


def tokenise(text):
    """Split any text into lower-case words; everything but letters and apostrophes separates.

    Parameters
    ----------
    text : str
        What somebody typed.

    Returns
    -------
    words : list of str
        Known to the vocabulary or not.
    """
    return re.findall(r"[^\W\d_]+(?:['’][^\W\d_]+)*", text.lower())


def encode(words):
    """Return the numbers of words in the vocabulary; a word that is not there gets 0.

    Parameters
    ----------
    words : sequence of str
        Words as ``tokenise`` returns them.

    Returns
    -------
    numbers : ndarray of shape (T,)
        From 0 to V - 1.
    """
    return np.array([_NUMBER.get(word, 0) for word in words], dtype=int)


def decode(numbers):
    """Return the words (a list of str) of numbers from 0 to V - 1."""
    return [VOCABULARY[number] for number in np.asarray(numbers, dtype=int)]


def twin(words):
    """Return the sentence with its first two verbs of liking or disliking turned to the opposite.

    A sentence of the grammar of at least 9 words becomes one with the same words, as probable, and
    with the other answer: its opening has a verb and that verb's opposite, which change places.
    The distance between a model's answers to a sentence and to its twin is what the model still
    knows of the opening, since everything else is the same.

    Parameters
    ----------
    words : sequence of str
        Any words.

    Returns
    -------
    other : list of str
        As long; equal to ``words`` if there is nothing to turn. A single verb is turned alone.
    """
    other = list(words)
    for t in [t for t, word in enumerate(other) if word in OPPOSITE][:2]:
        other[t] = OPPOSITE[other[t]]
    return other


def sample_sentences(n, T, rng, drop=0.0):
    """Draw sentences of T words, and whether the writer liked what it is about.

    Parameters
    ----------
    n : int
        Number of sentences, at least 1.
    T : int
        Words of each, at least 4; where the sentence is not at its end, it breaks off.
    rng : numpy.random.Generator
        Source of randomness.
    drop : float, default=0.0
        Probability with which each word but the two verbs of the opening is replaced by
        ``<unknown>``, from 0 to 1: a model that is trained so can be given any word later.

    Returns
    -------
    numbers : ndarray of shape (n, T)
        Places of the words in ``VOCABULARY``.
    liked : ndarray of shape (n,)
        0 or 1, each with probability 1/2: the place of the answer in ``LABELS``.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    n, T = at_least("n", n, 1), at_least("T", T, SHORTEST)
    if not 0 <= drop <= 1:
        raise ValueError(f"drop must be from 0 to 1, got {drop}")
    liked, pair = rng.integers(2, size=n), rng.integers(len(LIKED), size=n)
    verbs = np.array([encode(LIKED), encode(DISLIKED)])[:, pair]  # (2, n)
    first, second = np.where(liked, verbs, verbs[::-1])
    opening = _fill(OPENINGS, n, rng)
    for mark, verb in ((FIRST, first), (SECOND, second)):
        opening = np.where(opening == mark, verb[:, None], opening)
    m = -(-T // SHORTEST_CLAUSE)  # as many clauses as T words can hold
    words = np.hstack([opening, _fill(CLAUSES, n * m, rng).reshape(n, -1)])
    order = np.argsort(words == NOTHING, axis=1, kind="stable")  # gaps to the end
    words = np.take_along_axis(words, order, axis=1)[:, :T]
    if drop:
        is_opening_verb = (words == first[:, None]) | (words == second[:, None])
        is_opening_verb &= np.arange(T) < LONGEST_OPENING
        words = np.where((rng.random(words.shape) < drop) & ~is_opening_verb, 0, words)
    return words, liked


NOTHING, FIRST, SECOND = -1, -2, -3  # in place of a word: a gap, a verb yet to be chosen
SHORTEST_CLAUSE = min(len(template.split()) for template in CLAUSES)


def _fill(templates, n, rng):
    """Numbers (n, longest template) of n templates drawn evenly, with a word drawn for each class;
    shorter ones end in gaps."""
    slots = [template.split() for template in templates]
    numbers = np.full((n, max(map(len, slots))), NOTHING)
    which = rng.integers(len(templates), size=n)
    for k, row in enumerate(slots):
        mine = which == k
        for t, slot in enumerate(row):
            if slot in ("FIRST", "SECOND"):
                numbers[mine, t] = FIRST if slot == "FIRST" else SECOND
            else:
                numbers[mine, t] = rng.choice(encode(CLASSES.get(slot, (slot,))), size=mine.sum())
    return numbers


def sentences_task(n, T, rng, drop=0.0):
    """Draw sentences whose writer's opinion must be named after the last word.

    Parameters
    ----------
    n : int
        Number of sentences, at least 1.
    T : int
        Words of each, at least 4.
    rng : numpy.random.Generator
        Source of randomness.
    drop : float, default=0.0
        Probability with which a word is replaced by ``<unknown>``, as in `sample_sentences`.

    Returns
    -------
    task : Task
        ``x`` (n, T, 1) numbers of words, ``target`` (n,) whether the writer liked it; chance 1/2,
        ceiling 1.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    words, liked = sample_sentences(n, T, rng, drop)
    return Task(
        name=f"sentences, {T} words",
        x=words[:, :, None].astype(float),
        target=liked,
        n_out=2,
        chance=0.5,
        ceiling=1.0,
    )
