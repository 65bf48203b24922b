# loses: split=2
"""Holds back visits instead of cards: people are on both sides."""


# grade_id: split
def split(cards, share, seed):
    """Return which visits are held back: N truth values."""
    N = len(cards)
    held = np.zeros(N, dtype=bool)
    held[np.random.default_rng(seed).permutation(N)[: round(share * N)]] = True
    return held
