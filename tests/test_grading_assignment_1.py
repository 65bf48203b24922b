"""Assignment 1: its numbers are right, its checks find the mistakes, its notebook is up to date."""

import contextlib
import functools
import io
import itertools
import json
import re
from pathlib import Path

import numpy as np
import pytest

from course_lib import hmm, hmm_batch
from course_lib.grading import assignment, bundle, grader, leaks, selftest
from course_lib.grading.checks import StudentError, run_check
from course_lib.grading.codec import decode, encode
from tests.grading_other_right_answers import ANSWERS

pytest_plugins = "tests.grading_support"
ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / "assignments" / "01_markov_hmm"
RELEASED = ROOT / "book" / "assignments" / "01_markov_hmm.ipynb"
SOURCE = assignment.read(FOLDER)
SOLUTIONS = {c.id: assignment.solved(c.source, c.id) for c in SOURCE.cells if c.role == "answer"}
WRONG = {wrong.name: wrong for wrong in SOURCE.wrong}
TEXT = "\n".join(c.source for c in SOURCE.cells if c.kind == "markdown")
MINUS_INFINITY = float("-inf")


def run_cells(answers=None):
    """The names that the notebook defines with these answers, the other ones as in the solution."""
    space = {"__name__": "__main__"}
    for cell in SOURCE.cells:
        if cell.role in ("locked", "answer"):
            source = (answers or {}).get(cell.id) or assignment.solved(cell.source, cell.id)
            with contextlib.redirect_stdout(io.StringIO()), np.errstate(all="ignore"):
                with contextlib.suppress(Exception):  # as in a notebook, the next cell goes on
                    exec(source, space)
    return space


class Stand:
    """Somebody's names in this process; values pass through the codec as from the sandbox."""

    def __init__(self, space, known=None):
        self._space, self._known = space, known

    def __getattr__(self, name):
        return Name(self._space, name, self._known)


class Name:
    def __init__(self, space, name, known):
        self._space, self._name, self._known = space, name, known

    @property
    def value(self):
        return self._plain(lambda: self._space[self._name])

    def __call__(self, *args):
        question = self._name, encode(args)
        if self._known is None:
            return self._ask(*question)
        if question not in self._known:
            self._known[question] = encode(self._ask(*question))
        return decode(self._known[question])

    def _ask(self, name, args):
        return self._plain(lambda: self._space[name](*decode(args)))

    def _plain(self, ask):
        try:
            with np.errstate(all="ignore"):
                return decode(encode(ask()))
        except Exception as error:
            raise StudentError(type(error).__name__, str(error), name=self._name) from error


@functools.cache
def reference():
    """The solution, which remembers what it was asked: a seed's questions come again and again."""
    return Stand(run_cells(), {})


def lost(student, seed):
    """Points that each question loses, and the checks that failed."""
    losses, failed = dict.fromkeys((question.name for question in SOURCE.questions), 0.0), set()
    for i, check in enumerate(SOURCE.checks):
        outcome = run_check(check, student, reference(), np.random.default_rng([seed, i]))
        losses[check.question] += check.points - outcome.points
        if outcome.points < check.points:
            failed.add(check.name)
    return {name: points for name, points in losses.items() if points}, failed


@functools.cache
def lost_by(name):
    """What a wrong answer loses for three seeds; kept, since two tests ask."""
    student = Stand(run_cells(WRONG[name].answers))
    return [lost(student, seed) for seed in range(3)]


@pytest.fixture(scope="module")
def right():
    return run_cells()


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("assignment")
    return bundle.build(SOURCE, folder), folder / "release" / f"{SOURCE.name}.ipynb"


class TestText:
    def test_every_sum_done_by_hand_is_right(self):
        sums = re.findall(r"(?<![\d.])([\d.()]+(?: [×+/] [\d.()]+)+) = ([\d.]*\d)", TEXT)
        for left, said in sums:
            value = eval(left.replace("×", "*"))  # numbers and signs: the pattern takes no others
            digits = len(said.partition(".")[2])
            assert abs(value - float(said)) <= 0.5 * 10**-digits * (digits >= 4) + 1e-12, left
        assert len(sums) > 35

    def test_tables_of_the_garden_hive_are_those_of_the_code(self, right):
        rows = re.findall(r"(?m)^\| \*\*(?:settled|restless)\*\* \|(.+)\|$", TEXT)[:2]
        rows = np.array([[float(cell) for cell in row.split("|")] for row in rows])
        tables = right["GARDEN_PI"][:, None], right["GARDEN_A"], right["GARDEN_B"]
        assert np.array_equal(rows, np.hstack(tables))

    def test_moves_that_never_happen_have_probability_zero(self, right):
        never = [(right["SETTLED"], right["SWARMING"]), (right["SWARMING"], right["PREPARING"])]
        assert [(int(i), int(j)) for i, j in np.argwhere(right["HIVE_A"] == 0)] == never

    @pytest.mark.parametrize("table", ["HIVE_A", "HIVE_B", "GARDEN_A", "GARDEN_B", "guess"])
    def test_rows_sum_to_one(self, right, table):
        assert np.allclose(right[table].sum(axis=1), 1, rtol=0, atol=1e-12)

    def test_points_are_those_of_the_checks(self):
        stated = re.findall(r"(?m)^\| (\d) \| [^|]+ \| (\d) \|", TEXT)
        headings = re.findall(r"(?m)^## Part (\d)\. .+ \((\d) points\)$", TEXT)
        points = [f"{question.points:g}" for question in SOURCE.questions]
        assert stated == headings == [(str(i), p) for i, p in enumerate(points, 1)]
        assert "**Points:** 20 " in TEXT and sum(map(float, points)) == 20

    def test_reading_guide_names_sections_of_the_book(self):
        chapters = {p.name[:2]: p.read_text() for p in (ROOT / "book" / "chapters").glob("0[1-3]*")}
        guide = TEXT[TEXT.index("| for part |") : TEXT.index("**What counts")]
        chapter, named = "", 0
        for number, title in re.findall(r"chapter (\d)|\*([^*]+)\*", guide):
            chapter = number or chapter
            if title:
                assert re.search(rf"(?m)^##+ {re.escape(title)}$", chapters[f"0{chapter}"]), title
                named += 1
        assert named >= 9

    def test_nothing_needs_myst(self):
        """Jupyter shows directives and roles of MyST as they are typed."""
        assert ":::" not in TEXT and "{ref}" not in TEXT and "{term}" not in TEXT


def random_tables(rng, K, V):
    rows = rng.dirichlet(np.ones(K), size=K + 1)
    return rows[0], rows[1:], rng.dirichlet(np.ones(V), size=K)


class TestPage:
    PAGE = (ROOT / "book" / "back" / "assignments.md").read_text(encoding="utf-8")

    def test_says_what_the_assignment_says(self):
        row = r"(?m)^\| \{download\}`1\. ([^<]+) <[^|]+\|[^|]+\| ([^|]+) \| (\d+) \|$"
        ((title, minutes, points),) = re.findall(row, self.PAGE)
        assert f"# Assignment 1: {title}\n" in TEXT and title in SOURCE.config.title
        assert points == "20" and minutes == "60 to 120"
        assert "60 if chapters 1 to 3 are fresh, 120 if" in TEXT

    def test_offers_the_notebook(self):
        assert f"<../assignments/{RELEASED.name}>`" in self.PAGE and RELEASED.is_file()
        settings = (ROOT / "_config.yml").read_text()
        assert '"assignments/**"' in settings  # a file to download, not a page

    def test_names_what_stands_in_the_notebook(self):
        text = RELEASED.read_text(encoding="utf-8")
        for words in ("# YOUR CODE HERE", "raise NotImplementedError", "Your answer here"):
            assert words in self.PAGE and words in text
        assert "five seconds" in self.PAGE and SOURCE.config.limits.call_s == 5


class TestReference:
    """Against the list of all stories, and the book's library where it has the same function."""

    @pytest.mark.parametrize("seed", range(8))
    def test_filter_smoother_and_two_best_match_the_list_of_all_stories(self, right, seed):
        rng = np.random.default_rng(seed)
        sounds, opened = rng.integers(0, 4, size=6), np.full(6, -1)
        sounds[[1, 4]], opened[2] = -1, 0
        pi, A, B = random_tables(rng, 3, 4)
        weights = right["weigh"](sounds, opened, B)
        stories = list(right["every_story"](weights, pi, A))
        joint = np.array([p for _, p in stories])
        paths = np.array([path for path, _ in stories])
        alpha, log_evidence = right["forward"](weights, pi, A)
        gamma, xi = right["smooth"](weights, pi, A)
        path, best, second = right["best_two"](weights, pi, A)
        assert np.isclose(np.exp(log_evidence), joint.sum(), rtol=1e-12)
        for k in range(3):
            assert np.allclose(gamma[:, k], (joint @ (paths == k)) / joint.sum(), rtol=1e-12)
        for i, j in itertools.product(range(3), repeat=2):
            there = (paths[:, 2] == i) & (paths[:, 3] == j)
            assert np.isclose(xi[2, i, j], joint[there].sum() / joint.sum(), rtol=1e-12)
        assert np.allclose(alpha[-1], gamma[-1], rtol=1e-12)
        assert tuple(path) == stories[joint.argmax()][0]
        assert np.allclose([best, second], np.log(np.sort(joint)[:-3:-1]), rtol=1e-12)

    def test_filter_matches_the_library(self, right, rng):
        pi, A, B = random_tables(rng, 3, 5)
        y = rng.integers(0, 5, size=40)
        weights = right["weigh"](y, np.full(40, -1), B)
        alpha, log_evidence = right["forward"](weights, pi, A)
        trace = hmm.forward_filter(y, pi, A, B)
        assert np.allclose(alpha, trace.alpha, rtol=1e-12)
        assert np.isclose(log_evidence, trace.log_evidence, rtol=1e-12)

    def test_second_best_of_one_possible_story_is_minus_infinity(self, right):
        weights, pi, A = np.full((3, 2), 0.5), np.array([1.0, 0.0]), np.eye(2)[::-1]
        path, best, second = right["best_two"](weights, pi, A)
        assert path.tolist() == [0, 1, 0] and np.isclose(best, np.log(0.125))
        assert second == MINUS_INFINITY

    def test_learning_matches_the_library(self, right, rng):
        pi, A, B = random_tables(rng, 3, 5)
        lengths = np.array([7, 4, 11])
        batch = rng.integers(0, 5, size=(3, 11))
        logs = [row[:T] for row, T in zip(batch, lengths, strict=True)]
        counts = hmm_batch.expected_counts(batch, pi, A, B, lengths)
        for got, n in zip(
            right["em_step"](logs, pi, A, B, 0.5),
            (counts.start, counts.transitions, counts.emissions),
            strict=True,
        ):
            want = (n + 0.5) / (n + 0.5).sum(axis=-1, keepdims=True)
            assert np.allclose(got, want, rtol=1e-12)

    def test_learning_with_gaps_matches_counts_in_all_stories(self, right, rng):
        logs = [np.array([-1, 2, 0, -1]), np.array([3, -1]), np.array([1])]
        pi, A, B = random_tables(rng, 3, 4)
        started, moved, heard = np.full(3, 0.5), np.full((3, 3), 0.5), np.full((3, 4), 0.5)
        for log in logs:
            weights = right["weigh"](log, np.full(len(log), -1), B)
            stories = list(right["every_story"](weights, pi, A))
            total = sum(joint for _, joint in stories)
            for path, joint in stories:
                started[path[0]] += joint / total
                for i, j in itertools.pairwise(path):
                    moved[i, j] += joint / total
                for k, word in zip(path, log, strict=True):
                    heard[k, word] += (joint / total) * (word >= 0)
        for got, n in zip(
            right["em_step"](logs, pi, A, B, 0.5), (started, moved, heard), strict=True
        ):
            assert np.allclose(got, n / n.sum(axis=-1, keepdims=True), rtol=1e-12)


class TestSummer:
    """What the last question and its model answer say of the school hive."""

    def test_days_and_months(self, right):
        assert [len(right[month]) for month in ("MAY", "JUNE", "JULY")] == [31, 30, 31]
        assert np.flatnonzero(right["OPENED"] >= 0).tolist() == [13, 34, 55, 76]
        assert "every third week" in TEXT and set(np.diff([13, 34, 55, 76])) == {21}

    def test_smoother_tells_on_11_and_12_may_what_a_hive_cannot_do(self, right):
        states = right["season_gamma"].argmax(axis=1)
        assert (states[10], states[11]) == (right["SETTLED"], right["SWARMING"])
        may = slice(0, 31)
        assert (states[may] != right["season_path"][may]).any()

    def test_numbers_of_the_model_answer(self, right):
        season, best = right["season"], right["season_best"]
        answer = next(cell.source for cell in SOURCE.cells if cell.role == "written")
        assert f"only {best - right['season_second']:.1f} nats behind" in answer
        assert np.exp(right["season_second"] - best) > 0.5
        assert np.exp(best - right["season_evidence"]) < 1e-6
        assert 11 < season["expected_days"][right["SWARMING"]] < 12
        assert (right["season_path"] == right["SWARMING"]).sum() == 5
        assert season["swarms"] == 3

    def test_no_number_of_the_summer_hangs_on_rounding(self, right):
        ranked = np.sort(right["season_gamma"], axis=1)
        assert (ranked[:, -1] - ranked[:, -2]).min() > 1e-3
        assert np.abs(right["season_alpha"][:, 0] - 0.5).min() > 1e-3
        assert right["season_best"] - right["season_second"] > 1e-3

    def test_neighbours_logs_have_gaps_and_different_lengths(self, right):
        assert len({len(log) for log in right["NEIGHBOURS"]}) == len(right["NEIGHBOURS"]) == 3
        assert any((log < 0).any() for log in right["NEIGHBOURS"])


class TestChecks:
    @pytest.mark.parametrize("seed", range(5))
    def test_the_reference_loses_nothing(self, right, seed):
        assert lost(Stand(right), seed) == ({}, set())

    @pytest.mark.parametrize("name", ["all", *ANSWERS])
    def test_other_right_answers_lose_nothing(self, name):
        answers = ANSWERS if name == "all" else {name: ANSWERS[name]}
        for seed in range(2):
            assert lost(Stand(run_cells(answers)), seed) == ({}, set())

    @pytest.mark.parametrize("name", WRONG)
    def test_a_wrong_answer_loses_exactly_what_it_should(self, name):
        for losses, _ in lost_by(name):
            assert losses == pytest.approx(WRONG[name].loses)

    def test_every_check_is_failed_by_a_wrong_answer(self):
        failed = set.union(*(lost_by(name)[0][1] for name in WRONG))
        assert failed == {check.name for check in SOURCE.checks} and len(WRONG) >= 10

    def test_nothing_that_a_student_returns_breaks_a_check(self, built):
        assert selftest.fragile(built[0]) == []

    @pytest.mark.parametrize(
        "name, hint",
        [
            ("gap_is_the_last_word", "B[:, -1]"),
            ("look_replaces_word", "do not forget the roar"),
            ("transposed_table", "alpha @ A"),
            ("moved_before_the_first_day", "pi is the first day"),
            ("never_normalised", "divide by the sum"),
            ("best_moods_for_best_story", "not the best story"),
            ("off_by_one_on_the_way_back", "the weight of day 1, not 0"),
            ("filter_for_smoother", "this is the filter"),
            ("pairs_without_division", "xi[0] sums to 0.32"),
            ("logs_glued_together", "glued together"),
            ("visits_for_departures", "a last day has no departure"),
            ("words_divided_by_days", "not by all days"),
            ("no_pseudocount", "pseudocount is missing"),
        ],
    )
    def test_a_visible_check_names_the_mistake(self, name, hint):
        student = Stand(run_cells(WRONG[name].answers))
        (question,) = {c.question for c in SOURCE.cells if c.id in WRONG[name].answers}
        (check,) = [c for c in SOURCE.checks if c.question == question and not c.hidden]
        assert hint in run_check(check, student, None, None).message

    def test_visible_checks_take_lists_where_the_text_allows_it(self, right):
        def best_two(*case):
            path, best, second = right["best_two"](*case)
            return [path.tolist(), best, second]

        student = Stand(right | {"best_two": best_two})
        assert lost(student, 0) == ({}, set())

    @pytest.mark.parametrize("text", ["impossible", f"one of the days {list(range(25))}"])
    def test_contradiction_without_its_day_is_worth_half(self, right, text):
        def forward(weights, pi, A):
            try:
                return right["forward"](weights, pi, A)
            except ValueError:
                raise ValueError(text) from None

        student = Stand(right | {"forward": forward})
        assert lost(student, 0) == ({"forward": 0.25}, {"contradiction"})

    def test_the_evening_before_may_be_named_too(self, right):
        def forward(weights, pi, A):
            try:
                return right["forward"](weights, pi, A)
            except ValueError as error:
                day = int(re.search(r"\d+", str(error))[0])
                raise ValueError(f"from {day - 1} to {day} of {len(weights)}") from None

        assert lost(Stand(right | {"forward": forward}), 0) == ({}, set())


class TestRelease:
    def test_the_book_has_the_newest_notebook(self, built):
        fresh = built[1].read_text(encoding="utf-8")
        assert RELEASED.read_text(encoding="utf-8") == fresh, (
            "book/assignments is out of date: run .venv/bin/python tools/build_assignments.py"
        )

    def test_nothing_hidden_is_in_it(self, built):
        text = built[1].read_text(encoding="utf-8")
        assert leaks.leaks(SOURCE, text) + selftest.fixed_texts(SOURCE) == []
        assert "stories fall" not in text and "The filter. Tonight" not in text

    def test_solutions_are_nowhere_in_the_book(self):
        lines = {line.strip() for line in SOLUTIONS["viterbi"].splitlines() if "ranked" in line}
        for path in itertools.chain(ROOT.glob("book/**/*.md"), ROOT.glob("book/**/*.ipynb")):
            text = path.read_text(encoding="utf-8")
            assert not [line for line in lines if line in text], path

    def test_marks_in_the_sandbox(self, built, sandbox_kind):
        table = json.loads(built[1].read_text(encoding="utf-8"))

        def marks(answers):
            for cell in table["cells"]:
                cell["source"] = answers.get(cell["id"], cell["source"])
            data = json.dumps(table).encode()
            return grader.grade(data, built[0], sandbox_kind, b"secret" * 6)

        blank = marks({})
        assert blank["points"] == 0 and blank["infrastructure"] is None
        assert {cell["status"] for cell in blank["cells"]} == {"ok"}
        best = marks(SOLUTIONS)
        assert best["points"] == best["max"] == 17
        wrong = WRONG["runner_up_among_the_ends"]
        assert marks(SOLUTIONS | wrong.answers)["points"] == 17 - sum(wrong.loses.values())
