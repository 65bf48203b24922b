# loses: nudge=0.375
"""Chooses a nudge that drowns in rounding."""


# grade_id: nudge
def check_gradient(f, W, dW, nudge=None):
    """Return the gradient of f at W by central differences, and the relative error of dW."""
    nudge = 1e-13 if nudge is None else nudge
    measured = np.zeros(W.shape)
    for index in np.ndindex(W.shape):
        up, down = W.astype(float), W.astype(float)  # two copies
        up[index] += nudge
        down[index] -= nudge
        measured[index] = (f(up) - f(down)) / (2 * nudge)
    wrong, size = np.sqrt(((dW - measured) ** 2).sum()), np.sqrt((measured**2).sum())
    return measured, 0.0 if wrong == 0 else wrong / size
