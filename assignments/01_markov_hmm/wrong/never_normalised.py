# loses: forward=3, smooth=1.5, learn=2, report=0.5
"""Forgets to normalise: the filter is a joint probability."""


# grade_id: forward
def forward(weights, pi, A):
    """Return the filter, shape (T, K), and the log evidence in nats."""
    joint = np.empty(weights.shape)
    joint[0] = pi * weights[0]
    for t in range(1, len(weights)):
        joint[t] = (joint[t - 1] @ A) * weights[t]
    return joint, np.log(joint[-1].sum())
