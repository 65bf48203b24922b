# loses: patience=0.75
"""Returns the time after which 1 / e is left."""


# grade_id: half_life
def half_life(bias):
    """Return the steps after which a gate with this bias has kept one half."""
    return 1 / np.log1p(np.exp(-bias))  # -ln σ(b) = ln(1 + exp(-b))
