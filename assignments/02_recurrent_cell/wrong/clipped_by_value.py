# loses: update=2.25
"""Trims every entry by itself, which turns the gradient."""


# grade_id: update
def update(weights, grads, max_norm, rate):
    """Return the new weights, and the joint norm of all gradients before clipping."""
    norm = float(np.sqrt(sum((gradient**2).sum() for gradient in grads.values())))
    trimmed = {name: np.clip(grads[name], -max_norm, max_norm) for name in grads}
    moved = {name: weights[name] - rate * trimmed[name] for name in weights}
    return moved, norm
