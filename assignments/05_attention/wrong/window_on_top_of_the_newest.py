# loses: carry=1
"""Counts the window without the newest entry."""


# grade_id: cache
def cache_step(q, k, v, cache, window):
    """Return the context of the newest entry, shape (D,), and the cache for the next step."""
    if cache is None:
        keys, values = k[None], v[None]
    else:
        keys, values = np.vstack([cache[0], k]), np.vstack([cache[1], v])
    if window is not None:
        keys, values = keys[-window - 1 :], values[-window - 1 :]
    scores = keys @ q / np.sqrt(len(q))
    powers = np.exp(scores - scores.max())
    return powers @ values / powers.sum(), (keys, values)
