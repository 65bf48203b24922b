"""The regime-switching series, against integrals and cases whose levels are known."""

import numpy as np
import pytest

from course_lib.datasets.regimes import (
    MARKET,
    Regimes,
    regime_beliefs,
    regime_levels,
    sample_regimes,
)
from course_lib.emissions import Gaussian, Poisson
from course_lib.entropy import entropy_rate
from course_lib.hmm_batch import log_evidence
from tests.oracles import filtered

THREE = Regimes(
    A=np.array([[0.8, 0.2, 0.0], [0.1, 0.6, 0.3], [0.5, 0.1, 0.4]]),
    emission=Gaussian(mean=np.array([-1.0, 0.5, 3.0]), var=np.array([0.5, 2.0, 1.0])),
    states=("p", "q", "r"),
)
NUMBERS = np.linspace(-40.0, 40.0, 160_001)  # a grid for integrals of densities


def joint_densities(weights, emission):
    """Density of each state together with each of NUMBERS (K, 160001)."""
    mean, var = emission.mean, emission.var
    return (
        weights[:, None] * np.exp(-((NUMBERS - mean) ** 2) / (2 * var)) / np.sqrt(2 * np.pi * var)
    )


def integral(values):
    return values.sum() * (NUMBERS[1] - NUMBERS[0])


def gaussian_entropy(var):
    return 0.5 * np.log(2 * np.pi * np.e * var)


def agrees(level, truth):
    mean, standard_error = level
    assert mean == pytest.approx(truth, abs=4 * standard_error + 1e-9)


class TestRegimes:
    def test_starts_stationary(self):
        np.testing.assert_allclose(MARKET.pi, [5 / 6, 1 / 6], rtol=0, atol=1e-12)
        np.testing.assert_allclose(THREE.pi @ THREE.A, THREE.pi, rtol=0, atol=1e-12)

    def test_tables_are_copies_that_nobody_can_write(self):
        A = np.full((2, 2), 0.5)
        regimes = Regimes(A, MARKET.emission, ("a", "b"))
        A[0] = 9.0
        assert regimes.A[0, 0] == 0.5
        with pytest.raises(ValueError, match="read-only"):
            regimes.A[0] = 1.0

    @pytest.mark.parametrize(
        "A, emission, states, message",
        [
            (np.eye(2), MARKET.emission, ("a", "b"), "2 closed classes"),
            (THREE.A, MARKET.emission, ("a", "b", "c"), "B must describe 3 states"),
            (MARKET.A, Poisson(np.array([1.0, 2.0])), ("a", "b"), "must be Gaussian"),
            (MARKET.A, Gaussian(np.ones((2, 2)), np.ones((2, 2))), ("a", "b"), "one feature"),
            (MARKET.A, MARKET.emission, ("a",), "states must hold 2 names"),
        ],
    )
    def test_what_does_not_fit_is_named(self, A, emission, states, message):
        with pytest.raises(ValueError, match=message):
            Regimes(A, emission, states)


class TestSampleRegimes:
    def test_shares_means_and_variances(self, rng):
        z, y = sample_regimes(THREE, 300, 100, rng)
        assert z.shape == y.shape == (300, 100) and y.dtype == np.float64
        np.testing.assert_allclose(np.bincount(z.ravel()) / z.size, THREE.pi, atol=0.02)
        np.testing.assert_allclose(np.bincount(z[:, 0]) / 300, THREE.pi, atol=0.12)  # 4 errors
        for k in range(3):
            shown = y[z == k]
            assert shown.mean() == pytest.approx(THREE.emission.mean[k, 0], abs=0.1)
            assert shown.var() == pytest.approx(THREE.emission.var[k, 0], rel=0.1)

    @pytest.mark.parametrize("n, T", [(0, 3), (3, 0)])
    def test_counts_are_checked(self, n, T, rng):
        with pytest.raises(ValueError, match="must be a whole number of at least 1"):
            sample_regimes(MARKET, n, T, rng)


class TestRegimeBeliefs:
    def test_equal_the_sums_over_all_paths(self, rng):
        _, ys = sample_regimes(THREE, 3, 5, rng)
        for y, belief in zip(ys, regime_beliefs(THREE, ys), strict=True):
            wanted, _ = filtered(y, *THREE.model)
            np.testing.assert_allclose(belief, wanted, rtol=0, atol=1e-12)

    def test_shape_and_values_are_checked(self):
        with pytest.raises(ValueError, match="ys must have shape"):
            regime_beliefs(MARKET, [0.1, 0.2])
        with pytest.raises(ValueError, match="ys must be finite"):
            regime_beliefs(MARKET, [[0.1, np.nan]])


class TestRegimeLevels:
    def test_one_step_is_an_integral(self, rng):
        for regimes in (THREE, MARKET):
            levels = regime_levels(regimes, 40_000, rng)
            truth = integral(joint_densities(regimes.pi, regimes.emission).max(axis=0))
            agrees(levels["one step"], truth)
            assert levels["majority"] == (pytest.approx(regimes.pi.max()), 0.0)

    def test_without_memory_the_rate_is_the_entropy_of_the_mixture(self, rng):
        pi = np.array([0.3, 0.7])
        regimes = Regimes(np.tile(pi, (2, 1)), MARKET.emission, MARKET.states)
        levels = regime_levels(regimes, 40_000, rng)
        density = joint_densities(pi, regimes.emission).sum(axis=0)
        logs = np.log(np.where(density > 0, density, 1.0))
        agrees(levels["entropy rate"], -integral(density * logs))
        assert levels["filter"] == pytest.approx(levels["one step"], abs=1e-12)
        assert levels["smoother"] == pytest.approx(levels["one step"], abs=1e-12)

    def test_regimes_far_apart_are_a_chain_with_noise(self, rng):
        regimes = Regimes(
            THREE.A,
            Gaussian(np.array([-1e3, 0.0, 1e3]), np.array([0.5, 2.0, 1.0])),
            ("p", "q", "r"),
        )
        levels = regime_levels(regimes, 40_000, rng)
        noise = regimes.pi @ gaussian_entropy(regimes.emission.var[:, 0])
        agrees(levels["entropy rate"], entropy_rate(THREE.A) + noise)
        assert levels["filter"][0] == pytest.approx(1.0, abs=1e-9)

    def test_the_rate_is_what_the_evidence_grows_by(self, rng):
        regimes = Regimes(THREE.A, Gaussian(np.array([-1.0, 0.5, 1.5]), np.ones(3)), THREE.states)
        _, y = sample_regimes(regimes, 1000, 60, rng)
        growth = log_evidence(y[:, :20], *regimes.model) - log_evidence(y, *regimes.model)
        growth = growth / 40
        levels = regime_levels(regimes, 100_000, rng)
        error = np.hypot(growth.std(ddof=1) / 1000**0.5, levels["entropy rate"][1])
        assert error < 0.01
        assert levels["entropy rate"][0] == pytest.approx(growth.mean(), abs=4 * error)
        without_memory = joint_densities(regimes.pi, regimes.emission).sum(axis=0)
        logs = np.log(np.where(without_memory > 0, without_memory, 1.0))
        assert levels["entropy rate"][0] < -integral(without_memory * logs) - 4 * error

    def test_regimes_that_show_the_same_leave_the_majority(self, rng):
        regimes = Regimes(MARKET.A, Gaussian(np.zeros(2), np.full(2, 3.0)), MARKET.states)
        levels = regime_levels(regimes, 1000, rng, batches=10)
        for name in ("one step", "filter"):
            assert levels[name] == pytest.approx((5 / 6, 0.0), abs=1e-9)
        assert levels["entropy rate"] == pytest.approx((gaussian_entropy(3.0), 0.0), abs=1e-9)

    def test_knowing_more_guesses_better(self, rng):
        levels = regime_levels(MARKET, 100_000, rng)
        order = ["majority", "one step", "filter", "smoother"]
        means = [levels[name][0] for name in order]
        assert np.diff(means).min() > 0.01  # ten standard errors
        z, y = sample_regimes(MARKET, 100, 1000, rng)
        right = (regime_beliefs(MARKET, y).argmax(axis=2) == z).mean(axis=1)
        error = np.hypot(right.std(ddof=1) / 10, levels["filter"][1])
        assert right.mean() == pytest.approx(levels["filter"][0], abs=4 * error)

    def test_standard_errors_are_the_spread_of_repeated_runs(self, rng):
        runs = [regime_levels(THREE, 2000, rng, batches=40) for _ in range(80)]
        for name in ("one step", "filter", "smoother", "entropy rate"):
            means, errors = np.array([run[name] for run in runs]).T
            assert errors.mean() == pytest.approx(means.std(ddof=1), rel=0.3)  # 4 errors of 80 runs

    @pytest.mark.parametrize(
        "T, batches, message",
        [(1001, 10, "multiple of batches"), (5, 10, "T must be"), (10, 1, "batches must be")],
    )
    def test_batches_must_be_equal(self, T, batches, message, rng):
        with pytest.raises(ValueError, match=message):
            regime_levels(MARKET, T, rng, batches=batches)
