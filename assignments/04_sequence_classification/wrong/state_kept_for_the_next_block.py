# loses: reader=1
"""Starts each block where the last one ended, in the mean over its visits."""


# grade_id: reader
class Reader(nn.Module):
    """A gated cell over the clicks, and a logit after each of them."""

    def __init__(self):
        super().__init__()
        self.core = nn.GRU(V, 16, batch_first=True)
        self.state = torch.zeros(1, 1, 16)
        self.readout = nn.Linear(16, 1)

    def forward(self, clicks, lengths):
        start = self.state.expand(1, len(clicks), 16).contiguous()
        states, state = self.core(one_hot(clicks), start)
        self.state = state.detach().mean(dim=1, keepdim=True)
        return self.readout(states)[..., 0]
