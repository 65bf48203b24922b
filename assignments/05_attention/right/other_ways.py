"""Other formulas: logarithms, einsum, broadcasting, one dictionary for a memory."""


# grade_id: masks
def may_look(lengths, T, causal):
    page, asks, asked = np.ix_(range(len(lengths)), range(T), range(T))
    return (asked < lengths[page]) & (asked <= (asks if causal else asks + T))


# grade_id: look
def look_up(q, k, v, may, temperature):
    if not may.any(axis=1).all():
        raise ValueError(f"query {int(np.argmin(may.any(axis=1)))} is blind")
    scores = np.einsum("te,se->ts", q, k) / np.sqrt(k.shape[-1])
    lowest = np.where(may, scores, np.inf).min() - 1  # something finite below all that is seen
    best = np.where(may, scores, lowest).max(axis=1)[:, None]
    if temperature == 0:
        weights = 1.0 * (may & np.isclose(scores, best, rtol=0, atol=1e-12))
    else:
        weights = may * np.exp(np.minimum(scores - best, 0) / temperature)
    weights = weights / np.einsum("ts->t", weights)[:, None]
    return np.einsum("ts,sd->td", weights, v), weights


# grade_id: back
def look_up_backward(d_context, weights, q, k, v, temperature):
    # the whole derivative of the softmax, a table of T x S x S
    d_weights = np.einsum("td,sd->ts", d_context, v)
    slope = np.einsum("ts,sr->tsr", weights, np.eye(len(k)))
    slope = slope - np.einsum("ts,tr->tsr", weights, weights)
    ds = np.einsum("tsr,tr->ts", slope, d_weights)
    width = np.sqrt(q.shape[1]) * temperature
    logs = np.log(np.where(weights > 0, weights, 1))  # scores up to a number of each row
    dt = -np.sum(ds * logs) / temperature
    return (
        np.einsum("ts,se->te", ds, k) / width,
        np.einsum("ts,te->se", ds, q) / width,
        np.einsum("ts,td->sd", weights, d_context),
        float(dt),
    )


# grade_id: heads
def heads(x, W_q, W_k, W_v, W_o, may, n_heads):
    M = len(W_q)
    E = M // n_heads
    G = W_k.shape[1] // E
    q = np.einsum("ntm,mghe->nghte", x, W_q.reshape(M, G, n_heads // G, E))
    k = np.einsum("nsm,mge->ngse", x, W_k.reshape(M, G, E))
    v = np.einsum("nsm,mge->ngse", x, W_v.reshape(M, G, E))
    powers = np.exp(np.einsum("nghte,ngse->nghts", q, k) / E**0.5) * may[:, None, None]
    maps = powers / powers.sum(axis=-1)[..., None]
    W_o = W_o.reshape(G, n_heads // G, E, M)
    y = np.einsum("nghts,ngse,ghem->ntm", maps, v, W_o)
    return y, maps.reshape(len(x), n_heads, *maps.shape[3:])


# grade_id: cache
def cache_step(q, k, v, cache, window):
    kept = np.concatenate([k, v])[None]
    kept = kept if cache is None else np.concatenate([cache["kept"], kept])
    kept = kept[-(window or len(kept)) :]
    context, _ = look_up(
        q[None], kept[:, : len(k)], kept[:, len(k) :], np.ones((1, len(kept)), dtype=bool), 1
    )
    return context[0], {"kept": kept, "entries": len(kept)}


# grade_id: tally
def tally_step(q, k, v, tally, fade):
    tally = tally or {"table": 0.0, "total": 0.0, "steps": 0}
    table = tally["table"] * fade + phi(k)[:, None] * v[None]
    total = tally["total"] * fade + phi(k)
    weights = phi(q) / np.dot(phi(q), total)
    return weights @ table, {"table": table, "total": total, "steps": tally["steps"] + 1}


# grade_id: again
def find_again(V):
    # the matrices act from the query's side; keys hand over what they are
    keep, follow = np.eye(V + 3), np.eye(2 * V + 3)
    q1, q2 = np.zeros((V + 3, V + 3)), np.zeros((2 * V + 3, 2 * V + 3))
    q1[V : V + 2, V + 1] = -16, 16
    q1[V, V + 2] = -8
    for word in range(V):
        q2[word, V + 3 + word] = 160_000
    q2[V, V + 2] = 1  # the square of the place grows with the place too
    v1, v2 = keep[:, :V].copy(), follow[:, :V].copy()
    return {"q1": q1, "k1": keep, "v1": v1, "q2": q2, "k2": follow, "v2": v2}
