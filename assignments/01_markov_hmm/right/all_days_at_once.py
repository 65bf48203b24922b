"""Logarithms in the filter; backward on its own; pairs and counts by products of arrays."""


# grade_id: forward
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


# grade_id: smooth
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


# grade_id: learn
def em_step(logs, pi, A, B, pseudocount):
    N, M, S = pi * 0 + pseudocount, A * 0 + pseudocount, B * 0 + pseudocount
    for log in logs:
        gamma, xi = smooth(weigh(log, -np.ones(len(log), dtype=int), B), pi, A)
        N, M = N + gamma[0], M + np.sum(xi, axis=0)
        S = S + gamma.T @ (log[:, None] == np.arange(B.shape[1]))
    return [N / sum(N), (M.T / M.sum(1)).T, (S.T / S.sum(1)).T]
