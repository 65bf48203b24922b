# loses: carry=1.5
"""Weighs all entries alike: neither the query nor the keys are looked at."""


# grade_id: tally
def tally_step(q, k, v, tally, fade):
    """Return the context of the newest entry, shape (D,), and the tally for the next step."""
    total, count = (0.0, 0.0) if tally is None else tally
    total, count = fade * total + v, fade * count + 1.0
    return total / count, (total, count)
