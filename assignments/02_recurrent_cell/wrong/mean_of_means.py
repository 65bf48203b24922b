# loses: score=1.5, update=1
"""Gives each record the same weight, however few days it has."""


# grade_id: score
def score(h, rises, lengths, w_hy):
    """Return the loss, dh (N, T, H) and dw_hy (H,)."""
    counts = np.arange(rises.shape[1]) < lengths[:, None]  # (N, T)
    error = np.where(counts, h[:, 1:] @ w_hy - rises, 0.0)
    share = error / (lengths[:, None] * len(lengths))
    dw_hy = (share[:, :, None] * h[:, 1:]).sum(axis=(0, 1))
    return 0.5 * (share * error).sum(), share[:, :, None] * w_hy, dw_hy
