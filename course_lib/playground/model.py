r"""A reader of sentences, and what it still knows of the opening.

Letters: N sentences, T words, V vocabulary, E numbers of a word, H hidden units.
"""

import numpy as np
import torch
from torch import nn

from course_lib.datasets.sentences import VOCABULARY, encode, twin
from course_lib.torch_bridge import from_torch
from course_lib.training import SequenceModel

E, H = 8, 12  # all weights of three cells then fit into a demo


class SentenceModel(SequenceModel):
    """A table of words, a recurrent layer, and a readout of two answers after every word.

    Parameters
    ----------
    cell : {"rnn", "relu_rnn", "lstm", "gru"}
        Kind of cell.
    seed : int
        Seed of the starting weights.
    **starts : object
        ``recurrent`` or ``forget_bias``, as in `SequenceModel`.
    """

    def __init__(self, cell, seed, **starts):
        super().__init__(cell, D=E, H=H, n_out=2, seed=seed, **starts)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embedding = nn.Embedding(len(VOCABULARY), E)

    def forward(self, x, state=None):
        """Return scores (N, T, 2) of word numbers x (N, T, 1), and the state after the last one."""
        return super().forward(self.embedding(x[..., 0].long()), state)


def arrays(model):
    """Return the weights of a SentenceModel as NumPy arrays in float64.

    Parameters
    ----------
    model : SentenceModel
        Trained or not.

    Returns
    -------
    embedding : ndarray of shape (V, E)
        One row a word.
    params : RNNParams, LSTMParams or GRUParams
        Of the cell.
    readout : tuple of (ndarray of shape (H, 2), ndarray of shape (2,))
        Weights W and b: scores are h @ W + b.
    """
    table, W, b = (
        weights.detach().double().numpy()
        for weights in (model.embedding.weight, model.readout.weight, model.readout.bias)
    )
    return table, from_torch(model.core), (W.T, b)


def margins(model, words):
    """Return how much more the model believes in "liked it" than in "disliked it".

    Parameters
    ----------
    model : SentenceModel
        A reader.
    words : sequence of str
        T words, known or not.

    Returns
    -------
    margin : ndarray of shape (T,)
        After each word, in nats: the score of "liked it" less that of "disliked it". The
        confidence in "liked it" is 1 / (1 + exp(-margin)).

    Raises
    ------
    ValueError
        If there is no word.
    """
    if len(words) == 0:
        raise ValueError("words must hold at least one word")
    with torch.no_grad():
        scores = model(torch.as_tensor(encode(words))[None, :, None])[0][0].double().numpy()
    return scores[:, 1] - scores[:, 0]


def signal_left(model, words):
    """Return what the model still knows of the opening, after each word.

    .. math:: s_t = |m_t(w_1, ..., w_t) - m_t(w'_1, ..., w'_t)|

    Here w' is the twin of the sentence w, in which the opening says the opposite and everything
    else is the same: without a trace of the opening both margins are equal.

    Parameters
    ----------
    model : SentenceModel
        A reader.
    words : sequence of str
        T words, known or not.

    Returns
    -------
    signal : ndarray of shape (T,)
        In nats, at least 0; all 0 if the sentence is its own twin.

    Raises
    ------
    ValueError
        If there is no word.
    """
    return np.abs(margins(model, words) - margins(model, twin(words)))
