"""The translator in PyTorch: equal to NumPy, blind to filling, taught and tested as stated."""

import numpy as np
import pytest
import torch
from torch import nn

from course_lib import seq2seq_training as training
from course_lib.datasets.translation import START, STOP, translation_pairs
from course_lib.decoding import greedy_decode
from course_lib.seq2seq import decode_teacher, encode, step_decoder
from course_lib.seq2seq_bridge import params_from_translator
from course_lib.seq2seq_training import KINDS, Translator


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def pairs():
    pairs = translation_pairs(6, np.random.default_rng(1), 2, 7)
    assert pairs.lengths.max() == 7 and pairs.lengths.min() < 5
    return pairs


def tensors(pairs):
    return [torch.as_tensor(a) for a in (pairs.source, pairs.lengths, pairs.target_in)]


@pytest.mark.parametrize("attention", [None, "additive", "dot", "scaled"])
def test_forced_outputs_are_those_of_numpy(pairs, attention):
    model = Translator(11, 1, attention).double()
    params = params_from_translator(model)
    encoded = encode(pairs.source, params, pairs.lengths)
    want = decode_teacher(pairs.target_in, encoded, params).log_probs
    with torch.no_grad():
        got = model(*tensors(pairs)).log_softmax(dim=2).numpy()
    assert got.shape == (6, 8, STOP + 1)  # START is never written
    np.testing.assert_allclose(got, want, rtol=0, atol=1e-10)


def test_projected_scores_by_hand(pairs):
    model = Translator(5, 1, "projected").double()
    q, k = torch.randn(2, 3, 5, dtype=torch.double), torch.randn(2, 4, 5, dtype=torch.double)
    W_q, W_k = model.query.weight.T, model.key.weight.T
    want = torch.stack([(q[n] @ W_q) @ (k[n] @ W_k).T / 5**0.5 for n in range(2)])
    torch.testing.assert_close(model.scores(q, k), want)


@pytest.mark.parametrize("attention", KINDS)
def test_filling_is_never_looked_at(pairs, attention):
    model = Translator(7, 2, attention)
    source, lengths, target_in = tensors(pairs)
    other = torch.where(torch.arange(7) < lengths[:, None], source, 5)
    assert not torch.equal(source, other)
    with torch.no_grad():
        torch.testing.assert_close(
            model(other, lengths, target_in), model(source, lengths, target_in)
        )
        row = model(source[:1, : lengths[0]], lengths[:1], target_in[:1])  # without any filling
    torch.testing.assert_close(row, model(source, lengths, target_in)[:1], atol=1e-6, rtol=0)


@pytest.mark.parametrize("attention", [None, "additive"])
def test_free_writing_is_greedy_decoding(pairs, attention):
    model = Translator(9, 4, attention)
    training.train_translator(model, updates=20, seed=0, longest=4, progress=False)
    params = params_from_translator(model)
    written = training.free_tokens(model, pairs.source, pairs.lengths)
    for n in range(6):
        encoded = encode(pairs.source, params, pairs.lengths).row(n)
        step = lambda tokens, h: step_decoder(tokens, h, encoded, params)  # noqa: B023, E731
        (best,) = greedy_decode(step, encoded.final, START, STOP, 8)
        assert written[n].tolist() == [*best.tokens, *[STOP] * (8 - len(best.tokens))]


def test_loss_counts_words_and_stop_only(pairs):
    model = Translator(6, 5)
    with torch.no_grad():
        scores = model(*tensors(pairs))
        want = np.mean(
            [
                nn.functional.cross_entropy(scores[n, t], torch.tensor(pairs.target[n, t])).item()
                for n in range(6)
                for t in range(pairs.lengths[n] + 1)
            ]
        )
        assert training.forced_loss(model, pairs).item() == pytest.approx(want, abs=1e-6)


def test_bits_paid_by_the_chain_rule(pairs):
    model = Translator(6, 5)
    with torch.no_grad():
        p = model(*tensors(pairs)).softmax(dim=2).numpy()
    want = [
        -sum(np.log2(p[n, t, pairs.target[n, t]]) for t in range(pairs.lengths[n]))
        for n in range(6)
    ]
    np.testing.assert_allclose(training.bits_paid(model, pairs), want, rtol=1e-5)


def test_accuracy_counts_words_in_their_places_and_whole_sentences(monkeypatch):
    def nearly(model, source, lengths):
        target = translation_pairs(4, np.random.default_rng((990_014, 3)), 3, 3).target.copy()
        target[0, 1] = (target[0, 1] + 1) % 8  # one word of twelve
        target[1, 3] = 0  # no end
        return target

    monkeypatch.setattr(training, "free_tokens", nearly)
    words, sentences = training.accuracy_by_length(None, [3], n=4)
    assert words.tolist() == [11 / 12] and sentences.tolist() == [0.5]


def test_forced_accuracy_is_told_the_words_before(pairs):
    class Copies(nn.Module):
        """Says the token that it was told last, one step late."""

        def forward(self, source, lengths, target_in):
            return nn.functional.one_hot(target_in, 10).double()

    tokens = training.forced_tokens(Copies(), pairs)
    np.testing.assert_array_equal(tokens[:, 1:], pairs.target[:, :-1])


def test_training_learns_and_the_seed_decides():
    def losses(updates):
        model = Translator(12, 0)
        options = {"updates": updates, "seed": 0, "longest": 2, "progress": False}
        return model, training.train_translator(model, **options)

    (_, one), (_, two), (model, history) = losses(3), losses(3), losses(100)
    np.testing.assert_array_equal(one.loss, two.loss)
    assert history.steps == 100 and history.loss[-10:].mean() < 0.5 * history.loss[:10].mean()
    assert training.accuracy_by_length(model, [1], n=100)[0][0] > 0.9


def test_watch_sees_every_update_and_pytorchs_generator_is_left_alone():
    before, seen = torch.get_rng_state(), []
    model = Translator(4, 0)
    training.train_translator(
        model, updates=3, seed=0, progress=False, watch=lambda n, _: seen.append(n)
    )
    assert seen == [1, 2, 3] and torch.equal(before, torch.get_rng_state())


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="attention must be one of"):
        Translator(4, 0, "hard")
    with pytest.raises(ValueError, match="updates must be at least 1"):
        training.train_translator(Translator(4, 0), updates=0, seed=0)
    broken = Translator(4, 0)
    nn.init.constant_(broken.head.bias, float("nan"))
    with pytest.raises(ValueError, match="loss nan at update 0"):
        training.train_translator(broken, updates=1, seed=0, progress=False)
