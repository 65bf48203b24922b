r"""A small translator with attention, to compare its map with the posterior of the alignment.

It reads the source in both directions, writes from left to right, and looks back once for every
word that it writes. At step t it knows the words :math:`y_1, \dots, y_{t-1}` and the source, not
yet :math:`y_t`, which it is about to predict:

.. math::
    s_t = \mathrm{GRU}([y_{t-1}, c_{t-1}], s_{t-1}), \qquad
    w_t = \mathrm{softmax}(s_t W_q (h W_k)^\top / \sqrt H), \qquad c_t = w_t h

The state h_i of the source at position i has heard all words, not only its own. So the model comes
in two kinds. With ``values="states"`` the readout sees :math:`[s_t, w_t h]`, as translators do.
With ``values="words"`` it sees :math:`[s_t, w_t e]`, where e_i is the embedding of word i alone.

Weights of three seeds of each kind are kept in ``aligner.npz``; ``python -m course_lib.aligner``
trains all of them anew, which takes some minutes.

Letters: N batch, S source time, T target time, V words of either language, E width of the
embeddings, H hidden.

References
----------
Bahdanau, Cho and Bengio (2015), doi:10.48550/arXiv.1409.0473, who feed what was looked at into the
next state, too, and look with the state *before* the step.
"""

import os
from pathlib import Path

import numpy as np
import torch
from torch import nn
from tqdm.auto import trange

from course_lib.datasets.alignment import LENGTH, sample_alignments
from course_lib.datasets.translation import V

WEIGHTS = Path(__file__).with_name("aligner.npz")
VALUES = ("words", "states")
SEEDS = (0, 1, 2)
UPDATES, BATCH, LR = 3000, 64, 0.01
BEGIN = V  # what the decoder reads before the first word


class Aligner(nn.Module):
    """A GRU that reads both ways, and one that writes and looks back.

    Parameters
    ----------
    values : {"words", "states"}
        What the readout gets of the position that is looked at.
    seed : int
        Seed of the starting weights.
    H : int, default=24
        Units of the decoder, and of either direction of the encoder.
    E : int, default=8
        Width of the embeddings.

    Raises
    ------
    ValueError
        If the kind of values is unknown.
    """

    def __init__(self, values, seed, H=24, E=8):
        super().__init__()
        if values not in VALUES:
            raise ValueError(f"values must be one of {VALUES}, got {values!r}")
        self.values, self.H = values, H
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embed_source = nn.Embedding(V, E)
            self.embed_target = nn.Embedding(V + 1, E)
            self.encoder = nn.GRU(E, H, batch_first=True, bidirectional=True)
            self.decoder = nn.GRUCell(E + 2 * H, H)
            self.query = nn.Linear(H, H, bias=False)
            self.key = nn.Linear(2 * H, H, bias=False)
            self.readout = nn.Linear(H + (E if values == "words" else 2 * H), V)

    def forward(self, source, target):
        """Return scores of each next word and the weights of each look.

        Parameters
        ----------
        source : torch.Tensor of shape (N, S)
            English words.
        target : torch.Tensor of shape (N, T)
            Latin words; step t reads those before t only.

        Returns
        -------
        scores : torch.Tensor of shape (N, T, V)
            Of the word at each step, before the softmax.
        weights : torch.Tensor of shape (N, T, S)
            Where each step looks; rows sum to 1.
        """
        words = self.embed_source(source)
        states, _ = self.encoder(words)  # (N, S, 2H)
        keys = self.key(states).transpose(1, 2)  # (N, H, S)
        seen = words if self.values == "words" else states
        begin = torch.full_like(target[:, :1], BEGIN)
        previous = self.embed_target(torch.cat([begin, target[:, :-1]], dim=1))
        s, context = words.new_zeros(len(source), self.H), torch.zeros_like(states[:, 0])
        read, weights = [], []
        for t in range(target.shape[1]):
            s = self.decoder(torch.cat([previous[:, t], context], dim=1), s)
            w = (self.query(s)[:, None] @ keys / self.H**0.5).softmax(dim=2)  # (N, 1, S)
            context = (w @ states)[:, 0]
            read.append(torch.cat([s, (w @ seen)[:, 0]], dim=1))
            weights.append(w[:, 0])
        return self.readout(torch.stack(read, dim=1)), torch.stack(weights, dim=1)


def train_aligner(values, seed, updates=UPDATES, progress=True):
    """Train an aligner on sentences that are drawn anew at every update.

    Parameters
    ----------
    values : {"words", "states"}
        Kind of model.
    seed : int
        Seed of the weights and of the sentences.
    updates : int, default=3000
        Steps of Adam; the step size falls on a straight line from 0.01 to 0.
    progress : bool, default=True
        Show a bar.

    Returns
    -------
    model : Aligner
        Trained.
    """
    model, rng = Aligner(values, seed), np.random.default_rng(seed)
    optimiser = torch.optim.Adam(model.parameters(), lr=LR)
    hidden = not progress or bool(os.environ.get("TQDM_DISABLE"))
    for k in trange(updates, disable=hidden, leave=False, desc=f"{values}, seed {seed}"):
        drawn = sample_alignments(BATCH, rng, LENGTH, LENGTH)
        target = torch.as_tensor(drawn.target)
        scores, _ = model(torch.as_tensor(drawn.source), target)
        loss = nn.functional.cross_entropy(scores.transpose(1, 2), target)
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.param_groups[0]["lr"] = LR * (1 - k / updates)
        optimiser.step()
    return model


def load_aligner(values, seed):
    """Return a trained aligner from the file of weights.

    Parameters
    ----------
    values : {"words", "states"}
        Kind of model.
    seed : {0, 1, 2}
        Seed of its training.

    Returns
    -------
    model : Aligner
        With the weights that its training ended with.

    Raises
    ------
    ValueError
        If there are no weights of that kind and seed.
    """
    model = Aligner(values, seed)
    with np.load(WEIGHTS) as kept:
        if f"{values}-{seed}" not in kept:
            raise ValueError(f"no weights of {values!r}, seed {seed}; there are {sorted(kept)}")
        row = torch.from_numpy(kept[f"{values}-{seed}"])
    nn.utils.vector_to_parameters(row, model.parameters())
    return model


def main():
    """Train every kind with every seed and write the file of weights."""
    torch.set_num_threads(1)
    kept = {}
    for values in VALUES:
        for seed in SEEDS:
            model = train_aligner(values, seed)
            row = nn.utils.parameters_to_vector(model.parameters())
            kept[f"{values}-{seed}"] = row.detach().numpy()
            print(f"{values}, seed {seed}: trained", flush=True)
    np.savez(WEIGHTS, **kept)


if __name__ == "__main__":
    main()
