# loses: heads=0.75
"""Deals the shared keys out by turns, not to neighbours."""


# grade_id: heads
def heads(x, W_q, W_k, W_v, W_o, may, n_heads):
    """Return the outputs, shape (N, T, M), and the weights, shape (N, n_heads, T, T)."""
    N, T, M = x.shape
    E = M // n_heads
    q, k, v = ((x @ W).reshape(N, T, -1, E).swapaxes(1, 2) for W in (W_q, W_k, W_v))
    share = n_heads // k.shape[1]
    k, v = np.tile(k, (1, share, 1, 1)), np.tile(v, (1, share, 1, 1))
    scores = np.where(may[:, None], q @ k.swapaxes(2, 3) / np.sqrt(E), -np.inf)
    powers = np.exp(scores - scores.max(axis=3, keepdims=True))
    weights = powers / powers.sum(axis=3, keepdims=True)
    return (weights @ v).swapaxes(1, 2).reshape(N, T, M) @ W_o, weights
