# loses: carry=1.5
"""Sends the queries through phi, and the keys as they are."""


# grade_id: tally
def tally_step(q, k, v, tally, fade):
    """Return the context of the newest entry, shape (D,), and the tally for the next step."""
    table, total = (np.zeros((len(k), len(v))), np.zeros(len(k))) if tally is None else tally
    table = fade * table + np.outer(k, v)
    total = fade * total + k
    return phi(q) @ table / (phi(q) @ total), (table, total)
