r"""Noisy translations by a reader who jumps: an alignment model whose every posterior is exact.

A source sentence lies on the table, S English words, independent and uniform. A translator points
at one of them after the other and writes one Latin word each time. Where she points, the
*alignment* :math:`a_1, \dots, a_T`, follows a known law of jumps, and what she writes a known
dictionary with errors:

.. math::
    p(a_1 = i) = 1 / S, \qquad
    p(a_t = j \mid a_{t-1} = i) \propto \mathrm{JUMPS}(j - i), \qquad
    p(y_t \mid a_t = i, x) = D_{x_i, y_t}

Given the source this is a hidden Markov model: the states are the positions, the jumps the
transition table, and the row of the dictionary that belongs to the word at a position its emission.
So prediction, filter and smoother of the position are exact (:mod:`course_lib.hmm`), and so is the
best loss that any translator can have who writes from left to right.

The model is that of Vogel, Ney and Tillmann (1996), doi:10.3115/993268.993313: their
p(a_j | a_{j-1}, I) is our ``A`` (their I is our S), their p(f_j | e_{a_j}) our dictionary; their
source e and target f are our English and Latin.

Letters: n sentences, S source words (the states), T target words, V words of either language.
"""

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from course_lib.datasets.task import at_least
from course_lib.datasets.translation import ENGLISH, LATIN, V

JUMPS = MappingProxyType({-1: 0.15, 0: 0.10, 1: 0.50, 2: 0.25})  # how far the finger moves
RIGHT = 0.85  # with which probability a word is written that the dictionary has for it
LENGTH = 8  # words of source and target


@dataclass(frozen=True, slots=True, eq=False)
class Alignments:
    """Sentences, their noisy translations, and which word each target word came from.

    Parameters
    ----------
    source : ndarray of shape (n, S)
        English words, 0 to V - 1.
    target : ndarray of shape (n, T)
        Latin words, 0 to V - 1.
    position : ndarray of shape (n, T)
        The source position that each target word was written from, 0 to S - 1.
    """

    source: np.ndarray
    target: np.ndarray
    position: np.ndarray


def dictionary():
    """Return the table (V, V) of p(Latin word | English word); rows sum to 1."""
    table = np.full((V, V), (1 - RIGHT) / (V - 1))
    np.fill_diagonal(table, RIGHT)
    return table


def jump_table(S):
    """Return the transition table (S, S) of the positions; jumps past an end are not made.

    Parameters
    ----------
    S : int
        Words of the source, at least 2.

    Returns
    -------
    A : ndarray of shape (S, S)
        From i to j; each row is the law of jumps where it stays inside, divided by its sum.

    Raises
    ------
    ValueError
        If S is too small.
    """
    S = at_least("S", S, 2)
    A = np.zeros((S, S))
    for jump, probability in JUMPS.items():
        A += probability * np.eye(S, k=jump)
    return A / A.sum(axis=1, keepdims=True)


def alignment_hmm(source):
    """Return the hidden Markov model of the positions in one source sentence.

    Parameters
    ----------
    source : ndarray of shape (S,)
        English words, 0 to V - 1.

    Returns
    -------
    pi : ndarray of shape (S,)
        Where the first target word comes from.
    A : ndarray of shape (S, S)
        From which position to which.
    B : ndarray of shape (S, V)
        What is written at each position: a row of the dictionary.

    Raises
    ------
    ValueError
        If a word is not in the dictionary, or there are fewer than two.
    """
    source = np.asarray(source)
    if source.ndim != 1 or not ((source >= 0) & (source < V)).all():
        raise ValueError(f"source must be a row of words from 0 to {V - 1}, got {source}")
    S = len(source)
    return np.full(S, 1 / S), jump_table(S), dictionary()[source]


def sample_alignments(n, rng, S=LENGTH, T=LENGTH):
    """Draw source sentences, alignments and noisy translations.

    Parameters
    ----------
    n : int
        Number of sentences, at least 1.
    rng : numpy.random.Generator
        Source of randomness.
    S : int, default=8
        Words of each source, at least 2.
    T : int, default=8
        Words of each target, at least 1.

    Returns
    -------
    drawn : Alignments
        Sentences, translations and positions.

    Raises
    ------
    ValueError
        If a number is too small.
    """
    n, S, T = at_least("n", n, 1), at_least("S", S, 2), at_least("T", T, 1)
    source = rng.integers(V, size=(n, S))
    A, D = jump_table(S), dictionary()
    position = np.empty((n, T), dtype=int)
    position[:, 0] = rng.integers(S, size=n)
    for t in range(1, T):
        position[:, t] = _draw(A[position[:, t - 1]], rng)
    spoken = np.take_along_axis(source, position, axis=1)  # (n, T), the words pointed at
    target = _draw(D[spoken], rng)
    return Alignments(source, target, position)


def _draw(rows, rng):
    """One place per row of probabilities (..., V), whatever their sum rounds to."""
    edges = rows.cumsum(axis=-1)
    return (rng.random(rows.shape[:-1])[..., None] * edges[..., -1:] < edges).argmax(axis=-1)


def in_words(source, target):
    """Return a source and its target as two texts.

    Parameters
    ----------
    source : ndarray of shape (S,)
        English words.
    target : ndarray of shape (T,)
        Latin words.

    Returns
    -------
    english : str
        Words between blanks.
    latin : str
        Words between blanks.
    """
    return " ".join(ENGLISH[k] for k in source), " ".join(LATIN[k] for k in target)
