# loses: reader=0.5, train=2
"""Adds the clicks up, so that their order is lost."""


# grade_id: reader
class Reader(nn.Module):
    """Weights for the counts of the clicks so far."""

    def __init__(self):
        super().__init__()
        self.readout = nn.Linear(V, 1)

    def forward(self, clicks, lengths):
        counts = one_hot(clicks).cumsum(dim=1)  # (N, T, V)
        return self.readout(counts)[..., 0]
