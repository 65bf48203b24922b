"""Students whose notebooks are broken, and students who attack the grader.

A broken notebook keeps what can be read of it. An attack earns what its honest answers earn: all
of it if it only does harm beside them, nothing if it stands in their place.
"""

from course_lib.grading._made_up_notebooks import (
    FULL,
    HALF,
    NOTHING,
    Work,
    code,
    notebook,
    packed,
    work,
)
from course_lib.grading.handout import defined_names


def broken(sheet, student, n, rng):
    """Hand in something that went wrong on the way, another thing each time."""
    ways = [_cut_off, _empty, _other_json, _other_notebook, _no_ids, _twice, _no_notebook]
    if sheet.spare:
        ways += [_as_text, _syntax_error, _deleted]
    return ways[n % len(ways)](sheet, student)


def _unreadable(sheet, data, why):
    return Work(data, 0.0, 0.0, f"{why}: cannot be read", sheet.file)


def _cut_off(sheet, student):
    table, _ = notebook(sheet, student, {}, FULL)
    data = packed(table)
    return _unreadable(sheet, data[: len(data) // 2], "half a notebook")


def _empty(sheet, student):
    # A space for each student would still be empty; the same file of two students is, too.
    return _unreadable(sheet, b"", "an empty file")


def _other_json(sheet, student):
    return _unreadable(sheet, b'["%s"]' % student.encode(), "JSON, but no notebook")


def _no_notebook(sheet, student):
    data = b"%PDF-1.4 " + student.encode()
    return Work(data, None, None, "a PDF: collect refuses it", "report.pdf")


def _other_notebook(sheet, student):
    cells = [code(f"# {student}\nprint('Notes of chapter 1')")]
    table = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    floor = float(sheet.assignment.config.floor)
    return Work(packed(table), floor, 0.0, "another notebook", sheet.file)


def _no_ids(sheet, student):
    """Answer cells are known again by what they define, if no other cell defines it too."""
    table, manual = notebook(sheet, student, {}, FULL)
    homes = [name for names in _names(sheet).values() for name in names]
    for cell in table["cells"]:
        names = _names(sheet).get(cell["id"], ())
        if names and all(homes.count(name) == 1 for name in names):
            cell["metadata"] = {}
            cell["id"] = f"lost-{cell['id']}"
    return Work(packed(table), sheet.most, manual, "answer cells without their ids", sheet.file)


def _names(sheet):
    """Id of each answer cell of code to the names that the reference defines there."""
    cells = [cell for cell in sheet.assignment.cells if cell.role == "answer"]
    return {cell.id: defined_names(sheet.right[cell.id]) for cell in cells}


def _twice(sheet, student):
    """Of two cells with one id both are run; the second has the last word."""
    table, manual = notebook(sheet, student, {}, FULL)
    blank, _ = notebook(sheet, student, dict.fromkeys(sheet.right), NOTHING)
    answers = [cell.id for cell in sheet.assignment.cells if cell.role == "answer"]
    first = {cell["id"]: cell for cell in blank["cells"] if cell["id"] in answers}
    cells = []
    for cell in table["cells"]:
        cells += [first[cell["id"]]] if cell["id"] in first else []
        cells.append(cell)
    data = packed(table | {"cells": cells})
    return Work(data, sheet.most, manual, "answer cells there twice, blank at first", sheet.file)


def _without_spare(sheet, student, why, change):
    """Change the last cell that only its own question needs; the points of that are lost."""
    spare = sheet.spare[-1]
    question = next(c.question for c in sheet.assignment.cells if c.id == spare)
    lost = next(q.points for q in sheet.assignment.questions if q.name == question)
    table, manual = notebook(sheet, student, {}, HALF)
    table["cells"] = [
        kept
        for cell in table["cells"]
        for kept in ([cell] if cell["id"] != spare else change(cell))
    ]
    return Work(packed(table), sheet.most - lost, manual, f"{spare} {why}", sheet.file)


def _as_text(sheet, student):
    def change(cell):
        kept = {key: cell[key] for key in ("id", "metadata", "source")}
        return [kept | {"cell_type": "markdown"}]

    return _without_spare(sheet, student, "turned into a text cell", change)


def _syntax_error(sheet, student):
    def change(cell):
        return [cell | {"source": "def (:\n" + "".join(cell["source"])}]

    return _without_spare(sheet, student, "is no Python", change)


def _deleted(sheet, student):
    return _without_spare(sheet, student, "deleted", lambda cell: [])


# Run after the honest answers, which stay as good as they are.
BESIDE = {
    "ends the process": "import os\nos._exit(0)",
    "takes much memory": "hoard = []\nfor _ in range(64):\n    hoard.append(b'x' * 2**26)",
    "forks": "import os\nfor _ in range(10**4):\n    os.fork()",
    "prints without end": "for _ in range(10**5):\n    print('spam ' * 200)",
    "kills everybody": "import os, signal\nos.kill(-1, signal.SIGKILL)",
    "breaks the pipes": "import os\nfor pipe in range(3, 9):\n    try:\n"
    "        os.write(pipe, b'x' * 1000)\n        os.close(pipe)\n    except OSError:\n"
    "        pass",
}
# Run with no honest answer at all.
INSTEAD = {
    "patches comparisons": """\
import builtins
import numpy as np
import numpy.testing

np.allclose = np.isclose = np.array_equal = lambda *args, **options: True
for name in dir(numpy.testing):
    if name.startswith("assert"):
        setattr(numpy.testing, name, lambda *args, **options: None)
builtins.abs = builtins.max = lambda *args, **options: 0
""",
    "searches files for the solution": """\
import glob
import os

for place in (".", "..", "/tmp", os.path.expanduser("~"), "/proc/self/cwd", "/proc/1/cwd"):
    for path in glob.glob(f"{place}/*solution*") + glob.glob(f"{place}/*/*solution*"):
        if path.endswith(".py"):
            exec(open(path).read(), globals())
""",
    "searches memory for the solution": """\
import gc
import sys

for thing in gc.get_objects():
    if type(thing).__name__ in ("Solution", "Check", "Bundle"):
        globals().update(vars(thing))
_frame = sys._getframe()
while _frame is not None:
    for _name, _value in list(_frame.f_locals.items()):
        globals().setdefault(_name, _value)
    _frame = _frame.f_back
""",
}
# Put in the place of every function.
ANSWERS = {
    "equal to anything": """\
class _Equal(float):
    def __eq__(self, other):
        return True

    __ne__ = __lt__ = __gt__ = lambda self, other: False
    __le__ = __ge__ = __array_ufunc__ = __array_function__ = lambda self, *args: True
    __hash__ = float.__hash__


def _answer(*args, **options):
    return _Equal(1)
""",
    "ends the process in a call": """\
def _answer(*args, **options):
    import os
    os._exit(0)
""",
    "answers with a pickle": """\
class _Pickle:
    def __reduce__(self):
        return exec, ("1/0",)


def _answer(*args, **options):
    return _Pickle()
""",
    "answers with 256 MB": """\
def _answer(*args, **options):
    return bytes(2**28)
""",
    "answers with itself": """\
def _answer(*args, **options):
    whole = []
    whole.append(whole)
    return whole
""",
}
MARKUP = "<script>document.title = 'full marks'</script><img src=x onerror=alert(1)>\n=1+1"


def hostile(sheet, student, n, rng):
    """Attack the grader, in another way each time."""
    attacks = [
        *((_beside, title, source) for title, source in BESIDE.items()),
        *((_instead, title, source) for title, source in INSTEAD.items()),
        *((_in_answers, title, source) for title, source in ANSWERS.items()),
    ]
    # Of any five in turn some are of each sort.
    attack, title, source = attacks[3 * n % len(attacks)]
    return attack(sheet, student, title, source)


def _beside(sheet, student, title, source):
    return work(sheet, student, _markup(sheet), 0, NOTHING, f"{title}, answers right", source)


def _instead(sheet, student, title, source):
    lost = sheet.most - sheet.assignment.config.floor
    changes = dict.fromkeys(sheet.right) | _markup(sheet)
    return work(sheet, student, changes, lost, NOTHING, f"{title}, no answers", source)


def _in_answers(sheet, student, title, source):
    changes = {
        cell: source + "\n\n" + "\n".join(f"{name} = _answer" for name in names)
        for cell, names in _names(sheet).items()
    }
    changes = dict.fromkeys(sheet.right) | changes | _markup(sheet)
    return work(sheet, student, changes, sheet.most, NOTHING, title)


def _markup(sheet):
    """What these students write where words are wanted."""
    cells = [cell for cell in sheet.assignment.cells if cell.role == "written"]
    return {cell.id: MARKUP for cell in cells}
