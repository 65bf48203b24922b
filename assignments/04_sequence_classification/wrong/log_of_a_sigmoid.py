# loses: losses=0.5
"""Takes the logarithm of a probability that has been rounded to 0."""


# grade_id: losses
def losses(logits, lengths, ended):
    """Return the mean loss at the end of each visit and that after every click, in nats."""
    N, T = logits.shape
    real = torch.arange(T) < lengths[:, None]
    p, answers = torch.sigmoid(logits), ended[:, None].expand(N, T)
    each = -torch.log(torch.where(answers == 1, p, 1 - p))
    return each[torch.arange(N), lengths - 1].mean(), each[real].mean()
