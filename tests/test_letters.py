"""Tests of course_lib.datasets.letters. Letters: T characters, V different ones."""

import itertools
import platform
from pydoc_data.topics import topics

import numpy as np
import pytest

from course_lib.datasets import letters
from course_lib.datasets.letters import TEST_PAGES, VALID_PAGES, clean_topics, load_letters


def paragraphs(text):
    return [" ".join(p.split()) for p in text.split("\n\n") if p.strip()]


class TestLoadLetters:
    def test_is_large_and_plain(self):
        text = load_letters()
        assert len(text.train) > 200_000
        assert min(len(text.valid), len(text.test)) > 25_000
        assert set(text.alphabet) <= {"\n", *map(chr, range(32, 127))}
        assert "".join(sorted(text.alphabet)) == text.alphabet and len(text.alphabet) == text.V

    def test_no_paragraph_stands_twice(self):
        # So none is both trained on and held out.
        text = load_letters()
        every = [p for part in (text.train, text.valid, text.test) for p in paragraphs(part)]
        assert len(every) == len(set(every))

    def test_every_page_is_in_one_group(self):
        pages, text = letters.load_pages(), load_letters()
        groups = {"valid": VALID_PAGES, "test": TEST_PAGES}
        groups["train"] = [name for name in pages if name not in VALID_PAGES + TEST_PAGES]
        assert len(groups["train"]) > 40
        for group, names in groups.items():
            for other, part in (("train", text.train), ("valid", text.valid), ("test", text.test)):
                assert all((pages[name] in part) == (other == group) for name in names)

    def test_encode_and_decode_are_inverse(self):
        text = load_letters()
        y = text.encode(text.test)
        assert y.shape == (len(text.test),) and y.min() >= 0 and y.max() < text.V
        assert text.decode(y) == text.test
        np.testing.assert_array_equal(text.encode(text.alphabet), np.arange(text.V))

    def test_names_the_character_it_does_not_know(self):
        with pytest.raises(ValueError, match="got 'é'"):
            load_letters().encode("café")

    @pytest.mark.parametrize("pages", [("with", "yield"), ("raise", "yield")])
    def test_refuses_pages_that_are_missing_or_held_out_twice(self, pages):
        with pytest.raises(ValueError, match="must exist and be held out once"):
            load_letters(valid_pages=pages, test_pages=("raise",))


class TestCleanTopics:
    def test_keeps_a_paragraph_where_it_comes_first(self):
        long, other = "word " * 120, "other " * 100
        made = clean_topics({"b": f"{long}\n\n{other}\n", "a": f"{other}\n"})
        assert list(made) == ["a", "b"]
        assert made["a"] == other + "\n" and made["b"] == long + "\n"

    def test_other_line_breaks_are_the_same_paragraph(self):
        made = clean_topics({"a": "word " * 120, "b": "word\n" * 120 + "\n\n" + "new " * 150})
        assert made["b"].split() == ["new"] * 150

    def test_leaves_out_tables_and_foreign_characters_and_short_pages(self):
        body = "word " * 120
        made = clean_topics({"a": f"{body}\n\n| 1 | 2 |\n\nstraße\n\n“said”", "b": "brief"})
        assert list(made) == ["a"]
        assert made["a"] == f'{body}\n\n"said"\n'

    def test_the_file_is_made_from_the_topics_of_python(self):
        made, pages = clean_topics(topics), letters.load_pages()
        if platform.python_version() == "3.11.7":
            assert made == pages
        ours, theirs = (set(itertools.chain(*map(paragraphs, p.values()))) for p in (pages, made))
        assert len(ours & theirs) > 0.5 * len(ours)  # 3.13 rewrote some; 3.12 hardly any

    def test_pages_text_is_what_load_pages_reads(self):
        assert letters.pages_text(letters.load_pages()) == letters.PAGES_FILE.read_text("ascii")
