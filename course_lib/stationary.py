r"""Where a Markov chain spends its time, and the same chain run backwards.

Letters: V symbols. ``A[i, j]`` is the probability of going from symbol i to symbol j.
"""

import numpy as np

from course_lib._checks import check_distribution, check_shape


def stationary_distribution(A):
    r"""Return the only distribution that one step leaves as it is, :math:`\pi = \pi A`.

    Solved by state reduction (Grassmann, Taksar and Heyman), which never subtracts and so keeps
    full relative precision even for chains that hardly ever move.

    A *periodic* chain has a stationary distribution too, as the share of time spent in each
    symbol, although ``belief @ n_step(A, n)`` need not settle. A *reducible* chain has one if all
    its paths end in the same closed class; symbols outside that class get 0.

    Parameters
    ----------
    A : ndarray of shape (V, V)
        Transition table, rows sum to 1.

    Returns
    -------
    stationary : ndarray of shape (V,)
        Probabilities, sum 1.

    Raises
    ------
    ValueError
        If the chain has two or more closed classes: then every mixture of theirs is stationary.

    References
    ----------
    Grassmann, Taksar and Heyman (1985), doi:10.1287/opre.33.5.1107.
    """
    A = check_table(A)
    closed = _closed_classes(A)
    if len(closed) > 1:
        raise ValueError(
            f"A has {len(closed)} closed classes of symbols, {closed}, and no way between them: "
            "its stationary distribution depends on where it starts; solve each class by itself"
        )
    inside = list(closed[0])
    P = A[np.ix_(inside, inside)]
    for k in range(len(P) - 1, 0, -1):  # take symbol k out of the chain
        P[:k, k] /= P[k, :k].sum()
        P[:k, :k] += np.outer(P[:k, k], P[k, :k])
    x = np.ones(len(P))
    for k in range(1, len(P)):  # put them back, smallest first
        x[k] = x[:k] @ P[:k, k]
    stationary = np.zeros(len(A))
    stationary[inside] = x / x.sum()
    return stationary


def time_reversal(A):
    r"""Return the chain that runs a stationary chain backwards in time.

    .. math:: \tilde A_{ij} = \frac{\pi_j A_{ji}}{\pi_i}

    Both chains visit every symbol equally often; only the order differs.

    Parameters
    ----------
    A : ndarray of shape (V, V)
        Transition table with one closed class that holds every symbol.

    Returns
    -------
    A_reversed : ndarray of shape (V, V)
        Transition table, rows sum to 1. Equal to ``A`` if and only if the chain is reversible.

    Raises
    ------
    ValueError
        If a symbol is left for ever, so that nothing comes back from it.
    """
    A = check_table(A)
    stationary = stationary_distribution(A)
    if np.any(stationary == 0):
        i = int(np.flatnonzero(stationary == 0)[0])
        raise ValueError(f"symbol {i} has stationary probability 0: nothing to come back from")
    return A.T * stationary / stationary[:, None]


def check_table(A):
    """Return a transition table as a float array of its own: square, rows sum to 1."""
    A = np.array(A, dtype=float)
    return check_distribution("A", check_shape("A", A, (len(A), len(A)) if A.ndim else (1, 1)))


def _closed_classes(A):
    """Classes of symbols that reach each other and nothing else, each as a sorted list."""
    reach = (A > 0) | np.eye(len(A), dtype=bool)
    for k in range(len(A)):  # Warshall: paths through symbol k
        reach |= np.outer(reach[:, k], reach[k])
    mutual = reach & reach.T
    closed = [i for i in range(len(A)) if np.array_equal(reach[i], mutual[i])]
    return sorted({tuple(np.flatnonzero(mutual[i]).tolist()) for i in closed})
