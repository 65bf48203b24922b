"""A small assignment, and notebooks as students hand them in: right, wrong, broken, hostile."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from course_lib.grading import grader
from course_lib.grading.bundle import Bundle
from course_lib.grading.checks import array, check, close
from course_lib.grading.limits import Limits
from course_lib.grading.manifest import Cell, CheckInfo, Manifest, Question

SECRET = b"a secret of this course, 32 bytes"
LIMITS = Limits(cell_s=2, call_s=1, total_s=30, memory_mb=256, processes=32, output_kb=4)
NORMALIZE = """
def normalize(x):
    return x / x.sum()
"""
SMOOTH = """
def smooth(x, k):
    return np.convolve(x, np.ones(k) / k, mode="valid")
"""
REPORT = "Sums are one because every entry is divided by their sum."


@check("normalize", points=1)
def halves(student):
    """Two equal weights."""
    close(student.normalize(np.array([2.0, 2.0])), np.array([0.5, 0.5]))


@check("normalize", points=2, hidden=True)
def secret_weights(student, solution, rng):
    """Random weights."""
    x = rng.uniform(0.1, 5, size=7)
    close(student.normalize(x), solution.normalize(x))


@check("smooth", points=1)
def flat(student):
    """A flat signal stays flat."""
    close(student.smooth(np.ones(5), 3), np.ones(3))


@check("smooth", points=3, hidden=True)
def secret_signal(student, solution, rng):
    """Random signals of several widths."""
    x = rng.normal(size=11)
    return np.mean([agrees(student, solution, x, k) for k in (1, 4, 5)])


def agrees(student, solution, x, k):
    """Whether two functions smooth alike."""
    want = solution.smooth(x, k)
    return np.allclose(array(student.smooth(x, k), want.shape), want)


CHECKS = (halves, secret_weights, flat, secret_signal)
SOLUTION = SimpleNamespace(
    normalize=lambda x: x / x.sum(),
    smooth=lambda x, k: np.convolve(x, np.ones(k) / k, mode="valid"),
)


def bundle(checks=CHECKS, limits=LIMITS, solution=SOLUTION, folder=Path("/nowhere")):
    """The assignment of two questions, 3 and 4 points, and a written one."""
    blank = "def {0}(x):\n    raise NotImplementedError"
    cells = (
        Cell("setup", "locked", "code", "import numpy as np"),
        Cell("normalize", "answer", "code", blank.format("normalize"), "normalize", ("normalize",)),
        Cell("smooth", "answer", "code", blank.format("smooth"), "smooth", ("smooth",)),
        Cell("report", "written", "markdown", "Your text", "report"),
    )
    questions = [Question(q, sum(c.points for c in checks if c.question == q)) for q in _QUESTIONS]
    manifest = Manifest(
        name="weights",
        title="Weights",
        cells=cells,
        questions=(*questions, Question("report", 2, manual=True)),
        checks=tuple(CheckInfo(c.name, c.question, c.points, c.hidden, c.title) for c in checks),
        limits=limits,
    )
    return Bundle(folder, manifest, "d" * 64, tuple(checks), solution)


_QUESTIONS = ("normalize", "smooth")


def hand_in(normalize=NORMALIZE, smooth=SMOOTH, first=(), between=(), last=(), report=REPORT):
    """A notebook with the two answers, and added cells before, between and behind them.

    An answer may be None (the cell is gone) or a cell made by :func:`text`.
    """
    answers = [_answer(normalize, "normalize"), *map(code, between), _answer(smooth, "smooth")]
    cells = [*map(code, first), code("import numpy as np", "setup"), *answers]
    return notebook([c for c in [*cells, text(report, "report"), *map(code, last)] if c])


def _answer(source, name):
    return code(source, name) if isinstance(source, str) else source


def notebook(cells, **more):
    """A notebook of cells as :func:`code` and :func:`text` make them, as bytes."""
    table = {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(table | more).encode()


def code(source, id=None):
    """A code cell, with the marks of a released one if it has an id."""
    return _cell("code", source, id) | {"execution_count": None, "outputs": []}


def text(source, id=None):
    """A Markdown cell."""
    return _cell("markdown", source, id)


def _cell(kind, source, id):
    metadata = {"nbgrader": {"grade_id": id, "schema_version": 3}} if id else {}
    return {"cell_type": kind, "source": source, "id": id or "x", "metadata": metadata}


# Answers and cells of those who would rather not compute. Every one must lose: see
# test_grading_attacks.py for what exactly.
ALWAYS_EQUAL = """
class Equal({base}):
    def __eq__(self, other): return True
    __ne__ = lambda self, other: False
    __le__ = __ge__ = __lt__ = __gt__ = __eq__
    def __array__(self, *a, **k): return np.array([0.5, 0.5])
    def __float__(self): return 0.5
    def __bool__(self): return True
    def __sub__(self, other): return 0
    __rsub__ = __sub__
    __hash__ = object.__hash__
    def __array_ufunc__(self, *a, **k): return True
    def __array_function__(self, *a, **k): return True
    shape, dtype, ndim = (2,), np.dtype(float), 1
def normalize(x):
    return Equal({arguments})
"""


def mark(data, kind, **options):
    """Grade; whatever the student does, the result is whole and the machine not to blame."""
    result = grader.grade(data, bundle(**options), kind, SECRET)
    assert result["infrastructure"] is None
    assert result["points"] is not None
    json.dumps(result, allow_nan=False).encode()
    return result


def reasons(result):
    return [c["reason"] for q in result["questions"] for c in q["checks"]]


def points(result):
    return {q["name"]: q["points"] for q in result["questions"] if not q["manual"]}


def statuses(result):
    return [cell["status"] for cell in result["cells"] if cell["role"] != "locked"]


def of_students(result):
    """All that a student gets to see of a result, as text."""
    shown = [result["cells"], result["flags"], result["written"], result["points"]]
    for question in result["questions"]:
        for entry in question["checks"]:
            hidden = {"name", "title", "detail"} if entry["hidden"] else set()
            shown.append({k: v for k, v in entry.items() if k not in hidden})
    return json.dumps(shown)
