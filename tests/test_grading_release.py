"""What is released: a notebook that runs with NumPy alone, and only if the self-test found nothing.

The refusals are tried with a grader without walls, in this process, which is quick; one release
goes through the real sandbox.
"""

import contextlib
import json
import shutil
import traceback
from pathlib import Path

import nbclient
import nbformat
import pytest

from course_lib.grading import assignment, bundle, grader, handout, here, odd, selftest
from course_lib.grading.checks import run_check, visible_rng
from course_lib.grading.workspace import Workspace

pytest_plugins = "tests.grading_support"
SOURCE = Path(__file__).parent / "grading_assignments" / "normalize"


@pytest.fixture
def folder(tmp_path):
    return Path(shutil.copytree(SOURCE, tmp_path / "normalize"))


def spoil(folder, name, *changes):
    path = folder / name
    text = path.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path.write_text(text)


def grade_here(data, made, kind, secret, student=""):
    """What grader.grade would say of an honest notebook."""
    space, cells = {}, []
    with made.solution._lock, contextlib.chdir(made.folder):  # self-tests use several threads
        for cell in json.loads(data)["cells"]:
            role = cell["metadata"]["state_by_state"]["role"]
            if role in ("locked", "answer"):
                status = message = ""
                try:
                    exec("".join(cell["source"]), space)
                except Exception:
                    status, message = "error", traceback.format_exc(limit=0)
                cells.append({"id": cell["id"], "status": status or "ok", "message": message})
    result = {"infrastructure": None, "cells": cells, "flags": [], "questions": []}
    for question in made.manifest.questions:
        entries = []
        for check in made.checks:
            if check.question == question.name:
                rng = visible_rng(check.name + secret.hex())
                try:
                    outcome = run_check(check, here.Here(space), made.solution, rng)
                except Exception as error:
                    return result | {"infrastructure": repr(error), "points": None}
                entry = vars(outcome) | {"name": check.name, "max": check.points}
                entries.append(entry)
        points = sum(entry["points"] for entry in entries)
        entry = {"name": question.name, "points": points, "max": question.points}
        result["questions"].append(entry | {"manual": question.manual, "checks": entries})
    result["points"] = sum(question["points"] for question in result["questions"])
    return result


@pytest.fixture
def problems(folder, tmp_path, monkeypatch):
    """A function that gives the self-test's problems of the folder."""
    monkeypatch.setattr(selftest.grader, "grade", grade_here)

    def of():
        a = assignment.read(folder)
        made = bundle.build(a, tmp_path / "built")
        notebook = tmp_path / "built" / "release" / "normalize.ipynb"
        steps = []
        found = selftest.run(
            a, made, notebook, "none", b"s" * 32, lambda done, total: steps.append((done, total))
        )
        others = len(a.right) + len(a.wrong)
        assert steps[-1][0] == steps[-1][1] == len(steps) == 3 + 1 + 3 * others
        assert all("\n" not in problem for problem in found)
        return found

    return of


def only(problems):
    (one,) = problems
    return one


HEAD = '@check("running_mean", points=1, hidden=True)\ndef long_series(student, solution, rng):\n'


class TestSelfTest:
    def test_finds_nothing_in_the_small_assignment(self, problems):
        assert problems() == []

    def test_weakened_check(self, folder, problems):
        old = "close(student.running_mean(hidden_series), solution.running_mean(hidden_series))"
        new = "is_true(len(array(student.running_mean(hidden_series), (None,))) > 0, 'empty')"
        spoil(folder, "checks.py", (old, new), ("import array", "import is_true, array"))
        spoil(folder, "wrong/one_too_many.py", ("1.75", "0.75"))
        spoil(folder, "wrong/plain_mean.py", ("=2", "=2"))
        assert problems() == []  # plain_mean is a number: this check still fails it
        shutil.rmtree(folder.parent / "built")
        spoil(folder, "checks.py", ("is_true(len(array(", "is_true(((("))
        spoil(folder, "checks.py", (", (None,))) > 0", ")) is not None)"))
        found = problems()
        assert any(p.startswith("check long_series: no file in wrong/ fails it") for p in found)

    @pytest.mark.parametrize(
        "name, old, new, problem",
        [
            ("softmax", "normalize=1", "normalize=2", "loses 1 points of normalize, its first"),
            ("softmax", "normalize=1", "running_mean=1", "loses 1 points of normalize, its first"),
            ("softmax", "normalize=1", "normalize=1, running_mean=1", "loses 0 points of running"),
            ("one_too_many", "1.75", "1.5", "loses 1.75 points of running_mean"),
        ],
    )
    def test_wrong_answer_that_loses_other_points(self, folder, problems, name, old, new, problem):
        spoil(folder, f"wrong/{name}.py", (old, new))
        found = problems()
        assert found and all(p.startswith(f"wrong/{name}.py loses") for p in found)
        assert any(problem in p for p in found)

    def test_wrong_answer_that_is_right(self, folder, problems):
        spoil(folder, "wrong/softmax.py", ("np.exp(x) / np.exp(x).sum()", "x / sum(x)"))
        assert "loses 0 points of normalize" in only(problems())

    def test_reference_that_fails(self, folder, problems):
        spoil(folder, "checks.py", ("[1.0, 1.5, 3.0]", "[1.0, 1.5, 3.5]"))
        found = problems()
        assert any(
            "check mean_of_three: the reference does not pass it (failed" in p for p in found
        )

    @pytest.mark.parametrize(
        "body, problem",
        [
            ("np.array(x) / sum(x)", ""),
            ("list(x / sum(x))", "check proportions_stay: right/other.py does not pass it (failed"),
        ],
    )
    def test_other_right_answers_lose_nothing(self, folder, problems, body, problem):
        (folder / "right").mkdir()
        cell = f"# grade_id: normalize\ndef normalize(x):\n    return {body}\n"
        (folder / "right" / "other.py").write_text(f'"""Another way."""\n\n\n{cell}')
        found = problems()
        assert any(p.startswith(problem) for p in found) if problem else found == []

    def test_right_answer_that_stops_a_run_of_all_cells(self, folder, problems):
        (folder / "right").mkdir()
        cell = "# grade_id: normalize\ndef normalize(x):\n    return x / x.sum()\n\n\n1 / 0\n"
        (folder / "right" / "other.py").write_text(f'"""Another way."""\n\n\n{cell}')
        assert only(problems()).startswith("right/other.py: cell normalize ends with error")

    def test_blank_with_points_unless_declared(self, folder, problems):
        spoil(
            folder,
            "assignment.md",
            ("    ### BEGIN SOLUTION\n    total_weight = np.sum(x)\n", "    total = np.sum(x)\n"),
            ("return x / total_weight", "return x / total\n    ### BEGIN SOLUTION"),
        )
        assert only(problems()).startswith("the blank notebook gets 2 points (weights_sum_to_one, ")
        shutil.rmtree(folder.parent / "built")
        spoil(folder, "config.toml", ("[limits]", "floor = 2\n\n[limits]"))
        assert problems() == []

    def test_blank_that_stops_a_run_of_all_cells(self, folder, problems):
        spoil(folder, "assignment.md", ("## Running", LOOP))
        spoil(folder, "config.toml", ("[[manual]]", '[[manual]]\nquestion = "loop"\n' + RUBRIC))
        assert "the blank notebook: cell loop ends with error" in only(problems())

    def test_check_that_breaks_on_odd_answers(self, folder, problems):
        old = "array(student.running_mean(hidden_drift), (6,))"
        spoil(folder, "checks.py", (old, "student.running_mean(hidden_drift)"))
        found = problems()
        assert any(p.startswith("check ends_right: raises TypeError") for p in found)
        # Here a wrong answer breaks it as well, and is told.
        assert any("wrong/plain_mean.py could not be marked" in p for p in found)

    @pytest.mark.parametrize(
        "body",
        [
            "is_true(student.running_mean(np.ones(3)).shape == (3,), 'm')",
            "is_true(len(student.running_mean(np.ones(3))) == 3, 'm')",
            "is_true(bool(student.running_mean(np.ones(3)) > 0), 'm')",
            "is_true(abs(student.running_mean(np.ones(3))[0] - 1) < 1e-9, 'm')",
            "array(student.running_mean(np.ones(3)), (None,))[2]",
            "solution.normalize(student.running_mean(np.ones(3)))",
            "return float(array(student.running_mean(np.ones(3)), (3,), finite=False)[0])",
            "a, b = student.running_mean(np.ones(3))[:2]",
            "sorted(student.running_mean(np.ones(3)))",
            "student.normalize.value[0]",
        ],
    )
    def test_fragile_bodies(self, folder, body, tmp_path):
        self.replace_long_series(folder, body)
        made = bundle.build(assignment.read(folder), tmp_path / "built")
        problem = only(selftest.fragile(made))
        assert problem.startswith("check long_series: raises ")
        assert "if the student's code gives" in problem

    def test_fragile_behind_a_right_answer(self, folder, tmp_path):
        right = "close(student.running_mean(np.ones(3)), np.ones(3))"
        self.replace_long_series(folder, f"{right}\n    student.running_mean(np.ones(4))[3] + 1")
        made = bundle.build(assignment.read(folder), tmp_path / "built")
        problem = only(selftest.fragile(made))
        assert problem.startswith("check long_series: raises TypeError")
        assert "gives None after 1 right answers" in problem

    @pytest.mark.parametrize(
        "source, told",
        [
            ("import random", "random"),
            ("from random import choice", "random"),
            ("from numpy.random import rand", "numpy.random"),
            ("X = np.random.rand(3)", "np.random.rand"),
            ("X = np.random.default_rng().normal()", "np.random.default_rng"),
            ("def helper():\n    np.random.shuffle([1])", "np.random.shuffle"),
        ],
    )
    def test_chance_that_cannot_be_repeated(self, folder, source, told):
        spoil(folder, "checks.py", ("def positive_numbers", f"{source}\n\n\ndef positive_numbers"))
        problem = only(selftest.chances(assignment.read(folder)))
        assert f": {told} gives other numbers on every run" in problem

    @pytest.mark.parametrize(
        "body, points, answer",
        [
            ("student.running_mean(np.ones(3))", "1", "None"),
            ("return 0.5 if student.running_mean(np.ones(3)) else 0", "0.5", "nested nonsense"),
        ],
    )
    def test_points_for_nonsense(self, folder, body, points, answer, tmp_path):
        self.replace_long_series(folder, body)
        made = bundle.build(assignment.read(folder), tmp_path / "built")
        assert only(selftest.fragile(made)) == (
            f"check long_series: gives {points} points if the student's code gives {answer}"
        )

    @pytest.mark.parametrize(
        "message", ["f'{hidden_series}'", "str(rng)", "'a' + 'b'", "'%s' % 3", "message=f'{rng}'"]
    )
    def test_messages_of_hidden_checks_are_fixed_texts(self, folder, message):
        for name, start in (("is_true", "is_true(True, "), ("CheckFailed", "raise CheckFailed(")):
            if "message=" in message and name == "CheckFailed":
                continue
            shutil.copy(SOURCE / "checks.py", folder / "checks.py")
            self.replace_long_series(folder, f"hidden_series = 3\n    {start}{message})")
            problem = only(selftest.fixed_texts(assignment.read(folder)))
            assert "it must be a fixed text; put values into detail=" in problem

    def test_messages_of_helpers_of_hidden_checks_too(self, folder):
        self.replace_long_series(folder, "helper(rng)\n\n\ndef helper(x):\n    is_true(1, str(x))")
        assert len(selftest.fixed_texts(assignment.read(folder))) == 1
        spoil(folder, "checks.py", ("helper(rng)", "is_true(0, 'a', detail=str(rng))"))
        assert selftest.fixed_texts(assignment.read(folder)) == []

    def replace_long_series(self, folder, body):
        text = (folder / "checks.py").read_text()
        begin = text.index(HEAD) + len(HEAD)
        end = text.index("\n\n\n@check", begin)
        text = text[:begin] + f'    """Title."""\n    {body}' + text[end:]
        text = text.replace("import array", "import CheckFailed, is_true, array")
        (folder / "checks.py").write_text(text)


LOOP = """
```{code-cell} ipython3
:grade_id: loop
:role: answer

for i in range(2):
    ### BEGIN SOLUTION
    print(i)
    ### END SOLUTION
```

## Running"""
RUBRIC = """points = 1
rubric = [{points = 1, text = "Prints."}]

[[manual]]
"""


class TestLeaks:
    @pytest.mark.parametrize(
        "where, text, problem",
        [
            ("## Normalise", "the name is `proportions_stay`", "name of the hidden check proport"),
            (
                "## Normalise",
                "Every entry is divided by the same sum.",
                "checks.py (proportions_st",
            ),
            ("## Normalise", "    hidden_weights=rng.uniform( 0.1,5, size=11)", "checks.py (prop"),
            ("## Normalise", "> hidden_drift = -rng.exponential(size=6)", "checks.py (ends_right)"),
            ("## Normalise", "as in `counts_so_far = np.arange(1, len(x) + 1)`", "running_mean"),
            ("## Normalise", "Each new value has the weight 1/n, which shrinks while", ""),
            (
                "## Normalise",
                "Each new value has the weight 1/n, which shrinks while n grows.",
                "rep",
            ),
            ('np.loadtxt("data/readings.txt")', "# return np.cumsum(x) / counts_so_far", "run"),
        ],
    )
    def test_hidden_text_in_the_notebook(self, folder, problems, where, text, problem):
        spoil(folder, "assignment.md", (where, f"{where}\n\n{text}"))
        found = problems()
        if problem:
            assert problem in only(found) and "stands in the notebook for students" in found[0]
        else:
            assert found == []

    def test_solution_in_a_visible_check(self, folder, problems):
        new = "counts_so_far = np.arange(1, len(x) + 1)\n    distribution("
        spoil(folder, "checks.py", ("    distribution(", f"    x = np.ones(3)\n    {new}"))
        assert "a line of the solution of running_mean" in only(problems())

    def test_table_for_hidden_checks_only(self, folder, problems):
        spoil(
            folder,
            "checks.py",
            ("def positive", "EXPECTED = [0.125, 0.25, 0.625]\n\n\ndef positive"),
        )
        assert problems() == []
        shutil.rmtree(folder.parent / "built")
        spoil(folder, "assignment.md", ("## Normalise", "EXPECTED = [0.125, 0.25, 0.625]"))
        assert "a line of checks.py (what no visible check uses)" in only(problems())

    def test_notebook_that_was_built_wrongly(self, folder, problems, monkeypatch):
        """A mistake of ours, not of the author's."""
        monkeypatch.setattr(handout, "_emptied", lambda cell: cell.source)
        found = problems()
        assert sum("a line of the solution of" in p for p in found) >= 3
        assert any("the blank notebook gets 4 points" in p for p in found)


class TestHandout:
    def cells(self, folder):
        made = handout.cells(assignment.read(folder))
        return {cell.id: cell for cell in made}

    def test_answers_are_emptied(self, folder):
        cells = self.cells(folder)
        assert cells["normalize"].source == (
            "def normalize(x):\n"
            '    """Return positive weights that sum to one, in the proportions of x."""\n'
            "    # YOUR CODE HERE\n"
            "    raise NotImplementedError"
        )
        assert cells["report"].source == "*Your answer here.*"
        assert cells["normalize"].names == ("normalize",)

    def test_check_cells_hold_what_visible_checks_need(self, folder):
        cells = self.cells(folder)
        assert list(cells).index("checks") == list(cells).index("check-normalize") - 1
        assert cells["check-normalize"].source.startswith(
            "%%check normalize\ndef positive_numbers("
        )
        assert cells["check-running_mean"].source.startswith(
            "%%check running_mean\nimport numpy as"
        )
        text = "".join(cell.source for name, cell in cells.items() if name != "checks")
        assert "hidden" not in text and "course_lib" not in text

    def test_helpers_of_helpers_come_along_and_others_do_not(self, folder):
        spoil(
            folder,
            "checks.py",
            ("def positive_numbers", HELPERS + "def positive_numbers"),
            ("return rng.uniform(0.1, 5, size=size)", "return rng.uniform(LOW, high(), size=size)"),
        )
        source = self.cells(folder)["check-normalize"].source
        assert source.startswith(
            "%%check normalize\nfrom math import pi as circle\n\n\nLOW, UNUSED = 0.1, 3\n\n\n"
            "class Bound:\n"
        )
        assert "def high" in source and "FOR_HIDDEN" not in source

    def test_constants_made_in_steps_come_whole(self, folder):
        steps = "LOW = [0.1, 5]\nLOW = LOW[::-1]\nLOW[1] += 0.1\nOTHER = [1]\nOTHER[0] = 2"
        spoil(
            folder,
            "checks.py",
            ("def positive_numbers", f"{steps}\n\n\ndef positive_numbers"),
            ("return rng.uniform(0.1, 5, size=size)", "return rng.uniform(*LOW, size=size)"),
        )
        source = self.cells(folder)["check-normalize"].source
        lines = [line for line in source.splitlines() if line.startswith(("LOW", "OTHER"))]
        assert lines == steps.splitlines()[:3]

    @pytest.mark.parametrize(
        "old, new, message",
        [
            ("import numpy as np", "import numpy as np\nimport pytest", None),
            (
                "    distribution(",
                "    scipy\n    distribution(",
                "uses scipy, which students may not",
            ),
            (
                "    distribution(",
                "    hmm\n    distribution(",
                "uses course_lib, which students may",
            ),
            (
                "    distribution(",
                "    long_series\n    distribution(",
                "uses the hidden check long_",
            ),
        ],
    )
    def test_visible_checks_need_numpy_only(self, folder, old, new, message):
        extra = "import nbformat as scipy\nfrom course_lib import hmm\n" if message else ""
        spoil(
            folder,
            "checks.py",
            (old, new),
            ("from course_lib.grading", f"{extra}from course_lib.grading"),
        )
        if message is None:
            self.cells(folder)
            return
        message = message.replace("scipy", "nbformat", 1)
        with pytest.raises(ValueError, match=message):
            self.cells(folder)

    def test_is_a_valid_notebook_without_outputs(self, folder):
        a = assignment.read(folder)
        text = handout.notebook(a, handout.cells(a))
        notebook = nbformat.reads(text, as_version=4)
        nbformat.validate(notebook)
        assert text == nbformat.writes(notebook) + "\n"
        for cell in notebook.cells:
            assert cell.metadata.nbgrader.grade_id == cell.id
            assert cell.metadata.nbgrader.schema_version == 3
            assert cell.get("outputs", []) == []


HELPERS = """from math import pi as circle

LOW, UNUSED = 0.1, 3
FOR_HIDDEN = 4


class Bound:
    high = circle


def high():
    return Bound.high


"""


class TestNotebook:
    """The student's side: a kernel with NumPy, nothing of ours."""

    def run(self, tmp_path, answers):
        made = bundle.build(assignment.read(SOURCE), tmp_path)
        path = made.folder.parent / "release" / "normalize.ipynb"
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            cell.source = answers.get(cell.id, cell.source)
        last = "import sys\nprint([m for m in sys.modules if m.startswith('course_lib')])"
        notebook.cells.append(nbformat.v4.new_code_cell(last + "\nprint(check, distribution)"))
        spare = "check = close = np = np.array = None" if answers else ""
        notebook.cells.append(nbformat.v4.new_code_cell(spare))
        resources = {"metadata": {"path": str(path.parent)}}
        nbclient.NotebookClient(
            notebook, kernel_name="python3", resources=resources, allow_errors=True
        ).execute()
        return {
            cell.id: cell.outputs for cell in notebook.cells if cell.cell_type == "code"
        }, notebook

    def lines(self, outputs):
        assert all(output.output_type == "stream" and output.name == "stdout" for output in outputs)
        return "".join(output.text for output in outputs).splitlines()

    def test_empty_one_says_so_kindly_and_raises_nothing(self, tmp_path):
        outputs, notebook = self.run(tmp_path, {})
        assert self.lines(outputs["check-normalize"]) == [
            "✗ The weights are positive and sum to one: not answered yet [0/1]"
        ]
        assert self.lines(outputs["check-running_mean"]) == [
            "✗ The running mean of 1, 2, 6 is 1, 1.5, 3: not answered yet [0/0.5]"
        ]
        last = notebook.cells[-2].outputs
        assert last[0].text == "[]\n"  # nothing of course_lib is there
        assert last[1].ename == "NameError"  # nor are the tools among the student's names

    def test_right_one_passes(self, tmp_path):
        answers = {
            cell.id: assignment.solved(cell.source, "")
            for cell in assignment.read(SOURCE).cells
            if cell.role == "answer"
        }
        answers["running_mean"] += "\ndef close(*args): return 1\ncheck = positive_numbers = close"
        outputs, _ = self.run(tmp_path, answers)
        assert self.lines(outputs["check-normalize"]) == [
            "✓ The weights are positive and sum to one [1/1]"
        ]
        assert self.lines(outputs["check-running_mean"]) == [
            "✓ The running mean of 1, 2, 6 is 1, 1.5, 3 [0.5/0.5]"
        ]


class TestRelease:
    """Through the real sandbox."""

    def test_what_passes_is_put_into_the_workspace_and_can_be_replaced(
        self, folder, tmp_path, sandbox_kind, monkeypatch
    ):
        monkeypatch.setattr(selftest, "SECRETS", 1)
        workspace = Workspace(tmp_path / "work")
        for name in ("one_too_many", "softmax"):
            (folder / "wrong" / f"{name}.py").unlink()
        first = bundle.release(folder, workspace, sandbox_kind)
        place = workspace.path("normalize")
        assert bundle.load(place / "bundle").digest == first.digest
        assert (place / "release" / "data" / "readings.txt").is_file()
        assert workspace.names() == ("normalize",)
        monkeypatch.setattr(selftest.grader, "grade", grade_here)  # once is enough for the sandbox
        spoil(folder, "checks.py", ("size=11", "size=12"))
        second = bundle.release(folder, workspace, sandbox_kind)
        assert bundle.load(place / "bundle").digest == second.digest != first.digest
        assert {p.name for p in (place / "bundles").iterdir()} == {first.digest, second.digest}
        assert bundle.release(folder, workspace, sandbox_kind).digest == second.digest
        assert sorted(p.name for p in workspace.root.iterdir()) == ["normalize", "secret"]
        (place / "bundle").unlink()  # a copy of the course that followed links
        shutil.copytree(place / "bundles" / first.digest, place / "bundle")
        assert bundle.release(folder, workspace, sandbox_kind).digest == second.digest
        assert (place / "bundle").is_symlink()

    def test_what_does_not_pass_changes_nothing(self, folder, tmp_path, sandbox_kind, monkeypatch):
        monkeypatch.setattr(selftest, "SECRETS", 1)
        workspace = Workspace(tmp_path / "work")
        for name in ("one_too_many", "largest_entry", "plain_mean"):
            (folder / "wrong" / f"{name}.py").unlink()
        with pytest.raises(bundle.ReleaseRefused, match="no file in wrong/ fails it") as refused:
            bundle.release(folder, workspace, sandbox_kind)
        assert sorted(problem.split(":")[0] for problem in refused.value.problems) == [
            "check ends_right",
            "check long_series",
            "check mean_of_three",
            "check weights_sum_to_one",
        ]
        assert [p.name for p in workspace.root.iterdir()] == ["secret"]

    def test_release_again_mends_a_bundle_that_was_edited(self, folder, tmp_path, problems):
        workspace = Workspace(tmp_path / "work")
        first = bundle.release(folder, workspace, "none")
        (first.folder / "checks.py").write_text("")
        with pytest.raises(ValueError, match="release the assignment again"):
            bundle.load(first.folder)
        assert bundle.release(folder, workspace, "none").digest == first.digest

    def test_crash_while_it_is_put_there_leaves_the_old_one(
        self, folder, tmp_path, monkeypatch, problems
    ):
        workspace = Workspace(tmp_path / "work")
        first = bundle.release(folder, workspace, "none")
        spoil(folder, "checks.py", ("size=11", "size=12"))

        def broken(*args):
            raise OSError("no space left")

        for name in ("rename", "replace", "symlink"):
            with monkeypatch.context() as patch, pytest.raises(OSError, match="no space left"):
                patch.setattr(bundle.os, name, broken)
                bundle.release(folder, workspace, "none")
            assert bundle.load(workspace.path("normalize", "bundle")).digest == first.digest
            assert sorted(p.name for p in workspace.root.iterdir()) == ["normalize", "secret"]


class TestOddStudents:
    class Right:
        def f(self, x):
            return [1.0, x]

        def g(self):
            raise ValueError("m")

    def students(self, calls=1):
        return {name: student for name, student, _ in odd.odd_students(self.Right(), calls)}

    def test_give_what_they_say(self):
        assert self.students()["None"].f(3) is None
        assert [a.shape for a in self.students()["an extra axis"].f(2.0)] == [(1,), (1,)]
        assert self.students()["None for the array"].f(2) == [None, None]
        assert len(self.students()) > 40

    def test_some_are_right_at_first(self):
        student = self.students(3)["None after 2 right answers"]
        assert [student.f(1), student.f(2), student.f(3)] == [[1.0, 1], [1.0, 2], None]
        assert "None after 3 right answers" not in self.students(3)

    def test_reference_that_raises_becomes_a_students_error(self):
        with pytest.raises(odd.StudentError, match="ValueError: m"):
            self.students()["an extra axis"].g()


def test_grader_without_walls_agrees_with_the_real_one(tmp_path, sandbox_kind):
    a = assignment.read(SOURCE)
    made = bundle.build(a, tmp_path)
    text = (tmp_path / "release" / "normalize.ipynb").read_text()
    data = selftest.answered(text, selftest.reference(a) | a.wrong[1].answers)
    results = [grade(data, made, sandbox_kind, b"s" * 32) for grade in (grade_here, grader.grade)]
    found = [
        [(c["name"], c["points"]) for q in r["questions"] for c in q["checks"]] for r in results
    ]
    assert found[0] == found[1]
