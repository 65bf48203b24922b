# loses: update=0.25
"""Makes short gradients longer, too."""


# grade_id: update
def update(weights, grads, max_norm, rate):
    """Return the new weights, and the joint norm of all gradients before clipping."""
    norm = float(np.sqrt(sum((gradient**2).sum() for gradient in grads.values())))
    factor = max_norm / norm if norm > 0 else 1.0
    moved = {name: weights[name] - rate * factor * grads[name] for name in weights}
    return moved, norm
