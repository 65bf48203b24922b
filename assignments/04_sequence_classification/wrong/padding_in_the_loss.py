# loses: losses=1.75, train=1
"""Averages over the whole block, padding as well."""


# grade_id: losses
def losses(logits, lengths, ended):
    """Return the mean loss at the end of each visit and that after every click, in nats."""
    N, T = logits.shape
    answers = ended.to(logits.dtype)
    loss = nn.functional.binary_cross_entropy_with_logits
    at_end = loss(logits[torch.arange(N), lengths - 1], answers)
    return at_end, loss(logits, answers[:, None].expand(N, T))
