"""A plain tanh network with dropout, trained by AdamW without a schedule; sorted and put back."""


# grade_id: collate
def collate(visits):
    """Return clicks (N, T), -1 behind the end of a visit, and lengths (N,)."""
    lengths = torch.as_tensor([len(visit) for visit in visits])
    clicks = torch.full((len(visits), int(lengths.max())), -1)
    real = torch.arange(clicks.shape[1]) < lengths[:, None]
    clicks[real] = torch.as_tensor(np.concatenate(visits))
    return clicks, lengths


# grade_id: reader
class Reader(nn.Module):
    """A tanh cell, layer normalisation, dropout and a small network to read its state."""

    def __init__(self):
        super().__init__()
        self.core = nn.RNN(V, 24, batch_first=True)
        self.norm = nn.LayerNorm(24)
        self.drop = nn.Dropout(0.05)
        self.hidden = nn.Linear(24, 24)
        self.readout = nn.Linear(24, 1)

    def forward(self, clicks, lengths):
        states = self.norm(self.core(one_hot(clicks))[0])
        return self.readout(torch.relu(self.hidden(self.drop(states)))).squeeze(-1)


# grade_id: losses
def losses(logits, lengths, ended):
    """Return the mean loss at the end of each visit and that after every click, in nats."""
    steps = torch.arange(logits.shape[1])
    real, last = steps < lengths[:, None], steps == lengths[:, None] - 1
    sign = (1 - 2 * ended)[:, None].expand(logits.shape)
    return tuple(
        nn.functional.softplus((sign[these] * logits[these]), threshold=500).mean()
        for these in (last, real)
    )


# grade_id: train
def train(visits, ended, every, seed):
    """Return a network trained for the end of visits, or for every click."""
    chance = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    network = Reader()
    optimiser = torch.optim.AdamW(network.parameters(), lr=0.01)
    rows = torch.utils.data.DataLoader(range(len(visits)), 50, shuffle=True, generator=chance)
    for _ in range(8):
        for batch in rows:
            clicks, lengths = collate([visits[n] for n in batch])
            at_end, each = losses(
                network(clicks, lengths), lengths, torch.tensor(ended[batch.numpy()]).int()
            )
            optimiser.zero_grad()
            (each if every else at_end).backward()
            nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
    return network


# grade_id: predict
def predict(network, visits):
    """Return for each visit the probability of a book after each of its clicks."""
    order = sorted(range(len(visits)), key=lambda n: len(visits[n]))
    answers = [None] * len(visits)
    was_training = network.training
    network.eval()
    for k in range(0, len(order), 64):
        some = order[k : k + 64]
        clicks, lengths = collate([visits[n] for n in some])
        p = network(clicks, lengths).sigmoid().detach()
        for n, row in zip(some, p, strict=True):
            answers[n] = row[: len(visits[n])]
    network.train(was_training)
    return answers
