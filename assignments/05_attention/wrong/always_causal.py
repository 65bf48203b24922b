# loses: masks=1.5
"""Hides what comes later even where one may look at it."""


# grade_id: masks
def may_look(lengths, T, causal):
    """Return who may look where on each page: bools of shape (N, T, T)."""
    lines = np.arange(T)
    may = np.broadcast_to(lines < np.asarray(lengths)[:, None, None], (len(lengths), T, T))
    return may & (lines <= lines[:, None])
