# loses: running_mean=1.75
"""Divides by one more than the number of entries so far, except at the start."""


# grade_id: running_mean
def running_mean(x):
    counts = np.arange(1, len(x) + 1)
    counts[1:] += 1
    return np.cumsum(x) / counts
