# loses: box=0.5
"""Against a bias of 50 the key with -50 only halves what is held."""


# grade_id: box
def signal_box():
    """Return W_xa (3, 4 H), W_ha (H, 4 H) and b_a (4 H,) of the barrier's LSTM."""
    W_xa = np.array([[0, 0, 50, 0], [0, 0, -50, 0], [0, -50, 0, 0.0]])
    return W_xa, np.zeros((1, 4)), np.array([50, 50, 0, 50.0])
