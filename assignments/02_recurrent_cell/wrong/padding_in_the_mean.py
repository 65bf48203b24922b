# loses: score=1.5, update=1
"""Divides by all days of the array, padding included."""


# grade_id: score
def score(h, rises, lengths, w_hy):
    """Return the loss, dh (N, T, H) and dw_hy (H,)."""
    counts = np.arange(rises.shape[1]) < lengths[:, None]  # (N, T)
    error = np.where(counts, h[:, 1:] @ w_hy - rises, 0.0)
    days = counts.size
    dw_hy = (error[:, :, None] * h[:, 1:]).sum(axis=(0, 1)) / days
    return (error**2).sum() / (2 * days), error[:, :, None] * w_hy / days, dw_hy
