"""The vanilla cell: equal to sums by hand, to autograd, to differences; and its bad inputs."""

import numpy as np
import pytest
from cell_checks import MASK, PADDINGS, check_differences, check_variant, real_modules

from course_lib.gru import gru_forward, init_gru
from course_lib.rnn import RNNParams, init_rnn, rnn_backward, rnn_cell, rnn_forward

N, T, D, H = 3, 6, 4, 5
VARIANTS = ("rnn tanh", "rnn relu", "rnn linear")


@pytest.fixture
def params(rng):
    return init_rnn(D, H, rng)


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


class TestInitRNN:
    def test_uniform_start_stays_in_its_bound(self):
        params = init_rnn(3, 100, np.random.default_rng(0))
        for array in (params.W_xh, params.W_hh, params.b_h):
            assert np.abs(array).max() <= 0.1
            assert np.abs(array).max() > 0.08  # and fills it
        assert params.W_xh.shape == (3, 100)

    def test_orthogonal_start_keeps_lengths(self, rng):
        W = init_rnn(D, H, rng, "orthogonal").W_hh
        np.testing.assert_allclose(W @ W.T, np.eye(H), atol=1e-12)

    def test_orthogonal_start_has_no_preferred_sign(self):
        # By QR alone, LAPACK's Householder form would make every diagonal entry of R negative
        # and so tilt the trace of Q; each sign should come up about half the time.
        traces = [np.trace(init_rnn(1, 3, np.random.default_rng(s), "orthogonal").W_hh)
                  for s in range(400)]  # fmt: skip
        assert abs(np.mean(traces)) < 0.2  # its standard error is 0.05

    def test_identity_start_keeps_the_state(self, rng):
        params = init_rnn(D, H, rng, "identity")
        h0 = rng.uniform(size=(N, H))
        trace = rnn_forward(np.zeros((N, T, D)), params, h0, activation="relu")
        np.testing.assert_array_equal(trace.h_final, h0)

    @pytest.mark.parametrize("recurrent", ["uniform", "orthogonal", "identity"])
    def test_radius_is_the_largest_eigenvalue(self, rng, recurrent):
        W = init_rnn(D, H, rng, recurrent, radius=0.9).W_hh
        np.testing.assert_allclose(np.abs(np.linalg.eigvals(W)).max(), 0.9, rtol=1e-12)

    def test_bad_arguments(self, rng):
        with pytest.raises(ValueError, match=r"recurrent must be 'uniform', .* got 'eye'"):
            init_rnn(D, H, rng, "eye")
        with pytest.raises(ValueError, match="D and H must be at least 1, got 0 and 5"):
            init_rnn(0, H, rng)
        with pytest.raises(ValueError, match="radius must be above 0, got -1"):
            init_rnn(D, H, rng, radius=-1)


class TestTrace:
    def test_final_state_is_that_of_each_sequence(self, x, params):
        trace = rnn_forward(x, params, lengths=np.array([4, 6, 1]))
        for n, length in enumerate([4, 6, 1]):
            np.testing.assert_array_equal(trace.h_final[n], trace.h[n, length])
            alone = rnn_forward(x[n : n + 1, :length], params)
            np.testing.assert_allclose(alone.h_final[0], trace.h_final[n], rtol=0, atol=1e-14)

    def test_to_trace(self, x, params):
        trace = rnn_forward(x, params, mask=MASK)
        shown = trace.to_trace(1)
        assert (shown.names, shown.T) == (["x", "h", "mask"], T)
        np.testing.assert_array_equal(shown["h"], trace.h[1, 1:])
        np.testing.assert_array_equal(shown["mask"], MASK[1])
        assert (shown.series[1].low, shown.series[1].high) == (-1.0, 1.0)

    def test_to_trace_of_a_state_beyond_the_range_of_tanh(self, x, params):
        trace = rnn_forward(x, params, h0=np.full((N, H), 3.0), mask=MASK)
        assert trace.to_trace(1).series[1].high is None  # carried over in the first step

    @pytest.mark.parametrize("activation, low", [("relu", 0.0), ("linear", None)])
    def test_range_of_other_activations(self, x, params, activation, low):
        series = rnn_forward(x, params, activation=activation).to_trace().series[1]
        assert (series.low, series.high) == (low, None)

    @pytest.mark.parametrize("n", [-1, 3])
    def test_no_such_sequence(self, x, params, n):
        with pytest.raises(ValueError, match=f"n must be a sequence from 0 to 2, got {n}"):
            rnn_forward(x, params).to_trace(n)


class TestBadInput:
    @pytest.mark.parametrize(
        "weights, message",
        [
            ((np.ones((4, 5)), np.ones((5, 4)), np.ones(5)), r"W_hh must have shape \(5, 5\), got"),
            (
                (np.ones((4, 5)), np.ones((5, 5)), np.ones(4)),
                r"b_h must have shape \(5,\), got \(4",
            ),
            ((np.ones(4), np.ones((5, 5)), np.ones(5)), r"W_xh must have shape \(any, any\), got"),
            ((np.full((4, 5), "a"), np.ones((5, 5)), np.ones(5)), "W_xh must hold numbers, got"),
        ],
    )
    def test_weights(self, weights, message):
        with pytest.raises(ValueError, match=message):
            RNNParams(*weights)

    def test_weights_of_another_cell(self, x, rng):
        other = init_gru(D, H, rng)
        for call in (
            lambda: rnn_cell(x[:, 0], np.zeros((N, H)), other),
            lambda: rnn_forward(x, other),
        ):
            with pytest.raises(ValueError, match="params must be RNNParams, got GRUParams"):
                call()

    def test_weights_that_are_not_finite(self, x, params):
        bad = RNNParams(params.W_xh, params.W_hh, np.full(H, np.nan))
        with pytest.raises(ValueError, match=r"params.b_h must be finite, got nan at index 0"):
            rnn_forward(x, bad)

    @pytest.mark.parametrize(
        "change, message",
        [
            ({"x": np.ones((3, 4))}, r"x must have shape \(any, any, 4\), got \(3, 4\)"),
            ({"x": np.ones((3, 6, 2))}, r"x must have shape \(any, any, 4\), got \(3, 6, 2\)"),
            ({"x": np.ones((3, 0, 4))}, r"at least one sequence and one time step, got \(3, 0, 4"),
            ({"x": np.ones((0, 6, 4))}, r"at least one sequence and one time step, got \(0, 6, 4"),
            ({"x": np.full((3, 6, 4), np.nan)}, "x must be finite, got nan at index"),
            ({"x": np.full((3, 6, 4), "a")}, "x must be an array of numbers"),
            ({"h0": np.ones((3, 4))}, r"h0 must have shape \(3, 5\), got \(3, 4\)"),
            ({"h0": np.full((3, 5), np.inf)}, r"h0 must be finite, got inf at index \(0, 0\)"),
            ({"lengths": [7, 6, 1]}, "lengths must be from 1 to 6, got 7 for sequence 0"),
            ({"lengths": [4, 0, 1]}, "lengths must be from 1 to 6, got 0 for sequence 1"),
            ({"lengths": [4, 6]}, r"lengths must have shape \(3,\)"),
            ({"lengths": [4.0, 6.0, 1.0]}, "lengths must hold integers, got float64"),
            ({"mask": np.ones((3, 5))}, r"mask must have shape \(3, 6\), got \(3, 5\)"),
            ({"mask": np.full((3, 6), 2)}, "mask must hold True and False, or 1 and 0"),
            ({"mask": np.full((3, 6), "a")}, "mask must hold True and False, or 1 and 0"),
            ({"mask": np.eye(3, 6) * [[1], [0], [1]]}, "keep at least one step .* none in row 1"),
            ({"mask": np.ones((3, 6)), "lengths": [1, 1, 1]}, "lengths or mask, got both"),
            (
                {"activation": "gelu"},
                "activation must be one of 'tanh', 'relu', 'linear', got 'gel",
            ),
        ],
    )
    def test_forward(self, x, params, change, message):
        with pytest.raises(ValueError, match=message):
            rnn_forward(**{"x": x, "params": params, **change})

    @pytest.mark.parametrize(
        "change, message",
        [
            ({"x_t": np.ones((3, 2))}, r"x_t must have shape \(any, 4\), got \(3, 2\)"),
            ({"h_prev": np.ones((2, 5))}, r"h_prev must have shape \(3, 5\), got \(2, 5\)"),
            ({"x_t": np.full((3, 4), np.nan)}, "x_t must be finite, got nan"),
            ({"activation": "gelu"}, "activation must be one of"),
        ],
    )
    def test_cell(self, x, params, change, message):
        arguments = {"x_t": x[:, 0], "h_prev": np.zeros((N, H)), "params": params, **change}
        with pytest.raises(ValueError, match=message):
            rnn_cell(**arguments)

    @pytest.mark.parametrize(
        "change, message",
        [
            ({"dh": np.ones((3, 7, 5))}, r"dh must have shape \(3, 6, 5\), got \(3, 7, 5\)"),
            ({"dh": np.full((3, 6, 5), np.nan)}, "dh must be finite, got nan"),
            ({"dh_final": np.ones((3, 4))}, r"dh_final must have shape \(3, 5\), got \(3, 4\)"),
        ],
    )
    def test_backward(self, x, params, change, message):
        arguments = {"dh": np.ones((N, T, H)), "trace": rnn_forward(x, params), "params": params}
        with pytest.raises(ValueError, match=message):
            rnn_backward(**{**arguments, **change})

    def test_backward_with_weights_or_a_trace_of_another_cell(self, x, params, rng):
        dh, trace = np.ones((N, T, H)), rnn_forward(x, params)
        with pytest.raises(
            ValueError, match=r"trace.x must have shape \(any, any, 2\), got \(3, 6"
        ):
            rnn_backward(dh, trace, init_rnn(2, H, rng))
        with pytest.raises(ValueError, match=r"trace.h must have shape \(3, 7, 2\), got \(3, 7, 5"):
            rnn_backward(dh, trace, init_rnn(D, 2, rng))
        with pytest.raises(ValueError, match="trace must be RNNTrace, got GRUTrace"):
            rnn_backward(dh, gru_forward(x, init_gru(D, H, rng)), params)
