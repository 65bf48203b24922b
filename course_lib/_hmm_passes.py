"""Which sweep for which data, and the text-book loop where a sweep cannot answer.

A sweep works with plain probabilities and gives up where they come near underflow or an observation
is impossible. The loops of :mod:`course_lib.hmm_forward` and :mod:`course_lib.hmm_backward` then do
the work, or say what is wrong.

Letters: N batch, T time, K states.
"""

from dataclasses import dataclass

import numpy as np

from course_lib import _hmm_chunks as chunks
from course_lib import _hmm_sweeps as sweeps
from course_lib._hmm_chunked_viterbi import chunked_viterbi
from course_lib._hmm_data import log_table, table
from course_lib.hmm_backward import backward
from course_lib.hmm_forward import forward_filter, log_with_zeros


@dataclass(slots=True, eq=False)
class Passes:
    """What the passes leave behind; gamma and moves are None after the forward pass alone."""

    alpha: np.ndarray | None  # (T, K, N)
    gamma: np.ndarray | None  # (T, K, N)
    moves: np.ndarray | None  # (K, K) expected moves, short of the factor A
    log_evidence: np.ndarray  # (N,) nats


def is_long(batch):
    """Say whether to cut one long sequence into chunks."""
    N, T = batch.ys.shape[:2]
    return N == 1 and T >= chunks.FROM_T and batch.inside is None


def starts_of(batch, pi):
    """Return the start distribution once a sequence, (K, N)."""
    return np.repeat(pi[:, None], len(batch.ys), axis=1)


def evidence(batch):
    """Return the log evidence (N,) in nats."""
    if batch.inside is None:
        b, log_size, _ = table(batch)
        with np.errstate(divide="ignore", invalid="ignore"):
            if is_long(batch):
                total = chunks.chunked_evidence(b, batch.pi, batch.A)
            else:
                total = sweeps.evidence_sweep(b, starts_of(batch, batch.pi), batch.A)[0]
        if total is not None and np.isfinite(total).all():
            return np.atleast_1d(total + np.sum(log_size, axis=0))
    return forward_pass(batch).log_evidence


def forward_pass(batch):
    """Return the forward pass of all sequences."""
    b, log_size, spare = table(batch)
    done = None
    with np.errstate(divide="ignore", invalid="ignore"):
        if is_long(batch):
            done = chunks.chunked_filter(b, batch.pi, batch.A)
        if done is None:
            done = sweeps.forward_sweep(b, starts_of(batch, batch.pi), batch.A, spare)
    alpha, c = done
    if not c.min() > sweeps.SMALLEST:
        return by_loops(batch, c)
    return Passes(alpha, None, None, summed_logs(batch, c, log_size))


def both_passes(batch, count_moves=False):
    """Return the forward and the backward pass of all sequences."""
    b, log_size, spare = table(batch)
    moves = np.zeros(batch.A.shape) if count_moves else None
    with np.errstate(divide="ignore", invalid="ignore"):
        done = chunks.chunked_smooth(b, batch.pi, batch.A, moves) if is_long(batch) else None
        if done is None:
            alpha, c = sweeps.forward_sweep(b, starts_of(batch, batch.pi), batch.A, spare)
            if not c.min() > sweeps.SMALLEST:
                return by_loops(batch, c)
            if not (batch.pi.min() > 0 and batch.A.min() > 0):
                b *= alpha > 0  # beta of a state that cannot be reached may overflow
            b /= c[:, None]
            sweeps.backward_sweep(b, np.ones(b.shape[1:]), batch.A, alpha, batch.inside, moves)
            done = alpha, c
    gamma, c = done
    return Passes(None, gamma, moves, summed_logs(batch, c, log_size))


def summed_logs(batch, c, log_size):
    """Return the sum of log c over the steps that are not padding (N,)."""
    log_c = np.log(c) + log_size
    return (log_c if batch.inside is None else np.where(batch.inside, log_c, 0.0)).sum(axis=0)


def named(error, batch, n):
    """Return an error of a text-book loop with the sequence that it is about."""
    where = "t=" if batch.single else f"sequence {n}, t="
    return ValueError(str(error).replace("t=", where, 1))


def by_loops(batch, c):
    """Run the text-book loops, first on the sequences whose ``c`` (T, N) is too small."""
    (N, T), K = batch.ys.shape[:2], len(batch.pi)
    alpha, gamma, log_evidence = np.zeros((T, K, N)), np.zeros((T, K, N)), np.empty(N)
    moves = np.zeros((K, K))
    bad = ~(c > sweeps.SMALLEST).all(axis=0)
    for n in np.argsort(~bad, kind="stable"):
        y, end = batch.ys[n, : batch.lengths[n]], batch.lengths[n]
        try:
            trace = forward_filter(y, batch.pi, batch.A, batch.emission)
        except ValueError as error:
            raise named(error, batch, n) from None
        smoothed = trace.alpha * backward(y, batch.pi, batch.A, batch.emission)
        alpha[:end, :, n], gamma[:end, :, n] = trace.alpha, smoothed
        log_evidence[n] = trace.log_evidence
        predicted = np.where(trace.predicted > 0, trace.predicted, 1.0)
        moves += trace.alpha[:-1].T @ (smoothed / predicted)[1:]
    return Passes(alpha, gamma, moves, log_evidence)


def best_paths(batch):
    """Return the most probable paths (T, N) and their log joints (N,) in nats.

    None if an observation is impossible.
    """
    log_pi, log_A = log_with_zeros(batch.pi), log_with_zeros(batch.A)
    log_b, spare = log_table(batch)
    if is_long(batch):
        with np.errstate(invalid="ignore"):
            path = chunked_viterbi(log_b, log_pi, log_A)
        if path is not None:
            z = path[:, 0]
            moves = log_A[z[:-1], z[1:]].sum()
            shows = log_b[np.arange(len(z)), z, 0].sum()
            return path, np.atleast_1d(log_pi[z[0]] + moves + shows)
    log_delta = sweeps.viterbi_sweep(log_b, starts_of(batch, log_pi), log_A, spare)
    last = batch.lengths - 1
    final = log_delta[last, :, np.arange(len(last))]  # (N, K)
    log_joint = final.max(axis=1)
    if not np.isfinite(log_joint).all():
        return None
    last = None if batch.inside is None else last
    return sweeps.backtrack(log_delta, final.argmax(axis=1), log_A, last), log_joint
