# loses: learn=3
"""Reads all logs as one: the last day of one moves to the first of the next."""


# grade_id: learn
def em_step(logs, pi, A, B, pseudocount):
    """Return pi, A and B after one step of Baum-Welch over all logs."""
    started, moved, heard = (np.full(table.shape, float(pseudocount)) for table in (pi, A, B))
    for sounds in [np.concatenate(logs)]:
        never_opened = np.full(len(sounds), -1)
        gamma, xi = smooth(weigh(sounds, never_opened, B), pi, A)
        started += gamma[0]
        moved += xi.sum(axis=0)
        for t in range(len(sounds)):
            if sounds[t] >= 0:
                heard[:, sounds[t]] += gamma[t]
    return (
        started / started.sum(),
        moved / moved.sum(axis=1, keepdims=True),
        heard / heard.sum(axis=1, keepdims=True),
    )
