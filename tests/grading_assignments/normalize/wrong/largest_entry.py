# loses: normalize=2
"""Divides by the largest entry instead of the sum."""


# grade_id: normalize
def normalize(x):
    return x / np.max(x)
