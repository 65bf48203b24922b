"""Emissions against text-book formulas and against torch's distributions."""

import numpy as np
import pytest
import torch
from hmm_models import KINDS, random_data, random_model
from oracles import show_probability

from course_lib.emissions import (
    Categorical,
    Gaussian,
    Poisson,
    as_emission,
    log_likelihood,
    sample_emission,
)


class TestLogLikelihood:
    @pytest.mark.parametrize("kind", KINDS)
    def test_matches_the_formula(self, rng, kind):
        _, _, B = model = random_model(rng, kind, K=3)
        y, emission = random_data(rng, model, 2, 5), as_emission(B)
        wanted = [
            [[np.log(show_probability(k, y[n, t], emission)) for k in range(3)] for t in range(5)]
            for n in range(2)
        ]
        np.testing.assert_allclose(log_likelihood(y, B), wanted, rtol=1e-12)
        np.testing.assert_allclose(log_likelihood(y[1], B), wanted[1], rtol=1e-12)

    def test_matches_torch(self, rng):
        y = rng.integers(0, 40, size=7)
        rate, mean, var = rng.uniform(1, 30, 3), rng.normal(size=3), rng.uniform(0.1, 4, 3)
        column = torch.tensor(y, dtype=torch.float64)[:, None]
        poisson = torch.distributions.Poisson(torch.tensor(rate)).log_prob(column)
        normal = torch.distributions.Normal(torch.tensor(mean), torch.tensor(var).sqrt())
        np.testing.assert_allclose(log_likelihood(y, Poisson(rate)), poisson, rtol=1e-12)
        np.testing.assert_allclose(
            log_likelihood(y.astype(float), Gaussian(mean, var)),
            normal.log_prob(column),
            rtol=1e-12,
        )

    def test_impossible_symbol_is_minus_infinity_without_a_warning(self):
        log_b = log_likelihood([1], np.array([[1.0, 0.0], [0.5, 0.5]]))
        assert log_b[0, 0] == -np.inf

    def test_one_feature_may_come_with_or_without_its_axis(self, rng):
        y, B = rng.normal(size=(2, 5)), Gaussian([0.0, 1.0, 2.0], [1.0, 2.0, 3.0])
        np.testing.assert_array_equal(log_likelihood(y, B), log_likelihood(y[..., None], B))


class TestSampleEmission:
    def test_means_are_right(self, rng):
        draws = [sample_emission(1, Poisson([2.0, 7.0]), rng) for _ in range(4000)]
        assert abs(np.mean(draws) - 7) < 4 * np.sqrt(7 / 4000)  # four standard errors
        draws = [sample_emission(1, Gaussian([0.0, 3.0], [1.0, 4.0]), rng) for _ in range(4000)]
        assert abs(np.mean(draws) - 3) < 4 * 2 / np.sqrt(4000)
        assert abs(np.var(draws) - 4) < 4 * 4 * np.sqrt(2 / 4000)

    def test_symbols_of_probability_zero_never_come(self, rng):
        B = np.array([[0.0, 0.4, 0.0, 0.6], [0.25] * 4])
        assert {sample_emission(0, B, rng) for _ in range(200)} == {1, 3}

    def test_two_features_give_an_array(self, rng):
        B = Gaussian([[0.0, 100.0]], [[1.0, 1.0]])
        assert sample_emission(0, B, rng).round(-2).tolist() == [0.0, 100.0]


class TestBadInput:
    @pytest.mark.parametrize(
        "make, message",
        [
            (lambda: Categorical([[0.5, 0.6]]), "row 0 of B must sum to 1"),
            (lambda: Gaussian([0.0, 1.0], [1.0, 0.0]), "var must be positive, got 0.0 for state 1"),
            (lambda: Gaussian([0.0, 1.0], [1.0]), r"var must have shape \(2, 1\), got \(1, 1\)"),
            (lambda: Gaussian([np.nan], [1.0]), "mean must be finite"),
            (lambda: Poisson([1.0, -2.0]), "rate must be positive, got -2.0 for state 1"),
            (lambda: Poisson([[1.0]]), "rate must have shape"),
        ],
    )
    def test_parameters(self, make, message):
        with pytest.raises(ValueError, match=message):
            make()

    @pytest.mark.parametrize(
        "y, emission, message",
        [
            ([0, 3], np.full((2, 3), 1 / 3), "y must hold symbols from 0 to 2, got 3 at t=1"),
            ([1.0, np.nan], Gaussian([0.0], [1.0]), "y must be finite, got nan at index 1"),
            ([2, -1], Poisson([1.0]), r"y must hold counts .*, got -1.0 at t=1; use Gaussian"),
            ([[2, 1], [1, 0.5]], Poisson([1.0]), "got 0.5 at sequence 1, t=1"),
            ([], Poisson([1.0]), "y is empty"),
            (np.zeros((4, 3)), Gaussian([[0.0, 1.0]], [[1.0, 1.0]]), "y must have 2 features"),
        ],
    )
    def test_observations(self, y, emission, message):
        with pytest.raises(ValueError, match=message):
            log_likelihood(y, emission)
