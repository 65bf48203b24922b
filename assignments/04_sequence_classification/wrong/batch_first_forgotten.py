# loses: reader=2.5, train=3.5
"""The cell walks from visit to visit and takes the steps for its batch."""


# grade_id: reader
class Reader(nn.Module):
    """A gated cell over the clicks, and a logit after each of them."""

    def __init__(self):
        super().__init__()
        self.core = nn.GRU(V, 16)
        self.readout = nn.Linear(16, 1)

    def forward(self, clicks, lengths):
        states, _ = self.core(one_hot(clicks))  # (N, T, 16); padding comes behind, so no mask
        return self.readout(states)[..., 0]
