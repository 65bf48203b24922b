# loses: carry=1
"""Keeps all keys and values and adds them up anew at every step."""


# grade_id: tally
def tally_step(q, k, v, tally, fade):
    """Return the context of the newest entry, shape (D,), and the tally for the next step."""
    entries = [*(tally or []), (k, v)]
    ages = reversed(range(len(entries)))
    weights = [fade**age * (phi(q) @ phi(key)) for age, (key, _) in zip(ages, entries, strict=True)]
    mixed = sum(w * value for w, (_, value) in zip(weights, entries, strict=True))
    return mixed / sum(weights), entries
