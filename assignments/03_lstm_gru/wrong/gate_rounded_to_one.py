# loses: patience=0.25
"""Computes the gate first and then 1 - gate."""


# grade_id: bias_for
def bias_for(share, steps):
    """Return the forget bias at which this share is left after so many steps."""
    f = share ** (1 / steps)
    return np.log(f / (1 - f))
