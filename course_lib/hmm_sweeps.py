r"""Sweeps over time for many sequences at once: the fast insides of :mod:`course_lib.hmm_batch`.

Arrays are time-major with the batch last, (T, K, N), so that one step is one matrix product.
One long sequence of few states is cut into chunks that are swept side by side: a first sweep finds
what each chunk does to every start (its transfer matrix), the chunks are chained, and a second
sweep runs each chunk from its true start. That is the associative scan of
:mod:`course_lib.scan` with two levels.

Letters: N batch, T time, K states, C chunks, L steps in a chunk.
"""

import numpy as np

RESCALE_EVERY = 8  # steps between normalisations; a block that comes near underflow is done again
SMALLEST_SUM = 1e-200


def forward_sweep(b, start, A, every=RESCALE_EVERY):
    """Return alpha (T, K, N) and c (T, N); columns of ``start`` (K, N) are the first priors.

    ``b`` holds observation probabilities. A column whose observations are impossible gets c = 0
    at that step, and NaN after it.
    """
    T, K, N = b.shape
    u, before = np.empty((T, K, N)), np.empty((T, N))
    prior, A_T = np.array(start), np.ascontiguousarray(A.T)
    for t in range(T):
        u_t = np.multiply(prior, b[t], out=u[t])
        if (t + 1) % every == 0:
            np.add.reduce(u_t, axis=0, out=before[t])
            u_t /= before[t]
        np.matmul(A_T, u_t, out=prior)
    after = u.sum(axis=1)
    rescaled = np.arange(T) % every == every - 1
    before[~rescaled] = after[~rescaled]
    if every > 1 and not before.min() > SMALLEST_SUM:
        return forward_sweep(b, start, A, every=1)
    u /= after[:, None]
    c = before
    c[1:] /= after[:-1]
    return u, c


def backward_sweep(w, end, A):
    """Return beta (T, K, N) and w * beta; ``w`` = b / c, ``end`` (K, N) the last beta."""
    T, K, N = w.shape
    beta, ahead = np.empty((T, K, N)), np.empty((T, K, N))
    beta[-1] = end
    for t in range(T - 1, 0, -1):
        np.multiply(w[t], beta[t], out=ahead[t])
        np.matmul(A, ahead[t], out=beta[t - 1])
    np.multiply(w[0], beta[0], out=ahead[0])
    return beta, ahead


def viterbi_sweep(log_b, start, log_A):
    """Return log_delta (T, K, N); columns of ``start`` (K, N) stand in for log pi."""
    T, K, N = log_b.shape
    log_delta, scores = np.empty((T, K, N)), np.empty((K, K, N))
    np.add(start, log_b[0], out=log_delta[0])
    table = log_A[:, :, None]
    for t in range(1, T):
        np.add(log_delta[t - 1][:, None], table, out=scores)  # (from, to, N)
        np.maximum.reduce(scores, axis=0, out=log_delta[t])
        log_delta[t] += log_b[t]
    return log_delta


def backtrack(log_delta, end, log_A, last=None):
    """Return the path (T, N) that ends in state ``end`` (N,) at step ``last`` (N,)."""
    T, _, N = log_delta.shape
    path, into = np.empty((T, N), dtype=np.intp), np.ascontiguousarray(log_A)
    path[-1] = end
    for t in range(T - 2, -1, -1):
        best = (log_delta[t] + into[:, path[t + 1]]).argmax(axis=0)
        path[t] = best if last is None else np.where(t < last, best, end)
    return path


def cut(b, L, fill):
    """Cut (T, K, 1) into chunks side by side, (L, K, C); the last one is filled up."""
    T, K, _ = b.shape
    C = -(-T // L)
    whole = np.full((C * L, K), fill)
    whole[:T] = b[:, :, 0]
    return np.ascontiguousarray(whole.reshape(C, L, K).transpose(1, 2, 0))


def uncut(x, T):
    """Undo :func:`cut`: (L, K, C) to (T, K, 1)."""
    L, K, C = x.shape
    return np.ascontiguousarray(x.transpose(2, 0, 1).reshape(C * L, K)[:T])[:, :, None]


def transfer_matrices(chunks, A):
    """Return what each chunk does to each start state, (C, K, K), up to a factor per chunk."""
    L, K, C = chunks.shape
    M, A_T = np.broadcast_to(np.eye(K)[:, :, None], (K, K, C)), np.ascontiguousarray(A.T)
    for t in range(L):
        M = M * chunks[t][:, None]  # (to, start, C)
        if t % RESCALE_EVERY == RESCALE_EVERY - 1:
            M /= np.maximum(M.max(axis=(0, 1)), np.finfo(float).tiny)
        M = (A_T @ M.reshape(K, K * C)).reshape(K, K, C)
    return M.transpose(2, 1, 0)  # (C, start, to); `to` is the prior of the next chunk


def chunked_smooth(b, pi, A, L):
    """Return alpha, c, beta and w * beta of one sequence; the same as two plain sweeps."""
    T = len(b)
    chunks = cut(b, L, 1.0)
    M = transfer_matrices(chunks, A)
    starts = chain(pi, M)
    alpha, c = forward_sweep(chunks, starts, A)
    if not c.min() > 0:
        return None  # impossible somewhere: the plain sweep finds the step
    w = chunks / c[:, None]
    ends = A @ chain(np.ones(len(pi)), M[::-1].transpose(0, 2, 1))[:, ::-1]
    beta, ahead = backward_sweep(w, ends, A)
    size = (alpha[-1] * beta[-1]).sum(axis=0)  # chunk ends come with a free factor
    beta /= size
    ahead /= size
    return uncut(alpha, T), c.T.reshape(-1, 1)[:T], uncut(beta, T), uncut(ahead, T)


def chunked_filter(b, pi, A, L):
    """Return alpha and c of one sequence; the same as the plain forward sweep."""
    chunks = cut(b, L, 1.0)
    alpha, c = forward_sweep(chunks, chain(pi, transfer_matrices(chunks, A)), A)
    return (uncut(alpha, len(b)), c.T.reshape(-1, 1)[: len(b)]) if c.min() > 0 else None


def chain(first, M):
    """Return the vector before each chunk (K, C), sums 1: ``first``, then one product a chunk."""
    rows = np.empty((len(M), len(first)))
    v = first
    for n in range(len(M)):
        rows[n] = v
        v = v @ M[n]
        v = v / max(v.max(), np.finfo(float).tiny)
    return np.ascontiguousarray((rows / rows.sum(axis=1, keepdims=True)).T)


def chunked_viterbi(log_b, log_pi, log_A, L):
    """Return path (T,) and log joint of one sequence."""
    T, K, _ = log_b.shape
    C = -(-T // L)
    chunks = cut(log_b, L, 0.0)
    # First sweep: best score from every start state of every chunk to every end state.
    unit = np.where(np.eye(K, dtype=bool), 0.0, -np.inf)  # (to, start)
    wide = np.repeat(chunks, K, axis=2)  # (L, K, C * K), start state fastest
    ends = viterbi_sweep(wide, np.tile(unit, (1, C)), log_A)[-1].reshape(K, C, K)
    starts, v = np.empty((K, C)), log_pi
    for n in range(C):
        starts[:, n] = v
        best = (ends[:, n] + v).max(axis=1)
        v = (best[:, None] + log_A).max(axis=0)
    log_delta = viterbi_sweep(chunks, starts, log_A)
    # Back: from every end state of every chunk, then chain the chunks from the last.
    n_last = T - (C - 1) * L
    final = log_delta[n_last - 1, :, -1]
    if not np.isfinite(final.max()):
        return None
    paths = backtrack(np.repeat(log_delta, K, axis=2), np.tile(np.arange(K), C), log_A)
    tail = backtrack(log_delta[:n_last, :, -1:], final.argmax(keepdims=True), log_A)[:, 0]
    pieces = [tail]
    for n in range(C - 2, -1, -1):
        end = int((log_delta[-1, :, n] + log_A[:, pieces[-1][0]]).argmax())
        pieces.append(paths[:, n * K + end])
    return np.concatenate(pieces[::-1]), float(final.max())
