# loses: weigh=2, learn=0.5, report=1
"""A flat battery is weighed as the last word: B[:, -1]."""


# grade_id: weigh
def weigh(sounds, opened, B):
    """Return how probable the notes of each day are under each mood, shape (T, K)."""
    moods = np.arange(len(B))
    weights = np.ones((len(sounds), len(B)))
    for t in range(len(sounds)):
        weights[t] *= B[:, sounds[t]]
        if opened[t] >= 0:
            weights[t] *= moods == opened[t]
    return weights
