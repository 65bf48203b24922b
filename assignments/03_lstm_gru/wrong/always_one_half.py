# loses: patience=0.75
"""Knows half-lives only, whatever share is asked for."""


# grade_id: bias_for
def bias_for(share, steps):
    """Return the forget bias at which this share is left after so many steps."""
    return -np.log(np.expm1(-np.log(0.5) / steps))  # f / (1 - f) = 1 / (1 / f - 1)
