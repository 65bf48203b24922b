"""Lists, loops and linked paths instead of arrays."""


# grade_id: weigh
def weigh(sounds, opened, B):
    K = B.shape[0]
    rows = []
    for word, mood in zip(sounds.tolist(), opened.tolist(), strict=True):
        row = np.ones(K) if word == -1 else B[:, word].copy()
        if mood != -1:
            row = np.where(np.arange(K) == mood, row, 0.0)
        rows.append(row)
    return np.array(rows)


# grade_id: viterbi
def best_two(weights, pi, A):
    # the two best (log probability, path) into each mood, paths as linked pairs
    with np.errstate(divide="ignore"):
        log_w, log_pi, log_A = np.log(weights).tolist(), np.log(pi).tolist(), np.log(A).tolist()
    K = len(log_pi)
    ends = [[(log_pi[k] + log_w[0][k], (k, None))] for k in range(K)]
    for row in log_w[1:]:
        new = []
        for j in range(K):
            ways = [(p + log_A[i][j], (j, path)) for i in range(K) for p, path in ends[i]]
            ways.sort(key=lambda way: -way[0])  # stable: smaller moods stay first
            new.append([(p + row[j], path) for p, path in ways[:2]])
        ends = new
    ways = sorted((way for end in ends for way in end), key=lambda way: -way[0])
    days, path = [], ways[0][1]
    while path:
        days.append(path[0])
        path = path[1]
    return days[::-1], ways[0][0], ways[1][0] if len(ways) > 1 else float("-inf")


# grade_id: report
def report(path, alpha, gamma):
    path = list(path)
    alarm = [t for t, p in enumerate(alpha[:, 0]) if p < 0.5]
    return dict(
        expected_days=[float(x) for x in np.sum(gamma, axis=0)],
        swarms=sum(k == "2" for k, _ in itertools.groupby("".join(map(str, path)))),
        first_alarm=alarm[0] if alarm else -1,
        disagreements=np.count_nonzero(np.argmax(gamma, axis=1) != np.array(path)),
    )
