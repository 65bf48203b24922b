# loses: patience=0.5
"""Sets both biases of the forget gate; PyTorch adds them up."""


# grade_id: set_bias
def set_forget_bias(tape, D, H, bias):
    """Return a copy of an LSTM's tape with this forget bias in every unit."""
    new, b_ih = np.array(tape, dtype=float), 4 * H * (D + H)
    b_hh = b_ih + 4 * H
    new[b_ih + H : b_ih + 2 * H] = bias
    new[b_hh + H : b_hh + 2 * H] = bias
    return new
