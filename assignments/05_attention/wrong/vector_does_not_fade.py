# loses: carry=1
"""Lets the table fade and the vector not."""


# grade_id: tally
def tally_step(q, k, v, tally, fade):
    """Return the context of the newest entry, shape (D,), and the tally for the next step."""
    table, total = (np.zeros((len(k), len(v))), np.zeros(len(k))) if tally is None else tally
    table = fade * table + np.outer(phi(k), v)
    total = total + phi(k)
    return phi(q) @ table / (phi(q) @ total), (table, total)
