"""The transformer block: PyTorch's layer, loops by hand, differences, the cache, properties."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformer_checks import (
    ACTIVATIONS,
    HEADS,
    NORMS,
    F,
    M,
    N,
    T,
    check_bridge,
    check_by_hand,
    check_cache,
    check_parity,
    check_rotary_gradient,
    masks,
    random_block,
)

from course_lib import block_bridge, key_value_cache, multi_head, transformer
from course_lib.key_value_cache import KeyValueCache, block_step
from course_lib.transformer import BlockParams, block_backward, block_forward, init_block

MODULES = SimpleNamespace(
    transformer=transformer,
    multi_head=multi_head,
    block_bridge=block_bridge,
    key_value_cache=key_value_cache,
)
CLOSE = {"rtol": 0, "atol": 1e-12}


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("activation", ACTIVATIONS)
class TestAgainstOracles:
    @pytest.mark.parametrize("mask", masks())
    def test_pytorch(self, rng, norm, activation, mask):
        check_parity(MODULES, rng, norm, activation, mask)

    @pytest.mark.parametrize("rotary", [False, True])
    @pytest.mark.parametrize("mask", masks())
    def test_by_hand(self, rng, norm, activation, mask, rotary):
        check_by_hand(MODULES, rng, norm, activation, mask, rotary)

    @pytest.mark.parametrize("rotary", [False, True])
    def test_cache(self, rng, norm, activation, rotary):
        check_cache(MODULES, rng, norm, activation, rotary)

    def test_bridge(self, rng, norm, activation):
        check_bridge(MODULES, rng, norm, activation)


def test_rotary_gradient(rng):
    check_rotary_gradient(MODULES, rng)


class TestStart:
    def test_it_starts_as_pytorch_does(self, rng):
        """The same spread of every array as in PyTorch's own layer."""
        params = init_block(32, 48, rng)
        theirs, _ = block_bridge.block_from_torch(
            torch.nn.TransformerEncoderLayer(32, 4, 48, dropout=0.0)
        )
        for name in ("W_1", "W_2", "gain_1", "bias_2"):
            spread = np.abs(getattr(theirs, name)).max()
            assert np.abs(getattr(params, name)).max() == pytest.approx(spread, rel=0.02)

    def test_bad_sizes(self, rng):
        with pytest.raises(ValueError, match="M must be at least 1 and F not negative, got 0 and"):
            init_block(0, 4, rng)
        with pytest.raises(ValueError, match="got 4 and -1"):
            init_block(4, -1, rng)


class TestWhatABlockDoes:
    @pytest.mark.parametrize("norm", NORMS)
    def test_without_positions_swapped_inputs_give_swapped_outputs(self, rng, norm):
        params, x = random_block(MODULES, rng), rng.normal(size=(N, T, M))
        order = [3, 0, 4, 2, 1]
        y = block_forward(x, params, HEADS, norm).y
        np.testing.assert_allclose(
            block_forward(x[:, order], params, HEADS, norm).y, y[:, order], **CLOSE
        )
        turned = block_forward(x, params, HEADS, norm, rotary=True).y
        other = block_forward(x[:, order], params, HEADS, norm, rotary=True).y
        assert np.abs(other - turned[:, order]).max() > 0.01

    @pytest.mark.parametrize("norm", NORMS)
    def test_causal_looks_at_no_later_step_and_unmasked_at_all(self, rng, norm):
        params, x = random_block(MODULES, rng), rng.normal(size=(N, T, M))
        dy = np.zeros((N, T, M))
        dy[:, 2] = 1.0 + rng.normal(size=M)
        for mask, reached in ((masks()["causal"], [0, 1, 2]), (None, [0, 1, 2, 3, 4])):
            trace = block_forward(x, params, HEADS, norm, mask=mask)
            dx = block_backward(dy, trace, params).x
            assert np.flatnonzero(np.abs(dx).max(axis=(0, 2))).tolist() == reached

    def test_padding_changes_nothing_before_it(self, rng):
        params, x = random_block(MODULES, rng), rng.normal(size=(N, T, M))
        y = block_forward(x, params, HEADS, mask=masks()["padding"]).y
        alone = block_forward(x[1:2, :2], params, HEADS).y
        np.testing.assert_allclose(y[1, :2], alone[0], **CLOSE)

    def test_weights_are_shares(self, rng):
        trace = block_forward(rng.normal(size=(N, T, M)), random_block(MODULES, rng), HEADS)
        assert trace.weights.shape == (N, HEADS, T, T)
        np.testing.assert_allclose(trace.weights.sum(axis=-1), 1.0, **CLOSE)

    def test_without_a_feed_forward_part(self, rng):
        params, x = init_block(M, 0, rng), rng.normal(size=(N, T, M))
        trace = block_forward(x, params, HEADS)
        np.testing.assert_allclose(trace.y, trace.middle, **CLOSE)
        assert block_backward(trace.y, trace, params).params.W_1.shape == (M, 0)

    def test_the_gelu_is_the_exact_one(self, rng):
        """The approximation by tanh is off by up to 5e-4."""
        params = random_block(MODULES, rng)
        x = np.linspace(-4, 4, 7 * M).reshape(7, M)
        hidden = torch.from_numpy(x @ params.W_1 + params.b_1)
        wanted = torch.nn.functional.gelu(hidden).numpy() @ params.W_2 + params.b_2
        np.testing.assert_allclose(transformer.feed_forward(x, params, "gelu")[0], wanted, **CLOSE)

    def test_inputs_stay_as_they_are(self, rng):
        params, x = random_block(MODULES, rng), rng.normal(size=(N, T, M))
        before = x.copy()
        trace = block_forward(x, params, HEADS, rotary=True)
        dy = np.ones((N, T, M))
        block_backward(dy, trace, params)
        assert (x == before).all()
        assert (dy == 1.0).all()


@settings(max_examples=20)
@given(seed=st.integers(0, 999), T=st.integers(1, 6))
def test_property_the_newest_row_comes_from_the_cache(seed, T):
    rng = np.random.default_rng(seed)
    params, x = random_block(MODULES, rng), rng.normal(size=(2, T, M))
    cache = None
    for t in range(T):
        y_t, cache = block_step(x[:, t], cache, params, HEADS, rotary=True)
    causal = np.tri(T, dtype=bool)
    y = block_forward(x, params, HEADS, mask=causal, rotary=True).y
    np.testing.assert_allclose(y_t, y[:, -1], rtol=0, atol=1e-10)


class TestBadInput:
    def test_params(self, rng):
        params = random_block(MODULES, rng)
        names = ("gain_1", "bias_1", "gain_2", "bias_2", "W_1", "b_1", "W_2", "b_2")
        fields = {name: getattr(params, name) for name in names}
        for change, message in (
            ({"W_1": np.ones((F, M))}, rf"W_1 must have shape \({M}, any\), got \({F}, {M}\)"),
            ({"W_2": np.ones((M, F))}, rf"W_2 must have shape \({F}, {M}\), got \({M}, {F}\)"),
            ({"gain_2": np.ones(F)}, rf"gain_2 must have shape \({M},\), got \({F},\)"),
        ):
            with pytest.raises(ValueError, match=message):
                BlockParams(attention=params.attention, **fields | change)
        with pytest.raises(ValueError, match="attention must be MultiHeadParams, got ndarray"):
            BlockParams(attention=np.ones(3), **fields)

    @pytest.mark.parametrize(
        "change, message",
        [
            ({"norm": "before"}, "norm must be 'pre' or 'post', got 'before'"),
            ({"activation": "tanh"}, "activation must be 'relu' or 'gelu', got 'tanh'"),
            ({"x": np.ones((2, M))}, r"x must have shape \(any, any, 8\), got \(2, 8\)"),
            ({"x": np.full((2, 3, M), np.nan)}, "x must be finite, got nan"),
            ({"n_heads": 3}, "n_heads must"),
            ({"params": None}, "params must be BlockParams, got NoneType"),
        ],
    )
    def test_forward(self, rng, change, message):
        right = {"x": np.ones((2, 3, M)), "params": random_block(MODULES, rng), "n_heads": HEADS}
        with pytest.raises(ValueError, match=message):
            block_forward(**right | change)

    def test_backward(self, rng):
        params = random_block(MODULES, rng)
        trace = block_forward(np.ones((2, 3, M)), params, HEADS)
        with pytest.raises(ValueError, match=r"dy must have shape \(2, 3, 8\), got \(2, 8\)"):
            block_backward(np.ones((2, M)), trace, params)
        with pytest.raises(ValueError, match="trace must be BlockTrace, got LayerNormTrace"):
            block_backward(np.ones((2, 3, M)), trace.norm_1, params)

    def test_step(self, rng):
        params, x_t = random_block(MODULES, rng), np.ones((2, M))
        _, cache = block_step(x_t, None, params, HEADS)
        for change, message in (
            ({"x_t": np.ones((3, M))}, r"cache.k must have shape \(6, 1, 4\), got \(4, 1, 4\)"),
            ({"cache": (cache.k, cache.v)}, "cache must be KeyValueCache, got tuple"),
            (
                {"cache": KeyValueCache(cache.k, cache.v[:, :0])},
                r"cache.v must have shape \(4, 1, 4\), got \(4, 0, 4\)",
            ),
            ({"n_heads": 3}, "n_heads must divide M = 8, got 3"),
            ({"x_t": np.ones((2, 1, M))}, r"x_t must have shape \(any, 8\), got \(2, 1, 8\)"),
            ({"norm": None}, "norm must be"),
        ):
            arguments = {"x_t": x_t, "cache": cache, "params": params, "n_heads": HEADS} | change
            with pytest.raises(ValueError, match=message):
                block_step(**arguments)

    def test_bridge(self, rng):
        with pytest.raises(ValueError, match=r"must be nn\.TransformerEncoderLayer, got Linear"):
            block_bridge.block_from_torch(torch.nn.Linear(2, 3))
        tanh = torch.nn.TransformerEncoderLayer(4, 2, 3, activation=torch.tanh)
        with pytest.raises(ValueError, match="activation must be relu or gelu by erf"):
            block_bridge.block_from_torch(tanh)
        with pytest.raises(ValueError, match="must have a feed-forward part, PyTorch always has"):
            block_bridge.block_to_torch(init_block(M, 0, rng), HEADS)
