# loses: look=2
"""Forgets to divide by the root of the width."""


# grade_id: look
def look_up(q, k, v, may, temperature):
    """Return the contexts, shape (T, D), and the weights, shape (T, S)."""
    blind = np.flatnonzero(~may.any(axis=1))
    if len(blind):
        raise ValueError(f"query {blind[0]} may look nowhere")
    scores = np.where(may, q @ k.T, -np.inf)
    best = scores.max(axis=1, keepdims=True)
    if temperature == 0:
        powers = (scores == best).astype(float)
    else:
        powers = np.exp((scores - best) / temperature)
    weights = powers / powers.sum(axis=1, keepdims=True)
    return weights @ v, weights
