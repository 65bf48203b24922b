"""Back matter that is gathered from chapters or speaks of them: up to date, whole, and dated."""

import re
from pathlib import Path

import build_back
import pytest

ROOT = Path(__file__).resolve().parents[1]
BACK = ROOT / "book" / "back"
CARDS = (BACK / "cards.md").read_text(encoding="utf-8")
TIMELINE = (BACK / "timeline.md").read_text(encoding="utf-8")
BIBLIOGRAPHY = (ROOT / "book" / "references.bib").read_text(encoding="utf-8")
ROWS = re.findall(r"(?m)^- \*\*(\d{4})\.\*\* (.+?)\. (\{cite.+?); (\{ref.+?)\.$", TIMELINE)
OTHERWISE = {"markov2006example": 1913}  # the talk, of which the source is a translation
PARTS = (
    *("I use this when", "History.", "Why it exists.", "How it works, in five steps."),
    *("The equation.", "Cost.", "Strengths.", "Pitfalls.", "Related."),
)


class TestGathered:
    @pytest.mark.parametrize("page", ["misconceptions", "contents"])
    def test_is_up_to_date(self, page):
        fresh = getattr(build_back, page)()
        assert (BACK / f"{page}.md").read_text(encoding="utf-8") == fresh, (
            "run .venv/bin/python tools/build_back.py"
        )

    def test_every_chapter_gives_misconceptions_a_demo_and_exercises(self):
        sections = build_back.misconceptions().split("\n## ")[1:]
        assert len(sections) == len(build_back.CHAPTERS) == 17
        assert all(section.count("**“") >= 3 for section in sections)
        for section in build_back.contents().split("\n## ")[1:]:
            assert re.search(r"\nDemos?: \w", section) and section.count("<ex-") >= 5

    def test_claims_are_taken_from_paragraphs_and_from_tables(self):
        section = (
            '**"All swans are white."**\nNot this one,\nas you see:\n\n```{code-cell}\n1\n```\n\n'
            "| You may think | In fact |\n|---|---|\n| it rains | it snows |\n"
        )
        assert build_back.claims(section) == [
            ("it rains", "it snows"),
            ("All swans are white.", "Not this one,"),
        ]


class TestCards:
    def test_nine_models_answer_the_same_questions(self):
        cards = re.split(r"\n\(card-\w+\)=\n", CARDS)[1:]
        assert len(cards) == 9
        for card in cards:
            places = [card.find(f"**{part}") for part in PARTS]
            assert min(places) > 0 and places == sorted(places), card[:40]
            assert re.findall(r"(?m)^(\d)\. ", card) == list("12345")
            assert "{ref}`ch-" in card[card.index("**Related.**") :]

    def test_all_labels_are_in_the_table_above(self):
        labels = re.findall(r"(?m)^\((card-\w+)\)=$", CARDS)
        head = CARDS[: CARDS.index("(card-chain)=")]
        assert re.findall(r"<(card-\w+)>", head) == labels


class TestTimeline:
    def test_years_are_those_of_the_sources(self):
        assert len(ROWS) > 40
        for year, _, sources, _ in ROWS:
            for key in re.findall(r"\{cite:t\}`(\w+)`", sources):
                (entry,) = re.findall(rf"@\w+\{{{key},(.+?)\n\}}", BIBLIOGRAPHY, re.DOTALL)
                stated = re.search(r"year\s*=\s*\{?(\d{4})", entry)[1]
                assert int(year) == OTHERWISE.get(key, int(stated)), key

    def test_each_list_runs_forward_and_names_chapters(self):
        for part in TIMELINE.split("\n## ")[1:]:
            years = [int(year) for year in re.findall(r"(?m)^- \*\*(\d{4})\.", part)]
            assert years == sorted(years)
        assert all("{ref}`ch-" in here for *_, here in ROWS)
