# loses: score=1.6, update=1
"""Takes the error the wrong way round."""


# grade_id: score
def score(h, rises, lengths, w_hy):
    """Return the loss, dh (N, T, H) and dw_hy (H,)."""
    counts = np.arange(rises.shape[1]) < lengths[:, None]  # (N, T)
    error = np.where(counts, rises - h[:, 1:] @ w_hy, 0.0)
    days = counts.sum()
    dw_hy = (error[:, :, None] * h[:, 1:]).sum(axis=(0, 1)) / days
    return (error**2).sum() / (2 * days), error[:, :, None] * w_hy / days, dw_hy
