# loses: pieces=1.5
"""Cuts the message at every day, whatever the piece."""


# grade_id: pieces
def in_pieces(dh, x, h, W_xh, W_hh, k):
    """Return the gradients of W_xh, W_hh, b_h and h0, cut at the start of each piece."""
    total, k = {}, 1
    for start in reversed(range(0, x.shape[1], k)):
        piece = slice(start, start + k)
        days = np.full(len(x), x[:, piece].shape[1])
        grads = backward(dh[:, piece], x[:, piece], h[:, start : start + k + 1], days, W_xh, W_hh)
        total = {name: grads[name] + (name != "h0") * total.get(name, 0.0) for name in grads}
    return total
