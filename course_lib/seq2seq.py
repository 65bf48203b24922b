r"""Encoder and decoder: one GRU reads the source, another writes the target from what is left.

.. math::
    h^{src}_s &= \mathrm{GRU}(embed^{src}_{x_s}, h^{src}_{s-1}), & h_0 &= h^{src}_S \\
    h_t &= \mathrm{GRU}(embed^{tgt}_{y_{t-1}}, h_{t-1}), &
    p(y_t \mid y_{<t}, x) &= \mathrm{softmax}(h_t W_{out} + b_{out})

Without attention, the H numbers of the encoder's last state are all that the decoder ever learns of
the source. With attention it also looks back at every state of the encoder: the query is h_t, keys
and values are the encoder's states, and the output reads [h_t, context_t].

Letters: N batch, S source time, T target time, V_s source symbols, V_t symbols that can be written
(STOP is one of them), V_in symbols that the decoder can read (START is one more), E width of the
embeddings, H hidden, A width of the additive score, n rows of a step.

References
----------
Sutskever, Vinyals and Le (2014), arXiv:1409.3215, with a GRU for their LSTM: their v, the vector
between the two networks, is our ``final``. Cho et al. (2014), doi:10.3115/v1/D14-1179, whose
decoder reads that vector again at every step. Attention after the step, as here: Luong, Pham and
Manning (2015), doi:10.18653/v1/D15-1166, without their layer between [h_t, context_t] and the
output; Bahdanau, Cho and Bengio (2015), doi:10.48550/arXiv.1409.0473, look before it.
"""

from dataclasses import dataclass

import numpy as np

from course_lib._checks import check_finite, check_lengths, check_shape, check_symbols
from course_lib._recurrent import read_kind, read_params, read_row, set_weights
from course_lib.attention import (
    AdditiveParams,
    AttentionTrace,
    attend,
    init_additive,
    padding_mask,
)
from course_lib.gru import GRUParams, gru_cell, gru_forward, init_gru
from course_lib.trace import Series, Trace

SCORES = ("additive", "dot", "scaled")


@dataclass(frozen=True, slots=True, eq=False)
class Seq2SeqParams:
    """Weights of an encoder and a decoder, and how the decoder looks back, if it does."""

    embed_source: np.ndarray  # (V_s, E)
    encoder: GRUParams  # E inputs, H units
    embed_target: np.ndarray  # (V_in, E), of START, too
    decoder: GRUParams  # E inputs, H units
    W_out: np.ndarray  # (H, V_t), or (2H, V_t) with attention: rows of h_t, then of the context
    b_out: np.ndarray  # (V_t,)
    attention: AdditiveParams | str | None = None  # or "dot", "scaled"

    def __post_init__(self):
        for name in ("encoder", "decoder"):
            read_kind(name, getattr(self, name), GRUParams)
        H, score = self.H, self.attention
        check_shape("decoder.W_ha", self.decoder.W_ha, (H, 3 * H))
        set_weights(
            self,
            embed_source=(None, len(self.encoder.W_xa)),
            embed_target=(None, len(self.decoder.W_xa)),
        )
        set_weights(self, b_out=(None,))
        set_weights(self, W_out=(H if score is None else 2 * H, len(self.b_out)))
        if len(self.embed_target) < len(self.b_out):
            raise ValueError(
                f"embed_target must have a row for each of the {len(self.b_out)} symbols that can "
                f"be written, and for START, got {len(self.embed_target)} rows"
            )
        if isinstance(score, AdditiveParams):
            for name in ("W_q", "W_k"):
                check_shape(f"attention.{name}", getattr(score, name), (H, len(score.v)))
        elif score not in (None, "dot", "scaled"):
            raise ValueError(
                f"attention must be None, 'dot', 'scaled' or AdditiveParams, got {score!r:.40}"
            )

    @property
    def H(self):
        """Number of units of the encoder, which are those of the decoder."""
        return len(self.encoder.W_ha)


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """What the encoder makes of N sources."""

    states: np.ndarray  # (N, S, H); after its own last token a source's state is only repeated
    final: np.ndarray  # (N, H) state after each source's own last token: the bottleneck
    lengths: np.ndarray  # (N,)

    def row(self, n):
        """Return source n alone, without its padding: states (1, S, H), final (1, H)."""
        read_row(n, len(self.final))
        length = self.lengths[n]
        return Encoded(
            self.states[n : n + 1, :length], self.final[n : n + 1], self.lengths[n : n + 1]
        )


@dataclass(frozen=True, slots=True, eq=False)
class DecoderTrace:
    """What the decoder did while it was told each token: states, probabilities, where it looked."""

    tokens: np.ndarray  # (N, T) what it read: START, then the target without its last token
    h: np.ndarray  # (N, T, H) state after reading each of them
    log_probs: np.ndarray  # (N, T, V_t) of what comes next, nats
    attention: AttentionTrace | None

    @property
    def weights(self):
        """Weights (N, T, S) on the source; None without attention."""
        return None if self.attention is None else self.attention.weights

    def to_trace(self, n=0):
        """Return one sequence as a trace over target time.

        Parameters
        ----------
        n : int
            Which sequence of the batch.

        Returns
        -------
        trace : Trace
            Series tokens, h, log_probs and, with attention, weights.

        Raises
        ------
        ValueError
            If there is no such sequence.
        """
        read_row(n, len(self.h))
        series = [
            Series("tokens", self.tokens[n]),
            Series("h", self.h[n]),
            Series("log_probs", self.log_probs[n], unit="nats"),
        ]
        if self.attention is not None:
            series.append(Series("weights", self.weights[n], low=0.0, high=1.0))
        return Trace("seq2seq", series)


def init_seq2seq(V_source, V_target, E, H, rng, attention=None):
    r"""Draw starting weights: normal embeddings, all else uniform in :math:`\pm 1/\sqrt n`.

    Parameters
    ----------
    V_source, V_target : int
        Number of source symbols, and of symbols that can be written, STOP included. What the
        decoder reads has one more, START, with the number V_target.
    E, H : int
        Width of the embeddings; number of units of encoder and decoder.
    rng : numpy.random.Generator
        Source of the random numbers.
    attention : {"additive", "dot", "scaled"}, optional
        How the decoder looks back; not at all if not given. The additive score has width H.

    Returns
    -------
    params : Seq2SeqParams
        Starting weights, distributed as those of PyTorch's layers.

    Raises
    ------
    ValueError
        If a size is below 1 or the score is unknown.
    """
    if min(V_source, V_target, E, H) < 1:
        raise ValueError(f"all sizes must be at least 1, got {V_source}, {V_target}, {E} and {H}")
    if attention not in (None, *SCORES):
        known = ", ".join(map(repr, SCORES))
        raise ValueError(f"attention must be None or one of {known}, got {attention!r}")
    embed_source, embed_target = (rng.normal(size=(V, E)) for V in (V_source, V_target + 1))
    encoder, decoder = init_gru(E, H, rng), init_gru(E, H, rng)
    n_in = H if attention is None else 2 * H
    W_out, b_out = (rng.uniform(-1, 1, s) / np.sqrt(n_in) for s in ((n_in, V_target), V_target))
    score = init_additive(H, H, H, rng) if attention == "additive" else attention
    return Seq2SeqParams(embed_source, encoder, embed_target, decoder, W_out, b_out, score)


def encode(source, params, lengths=None):
    """Read the sources to their ends.

    Parameters
    ----------
    source : ndarray of shape (N, S)
        Symbols from 0 to V_s - 1; what stands after a source's own end is never looked at.
    params : Seq2SeqParams
        Weights.
    lengths : ndarray of shape (N,), optional
        Number of tokens of each source, from 1 to S; all S if not given.

    Returns
    -------
    encoded : Encoded
        The states (N, S, H), and the one of each source that the decoder starts from.

    Raises
    ------
    ValueError
        If shapes do not fit or a symbol is out of range.

    References
    ----------
    Sutskever, Vinyals and Le (2014), arXiv:1409.3215.
    """
    read_params(params, Seq2SeqParams)
    source = check_shape("source", source, (None, None))
    N, S = source.shape
    lengths = check_lengths("lengths", lengths, N, S)
    read = np.arange(S) < lengths[:, None]
    source = check_symbols("source", np.where(read, source, 0), len(params.embed_source))
    trace = gru_forward(params.embed_source[source], params.encoder, lengths=lengths)
    return Encoded(trace.h[:, 1:], trace.h_final, lengths)


def decode_teacher(target_in, encoded, params):
    """Run the decoder on given tokens: every step is told what the step before should have said.

    Parameters
    ----------
    target_in : ndarray of shape (N, T)
        What the decoder reads: START, then the target without its last token.
    encoded : Encoded
        What :func:`encode` made of the N sources.
    params : Seq2SeqParams
        Weights.

    Returns
    -------
    trace : DecoderTrace
        States, log probabilities (N, T, V_t) of each next token, and the weights on the source.

    Raises
    ------
    ValueError
        If shapes do not fit or a symbol is out of range.

    References
    ----------
    Teacher forcing: Williams and Zipser (1989), doi:10.1162/neco.1989.1.2.270.
    """
    read_params(params, Seq2SeqParams)
    N = _read_encoded(encoded, params.H)
    target_in = check_shape("target_in", target_in, (N, None))
    target_in = check_symbols("target_in", target_in, len(params.embed_target))
    h = gru_forward(params.embed_target[target_in], params.decoder, encoded.final).h[:, 1:]
    log_probs, attention = _read_out(h, encoded.states, encoded.lengths, params)
    return DecoderTrace(target_in, h, log_probs, attention)


def step_decoder(tokens, h, encoded, params):
    """Advance the decoder by one token, whoever chose it.

    With the last two arguments bound this is the ``step`` of :mod:`course_lib.decoding`, and
    ``encoded.final`` the state before the first token.

    Parameters
    ----------
    tokens : ndarray of shape (n,)
        The token before, START at first.
    h : ndarray of shape (n, H)
        State of the decoder before this step.
    encoded : Encoded
        One source for all n rows, or n sources.
    params : Seq2SeqParams
        Weights.

    Returns
    -------
    log_probs : ndarray of shape (n, V_t)
        Log probability of each next token, nats.
    h : ndarray of shape (n, H)
        State after the step.

    Raises
    ------
    ValueError
        If shapes do not fit or a symbol is out of range.
    """
    read_params(params, Seq2SeqParams)
    N = _read_encoded(encoded, params.H)
    h = check_finite("h", check_shape("h", h, (None, params.H)))
    n = len(h)
    if N not in (1, n):
        raise ValueError(f"encoded must hold 1 source or {n} as h does, got {N}; see Encoded.row")
    tokens = check_symbols("tokens", check_shape("tokens", tokens, (n,)), len(params.embed_target))
    h = gru_cell(params.embed_target[tokens], h, params.decoder)
    states = np.broadcast_to(encoded.states, (n, *encoded.states.shape[1:]))
    lengths = np.broadcast_to(encoded.lengths, (n,))
    log_probs, _ = _read_out(h[:, None], states, lengths, params)
    return log_probs[:, 0], h


def _read_encoded(encoded, H):
    """Refuse what :func:`encode` did not make with weights of this size; return N."""
    read_kind("encoded", encoded, Encoded)
    N, _, _ = check_shape("encoded.states", encoded.states, (None, None, H)).shape
    return N


def _read_out(h, states, lengths, params):
    """Log probabilities (N, T, V_t) from the decoder's states (N, T, H), and where it looked."""
    attention = None
    if params.attention is not None:
        mask = padding_mask(lengths, states.shape[1])
        attention = attend(h, states, states, params.attention, mask)
        h = np.concatenate([h, attention.context], axis=2)
    scores = h @ params.W_out + params.b_out
    scores -= scores.max(axis=2, keepdims=True)
    return scores - np.log(np.exp(scores).sum(axis=2, keepdims=True)), attention
