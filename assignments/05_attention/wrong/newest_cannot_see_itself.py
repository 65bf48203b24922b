# loses: carry=1.5
"""Asks the cache before the newest entry is filed."""


# grade_id: cache
def cache_step(q, k, v, cache, window):
    """Return the context of the newest entry, shape (D,), and the cache for the next step."""
    if cache is None:
        keys, values = k[None], v[None]
    else:
        keys, values = np.vstack([cache[0], k]), np.vstack([cache[1], v])
    if window is not None:
        keys, values = keys[-window:], values[-window:]
    if cache is not None:
        keys, values = keys[:-1], values[:-1]
    scores = keys @ q / np.sqrt(len(q))
    powers = np.exp(scores - scores.max())
    return powers @ values / powers.sum(), (np.vstack([keys, k]), np.vstack([values, v]))
