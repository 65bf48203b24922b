"""Jacobians of the cells: exact formulas against central differences, and products of them.

The oracle moves each number of a state and runs the rest of the sequence again.
"""

import numpy as np
import pytest

from course_lib.gradients import (
    clip_by_norm,
    finite_difference,
    flow_h_norms,
    flow_norms,
    numerical_jacobian,
    spectral_radius,
    state_jacobian,
    step_jacobian,
)
from course_lib.gru import gru_backward, gru_forward, init_gru
from course_lib.linear_recurrence import LinearParams, linear_forward
from course_lib.lstm import init_lstm, lstm_backward, lstm_forward
from course_lib.rnn import init_rnn, rnn_backward, rnn_forward

N, T, D, H = 2, 5, 3, 4


def rnn(activation):
    return lambda rng: (
        init_rnn(D, H, rng, radius=0.9),
        lambda x, p, s, **o: rnn_forward(x, p, s, activation=activation, **o),
    )


def lstm(peepholes, clamp=None):
    return lambda rng: (
        init_lstm(D, H, rng, peepholes=peepholes),
        lambda x, p, s, **o: lstm_forward(x, p, s[:, :H], s[:, H:], clamp=clamp, **o),
    )


def gru(reset, update):
    def make(rng):
        p = init_gru(D, H, rng)
        p = type(p)(p.W_xa, p.W_ha, p.b_x, p.b_h, reset=reset, update=update)
        return p, lambda x, p, s, **o: gru_forward(x, p, s, **o)

    return make


CELLS = {
    "tanh": rnn("tanh"),
    "relu": rnn("relu"),
    "linear": rnn("linear"),
    "lstm": lstm(False),
    "lstm, peepholes": lstm(True),
    "lstm, held": lstm(True, {"f": 0.8, "o": 0.5}),
    "gru": gru("after", "keep"),
    "gru, reset before": gru("before", "keep"),
    "gru, writes": gru("after", "write"),
    "gru, before, writes": gru("before", "write"),
}


def final(trace):
    """State after the last step, (N, S)."""
    return np.hstack([trace.h[:, -1], trace.c[:, -1]]) if hasattr(trace, "c") else trace.h[:, -1]


@pytest.fixture(params=CELLS)
def case(request, rng):
    params, forward = CELLS[request.param](rng)
    S = 2 * H if request.param.startswith("lstm") else H
    x, s0 = 1.5 * rng.normal(size=(N, T, D)), 0.8 * rng.normal(size=(N, S))
    return params, forward, x, s0


def slot(trace, n, t):
    return np.concatenate([trace.h[n, t], trace.c[n, t]]) if hasattr(trace, "c") else trace.h[n, t]


class TestStepJacobian:
    def test_equals_central_differences(self, case):
        params, forward, x, s0 = case
        trace = forward(x, params, s0)
        for n, t in ((0, 0), (1, 3), (0, T - 1)):
            expected = numerical_jacobian(
                lambda s, n=n, t=t: final(forward(x[n : n + 1, t : t + 1], params, s[None]))[0],
                slot(trace, n, t),
            )
            found = step_jacobian(trace, params, t, n)
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-8)
            assert np.abs(found).max() > 0.05  # a zero Jacobian would agree with anything

    def test_masked_step_carries_the_state_over(self, case):
        params, forward, x, s0 = case
        trace = forward(x, params, s0, lengths=[T, 2])
        S = s0.shape[1]
        np.testing.assert_array_equal(step_jacobian(trace, params, 3, 1), np.eye(S))
        assert not np.allclose(step_jacobian(trace, params, 1, 1), np.eye(S))

    @pytest.mark.parametrize(
        "t, n, message",
        [
            (T, 0, "t must be from 0 to 4, got 5"),
            (-1, 0, "t must be"),
            (0, 2, "n must be from 0 to 1"),
        ],
    )
    def test_out_of_range(self, rng, t, n, message):
        params, forward = CELLS["tanh"](rng)
        trace = forward(np.zeros((N, T, D)), params, np.zeros((N, H)))
        with pytest.raises(ValueError, match=message):
            step_jacobian(trace, params, t, n)

    def test_trace_of_another_kind(self):
        trace = linear_forward(
            np.zeros((1, 2, 1)), LinearParams(np.ones(1), np.ones((1, 1)), np.zeros(1))
        )
        with pytest.raises(ValueError, match=r"trace must be an RNNTrace.* got LinearTrace"):
            step_jacobian(trace, None, 0)


class TestStateJacobian:
    def test_over_several_steps_equals_central_differences(self, case):
        params, forward, x, s0 = case
        trace = forward(x, params, s0)
        expected = numerical_jacobian(
            lambda s: final(forward(x[1:, 1:], params, s[None]))[0], slot(trace, 1, 1)
        )
        np.testing.assert_allclose(
            state_jacobian(trace, params, 1, T, n=1), expected, rtol=0, atol=1e-8
        )

    def test_from_a_slot_to_itself_is_the_identity(self, case):
        params, forward, x, s0 = case
        J = state_jacobian(forward(x, params, s0), params, 2, 2)
        np.testing.assert_array_equal(J, np.eye(s0.shape[1]))

    @pytest.mark.parametrize(
        "slots, message",
        [
            ((3, 2), "t_from must not be later"),
            ((0, T + 1), "t_to must be from 0 to 5"),
            ((-1, 2), "t_from must be"),
        ],
    )
    def test_slots_out_of_order(self, rng, slots, message):
        params, forward = CELLS["tanh"](rng)
        trace = forward(np.zeros((N, T, D)), params, np.zeros((N, H)))
        with pytest.raises(ValueError, match=message):
            state_jacobian(trace, params, *slots)


class TestFlowNorms:
    def test_norm_of_every_product(self, case):
        params, forward, x, s0 = case
        trace = forward(x, params, s0)
        whole, hidden = flow_norms(trace, params, n=1), flow_h_norms(trace, params, n=1)
        assert whole[-1] == hidden[-1] == 1.0
        for t in range(T + 1):
            J = state_jacobian(trace, params, t, T, n=1)
            largest = np.sqrt(np.linalg.eigvalsh(J.T @ J).max())
            assert whole[t] == pytest.approx(largest, abs=1e-9)
            J = J[:H, :H]
            assert hidden[t] == pytest.approx(np.sqrt(np.linalg.eigvalsh(J.T @ J).max()), abs=1e-7)

    def test_backward_pass_is_the_same_product(self, rng):
        """BPTT and Jacobians must agree on what the last state says about the first."""
        x, d = rng.normal(size=(1, T, D)), rng.normal(size=(1, H))
        for init, forward, backward in (
            (init_rnn, rnn_forward, rnn_backward),
            (init_lstm, lstm_forward, lstm_backward),
            (init_gru, gru_forward, gru_backward),
        ):
            params = init(D, H, rng)
            trace = forward(x, params)
            h0 = backward(np.zeros((1, T, H)), trace, params, dh_final=d).h0
            J = state_jacobian(trace, params, 0, T)[:H, :H]
            np.testing.assert_allclose(h0, d @ J, rtol=0, atol=1e-12)

    def test_scalar_linear_recurrence_fades_as_a_power(self, rng):
        params = init_rnn(1, 1, rng)
        params = type(params)(params.W_xh, np.array([[0.7]]), params.b_h)
        trace = rnn_forward(rng.normal(size=(1, 50, 1)), params, activation="linear")
        np.testing.assert_allclose(flow_norms(trace, params), 0.7 ** np.arange(50, -1, -1.0))


class TestFiniteDifference:
    def test_gradient_of_a_known_function(self, rng):
        x = rng.normal(size=(2, 3))
        before = x.copy()
        np.testing.assert_allclose(
            finite_difference(lambda v: (v**3).sum(), x), 3 * x**2, atol=1e-8
        )
        np.testing.assert_array_equal(x, before)

    def test_jacobian_of_a_linear_map(self, rng):
        W = rng.normal(size=(4, 3))
        np.testing.assert_allclose(numerical_jacobian(lambda v: W @ v, np.zeros(3)), W, atol=1e-9)

    def test_more_than_one_number_is_refused(self):
        with pytest.raises(ValueError, match="f must return one number, got 3"):
            finite_difference(lambda v: v, np.zeros(3))

    def test_step_that_is_no_step(self):
        with pytest.raises(ValueError, match="step must be positive, got 0"):
            numerical_jacobian(lambda v: v, np.zeros(3), step=0)

    def test_not_finite(self):
        with np.errstate(all="ignore"), pytest.raises(ValueError, match=r"f\(x\) must be finite"):
            finite_difference(lambda v: np.log(v).sum(), np.zeros(2))


class TestSpectralRadius:
    def test_known_matrices(self):
        assert spectral_radius([[0.0, -2.0], [2.0, 0.0]]) == pytest.approx(2.0)  # a turn
        assert spectral_radius([[0.5, 9.0], [0.0, -0.8]]) == pytest.approx(0.8)

    def test_square_only(self):
        with pytest.raises(ValueError, match="W must have shape"):
            spectral_radius(np.ones((2, 3)))


class TestClipByNorm:
    def test_long_gradient_keeps_its_direction(self, rng):
        grads = [rng.normal(size=(3, 2)), rng.normal(size=5)]
        clipped, norm = clip_by_norm(grads, 0.5)
        flat, cut = (np.concatenate([g.ravel() for g in gs]) for gs in (grads, clipped))
        assert norm == pytest.approx(np.linalg.norm(flat))
        np.testing.assert_allclose(cut, flat * 0.5 / norm, rtol=1e-12)

    def test_short_or_empty_gradient_is_left_alone(self):
        grads = [np.array([0.3, 0.4])]
        assert clip_by_norm(grads, 0.6)[0][0].tolist() == [0.3, 0.4]
        assert clip_by_norm([np.zeros(2)], 1.0)[0][0].tolist() == [0.0, 0.0]

    def test_bad_input(self):
        with pytest.raises(ValueError, match="max_norm must be positive, got 0"):
            clip_by_norm([np.ones(2)], 0)
        with pytest.raises(ValueError, match=r"grads\[1\] must be finite"):
            clip_by_norm([np.ones(2), np.array([np.nan])], 1.0)
