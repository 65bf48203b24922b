"""N-gram models against counts in plain dictionaries."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib import markov
from course_lib.ngram import (
    NGram,
    fit_ngram,
    ngram_cross_entropy,
    ngram_log_prob,
    sample_ngram,
)

data_sets = st.integers(2, 4).flatmap(
    lambda V: st.tuples(
        st.just(V), st.lists(st.lists(st.integers(0, V - 1), min_size=4, max_size=12), min_size=1)
    )
)


def counts_by_dictionary(sequences, n):
    return Counter(
        tuple(int(v) for v in y[t : t + n]) for y in sequences for t in range(len(y) - n + 1)
    )


class TestFitNgram:
    @pytest.mark.parametrize("n, V", [(1, 3), (2, 3), (3, 2), (4, 5)])
    def test_equals_a_dictionary_of_windows(self, n, V, rng):
        sequences = [rng.integers(0, V, size=T) for T in (11, 7, 2)]
        model = fit_ngram(sequences, n, V)
        assert model.counts.shape == (V ** (n - 1), V)
        expected = counts_by_dictionary(sequences, n)
        for window in np.ndindex(*(V,) * n):
            row = sum(symbol * V**k for k, symbol in enumerate(reversed(window[:-1])))
            assert model.counts[row, window[-1]] == expected[window]

    def test_context_of_the_docstring(self):
        model = fit_ngram([np.array([2, 1, 0])], 3, 3)
        assert model.counts[7, 0] == 1

    def test_two_grams_are_a_markov_chain(self, rng):
        y = rng.integers(0, 3, size=(4, 20))
        np.testing.assert_array_equal(fit_ngram(y, 2, 3).counts, markov.transition_counts(y, 3))
        np.testing.assert_allclose(
            fit_ngram(y, 2, 3, pseudocount=0.5).probs, markov.fit_chain(y, 3, pseudocount=0.5)[1]
        )

    def test_counts_contexts_that_were_seen(self):
        assert fit_ngram([np.array([0, 1, 0, 1, 0])], 3, 2).contexts_seen == 2

    def test_context_never_seen_has_no_probabilities(self):
        model = fit_ngram([np.array([0, 0, 0])], 2, 2)
        assert model.probs.tolist() == [[1.0, 0.0], [0.0, 0.0]]

    @pytest.mark.parametrize(
        "n, V, pseudocount, message",
        [
            (0, 3, 0.0, "n must be a whole number"),
            (1.5, 3, 0.0, "n must be a whole number"),
            (2, 3, -0.1, "pseudocount"),
            (8, 27, 0.0, r"27\^8 = 2.8e\+11 numbers does not fit"),
        ],
    )
    def test_bad_input_is_named(self, n, V, pseudocount, message):
        with pytest.raises(ValueError, match=message):
            fit_ngram([np.array([0, 1, 2])], n, V, pseudocount)


class TestNgramLogProb:
    def test_equals_a_dictionary(self, rng):
        V, n, a = 3, 3, 0.4
        train, y = rng.integers(0, V, size=(5, 9)), rng.integers(0, V, size=8)
        windows, contexts = counts_by_dictionary(train, n), Counter()
        for window, count in windows.items():
            contexts[window[:-1]] += count
        expected = [
            np.log(windows[tuple(y[t - 2 : t + 1].tolist())] + a)
            - np.log(contexts[tuple(y[t - 2 : t].tolist())] + a * V)
            for t in range(n - 1, len(y))
        ]
        got = ngram_log_prob(fit_ngram(train, n, V, a), y)
        np.testing.assert_allclose(got, expected, rtol=1e-13)

    def test_two_grams_give_the_probability_of_the_chain(self, rng):
        train, y = rng.integers(0, 3, size=(5, 30)), rng.integers(0, 3, size=10)
        pi, A = markov.fit_chain(train, 3, pseudocount=1.0)
        steps = ngram_log_prob(fit_ngram(train, 2, 3, 1.0), y).sum()
        assert np.log(pi[y[0]]) + steps == pytest.approx(markov.chain_log_prob(y, pi, A), abs=1e-12)

    def test_skip_leaves_out_the_same_positions_for_every_n(self, rng):
        y = rng.integers(0, 2, size=12)
        for n in (1, 2, 3, 4):
            full = ngram_log_prob(fit_ngram([y], n, 2), y)
            np.testing.assert_array_equal(
                ngram_log_prob(fit_ngram([y], n, 2), y, skip=5), full[5 - n + 1 :]
            )

    def test_never_seen_is_minus_infinity_without_a_warning(self):
        model = fit_ngram([np.array([0, 0, 0])], 2, 2)
        assert ngram_log_prob(model, np.array([0, 1])).tolist() == [-np.inf]
        assert ngram_log_prob(model, np.array([1, 0])).tolist() == [-np.inf]

    def test_short_sequence_has_no_position(self):
        assert ngram_log_prob(fit_ngram([np.array([0, 1, 0])], 3, 2), np.array([0, 1])).size == 0

    def test_skip_below_the_context(self):
        with pytest.raises(ValueError, match="skip must be at least n - 1 = 2"):
            ngram_log_prob(fit_ngram([np.array([0, 1, 0])], 3, 2), np.array([0, 1, 1]), skip=1)


class TestNgramCrossEntropy:
    def test_longer_memory_always_fits_the_training_data_better(self, rng):
        y = rng.integers(0, 3, size=(6, 40))
        losses = [ngram_cross_entropy(fit_ngram(y, n, 3), y, skip=3) for n in (1, 2, 3, 4)]
        assert np.all(np.diff(losses) < 0)

    def test_longer_memory_does_worse_on_held_out_noise(self, rng):
        train, test = rng.integers(0, 3, size=(2, 6, 60))
        losses = [
            ngram_cross_entropy(fit_ngram(train, n, 3, pseudocount=1.0), test, skip=4)
            for n in (1, 3, 5)
        ]
        assert np.all(np.diff(losses) > 0)

    def test_reaches_the_entropy_rate_of_the_chain_that_drew_the_data(self, rng):
        A = np.array([[0.2, 0.7, 0.1], [0.3, 0.1, 0.6], [0.5, 0.25, 0.25]])
        y = markov.sample_chain(100_000, markov.stationary_distribution(A), A, rng)
        model = fit_ngram([y[:50_000]], 2, 3, pseudocount=1.0)
        # standard deviation of one surprise below 0.7, 50000 symbols; five standard errors
        floor = markov.entropy_rate(A)
        assert ngram_cross_entropy(model, [y[50_000:]]) == pytest.approx(floor, abs=0.016)

    def test_mean_is_over_symbols_and_not_over_sequences(self):
        model = NGram(n=1, V=2, counts=np.array([[3.0, 1.0]]))
        loss = ngram_cross_entropy(model, [np.array([0, 0, 0]), np.array([1])])
        assert loss == pytest.approx(-(3 * np.log(0.75) + np.log(0.25)) / 4, abs=1e-14)

    def test_one_impossible_symbol_makes_it_infinite(self):
        model = fit_ngram([np.array([0, 0, 0])], 1, 2)
        assert ngram_cross_entropy(model, [np.array([0, 1])]) == np.inf
        assert markov.perplexity(np.inf) == np.inf

    def test_nothing_to_average(self):
        with pytest.raises(ValueError, match="no sequence is longer"):
            ngram_cross_entropy(fit_ngram([np.array([0, 1, 0])], 3, 2), [np.array([0, 1])])


class TestSampleNgram:
    def test_follows_the_only_way_there_is(self, rng):
        y = sample_ngram(30, fit_ngram([np.tile([0, 0, 1, 2], 20)], 3, 3), rng)
        as_text = "".join(map(str, y))
        assert as_text in "0012" * 10

    def test_frequencies_of_pairs(self, rng):
        A = np.array([[0.2, 0.7, 0.1], [0.3, 0.1, 0.6], [0.5, 0.25, 0.25]])
        model = NGram(n=2, V=3, counts=1e6 * markov.stationary_distribution(A)[:, None] * A)
        y = sample_ngram(20_000, model, rng)
        # five standard errors of a share in about 6000 draws
        np.testing.assert_allclose(markov.fit_chain(y, 3)[1], A, atol=0.033, rtol=0)

    def test_dead_end_goes_on_anywhere(self, rng):
        y = sample_ngram(50, fit_ngram([np.array([0, 1, 2])], 3, 3), rng)
        assert y.shape == (50,)

    @pytest.mark.parametrize("n, T", [(1, 0), (4, 2)])
    def test_too_short(self, n, T, rng):
        with pytest.raises(ValueError, match="T must be at least"):
            sample_ngram(T, fit_ngram([np.array([0, 1, 0, 1])], n, 2), rng)


@given(data_sets, st.integers(1, 4), st.floats(0.01, 3.0))
def test_property_smoothed_rows_sum_to_one(data, n, pseudocount):
    V, sequences = data
    probs = fit_ngram(sequences, n, V, pseudocount).probs
    np.testing.assert_allclose(probs.sum(axis=1), 1.0, rtol=1e-12)


@given(data_sets, st.integers(1, 4))
def test_property_splitting_the_data_adds_the_counts(data, n):
    V, sequences = data
    parts = [fit_ngram([y], n, V).counts for y in sequences]
    np.testing.assert_array_equal(fit_ngram(sequences, n, V).counts, sum(parts))
