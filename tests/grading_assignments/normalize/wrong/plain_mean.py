# loses: running_mean=2
"""Returns the mean of everything: a number, not a series."""


# grade_id: running_mean
def running_mean(x):
    return np.mean(x)
