# loses: viterbi=0.5
"""Multiplies probabilities instead of adding logarithms."""


# grade_id: viterbi
def best_two(weights, pi, A):
    """Return the most probable path, its log joint probability, and that of the next best."""
    T, K = len(weights), len(pi)
    with np.errstate(divide="ignore"):  # log 0 = -inf: impossible
        log_weights, log_pi, log_A = weights, pi, A
    first, second = log_pi * log_weights[0], np.zeros(K)  # the two best into each mood
    back = np.zeros((T, K), dtype=int)
    for t in range(1, T):
        arrive = first[:, None] * log_A  # (from, to)
        back[t] = arrive.argmax(axis=0)
        ranked = np.sort(np.concatenate([arrive, second[:, None] * log_A]), axis=0)
        first, second = ranked[-1] * log_weights[t], ranked[-2] * log_weights[t]
    path = np.empty(T, dtype=int)
    path[-1] = first.argmax()
    for t in reversed(range(1, T)):
        path[t - 1] = back[t, path[t]]
    ranked = np.sort(np.concatenate([first, second]))
    with np.errstate(divide="ignore"):
        return path, np.log(ranked[-1]), np.log(ranked[-2])
