# loses: lstm=2
"""All four blocks pass the sigmoid, g as well."""


# grade_id: lstm
def lstm_forward(x, h0, c0, W_xa, W_ha, b_a):
    """Return h and c, each of shape (N, T + 1, H), the start in slot 0."""
    N, T, _ = x.shape
    h, c = np.empty((2, N, T + 1, len(W_ha)))
    h[:, 0], c[:, 0] = h0, c0
    from_x = x @ W_xa + b_a
    for t in range(T):
        i, f, g, o = np.split(from_x[:, t] + h[:, t] @ W_ha, 4, axis=1)
        c[:, t + 1] = sigmoid(f) * c[:, t] + sigmoid(i) * sigmoid(g)
        h[:, t + 1] = sigmoid(o) * np.tanh(c[:, t + 1])
    return h, c
