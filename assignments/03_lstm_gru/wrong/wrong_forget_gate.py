# loses: backward=3.1
"""On its way from c_{t + 1} to c_t the gradient passes no forget gate until the next step."""


# grade_id: backward
def lstm_backward(dh, x, h, c, W_xa, W_ha, b_a):
    """Return dW_xa, dW_ha, db_a, dh0, dc0."""
    N, T, H = dh.shape
    da = np.empty((N, T, 4 * H))
    dh_later, dc_later = np.zeros((2, N, H))
    for t in reversed(range(T)):
        a_i, a_f, a_g, a_o = np.split(x[:, t] @ W_xa + h[:, t] @ W_ha + b_a, 4, axis=1)
        i, f, g, o = sigmoid(a_i), sigmoid(a_f), np.tanh(a_g), sigmoid(a_o)
        shown, dh_t = np.tanh(c[:, t + 1]), dh[:, t] + dh_later
        dc_t = dc_later * f + dh_t * o * (1 - shown**2)
        da_i, da_f = dc_t * g * i * (1 - i), dc_t * c[:, t] * f * (1 - f)
        da_g, da_o = dc_t * i * (1 - g**2), dh_t * shown * o * (1 - o)
        da[:, t] = np.concatenate([da_i, da_f, da_g, da_o], axis=1)
        dh_later, dc_later = da[:, t] @ W_ha.T, dc_t
    dW_xa, dW_ha = (np.tensordot(v, da, axes=([0, 1], [0, 1])) for v in (x, h[:, :-1]))
    return dW_xa, dW_ha, da.sum(axis=(0, 1)), dh_later, dc_later
