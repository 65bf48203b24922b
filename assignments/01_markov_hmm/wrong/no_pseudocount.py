# loses: learn=2.5
"""Ignores the pseudocount."""


# grade_id: learn
def em_step(logs, pi, A, B, pseudocount):
    """Return pi, A and B after one step of Baum-Welch over all logs."""
    started, moved, heard = (np.zeros(table.shape) for table in (pi, A, B))
    for sounds in logs:
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
