"""A box that writes only when something moves, and gradients by another order of the sums."""


# grade_id: unpack
def unpack(tape, D, H, label):
    """Return W_xa, W_ha, b_x, b_h in the book's form and order."""
    B = len(label)
    if np.size(tape) != B * H * D + B * H * H + 2 * B * H:
        raise ValueError("a torn tape")
    place = [label.index(k) for k in sorted(label, key="rzifgon".index)]
    found, at = [], 0
    for rows in (D, H, 1, 1):
        block = tape[at : at + B * H * rows].reshape(B, H, rows)[place]
        found.append(block.transpose(2, 0, 1).reshape(rows, B * H))
        at += B * H * rows
    return found[0], found[1], found[2][0], found[3][0]


# grade_id: backward
def lstm_backward(dh, x, h, c, W_xa, W_ha, b_a):
    """Return dW_xa, dW_ha, db_a, dh0, dc0."""
    H = len(W_ha)
    a = (x @ W_xa + h[:, :-1] @ W_ha + b_a).reshape(*x.shape[:2], 4, H)
    i, f, g, o = (
        sigmoid(a[:, :, 0]),
        sigmoid(a[:, :, 1]),
        np.tanh(a[:, :, 2]),
        sigmoid(a[:, :, 3]),
    )
    shown = np.tanh(c[:, 1:])
    through = o * (1 - shown * shown)
    slopes = np.stack([g * i * (1 - i), c[:, :-1] * f * (1 - f), i * (1 - g * g)], axis=2)
    dW_xa, dW_ha, db_a = np.zeros_like(W_xa), np.zeros_like(W_ha), np.zeros_like(b_a)
    gh, gc = np.zeros_like(h[:, 0]), np.zeros_like(h[:, 0])
    for t in range(x.shape[1])[::-1]:
        gh = gh + dh[:, t]
        gc = gc + gh * through[:, t]
        last = gh * shown[:, t] * o[:, t] * (1 - o[:, t])
        da = np.concatenate([slopes[:, t] * gc[:, None], last[:, None]], axis=1).reshape(-1, 4 * H)
        dW_xa, dW_ha, db_a = dW_xa + x[:, t].T @ da, dW_ha + h[:, t].T @ da, db_a + da.sum(0)
        gh, gc = da @ W_ha.T, gc * f[:, t]
    return dW_xa, dW_ha, db_a, gh, gc


# grade_id: bias_for
def bias_for(share, steps):
    """Return the forget bias at which this share is left after so many steps."""
    odds = (
        np.expm1(np.log(1 / share) / steps)
        if share < 0.5
        else np.expm1(-np.log1p(share - 1) / steps)
    )
    return np.log(1 / odds)


# grade_id: box
def signal_box():
    """Return W_xa (3, 4 H), W_ha (H, 4 H) and b_a (4 H,) of the barrier's LSTM."""
    W_xa = np.array([[45.0, 0, 0.7, 0], [45.0, 0, -0.7, 0], [-5.0, -48.0, 0, -48.0]])
    return W_xa, np.zeros((1, 4)), np.array([-22.0, 18.0, 0.0, 24.0])
