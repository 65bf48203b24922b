# loses: smooth=1.5, learn=2.5
"""Forgets to divide the pairwise posteriors by the evidence of the next day."""


# grade_id: smooth
def smooth(weights, pi, A):
    """Return the smoother, shape (T, K), and the pairwise posteriors, shape (T - 1, K, K)."""
    T, K = len(weights), len(pi)
    alpha, _ = forward(weights, pi, A)
    gamma, xi, beta = alpha.copy(), np.empty((T - 1, K, K)), np.ones(K)
    for t in reversed(range(T - 1)):
        c = ((alpha[t] @ A) * weights[t + 1]).sum()
        later = weights[t + 1] * beta
        xi[t] = alpha[t][:, None] * A * later
        gamma[t] = xi[t].sum(axis=1) / c
        beta = A @ later / c
    return gamma, xi
