# loses: reader=2
"""Gives the network the length of the visit, which nobody knows while it lasts."""


# grade_id: reader
class Reader(nn.Module):
    """A gated cell over the clicks and the length, and a logit after each click."""

    def __init__(self):
        super().__init__()
        self.core = nn.GRU(V + 1, 16, batch_first=True)
        self.readout = nn.Linear(16, 1)

    def forward(self, clicks, lengths):
        length = torch.log(lengths.float())[:, None].expand(clicks.shape)
        states, _ = self.core(torch.cat([one_hot(clicks), length[..., None]], dim=2))
        return self.readout(states)[..., 0]
