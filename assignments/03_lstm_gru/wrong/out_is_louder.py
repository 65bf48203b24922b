# loses: box=0.75
"""Where one axle comes in and one goes out, it counts down."""


# grade_id: box
def signal_box():
    """Return W_xa (3, 4 H), W_ha (H, 4 H) and b_a (4 H,) of the barrier's LSTM."""
    W_xa = np.array([[0, 0, 20, 0], [0, 0, -40, 0], [0, -50, 0, 0.0]])
    return W_xa, np.zeros((1, 4)), np.array([20, 20, 0, 20.0])
