r"""Entropy: how many nats of surprise a symbol carries, at the least.

Letters: V symbols. Logarithms are natural, so entropies are in nats.
"""

import numpy as np

from course_lib._checks import check_distribution, check_shape
from course_lib.stationary import check_table, stationary_distribution


def entropy(p):
    """Return the entropy of a distribution in nats.

    Parameters
    ----------
    p : ndarray of shape (V,)
        Probabilities, sum 1. Zeros add nothing.

    Returns
    -------
    entropy : float
        From 0 to log V, in nats.
    """
    p = check_distribution("p", check_shape("p", p, (None,)))
    return float(-np.sum(p[p > 0] * np.log(p[p > 0])))


def entropy_rate(A, stationary=None):
    r"""Return the entropy per step of a stationary chain: the floor of every cross-entropy on it.

    .. math:: h = -\sum_i \pi_i \sum_j A_{ij} \log A_{ij}

    Parameters
    ----------
    A : ndarray of shape (V, V)
        Transition table, rows sum to 1.
    stationary : ndarray of shape (V,), default=None
        Share of time in each symbol; worked out from A if not given.

    Returns
    -------
    rate : float
        In nats per symbol, from 0 to log V.

    References
    ----------
    Shannon (1948), doi:10.1002/j.1538-7305.1948.tb01338.x, section 7; his H is in bits.
    """
    A = check_table(A)
    if stationary is None:
        stationary = stationary_distribution(A)
    stationary = check_distribution("stationary", check_shape("stationary", stationary, (len(A),)))
    return float(stationary @ [entropy(row) for row in A])


def perplexity(cross_entropy_nats):
    """Return exp of a cross-entropy in nats: the number of equally likely choices it equals."""
    return float(np.exp(cross_entropy_nats))


def nats_to_bits(nats):
    """Convert nats to bits (divide by log 2)."""
    return nats / np.log(2.0)
