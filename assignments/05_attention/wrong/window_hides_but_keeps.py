# loses: carry=0.5
"""Looks through a window, but keeps everything."""


# grade_id: cache
def cache_step(q, k, v, cache, window):
    """Return the context of the newest entry, shape (D,), and the cache for the next step."""
    if cache is None:
        keys, values = k[None], v[None]
    else:
        keys, values = np.vstack([cache[0], k]), np.vstack([cache[1], v])
    scores = keys @ q / np.sqrt(len(q))
    if window is not None:
        scores[:-window] = -np.inf
    powers = np.exp(scores - scores.max())
    return powers @ values / powers.sum(), (keys, values)
