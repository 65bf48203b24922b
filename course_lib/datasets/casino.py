"""The dishonest casino: a hidden Markov model whose every probability is known.

A player sees the rolls of a die. The house has two dice, a fair one and a loaded one that shows six
half of the time, and swaps them unseen: fair to loaded with probability 0.05, loaded to fair with
0.10. The start is stationary, so two rolls in three are fair.

Because the process is known, the best possible accuracy of every kind of guess is known too.
The example is from Durbin, Eddy, Krogh and Mitchison (1998), doi:10.1017/CBO9780511790492.
"""

import numpy as np

from course_lib.hmm_batch import filter_batch, smooth_batch, viterbi_batch
from course_lib.markov import sample_chain

CASINO_STATES = ("fair", "loaded")
CASINO_SYMBOLS = ("1", "2", "3", "4", "5", "6")
CASINO_PI = np.array([2 / 3, 1 / 3])
CASINO_A = np.array([[0.95, 0.05], [0.10, 0.90]])
CASINO_B = np.array([[1 / 6] * 6, [0.1, 0.1, 0.1, 0.1, 0.1, 0.5]])
for _array in (CASINO_PI, CASINO_A, CASINO_B):
    _array.setflags(write=False)  # everybody shares them


def sample_casino(T, rng):
    """Draw one evening at the casino.

    Parameters
    ----------
    T : int
        Number of rolls, at least 1.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    z : ndarray of shape (T,)
        Die in use: 0 fair, 1 loaded.
    y : ndarray of shape (T,)
        Faces from 0 to 5; face 5 is a six.
    """
    z = sample_chain(T, CASINO_PI, CASINO_A, rng)
    cdf = np.cumsum(CASINO_B, axis=1)[z, :-1]  # (T, 5); the last face takes the rest
    return z, (rng.random(T)[:, None] >= cdf).sum(axis=1)


def casino_ceilings(T, rng):
    """Measure the best accuracy of five ways to guess the die, on one long evening.

    Each way uses the true probabilities; they differ in what they may look at. "Majority" and "one
    roll" have exact values, 2/3 and 13/18; the others are known from runs only. Neighbouring rolls
    depend on each other, so the standard error is 1.5 / sqrt(T) for "majority" and between 0.6 and
    1.0 / sqrt(T) for the rest [measured over 60 runs].

    Parameters
    ----------
    T : int
        Number of rolls; with 200000 the standard errors are below 0.4 percentage points.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ceilings : dict of str to float
        Share of rolls guessed right, from 0 to 1: "majority" (always fair), "one roll" (this roll
        alone), "filter" (all rolls so far), "viterbi" (the most probable path) and "smoother" (all
        rolls, before and after).
    """
    z, y = sample_casino(T, rng)
    model = (CASINO_PI, CASINO_A, CASINO_B)
    guesses = {
        "majority": np.full(T, np.argmax(CASINO_PI)),
        "one roll": np.argmax(CASINO_PI * CASINO_B.T[y], axis=1),
        "filter": np.argmax(filter_batch(y, *model)[0].reshape(T, -1), axis=1),
        "viterbi": viterbi_batch(y, *model)[0].reshape(T),
        "smoother": np.argmax(smooth_batch(y, *model).reshape(T, -1), axis=1),
    }
    return {name: float(np.mean(guess == z)) for name, guess in guesses.items()}
