# loses: losses=1
"""Takes the mean of each visit first: a click of a short visit counts more."""


# grade_id: losses
def losses(logits, lengths, ended):
    """Return the mean loss at the end of each visit and that after every click, in nats."""
    N, T = logits.shape
    real = torch.arange(T) < lengths[:, None]
    answers = ended.to(logits.dtype)
    loss = nn.functional.binary_cross_entropy_with_logits
    at_end = loss(logits[torch.arange(N), lengths - 1], answers)
    each = loss(torch.where(real, logits, 0), answers[:, None].expand(N, T), reduction="none")
    return at_end, ((each * real).sum(dim=1) / lengths).mean()
