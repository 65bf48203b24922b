# loses: look=0.5
"""Returns what is not a number for a query that may look nowhere."""


# grade_id: look
def look_up(q, k, v, may, temperature):
    """Return the contexts, shape (T, D), and the weights, shape (T, S)."""
    scores = np.where(may, q @ k.T / np.sqrt(q.shape[1]), -np.inf)
    best = scores.max(axis=1, keepdims=True)
    if temperature == 0:
        powers = (scores == best).astype(float)
    else:
        powers = np.exp((scores - best) / temperature)
    weights = powers / powers.sum(axis=1, keepdims=True)
    return weights @ v, weights
