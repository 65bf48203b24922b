# loses: masks=2
"""Forbids the empty lines to ask."""


# grade_id: masks
def may_look(lengths, T, causal):
    """Return who may look where on each page: bools of shape (N, T, T)."""
    lines = np.arange(T)
    may = np.broadcast_to(lines < np.asarray(lengths)[:, None, None], (len(lengths), T, T))
    may = may & may.swapaxes(1, 2)
    return may & (lines <= lines[:, None]) if causal else may.copy()
