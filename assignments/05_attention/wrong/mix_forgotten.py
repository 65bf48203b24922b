# loses: back=2.5
"""Weighs the gradient without taking the mix off: rows do not sum to 0."""


# grade_id: back
def look_up_backward(d_context, weights, q, k, v, temperature):
    """Return the gradients at q, k, v and the temperature."""
    d_weights = d_context @ v.T
    d_scores = weights * d_weights / temperature
    root = np.sqrt(q.shape[1])
    d_temperature = -(d_scores * (q @ k.T / root)).sum() / temperature
    return d_scores @ k / root, d_scores.T @ q / root, weights.T @ d_context, d_temperature
