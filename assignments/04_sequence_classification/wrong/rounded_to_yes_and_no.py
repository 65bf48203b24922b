# loses: train=1
"""Says yes or no instead of how probable."""


# grade_id: predict
def predict(network, visits):
    """Return for each visit the probability of a book after each of its clicks."""
    clicks, lengths = collate(visits)
    network.eval()
    with torch.no_grad():
        p = torch.sigmoid(network(clicks, lengths).double()).numpy()
    return [np.round(row[:T]) for row, T in zip(p, lengths)]
