# loses: carry=1.5
"""Forgets the root of the width in the step by step version."""


# grade_id: cache
def cache_step(q, k, v, cache, window):
    """Return the context of the newest entry, shape (D,), and the cache for the next step."""
    if cache is None:
        keys, values = k[None], v[None]
    else:
        keys, values = np.vstack([cache[0], k]), np.vstack([cache[1], v])
    if window is not None:
        keys, values = keys[-window:], values[-window:]
    scores = keys @ q
    powers = np.exp(scores - scores.max())
    return powers @ values / powers.sum(), (keys, values)
