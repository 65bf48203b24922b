# loses: normalize=1
"""Takes the softmax: it sums to one, but not in the proportions of x."""


# grade_id: normalize
def normalize(x):
    return np.exp(x) / np.exp(x).sum()
