# loses: heads=2
"""Divides by the root of the model width, not of the width of a head."""


# grade_id: heads
def heads(x, W_q, W_k, W_v, W_o, may, n_heads):
    """Return the outputs, shape (N, T, M), and the weights, shape (N, n_heads, T, T)."""
    N, T, M = x.shape
    E = M // n_heads
    q, k, v = ((x @ W).reshape(N, T, -1, E).swapaxes(1, 2) for W in (W_q, W_k, W_v))
    share = n_heads // k.shape[1]
    k, v = k.repeat(share, axis=1), v.repeat(share, axis=1)
    scores = np.where(may[:, None], q @ k.swapaxes(2, 3) / np.sqrt(M), -np.inf)
    powers = np.exp(scores - scores.max(axis=3, keepdims=True))
    weights = powers / powers.sum(axis=3, keepdims=True)
    return (weights @ v).swapaxes(1, 2).reshape(N, T, M) @ W_o, weights
