# loses: learn=2.5
"""Divides the moves by the days in a mood, the last day of each log included."""


# grade_id: learn
def em_step(logs, pi, A, B, pseudocount):
    """Return pi, A and B after one step of Baum-Welch over all logs."""
    started, moved, heard = (np.full(table.shape, float(pseudocount)) for table in (pi, A, B))
    visits = np.full((len(pi), 1), float(pseudocount) * len(pi))
    for sounds in logs:
        never_opened = np.full(len(sounds), -1)
        gamma, xi = smooth(weigh(sounds, never_opened, B), pi, A)
        started += gamma[0]
        moved += xi.sum(axis=0)
        visits[:, 0] += gamma.sum(axis=0)
        for t in range(len(sounds)):
            if sounds[t] >= 0:
                heard[:, sounds[t]] += gamma[t]
    return (
        started / started.sum(),
        moved / visits,
        heard / heard.sum(axis=1, keepdims=True),
    )
