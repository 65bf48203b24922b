# loses: reader=1.5, train=4
"""Knows how many clicks there were, and nothing else."""


# grade_id: reader
class Reader(nn.Module):
    """A network on the number of clicks so far."""

    def __init__(self):
        super().__init__()
        self.core = nn.Linear(1, 16)
        self.readout = nn.Linear(16, 1)

    def forward(self, clicks, lengths):
        number = torch.log(torch.arange(1.0, clicks.shape[1] + 1)).expand(clicks.shape)
        return self.readout(torch.tanh(self.core(number[..., None])))[..., 0]
