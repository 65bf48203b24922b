# loses: report=0.25
"""Sees a swarm only where the path changes, not on its first day; takes day 0 for no alarm."""


# grade_id: report
def report(path, alpha, gamma):
    """Return a dictionary: swarms, first_alarm, disagreements, expected_days."""
    swarming = np.asarray(path) == 2
    begins = swarming & ~np.append(True, swarming[:-1])
    alarms = np.flatnonzero(alpha[:, 0] < 0.5)
    return {
        "swarms": int(begins.sum()),
        "first_alarm": int(alarms[0]) if len(alarms) else -1,
        "disagreements": int((gamma.argmax(axis=1) != path).sum()),
        "expected_days": gamma.sum(axis=0),
    }
