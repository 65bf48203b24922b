# loses: states=2
"""Starts every record at zero."""


# grade_id: states
def states(x, lengths, h0, W_xh, W_hh, b_h):
    """Return all states, shape (N, T + 1, H); slot 0 is h0."""
    N, T, _ = x.shape
    h = np.empty((N, T + 1, h0.shape[1]))
    h[:, 0] = 0.0
    for t in range(T):
        running = (t < lengths)[:, None]
        h[:, t + 1] = np.where(running, np.tanh(x[:, t] @ W_xh + h[:, t] @ W_hh + b_h), h[:, t])
    return h
