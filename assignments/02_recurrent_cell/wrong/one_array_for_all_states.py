# loses: states=2, update=1
"""Overwrites one array, which the list holds T + 1 times."""


# grade_id: states
def states(x, lengths, h0, W_xh, W_hh, b_h):
    """Return all states, shape (N, T + 1, H); slot 0 is h0."""
    h = h0.copy()
    slots = [h]
    for t in range(x.shape[1]):
        running = (t < lengths)[:, None]
        h[:] = np.where(running, np.tanh(x[:, t] @ W_xh + h @ W_hh + b_h), h)
        slots.append(h)
    return np.stack(slots, axis=1)
