"""Encoder and decoder against a plain loop over one sentence, against PyTorch, and bad inputs."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from course_lib.decoding import beam_search, greedy_decode
from course_lib.gru import init_gru
from course_lib.lstm import init_lstm
from course_lib.seq2seq import (
    Encoded,
    decode_teacher,
    encode,
    init_seq2seq,
    step_decoder,
)
from course_lib.seq2seq_bridge import params_from_translator

N, S, T, V_S, V_T, E, H = 3, 6, 5, 7, 8, 4, 9
LENGTHS = np.array([6, 1, 4])
START, STOP = V_T, 1
SCORES = (None, "additive", "dot", "scaled")


@pytest.fixture(params=SCORES, ids=str)
def params(request, rng):
    return init_seq2seq(V_S, V_T, E, H, rng, request.param)


@pytest.fixture
def source(rng):
    return rng.integers(V_S, size=(N, S))


@pytest.fixture
def target_in(rng):
    return np.column_stack([np.full(N, START), rng.integers(V_T, size=(N, T - 1))])


def sigmoid(a):
    return 1.0 / (1.0 + np.exp(-a))


def gru_by_hand(x, h, params):
    """One unit after the other, from the formulas of Cho et al. as PyTorch has them."""
    after = np.empty(len(h))
    for unit in range(len(h)):
        a_x = [
            x @ params.W_xa[:, unit + k * len(h)] + params.b_x[unit + k * len(h)] for k in (0, 1, 2)
        ]
        a_h = [
            h @ params.W_ha[:, unit + k * len(h)] + params.b_h[unit + k * len(h)] for k in (0, 1, 2)
        ]
        r, z = sigmoid(a_x[0] + a_h[0]), sigmoid(a_x[1] + a_h[1])
        after[unit] = z * h[unit] + (1 - z) * np.tanh(a_x[2] + r * a_h[2])
    return after


def by_hand(source, target_in, params):
    """Log probabilities and weights of one sentence pair, step by step: the oracle."""
    h, states = np.zeros(H), []
    for token in source:
        h = gru_by_hand(params.embed_source[token], h, params.encoder)
        states.append(h)
    log_probs, weights = [], []
    for token in target_in:
        h = gru_by_hand(params.embed_target[token], h, params.decoder)
        seen = h
        if params.attention is not None:
            score = params.attention
            if isinstance(score, str):
                e = [h @ s / (np.sqrt(H) if score == "scaled" else 1.0) for s in states]
            else:
                e = [np.tanh(h @ score.W_q + s @ score.W_k) @ score.v for s in states]
            weight = np.exp(e) / np.exp(e).sum()
            weights.append(weight)
            seen = np.concatenate([h, sum(w * s for w, s in zip(weight, states, strict=True))])
        p = np.exp(seen @ params.W_out + params.b_out)
        log_probs.append(np.log(p / p.sum()))
    return np.array(log_probs), np.array(weights)


class TestAgainstOneSentenceByHand:
    def test_padded_batch(self, params, source, target_in):
        trace = decode_teacher(target_in, encode(source, params, LENGTHS), params)
        for n, length in enumerate(LENGTHS):
            log_probs, weights = by_hand(source[n, :length], target_in[n], params)
            np.testing.assert_allclose(trace.log_probs[n], log_probs, rtol=0, atol=1e-12)
            if params.attention is not None:
                np.testing.assert_allclose(
                    trace.weights[n, :, :length], weights, rtol=0, atol=1e-12
                )
                assert (trace.weights[n, :, length:] == 0).all()

    def test_padding_is_never_looked_at(self, params, source, target_in):
        other = source.copy()
        other[1, 1:], other[2, 4:] = -99, 12345
        here, there = (
            decode_teacher(target_in, encode(s, params, LENGTHS), params) for s in (source, other)
        )
        np.testing.assert_array_equal(here.log_probs, there.log_probs)


class Translator(nn.Module):
    """What the bridge reads, with PyTorch's own forward pass; not the class of the chapter."""

    def __init__(self, attention):
        super().__init__()
        self.attention = attention
        self.embed_source, self.embed_target = nn.Embedding(V_S, E), nn.Embedding(V_T + 1, E)
        self.encoder, self.decoder = (nn.GRU(E, H, batch_first=True) for _ in range(2))
        self.head = nn.Linear(H if attention is None else 2 * H, V_T)
        if attention == "additive":
            self.query, self.key = (nn.Linear(H, 5, bias=False) for _ in range(2))
            self.energy = nn.Linear(5, 1, bias=False)
        self.double()

    def forward(self, source, lengths, target_in):
        packed = pack_padded_sequence(
            self.embed_source(source), lengths, batch_first=True, enforce_sorted=False
        )
        states, final = self.encoder(packed)
        states, _ = nn.utils.rnn.pad_packed_sequence(states, batch_first=True)
        h, _ = self.decoder(self.embed_target(target_in), final)
        if self.attention is not None:
            if self.attention == "additive":
                hidden = self.query(h)[:, :, None] + self.key(states)[:, None]
                scores = self.energy(torch.tanh(hidden))[..., 0]
            else:
                scores = h @ states.transpose(1, 2)
                scores = scores / (H**0.5 if self.attention == "scaled" else 1.0)
            may_look = torch.arange(source.shape[1]) < lengths[:, None]
            scores = scores.masked_fill(~may_look[:, None], -torch.inf)
            h = torch.cat([h, scores.softmax(-1) @ states], dim=-1)
        return self.head(h).log_softmax(-1)


@pytest.mark.parametrize("attention", SCORES)
def test_bridge_gives_the_log_probabilities_of_pytorch(attention, source, target_in):
    torch.manual_seed(3)
    model = Translator(attention)
    params = params_from_translator(model)
    ours = decode_teacher(target_in, encode(source, params, LENGTHS), params).log_probs
    theirs = model(*map(torch.as_tensor, (source, LENGTHS, target_in))).detach().numpy()
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-10)


def test_bridge_copies_the_weights():
    model = Translator("additive")
    params = params_from_translator(model)
    before = params.W_out.copy(), params.attention.v.copy(), params.embed_source.copy()
    with torch.no_grad():
        for tensor in model.parameters():
            tensor += 1.0
    after = params.W_out, params.attention.v, params.embed_source
    assert all((a == b).all() for a, b in zip(after, before, strict=True))


def test_bridge_refuses_a_bias_in_the_score():
    model = Translator("additive")
    model.query = nn.Linear(H, 5)
    with pytest.raises(ValueError, match="query must be a linear layer without bias"):
        params_from_translator(model)


class TestStepDecoder:
    def test_steps_with_the_true_tokens_are_teacher_forcing(self, params, source, target_in):
        encoded = encode(source, params, LENGTHS)
        trace, h = decode_teacher(target_in, encoded, params), encoded.final
        for t in range(T):
            log_probs, h = step_decoder(target_in[:, t], h, encoded, params)
            np.testing.assert_allclose(log_probs, trace.log_probs[:, t], rtol=0, atol=1e-12)
            np.testing.assert_allclose(h, trace.h[:, t], rtol=0, atol=1e-12)

    def test_one_source_serves_all_rows(self, params, source, target_in):
        encoded = encode(source, params, LENGTHS).row(2)
        h = np.repeat(encoded.final, N, axis=0)
        together, _ = step_decoder(target_in[:, 1], h, encoded, params)
        for n in range(N):
            alone, _ = step_decoder(target_in[[n], 1], h[[n]], encoded, params)
            np.testing.assert_allclose(together[[n]], alone, rtol=0, atol=1e-12)

    def test_written_by_beam_scored_by_teacher(self, params, source):
        """The log probability of a hypothesis is the one that teacher forcing gives its tokens."""
        encoded = encode(source, params, LENGTHS)
        for n in range(N):
            row = encoded.row(n)
            step = partial(step_decoder, encoded=row, params=params)
            for one in beam_search(step, row.final, START, STOP, 4, 6):
                target = [*one.tokens, STOP] if one.finished else [*one.tokens]
                trace = decode_teacher([[START, *target[:-1]]], row, params)
                total = trace.log_probs[0, np.arange(len(target)), target].sum()
                np.testing.assert_allclose(one.log_prob, total, rtol=0, atol=1e-12)

    def test_greedy_of_a_batch_is_greedy_of_each(self, params, source):
        encoded = encode(source, params, LENGTHS)
        step = partial(step_decoder, encoded=encoded, params=params)
        for n, one in enumerate(greedy_decode(step, encoded.final, START, STOP, 6)):
            row = encoded.row(n)
            (alone,) = greedy_decode(
                partial(step_decoder, encoded=row, params=params), row.final, START, STOP, 6
            )
            assert alone.tokens == one.tokens and alone.finished == one.finished


class TestTheBottleneck:
    def test_sources_with_the_same_final_state_are_the_same_to_the_decoder(self, rng, target_in):
        params = init_seq2seq(V_S, V_T, E, H, rng)
        final, states = rng.normal(size=(1, H)), rng.normal(size=(2, 1, S, H))
        here, there = (
            decode_teacher(target_in[:1], Encoded(s, final, np.array([S])), params).log_probs
            for s in states
        )
        np.testing.assert_array_equal(here, there)


class TestTrace:
    def test_series(self, params, source, target_in):
        trace = decode_teacher(target_in, encode(source, params, LENGTHS), params)
        names = trace.to_trace(1).names
        assert names == ["tokens", "h", "log_probs"] + ["weights"] * (params.attention is not None)
        np.testing.assert_array_equal(trace.to_trace(1)["h"], trace.h[1])

    def test_row_has_no_padding(self, params, source):
        row = encode(source, params, LENGTHS).row(2)
        assert (row.states.shape, row.final.shape, row.lengths.tolist()) == ((1, 4, H), (1, H), [4])

    def test_row_that_is_not_there(self, params, source):
        with pytest.raises(ValueError, match="n must be a sequence from 0 to 2, got 3"):
            encode(source, params).row(3)


class TestBadInputs:
    def test_unknown_score(self, rng):
        with pytest.raises(ValueError, match=r"attention must be None or one of .* got 'cosine'"):
            init_seq2seq(V_S, V_T, E, H, rng, "cosine")
        with pytest.raises(ValueError, match=r"attention must be None, 'dot'.* got 'cosine'"):
            replace(init_seq2seq(V_S, V_T, E, H, rng, "dot"), attention="cosine")

    def test_size_zero(self, rng):
        with pytest.raises(ValueError, match="all sizes must be at least 1"):
            init_seq2seq(V_S, 0, E, H, rng)

    def test_weights_that_do_not_fit(self, rng):
        params = init_seq2seq(V_S, V_T, E, H, rng)
        with pytest.raises(ValueError, match=r"W_out must have shape \(18, 8\), got \(9, 8\)"):
            replace(params, attention="dot")
        with pytest.raises(ValueError, match="embed_target must have a row for each of the 8 symb"):
            replace(params, embed_target=params.embed_target[:7])
        with pytest.raises(ValueError, match=r"decoder\.W_ha must have shape"):
            replace(params, decoder=init_gru(E, H + 1, rng))
        with pytest.raises(ValueError, match="encoder must be GRUParams, got LSTMParams"):
            replace(params, encoder=init_lstm(E, H, rng))

    @pytest.mark.parametrize(
        "change, message",
        [
            ({"source": [[0, V_S]]}, "source must hold symbols from 0 to 6, got 7"),
            ({"source": [0, 1]}, r"source must have shape \(any, any\)"),
            ({"source": [[0, 1]], "lengths": [2, 2]}, r"lengths must have shape \(1,\)"),
        ],
    )
    def test_source(self, rng, change, message):
        with pytest.raises(ValueError, match=message):
            encode(params=init_seq2seq(V_S, V_T, E, H, rng), **change)

    def test_target(self, params, source, target_in):
        encoded = encode(source, params)
        with pytest.raises(ValueError, match="target_in must hold symbols from 0 to 8, got 9"):
            decode_teacher(np.full((N, 2), V_T + 1), encoded, params)
        with pytest.raises(ValueError, match=r"target_in must have shape \(3, any\)"):
            decode_teacher(target_in[:2], encoded, params)
        with pytest.raises(ValueError, match="encoded must be Encoded, got ndarray"):
            decode_teacher(target_in, encoded.final, params)

    def test_rows_without_a_source(self, params, source):
        encoded = encode(source, params)
        with pytest.raises(ValueError, match="encoded must hold 1 source or 2 as h does, got 3"):
            step_decoder([0, 0], np.zeros((2, H)), encoded, params)
