# loses: masks=2
"""Lets everybody look at the empty lines."""


# grade_id: masks
def may_look(lengths, T, causal):
    """Return who may look where on each page: bools of shape (N, T, T)."""
    lines = np.arange(T)
    may = np.ones((len(lengths), T, T), dtype=bool)
    return may & (lines <= lines[:, None]) if causal else may.copy()
