"""Loops for every visit, a packed cell, the losses by their formula, and predictions one by one."""


# grade_id: collate
def collate(visits):
    """Return clicks (N, T), -1 behind the end of a visit, and lengths (N,)."""
    longest = max(len(visit) for visit in visits)
    block = np.full((len(visits), longest), -1)
    for n, visit in enumerate(visits):
        for t, click in enumerate(visit):
            block[n, t] = click
    return torch.tensor(block), torch.tensor([len(visit) for visit in visits])


# grade_id: split
def split(cards, share, seed):
    """Return which visits are held back: N truth values."""
    different = sorted({int(card) for card in cards})
    np.random.default_rng(seed).shuffle(different)
    chosen = set(different[: int(share * len(different) + 0.5)])
    return np.array([int(card) in chosen for card in cards])


# grade_id: reader
class Reader(nn.Module):
    """A packed GRU on an embedding; its states are unpacked to the width of the block."""

    def __init__(self):
        super().__init__()
        self.embed = nn.Embedding(V + 1, 8, padding_idx=0)
        self.core = nn.GRU(8, 16)
        self.readout = nn.Linear(16, 1)

    def forward(self, clicks, lengths):
        steps = self.embed(clicks + 1).transpose(0, 1)  # (T, N, 8)
        packed = nn.utils.rnn.pack_padded_sequence(steps, lengths, enforce_sorted=False)
        states, _ = nn.utils.rnn.pad_packed_sequence(
            self.core(packed)[0], total_length=clicks.shape[1]
        )
        return self.readout(states)[:, :, 0].T


# grade_id: losses
def losses(logits, lengths, ended):
    """Return the mean loss at the end of each visit and that after every click, in nats."""
    at_end, every = [], []
    for row, T, book in zip(logits, lengths, ended, strict=True):
        signed = -row[:T] if book else row[:T]
        each = torch.logaddexp(torch.zeros_like(signed), signed)
        at_end.append(each[-1])
        every.append(each)
    return torch.stack(at_end).mean(), torch.cat(every).mean()


# grade_id: predict
def predict(network, visits):
    """Return for each visit the probability of a book after each of its clicks."""
    network.eval()
    answers = []
    with torch.no_grad():
        for visit in visits:
            logits = network(torch.tensor(np.array([visit])), torch.tensor([len(visit)]))
            answers.append((1 / (1 + torch.exp(-logits[0]))).numpy())
    return answers


# grade_id: report
def report(p, ended, in_vain, waiting):
    """Return a dictionary: threshold, climbs, minutes, gap."""
    threshold = in_vain / (in_vain + waiting)
    climbs, minutes, bins = 0, 0, {}
    for probability, book in zip(p, ended, strict=True):
        climbs += int(probability >= threshold)
        if probability >= threshold and not book:
            minutes += in_vain
        if probability < threshold and book:
            minutes += waiting
        number = 0
        while number < 4 and probability >= (number + 1) / 5:
            number += 1
        bins.setdefault(number, []).append((probability, book))
    gap = 0.0
    for pairs in bins.values():
        mean, share = np.mean([q for q, _ in pairs]), np.mean([b for _, b in pairs])
        gap += len(pairs) / len(p) * abs(mean - share)
    return {"threshold": threshold, "climbs": climbs, "minutes": minutes, "gap": gap}
