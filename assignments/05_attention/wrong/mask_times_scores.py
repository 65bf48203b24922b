# loses: look=2.5
"""Multiplies the scores by the mask: a score of 0 is none that hides."""


# grade_id: look
def look_up(q, k, v, may, temperature):
    """Return the contexts, shape (T, D), and the weights, shape (T, S)."""
    blind = np.flatnonzero(~may.any(axis=1))
    if len(blind):
        raise ValueError(f"query {blind[0]} may look nowhere")
    scores = may * (q @ k.T / np.sqrt(q.shape[1]))
    best = scores.max(axis=1, keepdims=True)
    if temperature == 0:
        powers = (scores == best).astype(float)
    else:
        powers = np.exp((scores - best) / temperature)
    weights = powers / powers.sum(axis=1, keepdims=True)
    return weights @ v, weights
