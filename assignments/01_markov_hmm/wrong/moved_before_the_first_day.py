# loses: forward=2.5, smooth=2, learn=3, report=0.25
"""Moves the start once before the first day."""


# grade_id: forward
def forward(weights, pi, A):
    """Return the filter, shape (T, K), and the log evidence in nats."""
    alpha, log_evidence, prior = np.empty(weights.shape), 0.0, pi @ A
    for t in range(len(weights)):
        joint = prior * weights[t]
        c = joint.sum()
        if c == 0:
            raise ValueError(f"the notes of day {t} contradict the model")
        alpha[t] = joint / c
        log_evidence += np.log(c)
        prior = alpha[t] @ A
    return alpha, log_evidence
