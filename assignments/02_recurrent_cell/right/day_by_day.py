"""Record by record where it is cheap, masks as numbers, pieces without a call of backward."""


# grade_id: states
def states(x, lengths, h0, W_xh, W_hh, b_h):
    """Collect the states in a list; a finished record is copied on."""
    from_input = np.nan_to_num(x) @ W_xh + b_h
    slots = [np.array(h0, dtype=float)]
    for t in range(x.shape[1]):
        new = slots[-1].copy()
        going = np.flatnonzero(lengths > t)
        new[going] = np.tanh(from_input[going, t] + np.dot(slots[-1][going], W_hh))
        slots.append(new)
    return np.swapaxes(np.array(slots), 0, 1)


# grade_id: backward
def backward(dh, x, h, lengths, W_xh, W_hh):
    """First every da, then one product for each weight."""
    N, T, H = dh.shape
    mask = (np.arange(T)[None, :] < np.asarray(lengths)[:, None]).astype(float)[..., None]
    slope = (1 + h[:, 1:]) * (1 - h[:, 1:]) * mask
    da, later = np.zeros((N, T, H)), np.zeros((N, H))
    for t in range(T - 1, -1, -1):
        total = dh[:, t] + later
        da[:, t] = total * slope[:, t]
        later = da[:, t] @ W_hh.T + (1 - mask[:, t]) * total
    return {
        "h0": later,
        "b_h": da.sum(axis=(0, 1)),
        "W_hh": np.einsum("nti,ntj->ij", h[:, :-1], da),
        "W_xh": np.einsum("nti,ntj->ij", np.nan_to_num(x), da),
    }


# grade_id: pieces
def in_pieces(dh, x, h, W_xh, W_hh, k):
    """One way back, on which nothing passes the first day of a piece."""
    dW_xh, dW_hh, db_h, message = 0 * W_xh, 0 * W_hh, 0 * W_hh[0], 0 * h[:, 0]
    for t in range(x.shape[1] - 1, -1, -1):
        da = (dh[:, t] + message) * (1 - h[:, t + 1] ** 2)
        for n in range(len(x)):
            dW_xh = dW_xh + np.outer(x[n, t], da[n])
            dW_hh = dW_hh + np.outer(h[n, t], da[n])
            db_h = db_h + da[n]
        message = da @ W_hh.T * (t == 0 or t % k != 0)
    return dict(W_xh=dW_xh, W_hh=dW_hh, b_h=db_h, h0=message)


# grade_id: reach
def reach(h, W_hh):
    """Jacobians as a list, multiplied from the left; the norm from the eigenvalues of J J'."""
    jacobians = [np.diag(1 - state**2) @ W_hh.T for state in h[1:]]
    norms = []
    for t in range(len(h)):
        J = np.eye(h.shape[1])
        for step in jacobians[t:]:
            J = step @ J
        norms.append(np.sqrt(max(np.linalg.eigvalsh(J @ J.T)[-1], 0.0)))
    return np.array(norms)
