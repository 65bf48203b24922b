# loses: nudge=0.25
"""Divides zero by zero where nothing depends on the weights."""


# grade_id: nudge
def check_gradient(f, W, dW, nudge=1e-6):
    """Return the gradient of f at W by central differences, and the relative error of dW."""
    measured = np.zeros(W.shape)
    for index in np.ndindex(W.shape):
        up, down = W.astype(float), W.astype(float)  # two copies
        up[index] += nudge
        down[index] -= nudge
        measured[index] = (f(up) - f(down)) / (2 * nudge)
    wrong, size = np.sqrt(((dW - measured) ** 2).sum()), np.sqrt((measured**2).sum())
    return measured, wrong / size
