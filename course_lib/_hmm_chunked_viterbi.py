"""The Viterbi algorithm on one long sequence, cut into chunks as in ``_hmm_chunks``.

Chunks start from a guess, and again from the end of their neighbour, until nothing changes; the way
back does the same from the last chunk to the first. Functions return None when they cannot do it.

Letters: T time, K states, C chunks, L steps in a chunk.

References
----------
Maleki, Musuvathi and Mytkowicz (2014), doi:10.1145/2555243.2555264: rank convergence.
"""

import numpy as np

from course_lib import _hmm_sweeps as sweeps
from course_lib._hmm_chunks import ROUNDS, cut, uncut

VITERBI_TO_K = 24  # above it the scores of all chunks leave the cache


def chunked_viterbi(log_b, log_pi, log_A):
    """Return the path (T, 1) of one sequence, or None."""
    T, K, _ = log_b.shape
    if K > VITERBI_TO_K:
        return chunked_backtrack(sweeps.viterbi_sweep(log_b, log_pi[:, None], log_A), log_A)
    chunks = cut(log_b, 0.0)
    C = chunks.shape[2]
    starts = np.zeros((K, C))
    starts[:, 0] = log_pi
    for _ in range(ROUNDS):
        log_delta = sweeps.viterbi_sweep(chunks, starts, log_A)
        ends = (log_delta[-1, :, None, :-1] + log_A[:, :, None]).max(axis=0)
        ends -= ends.max(axis=0)
        if same_scores(ends, starts[:, 1:]):
            return chunked_backtrack(uncut(log_delta, T), log_A)
        starts[:, 1:] = ends
    return None


def same_scores(new, old):
    """Say whether two sets of log scores differ by rounding only; -inf equals -inf."""
    return bool(((new == old) | (np.abs(new - old) <= 1e-11 * (1 + np.abs(old)))).all())


def chunked_backtrack(log_delta, log_A):
    """Return the best path (T, 1); ``log_delta`` (T, K, 1) up to a constant per step."""
    T = len(log_delta)
    if not np.isfinite(log_delta[-1].max()):
        return None
    # The filling stands in front, so that every chunk ends where it should.
    front = cut(log_delta[::-1], 0.0)[::-1, :, ::-1]
    L, _, C = front.shape
    end = front[-1].argmax(axis=0)
    for _ in range(ROUNDS):
        path = sweeps.backtrack(front, end, log_A)
        into_next = front[-1][:, :-1] + log_A[:, path[0, 1:]]
        new = np.append(into_next.argmax(axis=0), end[-1])
        if (new == end).all():
            return path.T.reshape(-1, 1)[C * L - T :]
        end = new
    return None
