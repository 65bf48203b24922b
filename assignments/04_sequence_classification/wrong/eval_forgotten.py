# loses: train=1
"""Dropout in the network, and nobody turns it off to predict."""


# grade_id: reader
class Reader(nn.Module):
    """A gated cell over the clicks, and a logit after each of them."""

    def __init__(self):
        super().__init__()
        self.core = nn.GRU(V, 16, batch_first=True)
        self.drop = nn.Dropout(0.2)
        self.readout = nn.Linear(16, 1)

    def forward(self, clicks, lengths):
        states, _ = self.core(one_hot(clicks))  # (N, T, 16); padding comes behind, so no mask
        return self.readout(self.drop(states))[..., 0]


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
        loss = losses(network(clicks, lengths), lengths, answers)[int(every)]
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        falling.step()
    return network


# grade_id: predict
def predict(network, visits):
    """Return for each visit the probability of a book after each of its clicks."""
    clicks, lengths = collate(visits)
    with torch.inference_mode():
        p = torch.sigmoid(network(clicks, lengths).double()).numpy()
    return [row[:T] for row, T in zip(p, lengths, strict=True)]
