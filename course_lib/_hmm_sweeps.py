"""Sweeps over time for many sequences side by side: one matrix product a step.

Arrays are (T, K, N). Letters: N batch, T time, K states.
"""

import numpy as np

EVERY = 8  # steps between normalisations; what comes near underflow is done again with 1
FEW = 4  # states
WIDE = 128  # sequences
SMALLEST = 1e-200  # below it digits may be lost


def evidence_sweep(b, start, A):
    """Return the log evidence (N,) and the last prior (K, N); NaN where the passes must look."""
    T, K, N = b.shape
    prior, u, A_T = np.array(start), np.empty((K, N)), np.ascontiguousarray(A.T)
    sums = np.empty((-(-T // EVERY), N))
    for t in range(T):
        np.multiply(prior, b[t], out=u)
        if t % EVERY == EVERY - 1 or t == T - 1:
            total = np.add.reduce(u, axis=0, out=sums[t // EVERY])
            u /= total
        np.matmul(A_T, u, out=prior)
    sums[~(sums > SMALLEST)] = np.nan
    return np.log(sums).sum(axis=0), prior


def forward_sweep(b, start, A, u=None, every=EVERY):
    """Return alpha (T, K, N) and c (T, N); columns of ``start`` (K, N) are the first priors.

    ``u`` is where alpha is written, if that is given.
    ``c`` is 0 or NaN where an observation is impossible, and from there on.
    """
    T, K, N = b.shape
    u, before = np.empty((T, K, N)) if u is None else u, np.empty((T, N))
    prior, A_T = np.array(start), np.ascontiguousarray(A.T)
    for t in range(T):
        u_t = np.multiply(prior, b[t], out=u[t])
        if t % every == every - 1:
            np.add.reduce(u_t, axis=0, out=before[t])
            u_t /= before[t]
        np.matmul(A_T, u_t, out=prior)
    after = u.sum(axis=1)
    rescaled = np.arange(T) % every == every - 1
    before[~rescaled] = after[~rescaled]
    if every > 1 and not before.min() > SMALLEST:
        return forward_sweep(b, start, A, u, every=1)
    u /= after[:, None]
    before[1:] /= after[:-1]
    return u, before


def backward_sweep(w, end, A, alpha, inside=None, moves=None):
    """Turn alpha (T, K, N) into gamma, and ``w`` = b / c into w * beta, in place.

    ``end`` (K, N) is the last beta. What is expected to move from i to j, short of the factor A, is
    added to ``moves`` (K, K) if that is given. Returns the first beta (K, N).
    """
    beta, step = np.array(end), np.empty(A.shape)
    padded = np.zeros(len(w), dtype=bool) if inside is None else ~inside.all(axis=1)
    alpha[-1] *= beta
    for t in range(len(w) - 1, 0, -1):
        ahead = np.multiply(w[t], beta, out=w[t])
        np.matmul(A, ahead, out=beta)
        if padded[t]:
            ahead *= inside[t]
            np.copyto(beta, 1.0, where=~inside[t])
        if moves is not None:
            moves += np.matmul(alpha[t - 1], ahead.T, out=step)
        alpha[t - 1] *= beta
    w[0] *= beta
    return beta


def viterbi_sweep(log_b, start, log_A, log_delta=None):
    """Return log_delta (T, K, N); columns of ``start`` (K, N) stand in for log pi."""
    T, K, N = log_b.shape
    log_delta = np.empty((T, K, N)) if log_delta is None else log_delta
    scores = np.empty((K, K, N))
    np.add(start, log_b[0], out=log_delta[0])
    into = log_A[:, :, None]
    if N < WIDE:  # short rows: one long loop over stored copies is faster
        into = np.ascontiguousarray(np.broadcast_to(into, scores.shape))
    rows = list(scores)
    for t in range(1, T):
        np.add(log_delta[t - 1][:, None], into, out=scores)  # (from, to, N)
        best = log_delta[t]
        if K > FEW:
            np.maximum.reduce(scores, axis=0, out=best)
        else:  # a reduction of two rows costs more than it computes
            np.maximum(rows[0], rows[-1], out=best)
            for row in rows[1:-1]:
                np.maximum(best, row, out=best)
        best += log_b[t]
    return log_delta


def backtrack(log_delta, end, log_A, last=None):
    """Return the path (T, N) that ends in state ``end`` (N,) at step ``last`` (N,).

    No pointers are stored: the best predecessor is looked for along the path only.
    """
    T, K, N = log_delta.shape
    path, scores = np.empty((T, N), dtype=np.intp), np.empty((N, K))
    into = np.ascontiguousarray(log_A.T)
    path[-1] = end
    for t in range(T - 2, -1, -1):
        into.take(path[t + 1], axis=0, out=scores, mode="clip")  # from every state into the next
        scores += log_delta[t].T
        scores.argmax(axis=1, out=path[t])
        if last is not None:
            np.copyto(path[t], end, where=t >= last)
    return path
