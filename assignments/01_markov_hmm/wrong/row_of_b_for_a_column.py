# loses: weigh=2, learn=3, report=1
"""Takes the row of B where the column of the word is wanted."""


# grade_id: weigh
def weigh(sounds, opened, B):
    """Return how probable the notes of each day are under each mood, shape (T, K)."""
    moods = np.arange(len(B))
    weights = np.ones((len(sounds), len(B)))
    for t in range(len(sounds)):
        if sounds[t] >= 0:
            weights[t] *= B[sounds[t]]
        if opened[t] >= 0:
            weights[t] *= moods == opened[t]
    return weights
