# loses: viterbi=2.5, report=0.5
"""Takes the best mood of each day, given only the day before."""


# grade_id: viterbi
def best_two(weights, pi, A):
    """Return the most probable path, its log joint probability, and that of the next best."""
    with np.errstate(divide="ignore"):
        scores = np.log(pi) + np.log(weights[0])
        path, best = [scores.argmax()], scores.max()
        second = np.sort(scores)[-2]
        for t in range(1, len(weights)):
            scores = np.log(A[path[-1]]) + np.log(weights[t])
            path.append(scores.argmax())
            second = max(best + np.sort(scores)[-2], second + scores.max())
            best += scores.max()
    return np.array(path), best, second
