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
EVIDENCE_L = 12  # steps of a chunk where chunks are multiplied in pairs
ROUNDS = 4
SAME = 1e-13  # relative change of a start that is only rounding
TINY = np.finfo(float).tiny


def chunk_length(T, K):
    """Return L: sweeps of L steps against T / L chunks to chain, or long enough to forget."""
    return max(8 if K <= TRANSFER_TO_K else 24, round(np.sqrt(T / 2)))


def cut(b, fill, L=None):
    """Cut (T, K, 1) into chunks side by side, (L, K, C); the last one is filled up."""
    T, K, _ = b.shape
    L = chunk_length(T, K) if L is None else L
    C = -(-T // L)
    whole = np.full((C * L, K), fill)
    whole[:T] = b[:, :, 0]
    return np.ascontiguousarray(whole.reshape(C, L, K).transpose(1, 2, 0))


def uncut(x, T):
    """Undo :func:`cut`: (L, K, C) to (T, K, 1)."""
    L, K, C = x.shape
    return np.ascontiguousarray(x.transpose(2, 0, 1)).reshape(C * L, K)[:T, :, None]


def transfer_matrices(chunks, A):
    """Return what each chunk does to each start, (C, K, K), and the log of a factor taken out."""
    L, K, C = chunks.shape
    M, A_T = np.array(np.broadcast_to(np.eye(K)[:, :, None], (K, K, C))), np.ascontiguousarray(A.T)
    shown, log_size = np.empty_like(M), 0.0
    flat, flat_shown = M.reshape(K, K * C), shown.reshape(K, K * C)
    for t in range(L):
        np.multiply(M, chunks[t][:, None], out=shown)  # (to, start, C)
        if t % sweeps.EVERY == sweeps.EVERY - 1 or t == L - 1:
            top = np.maximum(flat_shown.max(axis=0).reshape(K, C).max(axis=0), TINY)
            shown /= top
            log_size += np.log(top).sum()
        np.matmul(A_T, flat_shown, out=flat)
    return np.ascontiguousarray(M.transpose(2, 1, 0)), log_size  # `to` is the next chunk's prior


def product(M):
    """Return the product of matrices (to, start, C), first to last, and the log of its size."""
    log_size = 0.0
    while M.shape[2] > 1:
        rest = M[:, :, M.shape[2] - M.shape[2] % 2 :]
        pairs = (M[:, :, None, 1::2] * M[None, :, :, : 2 * (M.shape[2] // 2) : 2]).sum(axis=1)
        top = pairs.max(axis=(0, 1))
        log_size += np.log(top).sum()
        M = np.concatenate([pairs / top, rest], axis=2)
    return M[:, :, 0], log_size


def chain(first, M):
    """Return the vector before each chunk, and behind the last, (K, C + 1); columns sum to 1.

    None where a product comes near underflow.
    """
    rows = np.empty((len(M) + 1, len(first)))
    rows[0] = first
    for n in range(len(M)):
        v = np.dot(rows[n], M[n], out=rows[n + 1])
        if n % sweeps.EVERY == sweeps.EVERY - 1:
            total = v.sum()
            if not total > sweeps.SMALLEST:
                return None
            v /= total
    total = rows.sum(axis=1)
    if not total.min() > sweeps.SMALLEST:
        return None
    return np.ascontiguousarray((rows / total[:, None]).T)


def same(new, old):
    """Say whether two sets of starts differ by rounding only."""
    return bool((np.abs(new - old) <= SAME * old).all())


def forgetful(A):
    """Say whether filling behind the end leaves no mark: rows sum to 1 but for rounding."""
    return np.abs(A.sum(axis=1) - 1).max() <= SAME


def chunked_evidence(b, pi, A):
    """Return the log evidence of one sequence, or None."""
    if not forgetful(A):
        return None
    if len(pi) <= TRANSFER_TO_K:
        if not (pi.min() > 0 and A.min() > 0):
            return None  # what cannot be reached could hide what can
        M, log_size = transfer_matrices(cut(b, 1.0, EVIDENCE_L), A)
        M, log_rest = product(M.transpose(2, 1, 0))
        return np.log((M @ pi).sum()) + log_size + log_rest
    chunks = cut(b, 1.0)
    starts = guess(chunks, pi, A)
    for _ in range(ROUNDS):
        total, ends = sweeps.evidence_sweep(chunks, starts, A)
        if same(ends[:, :-1], starts[:, 1:]):
            return total.sum()
        starts[:, 1:] = ends[:, :-1]
    return None


def guess(chunks, pi, A):
    """Return starts (K, C): where each chunk ends, had its neighbour started anywhere."""
    starts = np.full(chunks.shape[1:], 1 / len(pi))
    starts[:, 0] = pi
    starts[:, 1:] = sweeps.evidence_sweep(chunks, starts, A)[1][:, :-1]
    return starts


def filter_chunks(b, pi, A):
    """Return the chunks, their alpha (L, K, C), c (L, C) and transfer matrices, or None."""
    if not forgetful(A):
        return None
    chunks = cut(b, 1.0)
    if len(pi) <= TRANSFER_TO_K:
        M = transfer_matrices(chunks, A)[0]
        chained = chain(pi, M)
        if chained is None:
            return None
        alpha, c = sweeps.forward_sweep(chunks, chained[:, :-1], A)
        return (chunks, alpha, c, M) if c.min() > sweeps.SMALLEST else None
    starts = guess(chunks, pi, A)
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


def chunked_smooth(b, pi, A, moves=None):
    """Return gamma (T, K, 1) and c (T, 1), or None; ``moves`` as in ``backward_sweep``."""
    T, done = len(b), filter_chunks(b, pi, A)
    if done is None:
        return None
    w, alpha, c, M = done
    L, K, C = w.shape
    if not (pi.min() > 0 and A.min() > 0):
        w *= alpha > 0  # beta of a state that cannot be reached may overflow
    w /= c[:, None]
    inside = np.arange(L)[:, None] + L * np.arange(C) < T  # behind it stands filling
    w[~inside[:, -1], :, -1] = 1.0
    ends = np.ones((K, C))
    if M is not None:
        chained = chain(np.ones(K), M[::-1].transpose(0, 2, 1))
        if chained is None:
            return None
        ends[:, :-1] = A @ chained[:, -2:0:-1]
        size = (alpha[-1] * ends).sum(axis=0)  # they come with a free factor
        if not size.min() > sweeps.SMALLEST:
            return None
        ends /= size
    elif not settle_ends(w, ends, A):
        return None
    last = alpha[-1, :, :-1].copy()
    sweeps.backward_sweep(w, ends, A, alpha, inside, moves)
    if moves is not None:
        moves += last @ w[0, :, 1:].T
    return uncut(alpha, T), c.T.reshape(-1, 1)[:T]


def settle_ends(w, ends, A):
    """Bring the last beta of every chunk (K, C) to what its neighbour says, in place."""
    beta, ahead = np.empty(ends.shape), np.empty(ends.shape)
    for _ in range(ROUNDS):
        beta[:] = ends
        for t in range(len(w) - 1, -1, -1):
            np.multiply(w[t], beta, out=ahead)
            np.matmul(A, ahead, out=beta)
        if same(beta[:, 1:], ends[:, :-1]):
            return True
        ends[:, :-1] = beta[:, 1:]
    return False
