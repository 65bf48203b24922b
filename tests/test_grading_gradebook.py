"""What stands in the gradebook, and what does not: no zero for the machine, no guess."""

import hashlib
import os
from datetime import datetime

import pytest
from grading_lms import course, notebook, packed, result

from course_lib.grading import collect, gradebook
from course_lib.grading.manifest import Question
from course_lib.grading.workspace import submissions

HEAD = "student,submission,question,points,rubric,comment,marker,time\n"
DUE = datetime.fromisoformat("2024-10-02T21:59:00+00:00").timestamp()


@pytest.fixture
def work(tmp_path):
    return course(tmp_path / "work")


def hand_in(work, tmp_path, hours_late=-1.0, text="1", student="ada"):
    """Put a notebook into the inbox with the time of its file; return its hash."""
    folder = tmp_path / f"in-{hours_late}-{text}"
    folder.mkdir()
    (folder / f"{student}.ipynb").write_bytes(notebook(text))
    when = DUE + 3600 * hours_late
    os.utime(folder / f"{student}.ipynb", (when, when))
    collect.collect(work, "hmm", folder, from_="folder")
    return hashlib.sha256(notebook(text)).hexdigest()


def row(work, student="ada"):
    (found,) = (one for one in gradebook.rows(work, "hmm") if one.student == student)
    return found


def mark(work, line):
    path = work.path("hmm", "manual.csv")
    path.write_text((path.read_text() if path.exists() else HEAD) + line + "\n")


def late(work, text):
    work.path("hmm", "late.csv").write_text(text)


class TestStates:
    def test_every_student_of_the_roster_has_a_row_in_its_order(self, work):
        rows = gradebook.rows(work, "hmm")
        assert [one.student for one in rows] == ["ada", "bob", "cho"]
        assert {(one.state, one.total, one.submitted) for one in rows} == {
            ("no submission", None, None)
        }

    def test_not_run(self, work, tmp_path):
        hand_in(work, tmp_path)
        assert (row(work).state, row(work).total) == ("not run", None)

    def test_fault_of_the_machine_is_no_zero(self, work, tmp_path):
        result(work, hand_in(work, tmp_path), infrastructure="no bwrap")
        mark(work, "ada,,report,3,,,,")
        assert (row(work).state, row(work).total) == ("infrastructure error", None)
        assert row(work).auto is None

    def test_awaiting_review_has_the_automatic_points(self, work, tmp_path):
        result(work, hand_in(work, tmp_path))
        assert (row(work).state, row(work).total, row(work).max) == ("awaiting review", 6.0, 10.0)
        assert row(work).manual == {"report": None}

    def test_comment_without_points_is_no_mark(self, work, tmp_path):
        result(work, hand_in(work, tmp_path))
        mark(work, "ada,,report,,,think again,eve,")
        assert row(work).state == "awaiting review"
        assert row(work).manual["report"].comment == "think again"

    def test_graded(self, work, tmp_path):
        submission = hand_in(work, tmp_path)
        result(work, submission)
        mark(work, f"ada,{submission},report,2.5,says why,good,eve,2024-10-03")
        assert (row(work).state, row(work).total) == ("graded", 8.5)
        assert row(work).submitted == "2024-10-02T20:59:00+00:00"

    def test_without_written_questions_nothing_is_awaited(self, tmp_path):
        questions = (Question("forward", 7.0),)
        work = course(tmp_path / "work", questions=questions)
        result(work, hand_in(work, tmp_path))
        assert (row(work).state, row(work).max) == ("graded", 7.0)

    def test_resubmission_makes_the_mark_stale_and_keeps_it(self, work, tmp_path):
        first = hand_in(work, tmp_path, -3, "one")
        result(work, first)
        mark(work, f"ada,{first},report,2,,,,")
        assert row(work).state == "graded"
        result(work, hand_in(work, tmp_path, -2, "two"), points=7.0)
        assert (row(work).state, row(work).total) == ("stale review", 9.0)
        assert row(work).manual["report"].stale and row(work).manual["report"].points == 2

    def test_last_line_wins(self, work, tmp_path):
        submission = hand_in(work, tmp_path)
        result(work, submission)
        mark(work, "ada,0123,report,1,,,,")
        mark(work, f"ada,{submission[:10]},report,3,,,,")
        assert (row(work).state, row(work).total) == ("graded", 9.0)

    def test_student_who_dropped_the_course_leaves_no_row_and_no_error(self, work, tmp_path):
        result(work, hand_in(work, tmp_path))
        mark(work, "ada,,report,1,,,,")
        late(work, "student,extra_hours\nada,5\n")
        roster = work.root / "roster.csv"
        lines = roster.read_text().splitlines(keepends=True)
        roster.write_text("".join(line for line in lines if not line.startswith("ada")))
        assert [one.student for one in gradebook.rows(work, "hmm")] == ["bob", "cho"]

    def test_result_of_another_bundle_does_not_count(self, work, tmp_path):
        result(work, hand_in(work, tmp_path))
        work.path("hmm", "bundle", "digest").write_text("e" * 64)
        assert row(work).state == "not run"

    def test_bundle_without_digest(self, work):
        work.path("hmm", "bundle", "digest").unlink()
        with pytest.raises(ValueError, match="digest is missing; release hmm again"):
            gradebook.rows(work, "hmm")


class TestLateness:
    @pytest.mark.parametrize(
        "hours, percent", [(-1, 0), (0, 0), (0.01, 10), (24, 10), (24.01, 20), (24 * 99, 50)]
    )
    def test_each_day_begun_costs_up_to_the_most(self, work, tmp_path, hours, percent):
        result(work, hand_in(work, tmp_path, hours))
        mark(work, "ada,,report,3,,,,")
        assert row(work).late_percent == percent
        assert row(work).total == pytest.approx(9 * (1 - percent / 100))

    def test_extra_hours(self, work, tmp_path):
        result(work, hand_in(work, tmp_path, 30))
        late(work, "student,extra_hours,reason\nada,24,ill\n")
        assert row(work).late_percent == 10
        late(work, "student,extra_hours\nada,30\n")
        assert row(work).late_percent == 0

    def test_typed_time_wins(self, work, tmp_path):
        result(work, hand_in(work, tmp_path, 30))
        late(work, "student,submitted\nada,2024-10-02T23:00+02:00\n")
        assert (row(work).late_percent, row(work).submitted) == (0, "2024-10-02T23:00:00+02:00")

    @pytest.mark.parametrize("changes", [{"due": ""}, {"late_percent_per_day": 0}])
    def test_nothing_is_taken_off_unless_asked(self, tmp_path, changes):
        work = course(tmp_path / "work", **changes)
        result(work, hand_in(work, tmp_path, 30))
        assert row(work).late_percent == 0 and row(work).state == "awaiting review"

    def download(self, work, tmp_path, name, from_, day):
        source = packed(tmp_path / "d.zip", (name, notebook()), when=(2024, 10, day, 12, 0, 0))
        collect.collect(work, "hmm", source, from_=from_)
        result(work, submissions(work, "hmm")["ada"][-1]["hash"])
        mark(work, "ada,,report,3,,,,")
        return row(work)

    def test_canvas_says_on_time_though_the_download_came_later(self, work, tmp_path):
        found = self.download(work, tmp_path, "lovelaceada_12345_1_hmm.ipynb", "canvas", 20)
        # The time in the zip is the download's, which tells a student nothing.
        assert (found.late_percent, found.total, found.submitted) == (0, 9.0, None)

    def test_canvas_says_late_but_not_by_how_much(self, work, tmp_path):
        name = "lovelaceada_LATE_12345_1_hmm.ipynb"
        found = self.download(work, tmp_path, name, "canvas", 20)
        assert (found.state, found.late_percent, found.total) == ("lateness unknown", None, None)
        late(work, "student,submitted\nada,2024-10-04T12:00+02:00\n")
        assert (row(work).state, row(work).late_percent) == ("graded", 20)

    def test_unknown_lateness_does_not_matter_where_it_costs_nothing(self, tmp_path):
        work = course(tmp_path / "work", late_percent_per_day=0)
        name = "lovelaceada_LATE_12345_1_hmm.ipynb"
        assert self.download(work, tmp_path, name, "canvas", 20).state == "graded"

    def test_extension_that_covers_even_the_download(self, work, tmp_path):
        name = "lovelaceada_LATE_12345_1_hmm.ipynb"
        late(work, "student,extra_hours\nada,48\n")
        found = self.download(work, tmp_path, name, "canvas", 4)
        assert (found.state, found.late_percent) == ("graded", 0)

    MOODLE = "Ada Lovelace_4711_assignsubmission_file_/hmm.ipynb"

    def test_moodle_downloaded_before_the_end_is_on_time(self, work, tmp_path):
        assert self.download(work, tmp_path, self.MOODLE, "moodle", 1).late_percent == 0

    def test_moodle_downloaded_later_says_nothing_until_the_worksheet(self, work, tmp_path):
        assert self.download(work, tmp_path, self.MOODLE, "moodle", 20).state == "lateness unknown"
        work.path("hmm", "moodle.csv").write_text(
            'Identifier,"Full name",Grade,"Last modified (submission)"\n'
            '"Participant 4711",Ada Lovelace,,"Thursday, 3 October 2024, 11:58 PM"\n'
        )
        found = self.download(work, tmp_path, self.MOODLE, "moodle", 21)
        assert (found.late_percent, found.submitted) == (10, "2024-10-03T21:58:00+00:00")
        assert self.download(work, tmp_path, self.MOODLE, "moodle", 22).late_percent == 10


class TestWhatPeopleType:
    @pytest.mark.parametrize(
        "line, says",
        [
            ("ada,,report,9,,,,", r"ada, report: points must be between 0 and 3, got 9"),
            ("ada,,report,-1,,,,", r"between 0 and 3"),
            ("ada,,report,nan,,,,", r"wanted a number like 2\.5, got 'nan'"),
            ('ada,,report,"2,5",,,,', r"wanted a number like 2\.5"),
            ("ada,,forward,1,,,,", r"no question that people mark; known are report"),
            ("adda,,report,1,,,,", r"no student 'adda' in roster\.csv; correct the line"),
        ],
    )
    def test_wrong_line_names_the_file(self, work, line, says):
        mark(work, line)
        with pytest.raises(ValueError, match=r"manual\.csv.*" + says):
            gradebook.rows(work, "hmm")

    def test_only_three_columns_are_needed(self, work, tmp_path):
        result(work, hand_in(work, tmp_path))
        work.path("hmm", "manual.csv").write_text("student,question,points\nada,report,3\n")
        assert row(work).total == 9

    def test_file_that_a_full_disk_left_empty(self, work):
        work.path("hmm", "manual.csv").write_text("")
        assert gradebook.marks(work, "hmm") == {}

    @pytest.mark.parametrize(
        "text, says",
        [
            ("student,hours\nada,5\n", r"must have the columns student and may have extra_hours"),
            ("student,extra_hours\nada,a\n", r"ada, extra_hours: wanted a number"),
            ("student,extra_hours\nada,-5\n", r"extra_hours must be"),
            ("student,extra_hours\neve,5\n", r"no student 'eve'"),
            ("student,extra_hours\nada,5\nada,6\n", r"ada stands there twice"),
            ("student,submitted\nada,2024-10-02 23:00\n", r"with its offset from UTC like 2026"),
            ("student,submitted\nada,yesterday\n", r"with its offset from UTC like 2026"),
        ],
    )
    def test_wrong_late_csv(self, work, text, says):
        late(work, text)
        with pytest.raises(ValueError, match=r"late\.csv.*" + says):
            gradebook.rows(work, "hmm")
