"""An nbgrader source notebook as an assignment: what can be carried over, and what is left to do.

Solutions, names, points and texts are taken as they are. Tests cannot be: nbgrader ran them inside
the student's process, where they can be fooled, so they arrive as comments, to be rewritten.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from course_lib.grading import nbgrader_files, template
from course_lib.grading.regions import BEGIN, END

MAGIC = re.compile(r"^\s*[%!]")


@dataclass(frozen=True)
class Imported:
    """The new folder, and what a person must do there."""

    folder: Path
    todo: tuple


@dataclass(frozen=True)
class _Test:
    question: str
    name: str
    points: float
    source: str


def convert(path, name, folder="assignments"):
    """Make an assignment from an nbgrader source notebook.

    Parameters
    ----------
    path : path
        The instructor's notebook, with solutions.
    name : str
        Of the new assignment.
    folder : path, default="assignments"
        Where the assignments are.

    Returns
    -------
    imported : Imported
        Its ``todo`` stands in the folder's TODO.md too.

    Raises
    ------
    ValueError
        If the file is no such notebook, or the name cannot be used.
    """
    notebook = _read(path)
    work = _Work()
    for number, cell in enumerate(notebook.cells, 1):
        work.take(cell, number)
    if not work.names:
        raise ValueError(
            f"{path}: no cell has nbgrader's metadata; give the instructor's version of the "
            f"notebook, or start with course-grade new {name}"
        )
    work.finish()
    others = sorted(p.name for p in Path(path).resolve().parent.iterdir() if p.suffix != ".ipynb")
    if others:
        work.todo.append(f"Copy what students need into data/: {', '.join(others[:10])}.")
    todo = tuple(work.todo)
    files = {
        "assignment.md": nbgrader_files.notebook(work.cells),
        "checks.py": nbgrader_files.checks(name, work.tests),
        "config.toml": nbgrader_files.config(work.title, work.manual),
        "TODO.md": nbgrader_files.todo(todo),
    }
    made = template.write(name, folder, files)
    (made / "wrong").mkdir()
    return Imported(made, todo)


class _Work:
    """What has been read so far."""

    def __init__(self):
        self.cells, self.tests, self.manual, self.todo = [], [], [], []
        self.names, self.question, self.title, self.shown = set(), "", "", set()

    def take(self, cell, number):
        mark = cell.metadata.get("nbgrader", {})
        mark = mark if isinstance(mark, dict) else {}
        graded, solution = bool(mark.get("grade")), bool(mark.get("solution"))
        task, points = bool(mark.get("task")), _points(mark.get("points"))
        source, where = self.plain(cell, number), f"cell {number}"
        if not self.title and cell.cell_type == "markdown":
            self.title = next(iter(re.findall(r"(?m)^# +(.+)$", source)), "")
        if not mark or not (graded or solution or task):
            self.cells.append((cell.cell_type, source, {}))
            return
        name = self.name(mark.get("grade_id"), number)
        if task or (graded and solution and cell.cell_type == "markdown"):
            self.take_written(name, source, points, task)
        elif solution:
            self.question = name
            if BEGIN not in source:
                source = f"{BEGIN}\n{source}\n{END}"
                self.todo.append(
                    f"{where} ({name}): has no {BEGIN}, so students get nothing of it; leave the "
                    "def line and the docstring outside."
                )
            self.cells.append(("code", source, {"grade_id": name, "role": "answer"}))
            if graded:
                self.add_manual(name, points, "")
        else:
            self.take_test(name, source, points, where)

    def take_written(self, name, source, points, task):
        scheme, kept = nbgrader_files.split_scheme(source)
        options = {"grade_id": name, "role": "written", "question": name}
        if task:
            self.cells.append(("markdown", kept, {}))
            kept = f"{BEGIN}\nTODO: a model answer.\n{END}"
            self.todo.append(f"{name}: a task; its answer now has a cell of its own below it.")
        elif BEGIN not in kept:
            kept = f"{BEGIN}\n{kept}\n{END}"
        self.cells.append(("markdown", kept, options))
        self.add_manual(name, points, scheme)

    def take_test(self, name, source, points, where):
        if not self.question:
            self.todo.append(f"{where} ({name}): a test before any answer; find its question.")
        question = self.question or "TODO"
        self.tests.append(_Test(question, name, points, source))
        self.todo.append(
            f"{name}: rewrite this test of {question}, worth {points:g}, as checks in checks.py."
        )
        if question not in self.shown and self.question:
            self.shown.add(question)
            self.cells.append(("code", "", {"role": "check", "question": question}))

    def add_manual(self, name, points, scheme):
        if not points:
            self.todo.append(f"{name}: has no points; say in config.toml how many.")
        self.manual.append((name, points or 1, scheme))
        self.todo.append(f"{name}: write the lines of its rubric in config.toml.")

    def finish(self):
        marked = {test.question for test in self.tests} | {name for name, *_ in self.manual}
        for kind, _, options in self.cells:
            name = options.get("grade_id", "")
            if kind == "code" and name and name not in marked:
                self.todo.append(f"{name}: nothing marks it; write a check.")
        self.todo.append(
            "Cells that use answers must run in a notebook without answers too: let them catch "
            "NotImplementedError, or take them out."
        )
        self.todo.append(
            "Write wrong answers into wrong/: each check must fail on one, or it is not released "
            "(the skeleton of course-grade new shows how)."
        )

    def plain(self, cell, number):
        """The cell's text as plain Python or Markdown."""
        lines, where = cell.source.split("\n"), f"cell {number}"
        if cell.get("attachments"):
            self.todo.append(f"{where}: its attached pictures are lost; put files into data/.")
        if cell.cell_type == "code" and any(map(MAGIC.match, lines)):
            lines = [f"# {line}" if MAGIC.match(line) else line for line in lines]
            self.todo.append(f"{where}: % and ! are commented out; checks need plain Python.")
        return "\n".join(lines)

    def name(self, found, number):
        name = re.sub(r"[^A-Za-z0-9_-]", "-", str(found or f"cell-{number}")).lstrip("_-")[:50]
        name = name or f"cell-{number}"
        if name != found or name in self.names:
            name = name if name not in self.names else f"{name}-{number}"
            self.todo.append(f"cell {number}: is called {name} now, it was {found!r}.")
        self.names.add(name)
        return name


def _read(path):
    import nbformat  # slow to import, and needed by authors only

    try:
        notebook = nbformat.read(path, as_version=4)
        nbformat.validate(notebook)
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file") from None
    except Exception as error:  # of several libraries
        text = str(error).split("\n")[0]
        raise ValueError(f"{path}: not a notebook ({type(error).__name__}: {text})") from error
    return notebook


def _points(value):
    return value if type(value) in (int, float) and 0 < value < 1e6 else 0
