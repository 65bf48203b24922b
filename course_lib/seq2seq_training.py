r"""Encoder and decoder in PyTorch, to be trained.

The numbers are those of :mod:`course_lib.seq2seq`, for which
:func:`~course_lib.seq2seq_bridge.params_from_translator` reads the weights.

Training forces the teacher on the decoder: at every step it reads the *right* token before, so all
steps run at once. Afterwards it must write freely and reads its own.

Masks are bool, True where a query may look, as everywhere in this book.

Letters: N batch, n sentences of a test, S source time, T target time, E width of the embeddings, H
hidden, V_out tokens that can be written.

References
----------
Sutskever, Vinyals and Le (2014), arXiv:1409.3215. Luong, Pham and Manning (2015),
doi:10.18653/v1/D15-1166: attention after the decoder's step. Bahdanau, Cho and Bengio (2015),
doi:10.48550/arXiv.1409.0473: the additive score.
"""

import os
import time

import numpy as np
import torch
from torch import nn
from tqdm.auto import trange

from course_lib.datasets.translation import (
    LONGEST,
    START,
    STOP,
    V_TARGET,
    V,
    translation_pairs,
)
from course_lib.seq2seq import SCORES
from course_lib.training import History

KINDS = (None, *SCORES, "projected")


class Translator(nn.Module):
    """A GRU that reads, and a GRU that writes, with or without looking back.

    Parameters
    ----------
    H : int
        Units of encoder and decoder.
    seed : int
        Seed of the starting weights.
    attention : {None, "additive", "dot", "scaled", "projected"}
        How the decoder looks back at the encoder's states; None: not at all. The additive score
        has width H; "projected" is the scaled score of H learned combinations of each state.
    V_source, V_target : int
        Source symbols; target symbols with STOP and START. Those of the translation task.
        START, the last, is read and never written, so there is one score less.
    E : int, default=8
        Width of the embeddings.

    Raises
    ------
    ValueError
        If the score is unknown.
    """

    def __init__(self, H, seed, attention=None, *, V_source=V, V_target=V_TARGET, E=8):
        super().__init__()
        if attention not in KINDS:
            raise ValueError(f"attention must be one of {KINDS}, got {attention!r}")
        self.H, self.attention = H, attention
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.embed_source = nn.Embedding(V_source, E)
            self.embed_target = nn.Embedding(V_target, E)
            self.encoder = nn.GRU(E, H, batch_first=True)
            self.decoder = nn.GRU(E, H, batch_first=True)
            self.head = nn.Linear(H if attention is None else 2 * H, V_target - 1)
            if attention in ("additive", "projected"):
                self.query, self.key = (nn.Linear(H, H, bias=False) for _ in range(2))
            if attention == "additive":
                self.energy = nn.Linear(H, 1, bias=False)

    def encode(self, source, lengths):
        """Return the encoder's states (N, S, H), and those after each sentence's last word."""
        states, _ = self.encoder(self.embed_source(source))
        return states, states[torch.arange(len(source)), lengths - 1]

    def decode(self, target_in, h, states, lengths):
        """Run the decoder on given tokens.

        Parameters
        ----------
        target_in : torch.Tensor of shape (N, T)
            Tokens that it reads.
        h : torch.Tensor of shape (N, H)
            Its state before the first of them.
        states : torch.Tensor of shape (N, S, H)
            States of the encoder.
        lengths : torch.Tensor of shape (N,)
            Words of each source; it may look at so many states.

        Returns
        -------
        scores : torch.Tensor of shape (N, T, V_out)
            Scores of each next token.
        weights : torch.Tensor of shape (N, T, S) or None
            Where it looked; None without attention.
        h : torch.Tensor of shape (N, H)
            State after the last token.
        """
        outputs, h = self.decoder(self.embed_target(target_in), h[None])
        weights = None
        if self.attention is not None:
            may_look = torch.arange(states.shape[1]) < lengths[:, None]
            scores = self.scores(outputs, states).masked_fill(~may_look[:, None], float("-inf"))
            weights = scores.softmax(dim=2)
            outputs = torch.cat([outputs, weights @ states], dim=2)
        return self.head(outputs), weights, h[0]

    def scores(self, q, k):
        """Return how well queries and keys fit, before any mask.

        Parameters
        ----------
        q : torch.Tensor of shape (N, T, H)
            States of the decoder.
        k : torch.Tensor of shape (N, S, H)
            States of the encoder.

        Returns
        -------
        scores : torch.Tensor of shape (N, T, S)
            Any real number; the larger, the better the fit.
        """
        if self.attention == "additive":
            return self.energy(torch.tanh(self.query(q)[:, :, None] + self.key(k)[:, None]))[..., 0]
        if self.attention == "projected":
            q, k = self.query(q), self.key(k)
        scores = q @ k.transpose(1, 2)
        return scores if self.attention == "dot" else scores / self.H**0.5

    def forward(self, source, lengths, target_in):
        """Return the scores (N, T, V_out) of each next token, given the right ones before."""
        states, final = self.encode(source, lengths)
        return self.decode(target_in, final, states, lengths)[0]


def forced_loss(model, pairs):
    """Return the mean cross-entropy of the targets' tokens, each given the right ones before.

    Parameters
    ----------
    model : Translator
        Scores the tokens.
    pairs : Pairs
        Sentences with their translations.

    Returns
    -------
    loss : torch.Tensor of shape ()
        Nats per token, STOP included, filling not.
    """
    scores = model(*_tensors(pairs))
    counts = torch.as_tensor(pairs.counts)
    return nn.functional.cross_entropy(scores[counts], torch.as_tensor(pairs.target)[counts])


def _tensors(pairs):
    """Return source, lengths and target_in of pairs as tensors."""
    return [torch.as_tensor(a) for a in (pairs.source, pairs.lengths, pairs.target_in)]


def train_translator(
    model,
    *,
    updates,
    seed,
    lr=0.01,
    batch=32,
    shortest=1,
    longest=LONGEST,
    clip=1.0,
    watch=None,
    progress=True,
):
    """Train a translator in place by teacher forcing, on sentences drawn anew for every update.

    The step size falls on a straight line from ``lr`` to 0.

    Parameters
    ----------
    model : Translator
        Changed in place.
    updates : int
        Steps of Adam to make, at least 1.
    seed : int
        Seed of the sentences.
    lr : float, default=0.01
        Step size of the first update.
    batch : int, default=32
        Sentences in each batch.
    shortest, longest : int
        Range of their lengths, in words; all equally probable.
    clip : float, default=1.0
        Largest norm of the gradient that an update uses.
    watch : callable, optional
        ``watch(updates, model)`` is called after each update; it must not change the model.
    progress : bool, default=True
        Show a bar while training. The environment variable ``TQDM_DISABLE`` hides all bars.

    Returns
    -------
    history : History
        Loss and gradient norm of each update, and the seconds it took.

    Raises
    ------
    ValueError
        If a number is out of range, or the loss stops being finite.
    """
    if updates < 1:
        raise ValueError(f"updates must be at least 1, got {updates}")
    rng = np.random.default_rng(seed)
    optimiser = torch.optim.Adam(model.parameters(), lr=lr)
    hidden = not progress or bool(os.environ.get("TQDM_DISABLE"))
    loss, grad_norm, start = [], [], time.perf_counter()
    for step in trange(updates, disable=hidden, leave=False, desc="training"):
        value = forced_loss(model, translation_pairs(batch, rng, shortest, longest))
        optimiser.zero_grad()
        value.backward()
        grad_norm.append(float(nn.utils.clip_grad_norm_(model.parameters(), clip)))
        loss.append(value.item())
        if not np.isfinite([loss[-1], grad_norm[-1]]).all():
            raise ValueError(f"loss {loss[-1]} at update {step} must be finite; use a smaller lr")
        for group in optimiser.param_groups:
            group["lr"] = lr * (1 - step / updates)
        optimiser.step()
        if watch is not None:
            watch(step + 1, model)
    return History(np.array(loss), np.array(grad_norm), False, time.perf_counter() - start)


def forced_tokens(model, pairs):
    """Return the most probable token of each step, (n, T), the right ones before being given.

    Parameters
    ----------
    model : Translator
        Not changed.
    pairs : Pairs
        Sentences with their translations.

    Returns
    -------
    tokens : ndarray of shape (n, T)
        Tokens, 0 to V_out - 1.
    """
    with torch.no_grad():
        return model(*_tensors(pairs)).argmax(dim=2).numpy()


def free_tokens(model, source, lengths, T=None):
    """Write freely: at every step the most probable token, which the next step reads.

    Parameters
    ----------
    model : Translator
        Not changed.
    source : ndarray of shape (n, S)
        English words.
    lengths : ndarray of shape (n,)
        Words of each sentence.
    T : int, optional
        Steps; S + 1, enough for a right translation, if not given.

    Returns
    -------
    tokens : ndarray of shape (n, T)
        What was written; STOP after the first STOP.
    """
    T = source.shape[1] + 1 if T is None else T
    lengths = torch.as_tensor(lengths)
    with torch.no_grad():
        states, h = model.encode(torch.as_tensor(source), lengths)
        last, written = torch.full((len(source), 1), START), []
        for _ in range(T):
            scores, _, h = model.decode(last, h, states, lengths)
            ended = last == STOP
            last = torch.where(ended, STOP, scores[:, -1:].argmax(dim=2))
            written.append(last)
    return torch.cat(written, dim=1).numpy()


def bits_paid(model, pairs):
    """Return what the words of each target cost under a model, the right ones before being given.

    By the chain rule this is the cost of the whole sentence. On average it is at least the entropy
    of the source given what the model has kept of it, so ``3 S - bits_paid(...).mean()`` is a lower
    bound on the bits that got through.

    Parameters
    ----------
    model : Translator
        Not changed.
    pairs : Pairs
        Sentences with their translations.

    Returns
    -------
    bits : ndarray of shape (n,)
        Bits for all words of a sentence, its STOP not counted.
    """
    source, lengths, target_in = _tensors(pairs)
    with torch.no_grad():
        log_probs = model(source, lengths, target_in).log_softmax(dim=2)
    paid = -log_probs.gather(2, torch.as_tensor(pairs.target)[..., None])[..., 0].numpy()
    words = np.arange(paid.shape[1]) < pairs.lengths[:, None]
    return (paid * words).sum(axis=1) / np.log(2)


def accuracy_by_length(model, lengths, n=500, seed=990_014, forced=False):
    """Return the share of right words and of right sentences for each length.

    A word is right if the right one stands in its place; a sentence if all of it is right, its end
    included.

    Parameters
    ----------
    model : Translator
        Not changed.
    lengths : iterable of int
        Words of the test sentences.
    n : int, default=500
        Sentences of each length.
    seed : int
        Seed of the sentences; far from those of trainings.
    forced : bool, default=False
        True: each step is given the right tokens before it, as in training; else the model writes
        freely.

    Returns
    -------
    words, sentences : ndarray
        Shares in [0, 1], one a length.
    """
    words, sentences = [], []
    for S in lengths:
        pairs = translation_pairs(n, np.random.default_rng((seed, S)), S, S)
        if forced:
            right = forced_tokens(model, pairs) == pairs.target
        else:
            right = free_tokens(model, pairs.source, pairs.lengths) == pairs.target
        words.append(right[:, :S].mean())
        sentences.append(right.all(axis=1).mean())
    return np.array(words), np.array(sentences)
