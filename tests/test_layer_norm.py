"""Layer normalisation and the cells that use it: by hand, autograd, differences, PyTorch."""

import numpy as np
import pytest
import torch
from cell_checks import MASK, PADDINGS, VARIANTS, check_differences, check_variant, real_modules
from cell_oracles import layer_norm_by_hand
from oracles import central_differences

from course_lib.gru import init_gru
from course_lib.layer_norm import (
    LayerNormRNNParams,
    layer_norm_backward,
    layer_norm_forward,
    layer_norm_rnn_backward,
    layer_norm_rnn_forward,
)
from course_lib.layer_norm_gru import (
    LayerNormGRUParams,
    layer_norm_gru_backward,
    layer_norm_gru_forward,
)
from course_lib.layer_norm_lstm import (
    LayerNormLSTMParams,
    layer_norm_lstm_backward,
    layer_norm_lstm_forward,
)
from course_lib.lstm import init_lstm
from course_lib.rnn import init_rnn

N, T, D, H = 3, 6, 4, 5
CLOSE = {"rtol": 0, "atol": 1e-12}
CELLS = [name for name in VARIANTS if name.startswith("layer norm")]


@pytest.fixture
def x(rng):
    return rng.normal(size=(N, T, D))


@pytest.fixture
def vectors(rng):
    """Vectors (2, 3, H) away from mean 0 and variance 1, and a gain and bias."""
    return rng.normal(3.0, 2.0, (2, 3, H)), rng.uniform(0.5, 2.0, H), rng.normal(size=H)


class TestLayerNorm:
    def test_by_hand(self, vectors):
        x, gain, bias = vectors
        y, _ = layer_norm_forward(x, gain, bias)
        for index in np.ndindex(2, 3):
            np.testing.assert_allclose(y[index], layer_norm_by_hand(x[index], gain, bias), **CLOSE)

    def test_pytorch(self, vectors, rng):
        x, gain, bias = vectors
        dy = rng.normal(size=x.shape)
        y, trace = layer_norm_forward(x, gain, bias)
        grads = layer_norm_backward(dy, trace, gain)
        leaves = [torch.from_numpy(a).requires_grad_() for a in (x, gain, bias)]
        theirs = torch.nn.functional.layer_norm(leaves[0], (H,), leaves[1], leaves[2])
        theirs.backward(torch.from_numpy(dy))
        np.testing.assert_allclose(y, theirs.detach().numpy(), **CLOSE)
        for ours, leaf in zip((grads.x, grads.gain, grads.bias), leaves, strict=True):
            np.testing.assert_allclose(ours, leaf.grad.numpy(), **CLOSE)

    def test_central_differences(self, vectors, rng):
        x, gain, bias = vectors
        dy = rng.normal(size=x.shape)
        grads = layer_norm_backward(dy, layer_norm_forward(x, gain, bias)[1], gain)

        def loss(x, gain, bias):
            return (layer_norm_forward(x, gain, bias)[0] * dy).sum()

        for ours, differences in (
            (grads.x, central_differences(lambda v: loss(v, gain, bias), x)),
            (grads.gain, central_differences(lambda v: loss(x, v, bias), gain)),
            (grads.bias, central_differences(lambda v: loss(x, gain, v), bias)),
        ):
            np.testing.assert_allclose(ours, differences, rtol=0, atol=1e-8)

    def test_shift_and_scale_of_a_vector_change_nothing(self, vectors):
        x, gain, bias = vectors
        y, _ = layer_norm_forward(x, gain, bias)
        moved, _ = layer_norm_forward(1e3 * x + 7.0, gain, bias)
        # Epsilon, 1e-5, is not scaled: relative to variances of about 4 that is 1e-6.
        np.testing.assert_allclose(moved, y, rtol=0, atol=1e-4)

    def test_constant_vector_becomes_the_bias(self):
        y, trace = layer_norm_forward(np.full((2, 4), 5.0), np.ones(4), np.arange(4.0))
        assert y.tolist() == [[0.0, 1.0, 2.0, 3.0]] * 2
        assert np.isfinite(layer_norm_backward(np.ones((2, 4)), trace, np.ones(4)).x).all()

    @pytest.mark.parametrize(
        "change, message",
        [
            ({"x": 3.0}, r"x must hold at least one vector, got shape \(\)"),
            ({"x": np.ones((0, 5))}, r"x must hold at least one vector, got shape \(0, 5\)"),
            ({"x": np.full((2, 5), np.nan)}, "x must be finite, got nan"),
            ({"gain": np.ones(4)}, r"gain must have shape \(5,\), got \(4,\)"),
            ({"bias": np.ones((1, 5))}, r"bias must have shape \(5,\), got \(1, 5\)"),
        ],
    )
    def test_bad_forward(self, change, message):
        arguments = {"x": np.ones((2, 5)), "gain": np.ones(5), "bias": np.ones(5), **change}
        with pytest.raises(ValueError, match=message):
            layer_norm_forward(**arguments)

    def test_bad_backward(self):
        _, trace = layer_norm_forward(np.ones((2, 5)), np.ones(5), np.ones(5))
        with pytest.raises(ValueError, match=r"dy must have shape \(2, 5\), got \(5, 2\)"):
            layer_norm_backward(np.ones((5, 2)), trace, np.ones(5))


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("name", CELLS)
class TestCellsAgainstOracles:
    @pytest.mark.parametrize("seed", [0, 1, 2])
    def test_states_and_gradients(self, name, padding, seed):
        check_variant(real_modules(), name, np.random.default_rng(seed), padding)

    def test_central_differences(self, name, padding):
        check_differences(real_modules(), name, np.random.default_rng(4), padding)


def test_other_sequences_and_padding_change_nothing(x, rng):
    """What batch normalisation cannot say: a sequence alone and in a padded batch are the same."""
    params = LayerNormRNNParams(init_rnn(D, H, rng), np.ones(H))
    trace = layer_norm_rnn_forward(x, params, mask=MASK)
    for n in range(N):
        alone = layer_norm_rnn_forward(x[n : n + 1][:, MASK[n]], params)
        np.testing.assert_allclose(alone.cell.h_final[0], trace.cell.h_final[n], **CLOSE)


def test_size_of_the_input_weights_does_not_matter(x, rng):
    cell = init_lstm(D, H, rng, forget_bias=0.0)
    gains = (np.ones(4 * H), np.ones(4 * H), np.ones(H), np.zeros(H))
    bigger = LayerNormLSTMParams(type(cell)(100 * cell.W_xa, cell.W_ha, cell.b_a), *gains)
    here = layer_norm_lstm_forward(x, LayerNormLSTMParams(cell, *gains)).cell.h
    there = layer_norm_lstm_forward(x, bigger).cell.h
    np.testing.assert_allclose(here, there, rtol=0, atol=1e-3)  # epsilon against small variances


def test_traces_show_the_cell(x, rng):
    params = LayerNormGRUParams(init_gru(D, H, rng), np.ones(3 * H), np.ones(3 * H))
    assert layer_norm_gru_forward(x, params).cell.to_trace(1).names == ["x", "r", "z", "n", "h"]


class TestBadInput:
    def test_cells(self, rng):
        lstm, gains = init_lstm(D, H, rng), (np.ones(20), np.ones(20), np.ones(5), np.ones(5))
        with pytest.raises(ValueError, match="cell must be RNNParams, got LSTMParams"):
            LayerNormRNNParams(lstm, np.ones(H))
        with pytest.raises(ValueError, match="cell must be LSTMParams, got RNNParams"):
            LayerNormLSTMParams(init_rnn(D, H, rng), *gains)
        with pytest.raises(ValueError, match="cell must have no peepholes, got w_ca"):
            LayerNormLSTMParams(init_lstm(D, H, rng, peepholes=True), *gains)
        with pytest.raises(ValueError, match="cell must be GRUParams, got LSTMParams"):
            LayerNormGRUParams(lstm, np.ones(15), np.ones(15))
        with pytest.raises(ValueError, match=r"cell.reset must be 'after', got 'before'"):
            LayerNormGRUParams(init_gru(D, H, rng, "before"), np.ones(15), np.ones(15))

    def test_gains(self, rng):
        with pytest.raises(ValueError, match=r"gain must have shape \(5,\), got \(4,\)"):
            LayerNormRNNParams(init_rnn(D, H, rng), np.ones(4))
        sizes = (20, 5, 5, 5)
        with pytest.raises(ValueError, match=r"gain_h must have shape \(20,\), got \(5,\)"):
            LayerNormLSTMParams(init_lstm(D, H, rng), *map(np.ones, sizes))
        with pytest.raises(ValueError, match=r"gain_x must have shape \(15,\), got \(5,\)"):
            LayerNormGRUParams(init_gru(D, H, rng), np.ones(5), np.ones(15))

    @pytest.mark.parametrize("name", CELLS[::2])
    def test_inputs_and_gradients(self, name, x, rng):
        modules = real_modules()
        params = VARIANTS[name].init(modules, rng)
        forward, backward = {
            LayerNormRNNParams: (layer_norm_rnn_forward, layer_norm_rnn_backward),
            LayerNormLSTMParams: (layer_norm_lstm_forward, layer_norm_lstm_backward),
            LayerNormGRUParams: (layer_norm_gru_forward, layer_norm_gru_backward),
        }[type(params)]
        with pytest.raises(ValueError, match=r"x must have shape \(any, any, 4\), got \(3, 6, 2"):
            forward(np.ones((3, 6, 2)), params)
        with pytest.raises(ValueError, match="x must be finite, got nan"):
            forward(np.full((3, 6, 4), np.nan), params)
        with pytest.raises(ValueError, match="lengths must be from 1 to 6, got 7"):
            forward(x, params, lengths=[7, 1, 1])
        with pytest.raises(ValueError, match=r"params must be LayerNorm.*Params, got LSTMParams"):
            forward(x, init_lstm(D, H, rng))
        with pytest.raises(ValueError, match=r"dh must have shape \(3, 6, 5\), got \(3, 7, 5\)"):
            backward(np.ones((3, 7, 5)), forward(x, params), params)
        with pytest.raises(ValueError, match=r"trace must be LayerNorm.*Trace, got .*Trace"):
            backward(np.ones((3, 6, 5)), forward(x, params).cell, params)

    def test_inner_weights_that_are_not_finite(self, x, rng):
        cell = init_rnn(D, H, rng)
        bad = LayerNormRNNParams(type(cell)(cell.W_xh, cell.W_hh, np.full(H, np.nan)), np.ones(H))
        with pytest.raises(ValueError, match=r"params.cell.b_h must be finite, got nan at index 0"):
            layer_norm_rnn_forward(x, bad)
