# loses: viterbi=0.5
"""Breaks ties in favour of the larger mood."""


# grade_id: viterbi
def best_two(weights, pi, A):
    """Return the most probable path, its log joint probability, and that of the next best."""
    T, K = len(weights), len(pi)
    with np.errstate(divide="ignore"):  # log 0 = -inf: impossible
        log_weights, log_pi, log_A = np.log(weights), np.log(pi), np.log(A)
    first, second = log_pi + log_weights[0], np.full(K, -np.inf)  # the two best into each mood
    back = np.zeros((T, K), dtype=int)
    for t in range(1, T):
        arrive = first[:, None] + log_A  # (from, to)
        back[t] = K - 1 - arrive[::-1].argmax(axis=0)
        ranked = np.sort(np.concatenate([arrive, second[:, None] + log_A]), axis=0)
        first, second = ranked[-1] + log_weights[t], ranked[-2] + log_weights[t]
    path = np.empty(T, dtype=int)
    path[-1] = K - 1 - first[::-1].argmax()
    for t in reversed(range(1, T)):
        path[t - 1] = back[t, path[t]]
    ranked = np.sort(np.concatenate([first, second]))
    return path, ranked[-1], ranked[-2]
