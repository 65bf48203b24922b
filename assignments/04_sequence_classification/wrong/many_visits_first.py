# loses: split=0.5
"""Draws visits until it has enough cards, so who comes often is nearly always held back."""


# grade_id: split
def split(cards, share, seed):
    """Return which visits are held back: N truth values."""
    number = round(share * len(np.unique(cards)))
    order = np.random.default_rng(seed).permutation(cards)
    return np.isin(cards, list(dict.fromkeys(order))[:number])
