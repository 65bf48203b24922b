"""The mirror language: translations by a slow twin, uniform words, filling that tempts."""

import numpy as np
import pytest

from course_lib.datasets import translation
from course_lib.datasets.translation import START, STOP, Pairs, V, translation_pairs


def test_a_sentence_by_hand():
    source = translation.read_english("Sun moon  sea")
    assert source.tolist() == [0, 1, 3]
    assert translation.write_latin(translation.translate(source[None])[0]) == "mare luna sol"


def test_pairs_against_a_slow_twin():
    pairs = translation_pairs(40, np.random.default_rng(0), 1, 7)
    assert pairs.source.shape == (40, 7) and pairs.target.shape == (40, 8)
    assert set(pairs.lengths) == set(range(1, 8))
    for source, length, target, read, counts in zip(
        pairs.source, pairs.lengths, pairs.target, pairs.target_in, pairs.counts, strict=True
    ):
        right = [int(word) for word in reversed(source[:length])]
        assert target.tolist() == right + [STOP] * (8 - length)
        assert read.tolist() == [START, *target[:-1]]
        assert counts.tolist() == [True] * (length + 1) + [False] * (7 - length)
        assert not source[length:].any()  # 0, a real word


def test_words_and_lengths_are_uniform_and_words_independent():
    pairs = translation_pairs(20_000, np.random.default_rng(1), 2, 3)
    words = np.bincount(pairs.source[:, 0] * V + pairs.source[:, 1], minlength=V * V)
    assert abs(words - 20_000 / V**2).max() < 5 * np.sqrt(20_000 / V**2)
    assert abs((pairs.lengths == 2).mean() - 0.5) < 0.02
    assert 2**translation.BITS_PER_WORD == V == len(translation.LATIN)


def test_what_is_written_ends_at_stop_and_shows_what_is_no_word():
    assert translation.write_latin([7, START, 0, STOP, 3]) == "arbor ? sol"


@pytest.mark.parametrize("text, told", [("sun sol", "'sol'"), ("  ", "nothing")])
def test_unknown_words_are_named(text, told):
    with pytest.raises(ValueError, match=told):
        translation.read_english(text)


@pytest.mark.parametrize("sizes", [(0, 1, 2), (3, 0, 2), (3, 4, 2), (1.5, 1, 2)])
def test_ranges_are_checked(sizes):
    n, shortest, longest = sizes
    with pytest.raises(ValueError, match="must be a whole number of at least"):
        translation_pairs(n, np.random.default_rng(0), shortest, longest)


def test_filling_counts_nowhere():
    pairs = Pairs(np.array([[5, 0, 0]]), np.array([1]), np.array([[5, STOP, STOP, STOP]]))
    assert pairs.counts.sum() == 2
