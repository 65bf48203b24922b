# loses: reach=2
"""Takes W_hh where the Jacobian has its transpose."""


# grade_id: reach
def reach(h, W_hh):
    """Return the spectral norm of d h_T / d h_t for every slot t, shape (T + 1,)."""
    norms, product = np.ones(len(h)), np.eye(len(W_hh))
    for t in reversed(range(len(h) - 1)):
        product = product @ ((1 - h[t + 1] ** 2)[:, None] * W_hh)  # one day further back
        norms[t] = np.linalg.norm(product, 2)
    return norms
