# loses: weigh=1.5
"""A look into the hive replaces the word of that day."""


# grade_id: weigh
def weigh(sounds, opened, B):
    """Return how probable the notes of each day are under each mood, shape (T, K)."""
    moods = np.arange(len(B))
    weights = np.ones((len(sounds), len(B)))
    for t in range(len(sounds)):
        if sounds[t] >= 0:
            weights[t] *= B[:, sounds[t]]
        if opened[t] >= 0:
            weights[t] = moods == opened[t]
    return weights
