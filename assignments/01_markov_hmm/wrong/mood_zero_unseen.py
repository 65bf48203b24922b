# loses: weigh=0.5, report=0.75
"""Takes a look that showed mood 0 for no look."""


# grade_id: weigh
def weigh(sounds, opened, B):
    """Return how probable the notes of each day are under each mood, shape (T, K)."""
    moods = np.arange(len(B))
    weights = np.ones((len(sounds), len(B)))
    for t in range(len(sounds)):
        if sounds[t] >= 0:
            weights[t] *= B[:, sounds[t]]
        if opened[t] > 0:
            weights[t] *= moods == opened[t]
    return weights
