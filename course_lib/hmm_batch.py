r"""Hidden Markov models for many sequences at once, or for one long one: the fast twins of
:mod:`course_lib.hmm`.

A batch ``ys`` is (N, T), or (N, T, D) for D features, padded at the end, with ``lengths`` (N,);
one sequence (T,), or (T, D) where D > 1, is read as a batch of one. What is stored behind the end
of a sequence is never looked at. Results equal the text-book loops; tests hold them to it.

Letters: N batch, T time, K states, V symbols, D features.

References
----------
Rabiner (1989), doi:10.1109/5.18626: our ``alpha`` and ``c`` are his scaled variables, c = 1 / c_t.
Hassan, Sarkka and Garcia-Fernandez (2021), doi:10.1109/TSP.2021.3103338: parallel in time.
"""

from dataclasses import dataclass

import numpy as np

from course_lib import hmm_sweeps as sweeps
from course_lib._checks import check_hmm, check_lengths
from course_lib.emissions import Categorical, Gaussian, check_observations, log_likelihood

CHUNKED_FROM_T = 48  # below it the set-up costs more than the loop
CHUNKED_TO_K = {"filter": 24, "smooth": 24, "viterbi": 6}  # a transfer matrix costs K times more


@dataclass(frozen=True, slots=True)
class Counts:
    """Expected counts of one pass over the data (the E-step).

    ``emissions`` holds for categorical states the expected symbol counts (K, V), for Poisson the
    weighted sums of counts (K,), for Gaussian the weighted sums (2, K, D) of y - mean and of
    (y - mean)^2, with the mean of the parameters that were used.
    """

    start: np.ndarray  # (K,) expected starts
    transitions: np.ndarray  # (K, K) expected moves from i to j
    visits: np.ndarray  # (K,) expected steps in each state
    emissions: np.ndarray
    log_evidence: np.ndarray  # (N,) nats


@dataclass(frozen=True, slots=True)
class _Batch:
    pi: np.ndarray
    A: np.ndarray
    emission: object
    ys: np.ndarray  # (N, T) or (N, T, D); behind the ends stands a copy of the first item
    lengths: np.ndarray  # (N,)
    inside: np.ndarray  # (T, N) False behind the end of a sequence
    single: bool


def _read(ys, pi, A, B, lengths):
    pi, A, emission = check_hmm(pi, A, B)
    ys = np.asarray(ys)
    D = emission.mean.shape[1] if isinstance(emission, Gaussian) else 1
    single = ys.ndim == (1 if D == 1 else 2)
    ys = ys[None] if single else ys
    if isinstance(emission, Gaussian) and ys.ndim == 2:
        ys = ys[..., None]
    wanted = 3 if isinstance(emission, Gaussian) else 2
    if ys.ndim != wanted or ys.shape[1] == 0 or len(ys) == 0:
        kind = "(N, T, D)" if wanted == 3 else "(N, T)"
        raise ValueError(f"ys must have shape (T,) or {kind} without empty axes, got {ys.shape}")
    N, T = ys.shape[:2]
    lengths = check_lengths("lengths", lengths, N, T)
    inside = np.arange(T)[:, None] < lengths
    if not inside.all():
        mask = inside.T.reshape(N, T, *[1] * (ys.ndim - 2))
        ys = np.where(mask, ys, ys[:, :1])
    ys = check_observations("y" if single else "ys", ys[0] if single else ys, emission)
    return _Batch(pi, A, emission, ys[None] if single else ys, lengths, inside, single)


def _table(batch):
    """Return b (T, K, N), probabilities up to a factor per step, and that log factor (T, N)."""
    N, T = batch.ys.shape[:2]
    if isinstance(batch.emission, Categorical):
        b = np.take(batch.emission.B.T, batch.ys.T, axis=0)  # (T, N, K)
        log_size = 0.0
    else:
        log_b = np.moveaxis(log_likelihood(batch.ys, batch.emission), 0, 1)  # (T, N, K)
        log_size = log_b.max(axis=2)
        log_size = np.where(np.isfinite(log_size), log_size, 0.0)
        b = np.exp(log_b - log_size[..., None])
    b = b.reshape(T, -1, 1) if N == 1 else np.ascontiguousarray(b.transpose(0, 2, 1))
    if not batch.inside.all():
        b[np.broadcast_to(~batch.inside[:, None], b.shape)] = 1.0
        log_size = np.where(batch.inside, log_size, 0.0)
    return b, log_size


def _chunk_length(batch, task):
    """Return the chunk length for one long sequence of few states, else None."""
    T, K = len(batch.inside), len(batch.pi)
    short = len(batch.ys) > 1 or T < CHUNKED_FROM_T or not batch.inside.all()
    if short or K > CHUNKED_TO_K[task]:
        return None
    return max(8, round(np.sqrt(T / 2)))


def _refuse_impossible(batch, bad):
    """Raise for the first impossible step; ``bad`` (T, N)."""
    n = int(bad.any(axis=0).argmax())
    t = int(bad[:, n].argmax())
    what = np.asarray(batch.ys[n, t]).squeeze()
    where = f"t={t}" if batch.single else f"sequence {n}, t={t}"
    raise ValueError(
        f"observation {what} at {where} has probability zero in every state that can be reached; "
        "check the symbols, or give no emission and transition probability 0"
    )


def _forward(batch, b):
    L = _chunk_length(batch, "filter")
    with np.errstate(divide="ignore", invalid="ignore"):
        done = sweeps.chunked_filter(b, batch.pi, batch.A, L) if L else None
        if done is None:
            start = np.repeat(batch.pi[:, None], b.shape[2], axis=1)
            done = sweeps.forward_sweep(b, start, batch.A)
    bad = ~(done[1] > 0)
    if bad.any():
        _refuse_impossible(batch, bad)
    return done


def _forward_backward(batch):
    """Return alpha, beta, w * beta (T, K, N) and the log evidence (N,)."""
    b, log_size = _table(batch)
    L = _chunk_length(batch, "smooth")
    with np.errstate(divide="ignore", invalid="ignore"):
        done = sweeps.chunked_smooth(b, batch.pi, batch.A, L) if L else None
    if done is None:
        alpha, c = _forward(batch, b)
        w = np.divide(b, c[:, None], out=b)
        beta, ahead = sweeps.backward_sweep(w, np.ones(b.shape[1:]), batch.A)
    else:
        alpha, c, beta, ahead = done
    return alpha, beta, ahead, _sum_logs(batch, c, log_size)


def _sum_logs(batch, c, log_size):
    return np.where(batch.inside, np.log(c) + log_size, 0.0).sum(axis=0)


def log_evidence(ys, pi, A, B, lengths=None):
    """Return log p(y) of every sequence.

    Parameters
    ----------
    ys : ndarray of shape (N, T), (N, T, D) or (T,)
        Observations, padded at the end.
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
    batch = _read(ys, pi, A, B, lengths)
    b, log_size = _table(batch)
    return _sum_logs(batch, _forward(batch, b)[1], log_size)


def filter_batch(ys, pi, A, B, lengths=None):
    """Return (alpha (N, T, K), log_evidence (N,)); arguments as in :func:`log_evidence`.

    Behind the end of a sequence ``alpha`` is 0.
    """
    batch = _read(ys, pi, A, B, lengths)
    b, log_size = _table(batch)
    alpha, c = _forward(batch, b)
    return _batch_first(batch, alpha), _sum_logs(batch, c, log_size)


def smooth_batch(ys, pi, A, B, lengths=None):
    """Return p(z_t | y) (N, T, K), 0 behind the ends; arguments as in :func:`log_evidence`."""
    batch = _read(ys, pi, A, B, lengths)
    alpha, beta, _, _ = _forward_backward(batch)
    return _batch_first(batch, np.multiply(alpha, beta, out=alpha))


def _batch_first(batch, x):
    if not batch.inside.all():
        x = x * batch.inside[:, None]
    return x.transpose(2, 0, 1)


def viterbi_batch(ys, pi, A, B, lengths=None):
    """Return (path (N, T), log_joint (N,)); arguments as in :func:`log_evidence`.

    Behind the end of a sequence ``path`` is -1.
    """
    batch = _read(ys, pi, A, B, lengths)
    b, log_size = _table(batch)
    with np.errstate(divide="ignore"):
        log_b, log_pi, log_A = np.log(b), np.log(batch.pi), np.log(batch.A)
    log_size = np.sum(np.broadcast_to(log_size, batch.inside.shape), axis=0)
    L = _chunk_length(batch, "viterbi")
    done = sweeps.chunked_viterbi(log_b, log_pi, log_A, L) if L else None
    if done is not None:
        return done[0][None], done[1] + log_size
    N = b.shape[2]
    log_delta = sweeps.viterbi_sweep(log_b, np.repeat(log_pi[:, None], N, axis=1), log_A)
    last = batch.lengths - 1
    bad = np.isneginf(log_delta.max(axis=1)) & batch.inside
    if bad.any():
        _refuse_impossible(batch, bad)
    final = log_delta[last, :, np.arange(N)]  # (N, K)
    path = sweeps.backtrack(
        log_delta, final.argmax(axis=1), log_A, None if batch.inside.all() else last
    )
    return np.where(batch.inside, path, -1).T, final.max(axis=1) + log_size


def expected_counts(ys, pi, A, B, lengths=None):
    """Return the expected :class:`Counts` under the posterior; arguments as in log_evidence."""
    batch = _read(ys, pi, A, B, lengths)
    alpha, beta, ahead, log_evidence = _forward_backward(batch)
    if not batch.inside.all():
        ahead *= batch.inside[:, None]
    moves = np.tensordot(alpha[:-1], ahead[1:], axes=((0, 2), (0, 2)))
    gamma = np.multiply(alpha, beta, out=beta)
    if not batch.inside.all():
        gamma *= batch.inside[:, None]
    return Counts(
        start=gamma[0].sum(axis=1),
        transitions=batch.A * moves,
        visits=gamma.sum(axis=(0, 2)),
        emissions=_emission_sums(batch, gamma),
        log_evidence=log_evidence,
    )


def _emission_sums(batch, gamma):
    K = len(batch.pi)
    weights = gamma.transpose(1, 2, 0).reshape(K, -1)  # (K, N * T)
    y = batch.ys.reshape(weights.shape[1], -1)  # (N * T, 1) or (N * T, D)
    if isinstance(batch.emission, Categorical):
        V = batch.emission.B.shape[1]
        return np.stack([np.bincount(y[:, 0], row, minlength=V) for row in weights])
    if isinstance(batch.emission, Gaussian):
        centred = y - batch.emission.mean[:, None]  # (K, N * T, D)
        first = np.einsum("kn,knd->kd", weights, centred)
        return np.stack([first, np.einsum("kn,knd->kd", weights, centred**2)])
    return weights @ y[:, 0]
