"""Tests of course_lib.ngram_backoff. Letters: T time, V symbols; sizes are distinct."""

import numpy as np
import pytest

from course_lib.ngram import fit_ngram
from course_lib.ngram_backoff import backoff_log_prob, backoff_next, fit_backoff


def witten_bell(train, context, symbol, V):
    """The probability by its formula, counting in lists: slow and obvious."""
    if context is None:
        return 1 / V
    followers = [
        y[i + len(context)]
        for y in train
        for i in range(len(y) - len(context))
        if tuple(y[i : i + len(context)]) == context
    ]
    shorter = witten_bell(train, context[1:] if context else None, symbol, V)
    if not followers:
        return shorter
    kinds = len(set(followers))
    return (followers.count(symbol) + kinds * shorter) / (len(followers) + kinds)


@pytest.fixture
def texts(rng):
    return [rng.integers(0, 3, size=23), rng.integers(0, 5, size=11)]  # V = 5; 3, 4 are rare


class TestBackoffLogProb:
    @pytest.mark.parametrize("n", [1, 2, 4])
    def test_is_the_formula(self, texts, rng, n):
        model, y = fit_backoff(texts, n, 5), rng.integers(0, 5, size=17)
        lists = [t.tolist() for t in texts]
        want = [witten_bell(lists, tuple(y[max(0, t - n + 1) : t]), y[t], 5) for t in range(17)]
        np.testing.assert_allclose(np.exp(backoff_log_prob(model, y)), want, rtol=1e-12)

    def test_is_finite_on_what_was_never_seen(self, texts):
        assert np.isfinite(backoff_log_prob(fit_backoff(texts, 3, 7), np.array([6, 6, 5, 6]))).all()

    def test_text_shorter_than_the_context(self, texts):
        assert backoff_log_prob(fit_backoff(texts, 4, 5), np.array([1, 2])).shape == (2,)
        assert backoff_log_prob(fit_backoff(texts, 4, 5), np.array([], dtype=int)).shape == (0,)

    def test_refuses_a_foreign_symbol(self, texts):
        with pytest.raises(ValueError, match="y"):
            backoff_log_prob(fit_backoff(texts, 2, 5), np.array([5]))


class TestBackoffNext:
    @pytest.mark.parametrize("length", [0, 1, 2, 9])
    def test_agrees_with_the_probability_of_each_symbol(self, texts, length):
        model, past = fit_backoff(texts, 4, 5), texts[0][3 : 3 + length]  # a context that was seen
        probs = backoff_next(model, past)
        want = [np.exp(backoff_log_prob(model, np.append(past, v))[-1]) for v in range(5)]
        np.testing.assert_allclose(probs, want, rtol=1e-12)
        assert probs.min() > 0 and abs(probs.sum() - 1) < 1e-12


class TestFitBackoff:
    def test_stores_what_the_table_counts(self, texts):
        model = fit_backoff(texts, 3, 5)
        for k in (1, 2, 3):
            table = fit_ngram(texts, k, 5).counts.ravel()
            np.testing.assert_array_equal(model.grams[k - 1], np.flatnonzero(table))
            np.testing.assert_array_equal(model.counts[k - 1], table[table > 0])
        assert model.stored == sum(map(len, model.counts))

    @pytest.mark.parametrize("n, V, word", [(0, 5, "1 or more"), (10, 94, "63 bits")])
    def test_refuses(self, n, V, word):
        with pytest.raises(ValueError, match=word):
            fit_backoff([np.array([0, 1, 2])], n, V)
