# loses: losses=1.75, train=3.5
"""Reads the last column of the block as the end of every visit."""


# grade_id: losses
def losses(logits, lengths, ended):
    """Return the mean loss at the end of each visit and that after every click, in nats."""
    N, T = logits.shape
    real = torch.arange(T) < lengths[:, None]
    answers = ended.to(logits.dtype)
    loss = nn.functional.binary_cross_entropy_with_logits
    at_end = loss(logits[:, -1], answers)
    return at_end, loss(logits[real], answers[:, None].expand(N, T)[real])
