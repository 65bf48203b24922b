"""Sentences: labels by an independent reader of the text, bags that say nothing, and twins."""

from collections import Counter

import numpy as np
import pytest

from course_lib.datasets.sentences import (
    CLASSES,
    CLAUSES,
    DISLIKED,
    LABELS,
    LIKED,
    LONGEST_OPENING,
    OPENINGS,
    OPPOSITE,
    SHORTEST,
    VOCABULARY,
    decode,
    encode,
    sample_sentences,
    sentences_task,
    tokenise,
    twin,
)

VERBS = set(LIKED) | set(DISLIKED)


def reader(words):
    """Answer from the text alone: is the first verb of the sentence one of liking?"""
    return int(next(word for word in words if word in VERBS) in LIKED)


@pytest.fixture
def rng():
    return np.random.default_rng(5)


@pytest.mark.parametrize("T", [SHORTEST, 9, 33])
def test_first_verb_gives_the_answer_at_every_length(rng, T):
    words, liked = sample_sentences(400, T, rng)
    assert words.shape == (400, T)
    assert [reader(decode(row)) for row in words] == liked.tolist()
    assert 150 < liked.sum() < 250


def test_opening_holds_a_verb_and_its_opposite(rng):
    words, _ = sample_sentences(300, LONGEST_OPENING, rng)
    for row in words:
        first, second = [word for word in decode(row) if word in VERBS]
        assert OPPOSITE[first] == second and OPPOSITE[second] == first


def test_every_sentence_follows_a_template(rng):
    """Parse: cut any opening from the front, then clauses, until fewer words are left than fit."""

    def fits(words, template):
        slots = template.split()
        classes = CLASSES | {"FIRST": LIKED + DISLIKED, "SECOND": LIKED + DISLIKED}
        return all(
            word in classes.get(slot, (slot,)) for word, slot in zip(words, slots, strict=False)
        ) * min(len(slots), len(words))

    words, _ = sample_sentences(200, 30, rng)
    for row in words:
        rest = decode(row)
        rest = rest[max(fits(rest, template) for template in OPENINGS) or 99 :]
        while rest:
            used = max(fits(rest, template) for template in CLAUSES)
            assert used, rest
            rest = rest[used:]


def test_a_bag_of_words_is_as_probable_under_both_answers(rng):
    """Exchanging the verbs of an opening keeps bag and later words, and turns the answer."""
    words, liked = sample_sentences(200, 25, rng)
    for row, answer in zip(words, liked, strict=True):
        sentence = decode(row)
        other = twin(sentence)
        assert Counter(other) == Counter(sentence)
        assert other[LONGEST_OPENING:] == sentence[LONGEST_OPENING:]
        assert reader(other) == 1 - answer


def test_words_after_the_opening_are_independent_of_the_answer(rng):
    """Frequencies of every word from word 10 on, by answer: a chi-squared that chance explains."""
    words, liked = sample_sentences(4000, 20, rng)
    counts = np.array(
        [np.bincount(words[liked == k, 9:].ravel(), minlength=len(VOCABULARY)) for k in (0, 1)]
    )
    counts = counts[:, counts.sum(axis=0) > 0]
    expected = counts.sum(axis=1, keepdims=True) * counts.sum(axis=0) / counts.sum()
    statistic = ((counts - expected) ** 2 / expected).sum()
    assert statistic < 2 * counts.shape[1]  # its mean is 1 a word, its spread about 0.2 of that


def test_dropping_spares_the_verbs_of_the_opening_alone(rng):
    words, liked = sample_sentences(300, 20, rng, drop=1.0)
    for row, answer in zip(words, liked, strict=True):
        kept = [word for word in decode(row) if word != VOCABULARY[0]]
        assert len(kept) == 2 and reader(kept) == answer
    words, _ = sample_sentences(500, 20, rng, drop=0.2)
    assert 0.17 < (words == 0).mean() < 0.2  # 2 of 20 words are spared


def test_any_text_becomes_numbers_and_unknown_words_are_zero():
    assert tokenise("We LOVED it; the film wasn't 3 bad—really!") == [
        *("we", "loved", "it", "the", "film", "wasn't", "bad", "really"),
    ]
    assert encode(["we", "zebra", "film"]).tolist() == [
        VOCABULARY.index("we"),
        0,
        VOCABULARY.index("film"),
    ]
    assert decode(encode(VOCABULARY)) == list(VOCABULARY)
    assert encode([]).shape == (0,) and tokenise("12 !?") == []


def test_vocabulary_holds_each_word_once_and_all_of_them(rng):
    words, _ = sample_sentences(3000, 30, rng)
    assert set(words.ravel()) == set(range(1, len(VOCABULARY)))
    assert len(set(VOCABULARY)) == len(VOCABULARY) and 50 <= len(VOCABULARY) <= 80


def test_twin_of_a_typed_sentence():
    assert twin(["i", "loved", "it"]) == ["i", "hated", "it"]
    assert twin(["we", "liked", "what", "others", "liked", "liked"]) == [
        *("we", "disliked", "what", "others", "disliked", "liked"),
    ]
    assert twin(["no", "verb"]) == ["no", "verb"]
    assert all(twin(twin([verb])) == [verb] for verb in VERBS)


def test_task_asks_after_the_last_word(rng):
    task = sentences_task(7, 12, rng)
    assert task.x.shape == (7, 12, 1) and task.where == "last"
    assert [reader(decode(row)) for row in task.x[..., 0]] == task.target.tolist()
    assert (task.chance, task.ceiling, task.n_out) == (0.5, 1.0, len(LABELS))


@pytest.mark.parametrize("T, drop", [(3, 0.0), (9.5, 0.0), (10, -0.1), (10, 1.5)])
def test_numbers_out_of_range_are_refused(rng, T, drop):
    with pytest.raises(ValueError, match=r"(T|drop) must be"):
        sample_sentences(2, T, rng, drop)
