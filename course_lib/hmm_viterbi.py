r"""The Viterbi algorithm: the single most probable path of states.

Letters: T time, K states, V symbols, D features. ``A[i, j]`` is from i to j, rows sum to 1. ``B``
is an array (K, V) for symbols, or a Gaussian or Poisson of :mod:`course_lib.emissions`.

References
----------
Viterbi (1967), doi:10.1109/TIT.1967.1054010; Forney (1973), doi:10.1109/PROC.1973.9030.
Rabiner (1989), doi:10.1109/5.18626: our ``log_delta`` is the log of his delta, ``back`` his psi.
"""

from dataclasses import dataclass

import numpy as np

from course_lib._checks import impossible_observation
from course_lib.hmm_forward import log_with_zeros, read_sequence


@dataclass(frozen=True, slots=True, eq=False)
class ViterbiTrace:
    """What the Viterbi algorithm leaves behind."""

    path: np.ndarray  # (T,) the best path
    log_delta: np.ndarray  # (T, K) best log joint of a path that ends in the state, nats
    back: np.ndarray  # (T, K) best predecessor; row 0 has none and holds -1
    log_joint: float  # log p(path, y), nats


def viterbi(y, pi, A, B):
    r"""Find the single most probable path of states.

    .. math:: \log\delta_t(j) = \log b_j(y_t) + \max_i (\log\delta_{t-1}(i) + \log A_{ij})

    Parameters
    ----------
    y : ndarray of shape (T,) or (T, D)
        One sequence.
    pi : ndarray of shape (K,)
        Start distribution.
    A : ndarray of shape (K, K)
        Transition table, rows sum to 1.
    B : ndarray of shape (K, V), Gaussian or Poisson
        Emissions.

    Returns
    -------
    trace : ViterbiTrace
        The ``path`` (T,), its ``log_joint`` in nats, and the tables it was found with. Of equally
        good paths the one with the smaller state numbers at the end wins.

    Raises
    ------
    ValueError
        If an argument does not fit, or an observation is impossible (the time step is named).
    """
    pi, A, log_b = read_sequence(y, pi, A, B)
    log_A, log_delta = log_with_zeros(A), np.empty_like(log_b)
    back = np.full(log_b.shape, -1)
    log_delta[0] = log_with_zeros(pi) + log_b[0]
    for t in range(1, len(log_b)):
        scores = log_delta[t - 1][:, None] + log_A  # (from, to)
        back[t] = scores.argmax(axis=0)
        log_delta[t] = scores.max(axis=0) + log_b[t]
    dead = np.isneginf(log_delta).all(axis=1)
    if dead.any():
        raise impossible_observation(y, int(dead.argmax()))
    path = np.empty(len(log_b), dtype=int)
    path[-1] = log_delta[-1].argmax()
    for t in reversed(range(1, len(log_b))):
        path[t - 1] = back[t, path[t]]
    return ViterbiTrace(path, log_delta, back, float(log_delta[-1].max()))
