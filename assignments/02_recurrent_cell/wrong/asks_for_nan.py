# loses: states=0.375, score=0.25
"""Takes for padding what is nan, and never asks for the lengths."""


# grade_id: states
def states(x, lengths, h0, W_xh, W_hh, b_h):
    """Return all states, shape (N, T + 1, H); slot 0 is h0."""
    N, T, _ = x.shape
    h = np.empty((N, T + 1, h0.shape[1]))
    h[:, 0] = h0
    for t in range(T):
        running = ~np.isnan(x[:, t]).any(axis=1)[:, None]
        h[:, t + 1] = np.where(running, np.tanh(x[:, t] @ W_xh + h[:, t] @ W_hh + b_h), h[:, t])
    return h


# grade_id: score
def score(h, rises, lengths, w_hy):
    """Return the loss, dh (N, T, H) and dw_hy (H,)."""
    counts = ~np.isnan(rises)  # (N, T)
    error = np.where(counts, h[:, 1:] @ w_hy - rises, 0.0)
    days = counts.sum()
    dw_hy = (error[:, :, None] * h[:, 1:]).sum(axis=(0, 1)) / days
    return (error**2).sum() / (2 * days), error[:, :, None] * w_hy / days, dw_hy
