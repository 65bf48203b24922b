"""The made-up class: what it hands in, that its known marks are right, and its way through a term.

Known marks never come from the grader, so here the two ways to a mark meet.
"""

import hashlib
import json
import shutil
from collections import Counter
from datetime import datetime, timedelta

import numpy as np
import pytest

from course_lib.grading import _dependence, assignment, cli, owners, rehearsal, template
from course_lib.grading import _made_up_answers as answers
from course_lib.grading import _made_up_download as download
from course_lib.grading import _made_up_notebooks as notebooks
from course_lib.grading import _made_up_people as people
from course_lib.grading import _made_up_trouble as trouble
from tests import grading_course as course
from tests import grading_rehearsal as term
from tests.grading_case import FOLDERS, case

pytest_plugins = "tests.grading_support"

DOWNLOAD = f"downloads/{course.NAME}.zip"


@pytest.fixture(scope="module")
def small():
    """The small assignment, as those see it who make answers up."""
    return notebooks.sheet(assignment.read(course.SOURCE))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A rehearsal of 20 students with the small assignment; not to be changed."""
    folder = tmp_path_factory.mktemp("rehearsal") / "class"
    rehearsal.write(folder, [course.SOURCE], 20, seed=1)
    return folder


def contents(root):
    """Path below a folder to a digest of the file."""
    paths = [path for path in root.rglob("*") if path.is_file()]
    return {path.relative_to(root): hashlib.sha256(path.read_bytes()).digest() for path in paths}


class TestWrite:
    def test_same_seed_gives_the_same_files(self, made, tmp_path):
        rehearsal.write(tmp_path / "again", [course.SOURCE], 20, seed=1)
        assert contents(tmp_path / "again") == contents(made)

    def test_other_seed_gives_other_people_and_marks(self, made, tmp_path):
        rehearsal.write(tmp_path / "other", [course.SOURCE], 20, seed=2)
        assert term.rows(tmp_path / "other" / "roster.csv") != term.rows(made / "roster.csv")
        assert term.known(tmp_path / "other") != term.known(made)

    def test_folder_that_exists(self, tmp_path):
        with pytest.raises(ValueError, match="exists; name a new folder"):
            rehearsal.write(tmp_path, [course.SOURCE], 6, seed=1)

    def test_broken_assignment_is_named_and_nothing_stays(self, tmp_path):
        broken = tmp_path / "broken"
        broken.mkdir()
        with pytest.raises(ValueError, match=f"{broken}/config.toml: missing"):
            rehearsal.write(tmp_path / "new", [course.SOURCE, broken], 6, seed=1)
        assert [path.name for path in tmp_path.iterdir()] == ["broken"]

    def test_deadline_replaces_that_of_the_assignment(self, made):
        config = assignment.read(made / "assignments" / course.NAME).config
        assert config.due == rehearsal.FIRST_DUE.isoformat()
        assert (config.late_percent_per_day, config.late_max_percent) == (10, 50)
        assert config.limits == assignment.read(course.SOURCE).config.limits

    def test_another_assignment_leaves_the_first_as_it_is(self, made, tmp_path):
        other = shutil.copytree(course.SOURCE, tmp_path / "other")
        rehearsal.write(tmp_path / "two", [course.SOURCE, other], 20, seed=1)
        due = assignment.read(tmp_path / "two" / "assignments" / "other").config.due
        assert due == (rehearsal.FIRST_DUE + timedelta(days=14)).isoformat()
        assert (tmp_path / "two" / DOWNLOAD).read_bytes() == (made / DOWNLOAD).read_bytes()

    def test_progress(self, tmp_path):
        seen = []
        rehearsal.write(tmp_path / "new", [course.SOURCE], 7, 1, lambda *step: seen.append(step))
        assert seen == [(n, 7) for n in range(1, 8)]


class TestCommand:
    def test_says_what_comes_next(self, capfd, tmp_path):
        folder = tmp_path / "new"
        options = ["--students", "6", "--seed", "4", "--assignments", str(course.SOURCE)]
        assert cli.main(["rehearse", str(folder), *options]) == 0
        said, errors = capfd.readouterr()
        assert errors == "" and f"collect NAME {folder}/downloads/NAME.zip --from moodle" in said
        assert {
            row["seed"] if "seed" in row else row["kind"] for row in term.known(folder).values()
        }
        assert cli.main(["rehearse", str(folder), *options]) == 2
        assert "exists; name a new folder" in capfd.readouterr().err

    def test_json(self, capfd, tmp_path):
        options = ["--students", "6", "--assignments", str(course.SOURCE), "--json"]
        assert cli.main(["rehearse", str(tmp_path / "new"), *options]) == 0
        table = json.loads(capfd.readouterr().out)
        assert (table["students"], table["assignments"]) == (6, [course.NAME])

    @pytest.mark.parametrize(
        "options, said",
        [
            (["--students", "5"], "5 is not in the range"),
            (["--seed", "-1"], "-1 is not in the range"),
            (["--assignments", "tests/wrong_answers"], "holds no assignment"),
        ],
    )
    def test_used_wrongly(self, capfd, tmp_path, options, said):
        assert cli.main(["rehearse", str(tmp_path / "new"), *options]) == 2
        assert said in capfd.readouterr().err and list(tmp_path.iterdir()) == []


class TestPeople:
    def test_of_twenty_as_many_of_each_kind_as_the_help_says(self):
        for size, counts in ((6, (1, 1, 1, 1, 1, 1)), (40, (12, 12, 6, 4, 4, 2))):
            found = Counter(one.kind for one in people.people(size, np.random.default_rng(0)))
            assert found == dict(zip(people.KINDS, counts, strict=True))

    def test_no_two_names_are_one_for_the_course_site(self):
        everybody = people.people(people.MOST, np.random.default_rng(0))
        assert len({owners._words(one.student.name) for one in everybody}) == people.MOST
        assert len({one.student.student for one in everybody}) == people.MOST


@pytest.mark.parametrize("hour", [0, 1, 11, 12, 13, 23])
def test_times_are_written_as_the_course_site_does(hour):
    when = datetime(2025, 10, 3, hour, 7)
    written = download.moodle_time(when)
    assert datetime.strptime(written, "%A, %d %B %Y, %I:%M %p") == when
    assert written.startswith("Friday, 3 October 2025, ")


class TestWords:
    def test_full_half_and_nothing(self, small):
        full, points = notebooks.words(small, notebooks.FULL)
        assert points == 2 and full == {"report": small.right["report"]}
        half, points = notebooks.words(small, notebooks.HALF)
        assert points == 1 and "weight 1/n" in half["report"] and "shrinks" not in half["report"]
        assert notebooks.words(small, notebooks.NOTHING) == ({"report": None}, 0)


class TestSeen:
    def test_through_other_cells_and_never_backwards(self):
        source = case("01_markov_hmm").source
        seen = _dependence.seen(source, _dependence.asked(source), {})
        assert seen["four_days"] == {"weigh"} and seen["two_days"] == {"smooth", "forward"}
        assert seen["two_logs"] == {"learn", "weigh", "smooth", "forward"}
        # By way of a locked cell that puts all together.
        assert seen["summer_of_the_school_hive"] >= {"report", "weigh", "viterbi"}
        assert "learn" not in seen["summer_of_the_school_hive"]

    def test_what_an_answer_calls_counts(self):
        source, names = case("01_markov_hmm").source, None
        names = _dependence.asked(source)
        calling = {"viterbi": "def best_two(weights, pi, A):\n    return smooth(weights, pi, A)"}
        assert _dependence.seen(source, names, {})["twins"] == {"viterbi"}
        seen = _dependence.seen(source, names, calling)["twins"]
        assert seen == {"viterbi", "smooth", "forward"}

    def test_a_cell_that_has_run_does_not_see_what_comes_later(self):
        source = case("04_sequence_classification").source
        seen = _dependence.seen(source, _dependence.asked(source), {})
        assert seen["six_visits"] == {"report"}  # the first cell and later ones share a name

    def test_names_given_as_text(self, tmp_path):
        made = template.new("spread", tmp_path)
        text = (made / "checks.py").read_text().replace("student.spread(", "of(student)(")
        helper = 'def of(student):\n    return getattr(student, "spread")\n'
        (made / "checks.py").write_text(text + "\n\n" + helper)
        source = assignment.read(made)
        seen = _dependence.seen(source, _dependence.asked(source), {})
        assert set(map(frozenset, seen.values())) == {frozenset({"spread"})}


# Where networks are trained, an answer takes seconds; the benchmark has those.
QUICK = [folder.name for folder in FOLDERS if "torch" not in (folder / "config.toml").read_text()]


@pytest.mark.parametrize("name", QUICK)
class TestMistakesTogether:
    """In the course's assignments mistakes lose together what they lose alone."""

    TRIES = 3

    def test_lose_the_sum(self, name):
        one, rng = case(name), np.random.default_rng(5)
        paper = notebooks.sheet(one.source)
        for n in range(self.TRIES):
            wrong = answers.compatible(paper, 5 * n, 4, rng)
            losses = Counter()
            for mistake in wrong:
                losses.update(mistake.loses)
            got, _ = one.lost({k: v for w in wrong for k, v in w.answers.items()}, seed=n)
            assert got == pytest.approx(dict(losses), abs=1e-6), [w.name for w in wrong]

    def test_blank_cell_loses_its_question(self, name):
        one = case(name)
        paper = notebooks.sheet(one.source)
        blank = {cell["id"]: cell["source"] for cell in json.loads(paper.release)["cells"]}
        points = {question.name: question.points for question in one.source.questions}
        assert paper.spare
        for cell in paper.spare:
            (question,) = {c.question for c in one.source.cells if c.id == cell}
            got, _ = one.lost({cell: "".join(blank[cell])}, seed=1)
            assert got == pytest.approx({question: points[question]}, abs=1e-6)


def test_mistakes_that_one_check_sees_are_kept_apart():
    paper, rng = notebooks.sheet(case("01_markov_hmm").source), np.random.default_rng(0)
    wrong = {one.name: one for one in paper.assignment.wrong}
    report, weigh = wrong["days_of_swarming"], wrong["look_replaces_word"]
    learn = wrong["no_pseudocount"]
    assert answers._apart(paper, [report, learn], ())
    assert not answers._apart(paper, [report, weigh], ())
    assert not answers._apart(paper, [learn, wrong["logs_glued_together"]], ())
    assert not answers._apart(paper, [weigh], ["report"])
    for n in range(5):
        assert len(answers.compatible(paper, n, 4, rng)) <= 2


def test_every_sort_of_trouble_earns_what_is_known(small, tmp_path, sandbox_kind):
    """Broken notebooks and attacks, each once, in the sandbox."""
    works = {}
    for make, many in ((trouble.broken, 10), (trouble.hostile, 14)):
        for n in range(many):
            student = f"{make.__name__}{n}"
            works[student] = make(small, student, n, None)
    assert len({work.why for work in works.values()}) == 24
    unseen = [works.pop(student) for student in list(works) if works[student].automatic is None]
    assert [work.file for work in unseen] == ["report.pdf"]
    workspace = course.build(tmp_path)
    course.hand_in(workspace, {student: work.data for student, work in works.items()})
    term.grade("run", course.NAME, "--jobs", 2, "--work", tmp_path, "--sandbox", sandbox_kind)
    found = {}
    for path in workspace.path(course.NAME, "results").rglob("*.json"):
        table = json.loads(path.read_text())
        found[table["student"]] = table
    assert {s: t["points"] for s, t in found.items()} == {s: w.automatic for s, w in works.items()}
    # The attacks did take place.
    (ended,) = (
        student for student, work in works.items() if work.why.startswith("ends the process,")
    )
    assert found[ended]["cells"][-1]["status"] != "ok"


@pytest.fixture(scope="module")
def over(made, tmp_path_factory, sandbox_kind):
    """The term of the class of 20, run by the real commands."""
    folder = shutil.copytree(made, tmp_path_factory.mktemp("term") / "class")
    term.grade("release", folder / "assignments" / course.NAME, "--work", folder)
    assert list(term.term(folder, course.NAME))[-1] == "export"
    return folder


class TestTerm:
    def test_every_mark_is_the_known_one(self, over):
        assert term.wrong_marks(over, course.NAME) == {}
        kinds = {row["kind"] for row in term.known(over).values()}
        assert kinds == set(people.KINDS)

    def test_a_mark_that_is_not_the_known_one_is_told(self, over, tmp_path):
        folder = shutil.copytree(over, tmp_path / "class", symlinks=True)
        rows = term.rows(folder / "known.csv")
        late = next(row for row in rows if row["kind"] == "late")
        path = folder / "known.csv"
        path.write_text(path.read_text().replace(f",{late['total']},", ",0.125,"))
        assert late["student"] in term.wrong_marks(folder, course.NAME)

    def test_points_for_words_were_given_on_the_page(self, over):
        given = Counter(row["points"] for row in term.rows(over / course.NAME / "manual.csv"))
        assert set(given) == {"0", "1", "2"}
        graded = [row for row in term.known(over).values() if row["automatic"]]
        assert sum(given.values()) == len(graded)
        pages = list((over / course.NAME / "feedback").iterdir())
        assert len(pages) == len(graded)
        assert not any("<script>document.title" in page.read_text() for page in pages)

    def test_grades_go_back_to_the_participants(self, over):
        exported = term.rows(over / course.NAME / "grades-moodle.csv")
        participants = {
            row["Identifier"]: row for row in term.rows(over / course.NAME / "moodle.csv")
        }
        emails = {row["email"]: row["student"] for row in term.rows(over / "roster.csv")}
        known = term.known(over)
        assert len(exported) > 15
        for row in exported:
            student = emails[participants[row["Identifier"]]["Email address"]]
            total = float(known[student, course.NAME]["total"])
            assert float(row["Grade"]) == pytest.approx(total, abs=0.005001)
