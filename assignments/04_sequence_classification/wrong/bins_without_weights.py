# loses: report=1.625
"""Takes the plain mean over the bins that hold a visit."""


# grade_id: report
def report(p, ended, in_vain, waiting):
    """Return a dictionary: threshold, climbs, minutes, gap."""
    threshold = in_vain / (in_vain + waiting)
    climb = p >= threshold
    bins = np.minimum((5 * p).astype(int), 4)
    held = [bins == b for b in range(5) if (bins == b).any()]
    gap = sum(abs(p[b].mean() - ended[b].mean()) for b in held) / len(held)
    return {
        "threshold": threshold,
        "climbs": int(climb.sum()),
        "minutes": float(in_vain * (climb & ~ended).sum() + waiting * (~climb & ended).sum()),
        "gap": float(gap),
    }
