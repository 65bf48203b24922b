# loses: reader=0.5
"""Looks at each click by itself: no memory."""


# grade_id: reader
class Reader(nn.Module):
    """A network without a memory."""

    def __init__(self):
        super().__init__()
        self.core = nn.Linear(V, 16)
        self.readout = nn.Linear(16, 1)

    def forward(self, clicks, lengths):
        return self.readout(torch.tanh(self.core(one_hot(clicks))))[..., 0]
