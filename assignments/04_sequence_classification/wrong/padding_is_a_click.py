# loses: collate=1.5
"""Fills up with zeros: padding is read as the click start."""


# grade_id: collate
def collate(visits):
    """Return clicks (N, T), -1 behind the end of a visit, and lengths (N,)."""
    lengths = torch.tensor([len(visit) for visit in visits])
    rows = [torch.as_tensor(visit) for visit in visits]
    return nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=0), lengths
