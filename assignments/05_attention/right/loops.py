"""One number after the other, by loops and lists, without a single matrix product."""


# grade_id: masks
def may_look(lengths, T, causal):
    pages = []
    for length in lengths.tolist():
        last = [min(t + 1, length) if causal else length for t in range(T)]
        pages.append([[s < end for s in range(T)] for end in last])
    return np.array(pages)


# grade_id: look
def dot(a, b):
    return sum(float(x) * float(y) for x, y in zip(a, b, strict=True))


def look_up(q, k, v, may, temperature):
    contexts, maps = [], []
    for t in range(len(q)):
        seen = [s for s in range(len(k)) if may[t, s]]
        if not seen:
            raise ValueError("nothing to see for query number " + str(t))
        score = {s: dot(q[t], k[s]) / len(q[t]) ** 0.5 for s in seen}
        top = max(score.values())
        if temperature == 0:
            power = {s: 1.0 if score[s] == top else 0.0 for s in seen}
        else:
            power = {s: np.exp((score[s] - top) / temperature) for s in seen}
        row = [power.get(s, 0.0) / sum(power.values()) for s in range(len(k))]
        maps.append(row)
        contexts.append([dot(row, v[:, d]) for d in range(v.shape[1])])
    return [np.array(contexts), np.array(maps)]


# grade_id: back
def look_up_backward(d_context, weights, q, k, v, temperature):
    dq, dk, dv, dt = np.zeros(q.shape), np.zeros(k.shape), np.zeros(v.shape), 0.0
    root = len(q[0]) ** 0.5
    for t in range(len(q)):
        context = sum(weights[t, s] * v[s] for s in range(len(k)))
        for s in range(len(k)):
            dv[s] += weights[t, s] * d_context[t]
            ds = weights[t, s] * dot(d_context[t], v[s] - context)
            dq[t] += ds * k[s] / (root * temperature)
            dk[s] += ds * q[t] / (root * temperature)
            dt -= ds * dot(q[t], k[s]) / root / temperature**2
    return [dq, dk, dv, dt]


# grade_id: heads
def heads(x, W_q, W_k, W_v, W_o, may, n_heads):
    E = x.shape[2] // n_heads
    G = W_k.shape[1] // E
    out, maps = [], []
    for page, mask in zip(x, may, strict=True):
        contexts, rows = [], []
        for h in range(n_heads):
            g = h // (n_heads // G)
            mine, theirs = slice(h * E, h * E + E), slice(g * E, g * E + E)
            case = page @ W_q[:, mine], page @ W_k[:, theirs], page @ W_v[:, theirs]
            context, weights = look_up(*case, mask, 1.0)
            contexts.append(context)
            rows.append(weights)
        out.append(np.hstack(contexts) @ W_o)
        maps.append(rows)
    return [np.array(out), np.array(maps)]


# grade_id: cache
def cache_step(q, k, v, cache, window):
    cache = [*(cache or []), {"key": k, "value": v}]
    while window is not None and len(cache) > window:
        cache.pop(0)
    powers = [np.exp(dot(entry["key"], q) / len(q) ** 0.5) for entry in cache]
    mixed = sum(power * entry["value"] for power, entry in zip(powers, cache, strict=True))
    return mixed / sum(powers), cache


# grade_id: tally
def tally_step(q, k, v, tally, fade):
    # one column more for the sum of the weights; the newest fades too, which cancels
    row = np.append(v, 1.0)
    new = np.array([[f * number for number in row] for f in phi(k)])
    tally = fade * (new if tally is None else tally + new)
    *mixed, total = (dot(phi(q), tally[:, d]) for d in range(len(row)))
    return np.array(mixed) / total, tally


# grade_id: again
def find_again(V):
    """By the book's clocks it would not do: the place comes in as 1, s and s * s."""
    n, m = V + 3, 2 * V + 3
    tables = {"q1": np.zeros((n, 3)), "k1": np.zeros((n, 3)), "v1": np.zeros((n, V))}
    tables |= {"q2": np.zeros((m, m)), "k2": np.eye(m), "v2": np.zeros((m, V))}
    # minus 25 times the square of (t - 1 - s), written out
    tables["q1"][V] = [-25, -50, -25]
    tables["q1"][V + 1] = [50, 50, 0]
    tables["q1"][V + 2] = [-25, 0, 0]
    tables["k1"][V, 0] = tables["k1"][V + 1, 1] = tables["k1"][V + 2, 2] = 1
    for word in range(V):
        tables["v1"][word, word] = tables["v2"][word, word] = 1
        tables["q2"][word, V + 3 + word] = 1e6
    tables["q2"][V, V + 1] = 100
    return tables
