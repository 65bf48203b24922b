"""One long sequence, cut into chunks that are swept side by side.

Few states: a first sweep finds what each chunk does to every start (its transfer matrix), the
chunks are chained, and a second sweep runs each from its true start: the associative scan of
:mod:`course_lib.scan` with two levels. More states: each chunk starts from a guess, and again from
the end of its neighbour, until nothing changes; a chain that forgets its start is done in two
rounds, and one that does not is left to the plain sweep. Every function returns None when it cannot
do the work; the plain sweep then does it.

Letters: T time, K states, C chunks, L steps in a chunk.

References
----------
Hassan, Sarkka and Garcia-Fernandez (2021), doi:10.1109/TSP.2021.3103338: parallel in time.
Maleki, Musuvathi and Mytkowicz (2014), doi:10.1145/2555243.2555264: rank convergence.
"""

import numpy as np

from course_lib import _hmm_sweeps as sweeps

FROM_T = 48  # below it the set-up costs more than the loop
TRANSFER_TO_K = 6  # a transfer matrix costs K times more
ROUNDS = 4
SAME = 1e-13  # relative change of a start that is only rounding
TINY = np.finfo(float).tiny


def chunk_length(T):
    """Return L: two sweeps of L steps against T / L chunks to chain."""
    return max(8, round(np.sqrt(T / 2)))


def cut(b, fill):
    """Cut (T, K, 1) into chunks side by side, (L, K, C); the last one is filled up."""
    T, K, _ = b.shape
    L = chunk_length(T)
    C = -(-T // L)
    whole = np.full((C * L, K), fill)
    whole[:T] = b[:, :, 0]
    return np.ascontiguousarray(whole.reshape(C, L, K).transpose(1, 2, 0))


def uncut(x, T):
    """Undo :func:`cut`: (L, K, C) to (T, K, 1)."""
    L, K, C = x.shape
    return np.ascontiguousarray(x.transpose(2, 0, 1)).reshape(C * L, K)[:T, :, None]


def transfer_matrices(chunks, A):
    """Return what each chunk does to each start, (C, K, K), up to a factor per chunk."""
    L, K, C = chunks.shape
    M, A_T = np.array(np.broadcast_to(np.eye(K)[:, :, None], (K, K, C))), np.ascontiguousarray(A.T)
    shown = np.empty_like(M)
    for t in range(L):
        np.multiply(M, chunks[t][:, None], out=shown)  # (to, start, C)
        if t % sweeps.EVERY == sweeps.EVERY - 1:
            shown /= np.maximum(shown.max(axis=(0, 1)), TINY)
        np.matmul(A_T, shown.reshape(K, K * C), out=M.reshape(K, K * C))
    return M.transpose(2, 1, 0)  # (C, start, to); `to` is the prior of the next chunk


def chain(first, M):
    """Return the vector before each chunk (K, C), sums 1: ``first``, then one product a chunk.

    None where a product comes near underflow.
    """
    rows = np.empty((len(M), len(first)))
    v = first
    for n in range(len(M)):
        rows[n] = v
        v = v @ M[n]
        top = v.max()
        if not top > sweeps.SMALLEST:
            return None
        v /= top
    return np.ascontiguousarray((rows / rows.sum(axis=1, keepdims=True)).T)


def same(new, old):
    """Say whether two sets of starts differ by rounding only."""
    return bool((np.abs(new - old) <= SAME * old).all())


def filter_chunks(b, pi, A):
    """Return the chunks, their alpha (L, K, C), c (L, C) and transfer matrices, or None."""
    if np.abs(A.sum(axis=1) - 1).max() > SAME:
        return None  # filling would count
    chunks = cut(b, 1.0)
    _, K, C = chunks.shape
    if K <= TRANSFER_TO_K:
        M = transfer_matrices(chunks, A)
        starts = chain(pi, M)
        if starts is None:
            return None
        alpha, c = sweeps.forward_sweep(chunks, starts, A)
        return (chunks, alpha, c, M) if c.min() > sweeps.SMALLEST else None
    starts = np.full((K, C), 1 / K)
    starts[:, 0] = pi
    starts[:, 1:] = sweeps.evidence_sweep(chunks, starts, A)[1][:, :-1]
    for _ in range(ROUNDS):
        alpha, c = sweeps.forward_sweep(chunks, starts, A)
        if not c.min() > sweeps.SMALLEST:
            return None
        ends = A.T @ alpha[-1, :, :-1]
        if same(ends, starts[:, 1:]):
            return chunks, alpha, c, None
        starts[:, 1:] = ends
    return None


def chunked_filter(b, pi, A):
    """Return alpha (T, K, 1) and c (T, 1) of one sequence, or None."""
    done = filter_chunks(b, pi, A)
    if done is None:
        return None
    _, alpha, c, _ = done
    return uncut(alpha, len(b)), c.T.reshape(-1, 1)[: len(b)]


def chunked_smooth(b, pi, A):
    """Return alpha, c, beta and w * beta of one sequence, or None."""
    T, done = len(b), filter_chunks(b, pi, A)
    if done is None:
        return None
    chunks, alpha, c, M = done
    L, K, C = chunks.shape
    w = np.multiply(chunks, alpha > 0, out=chunks)
    w /= c[:, None]
    n_last = T - (C - 1) * L  # behind it stands filling
    w[n_last:, :, -1] = 1.0
    if M is not None:
        behind = chain(np.ones(K), M[::-1].transpose(0, 2, 1))
        if behind is None:
            return None
        ends = A @ behind[:, ::-1]
        beta, ahead = sweeps.backward_sweep(w, ends, A)
    else:
        ends = np.ones((K, C))
        for _ in range(ROUNDS):
            beta, ahead = sweeps.backward_sweep(w, ends, A)
            new = A @ ahead[0, :, 1:]
            if same(new, ends[:, :-1]):
                break
            ends[:, :-1] = new
        else:
            return None
    size = (alpha[-1] * beta[-1]).sum(axis=0)  # ends of chunks come with a free factor
    if not size.min() > sweeps.SMALLEST:
        return None
    beta /= size
    ahead /= size
    return uncut(alpha, T), c.T.reshape(-1, 1)[:T], uncut(beta, T), uncut(ahead, T)


def chunked_viterbi(log_b, log_pi, log_A):
    """Return the path (T, 1) of one sequence, or None."""
    T, K, _ = log_b.shape
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
