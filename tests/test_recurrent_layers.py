"""Layers and directions: equal to cells put together by hand, and to differences; bad inputs.

Equality with PyTorch's stacks, for every cell, length, layer and direction, is in test_parity.py.
"""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from oracles import central_differences

from course_lib.gru import GRUParams, gru_forward, init_gru
from course_lib.lstm import init_lstm, lstm_forward
from course_lib.recurrent_layers import (
    check_layers,
    init_stack,
    n_parameters,
    stack_backward,
    stack_forward,
)
from course_lib.rnn import init_rnn, rnn_cell, rnn_forward

N, T, D, H = 3, 6, 4, 5
LENGTHS = np.array([4, 6, 1])
INITS = {"rnn": init_rnn, "lstm": init_lstm, "gru": init_gru}
CLOSE = {"rtol": 0, "atol": 1e-13}


@pytest.fixture
def x(rng):
    return rng.normal(size=(N, T, D))


class TestForward:
    @pytest.mark.parametrize("init, forward", [(init_rnn, rnn_forward), (init_gru, gru_forward)])
    def test_one_layer_is_the_cell(self, x, rng, init, forward):
        params, h0 = init(D, H, rng), rng.normal(size=(N, H))
        stack = stack_forward(x, ((params,),), h0[None])
        trace = forward(x, params, h0)
        np.testing.assert_array_equal(stack.h, trace.h[:, 1:])
        np.testing.assert_array_equal(stack.h_final, trace.h_final[None])

    def test_second_layer_reads_the_states_of_the_first(self, x, rng):
        layers = init_stack(init_lstm, D, H, rng, n_layers=2)
        first = lstm_forward(x, layers[0][0])
        second = lstm_forward(first.h[:, 1:], layers[1][0])
        stack = stack_forward(x, layers)
        np.testing.assert_array_equal(stack.h, second.h[:, 1:])
        np.testing.assert_array_equal(stack.c_final, [first.c_final, second.c_final])

    def test_backward_direction_starts_at_each_sequences_own_end(self, x, rng):
        """By steps of the cell, sequence by sequence, with no padding anywhere."""
        layers = init_stack(init_rnn, D, H, rng, bidirectional=True)
        h0 = rng.normal(size=(2, N, H))
        stack = stack_forward(x, layers, h0, lengths=LENGTHS)
        for n, length in enumerate(LENGTHS):
            for direction, order in ((0, range(length)), (1, reversed(range(length)))):
                h = h0[direction, n : n + 1]
                for t in order:
                    h = rnn_cell(x[n : n + 1, t], h, layers[0][direction])
                    half = stack.h[n, t, direction * H : (direction + 1) * H]
                    np.testing.assert_allclose(half, h[0], **CLOSE)
                np.testing.assert_allclose(stack.h_final[direction, n], h[0], **CLOSE)
            assert not stack.h[n, length:].any()  # 0 in padding, as PyTorch pads

    @pytest.mark.parametrize("kind", INITS)
    def test_padding_does_not_matter(self, x, rng, kind):
        layers = init_stack(INITS[kind], D, H, rng, n_layers=2, bidirectional=True)
        dh = rng.normal(size=(N, T, 2 * H))
        other_x, other_dh = x.copy(), dh.copy()
        for n, length in enumerate(LENGTHS):
            other_x[n, length:], other_dh[n, length:] = np.nan, 1e6
        here, there = (stack_forward(v, layers, lengths=LENGTHS) for v in (x, other_x))
        np.testing.assert_array_equal(here.h, there.h)
        np.testing.assert_array_equal(here.h_final, there.h_final)
        grads = [stack_backward(v, here, layers) for v in (dh, other_dh)]
        np.testing.assert_array_equal(grads[0].x, grads[1].x)
        for n, length in enumerate(LENGTHS):
            assert not grads[0].x[n, length:].any()

    def test_lengths_say_the_same_as_their_mask(self, x, rng):
        layers = init_stack(init_gru, D, H, rng, 2, True)
        mask = np.arange(T) < LENGTHS[:, None]
        np.testing.assert_array_equal(
            stack_forward(x, layers, lengths=LENGTHS).h, stack_forward(x, layers, mask=mask).h
        )

    def test_activation_is_passed_on(self, x, rng):
        layers = init_stack(init_rnn, D, H, rng, 2)
        assert stack_forward(x, layers, activation="relu").h.min() == 0.0


@pytest.mark.parametrize("kind", INITS)
@pytest.mark.parametrize("options", [{}, {"lengths": LENGTHS}], ids=["whole", "lengths"])
def test_gradients_are_central_differences(x, rng, kind, options):
    layers = init_stack(INITS[kind], D, 2, rng, n_layers=2, bidirectional=True)
    names = ("h0", "c0") if kind == "lstm" else ("h0",)
    starts = {name: rng.normal(size=(4, N, 2)) for name in names}
    dh = rng.normal(size=(N, T, 4))
    ends = {f"d{name[0]}_final": rng.normal(size=(4, N, 2)) for name in names}

    def loss(x, layers, starts):
        trace = stack_forward(x, layers, **starts, **options)
        total = (trace.h * dh).sum() + (trace.h_final * ends["dh_final"]).sum()
        return total + ((trace.c_final * ends["dc_final"]).sum() if kind == "lstm" else 0.0)

    def close(ours, f, value):
        np.testing.assert_allclose(ours, central_differences(f, value), rtol=0, atol=1e-7)

    grads = stack_backward(dh, stack_forward(x, layers, **starts, **options), layers, **ends)
    close(grads.x, lambda v: loss(v, layers, starts), x)
    for name in names:
        close(getattr(grads, name), lambda v, k=name: loss(x, layers, {**starts, k: v}),
              starts[name])  # fmt: skip
    bias = {"rnn": "b_h", "lstm": "b_a", "gru": "b_h"}[kind]  # every weight is in test_parity.py
    for number in range(2):
        for direction in range(2):

            def moved(value, number=number, direction=direction):
                rows = [list(row) for row in layers]
                rows[number][direction] = replace(rows[number][direction], **{bias: value})
                return tuple(map(tuple, rows))

            ours = getattr(grads.layers[number][direction], bias)
            start = getattr(layers[number][direction], bias)
            close(ours, lambda v, moved=moved: loss(x, moved(v), starts), start)


class TestNParameters:
    def test_formulas(self, rng):
        assert n_parameters(init_rnn(D, H, rng)) == H * (D + H + 1)
        assert n_parameters(init_lstm(D, H, rng)) == 4 * H * (D + H + 1)
        assert n_parameters(init_lstm(D, H, rng, peepholes=True)) == 4 * H * (D + H + 1) + 3 * H
        assert n_parameters(init_gru(D, H, rng)) == 3 * H * (D + H + 2)

    def test_layers_are_added_up(self, rng):
        layers = init_stack(init_rnn, D, H, rng, n_layers=2, bidirectional=True)
        assert n_parameters(layers) == 2 * H * (D + H + 1) + 2 * H * (2 * H + H + 1)


class TestInitStack:
    def test_sizes(self, rng):
        layers = init_stack(init_gru, D, H, rng, n_layers=3, bidirectional=True)
        assert [tuple(len(p.W_xa) for p in row) for row in layers] == [(4, 4), (10, 10), (10, 10)]
        assert check_layers(layers) == (GRUParams, D, H)
        arrays = [p.W_ha for row in layers for p in row]
        assert all(not np.array_equal(a, b) for a, b in pairwise(arrays))

    def test_no_layer(self, rng):
        with pytest.raises(ValueError, match="n_layers must be at least 1, got 0"):
            init_stack(init_gru, D, H, rng, n_layers=0)


class TestBadInput:
    @pytest.mark.parametrize(
        "layers, message",
        [
            (lambda g: init_gru(D, H, g), "layers must be a tuple with a tuple .* got GRUParams"),
            (lambda g: (), "layers must be a tuple with a tuple .* got tuple"),
            (lambda g: (init_gru(D, H, g),), "got GRUParams for a layer"),
            (lambda g: ((init_gru(D, H, g),) * 3,), "got tuple for a layer"),
            (lambda g: (("a",),), "must hold RNNParams, LSTMParams or GRUParams, got str"),
            (lambda g: ((init_gru(D, H, g),), (init_gru(D, H, g),)), "layer 1 must have .* D = 5"),
            (lambda g: ((init_gru(D, H, g),), (init_rnn(H, H, g),)), "1 x GRUParams .*RNNParams"),
            (lambda g: ((init_gru(D, H, g), init_gru(D, 7, g)),), "layer 0 must have 2 x .* H = 5"),
        ],
    )
    def test_layers(self, x, rng, layers, message):
        with pytest.raises(ValueError, match=message):
            stack_forward(x, layers(rng))

    @pytest.mark.parametrize(
        "change, message",
        [
            ({"x": np.ones((3, 6, 2))}, r"x must have shape \(any, any, 4\), got \(3, 6, 2\)"),
            ({"h0": np.ones((1, 3, 5))}, r"h0 must have shape \(2, 3, 5\), got \(1, 3, 5\)"),
            ({"h0": np.full((2, 3, 5), np.nan)}, "h0 must be finite, got nan"),
            ({"c0": np.ones((2, 3, 5))}, "c0 must be None for GRUParams"),
            ({"lengths": [7, 1, 1]}, "lengths must be from 1 to 6, got 7 for sequence 0"),
            ({"mask": np.zeros((3, 6))}, "keep at least one step"),
        ],
    )
    def test_forward(self, x, rng, change, message):
        layers = init_stack(init_gru, D, H, rng, 2)
        with pytest.raises(ValueError, match=message):
            stack_forward(**{"x": x, "layers": layers, **change})

    def test_unknown_activation(self, x, rng):
        with pytest.raises(ValueError, match="activation must be one of"):
            stack_forward(x, init_stack(init_rnn, D, H, rng), activation="gelu")

    @pytest.mark.parametrize(
        "change, message",
        [
            ({"dh": np.ones((3, 6, 10))}, r"dh must have shape \(3, 6, 5\), got \(3, 6, 10\)"),
            ({"dh": np.full((3, 6, 5), np.inf)}, "dh must be finite, got inf"),
            ({"dh_final": np.ones((3, 5))}, r"dh_final must have shape \(2, 3, 5\), got \(3, 5\)"),
            ({"dc_final": np.ones((2, 3, 5))}, "dc_final must be None for GRUParams"),
        ],
    )
    def test_backward(self, x, rng, change, message):
        layers = init_stack(init_gru, D, H, rng, 2)
        arguments = {"dh": np.ones((N, T, H)), "trace": stack_forward(x, layers), "layers": layers}
        with pytest.raises(ValueError, match=message):
            stack_backward(**{**arguments, **change})

    def test_backward_with_a_trace_of_one_cell(self, x, rng):
        layers = init_stack(init_gru, D, H, rng)
        with pytest.raises(ValueError, match="trace must be StackTrace, got GRUTrace"):
            stack_backward(np.ones((N, T, H)), gru_forward(x, layers[0][0]), layers)
