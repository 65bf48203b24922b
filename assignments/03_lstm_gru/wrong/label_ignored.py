# loses: unpack=1
"""Leaves the blocks in the order of the tape."""


# grade_id: unpack
def unpack(tape, D, H, label):
    """Return W_xa, W_ha, b_x, b_h in the book's form and order."""
    B = len(label)
    if len(tape) != B * H * (D + H + 2):
        raise ValueError(f"the tape should hold {B * H * (D + H + 2)} numbers, not {len(tape)}")
    W_ih, W_hh, b_ih, b_hh = np.split(tape, np.cumsum([B * H * D, B * H * H, B * H]))
    rows = np.arange(B * H)
    return W_ih.reshape(B * H, D)[rows].T, W_hh.reshape(B * H, H)[rows].T, b_ih[rows], b_hh[rows]
