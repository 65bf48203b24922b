# loses: forward=0.5
"""Returns a belief that is not a number where the notes contradict the model."""


# grade_id: forward
def forward(weights, pi, A):
    """Return the filter, shape (T, K), and the log evidence in nats."""
    alpha, log_evidence, prior = np.empty(weights.shape), 0.0, pi
    for t in range(len(weights)):
        joint = prior * weights[t]
        c = joint.sum()
        alpha[t] = joint / c
        log_evidence += np.log(c)
        prior = alpha[t] @ A
    return alpha, log_evidence
