"""Attention networks for training: PyTorch's block, blind where told, and told the order or not."""

import numpy as np
import pytest
import torch
from torch import nn

from course_lib import positions, transformer
from course_lib.attention import causal_mask
from course_lib.attention_models import (
    AttentionBlock,
    AttentionModel,
    _distances,
    _rotate,
    _sinusoids,
)
from course_lib.block_bridge import block_from_torch
from course_lib.datasets.memory import memory_task
from course_lib.training import evaluate, train

N, T, D, M = 2, 7, 3, 12  # two heads of 6, four of 3


def sequence(seed=0, length=T):
    x = np.random.default_rng(seed).normal(size=(N, length, D))
    return torch.as_tensor(x)


def network(**options):
    return AttentionModel(D, M, 5, seed=1, **{"heads": 2, "F": 10, **options}).double()


def outputs(model, x):
    with torch.no_grad():
        return model(x)[0].numpy()


class TestAgainstTorch:
    @pytest.mark.parametrize("norm", ["pre", "post"])
    @pytest.mark.parametrize("causal", [True, False])
    def test_block_is_the_encoder_layer(self, norm, causal):
        block = AttentionBlock(M, 3, 10, norm=norm).double()
        twin = nn.TransformerEncoderLayer(
            M, 3, 10, dropout=0.0, batch_first=True, norm_first=norm == "pre", dtype=torch.float64
        )
        twin.load_state_dict(block.state_dict())
        x = torch.randn(N, T, M, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
        look = torch.ones(T, T, dtype=torch.bool).tril() if causal else None
        theirs = twin(x, src_mask=None if look is None else ~look)  # True is hidden, there
        np.testing.assert_allclose(
            block(x, look).detach(), theirs.detach(), rtol=0, atol=1e-12
        )  # float64

    @pytest.mark.parametrize("norm", ["pre", "post"])
    @pytest.mark.parametrize("causal", [True, False])
    def test_block_is_the_one_of_the_library(self, norm, causal):
        model = network(positions="rotary", causal=causal, norm=norm)
        params, options = block_from_torch(model.blocks[0])
        x = np.random.default_rng(5).normal(size=(N, T, M))
        mask = causal_mask(T) if causal else None
        ours = transformer.block_forward(x, params, **options, mask=mask, rotary=True)
        theirs = model.blocks[0](torch.as_tensor(x), None if mask is None else torch.tensor(mask))
        np.testing.assert_allclose(theirs.detach(), ours.y, rtol=0, atol=1e-12)

    def test_positions_are_those_of_the_library(self):
        x = torch.as_tensor(np.random.default_rng(4).normal(size=(N, 3, T, 8)))
        np.testing.assert_allclose(_rotate(x), positions.rotate(x.numpy()), rtol=0, atol=1e-12)
        np.testing.assert_allclose(
            _sinusoids(T, M, x.dtype), positions.sinusoidal_positions(T, M), rtol=0, atol=1e-12
        )


class TestMask:
    @pytest.mark.parametrize("kind", ["none", "sinusoidal", "rotary", "distance"])
    def test_causal_outputs_do_not_see_what_comes_later(self, kind):
        x, changed = sequence(), sequence()
        changed[:, 4] += 1.0
        causal, full = (network(positions=kind, causal=c, layers=2) for c in (True, False))
        np.testing.assert_array_equal(outputs(causal, x)[:, :4], outputs(causal, changed)[:, :4])
        assert (outputs(causal, x)[:, 4:] != outputs(causal, changed)[:, 4:]).any(axis=-1).all()
        assert (outputs(full, x) != outputs(full, changed)).any(axis=-1).all()


class TestOrder:
    def test_without_positions_swapped_inputs_are_swapped_outputs(self):
        model, x = network(positions="none", causal=False, layers=2), sequence()
        order = [3, 0, 6, 1, 5, 2, 4]
        np.testing.assert_allclose(
            outputs(model, x[:, order]), outputs(model, x)[:, order], rtol=0, atol=1e-12
        )

    @pytest.mark.parametrize("kind", ["sinusoidal", "rotary", "distance"])
    def test_with_positions_they_are_not(self, kind):
        model, x = network(positions=kind, causal=False), sequence()
        order = [3, 0, 6, 1, 5, 2, 4]
        assert np.abs(outputs(model, x[:, order]) - outputs(model, x)[:, order]).max() > 1e-3

    @pytest.mark.parametrize("kind", ["rotary", "distance"])
    def test_relative_positions_see_distances_only(self, kind):
        """One block, and nothing but the last step's view: earlier padding moves all alike."""
        model, x = network(positions=kind, causal=False), sequence(length=T + 3)
        head = model.blocks[0]
        x = model.embedding(x)
        bias = None
        if kind == "distance":
            bias = _distances(T + 3, 2, x)
        window = torch.zeros(T + 3, T + 3, dtype=torch.bool)
        window[3:, 3:] = True
        window[:3, :3] = True
        late = head(x, window, bias)[:, 3:]
        alone = head(x[:, 3:], None, None if bias is None else bias[:, 3:, 3:])
        np.testing.assert_allclose(late.detach(), alone.detach(), rtol=0, atol=1e-12)


class TestSwitches:
    def test_without_feed_forward_there_are_fewer_weights(self):
        def size(model):
            return sum(weights.numel() for weights in model.parameters())

        full, bare = network(F=10), network(F=0)
        assert size(full) - size(bare) == 2 * M * 10 + 10 + M + 2 * M
        assert outputs(bare, sequence()).shape == (N, T, 5)

    def test_default_feed_forward_is_four_times_as_wide(self):
        assert AttentionModel(D, M, 5, 0, heads=2).blocks[0].linear1.out_features == 4 * M

    def test_without_residual_a_dead_block_leaves_nothing(self):
        for residual in (True, False):
            model = network(residual=residual, norm="none", F=0)
            nn.init.zeros_(model.blocks[0].self_attn.out_proj.weight)
            h = model.features(sequence()).detach()
            assert bool((h == 0).all()) is not residual

    def test_heads_fall_off_at_their_own_rate(self):
        bias = _distances(5, 4, torch.zeros(()))
        np.testing.assert_allclose(-bias[:, 3, 1], 2 * 2.0 ** -np.array([2, 4, 6, 8]))
        assert torch.equal(bias, bias.transpose(1, 2))

    def test_seed_fixes_the_start_and_leaves_torch_alone(self):
        before = torch.random.get_rng_state()
        one, two = network(), network()
        assert torch.equal(torch.random.get_rng_state(), before)
        assert all(map(torch.equal, one.parameters(), two.parameters()))
        other = AttentionModel(D, M, 5, seed=2, heads=2, F=10).double()
        assert not torch.equal(one.embedding.weight, other.embedding.weight)

    @pytest.mark.parametrize(
        "options, message",
        [
            ({"positions": "learned"}, "positions must be one of"),
            ({"norm": "both"}, "norm must be one of"),
            ({"heads": 5}, "M must be a multiple of the 5 heads, got 12"),
            ({"heads": 4, "positions": "rotary"}, "need an even width, got 3"),
        ],
    )
    def test_refuses(self, options, message):
        with pytest.raises(ValueError, match=message):
            network(**options)

    def test_refuses_a_state(self):
        with pytest.raises(ValueError, match="carries no state"):
            network()(sequence(), torch.zeros(2))


def test_it_learns_from_training_as_cells_do(rng):
    model = AttentionModel(4, 8, 2, seed=0, heads=2, F=8, positions="rotary")
    train(model, lambda n, r: memory_task(n, 5, r), steps=40, seed=0, lr=0.02, batch=32)
    assert evaluate(model, memory_task(500, 5, rng)) > 0.95
