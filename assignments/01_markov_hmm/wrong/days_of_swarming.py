# loses: report=1.625
"""Counts days of swarming instead of swarms."""


# grade_id: report
def report(path, alpha, gamma):
    """Return a dictionary: swarms, first_alarm, disagreements, expected_days."""
    swarming = np.asarray(path) == 2
    alarms = np.flatnonzero(alpha[:, 0] < 0.5)
    return {
        "swarms": int(swarming.sum()),
        "first_alarm": int(alarms[0]) if len(alarms) else -1,
        "disagreements": int((gamma.argmax(axis=1) != path).sum()),
        "expected_days": gamma.sum(axis=0),
    }
