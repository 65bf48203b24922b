"""Emissions against their definitions, sampling against their moments, bad input with reasons."""

import numpy as np
import pytest

from course_lib.emissions import (
    Categorical,
    Gaussian,
    Poisson,
    as_emission,
    log_likelihood,
    sample_emission,
)
from tests import oracles
from tests.models import KINDS, random_emission


class TestLogLikelihood:
    @pytest.mark.parametrize("kind", KINDS)
    def test_is_the_definition(self, rng, kind):
        B = random_emission(rng, 3, kind)
        y = [sample_emission(k, B, rng) for k in (0, 1, 2, 2, 0)]
        got = log_likelihood(np.array(y), B)
        assert got.shape == (5, 3)
        for t in range(5):
            for k in range(3):
                want = oracles.emission_prob(k, y[t], B)
                assert np.exp(got[t, k]) == pytest.approx(want, rel=1e-9)

    def test_batch_is_each_sequence(self, rng):
        for kind, shape in [("categorical", (2, 4)), ("poisson", (2, 4)), ("gaussian", (2, 4, 1)),
                            ("gaussian-2d", (2, 4, 2))]:  # fmt: skip
            B, ys = random_emission(rng, 3, kind), rng.integers(5, size=shape)
            whole = log_likelihood(ys, B)
            assert whole.shape == (2, 4, 3)
            for n in range(2):
                np.testing.assert_array_equal(whole[n], log_likelihood(ys[n], B))

    def test_impossible_symbol_is_minus_infinity_without_a_warning(self):
        assert log_likelihood([1], np.array([[1.0, 0.0]]))[0, 0] == -np.inf


class TestSampling:
    def test_moments(self, rng):
        gaussian, poisson = Gaussian([[1.0, -2.0]], [[4.0, 0.25]]), Poisson([3.5])
        x = np.array([sample_emission(0, gaussian, rng) for _ in range(8000)])
        np.testing.assert_allclose(x.mean(0), [1, -2], atol=0.1)
        np.testing.assert_allclose(x.var(0), [4, 0.25], rtol=0.1)
        n = np.array([sample_emission(0, poisson, rng) for _ in range(8000)])
        np.testing.assert_allclose([n.mean(), n.var()], 3.5, rtol=0.1)


class TestBadInput:
    @pytest.mark.parametrize(
        "make, message",
        [
            (lambda: Categorical([[0.5, 0.6]]), "row 0 of B must sum to 1, got a sum of 1.1"),
            (lambda: Categorical([0.5, 0.5]), r"B must have shape \(any, any\)"),
            (lambda: Gaussian([0.0], [0.0]), "var must be positive, got 0.0 for state 0"),
            (lambda: Gaussian([0.0, 1.0], [1.0]), r"var must have shape \(2, 1\), got \(1, 1\)"),
            (lambda: Gaussian([np.nan], [1.0]), "mean must be finite, got nan"),
            (lambda: Poisson([1.0, 0.0]), "rate must be positive, got 0.0 for state 1"),
            (
                lambda: log_likelihood([1.5], Poisson([1.0])),
                r"counts \(0, 1, 2, \.\.\.\), got 1.5 at t=0",
            ),
            (lambda: log_likelihood([0, -1], Poisson([1.0])), "got -1.0 at t=1"),
            (lambda: log_likelihood([], Poisson([1.0])), "y is empty"),
            (
                lambda: log_likelihood(
                    np.ones((4, 3)), Gaussian(np.zeros((2, 2)), np.ones((2, 2)))
                ),
                "y must have 2 features",
            ),
        ],
    )
    def test_is_refused_with_reason(self, make, message):
        with pytest.raises(ValueError, match=message):
            make()

    def test_a_table_means_categorical(self):
        table = np.array([[0.5, 0.5]])
        assert isinstance(as_emission(table), Categorical)
        poisson = Poisson([1.0])
        assert as_emission(poisson) is poisson
