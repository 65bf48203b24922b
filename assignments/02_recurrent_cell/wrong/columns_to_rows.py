# loses: states=2, update=1
"""Multiplies the state with the transposed W_hh, as from a table stored (to, from)."""


# grade_id: states
def states(x, lengths, h0, W_xh, W_hh, b_h):
    """Return all states, shape (N, T + 1, H); slot 0 is h0."""
    N, T, _ = x.shape
    h = np.empty((N, T + 1, h0.shape[1]))
    h[:, 0] = h0
    for t in range(T):
        running = (t < lengths)[:, None]
        h[:, t + 1] = np.where(running, np.tanh(x[:, t] @ W_xh + h[:, t] @ W_hh.T + b_h), h[:, t])
    return h
