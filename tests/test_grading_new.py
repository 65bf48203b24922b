"""A new assignment is released as it stands; one from nbgrader says what is left to do."""

import nbformat
import pytest

from course_lib.grading import assignment, bundle, nbgrader_import, selftest, template

pytest_plugins = "tests.grading_support"
v4 = nbformat.v4


def marked(cell, name, **marks):
    cell.metadata["nbgrader"] = {"grade_id": name, "schema_version": 3, "grade": False, **marks}
    return cell


def answer(source, name="mean", **marks):
    return marked(v4.new_code_cell(source), name, solution=True, **marks)


def nbgrader_test(source, name="test_mean", points=2):
    return marked(v4.new_code_cell(source), name, grade=True, points=points, locked=True)


MEAN = "def mean(x):\n    ### BEGIN SOLUTION\n    return sum(x) / len(x)\n    ### END SOLUTION"
TESTS = """assert mean([1, 3]) == 2
### BEGIN HIDDEN TESTS
assert mean([2, 3]) == 2.5
### END HIDDEN TESTS"""


@pytest.fixture
def convert(tmp_path):
    """Write a notebook of these cells and convert it; the name says which file."""

    def run(*cells):
        path = tmp_path / "source" / "sums.ipynb"
        path.parent.mkdir()
        nbformat.write(v4.new_notebook(cells=list(cells)), path)
        return nbgrader_import.convert(path, "01_sums", tmp_path / "assignments")

    return run


class TestNew:
    def test_is_released_as_it_stands(self, tmp_path, sandbox_kind):
        source = assignment.read(template.new("02_spread", tmp_path))
        made = bundle.build(source, tmp_path / "out")
        release = tmp_path / "out" / "release" / "02_spread.ipynb"
        assert selftest.run(source, made, release, sandbox_kind, b"secret" * 6) == []

    def test_takes_its_title_from_the_name(self, tmp_path):
        source = assignment.read(template.new("02_recurrent-cell", tmp_path))
        assert source.config.title == "Recurrent cell"
        assert source.cells[0].source.startswith("# Recurrent cell")

    @pytest.mark.parametrize("name", ["", "../x", "a b", "-x", "x" * 61])
    def test_refuses_a_bad_name(self, tmp_path, name):
        with pytest.raises(ValueError, match="cannot be the name of an assignment"):
            template.new(name, tmp_path)
        assert list(tmp_path.iterdir()) == []

    def test_leaves_a_folder_that_is_there_alone(self, tmp_path):
        (tmp_path / "hmm").mkdir()
        with pytest.raises(ValueError, match="is there already"):
            template.new("hmm", tmp_path)
        assert list((tmp_path / "hmm").iterdir()) == []

    def test_leaves_nothing_behind_if_writing_fails(self, tmp_path):
        with pytest.raises(UnicodeEncodeError):
            template.write("hmm", tmp_path, {"a.md": "fine", "b.md": "\udc80"})
        assert list(tmp_path.iterdir()) == []


class TestFromNbgrader:
    def test_keeps_solution_name_and_place_of_the_test(self, convert):
        made = convert(v4.new_markdown_cell("# Sums"), answer(MEAN), nbgrader_test(TESTS))
        text = (made.folder / "assignment.md").read_text()
        assert ":grade_id: mean\n:role: answer" in text
        assert "### BEGIN SOLUTION\n    return sum(x) / len(x)" in text
        assert text.index(":role: answer") < text.index(":role: check\n:question: mean")
        assert 'title = "Sums"' in (made.folder / "config.toml").read_text()

    def test_tests_arrive_as_comments_with_question_and_points(self, convert):
        made = convert(answer(MEAN), nbgrader_test(TESTS))
        text = (made.folder / "checks.py").read_text()
        assert "#     assert mean([2, 3]) == 2.5" in text
        assert '# @check("mean", points=2)' in text
        code = [line for line in text.splitlines() if line and not line.startswith("#")]
        assert code[1:] == [
            "import numpy as np",
            "from course_lib.grading.checks import check, close",
        ]
        assert any("rewrite this test of mean, worth 2," in line for line in made.todo)

    def test_is_refused_until_somebody_writes_a_check_and_accepted_then(self, convert):
        made = convert(answer(MEAN), nbgrader_test(TESTS))
        with pytest.raises(ValueError, match=r"checks.py: has no check"):
            assignment.read(made.folder)
        with open(made.folder / "checks.py", "a") as file:
            file.write('\n\n@check("mean", 2)\ndef two(student):\n    """Two numbers."""\n')
            file.write("    close(student.mean([1, 3]), 2.0)\n")
        (question,) = assignment.read(made.folder).questions
        assert question.points == 2

    def test_written_answer_keeps_points_and_becomes_a_solution(self, convert):
        essay = marked(v4.new_markdown_cell("Because."), "why", grade=True, solution=True, points=3)
        made = convert(essay)
        assert "### BEGIN SOLUTION\nBecause." in (made.folder / "assignment.md").read_text()
        config = (made.folder / "config.toml").read_text()
        assert 'question = "why"\npoints = 3' in config
        assert any("rubric" in line for line in made.todo)

    def test_task_gets_a_cell_for_its_answer_and_its_mark_scheme_a_rubric(self, convert):
        text = "Plot it.\n### BEGIN MARK SCHEME\n1 point for axes\n### END MARK SCHEME"
        made = convert(marked(v4.new_markdown_cell(text), "plot", task=True, points=1))
        assert "1 point for axes" in (made.folder / "config.toml").read_text()
        released = (made.folder / "assignment.md").read_text()
        assert "Plot it." in released and "1 point for axes" not in released
        assert '"grade_id": "plot", "role": "written"' in released

    def test_solution_without_marks_is_withheld_and_named(self, convert):
        made = convert(answer("secret = 1"))
        text = (made.folder / "assignment.md").read_text()
        assert "### BEGIN SOLUTION\nsecret = 1\n### END SOLUTION" in text
        assert any("has no ### BEGIN SOLUTION" in line for line in made.todo)
        assert any("mean: nothing marks it" in line for line in made.todo)

    def test_magics_are_commented_out_and_named(self, convert):
        made = convert(v4.new_code_cell("%matplotlib inline\n!ls"), answer(MEAN))
        text = (made.folder / "assignment.md").read_text()
        assert "# %matplotlib inline\n# !ls" in text
        assert any("commented out" in line for line in made.todo)

    def test_names_are_made_single_and_plain(self, convert):
        made = convert(answer(MEAN, "a b"), answer(MEAN.replace("mean", "m"), "a-b"))
        text = (made.folder / "assignment.md").read_text()
        assert ":grade_id: a-b\n" in text and ":grade_id: a-b-2\n" in text
        assert sum("is called" in line for line in made.todo) == 2

    def test_files_beside_the_notebook_are_named(self, convert, tmp_path):
        (tmp_path / "source").mkdir()
        (tmp_path / "source" / "readings.csv").write_text("1")
        (tmp_path / "source").rename(tmp_path / "kept")
        path = tmp_path / "kept" / "sums.ipynb"
        nbformat.write(v4.new_notebook(cells=[answer(MEAN)]), path)
        made = nbgrader_import.convert(path, "01_sums", tmp_path / "assignments")
        assert any("readings.csv" in line for line in made.todo)
        assert "readings.csv" in (made.folder / "TODO.md").read_text()

    @pytest.mark.parametrize(
        "content, message",
        [
            (None, "no such file"),
            ("{", "not a notebook"),
            ('{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": 3}', "not a notebook"),
            (nbformat.writes(v4.new_notebook(cells=[v4.new_code_cell("1")])), "no cell has"),
        ],
    )
    def test_refuses_what_is_no_source_notebook(self, tmp_path, content, message):
        path = tmp_path / "x.ipynb"
        if content is not None:
            path.write_text(content)
        with pytest.raises(ValueError, match=message) as error:
            nbgrader_import.convert(path, "x", tmp_path / "assignments")
        assert str(path) in str(error.value) and "\n" not in str(error.value)
        assert not (tmp_path / "assignments").exists()
