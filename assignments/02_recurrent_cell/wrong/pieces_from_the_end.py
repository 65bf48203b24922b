# loses: pieces=0.25
"""Counts the pieces from the last day, so that the first is the short one."""


# grade_id: pieces
def in_pieces(dh, x, h, W_xh, W_hh, k):
    """Return the gradients of W_xh, W_hh, b_h and h0, cut at the start of each piece."""
    total, end = {}, x.shape[1]
    while end > 0:
        start = max(end - k, 0)
        piece = slice(start, end)
        days = np.full(len(x), end - start)
        grads = backward(dh[:, piece], x[:, piece], h[:, start : end + 1], days, W_xh, W_hh)
        total = {name: grads[name] + (name != "h0") * total.get(name, 0.0) for name in grads}
        end = start
    return total
