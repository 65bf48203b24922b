"""Helper functions with names that a locked cell might like to use for a number."""


# grade_id: states
def step(x_t, h_prev, W_xh, W_hh, b_h):
    """Return the state after one day."""
    return np.tanh(x_t @ W_xh + h_prev @ W_hh + b_h)


def states(x, lengths, h0, W_xh, W_hh, b_h):
    """Go on record by record, as long as there is something to read."""
    h = np.repeat(np.asarray(h0, dtype=float)[:, None], x.shape[1] + 1, axis=1)
    for n, days in enumerate(lengths):
        for t in range(days):
            h[n, t + 1] = step(x[n, t], h[n, t], W_xh, W_hh, b_h)
        h[n, days + 1 :] = h[n, days]
    return h


# grade_id: score
def forecast(h, w_hy):
    """Return all forecasts, (N, T)."""
    return h[:, 1:] @ w_hy


def score(h, rises, lengths, w_hy):
    """Weights 0 and 1 instead of a mask."""
    level = (np.arange(rises.shape[1]) < lengths[:, None]).astype(float)
    error = level * (forecast(h, w_hy) - np.where(level > 0, rises, 0.0))
    days = level.sum()
    dh = error[:, :, None] * w_hy / days
    return float((error**2).sum() / days / 2), dh, np.einsum("nt,nth->h", error, h[:, 1:]) / days


# grade_id: nudge
def loss(f, W, index, by):
    """Return what f says when one entry is moved, and put it back."""
    kept = W[index]
    W[index] = kept + by
    value = f(W)
    W[index] = kept
    return value


def check_gradient(f, W, dW, nudge=None):
    """Move the entries in place, one after the other."""
    day = nudge or 1e-5
    grads = np.zeros(W.shape)
    for index in np.ndindex(W.shape):
        grads[index] = (loss(f, W, index, day) - loss(f, W, index, -day)) / (2 * day)
    off, whole = np.linalg.norm((dW - grads).ravel()), np.linalg.norm(grads.ravel())
    if whole > 0:
        return grads, off / whole
    return grads, float("inf") if off > 0 else 0


# grade_id: update
def norm(grads):
    """Return the joint norm of all gradients."""
    return float(np.sqrt(sum((gradient**2).sum() for gradient in grads.values())))


def update(weights, grads, max_norm, rate):
    """Shorten what is too long, then step."""
    factor = max_norm / max(norm(grads), max_norm)
    return {name: weights[name] - rate * factor * grads[name] for name in weights}, norm(grads)


# grade_id: reach
def back(state, W_hh):
    """Return the Jacobian of one day."""
    return (1 - state**2)[:, None] * W_hh.T


def reach(h, W_hh):
    """Start the product anew for every slot."""
    row = [1.0]
    for k in range(len(h) - 2, -1, -1):
        cut = np.eye(len(W_hh))
        for state in h[k + 1 :]:
            cut = back(state, W_hh) @ cut
        row.insert(0, np.linalg.norm(cut, 2))
    return np.array(row)
