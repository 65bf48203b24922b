# loses: reader=1
"""Unpacks to the longest visit of the block, not to its width."""


# grade_id: reader
class Reader(nn.Module):
    """A gated cell over the clicks, and a logit after each of them."""

    def __init__(self):
        super().__init__()
        self.core = nn.GRU(V, 16, batch_first=True)
        self.readout = nn.Linear(16, 1)

    def forward(self, clicks, lengths):
        packed = nn.utils.rnn.pack_padded_sequence(
            one_hot(clicks), lengths, batch_first=True, enforce_sorted=False
        )
        states, _ = nn.utils.rnn.pad_packed_sequence(self.core(packed)[0], batch_first=True)
        return self.readout(states)[..., 0]
