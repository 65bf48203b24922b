# loses: box=0.9
"""A forget bias of 10: nine of 200 axles are lost in 1000 steps."""


# grade_id: box
def signal_box():
    """Return W_xa (3, 4 H), W_ha (H, 4 H) and b_a (4 H,) of the barrier's LSTM."""
    W_xa = np.array([[0, 0, 2, 0], [0, 0, -2, 0], [0, -50, 0, 0.0]])
    return W_xa, np.zeros((1, 4)), np.array([20, 10, 0, 20.0])
