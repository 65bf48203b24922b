r"""Markov chains: the next symbol depends on the present one and on nothing before it.

Letters: N sequences, T time, V symbols. ``A[i, j]`` is the probability of going from symbol i to
symbol j, rows sum to 1, beliefs are rows, and one prediction is ``belief @ A``. Unit: nats.

A data set is a list of integer arrays of shape (T,), or one array of shape (N, T) or (T,).
The long run is in :mod:`course_lib.stationary`, surprise in :mod:`course_lib.entropy`, longer
memories in :mod:`course_lib.ngram`; all of it can be reached from here.
"""

import numpy as np

from course_lib._checks import check_distribution, check_shape, check_symbols
from course_lib._sequences import as_sequences
from course_lib.entropy import entropy, entropy_rate, nats_to_bits, perplexity
from course_lib.ngram import NGram, fit_ngram, ngram_cross_entropy, ngram_log_prob, sample_ngram
from course_lib.stationary import check_table, stationary_distribution, time_reversal

__all__ = [
    "NGram", "chain_log_prob", "entropy", "entropy_rate", "fit_chain", "fit_ngram", "n_step",
    "nats_to_bits", "ngram_cross_entropy", "ngram_log_prob", "perplexity", "sample_chain",
    "sample_ngram", "stationary_distribution", "time_reversal", "transition_counts",
]  # fmt: skip


def transition_counts(sequences, V):
    """Count how often each symbol is followed by each other symbol.

    Parameters
    ----------
    sequences : list of ndarray of shape (T,), or ndarray of shape (N, T) or (T,)
        Symbols from 0 to V - 1. No transition is counted between two sequences.
    V : int
        Number of symbols.

    Returns
    -------
    counts : ndarray of shape (V, V)
        ``counts[i, j]`` is the number of steps from i to j.
    """
    counts = np.zeros((V, V), dtype=int)
    for y in as_sequences(sequences, V):
        np.add.at(counts, (y[:-1], y[1:]), 1)
    return counts


def fit_chain(sequences, V, pseudocount=0.0):
    r"""Estimate a Markov chain by counting.

    .. math:: A_{ij} = \frac{n_{ij} + a}{\sum_k (n_{ik} + a)}

    Parameters
    ----------
    sequences : list of ndarray of shape (T,), or ndarray of shape (N, T) or (T,)
        Symbols from 0 to V - 1.
    V : int
        Number of symbols.
    pseudocount : float, default=0.0
        Added to every count (the a of the formula), not negative. 0 is maximum likelihood,
        1 is Laplace's rule.

    Returns
    -------
    pi : ndarray of shape (V,)
        Distribution of the first symbol of a sequence, sum 1.
    A : ndarray of shape (V, V)
        Transition table, rows sum to 1.

    Raises
    ------
    ValueError
        If a row has no counts at all and ``pseudocount`` is 0, so that 0 / 0 would be needed.

    References
    ----------
    Markov (1913, English 2006), doi:10.1017/S0269889706001074.
    """
    if not pseudocount >= 0:
        raise ValueError(f"pseudocount must not be negative, got {pseudocount}")
    sequences = as_sequences(sequences, V)
    first = np.bincount([y[0] for y in sequences], minlength=V) + pseudocount
    counts = transition_counts(sequences, V) + pseudocount
    totals = counts.sum(axis=1, keepdims=True)
    if np.any(totals == 0):
        i = int(np.flatnonzero(totals[:, 0] == 0)[0])
        raise ValueError(
            f"symbol {i} is never followed by another symbol, so row {i} of A is 0 / 0: "
            "pass a pseudocount above 0, or leave the symbol out"
        )
    return first / first.sum(), counts / totals


def sample_chain(T, pi, A, rng):
    """Draw one sequence from a Markov chain.

    Parameters
    ----------
    T : int
        Number of symbols, at least 1.
    pi : ndarray of shape (V,)
        Distribution of the first symbol, sum 1.
    A : ndarray of shape (V, V)
        Transition table, rows sum to 1.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    y : ndarray of shape (T,)
        Symbols from 0 to V - 1.

    Raises
    ------
    ValueError
        If T is below 1, or the tables are no probabilities.
    """
    if T < 1:
        raise ValueError(f"T must be at least 1, got {T}")
    pi, A = _check_chain(pi, A)
    u = rng.random(T)
    after = np.stack([_inverse_cdf(row, u) for row in A], axis=1).tolist()  # next symbol, from each
    y = [int(_inverse_cdf(pi, u[:1])[0])]
    for t in range(1, T):
        y.append(after[t][y[-1]])
    return np.array(y)


def chain_log_prob(y, pi, A):
    r"""Return the log probability of a whole sequence under a Markov chain.

    .. math:: \log p(y_{1:T}) = \log \pi_{y_1} + \sum_{t=2}^{T} \log A_{y_{t-1} y_t}

    Parameters
    ----------
    y : ndarray of shape (T,) or (N, T)
        One sequence, or a batch of sequences of one length; symbols from 0 to V - 1.
    pi : ndarray of shape (V,)
        Distribution of the first symbol, sum 1.
    A : ndarray of shape (V, V)
        Transition table, rows sum to 1.

    Returns
    -------
    log_prob : float, or ndarray of shape (N,)
        In nats; ``-inf`` if the chain cannot produce the sequence.

    Raises
    ------
    ValueError
        If a symbol is out of range, or the tables are no probabilities.
    """
    pi, A = _check_chain(pi, A)
    y = check_symbols("y", y, len(pi))
    if y.ndim not in (1, 2):
        raise ValueError(f"y must have shape (T,) or (N, T), got {y.shape}")
    with np.errstate(divide="ignore"):  # log(0) = -inf is the right answer
        log_pi, log_A = np.log(pi), np.log(A)
    log_prob = log_pi[y[..., 0]] + log_A[y[..., :-1], y[..., 1:]].sum(axis=-1)
    return float(log_prob) if y.ndim == 1 else log_prob


def n_step(A, n):
    """Return the transition probabilities over n steps, the n-th matrix power of A.

    Parameters
    ----------
    A : ndarray of shape (V, V)
        Transition table, rows sum to 1.
    n : int
        Number of steps, not negative. ``n_step(A, 0)`` is the identity.

    Returns
    -------
    A_n : ndarray of shape (V, V)
        ``A_n[i, j]`` is p(y[t + n] = j | y[t] = i), rows sum to 1.

    Raises
    ------
    ValueError
        If n is negative or not whole.
    """
    if n < 0 or n != int(n):
        raise ValueError(f"n must be a whole number of steps, 0 or more, got {n}")
    return np.linalg.matrix_power(check_table(A), int(n))


def _check_chain(pi, A):
    A = check_table(A)
    return check_distribution("pi", check_shape("pi", pi, (len(A),))), A


def _inverse_cdf(p, u):
    """Symbols drawn from p by uniform numbers u; a symbol of probability 0 is never drawn."""
    cdf = np.cumsum(p)
    return np.searchsorted(cdf / cdf[-1], u, side="right")
