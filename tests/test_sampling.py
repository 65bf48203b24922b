"""Tests of course_lib.sampling. Letters: T time, V symbols."""

import numpy as np
import pytest

from course_lib.sampling import sample_symbols, temperature_probs, top_k_probs


class TestTemperatureProbs:
    def test_one_leaves_probabilities_as_they_are(self, rng):
        p = rng.dirichlet(np.ones(5))
        np.testing.assert_allclose(temperature_probs(np.log(p)), p, rtol=1e-12)

    def test_is_a_power_of_the_probabilities(self, rng):
        p = rng.dirichlet(np.ones(5))
        for temperature in (0.3, 2.5):
            power = p ** (1 / temperature)
            np.testing.assert_allclose(
                temperature_probs(np.log(p), temperature), power / power.sum(), rtol=1e-12
            )

    def test_limits(self):
        scores = np.array([1.0, 3.0, 2.0])
        np.testing.assert_allclose(temperature_probs(scores, 1e-3), [0, 1, 0], atol=1e-12)
        np.testing.assert_allclose(temperature_probs(scores, 1e9), [1 / 3] * 3, rtol=1e-6)

    def test_large_scores_do_not_overflow(self):
        np.testing.assert_allclose(temperature_probs([1e5, 1e5 - 1], 1.0)[1], 1 / (1 + np.e))

    def test_what_cannot_come_does_not_come(self):
        assert temperature_probs([0.0, -np.inf], 5.0).tolist() == [1.0, 0.0]

    @pytest.mark.parametrize("temperature", [0, -1, np.nan, np.inf])
    def test_refuses_such_temperatures(self, temperature):
        with pytest.raises(ValueError, match="must be positive"):
            temperature_probs([0.0, 1.0], temperature)

    @pytest.mark.parametrize("scores", [[-np.inf, -np.inf], [np.nan, 0.0], [np.inf, 0.0]])
    def test_refuses_such_scores(self, scores):
        with pytest.raises(ValueError, match="finite"):
            temperature_probs(scores)


class TestTopKProbs:
    def test_keeps_the_largest_in_proportion(self):
        kept = top_k_probs(np.array([0.1, 0.4, 0.2, 0.3]), 2)
        np.testing.assert_allclose(kept, [0, 4 / 7, 0, 3 / 7])

    def test_of_equal_ones_the_first(self):
        np.testing.assert_allclose(top_k_probs(np.full(4, 0.25), 3), [1 / 3, 1 / 3, 1 / 3, 0])

    def test_more_than_all_cuts_nothing(self):
        np.testing.assert_allclose(top_k_probs(np.array([0.7, 0.3]), 9), [0.7, 0.3])

    def test_leaves_its_argument_alone(self):
        p = np.array([0.6, 0.4])
        top_k_probs(p, 1)
        assert p.tolist() == [0.6, 0.4]

    @pytest.mark.parametrize("k", [0, 1.5])
    def test_refuses_such_k(self, k):
        with pytest.raises(ValueError, match="1 or more"):
            top_k_probs(np.array([0.6, 0.4]), k)


class TestSampleSymbols:
    @staticmethod
    def counting(symbol, state):
        """Two after the symbol that was just read, modulo 5; the state counts the calls."""
        scores = np.full(5, -np.inf)
        scores[(symbol + 2) % 5] = 0.0
        return scores, (state or 0) + 1

    def test_shows_the_model_what_was_drawn(self, rng):
        assert sample_symbols(self.counting, [4, 1], 4, rng).tolist() == [3, 0, 2, 4]

    def test_reads_the_whole_start_and_carries_the_state(self, rng):
        seen = []

        def step(symbol, state):
            seen.append((symbol, state))
            return np.eye(3)[0] * 1e6, (state or 0) + 1

        sample_symbols(step, [2, 1], 2, rng)
        assert seen == [(2, None), (1, 1), (0, 2), (0, 3)]

    def test_frequencies_follow_temperature_and_top_k(self, rng):
        p = np.array([0.5, 0.3, 0.15, 0.05])
        y = sample_symbols(lambda v, s: (np.log(p), s), [0], 4000, rng, temperature=0.5, top_k=3)
        want = top_k_probs(temperature_probs(np.log(p), 0.5), 3)
        # 4000 draws: a standard error of at most 0.008
        np.testing.assert_allclose(np.bincount(y, minlength=4) / 4000, want, atol=0.04)
        assert (y < 3).all()

    def test_same_seed_same_text(self):
        def write(seed):
            rng = np.random.default_rng(seed)
            return sample_symbols(lambda v, s: (np.zeros(7), s), [0], 30, rng).tolist()

        assert write(1) == write(1) != write(2)

    def test_refuses_an_empty_start(self, rng):
        with pytest.raises(ValueError, match="at least one symbol"):
            sample_symbols(self.counting, [], 3, rng)
