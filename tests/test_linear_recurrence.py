"""The diagonal linear RNN and the forward algorithm as a cell.

Oracles: loops over single numbers, central differences, and all paths of an HMM.
"""

import numpy as np
import pytest
from hmm_models import random_model
from hypothesis import given
from hypothesis import strategies as st
from oracles import central_differences, filtered

from course_lib import hmm
from course_lib.linear_recurrence import (
    LinearParams,
    hmm_cell,
    hmm_cell_forward,
    linear_backward,
    linear_cell,
    linear_forward,
)

N, T, D, H = 2, 5, 3, 7


@pytest.fixture
def params(rng):
    return LinearParams(rng.uniform(-1.1, 1.1, H), rng.normal(size=(D, H)), rng.normal(size=H))


def one_number_at_a_time(x, params, h0):
    h = np.empty((N, T + 1, H))
    for n in range(N):
        for u in range(H):
            state = h[n, 0, u] = h0[n, u]
            for t in range(T):
                drive = sum(x[n, t, d] * params.W_xh[d, u] for d in range(D))
                state = h[n, t + 1, u] = params.a[u] * state + drive + params.b_h[u]
    return h


class TestLinearForward:
    def test_equals_loops_over_single_numbers(self, rng, params):
        x, h0 = rng.normal(size=(N, T, D)), rng.normal(size=(N, H))
        expected = one_number_at_a_time(x, params, h0)
        np.testing.assert_allclose(linear_forward(x, params, h0).h, expected, rtol=0, atol=1e-12)

    def test_equals_its_cell_run_step_by_step(self, rng, params):
        x = rng.normal(size=(N, T, D))
        trace, h = linear_forward(x, params), np.zeros((N, H))
        for t in range(T):
            h = linear_cell(x[:, t], h, params)
            np.testing.assert_allclose(trace.h[:, t + 1], h, rtol=0, atol=1e-13)

    def test_one_input_fades_by_the_decay(self):
        params = LinearParams(np.array([0.7]), np.ones((1, 1)), np.zeros(1))
        x = np.zeros((1, 51, 1))
        x[0, 0] = 1.0
        assert linear_forward(x, params).h[0, -1, 0] == pytest.approx(0.7**50, rel=1e-12)

    def test_trace_holds_inputs_and_states(self, rng, params):
        x = rng.normal(size=(N, T, D))
        trace = linear_forward(x, params)
        np.testing.assert_array_equal(trace.to_trace(1)["h"], trace.h[1, 1:])
        np.testing.assert_array_equal(trace.to_trace(1)["x"], x[1])


class TestLinearBackward:
    def test_every_gradient_equals_central_differences(self, rng, params):
        x, h0 = rng.normal(size=(N, T, D)), rng.normal(size=(N, H))
        dh = rng.normal(size=(N, T, H))

        def loss(**changes):
            values = {"a": params.a, "W_xh": params.W_xh, "b_h": params.b_h, "x": x, "h0": h0}
            values |= changes
            weights = LinearParams(values["a"], values["W_xh"], values["b_h"])
            return (linear_forward(values["x"], weights, values["h0"]).h[:, 1:] * dh).sum()

        grads = linear_backward(dh, linear_forward(x, params, h0), params)
        for name, value, found in (
            ("a", params.a, grads.params.a),
            ("W_xh", params.W_xh, grads.params.W_xh),
            ("b_h", params.b_h, grads.params.b_h),
            ("x", x, grads.x),
            ("h0", h0, grads.h0),
        ):
            expected = central_differences(lambda v, name=name: loss(**{name: v}), value)
            np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-8, err_msg=name)


class TestHmmCell:
    @pytest.mark.parametrize("K, V", [(2, 3), (3, 5), (4, 2)])
    def test_run_as_a_network_it_is_the_forward_algorithm(self, rng, K, V):
        pi, A, B = random_model(rng, "categorical", K, V)
        y = rng.integers(V, size=400)
        beliefs, log_c = hmm_cell_forward(y, pi, A, B)
        filtered_by_loop = hmm.forward_filter(y, pi, A, B)
        np.testing.assert_allclose(beliefs, filtered_by_loop.alpha, rtol=0, atol=1e-10)
        np.testing.assert_allclose(log_c, filtered_by_loop.log_c, rtol=0, atol=1e-10)

    def test_equals_the_sum_over_all_paths(self, rng):
        pi, A, B = random_model(rng, "categorical", 3, 4)
        y = rng.integers(4, size=6)
        beliefs, log_c = hmm_cell_forward(y, pi, A, B)
        alpha, c = filtered(y, pi, A, B)
        np.testing.assert_allclose(beliefs, alpha, rtol=0, atol=1e-12)
        np.testing.assert_allclose(np.exp(log_c), c, rtol=0, atol=1e-12)

    def test_batch_is_its_rows(self, rng):
        pi, A, B = random_model(rng, "categorical", 3, 4)
        beliefs, y = rng.dirichlet(np.ones(3), 5), rng.integers(4, size=5)
        together, log_c = hmm_cell(beliefs, y, A, B)
        first, _ = hmm_cell(None, y, A, B, pi)
        for n in range(5):
            alone, alone_log_c = hmm_cell(beliefs[n : n + 1], y[n : n + 1], A, B)
            np.testing.assert_allclose(together[n], alone[0], rtol=0, atol=1e-14)
            assert log_c[n] == pytest.approx(alone_log_c[0], abs=1e-14)
            np.testing.assert_allclose(
                first[n], hmm_cell(None, y[n : n + 1], A, B, pi)[0][0], rtol=0, atol=1e-14
            )

    def test_a_stationary_start_needs_no_special_first_step(self, rng):
        A = np.array([[0.95, 0.05], [0.10, 0.90]])
        B = random_model(rng, "categorical", 2, 3)[2]
        pi = np.array([2 / 3, 1 / 3])
        np.testing.assert_allclose(
            hmm_cell(None, [1], A, B, pi)[0], hmm_cell(pi[None], [1], A, B)[0], atol=1e-12
        )

    def test_impossible_symbol_is_named_with_its_step(self):
        pi, A, B = np.array([1.0, 0.0]), np.eye(2), np.array([[1.0, 0.0], [0.0, 1.0]])
        with pytest.raises(ValueError, match="observation 1 at t=2 has probability zero"):
            hmm_cell_forward([0, 0, 1], pi, A, B)
        with pytest.raises(ValueError, match="symbol 1 of sequence 1 has probability zero"):
            hmm_cell(np.array([[0.0, 1.0], [1.0, 0.0]]), [1, 1], A, B)


@given(st.integers(0, 2**32 - 1), st.integers(1, 5), st.integers(1, 4), st.integers(1, 9))
def test_property_beliefs_stay_distributions(seed, K, V, length):
    rng = np.random.default_rng(seed)
    pi, A, B = random_model(rng, "categorical", K, V)
    beliefs, log_c = hmm_cell_forward(rng.integers(V, size=length), pi, A, B)
    assert (beliefs >= 0).all() and (log_c <= 1e-12).all()
    np.testing.assert_allclose(beliefs.sum(axis=1), 1.0, rtol=0, atol=1e-12)


class TestBadInput:
    @pytest.mark.parametrize(
        "x, h0, message",
        [
            (np.zeros((N, T)), None, r"x must have shape \(any, any, 3\), got \(2, 5\)"),
            (np.zeros((N, T, D + 1)), None, r"x must have shape .* got \(2, 5, 4\)"),
            (np.zeros((0, T, D)), None, "at least one sequence"),
            (np.zeros((N, T, D)), np.zeros((N, D)), r"h0 must have shape \(2, 7\)"),
            (np.full((N, T, D), np.nan), None, "x must be finite, got nan"),
        ],
    )
    def test_forward(self, params, x, h0, message):
        with pytest.raises(ValueError, match=message):
            linear_forward(x, params, h0)

    def test_weights_that_disagree(self, params):
        with pytest.raises(ValueError, match=r"W_xh must have shape \(any, 6\), got \(3, 7\)"):
            linear_forward(np.zeros((N, T, D)), LinearParams(params.a[:6], params.W_xh, params.b_h))

    def test_backward(self, rng, params):
        trace = linear_forward(rng.normal(size=(N, T, D)), params)
        with pytest.raises(ValueError, match=r"dh must have shape \(2, 5, 7\)"):
            linear_backward(np.zeros((N, T + 1, H)), trace, params)

    @pytest.mark.parametrize(
        "arguments, message",
        [
            ((None, [0], np.eye(2), np.eye(2)), "pi must be given at the first step"),
            (([[0.5, 0.6]], [0], np.eye(2), np.eye(2)), "belief_prev .* sum to 1"),
            (([[0.5, 0.5]], [2], np.eye(2), np.eye(2)), "y_t"),
            (([[0.5, 0.5]], [0, 1], np.eye(2), np.eye(2)), r"belief_prev must have shape \(2, 2\)"),
            (([[0.5, 0.5]], [0], np.ones((2, 2)), np.eye(2)), "A .* sum to 1"),
        ],
    )
    def test_hmm_cell(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            hmm_cell(*arguments)
