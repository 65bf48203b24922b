# loses: split=0.5
"""Takes a new random number each time: the same seed gives another choice."""


# grade_id: split
def split(cards, share, seed):
    """Return which visits are held back: N truth values."""
    different = np.unique(cards)
    number = round(share * len(different))
    chosen = np.random.default_rng().choice(different, size=number, replace=False)
    return np.isin(cards, chosen)
