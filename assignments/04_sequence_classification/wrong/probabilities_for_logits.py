# loses: reader=1, train=4
"""Puts a sigmoid into the network; the loss takes another one."""


# grade_id: reader
class Reader(nn.Module):
    """A gated cell over the clicks, and a logit after each of them."""

    def __init__(self):
        super().__init__()
        self.core = nn.GRU(V, 16, batch_first=True)
        self.readout = nn.Linear(16, 1)

    def forward(self, clicks, lengths):
        states, _ = self.core(one_hot(clicks))  # (N, T, 16); padding comes behind, so no mask
        return torch.sigmoid(self.readout(states)[..., 0])


# grade_id: predict
def predict(network, visits):
    """Return for each visit the probability of a book after each of its clicks."""
    clicks, lengths = collate(visits)
    network.eval()
    with torch.inference_mode():
        p = network(clicks, lengths).double().numpy()
    return [row[:T] for row, T in zip(p, lengths, strict=True)]
