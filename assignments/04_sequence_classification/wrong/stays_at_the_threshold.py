# loses: report=1.25
"""Climbs above the threshold only."""


# grade_id: report
def report(p, ended, in_vain, waiting):
    """Return a dictionary: threshold, climbs, minutes, gap."""
    threshold = in_vain / (in_vain + waiting)
    climb = p > threshold
    bins = np.minimum((5 * p).astype(int), 4)
    gap = sum(abs(p[bins == b].sum() - ended[bins == b].sum()) for b in range(5)) / len(p)
    return {
        "threshold": threshold,
        "climbs": int(climb.sum()),
        "minutes": float(in_vain * (climb & ~ended).sum() + waiting * (~climb & ended).sum()),
        "gap": float(gap),
    }
