# loses: reader=3, train=0.5
"""Normalises over the whole block: visits and padding get into each other."""


# grade_id: reader
class Reader(nn.Module):
    """A gated cell over the clicks, and a logit after each of them."""

    def __init__(self):
        super().__init__()
        self.core = nn.GRU(V, 16, batch_first=True)
        self.readout = nn.Linear(16, 1)

    def forward(self, clicks, lengths):
        states, _ = self.core(one_hot(clicks))  # (N, T, 16); padding comes behind, so no mask
        states = states - states.mean(dim=(0, 1))
        return self.readout(states)[..., 0]
