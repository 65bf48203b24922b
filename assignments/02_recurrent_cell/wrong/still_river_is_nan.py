# loses: update=0.5
"""Divides by a norm that can be zero."""


# grade_id: update
def update(weights, grads, max_norm, rate):
    """Return the new weights, and the joint norm of all gradients before clipping."""
    norm = float(np.sqrt(sum((gradient**2).sum() for gradient in grads.values())))
    factor = min(1.0, max_norm / norm)
    moved = {name: weights[name] - rate * factor * grads[name] for name in weights}
    return moved, norm
