r"""Hidden Markov models for many sequences at once, or for one long one: the fast twins of
:mod:`course_lib.hmm`.

A batch ``ys`` is (N, T), or (N, T, D) for D features, padded at the end, with ``lengths`` (N,);
one sequence (T,), or (T, D) where D > 1, is read as a batch of one. What is stored behind the end
of a sequence is never looked at. Results equal the text-book loops; tests hold them to it.

Letters: N batch, T time, K states, V symbols, D features.

References
----------
Rabiner (1989), doi:10.1109/5.18626: our ``alpha`` and ``c`` are his scaled variables, c = 1 / c_t.
"""

import numpy as np

from course_lib import _hmm_passes as passes
from course_lib._hmm_data import read_batch
from course_lib.hmm_counts import Counts, expected_counts
from course_lib.hmm_viterbi import viterbi

__all__ = [
    "Counts",
    "expected_counts",
    "filter_batch",
    "log_evidence",
    "smooth_batch",
    "viterbi_batch",
]


def log_evidence(ys, pi, A, B, lengths=None):
    """Return log p(y) of every sequence.

    Parameters
    ----------
    ys : ndarray of shape (N, T), (N, T, D) or (T,)
        Observations, padded at the end with anything.
    pi : ndarray of shape (K,)
        Start distribution.
    A : ndarray of shape (K, K)
        Transition table, from i to j, rows sum to 1.
    B : ndarray of shape (K, V), Gaussian or Poisson
        Emissions.
    lengths : ndarray of shape (N,), optional
        Steps of each sequence, from 1 to T; T for all if left out.

    Returns
    -------
    log_evidence : ndarray of shape (N,)
        Nats.

    Raises
    ------
    ValueError
        If an argument does not fit, or an observation is impossible (sequence and time named).
    """
    return passes.evidence(read_batch(ys, pi, A, B, lengths))


def filter_batch(ys, pi, A, B, lengths=None):
    """Return the filter of every sequence: the state at t, given what was seen up to t.

    Parameters
    ----------
    ys : ndarray of shape (N, T), (N, T, D) or (T,)
        Observations, padded at the end with anything.
    pi : ndarray of shape (K,)
        Start distribution.
    A : ndarray of shape (K, K)
        Transition table, from i to j, rows sum to 1.
    B : ndarray of shape (K, V), Gaussian or Poisson
        Emissions.
    lengths : ndarray of shape (N,), optional
        Steps of each sequence, from 1 to T; T for all if left out.

    Returns
    -------
    alpha : ndarray of shape (N, T, K)
        p(z_t | y_{1:t}), rows sum to 1; 0 behind the ends.
    log_evidence : ndarray of shape (N,)
        Nats.

    Raises
    ------
    ValueError
        If an argument does not fit, or an observation is impossible (sequence and time named).
    """
    batch = read_batch(ys, pi, A, B, lengths)
    done = passes.forward_pass(batch)
    return _batch_first(batch, done.alpha), done.log_evidence


def smooth_batch(ys, pi, A, B, lengths=None):
    """Return the smoother of every sequence: the state at t, given the whole sequence.

    Parameters
    ----------
    ys : ndarray of shape (N, T), (N, T, D) or (T,)
        Observations, padded at the end with anything.
    pi : ndarray of shape (K,)
        Start distribution.
    A : ndarray of shape (K, K)
        Transition table, from i to j, rows sum to 1.
    B : ndarray of shape (K, V), Gaussian or Poisson
        Emissions.
    lengths : ndarray of shape (N,), optional
        Steps of each sequence, from 1 to T; T for all if left out.

    Returns
    -------
    gamma : ndarray of shape (N, T, K)
        p(z_t | y_{1:T}), rows sum to 1; 0 behind the ends.

    Raises
    ------
    ValueError
        If an argument does not fit, or an observation is impossible (sequence and time named).
    """
    batch = read_batch(ys, pi, A, B, lengths)
    return _batch_first(batch, passes.both_passes(batch).gamma)


def _batch_first(batch, x):
    """Turn (T, K, N) into (N, T, K), a view, 0 behind the ends."""
    if batch.inside is not None:
        np.copyto(x, 0.0, where=~batch.inside[:, None])
    return x.transpose(2, 0, 1)


def viterbi_batch(ys, pi, A, B, lengths=None):
    """Return the single most probable path of every sequence.

    Parameters
    ----------
    ys : ndarray of shape (N, T), (N, T, D) or (T,)
        Observations, padded at the end with anything.
    pi : ndarray of shape (K,)
        Start distribution.
    A : ndarray of shape (K, K)
        Transition table, from i to j, rows sum to 1.
    B : ndarray of shape (K, V), Gaussian or Poisson
        Emissions.
    lengths : ndarray of shape (N,), optional
        Steps of each sequence, from 1 to T; T for all if left out.

    Returns
    -------
    path : ndarray of shape (N, T)
        States; -1 behind the ends. Of paths that tie within rounding any one may come.
    log_joint : ndarray of shape (N,)
        log p(path, y), nats.

    Raises
    ------
    ValueError
        If an argument does not fit, or an observation is impossible (sequence and time named).
    """
    batch = read_batch(ys, pi, A, B, lengths)
    done = passes.best_paths(batch)
    if done is None:
        _refuse_impossible(batch)
    path, log_joint = done
    if batch.inside is not None:
        path = np.where(batch.inside, path, -1)
    return path.T, log_joint


def _refuse_impossible(batch):
    """Let the text-book loop say which sequence and step cannot be."""
    for n, length in enumerate(batch.lengths):
        try:
            viterbi(batch.ys[n, :length], batch.pi, batch.A, batch.emission)
        except ValueError as error:
            raise passes.named(error, batch, n) from None
