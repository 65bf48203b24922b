r"""Learning a hidden Markov model: counting where states are seen, Baum-Welch where they are not.

Baum-Welch is in :mod:`course_lib.hmm_em`, restarts and criteria are in
:mod:`course_lib.hmm_selection`; all of it can be reached from here.

Letters: N batch, T time, K states, V symbols, D features. Data are one sequence or a padded batch
with ``lengths``, as in :mod:`course_lib.hmm_batch`.

References
----------
Baum, Petrie, Soules and Weiss (1970), doi:10.1214/aoms/1177697196.
Salakhutdinov, Roweis and Ghahramani (2003), "Optimization with EM and
expectation-conjugate-gradient", ICML: the gradient is the expected gradient of the log joint.
"""

import numpy as np

from course_lib._checks import check_shape, check_symbols
from course_lib.emissions import Categorical, as_emission
from course_lib.hmm_batch import expected_counts
from course_lib.hmm_em import EMStep, Fit, baum_welch, em_step, normalised_rows
from course_lib.hmm_selection import (
    aic,
    align_states,
    baum_welch_restarts,
    bic,
    n_parameters,
    random_start,
)

__all__ = [
    "EMStep",
    "Fit",
    "aic",
    "align_states",
    "baum_welch",
    "baum_welch_restarts",
    "bic",
    "count_supervised",
    "em_step",
    "log_evidence_gradient",
    "n_parameters",
    "random_start",
]


def count_supervised(z, y, K, V, pseudocount=0.0):
    """Estimate (pi, A, B) by counting where the states were seen.

    Parameters
    ----------
    z : ndarray of shape (T,) or (N, T), or list of ndarray
        States, from 0 to K - 1; a list holds sequences of different lengths.
    y : ndarray of the shape of z, or list of ndarray
        Symbols, from 0 to V - 1.
    K : int
        Number of states.
    V : int
        Number of symbols.
    pseudocount : float
        Added to every count, at least 0.

    Returns
    -------
    pi : ndarray of shape (K,)
        Share of sequences that start in each state.
    A : ndarray of shape (K, K)
        Transition table; a state that is never left gets a uniform row.
    B : ndarray of shape (K, V)
        Emission table; a state that never occurs gets a uniform row.

    Raises
    ------
    ValueError
        If states and symbols do not pair up or are out of range.
    """
    if not pseudocount >= 0:
        raise ValueError(f"pseudocount must be at least 0, got {pseudocount}")
    if len(z) and np.ndim(z[0]) == 0:
        z, y = [z], [y]
    if len(z) != len(y):
        raise ValueError(f"z and y must hold the same number of sequences, got {len(z)}, {len(y)}")
    start, moves, shows = np.zeros(K), np.zeros((K, K)), np.zeros((K, V))
    for n, (states, symbols) in enumerate(zip(z, y, strict=True)):
        states = check_symbols(f"z[{n}]", states, K)
        symbols = check_symbols(f"y[{n}]", check_shape(f"y[{n}]", symbols, states.shape), V)
        start[states[0]] += 1
        np.add.at(moves, (states[:-1], states[1:]), 1)
        np.add.at(shows, (states, symbols), 1)
    return (
        normalised_rows(start, 1 / K, pseudocount),
        normalised_rows(moves, 1 / K, pseudocount),
        normalised_rows(shows, 1 / V, pseudocount),
    )


def log_evidence_gradient(ys, pi, A, B, lengths=None):
    r"""Return the gradient of the log evidence with respect to log pi, log A and log B.

    .. math:: \partial \log p(y) / \partial \log A_{ij} = \sum_t \xi_t(i, j)

    The entries are treated as free numbers, not as rows that sum to 1: the gradient is the table
    of expected counts.

    Parameters
    ----------
    ys : ndarray of shape (T,) or (N, T)
        Symbols, padded at the end.
    pi : ndarray of shape (K,)
        Start distribution.
    A : ndarray of shape (K, K)
        Transition table, rows sum to 1.
    B : ndarray of shape (K, V)
        Emission table, rows sum to 1.
    lengths : ndarray of shape (N,), optional
        Steps of each sequence.

    Returns
    -------
    dlog_pi : ndarray of shape (K,)
        Expected starts.
    dlog_A : ndarray of shape (K, K)
        Expected transitions.
    dlog_B : ndarray of shape (K, V)
        Expected emissions.

    Raises
    ------
    ValueError
        If an argument does not fit or the emissions are not categorical.
    """
    if not isinstance(as_emission(B), Categorical):
        raise ValueError(f"B must be categorical, got {type(B).__name__}")
    counts = expected_counts(ys, pi, A, B, lengths)
    return counts.start, counts.transitions, counts.emissions
