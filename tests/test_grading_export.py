"""Grade files as Canvas, Moodle and spreadsheets read them, and refusals to write them.

The importers' rules below are those of the systems' own sources, in Python.
"""

import csv
import hashlib
import json
from datetime import datetime

import pytest
from grading_lms import DIGEST, ROSTER, course, notebook, packed, result

from course_lib.grading import collect, export, gradebook
from course_lib.grading.workspace import submissions

CANVAS = {
    "ada": "lovelaceada_12345_1_hmm.ipynb",
    "bob": "obrienbob_666_2_hmm.ipynb",
    "cho": "lẽchó_77_3_hmm.ipynb",
}
MOODLE = {
    "ada": "Ada Lovelace_4711_assignsubmission_file_/hmm.ipynb",
    "bob": "Bob OBrien_4712_assignsubmission_file_/hmm.ipynb",
}
NUMBERS = {"4711": "ada", "4712": "bob"}
LATER = (2024, 10, 20, 12, 0, 0)


@pytest.fixture
def work(tmp_path):
    return course(tmp_path / "work")


def hand_in(work, tmp_path, names, from_="canvas", points=6.0, marked=True, text="1"):
    """Collect, grade and mark a submission of each of these students."""
    members = [(name, notebook(text + student)) for student, name in names.items()]
    collect.collect(work, "hmm", packed(tmp_path / "d.zip", *members), from_=from_)
    for student in names:
        result(work, hashlib.sha256(notebook(text + student)).hexdigest(), points)
    if marked:
        lines = "".join(f"{student},report,2.5\n" for student in names)
        work.path("hmm", "manual.csv").write_text("student,question,points\n" + lines)


def canvas_import(path):
    """What Canvas' importer makes of a file: title, points possible, grade of each user."""
    head, *lines = csv.reader(path.read_text(encoding="utf-8").splitlines())
    assert len(head) > 3 and "Student" in head[0] and "ID" in head[1]
    assert "Section" in head[2]  # the last column about a person, where no login follows the id
    possible, grades = None, {}
    for line in lines:
        assert len(line) == len(head)
        if "Points Possible" in line[0]:
            possible = line[3]
        else:
            grades[int(line[1])] = line[3]
    return head[3:], possible, grades


def moodle_import(path, participants, most, changed=None):
    """What Moodle's importer makes of a grading worksheet: grade of each user it takes."""
    head, *lines = csv.reader(path.read_text(encoding="utf-8").splitlines())
    number, grade, modified = map(head.index, ("Identifier", "Grade", "Last modified (grade)"))
    assert "Feedback comments" not in head
    taken = {}
    for line in lines:
        user = participants.get(line[number][len("Participant ") :])
        seen = line[modified] and datetime.strptime(line[modified], "%A, %d %B %Y, %I:%M %p")
        newer = (changed or {}).get(user)
        stale = newer and (not seen or newer > seen)
        if user and line[grade] and 0 <= float(line[grade]) <= most and not stale:
            taken[user] = float(line[grade])
    return taken


class TestCanvas:
    def test_importer_finds_every_grade(self, work, tmp_path):
        hand_in(work, tmp_path, CANVAS)
        path = export.export(work, "hmm", "canvas")
        assert path == work.path("hmm", "grades-canvas.csv")
        titles, possible, grades = canvas_import(path)
        assert (titles, possible) == (["Hidden Markov models"], "10")
        assert grades == {12345: "8.5", 666: "8.5", 77: "8.5"}

    def test_who_has_no_grade_has_no_row_so_that_none_is_deleted(self, work, tmp_path):
        hand_in(work, tmp_path, {"ada": CANVAS["ada"]})
        assert canvas_import(export.export(work, "hmm", "canvas"))[2] == {12345: "8.5"}

    def test_two_digits(self, work, tmp_path):
        hand_in(work, tmp_path, CANVAS, points=2 / 3)
        assert set(canvas_import(export.export(work, "hmm", "canvas"))[2].values()) == {"3.17"}

    def test_student_without_number_is_named(self, work, tmp_path):
        hand_in(work, tmp_path, CANVAS)
        (work.root / "roster.csv").write_text(ROSTER.replace("666", ""))
        with pytest.raises(ValueError, match=r"roster\.csv has no canvas_id .*: bob"):
            export.export(work, "hmm", "canvas")

    def test_name_that_is_a_formula_is_text(self, work, tmp_path):
        (work.root / "roster.csv").write_text(ROSTER.replace("Ada Lovelace", "=cmd()"))
        hand_in(work, tmp_path, CANVAS)
        assert "\n'=cmd()," in export.export(work, "hmm", "canvas").read_text()


class TestMoodle:
    def worksheet(self, work, numbers, graded="-"):
        names = {"4711": "Ada Lovelace", "4712": "Bob O'Brien", "4713": "Chó Lẽ"}
        lines = "".join(
            f'"Participant {n}","{names.get(n, n)}",,,"Wednesday, 2 October 2024, 11:00 PM",'
            f'"{graded}",old\n'
            for n in numbers
        )
        work.path("hmm", "moodle.csv").write_text(
            'Identifier,"Full name","Email address",Grade,"Last modified (submission)",'
            '"Last modified (grade)","Feedback comments"\n' + lines
        )

    def test_numbers_of_the_download_suffice(self, work, tmp_path):
        hand_in(work, tmp_path, MOODLE, from_="moodle")
        path = export.export(work, "hmm", "moodle")
        assert moodle_import(path, NUMBERS, most=10) == {"ada": 8.5, "bob": 8.5}

    def test_numbers_of_the_worksheet_for_work_from_elsewhere(self, work, tmp_path):
        hand_in(work, tmp_path, {"ada": "ada.ipynb"}, from_="folder")
        with pytest.raises(ValueError, match=r"download the grading worksheet.*moodle\.csv.*: ada"):
            export.export(work, "hmm", "moodle")
        self.worksheet(work, NUMBERS)
        path = export.export(work, "hmm", "moodle")
        assert moodle_import(path, NUMBERS, most=10) == {"ada": 8.5}

    def test_grade_changed_in_moodle_since_the_worksheet_is_kept(self, work, tmp_path):
        hand_in(work, tmp_path, MOODLE, from_="moodle")
        self.worksheet(work, NUMBERS, "Friday, 4 October 2024, 9:00 AM")
        path = export.export(work, "hmm", "moodle")
        before, after = datetime(2024, 10, 4, 8), datetime(2024, 10, 5)
        changed = {"ada": before, "bob": after}
        assert moodle_import(path, NUMBERS, 10, changed) == {"ada": 8.5}

    def test_number_in_the_roster_of_another_assignment_is_not_used(self, tmp_path):
        work = course(tmp_path / "work", ROSTER.replace("12345,", "12345,31"))
        hand_in(work, tmp_path, {"ada": MOODLE["ada"]}, from_="moodle")
        assert "Participant 4711" in export.export(work, "hmm", "moodle").read_text()

    def test_number_in_the_roster_where_nothing_else_says_it(self, tmp_path):
        work = course(tmp_path / "work", ROSTER.replace("12345,", "12345,31"))
        hand_in(work, tmp_path, {"ada": "ada.ipynb"}, from_="folder")
        assert "Participant 31" in export.export(work, "hmm", "moodle").read_text()

    def test_two_participants_of_one_name_are_nobody(self, work, tmp_path):
        hand_in(work, tmp_path, {"ada": "ada.ipynb"}, from_="folder")
        self.worksheet(work, NUMBERS)
        sheet = work.path("hmm", "moodle.csv")
        sheet.write_text(sheet.read_text().replace("Bob O'Brien", "Ada Lovelace"))
        with pytest.raises(ValueError, match=r"nobody knows which participant .*: ada"):
            export.export(work, "hmm", "moodle")

    def test_number_in_the_roster_decides_between_two_of_one_name(self, tmp_path):
        roster = "student,name,moodle_id\na1,Ada Lovelace,4711\na2,Ada Lovelace,4712\n"
        work = course(tmp_path / "work", roster)
        names = {"a1": MOODLE["ada"], "a2": MOODLE["ada"].replace("4711", "4712")}
        hand_in(work, tmp_path, names, from_="moodle")
        path = export.export(work, "hmm", "moodle")
        assert moodle_import(path, {"4711": "a1", "4712": "a2"}, 10) == {"a1": 8.5, "a2": 8.5}


class TestTables:
    def test_csv_has_everybody_and_each_question(self, work, tmp_path):
        hand_in(work, tmp_path, {"ada": CANVAS["ada"]})
        rows = list(csv.DictReader(export.export(work, "hmm", "csv").read_text().splitlines()))
        assert [row["student"] for row in rows] == ["ada", "bob", "cho"]
        ada, bob, _ = rows
        wanted = {"forward": "4", "viterbi": "2", "report": "2.5", "automatic": "6"}
        assert ada == ada | wanted | {"late_percent": "0", "total": "8.5", "max": "10"}
        assert bob["state"] == "no submission" and bob["total"] == bob["forward"] == ""

    def test_json_is_the_gradebook(self, work, tmp_path):
        hand_in(work, tmp_path, {"ada": CANVAS["ada"]})
        table = json.loads(export.export(work, "hmm", "json", tmp_path / "g.json").read_text())
        assert (table["assignment"], table["digest"]) == ("hmm", DIGEST) and len(table["rows"]) == 3
        assert table["rows"][0]["manual"]["report"]["points"] == 2.5
        assert table["rows"][0]["total"] == 8.5 and table["rows"][1]["total"] is None


class TestRefusals:
    def refused(self, work, *told, **options):
        before = set(work.path("hmm").iterdir())
        with pytest.raises(export.ExportRefused) as error:
            export.export(work, "hmm", "csv", **options)
        assert set(work.path("hmm").iterdir()) == before
        for text in told:
            assert text in str(error.value)

    def test_fault_of_the_machine(self, work, tmp_path):
        hand_in(work, tmp_path, CANVAS)
        newest = submissions(work, "hmm")["bob"][-1]["hash"]
        for file in work.path("hmm", "results", newest).iterdir():
            file.unlink()
        result(work, newest, infrastructure="worker lost")
        told = "infrastructure error: bob: the machine failed, not the student"
        self.refused(work, told, "course-grade run hmm")
        self.refused(work, told, allow_unreviewed=True)

    def test_not_run(self, work, tmp_path):
        hand_in(work, tmp_path, CANVAS)
        hand_in_more = packed(tmp_path / "e.zip", (CANVAS["cho"], notebook("later")), when=LATER)
        collect.collect(work, "hmm", hand_in_more)
        self.refused(work, "not run: cho: run `course-grade run hmm`")

    def test_unmarked_answers_unless_allowed(self, work, tmp_path):
        hand_in(work, tmp_path, CANVAS, marked=False)
        self.refused(work, "awaiting review: ada, bob, cho: ", "--allow-unreviewed")
        path = export.export(work, "hmm", "canvas", allow_unreviewed=True)
        assert canvas_import(path)[2][12345] == "6"

    def test_mark_of_an_earlier_submission(self, work, tmp_path):
        hand_in(work, tmp_path, CANVAS)
        mark = (
            "student,question,points,submission\nada,report,2,0123\nbob,report,1,\ncho,report,1,\n"
        )
        work.path("hmm", "manual.csv").write_text(mark)
        self.refused(work, "stale review: ada: marked before they handed in again")

    def test_unknown_lateness(self, work, tmp_path):
        late = {"ada": CANVAS["ada"].replace("_1", "_LATE_1", 1)}
        members = [(name, notebook("1" + student)) for student, name in late.items()]
        collect.collect(work, "hmm", packed(tmp_path / "l.zip", *members, when=LATER))
        result(work, hashlib.sha256(notebook("1ada")).hexdigest())
        work.path("hmm", "manual.csv").write_text("student,question,points\nada,report,2\n")
        self.refused(
            work, "lateness unknown: ada: ", "add a line student,submitted to ", "late.csv"
        )

    def test_many_are_counted_not_listed(self, tmp_path):
        roster = "student,name\n" + "".join(f"s{i:03},Name {i}\n" for i in range(45))
        work = course(tmp_path / "work", roster)
        names = {f"s{i:03}": f"s{i:03}.ipynb" for i in range(45)}
        hand_in(work, tmp_path, names, from_="folder", marked=False)
        self.refused(work, "s019 and 25 more")

    def test_nothing_to_export(self, work):
        with pytest.raises(ValueError, match="no grade to export; collect submissions"):
            export.export(work, "hmm", "canvas")

    def test_unknown_format(self, work):
        with pytest.raises(ValueError, match="known are canvas, moodle, csv, json"):
            export.export(work, "hmm", "xlsx")

    def test_every_state_without_a_grade_has_a_remedy(self):
        unfinished = set(gradebook.STATES) - {gradebook.GRADED, gradebook.MISSING}
        assert set(export._REMEDIES) == unfinished
