"""Numbers about a course: against sums by hand, without names, as a page that runs nothing."""

import numpy as np
import pytest

from course_lib.grading import _stats_page, files, stats
from course_lib.grading._names import hider
from course_lib.grading.workspace import Student
from tests import grading_pages as pages
from tests.browser import watch


def made(points, messages=("", "", "", "", "")):
    """A result with these points of the five checks, each worth 2."""
    result = pages.result()
    checks = [check for question in result["questions"] for check in question["checks"]]
    for check, got, message in zip(checks, points, messages, strict=True):
        reason = {0: "failed", 2: "passed"}.get(got, "partial")
        check |= {"points": got, "reason": reason, "message": message}
    for question in result["questions"]:
        question["points"] = float(sum(check["points"] for check in question["checks"]))
    return result | {"points": float(sum(points))}


POINTS = [(2, 2, 2, 2, 2), (2, 1, 0, 2, 0), (2, 0, 2, 0, 0), (0, 0, 0, 2, 0)]


@pytest.fixture
def work(tmp_path):
    names = {f"s{i}x": f"Student Number{i}" for i in range(6)}
    results = {f"s{i}x": made(points) for i, points in enumerate(POINTS)}
    work = pages.make_workspace(tmp_path, results, names)
    failed = pages.result(infrastructure="no sandbox", points=None)
    pages.hand_in(work, "s4x", "e" * 64, failed, day=21)  # the machine's fault counts for nothing
    pages.hand_in(work, "s5x", "f" * 64, made(POINTS[0]), day=21)
    return work


@pytest.fixture
def found(work):
    line = {"student": "", "submission": "", "question": "report", "points": 0}
    for student, points in (("s0x", 5), ("s1x", 4), ("s2x", 0)):
        files.append_csv(
            work.path("hmm", "manual.csv"), line | {"student": student} | {"points": points}
        )
    return stats.table(work, "hmm")


class TestTable:
    def test_counts(self, found):
        assert (found["students"], found["graded"]) == (6, 5)
        assert found["auto"] == [2, 4, 5, 10, 10] and found["auto_max"] == 10

    def test_question(self, found):
        forward = found["questions"][0]
        points = np.array([6, 3, 4, 0, 6])
        rest = np.array([10, 5, 4, 2, 10]) - points
        assert forward["success"] == pytest.approx(points.mean() / 6)
        assert (forward["full"], forward["none"]) == (0.4, 0.2)
        expected = np.cov(points, rest)[0, 1] / (points.std(ddof=1) * rest.std(ddof=1))
        assert forward["discrimination"] == pytest.approx(expected, abs=1e-4)

    def test_point_biserial(self, found):
        """The textbook's form: difference of the two groups' means, in standard deviations."""
        two_rolls = found["questions"][0]["checks"][0]
        rest, passed = np.array([8, 3, 2, 2, 8.0]), np.array([1, 1, 1, 0, 1], bool)
        difference = rest[passed].mean() - rest[~passed].mean()
        p = passed.mean()
        expected = difference / rest.std() * np.sqrt(p * (1 - p))
        assert two_rolls["discrimination"] == pytest.approx(expected, abs=1e-4)

    def test_reasons(self, found):
        assert found["questions"][0]["checks"][1]["reasons"] == {"failed": 2, "partial": 1}

    def test_marks_of_people(self, found):
        report = found["questions"][2]
        assert report["manual"] and report["count"] == 3
        assert report["success"] == pytest.approx(0.6) and report["checks"] == []

    def test_stale_and_missing_marks_do_not_count(self, work):
        line = {"student": "s0x", "submission": "9" * 64, "question": "report", "points": 5}
        files.append_csv(work.path("hmm", "manual.csv"), line)
        report = stats.table(work, "hmm")["questions"][2]
        assert (report["count"], report["success"], report["discrimination"]) == (0, None, None)

    def test_nothing_varies(self, tmp_path):
        names = {f"s{i}": f"S {i}" for i in range(4)}
        work = pages.make_workspace(tmp_path, {s: made(POINTS[0]) for s in names}, names)
        for question in stats.table(work, "hmm")["questions"]:
            assert question["discrimination"] is None

    def test_nothing_graded(self, tmp_path):
        work = pages.make_workspace(tmp_path)
        for path in work.path("hmm", "results").rglob("*.json"):
            path.unlink()
        with pytest.raises(
            ValueError, match="no submission has been graded; use `course-grade run"
        ):
            stats.table(work, "hmm")


class TestNames:
    def work(self, tmp_path, messages):
        names = {"ada": "Ada Lovelace", "grace": "Grace Hopper", "emmy": "Emmy Noether"}
        results = {s: made(POINTS[3], messages) for s in names}
        return pages.make_workspace(tmp_path, results, names)

    def test_no_name_in_table_nor_page(self, tmp_path):
        messages = ("ValueError: ADA LOVELACE and grace@uni.example, emmy", "", "", "", "Noethers")
        work = self.work(tmp_path, messages)
        said, path = stats.write(work, "hmm")
        page = path.read_text(encoding="utf-8")
        assert "ValueError: [name] and [name], [name]" in page and "Noethers" in page
        for name in ("lovelace", "hopper", "grace", "emmy"):
            assert name not in (said + page + str(stats.table(work, "hmm"))).lower()

    def test_message_of_one_student_alone_is_left_out(self, tmp_path):
        work = self.work(tmp_path, ("shared", "", "", "", ""))
        pages.hand_in(work, "ada", "5" * 64, made(POINTS[3], ("mine", "", "", "", "")), day=21)
        check = stats.table(work, "hmm")["questions"][0]["checks"][0]
        assert check["messages"] == [["shared", 2]]

    @pytest.mark.parametrize(
        "text, shown",
        [
            ("I am Ada Lovelace.", "I am [name]."),
            ("ada lovelace, ADA", "[name], [name]"),
            ("Adam met Lovelace", "Adam met Lovelace"),
            ("İİ ada@uni.example!", "İİ [name]!"),
            ("x adaptive _ada ada", "x adaptive _ada [name]"),
            ("Ada Lovelaces", "[name] Lovelaces"),
            ("", ""),
        ],
    )
    def test_hider(self, text, shown):
        assert hider([Student("ada", "Ada Lovelace", "ada@uni.example")])(text) == shown

    def test_thousand_names_cost_little(self):
        hide = hider([Student(f"student{i}", f"First{i} Last{i}") for i in range(1000)])
        assert hide("First1 " * 50_000) == "First1 " * 50_000  # minutes if each name is tried


class TestPage:
    @pytest.fixture
    def course(self, tmp_path):
        """Thirty students; the check "ties" goes the wrong way."""
        rng = np.random.default_rng(5)
        names = {f"s{i}": f"S {i}" for i in range(30)}
        results = {}
        for student, skill in zip(names, rng.uniform(0, 1, 30), strict=True):
            points = [int(2 * (rng.uniform() < skill)) for _ in range(5)]
            points[1] = 1 if 0.4 < skill < 0.6 else points[1]
            points[3] = 0 if skill > 0.35 else 2
            shape = "forward: expected an array of shape (3,), got shape ()"
            results[student] = made(points, (shape, *pages.HOSTILE[:2], "<b>ties</b>", shape))
        return pages.make_workspace(tmp_path, results, names)

    @pytest.mark.parametrize("width, theme", [(375, "dark"), (1200, "light")])
    def test_in_chromium(self, browser, course, theme, width):
        _, path = stats.write(course, "hmm")
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=theme)
        visit = watch(context.new_page(), path.as_uri())
        visit.page.goto(visit.url)
        visit.settle()
        assert pages.violations(visit.page) == []
        assert visit.complaints == [] and visit.page.evaluate("window.hit") is None
        assert visit.page.evaluate("document.documentElement.scrollWidth") <= width
        bars = visit.page.locator("svg[role=img] rect")
        assert bars.count() > 10 and bars.first.bounding_box()["width"] > 10
        context.close()

    def test_says_what_deserves_a_look(self, course):
        page = stats.write(course, "hmm")[1].read_text(encoding="utf-8")
        assert "<strong>viterbi: ties</strong>: those who do well elsewhere lose points" in page
        assert "window.hit" in page and "<script" not in page

    @pytest.mark.parametrize("count, said", [(9, False), (10, True)])
    def test_few_students_get_no_remark(self, tmp_path, count, said):
        names = {f"s{i}": f"S {i}" for i in range(count)}
        work = pages.make_workspace(tmp_path, {s: made([0] * 5) for s in names}, names)
        page = stats.write(work, "hmm")[1].read_text(encoding="utf-8")
        assert ("Worth a look" in page) == said

    def test_shares_of_a_bar_add_up(self, found):
        page = _stats_page.render(found)
        assert 'class="full" x="0.00%"' in page and 'class="none" x="80.00%"' in page

    def test_text_for_the_terminal(self, work):
        said, path = stats.write(work, "hmm")
        lines = said.splitlines()
        assert lines[0] == "Assignment 1: Markov chains and HMMs: 5 of 6 students graded"
        assert lines[2].split()[:3] == ["forward", "63", "%"]
        assert "Not right yet: 2" in lines[4]
        assert path == work.path("hmm", "stats.html") and not list(path.parent.glob(".*"))
