# loses: update=2.25
"""Steps first, and shortens the gradient when it has been used."""


# grade_id: update
def update(weights, grads, max_norm, rate):
    """Return the new weights, and the joint norm of all gradients before clipping."""
    norm = float(np.sqrt(sum((gradient**2).sum() for gradient in grads.values())))
    moved = {name: weights[name] - rate * grads[name] for name in weights}
    if norm > max_norm:
        grads = {name: max_norm / norm * grads[name] for name in grads}
    return moved, norm
