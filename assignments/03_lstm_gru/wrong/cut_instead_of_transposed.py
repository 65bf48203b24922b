# loses: unpack=1.5
"""Reads (B * H, D) as (D, B * H): the same numbers in other places."""


# grade_id: unpack
def unpack(tape, D, H, label):
    """Return W_xa, W_ha, b_x, b_h in the book's form and order."""
    B = len(label)
    if len(tape) != B * H * (D + H + 2):
        raise ValueError(f"the tape should hold {B * H * (D + H + 2)} numbers, not {len(tape)}")
    W_xa, W_ha, b_x, b_h = np.split(tape, np.cumsum([B * H * D, B * H * H, B * H]))
    wanted = "ifgo" if B == 4 else "rzn"
    cols = np.concatenate([label.index(block) * H + np.arange(H) for block in wanted])
    return W_xa.reshape(D, B * H)[:, cols], W_ha.reshape(H, B * H)[:, cols], b_x[cols], b_h[cols]
