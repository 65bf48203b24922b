# loses: reader=0.5
"""Has a second layer and forgets to call it."""


# grade_id: reader
class Reader(nn.Module):
    """A gated cell over the clicks, and a logit after each of them."""

    def __init__(self):
        super().__init__()
        self.core = nn.GRU(V, 16, batch_first=True)
        self.second = nn.GRU(16, 16, batch_first=True)
        self.readout = nn.Linear(16, 1)

    def forward(self, clicks, lengths):
        states, _ = self.core(one_hot(clicks))  # (N, T, 16); padding comes behind, so no mask
        return self.readout(states)[..., 0]
