# loses: back=1.5
"""Takes the scores from the logarithm of the weights, minus infinity where one is 0."""


# grade_id: back
def look_up_backward(d_context, weights, q, k, v, temperature):
    """Return the gradients at q, k, v and the temperature."""
    d_weights = d_context @ v.T
    mix = (weights * d_weights).sum(axis=1, keepdims=True)
    d_scores = weights * (d_weights - mix) / temperature
    root = np.sqrt(q.shape[1])
    d_temperature = -(d_scores * np.log(weights) * temperature).sum() / temperature
    return d_scores @ k / root, d_scores.T @ q / root, weights.T @ d_context, d_temperature
