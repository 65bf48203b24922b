# loses: states=1.25, update=1
"""Reads the padding as if it were days."""


# grade_id: states
def states(x, lengths, h0, W_xh, W_hh, b_h):
    """Return all states, shape (N, T + 1, H); slot 0 is h0."""
    N, T, _ = x.shape
    h = np.empty((N, T + 1, h0.shape[1]))
    h[:, 0] = h0
    for t in range(T):
        h[:, t + 1] = np.tanh(x[:, t] @ W_xh + h[:, t] @ W_hh + b_h)
    return h
