"""What holds of every assignment of the course: its text, its points, its checks, its notebook.

What is particular to one stands in test_grading_assignment_N.py; that `course-grade release` takes
each of them, with all that its self-test asks, in test_grading_releases.py.
"""

import re

import pytest

from course_lib.grading import bundle, leaks, selftest
from tests.grading_case import NAMES, ROOT, case, printed_in_jupyter
from tests.hidden_texts import hidden_names, hidden_texts, search
from tests.sums_by_hand import sums

WORDS = ("# YOUR CODE HERE", "raise NotImplementedError", "Your answer here")
YEAR = 2031
PAGE = ROOT / "book" / "back" / "assignments.md"


@pytest.fixture(params=NAMES)
def one(request):
    return case(request.param)


@pytest.fixture(params=[name for name in NAMES if not case(name).source.config.torch])
def quick(request):
    """One of those that need no training; the other one's answers are tried by its release."""
    return case(request.param)


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A function that gives bundle and released notebook of a case, each built once."""
    made = {}

    def build(one):
        if one.name not in made:
            folder = tmp_path_factory.mktemp(one.name)
            notebook = folder / "release" / f"{one.name}.ipynb"
            made[one.name] = bundle.build(one.source, folder), notebook
        return made[one.name]

    return build


def number(one):
    return int(one.name.partition("_")[0])


def between(text, start, end):
    """The part of a text from one phrase to the next other one."""
    begin = text.index(start)
    return text[begin : text.index(end, begin)]


def parts(one):
    """Number, title, points and text of each part."""
    pieces = re.split(r"(?m)^## ", one.text)
    head = re.compile(r"Part (\d+)\. (.+) \((\d+) points?\)\n")
    return [(*m.groups(), piece) for piece in pieces if (m := head.match(piece))]


class TestText:
    def test_begins_as_they_all_do(self, one):
        title = f"Assignment {number(one)}: "
        first, _, second = one.text.split("\n")[:3]
        assert first.startswith(f"# {title}") and one.source.config.title == first[2:]
        line = (
            r"\*\*Time:\*\* 90 minutes, 60 if [^·]+, 120 if you test as you go · "
            r"\*\*Points:\*\* 20 · \*\*You need:\*\* chapters [\d, and]+ of \*State by State\*, .+"
        )
        assert re.fullmatch(line, second)

    def test_parts_stand_in_order_between_start_and_end(self, one):
        heads = re.findall(r"(?m)^## (.+)$", one.text)
        assert heads[0] == "Before you start" and heads[-1] == "Hand in"
        assert [n for n, *_ in parts(one)] == [str(i + 1) for i in range(len(parts(one)))]
        start = between(one.text, "## Before you start", "\n## ")
        for name in ("Reading guide.", "What counts as an answer.", "Checks.", "Conventions"):
            assert f"**{name}**" in start

    def test_points_are_those_of_the_checks(self, one):
        stated = re.findall(r"(?m)^\| (\d+) \| [^|]+ \| (\d+) \| [^|]+ \|$", one.text)
        headings = [(n, points) for n, _, points, _ in parts(one)]
        questions = [f"{question.points:g}" for question in one.source.questions]
        assert stated == headings == [(str(i), p) for i, p in enumerate(questions, 1)]
        by_people = sum(q.points for q in one.source.questions if q.manual)
        assert sum(map(float, questions)) == 20 and 3 <= by_people <= 4

    def test_last_part_is_read_by_a_person(self, one):
        written = [question.manual for question in one.source.questions]
        assert written == [False] * (len(written) - 1) + [True]
        assert [rubric.points for rubric in one.source.questions[-1].rubric] == [1] * int(
            one.source.questions[-1].points
        )

    def test_every_part_with_code_is_done_by_hand_first(self, one):
        for n, _, _, text in parts(one)[:-1]:
            assert "**By hand.**" in text, f"part {n}"

    def test_every_sum_done_by_hand_is_right(self, one):
        found = sums(one.text)
        assert [wrong for wrong, value, said in found if value != pytest.approx(said)] == []
        assert len(found) >= 12

    def test_reading_guide_names_sections_of_the_book(self, one):
        guide = between(one.text, "| for part |", "**What counts")
        chapter, titles = 0, 0
        for n, title in re.findall(r"chapter (\d+)|\*([^*\n]+)\*", guide):
            chapter = int(n or chapter)
            if title:
                titles += 1
                (path,) = ROOT.glob(f"book/chapters/{chapter:02}_*.md")
                heads = re.findall(r"(?m)^##+ (.+)$", path.read_text(encoding="utf-8"))
                assert title in heads, f"chapter {chapter} has no section {title!r}"
        assert titles >= 5
        rows = re.findall(r"(?m)^\| (\d[\d, ]*) \|", guide)
        assert sorted(int(n) for row in rows for n in row.split(",")) == [
            int(n) for n, *_ in parts(one)
        ]

    def test_nothing_needs_myst(self, one):
        """Jupyter shows directives and roles of MyST as they are typed."""
        assert not re.search(r"(?m)^:::|^```\{|\{[a-z:]+\}`", one.text)


class TestAnswers:
    """With the numbers of another year; this year's are tried by the release, in the sandbox."""

    def test_the_reference_loses_nothing(self, one):
        assert one.lost(None, 0) == ({}, set())

    def test_the_reference_loses_nothing_with_other_hidden_inputs(self, quick):
        assert quick.lost(None, 1) == ({}, set())

    def test_numbers_hang_on_one_seed(self, one):
        """The first assignment's are drawn by a script of its own."""
        lines = re.findall(r"(?m)^SEED = .*$", "\n".join(c.source for c in one.source.cells))
        assert len(lines) == (number(one) > 1)
        assert all(line.split("#")[0].strip() == "SEED = 2026" for line in lines)

    def test_there_are_enough_answers_to_try(self, one):
        answered = set().union(*(right.answers for right in one.right.values()))
        assert len(one.right) >= 2 and answered == set(one.solutions)
        assert len(one.wrong) >= 8

    def test_other_right_answers_lose_nothing(self, quick):
        other = quick.of_another_year(YEAR)
        for name, right in other.right.items():
            assert other.lost(right.answers, 0) == ({}, set()), f"right/{name}.py"

    def test_a_wrong_answer_loses_exactly_what_it_should(self, quick):
        other = quick.of_another_year(YEAR)
        assert other.lost(None, 0) == ({}, set())
        for name, wrong in other.wrong.items():
            losses, failed = other.lost(wrong.answers, 0)
            assert losses == pytest.approx(wrong.loses), f"wrong/{name}.py: {sorted(failed)}"


class TestRelease:
    def test_the_book_has_the_newest_notebook(self, one, built):
        fresh = built(one)[1].read_text(encoding="utf-8")
        assert one.released.read_text(encoding="utf-8") == fresh, (
            "book/assignments is out of date: run .venv/bin/python tools/build_assignments.py"
        )

    def test_nothing_hidden_is_in_it(self, one, built):
        text = built(one)[1].read_text(encoding="utf-8")
        assert leaks.leaks(one.source, text) + selftest.fixed_texts(one.source) == []
        assert selftest.chances(one.source) == []

    @pytest.mark.parametrize("answered", [True, False])
    def test_runs_in_the_notebook_as_in_the_grader(self, one, built, answered, monkeypatch, capsys):
        notebook = built(one)[1]
        monkeypatch.chdir(notebook.parent)
        said = printed_in_jupyter(notebook, one.solutions if answered else {}, capsys)
        verdicts = "".join(text for id, text in said.items() if id.startswith("check-"))
        visible = sum(not check.hidden for check in one.source.checks)
        assert len(verdicts.splitlines()) == visible
        assert verdicts.count("✓" if answered else ": not answered yet [0/") == visible

    def test_nothing_hidden_of_another_one_is_in_it(self, one, built):
        files = sorted(p for p in built(one)[1].parent.rglob("*") if p.is_file())
        for other in map(case, NAMES):
            assert search(files, hidden_texts(other), hidden_names(other)) == []

    def test_the_page_offers_it(self, one):
        page = PAGE.read_text(encoding="utf-8")
        n, (title,) = number(one), re.findall(r"(?m)^# Assignment \d: (.+)$", one.text)
        assert f"{{download}}`{n}. {title} <../assignments/{one.released.name}>`" in page
        (row,) = [line for line in page.splitlines() if f"`{n}. {title} <" in line]
        assert "60 to 120" in row and re.search(r"\| 20 \|", row)
        assert all(words in page for words in WORDS)


def test_names_are_numbered_without_a_gap():
    assert [name[:3] for name in NAMES] == [f"{i + 1:02}_" for i in range(len(NAMES))]


def test_no_two_assignments_tell_one_story():
    titles = [case(name).source.config.title for name in NAMES]
    stories = [case(name).text.split("\n\n")[2] for name in NAMES]
    assert len(set(titles)) == len(set(stories)) == len(NAMES)
