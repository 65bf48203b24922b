# loses: smooth=2, learn=3, report=0.5
"""Returns the filter: no way back."""


# grade_id: smooth
def smooth(weights, pi, A):
    """Return the smoother, shape (T, K), and the pairwise posteriors, shape (T - 1, K, K)."""
    T, K = len(weights), len(pi)
    alpha, _ = forward(weights, pi, A)
    gamma, xi, beta = alpha.copy(), np.empty((T - 1, K, K)), np.ones(K)
    for t in reversed(range(T - 1)):
        later = weights[t + 1]
        joint = alpha[t][:, None] * A * later  # past x move x future
        xi[t] = joint / joint.sum()
        pass
        beta = A @ later
        beta = beta / beta.sum()
    return gamma, xi
