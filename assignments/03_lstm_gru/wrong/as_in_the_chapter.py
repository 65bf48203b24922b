# loses: patience=0.25
"""Computes the gate first: from a bias of about 37 on it is 1."""


# grade_id: half_life
def half_life(bias):
    """Return the steps after which a gate with this bias has kept one half."""
    return np.log(0.5) / np.log(sigmoid(bias))
