# loses: forward=1, learn=0.5
"""Multiplies on without scaling and normalises at the end."""


# grade_id: forward
def forward(weights, pi, A):
    """Return the filter, shape (T, K), and the log evidence in nats."""
    joint = np.empty(weights.shape)
    joint[0] = pi * weights[0]
    for t in range(1, len(weights)):
        joint[t] = (joint[t - 1] @ A) * weights[t]
    return joint / joint.sum(axis=1, keepdims=True), np.log(joint[-1].sum())
