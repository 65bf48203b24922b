# loses: backward=2.2, update=1, pieces=1.1
"""Multiplies with the state after the day, where W_hh met the one before."""


# grade_id: backward
def backward(dh, x, h, lengths, W_xh, W_hh):
    """Return the gradients of W_xh, W_hh, b_h and h0 as a dictionary."""
    dW_xh, dW_hh, db_h = np.zeros(W_xh.shape), np.zeros(W_hh.shape), np.zeros(len(W_hh))
    later = np.zeros((len(x), len(W_hh)))  # nothing comes from beyond the end
    for t in reversed(range(x.shape[1])):
        running = (t < lengths)[:, None]
        arrived = dh[:, t] + later
        da = np.where(running, arrived * (1 - h[:, t + 1] ** 2), 0.0)
        dW_xh += np.where(running, x[:, t], 0.0).T @ da
        dW_hh += h[:, t + 1].T @ da
        db_h += da.sum(axis=0)
        later = np.where(running, da @ W_hh.T, arrived)
    return {"W_xh": dW_xh, "W_hh": dW_hh, "b_h": db_h, "h0": later}
