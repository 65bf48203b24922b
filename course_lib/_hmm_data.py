"""What the fast passes read: a checked batch, and its tables of emission probabilities.

Letters: N batch, T time, K states, V symbols, D features. Tables are (T, K, N): time first, so that
one step is one block of memory and one matrix product.
"""

from dataclasses import dataclass

import numpy as np

from course_lib._checks import check_hmm, check_lengths
from course_lib.emissions import Categorical, Gaussian, check_observations, log_likelihood

FEW_STATES = 8  # up to here a table is gathered row by row


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Checked arguments."""

    pi: np.ndarray  # (K,)
    A: np.ndarray  # (K, K)
    emission: object
    ys: np.ndarray  # (N, T) or (N, T, D); behind the ends stands a copy of the first item
    lengths: np.ndarray  # (N,)
    inside: np.ndarray | None  # (T, N) False behind the end; None if there is nothing behind
    single: bool  # one sequence, given without the axis of the batch


def read_batch(ys, pi, A, B, lengths):
    """Return the checked :class:`Batch`."""
    pi, A, emission = check_hmm(pi, A, B)
    ys = np.asarray(ys)
    is_gaussian = isinstance(emission, Gaussian)
    D = emission.mean.shape[1] if is_gaussian else 1
    single = ys.ndim == (1 if D == 1 else 2)
    ys = ys[None] if single else ys
    if is_gaussian and ys.ndim == 2:
        ys = ys[..., None]
    if ys.ndim != (3 if is_gaussian else 2) or ys.size == 0 or (is_gaussian and ys.shape[2] != D):
        wanted = f"(N, T, {D})" if is_gaussian else "(N, T)"
        raise ValueError(
            f"ys must have shape (T,) or {wanted} without empty axes, got {ys.shape}; "
            "a sequence has at least one time step"
        )
    N, T = ys.shape[:2]
    lengths = check_lengths("lengths", lengths, N, T)
    inside = None
    if lengths.min() < T:
        inside = np.arange(T)[:, None] < lengths
        mask = inside.T.reshape(N, T, *[1] * (ys.ndim - 2))
        ys = np.where(mask, ys, ys[:, :1])  # padding may be anything, NaN and -1 too
    checked = check_observations("ys", ys[0] if single else ys, emission)
    return Batch(pi, A, emission, checked[None] if single else checked, lengths, inside, single)


def gather(rows, batch, out):
    """Write ``rows[k, y]`` of a table (K, V) into ``out`` (T, K, N)."""
    K, columns = len(rows), np.ascontiguousarray(rows.T)
    if len(batch.ys) == 1:
        columns.take(batch.ys[0], axis=0, out=out[:, :, 0], mode="clip")
        return
    y = np.ascontiguousarray(batch.ys.T)  # (T, N)
    if K <= FEW_STATES:
        for k in range(K):
            out[:, k] = rows[k][y]
        return
    for t in range(len(y)):
        out[t] = columns[y[t]].T


def two_tables(batch):
    """Return two empty arrays (T, K, N).

    They are one block of memory: the allocator keeps a block that is asked for again and again,
    and gives two blocks of half its size back to the system, which costs more than the passes.
    """
    N, T = batch.ys.shape[:2]
    return np.empty((2, T, len(batch.pi), N))


def log_table(batch):
    """Return the log likelihoods (T, K, N) in nats, 0 behind the ends, and a spare array."""
    log_b, spare = two_tables(batch)
    if isinstance(batch.emission, Categorical):
        with np.errstate(divide="ignore"):
            gather(np.log(batch.emission.B), batch, log_b)
    else:
        log_b[:] = log_likelihood(batch.ys, batch.emission).transpose(1, 2, 0)
    if batch.inside is not None:
        np.copyto(log_b, 0.0, where=~batch.inside[:, None])
    return log_b, spare


def table(batch):
    """Return likelihoods (T, K, N), 1 behind the ends, up to a factor; its log; a spare array.

    Densities are divided by the largest one of the step, and the log of that is (T, N);
    probabilities are left as they are, with 0.0 for the log.
    """
    if isinstance(batch.emission, Categorical):
        b, spare = two_tables(batch)
        gather(batch.emission.B, batch, b)
        if batch.inside is not None:
            np.copyto(b, 1.0, where=~batch.inside[:, None])
        return b, 0.0, spare
    log_b, spare = log_table(batch)
    log_size = log_b.max(axis=1)  # finite: densities are never 0
    log_b -= log_size[:, None]
    return np.exp(log_b, out=log_b), log_size, spare
