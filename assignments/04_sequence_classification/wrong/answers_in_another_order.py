# loses: train=5
"""Sorts the visits by length to predict, and returns the answers in that order."""


# grade_id: predict
def predict(network, visits):
    """Return for each visit the probability of a book after each of its clicks."""
    visits = sorted(visits, key=len)
    clicks, lengths = collate(visits)
    network.eval()
    with torch.inference_mode():
        p = torch.sigmoid(network(clicks, lengths).double()).numpy()
    return [row[:T] for row, T in zip(p, lengths, strict=True)]
