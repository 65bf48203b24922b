# loses: collate=2, train=5
"""Forgets batch_first: the steps are the rows of the block."""


# grade_id: collate
def collate(visits):
    """Return clicks (N, T), -1 behind the end of a visit, and lengths (N,)."""
    lengths = torch.tensor([len(visit) for visit in visits])
    rows = [torch.as_tensor(visit) for visit in visits]
    return nn.utils.rnn.pad_sequence(rows, padding_value=-1), lengths
