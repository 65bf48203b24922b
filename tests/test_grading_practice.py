"""The made-up class that a release can write."""

import json
import shutil
from pathlib import Path

import pytest

from course_lib.grading import assignment, bundle, files, practice

SOURCE = Path(__file__).parent / "grading_assignments" / "normalize"


@pytest.fixture
def written(tmp_path):
    normalize = assignment.read(SOURCE)
    bundle.build(normalize, tmp_path / "normalize")
    release = tmp_path / "normalize" / "release" / "normalize.ipynb"
    practice.write(normalize, release, tmp_path / "practice")
    return release, tmp_path / "practice"


def sources(path):
    return {cell["id"]: cell["source"] for cell in json.loads(path.read_text())["cells"]}


class TestWrite:
    def test_one_student_for_each_answer(self, written):
        students = {path.name for path in (written[1] / "inbox").iterdir()}
        wrong = {path.stem for path in (SOURCE / "wrong").glob("*.py")}
        assert students == {"reference", "blank"} | wrong

    def test_the_roster_has_them_all(self, written):
        rows = files.read_csv(written[1] / "roster.csv", ("student", "name"))
        assert {row["student"] for row in rows} == {
            p.name for p in (written[1] / "inbox").iterdir()
        }

    def test_blank_is_the_release(self, written):
        release, folder = written
        blank = json.loads((folder / "inbox" / "blank" / "normalize.ipynb").read_text())
        assert blank == json.loads(release.read_text())

    def test_a_wrong_answer_replaces_its_cells_only(self, written):
        inbox = written[1] / "inbox"
        right = sources(inbox / "reference" / "normalize.ipynb")
        wrong = sources(inbox / "softmax" / "normalize.ipynb")
        assert {name for name in right if right[name] != wrong[name]} == {"normalize"}
        assert "np.exp" in wrong["normalize"]

    def test_other_right_answers_are_students_too(self, tmp_path):
        folder = Path(shutil.copytree(SOURCE, tmp_path / "normalize"))
        (folder / "right").mkdir()
        cell = "# grade_id: normalize\ndef normalize(x):\n    return np.array(x) / sum(x)\n"
        (folder / "right" / "by_a_list.py").write_text(f'"""Another way."""\n\n\n{cell}')
        normalize = assignment.read(folder)
        bundle.build(normalize, tmp_path / "built")
        release = tmp_path / "built" / "release" / "normalize.ipynb"
        assert "by_a_list" in practice.write(normalize, release, tmp_path / "practice")
        given = sources(tmp_path / "practice" / "inbox" / "by_a_list" / "normalize.ipynb")
        assert given["normalize"].endswith("np.array(x) / sum(x)")

    def test_an_old_folder_is_left_alone(self, written, tmp_path):
        release, folder = written
        with pytest.raises(ValueError, match="practice exists; name a new folder"):
            practice.write(assignment.read(SOURCE), release, folder)
