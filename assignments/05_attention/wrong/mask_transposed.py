# loses: masks=1.25
"""Takes the column for the one who asks."""


# grade_id: masks
def may_look(lengths, T, causal):
    """Return who may look where on each page: bools of shape (N, T, T)."""
    lines = np.arange(T)
    may = np.broadcast_to(lines < np.asarray(lengths)[:, None, None], (len(lengths), T, T))
    return may & (lines[:, None] <= lines) if causal else may.copy()
