"""The one-dimensional Kalman filter.

Oracles: the joint Gaussian of all states and observations, conditioned by its textbook formula; and
the forward algorithm of an HMM whose states are the points of a fine grid.
"""

import numpy as np
import pytest

from course_lib import hmm
from course_lib.emissions import Gaussian
from course_lib.kalman import (
    KalmanParams,
    kalman_cell,
    kalman_filter,
    kalman_predict,
    sample_kalman,
    steady_gain,
)

PARAMS = KalmanParams(a=0.9, process_var=0.3, observation_var=0.7, mean0=1.5, var0=2.0)


def joint_of_states(T, p):
    """Mean (T,) and covariance (T, T) of the states, entry by entry."""
    mean, cov = np.empty(T), np.empty((T, T))
    mean[0], cov[0, 0] = p.mean0, p.var0
    for t in range(1, T):
        mean[t] = p.a * mean[t - 1]
        for s in range(t):
            cov[t, s] = cov[s, t] = p.a * cov[t - 1, s]
        cov[t, t] = p.a**2 * cov[t - 1, t - 1] + p.process_var
    return mean, cov


class TestAgainstTheJointGaussian:
    @pytest.mark.parametrize("a", [0.9, -0.5, 1.1])
    def test_mean_variance_and_evidence(self, rng, a):
        p = KalmanParams(a, 0.3, 0.7, 1.5, 2.0)
        y = sample_kalman(8, p, rng)[1]
        trace = kalman_filter(y, p)
        mean, cov = joint_of_states(8, p)
        seen = cov + p.observation_var * np.eye(8)
        for t in range(8):
            K = cov[t, : t + 1] @ np.linalg.inv(seen[: t + 1, : t + 1])
            error = y[: t + 1] - mean[: t + 1]
            assert trace.mean[t] == pytest.approx(mean[t] + K @ error, abs=1e-10)
            assert trace.var[t] == pytest.approx(cov[t, t] - K @ cov[: t + 1, t], abs=1e-10)
            assert trace.gain[t] == pytest.approx(K[-1], abs=1e-10)
        error, (_, log_det) = y - mean, np.linalg.slogdet(2 * np.pi * seen)
        evidence = -0.5 * (log_det + error @ np.linalg.inv(seen) @ error)
        assert trace.log_evidence == pytest.approx(evidence, abs=1e-10)


class TestAgainstAnHmmOnAGrid:
    def test_it_is_the_forward_algorithm_with_very_many_states(self, rng):
        p, grid = PARAMS, np.linspace(-9, 9, 721)
        y = sample_kalman(12, p, rng)[1]

        def normal(x, mean, var):
            density = np.exp(-0.5 * (x - mean) ** 2 / var)
            return density / density.sum(axis=-1, keepdims=True)

        pi = normal(grid, p.mean0, p.var0)
        A = normal(grid[None, :], p.a * grid[:, None], p.process_var)
        B = Gaussian(grid[:, None], np.full((721, 1), p.observation_var))
        alpha = hmm.forward_filter(y, pi, A, B).alpha
        mean = alpha @ grid
        trace = kalman_filter(y, p)
        np.testing.assert_allclose(trace.mean, mean, rtol=0, atol=1e-6)  # grid of 0.025
        np.testing.assert_allclose(trace.var, alpha @ grid**2 - mean**2, rtol=0, atol=1e-6)


class TestCellAndSteadyGain:
    def test_filter_is_its_cell_again_and_again(self, rng):
        y = sample_kalman(9, PARAMS, rng)[1]
        trace = kalman_filter(y, PARAMS)
        for t in range(1, 9):
            found = kalman_cell(trace.mean[t - 1], trace.var[t - 1], y[t], PARAMS)
            np.testing.assert_allclose(
                found, (trace.mean[t], trace.var[t], trace.gain[t]), rtol=0, atol=1e-13
            )

    @pytest.mark.parametrize("a, q, r", [(0.9, 0.3, 0.7), (1.0, 0.01, 4.0), (1.3, 0.0, 2.0)])
    def test_gain_settles_at_the_steady_gain(self, rng, a, q, r):
        p = KalmanParams(a, q, r)
        assert kalman_filter(np.zeros(800), p).gain[-1] == pytest.approx(steady_gain(p), abs=1e-9)

    def test_without_process_noise_a_decaying_state_is_learnt_once_and_for_all(self):
        assert steady_gain(KalmanParams(0.9, 0.0, 1.0)) == 0.0

    def test_prediction_by_hand(self):
        assert kalman_predict(2.0, 1.0, PARAMS) == pytest.approx((1.8, 0.81 + 0.3))


class TestSampleKalman:
    def test_moments_are_those_of_the_process(self):
        rng = np.random.default_rng(5)
        draws = [sample_kalman(4, PARAMS, rng) for _ in range(40_000)]
        z, y = (np.array([d[k] for d in draws]) for k in (0, 1))
        mean, cov = joint_of_states(4, PARAMS)
        np.testing.assert_allclose(z.mean(axis=0), mean, rtol=0, atol=0.03)  # 4 standard errors
        np.testing.assert_allclose(np.cov(z.T), cov, rtol=0, atol=0.06)
        np.testing.assert_allclose(np.var(y - z, axis=0), 0.7, rtol=0, atol=0.02)


class TestTrace:
    def test_series(self, rng):
        trace = kalman_filter(rng.normal(size=6), PARAMS)
        made = trace.to_trace()
        assert made.names == ["mean", "var", "gain", "log_c"]
        np.testing.assert_array_equal(made["gain"], trace.gain)


class TestBadInput:
    @pytest.mark.parametrize(
        "changes, message",
        [
            ({"process_var": -0.1}, "process_var must not be negative, got -0.1"),
            ({"observation_var": 0.0}, "observation_var must be positive, got 0.0"),
            ({"var0": -1.0}, "var0 must be positive"),
            ({"a": np.nan}, "a must be finite"),
            ({"a": [0.5]}, r"a must have shape \(\)"),
        ],
    )
    def test_process(self, changes, message):
        with pytest.raises(ValueError, match=message):
            KalmanParams(**{"a": 0.9, "process_var": 0.3, "observation_var": 0.7, **changes})

    @pytest.mark.parametrize(
        "y, message",
        [([], "y is empty"), ([[1.0]], r"y must have shape"), ([1.0, np.inf], "y must be finite")],
    )
    def test_observations(self, y, message):
        with pytest.raises(ValueError, match=message):
            kalman_filter(np.array(y), PARAMS)

    def test_no_step(self, rng):
        with pytest.raises(ValueError, match="T must be at least 1"):
            sample_kalman(0, PARAMS, rng)
