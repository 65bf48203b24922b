"""Assignment 1 solved by somebody else: other methods, other types, every answer right."""

WEIGH = """
def weigh(sounds, opened, B):
    K = B.shape[0]
    rows = []
    for word, mood in zip(sounds.tolist(), opened.tolist()):
        row = np.ones(K) if word == -1 else B[:, word].copy()
        if mood != -1:
            row = np.where(np.arange(K) == mood, row, 0.0)
        rows.append(row)
    return np.array(rows)
"""
FORWARD = """
def lse(x, axis):
    top = np.max(x, axis=axis, keepdims=True)
    top = np.where(np.isfinite(top), top, 0)
    return np.log(np.exp(x - top).sum(axis=axis)) + np.squeeze(top, axis)

def forward(weights, pi, A):
    with np.errstate(divide="ignore"):
        log_w, log_a, log_A = np.log(weights), np.log(pi), np.log(A)
        table = []
        for day, row in enumerate(log_w):
            log_a = (log_a if day == 0 else lse(log_a[:, None] + log_A, 0)) + row
            if np.isneginf(log_a).all():
                raise ValueError("nothing explains day " + str(day))
            table.append(log_a)
        table = np.array(table)
        return [np.exp(table - lse(table, 1)[:, None]), float(lse(table[-1], 0))]
"""
VITERBI = """
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
"""
SMOOTH = """
def smooth(weights, pi, A):
    T, K = weights.shape
    a, b = np.empty((T, K)), np.empty((T, K))
    a[0], b[-1] = pi * weights[0], 1
    for t in range(T - 1):
        a[t] /= a[t].sum()
        a[t + 1] = (A.T @ a[t]) * weights[t + 1]
    for t in range(T - 1, 0, -1):
        b[t - 1] = A @ (weights[t] * b[t])
        b[t - 1] /= b[t - 1].max()
    gamma = a * b
    xi = np.einsum("ti,ij,tj->tij", a[:-1], A, weights[1:] * b[1:])
    gamma = gamma / gamma.sum(axis=1)[:, None]
    return gamma, xi / xi.sum(axis=(1, 2))[:, None, None]
"""
LEARN = """
def em_step(logs, pi, A, B, pseudocount):
    N, M, S = pi * 0 + pseudocount, A * 0 + pseudocount, B * 0 + pseudocount
    for log in logs:
        gamma, xi = smooth(weigh(log, -np.ones(len(log), dtype=int), B), pi, A)
        N, M = N + gamma[0], M + np.sum(xi, axis=0)
        S = S + gamma.T @ (log[:, None] == np.arange(B.shape[1]))
    return [N / sum(N), (M.T / M.sum(1)).T, (S.T / S.sum(1)).T]
"""
REPORT = """
def report(path, alpha, gamma):
    path = list(path)
    alarm = [t for t, p in enumerate(alpha[:, 0]) if p < 0.5]
    return dict(
        expected_days=[float(x) for x in np.sum(gamma, axis=0)],
        swarms=sum(k == "2" for k, _ in itertools.groupby("".join(map(str, path)))),
        first_alarm=alarm[0] if alarm else -1,
        disagreements=np.count_nonzero(np.argmax(gamma, axis=1) != np.array(path)),
    )
"""
ANSWERS = {
    "weigh": WEIGH,
    "forward": FORWARD,
    "viterbi": VITERBI,
    "smooth": SMOOTH,
    "learn": LEARN,
    "report": REPORT,
}
