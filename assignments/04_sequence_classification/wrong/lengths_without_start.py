# loses: collate=2, train=5
"""Counts the clicks that are not 0: the click start has no length."""


# grade_id: collate
def collate(visits):
    """Return clicks (N, T), -1 behind the end of a visit, and lengths (N,)."""
    lengths = torch.tensor([int((visit != 0).sum()) for visit in visits])
    rows = [torch.as_tensor(visit) for visit in visits]
    return nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=-1), lengths
