# loses: train=4
"""Returns logits where probabilities are asked for."""


# grade_id: predict
def predict(network, visits):
    """Return for each visit the probability of a book after each of its clicks."""
    clicks, lengths = collate(visits)
    network.eval()
    with torch.inference_mode():
        p = network(clicks, lengths).double().numpy()
    return [row[:T] for row, T in zip(p, lengths, strict=True)]
