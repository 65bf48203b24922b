# loses: gru=2.375
"""Knows PyTorch's convention only."""


# grade_id: gru
def gru_step(x_t, h_prev, W_xa, W_ha, b_x, b_h, reset, update):
    """Return the state after one step, shape (N, H)."""
    x_r, x_z, x_n = np.split(x_t @ W_xa + b_x, 3, axis=1)
    h_r, h_z, past = np.split(h_prev @ W_ha + b_h, 3, axis=1)
    r, z = sigmoid(x_r + h_r), sigmoid(x_z + h_z)
    return z * h_prev + (1 - z) * np.tanh(x_n + r * past)
