# loses: score=1.2, update=1
"""Zeroes the errors of the padding after the squares, and leaves its dh."""


# grade_id: score
def score(h, rises, lengths, w_hy):
    """Return the loss, dh (N, T, H) and dw_hy (H,)."""
    counts = np.arange(rises.shape[1]) < lengths[:, None]  # (N, T)
    error = h[:, 1:] @ w_hy - rises
    days = counts.sum()
    dw_hy = (error[:, :, None] * h[:, 1:])[counts].sum(axis=0) / days
    return (error[counts] ** 2).sum() / (2 * days), error[:, :, None] * w_hy / days, dw_hy
