"""Loops over records, lists for pairs, and one long vector for all gradients."""


# grade_id: score
def score(h, rises, lengths, w_hy):
    """Go through the records one by one."""
    loss, dh, dw_hy = 0.0, np.zeros(h[:, 1:].shape), np.zeros(len(w_hy))
    days = int(sum(lengths))
    for n, T in enumerate(lengths):
        error = h[n, 1 : T + 1] @ w_hy - rises[n, :T]
        loss += 0.5 * float(error @ error) / days
        dh[n, :T] = np.outer(error, w_hy) / days
        dw_hy += error @ h[n, 1 : T + 1] / days
    return [loss, dh, dw_hy]


# grade_id: nudge
def check_gradient(f, W, dW, nudge=None):
    """Nudge the flat vector, by a share of each entry unless told otherwise."""
    flat, measured = np.array(W, dtype=float).ravel(), []
    for i, value in enumerate(flat):
        step = nudge or 1e-5 * max(1.0, abs(value))
        ends = []
        for sign in (1, -1):
            moved = flat.copy()
            moved[i] = value + sign * step
            ends.append(f(moved.reshape(W.shape)))
        measured.append((ends[0] - ends[1]) / step / 2)
    measured = np.array(measured).reshape(W.shape)
    if not measured.any() and not dW.any():
        return [measured, 0.0]
    return [measured, np.linalg.norm((measured - dW).ravel()) / np.linalg.norm(measured.ravel())]


# grade_id: update
def update(weights, grads, max_norm, rate):
    """Clip the one vector of all gradients, and cut it up again."""
    flat = np.concatenate([grads[name].ravel() for name in weights])
    norm = np.linalg.norm(flat)
    flat = flat / max(1.0, norm / max_norm)
    moved, at = {}, 0
    for name, array in weights.items():
        step = flat[at : at + array.size].reshape(array.shape)
        moved[name], at = array - rate * step, at + array.size
    return [moved, norm]
