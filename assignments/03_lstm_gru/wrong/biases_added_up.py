# loses: unpack=1.5
"""Adds the two biases up, as an LSTM would, and returns zeros for the second."""


# grade_id: unpack
def unpack(tape, D, H, label):
    """Return W_xa, W_ha, b_x, b_h in the book's form and order."""
    B = len(label)
    if len(tape) != B * H * (D + H + 2):
        raise ValueError(f"the tape should hold {B * H * (D + H + 2)} numbers, not {len(tape)}")
    W_ih, W_hh, b_ih, b_hh = np.split(tape, np.cumsum([B * H * D, B * H * H, B * H]))
    wanted = "ifgo" if B == 4 else "rzn"
    rows = np.concatenate([label.index(block) * H + np.arange(H) for block in wanted])
    b_a = (b_ih + b_hh)[rows]
    return W_ih.reshape(B * H, D)[rows].T, W_hh.reshape(B * H, H)[rows].T, b_a, 0 * b_a
