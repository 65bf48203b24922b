# loses: reach=2
"""Takes the root of all squares, not the spectral norm."""


# grade_id: reach
def reach(h, W_hh):
    """Return the spectral norm of d h_T / d h_t for every slot t, shape (T + 1,)."""
    norms, product = np.full(len(h), np.sqrt(len(W_hh))), np.eye(len(W_hh))
    for t in reversed(range(len(h) - 1)):
        product = product @ ((1 - h[t + 1] ** 2)[:, None] * W_hh.T)  # one day further back
        norms[t] = np.linalg.norm(product)
    return norms
