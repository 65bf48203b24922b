"""Notebooks are compared by text, exactly; and nothing is excused without a reason."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from build_notebooks import KERNEL_ENVIRONMENT, NOTEBOOK_METADATA

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "book" / "notebooks").glob("*.ipynb"))


def reason_missing(cell):
    """A cell whose output is not compared says why, and still asserts what it claims."""
    if "nbval-ignore-output" not in cell.metadata.get("tags", []):
        return None
    if not re.search(r"#(\s+\S+){4}", cell.source):  # a comment of at least four words
        return "no comment says why its output cannot be compared"
    if not re.search(r"^\s*assert ", cell.source, re.MULTILINE):
        return "it asserts nothing, so its claim is not tested"
    return None


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
class TestCommittedNotebook:
    def test_ignored_outputs_have_a_reason_and_an_assertion(self, path):
        cells = nbformat.read(path, as_version=4).cells
        wrong = {cell.source: why for cell in cells if (why := reason_missing(cell))}
        assert wrong == {}

    def test_no_cell_skips_the_comparison_by_a_comment(self, path):
        for cell in nbformat.read(path, as_version=4).cells:
            assert not re.search(r"#\s*(NBVAL_|PYTEST_VALIDATE)", cell.source), cell.source


class TestReasonMissing:
    @pytest.mark.parametrize(
        "code, expected",
        [
            ("assert ratio > 1", "no comment"),
            ("# seconds differ on every machine\nprint(s)", "asserts nothing"),
            ("# seconds differ on every machine\nassert ratio > 1", None),
        ],
    )
    def test_wants_a_comment_and_an_assertion(self, code, expected):
        cell = nbformat.v4.new_code_cell(code, metadata={"tags": ["nbval-ignore-output"]})
        why = reason_missing(cell)
        assert why is None if expected is None else expected in why

    def test_leaves_other_cells_alone(self):
        assert reason_missing(nbformat.v4.new_code_cell("print(1)")) is None


def stream(text):
    return nbformat.v4.new_output("stream", name="stdout", text=text)


def result(text):
    return nbformat.v4.new_output("execute_result", data={"text/plain": text})


DISPLAY = (
    "from IPython.display import display\n"
    "data = {'text/html': '<b>a</b>', 'image/svg+xml': '<svg/>', 'text/plain': 'Figure: a line'}\n"
    "display(data, raw=True)"
)
# Claim: (code, stored output, does the comparison in `make test` pass?)
CELLS = {
    "a printed number that is the same": ("print(0.778)", stream("0.778\n"), True),
    "a printed number that changed": ("print(0.778)", stream("0.776\n"), False),
    "the text of a result that changed": ("1 + 1", result("3"), False),
    "an output that is gone": ("pass", stream("0.778\n"), False),
    "an output that is new": ("print(1)", None, False),
    "HTML and pictures that are not stored": (DISPLAY, result("Figure: a line"), True),
    "the text beside a picture that changed": (DISPLAY, result("Figure: a curve"), False),
    "a warning that is new": ("import warnings; warnings.warn('old')", None, False),
}


@pytest.fixture(scope="module")
def comparison(tmp_path_factory):
    """Run all CELLS as one notebook by the rules of `make test`; return {claim: passed}."""
    folder = tmp_path_factory.mktemp("comparison")
    notebook = nbformat.v4.new_notebook(metadata=NOTEBOOK_METADATA)
    for number, (code, output, _) in enumerate(CELLS.values(), 1):
        outputs = [output] if output else []
        cell = nbformat.v4.new_code_cell(code, execution_count=number, outputs=outputs)
        notebook.cells.append(cell)
    (folder / "trial.ipynb").write_text(nbformat.writes(notebook), encoding="utf-8")
    shutil.copy(ROOT / "conftest.py", folder)
    command = [sys.executable, "-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider"]
    command += ["-c", str(ROOT / "pyproject.toml"), "--rootdir", str(folder)]
    command += ["--nbval", "--nbval-current-env", "trial.ipynb"]
    env = {**os.environ, **KERNEL_ENVIRONMENT}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    verdicts = dict(
        (int(number), verdict == "PASSED")
        for verdict, number in re.findall(
            r"^(PASSED|FAILED) .*Cell (\d+)", done.stdout, re.MULTILINE
        )
    )
    assert len(verdicts) == len(CELLS), done.stdout + done.stderr
    return {claim: verdicts[number] for number, claim in enumerate(CELLS)}


@pytest.mark.parametrize("claim", CELLS)
def test_comparison_of_outputs(comparison, claim):
    assert comparison[claim] == CELLS[claim][2]
