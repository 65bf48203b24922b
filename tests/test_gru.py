"""The GRU in all four published forms, the conversions between them, and bad inputs."""

from dataclasses import replace

import numpy as np
import pytest
from cell_checks import MASK, PADDINGS, check_differences, check_variant, real_modules
from hypothesis import given
from hypothesis import strategies as st

from course_lib.gru import (
    GRUParams,
    gru_backward,
    gru_cell,
    gru_forward,
    init_gru,
    swap_reset,
    swap_update,
)
from course_lib.lstm import init_lstm, lstm_forward

N, T, D, H = 3, 6, 4, 5
VARIANTS = ("gru after keep", "gru after write", "gru before keep", "gru before write")
FORMS = [(reset, update) for reset in ("after", "before") for update in ("keep", "write")]


@pytest.fixture
def params(rng):
    return init_gru(D, H, rng)


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


class TestConventions:
    def test_keep_and_write_differ_on_the_same_weights(self, x, params):
        here = gru_forward(x, params).h
        there = gru_forward(x, replace(params, update="write")).h
        assert np.abs(here - there).max() > 0.1

    def test_after_and_before_differ_on_the_same_weights(self, x, params):
        here = gru_forward(x, params).h
        there = gru_forward(x, replace(params, reset="before")).h
        assert np.abs(here - there).max() > 1e-3

    @pytest.mark.parametrize("update, kept", [("keep", True), ("write", False)])
    def test_meaning_of_z(self, x, rng, update, kept):
        """With z driven to 1 the old state stays ("keep"), or the candidate takes its place."""
        params = init_gru(D, H, rng, update=update)
        b_x = params.b_x.copy()
        b_x[H : 2 * H] = 100.0
        h0 = rng.normal(size=(N, H))
        trace = gru_forward(x, replace(params, b_x=b_x), h0)
        expected = np.broadcast_to(h0[:, None], (N, T, H)) if kept else trace.n
        np.testing.assert_allclose(trace.h[:, 1:], expected, rtol=0, atol=1e-12)


class TestSwapUpdate:
    @pytest.mark.parametrize("reset, update", FORMS)
    def test_same_states_and_z_turned_round(self, x, rng, reset, update):
        params = init_gru(D, H, rng, reset, update)
        swapped = swap_update(params)
        assert (swapped.reset, {swapped.update, update}) == (reset, {"keep", "write"})
        here, there = gru_forward(x, params), gru_forward(x, swapped)
        np.testing.assert_allclose(there.h, here.h, rtol=0, atol=1e-14)
        np.testing.assert_allclose(there.z, 1 - here.z, rtol=0, atol=1e-14)
        np.testing.assert_allclose(there.r, here.r, rtol=0, atol=1e-14)

    def test_twice_is_nothing(self, params):
        again = swap_update(swap_update(params))
        assert again.update == params.update
        for name in ("W_xa", "W_ha", "b_x", "b_h"):
            np.testing.assert_array_equal(getattr(again, name), getattr(params, name))

    def test_another_cell(self, rng):
        with pytest.raises(ValueError, match="params must be GRUParams, got LSTMParams"):
            swap_update(init_lstm(D, H, rng))


def test_property_swap_update_is_exact():
    @given(st.integers(0, 10**6), st.sampled_from(FORMS), st.integers(1, 4), st.integers(1, 5))
    def same(seed, form, n_inputs, n_units):
        rng = np.random.default_rng(seed)
        params = init_gru(n_inputs, n_units, rng, *form)
        x = rng.normal(scale=3.0, size=(2, 7, n_inputs))
        h0 = rng.normal(scale=2.0, size=(2, n_units))
        np.testing.assert_allclose(
            gru_forward(x, swap_update(params), h0).h,
            gru_forward(x, params, h0).h,
            rtol=0,
            atol=1e-13,  # rounding of 7 steps, states up to about 6
        )

    same()


def diagonal(params, bias):
    """The same GRU with a diagonal W_hn, and this b_hn."""
    W_ha, b_h = params.W_ha.copy(), params.b_h.copy()
    W_ha[:, 2 * H :] = np.diag(np.diag(W_ha[:, 2 * H :]) + 1.0)
    b_h[2 * H :] = bias
    return replace(params, W_ha=W_ha, b_h=b_h)


class TestSwapReset:
    @pytest.mark.parametrize("reset, update", FORMS)
    def test_diagonal_weights_give_the_same_states(self, x, rng, reset, update):
        params = diagonal(init_gru(D, H, rng, reset, update), 0.0 if reset == "after" else 0.7)
        swapped = swap_reset(params)
        assert swapped.update == update and {swapped.reset, reset} == {"after", "before"}
        here, there = gru_forward(x, params).h, gru_forward(x, swapped).h
        np.testing.assert_allclose(there, here, rtol=0, atol=1e-14)

    def test_weights_that_mix_units_are_refused(self, params):
        with pytest.raises(ValueError, match=r"W_hn must be diagonal .* from unit 0 to unit 1"):
            swap_reset(params)

    def test_mixing_weights_give_other_states(self, x, params):
        """Why it is refused: only the name changed, and nothing else could."""
        other = replace(params, reset="before", b_x=params.b_x.copy())
        assert np.abs(gru_forward(x, other).h - gru_forward(x, params).h).max() > 1e-3

    def test_a_bias_under_the_reset_gate_is_refused(self, params):
        with pytest.raises(ValueError, match=r"b_hn must be 0 .* got 0.5 for unit 0"):
            swap_reset(diagonal(params, 0.5))

    def test_another_cell(self, rng):
        with pytest.raises(ValueError, match="params must be GRUParams, got LSTMParams"):
            swap_reset(init_lstm(D, H, rng))


class TestGate:
    def test_blocks_are_in_the_order_r_z_n(self):
        row = np.arange(6)
        params = GRUParams(np.tile(row, (3, 1)), np.tile(row, (2, 1)), row, row + 10)
        for k, name in enumerate("rzn"):
            W_x, W_h, b_x, b_h = params.gate(name)
            pair = [2 * k, 2 * k + 1]
            assert W_x.tolist() == [pair] * 3 and W_h.tolist() == [pair] * 2
            assert b_x.tolist() == pair and b_h.tolist() == [p + 10 for p in pair]

    @pytest.mark.parametrize("name", ["h", "rz", 0])
    def test_no_such_gate(self, params, name):
        with pytest.raises(ValueError, match="name must be one of 'r', 'z', 'n', got"):
            params.gate(name)


class TestTrace:
    def test_final_state_is_that_of_each_sequence(self, x, params):
        trace = gru_forward(x, params, lengths=np.array([4, 6, 1]))
        for n, length in enumerate([4, 6, 1]):
            alone = gru_forward(x[n : n + 1, :length], params)
            np.testing.assert_allclose(alone.h_final[0], trace.h_final[n], rtol=0, atol=1e-14)

    def test_to_trace(self, x, params):
        trace = gru_forward(x, params, mask=MASK)
        shown = trace.to_trace(2)
        assert shown.names == ["x", "r", "z", "n", "h", "mask"]
        for name in "rzn":
            np.testing.assert_array_equal(shown[name], getattr(trace, name)[2])
        np.testing.assert_array_equal(shown["h"], trace.h[2, 1:])
        assert [(s.low, s.high) for s in shown.series[1:5]] == [(0, 1), (0, 1), (-1, 1), (-1, 1)]


class TestBadInput:
    @pytest.mark.parametrize(
        "weights, message",
        [
            (((4, 15), (5, 20), 15, 15), r"W_ha must have shape \(5, 15\), got \(5, 20\)"),
            (((4, 20), (5, 15), 15, 15), r"W_xa must have shape \(any, 15\), got \(4, 20\)"),
            (((4, 15), (5, 15), 5, 15), r"b_x must have shape \(15,\), got \(5,\)"),
            (((4, 15), (5, 15), 15, 5), r"b_h must have shape \(15,\), got \(5,\)"),
        ],
    )
    def test_weights(self, weights, message):
        with pytest.raises(ValueError, match=message):
            GRUParams(*map(np.ones, weights))

    @pytest.mark.parametrize(
        "form, message",
        [
            ({"reset": "both"}, "reset must be 'after' or 'before', got 'both'"),
            ({"update": "forget"}, "update must be 'keep' or 'write', got 'forget'"),
        ],
    )
    def test_unknown_form(self, rng, params, form, message):
        with pytest.raises(ValueError, match=message):
            replace(params, **form)
        with pytest.raises(ValueError, match=message):
            init_gru(D, H, rng, **form)

    def test_weights_of_another_cell(self, x, rng):
        with pytest.raises(ValueError, match="params must be GRUParams, got LSTMParams"):
            gru_forward(x, init_lstm(D, H, rng))

    @pytest.mark.parametrize(
        "change, message",
        [
            ({"x": np.ones((3, 6, 2))}, r"x must have shape \(any, any, 4\), got \(3, 6, 2\)"),
            ({"x": np.full((3, 6, 4), np.nan)}, "x must be finite, got nan at index"),
            ({"h0": np.ones((3, 4))}, r"h0 must have shape \(3, 5\), got \(3, 4\)"),
            ({"lengths": [7, 6, 1]}, "lengths must be from 1 to 6, got 7 for sequence 0"),
            ({"mask": np.zeros((3, 6))}, "keep at least one step .* none in row 0"),
        ],
    )
    def test_forward(self, x, params, change, message):
        with pytest.raises(ValueError, match=message):
            gru_forward(**{"x": x, "params": params, **change})

    def test_cell(self, x, params):
        with pytest.raises(ValueError, match=r"h_prev must have shape \(3, 5\), got \(3, 4\)"):
            gru_cell(x[:, 0], np.zeros((N, 4)), params)
        with pytest.raises(ValueError, match="x_t must be finite, got nan"):
            gru_cell(np.full((N, D), np.nan), np.zeros((N, H)), params)

    def test_backward(self, x, params):
        trace = gru_forward(x, params)
        with pytest.raises(ValueError, match=r"dh must have shape \(3, 6, 5\), got \(3, 5, 5\)"):
            gru_backward(np.ones((N, T - 1, H)), trace, params)
        with pytest.raises(ValueError, match=r"dh_final must have shape \(3, 5\), got \(5, 3\)"):
            gru_backward(np.ones((N, T, H)), trace, params, np.ones((H, N)))
        other = lstm_forward(x, init_lstm(D, H, np.random.default_rng(0)))
        with pytest.raises(ValueError, match="trace must be GRUTrace, got LSTMTrace"):
            gru_backward(np.ones((N, T, H)), other, params)
