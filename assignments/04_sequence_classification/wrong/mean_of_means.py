# loses: losses=1.75
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


# grade_id: train
def train(visits, ended, every, seed):
    """Return a network trained for the end of visits, or for every click."""
    torch.manual_seed(seed)
    network, rng, size = Reader(), np.random.default_rng(seed), 200
    rows = [rng.permutation(len(visits)) for _ in range(5)]
    batches = [row[k : k + size] for row in rows for k in range(0, len(row), size)]
    optimiser = torch.optim.Adam(network.parameters(), lr=0.05)
    falling = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.01, len(batches))
    for batch in batches:
        clicks, lengths = collate([visits[n] for n in batch])
        answers = torch.as_tensor(ended[batch]).long()
        logits = network(clicks, lengths)
        chosen = clicks >= 0 if every else torch.arange(logits.shape[1]) == lengths[:, None] - 1
        wanted = answers[:, None].expand(logits.shape)[chosen].float()
        loss = nn.functional.binary_cross_entropy_with_logits(logits[chosen], wanted)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        falling.step()
    return network.eval()
