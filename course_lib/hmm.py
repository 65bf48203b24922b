r"""Hidden Markov models, one sequence at a time: the story, its probability, the text-book loops.

A hidden state walks by the table ``A``, and every state shows something by ``B``. The passes live
in :mod:`course_lib.hmm_forward`, :mod:`course_lib.hmm_backward`, :mod:`course_lib.hmm_viterbi` and
:mod:`course_lib.hmm_prediction`; all of them can be reached from here. For many sequences, or a
long one, there is :mod:`course_lib.hmm_batch`.

Letters: T time, K states, V symbols, D features. ``A[i, j]`` is from i to j, rows sum to 1. ``B``
is an array (K, V) for symbols, or a Gaussian or Poisson of :mod:`course_lib.emissions`.

References
----------
Rabiner (1989), doi:10.1109/5.18626: our ``pi``, ``A``, ``B`` and T are his, our K is his N, our V
his M, and our ``y`` his O.
"""

import numpy as np

from course_lib._checks import check_hmm, check_symbols
from course_lib.emissions import sample_emission
from course_lib.hmm_backward import (
    backward,
    backward_log,
    pairwise_posteriors,
    posterior_decode,
    smooth,
)
from course_lib.hmm_forward import (
    FilterTrace,
    forward_filter,
    forward_log,
    log_with_zeros,
    read_sequence,
)
from course_lib.hmm_prediction import predict_states, predict_symbols
from course_lib.hmm_viterbi import ViterbiTrace, viterbi

__all__ = [
    "FilterTrace",
    "ViterbiTrace",
    "backward",
    "backward_log",
    "forward_filter",
    "forward_log",
    "log_joint",
    "pairwise_posteriors",
    "posterior_decode",
    "predict_states",
    "predict_symbols",
    "sample_hmm",
    "smooth",
    "viterbi",
]


def sample_hmm(T, pi, A, B, rng):
    """Draw a path of states and what they show.

    Parameters
    ----------
    T : int
        Number of time steps, at least 1.
    pi : ndarray of shape (K,)
        Start distribution.
    A : ndarray of shape (K, K)
        Transition table, rows sum to 1.
    B : ndarray of shape (K, V), Gaussian or Poisson
        Emissions.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    z : ndarray of shape (T,)
        States, from 0 to K - 1.
    y : ndarray of shape (T,) or (T, D)
        Observations.

    Raises
    ------
    ValueError
        If an argument does not fit.
    """
    pi, A, emission = check_hmm(pi, A, B)
    if T < 1:
        raise ValueError(f"T must be at least 1, got {T}")
    z, row = np.empty(T, dtype=int), pi
    for t in range(T):
        z[t] = rng.choice(len(pi), p=row / row.sum())  # rows sum to 1 only up to rounding
        row = A[z[t]]
    return z, np.array([sample_emission(k, emission, rng) for k in z])


def log_joint(z, y, pi, A, B):
    r"""Return the log probability of one path together with what it shows.

    .. math::
        \log p(z, y) = \log\pi_{z_1} + \sum_{t>1} \log A_{z_{t-1} z_t} + \sum_t \log b_{z_t}(y_t)

    Parameters
    ----------
    z : ndarray of shape (T,)
        States, from 0 to K - 1.
    y : ndarray of shape (T,) or (T, D)
        Observations.
    pi : ndarray of shape (K,)
        Start distribution.
    A : ndarray of shape (K, K)
        Transition table, rows sum to 1.
    B : ndarray of shape (K, V), Gaussian or Poisson
        Emissions.

    Returns
    -------
    log_p : float
        Nats; ``-inf`` for an impossible path.

    Raises
    ------
    ValueError
        If an argument does not fit, or path and observations differ in length.
    """
    pi, A, log_b = read_sequence(y, pi, A, B)
    z = check_symbols("z", z, len(pi))
    if z.shape != (len(log_b),):
        raise ValueError(
            f"z must have one state for each of the {len(log_b)} observations, got shape {z.shape}"
        )
    moves, shows = log_with_zeros(A)[z[:-1], z[1:]], log_b[np.arange(len(z)), z]
    return float(log_with_zeros(pi)[z[0]] + moves.sum() + shows.sum())
