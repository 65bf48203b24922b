# loses: masks=1.5
"""Without the causal rule gives one row a page instead of T."""


# grade_id: masks
def may_look(lengths, T, causal):
    """Return who may look where on each page: bools of shape (N, T, T)."""
    lines = np.arange(T)
    may = np.broadcast_to(lines < np.asarray(lengths)[:, None, None], (len(lengths), 1, T))
    return may & (lines <= lines[:, None]) if causal else may.copy()
