r"""A language pair for encoder and decoder: eight words, and a sentence is said backwards.

The source is a row of English words, the target the Latin ones in mirror order, last word first:
"sun moon sea" becomes "mare luna sol". Three things follow by construction.

* The words are independent and uniform, so no word can be guessed from its neighbours: whoever
  translates S words must carry exactly :math:`S \log_2 8 = 3 S` bits from source to target.
* The translation is a function of the source: a perfect translator is right every time, in every
  word and in every sentence. The ceiling is 1, and a word said at random is right once in eight.
* The mirror makes the way from a word to its translation as different as can be: the last word of
  the source is asked for at once, the first one only at the very end.

Sentences of different lengths share a batch, filled up to the longest one: ``lengths`` says where
each ends. The filling is 0, the number of a real word, so that a model which looks at it errs.

Saying a sequence backwards is the task of Grefenstette, Hermann, Suleyman and Blunsom (2015),
arXiv:1506.02516; that a mirrored order is easier to learn for an encoder without attention than
the same order is from Sutskever, Vinyals and Le (2014), arXiv:1409.3215, who turn the source round.

Letters: n sentences, S words of the longest source, T = S + 1 tokens of the longest target.
"""

from dataclasses import dataclass

import numpy as np

from course_lib.datasets.task import at_least

ENGLISH = ("sun", "moon", "star", "sea", "wind", "fire", "stone", "tree")
LATIN = ("sol", "luna", "stella", "mare", "ventus", "ignis", "saxum", "arbor")  # the same order
V = len(ENGLISH)
STOP, START = V, V + 1  # a target ends with STOP; START is what a decoder reads first
V_TARGET = V + 2  # tokens that a decoder knows
BITS_PER_WORD = 3.0  # log2 of V
LONGEST = 16  # words of the longest sentences that models are trained on


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Sentences and their translations, filled up to one length.

    Parameters
    ----------
    source : ndarray of shape (n, S)
        English words, 0 to 7; what stands after a sentence's own end is filling.
    lengths : ndarray of shape (n,)
        Words of each sentence, 1 to S.
    target : ndarray of shape (n, S + 1)
        Latin words and STOP; STOP again as filling.
    """

    source: np.ndarray
    lengths: np.ndarray
    target: np.ndarray

    @property
    def target_in(self):
        """Tokens the decoder reads, START and then all but the last one asked for; (n, S + 1)."""
        return np.hstack([np.full((len(self.target), 1), START), self.target[:, :-1]])

    @property
    def counts(self):
        """Whether a token of the target counts, its STOP included; bool of shape (n, S + 1)."""
        return np.arange(self.target.shape[1]) <= self.lengths[:, None]


def translation_pairs(n, rng, shortest=1, longest=LONGEST):
    """Draw sentences of independent, uniform words, all lengths equally probable.

    Parameters
    ----------
    n : int
        Number of sentences.
    rng : numpy.random.Generator
        Source of randomness.
    shortest, longest : int
        Range of the lengths, in words.

    Returns
    -------
    pairs : Pairs
        Sentences with their translations.

    Raises
    ------
    ValueError
        If a number is below 1, or the range is empty.
    """
    n, shortest = at_least("n", n, 1), at_least("shortest", shortest, 1)
    longest = at_least("longest", longest, shortest)
    lengths = rng.integers(shortest, longest + 1, size=n)
    source = rng.integers(V, size=(n, lengths.max()))
    source[np.arange(source.shape[1]) >= lengths[:, None]] = 0
    return Pairs(source, lengths, translate(source, lengths))


def translate(source, lengths=None):
    """Return the right translation: the words of each sentence last first, then STOP.

    Parameters
    ----------
    source : array_like of shape (n, S)
        Words, 0 to 7.
    lengths : array_like of shape (n,), optional
        Words of each sentence; all S if not given.

    Returns
    -------
    target : ndarray of shape (n, S + 1)
        A Latin word has the number of its English one; filled up with STOP.
    """
    source = np.asarray(source)
    n, S = source.shape
    lengths = np.full(n, S) if lengths is None else np.asarray(lengths)
    place = lengths[:, None] - 1 - np.arange(S + 1)  # of the word that each token translates
    words = np.take_along_axis(source, np.maximum(place, 0), axis=1)
    return np.where(place >= 0, words, STOP)


def read_english(text):
    """Return the numbers of the words of an English sentence.

    Parameters
    ----------
    text : str
        Words of ``ENGLISH``, in any case, separated by blanks.

    Returns
    -------
    source : ndarray of shape (S,)
        Numbers, 0 to 7.

    Raises
    ------
    ValueError
        If the text is empty or a word is unknown.
    """
    words = text.lower().split()
    unknown = [word for word in words if word not in ENGLISH]
    if unknown or not words:
        what = f"{unknown[0]!r}" if unknown else "nothing"
        raise ValueError(f"text must be made of {', '.join(ENGLISH)}, got {what}")
    return np.array([ENGLISH.index(word) for word in words])


def write_latin(tokens):
    """Return a target as text, up to its STOP; any other token that is no word is written as "?".

    Parameters
    ----------
    tokens : iterable of int
        Tokens of a target.

    Returns
    -------
    text : str
        Latin words, separated by blanks.
    """
    words = []
    for token in tokens:
        if token == STOP:
            break
        words.append(LATIN[token] if 0 <= token < V else "?")
    return " ".join(words)
