# loses: report=1.125
"""Rings the alarm by the smoother, which has read later evenings."""


# grade_id: report
def report(path, alpha, gamma):
    """Return a dictionary: swarms, first_alarm, disagreements, expected_days."""
    swarming = np.asarray(path) == 2
    begins = swarming & ~np.append(False, swarming[:-1])
    alarms = np.flatnonzero(gamma[:, 0] < 0.5)
    return {
        "swarms": int(begins.sum()),
        "first_alarm": int(alarms[0]) if len(alarms) else -1,
        "disagreements": int((gamma.argmax(axis=1) != path).sum()),
        "expected_days": gamma.sum(axis=0),
    }
