# loses: split=1.5
"""Holds back the cards with the smallest numbers: no chance in it, whatever the seed."""


# grade_id: split
def split(cards, share, seed):
    """Return which visits are held back: N truth values."""
    different = np.unique(cards)
    number = round(share * len(different))
    chosen = different[:number]
    return np.isin(cards, chosen)
