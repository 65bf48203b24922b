"""The LSTM: equal to sums by hand, to autograd, to differences; peepholes, clamps, bad inputs."""

import numpy as np
import pytest
from cell_checks import MASK, PADDINGS, check_differences, check_variant, real_modules

from course_lib.lstm import LSTMParams, init_lstm, lstm_backward, lstm_cell, lstm_forward
from course_lib.rnn import init_rnn, rnn_forward

N, T, D, H = 3, 6, 4, 5
VARIANTS = ("lstm", "lstm peepholes", "lstm f, o held", "lstm i, g held")


@pytest.fixture
def params(rng):
    return init_lstm(D, H, rng)


@pytest.fixture
def x(rng):
    return rng.normal(size=(N, T, D))


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("name", VARIANTS)
class TestAgainstOracles:
    @pytest.mark.parametrize("seed", [0, 1, 2])
    def test_states_and_gradients(self, name, padding, seed):
        check_variant(real_modules(), name, np.random.default_rng(seed), padding)

    def test_central_differences(self, name, padding):
        check_differences(real_modules(), name, np.random.default_rng(4), padding)


class TestInitLSTM:
    @pytest.mark.parametrize("bias", [0.0, 1.0, 2.0])
    def test_forget_bias(self, rng, bias):
        params = init_lstm(D, H, rng, forget_bias=bias)
        assert params.gate("f")[2].tolist() == [bias] * H
        assert not np.isin(params.gate("i")[2], bias).any()

    def test_no_forget_bias_leaves_it_random(self, rng):
        assert len(set(init_lstm(D, H, rng, forget_bias=None).gate("f")[2])) == H

    def test_peepholes_only_if_asked_for(self, rng):
        assert init_lstm(D, H, rng).w_ca is None
        assert init_lstm(D, H, rng, peepholes=True).w_ca.shape == (3, H)

    def test_bad_sizes(self, rng):
        with pytest.raises(ValueError, match="D and H must be at least 1, got 4 and 0"):
            init_lstm(D, 0, rng)


class TestGate:
    def test_blocks_are_in_the_order_i_f_g_o(self):
        W_xa, W_ha = np.tile(np.arange(8), (3, 1)), np.tile(np.arange(8), (2, 1))
        params = LSTMParams(W_xa, W_ha, np.arange(8))
        for k, name in enumerate("ifgo"):
            W_x, W_h, b = params.gate(name)
            assert W_x.tolist() == [[2 * k, 2 * k + 1]] * 3
            assert W_h.tolist() == [[2 * k, 2 * k + 1]] * 2
            assert b.tolist() == [2 * k, 2 * k + 1]

    @pytest.mark.parametrize("name", ["c", "if", "", 1, None, ["i"]])
    def test_no_such_gate(self, params, name):
        with pytest.raises(ValueError, match="name must be one of 'i', 'f', 'g', 'o', got"):
            params.gate(name)


class TestClamp:
    def test_held_gates_show_their_number(self, x, params):
        trace = lstm_forward(x, params, clamp={"f": 1.0, "g": -0.25})
        assert (trace.f == 1.0).all() and (trace.g == -0.25).all()
        assert trace.clamp == ("f", "g")

    def test_open_and_closed_gates_hold_the_cell_for_ever(self, x, params, rng):
        c0 = rng.normal(size=(N, H))
        trace = lstm_forward(x, params, c0=c0, clamp={"f": 1.0, "i": 0.0})
        np.testing.assert_array_equal(trace.c_final, c0)
        # and the gradient of the cell comes back whole
        end = rng.normal(size=(N, H))
        grads = lstm_backward(np.zeros((N, T, H)), trace, params, dc_final=end)
        np.testing.assert_allclose(grads.c0, end, rtol=0, atol=1e-14)

    def test_weights_of_a_held_gate_have_no_gradient(self, x, params):
        trace = lstm_forward(x, params, clamp={"o": 0.5})
        grads = lstm_backward(np.ones((N, T, H)), trace, params).params
        assert not any(array.any() for array in grads.gate("o"))
        assert all(array.any() for array in grads.gate("f"))

    @pytest.mark.parametrize(
        "clamp, message",
        [
            ("f", "clamp must be a dict such as {'f': 1.0}, got 'f'"),
            ({"c": 1.0}, "every key of clamp must be one of 'i', 'f', 'g', 'o', got 'c'"),
            ({"f": 1.5}, r"clamp\['f'\] must be from 0 to 1, got 1.5"),
            ({"f": -0.5}, r"clamp\['f'\] must be from 0 to 1, got -0.5"),
            ({"g": -1.5}, r"clamp\['g'\] must be from -1 to 1, got -1.5"),
            ({"f": np.nan}, r"clamp\['f'\] must be from 0 to 1, got nan"),
            ({"f": "open"}, r"clamp\['f'\] must be from 0 to 1, got 'open'"),
            ({"f": None}, r"clamp\['f'\] must be from 0 to 1, got None"),
        ],
    )
    def test_bad_clamps(self, x, params, clamp, message):
        with pytest.raises(ValueError, match=message):
            lstm_forward(x, params, clamp=clamp)


class TestTrace:
    def test_final_states_are_those_of_each_sequence(self, x, params):
        trace = lstm_forward(x, params, lengths=np.array([4, 6, 1]))
        for n, length in enumerate([4, 6, 1]):
            alone = lstm_forward(x[n : n + 1, :length], params)
            np.testing.assert_allclose(alone.h_final[0], trace.h_final[n], rtol=0, atol=1e-14)
            np.testing.assert_allclose(alone.c_final[0], trace.c_final[n], rtol=0, atol=1e-14)

    def test_gates_make_the_states(self, x, params):
        trace = lstm_forward(x, params)
        c = trace.f * trace.c[:, :-1] + trace.i * trace.g
        np.testing.assert_allclose(trace.c[:, 1:], c, rtol=0, atol=1e-14)
        np.testing.assert_allclose(trace.h[:, 1:], trace.o * np.tanh(c), rtol=0, atol=1e-14)

    def test_to_trace(self, x, params):
        trace = lstm_forward(x, params, mask=MASK)
        shown = trace.to_trace(2)
        assert shown.names == ["x", "i", "f", "g", "o", "c", "h", "mask"]
        for name in "ifgo":
            np.testing.assert_array_equal(shown[name], getattr(trace, name)[2])
        np.testing.assert_array_equal(shown["c"], trace.c[2, 1:])
        np.testing.assert_array_equal(shown["h"], trace.h[2, 1:])
        ranges = {s.name: (s.low, s.high) for s in shown.series}
        assert ranges["f"] == (0.0, 1.0) and ranges["g"] == (-1.0, 1.0)
        assert ranges["c"] == (None, None) and ranges["h"] == (-1.0, 1.0)


class TestExtremes:
    @pytest.mark.parametrize("size", [1e3, 1e150])
    def test_huge_inputs_saturate_without_a_warning(self, x, params, size):
        trace = lstm_forward(size * x, params)
        assert np.isfinite(trace.h).all()
        grads = lstm_backward(np.ones((N, T, H)), trace, params)
        assert np.isfinite(grads.x).all() and np.isfinite(grads.params.W_ha).all()


class TestBadInput:
    @pytest.mark.parametrize(
        "weights, message",
        [
            (((4, 20), (5, 15), 20), r"W_ha must have shape \(5, 20\), got \(5, 15\)"),
            (((4, 15), (5, 20), 20), r"W_xa must have shape \(any, 20\), got \(4, 15\)"),
            (((4, 20), (5, 20), 5), r"b_a must have shape \(20,\), got \(5,\)"),
            (((4, 20), (5, 20), 20, (4, 5)), r"w_ca must have shape \(3, 5\), got \(4, 5\)"),
            (((4, 20), 20, 20), r"W_ha must have shape \(any, any\), got \(20,\)"),
        ],
    )
    def test_weights(self, weights, message):
        with pytest.raises(ValueError, match=message):
            LSTMParams(*map(np.ones, weights))

    def test_weights_of_another_cell(self, x, rng):
        with pytest.raises(ValueError, match="params must be LSTMParams, got RNNParams"):
            lstm_forward(x, init_rnn(D, H, rng))

    def test_weights_that_are_not_finite(self, x, params):
        bad = LSTMParams(params.W_xa, np.full((H, 4 * H), np.inf), params.b_a)
        with pytest.raises(ValueError, match=r"params.W_ha must be finite, got inf at index"):
            lstm_forward(x, bad)

    @pytest.mark.parametrize(
        "change, message",
        [
            ({"x": np.ones((3, 6, 2))}, r"x must have shape \(any, any, 4\), got \(3, 6, 2\)"),
            ({"x": np.full((3, 6, 4), np.nan)}, "x must be finite, got nan at index"),
            ({"h0": np.ones((3, 4))}, r"h0 must have shape \(3, 5\), got \(3, 4\)"),
            ({"c0": np.ones((2, 5))}, r"c0 must have shape \(3, 5\), got \(2, 5\)"),
            ({"c0": np.full((3, 5), np.nan)}, "c0 must be finite, got nan"),
            ({"lengths": [7, 6, 1]}, "lengths must be from 1 to 6, got 7 for sequence 0"),
            ({"mask": np.zeros((3, 6))}, "keep at least one step .* none in row 0"),
        ],
    )
    def test_forward(self, x, params, change, message):
        with pytest.raises(ValueError, match=message):
            lstm_forward(**{"x": x, "params": params, **change})

    @pytest.mark.parametrize(
        "change, message",
        [
            ({"x_t": np.ones((3, 2))}, r"x_t must have shape \(any, 4\), got \(3, 2\)"),
            ({"h_prev": np.ones((2, 5))}, r"h_prev must have shape \(3, 5\), got \(2, 5\)"),
            ({"c_prev": np.ones((3, 4))}, r"c_prev must have shape \(3, 5\), got \(3, 4\)"),
            ({"c_prev": np.full((3, 5), np.nan)}, "c_prev must be finite, got nan"),
        ],
    )
    def test_cell(self, x, params, change, message):
        state = np.zeros((N, H))
        arguments = {"x_t": x[:, 0], "h_prev": state, "c_prev": state, "params": params}
        with pytest.raises(ValueError, match=message):
            lstm_cell(**{**arguments, **change})

    @pytest.mark.parametrize(
        "change, message",
        [
            ({"dh": np.ones((3, 7, 5))}, r"dh must have shape \(3, 6, 5\), got \(3, 7, 5\)"),
            ({"dh_final": np.ones((3, 4))}, r"dh_final must have shape \(3, 5\), got \(3, 4\)"),
            ({"dc_final": np.ones((2, 5))}, r"dc_final must have shape \(3, 5\), got \(2, 5\)"),
        ],
    )
    def test_backward(self, x, params, change, message):
        arguments = {"dh": np.ones((N, T, H)), "trace": lstm_forward(x, params), "params": params}
        with pytest.raises(ValueError, match=message):
            lstm_backward(**{**arguments, **change})

    def test_backward_with_a_trace_of_another_cell(self, x, params, rng):
        trace = rnn_forward(x, init_rnn(D, H, rng))
        with pytest.raises(ValueError, match="trace must be LSTMTrace, got RNNTrace"):
            lstm_backward(np.ones((N, T, H)), trace, params)
