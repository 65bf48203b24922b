# loses: train=4
"""Shuffles the visits and leaves the endings where they were."""


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
        answers = torch.as_tensor(ended[: len(batch)]).long()
        loss = losses(network(clicks, lengths), lengths, answers)[int(every)]
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        falling.step()
    return network.eval()
