# loses: nudge=1.625
"""Moves the entries in place and leaves them moved."""


# grade_id: nudge
def check_gradient(f, W, dW, nudge=None):
    """Return the gradient of f at W by central differences, and the relative error of dW."""
    nudge = 1e-6 if nudge is None else nudge
    measured = np.zeros(W.shape)
    for index in np.ndindex(W.shape):
        W[index] += nudge
        up = f(W)
        W[index] -= 2 * nudge
        measured[index] = (up - f(W)) / (2 * nudge)
    wrong, size = np.sqrt(((dW - measured) ** 2).sum()), np.sqrt((measured**2).sum())
    return measured, 0.0 if wrong == 0 else wrong / size
