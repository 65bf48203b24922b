# loses: collate=1.5, train=5
"""Sorts the visits for packing and never sorts them back; the endings stay where they were."""


# grade_id: collate
def collate(visits):
    """Return clicks (N, T), -1 behind the end of a visit, and lengths (N,)."""
    visits = sorted(visits, key=len, reverse=True)
    lengths = torch.tensor([len(visit) for visit in visits])
    rows = [torch.as_tensor(visit) for visit in visits]
    return nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=-1), lengths
