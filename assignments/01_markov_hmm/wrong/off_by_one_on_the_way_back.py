# loses: smooth=2, learn=3, report=0.5
"""Weighs the way back with day t, where day t + 1 is wanted."""


# grade_id: smooth
def smooth(weights, pi, A):
    """Return the smoother, shape (T, K), and the pairwise posteriors, shape (T - 1, K, K)."""
    T, K = len(weights), len(pi)
    alpha, _ = forward(weights, pi, A)
    gamma, xi, beta = alpha.copy(), np.empty((T - 1, K, K)), np.ones(K)
    for t in reversed(range(T - 1)):
        later = weights[t] * beta
        joint = alpha[t][:, None] * A * later  # past x move x future
        xi[t] = joint / joint.sum()
        gamma[t] = xi[t].sum(axis=1)
        beta = A @ later
        beta = beta / beta.sum()
    return gamma, xi
