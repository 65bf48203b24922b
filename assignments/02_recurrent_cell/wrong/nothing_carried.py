# loses: states=2, update=1
"""Hands the initial state to the cell on every day."""


# grade_id: states
def states(x, lengths, h0, W_xh, W_hh, b_h):
    """Return all states, shape (N, T + 1, H); slot 0 is h0."""
    N, T, _ = x.shape
    h = np.empty((N, T + 1, h0.shape[1]))
    h[:, 0] = h0
    for t in range(T):
        running = (t < lengths)[:, None]
        h[:, t + 1] = np.where(running, np.tanh(x[:, t] @ W_xh + h0 @ W_hh + b_h), h[:, t])
    return h
