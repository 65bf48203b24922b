"""Prediction: the belief pushed ahead without looking.

Letters: K states, V symbols. ``A[i, j]`` is from i to j, rows sum to 1, beliefs are rows: one
prediction is ``belief @ A``.

References
----------
Rabiner (1989), doi:10.1109/5.18626.
"""

import numpy as np

from course_lib._checks import check_hmm
from course_lib.emissions import Categorical, as_emission


def predict_states(belief, A, n):
    """Predict the state 1 to n steps ahead, without looking.

    Parameters
    ----------
    belief : ndarray of shape (K,)
        Present belief, such as the last row of ``alpha``.
    A : ndarray of shape (K, K)
        Transition table, rows sum to 1.
    n : int
        Number of steps, at least 1.

    Returns
    -------
    beliefs : ndarray of shape (n, K)
        Row m is the belief m + 1 steps ahead.

    Raises
    ------
    ValueError
        If an argument does not fit.
    """
    belief, A, _ = check_hmm(belief, A, np.ones((len(A), 1)))
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    beliefs = np.empty((n, len(belief)))
    for m in range(n):
        belief = beliefs[m] = belief @ A
    return beliefs


def predict_symbols(belief, A, B, n):
    """Predict the symbol 1 to n steps ahead.

    Parameters
    ----------
    belief : ndarray of shape (K,)
        Present belief.
    A : ndarray of shape (K, K)
        Transition table, rows sum to 1.
    B : ndarray of shape (K, V)
        Emission table, rows sum to 1.
    n : int
        Number of steps, at least 1.

    Returns
    -------
    probs : ndarray of shape (n, V)
        Rows sum to 1.

    Raises
    ------
    ValueError
        If an argument does not fit, or the emissions are not categorical.
    """
    emission = as_emission(B)
    if not isinstance(emission, Categorical):
        raise ValueError(f"B must be a table (K, V) of symbols, got {type(B).__name__}")
    return predict_states(belief, A, n) @ emission.B
