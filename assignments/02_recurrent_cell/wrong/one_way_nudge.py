# loses: nudge=1.475
"""Compares with the function where it stands, not up with down."""


# grade_id: nudge
def check_gradient(f, W, dW, nudge=None):
    """Return the gradient of f at W by central differences, and the relative error of dW."""
    nudge = 1e-6 if nudge is None else nudge
    measured = np.zeros(W.shape)
    for index in np.ndindex(W.shape):
        up, down = W.astype(float), W.astype(float)  # two copies
        up[index] += nudge
        down[index] -= nudge
        measured[index] = (f(up) - f(W)) / nudge
    wrong, size = np.sqrt(((dW - measured) ** 2).sum()), np.sqrt((measured**2).sum())
    return measured, 0.0 if wrong == 0 else wrong / size
