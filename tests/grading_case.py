"""One of the course's assignments in this process: its cells are run and its checks tried here.

Quicker than the sandbox, and as honest as the answers are: values pass through the grader's codec.
"""

import contextlib
import dataclasses
import functools
import io
import json
import re
from pathlib import Path

import numpy as np
from IPython.core.interactiveshell import InteractiveShell

from course_lib.grading import assignment
from course_lib.grading.checks import StudentError, run_check
from course_lib.grading.codec import decode, encode, tensors

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = sorted(path.parent for path in ROOT.glob("assignments/*/assignment.md"))
NAMES = [folder.name for folder in FOLDERS]


@functools.cache
def case(name):
    """The assignment of that name; read once for all tests of a process."""
    return Case(assignment.read(ROOT / "assignments" / name))


class Case:
    """An assignment, and what its cells define with one answer or another."""

    def __init__(self, source):
        self.source = source
        self.name = source.name
        self.text = "\n".join(c.source for c in source.cells if c.kind == "markdown")
        self.solutions = {
            c.id: assignment.solved(c.source, c.id) for c in source.cells if c.role == "answer"
        }
        self.wrong = {wrong.name: wrong for wrong in source.wrong}
        self.right = {right.name: right for right in source.right}
        self.released = ROOT / "book" / "assignments" / f"{source.name}.ipynb"

    def run(self, answers=None):
        """The names that the notebook defines with these answers, the others as in the solution."""
        space = {"__name__": "__main__"}
        for cell in self.source.cells:
            if cell.role in ("locked", "answer"):
                code = (answers or {}).get(cell.id) or assignment.solved(cell.source, cell.id)
                with self._as_in_a_notebook(), contextlib.suppress(Exception):  # the next goes on
                    exec(compile(code, f"{self.name}: {cell.id}", "exec"), space)
        return space

    def bent(self, cell, old, new):
        """The solution of a cell with something in it replaced, as answers."""
        assert old in self.solutions[cell]
        return {cell: self.solutions[cell].replace(old, new)}

    @functools.cached_property
    def space(self):
        """The names of the solved notebook; to look at, not to change."""
        return self.run()

    @functools.cached_property
    def reference(self):
        """The solution, which remembers what it was asked: a seed's questions come often."""
        return Stand(self, self.space, {})

    def stand(self, who=None):
        """Somebody for the checks to ask: of a namespace, or of answers (None: the solution)."""
        space = who if who and "__name__" in who else self.run(who) if who else self.space
        return Stand(self, space)

    def lost(self, who, seed):
        """Points that each question loses, and the checks that failed, for these hidden inputs.

        ``who`` is a namespace of :meth:`run`, or answers by id of the cell.
        """
        student, losses, failed = self.stand(who), {}, set()
        for i, check in enumerate(self.source.checks):
            rng = np.random.default_rng([seed, i])
            outcome = run_check(check, student, self.reference, rng)
            if outcome.points < check.points - 1e-9:
                before = losses.get(check.question, 0.0)
                losses[check.question] = before + check.points - outcome.points
                failed.add(check.name)
        return losses, failed

    def hint(self, who, question):
        """What the visible checks of a question say to somebody, as one text."""
        student = self.stand(who)
        visible = [c for c in self.source.checks if c.question == question and not c.hidden]
        said = [run_check(check, student, None, np.random.default_rng(0)) for check in visible]
        return "\n".join(outcome.message for outcome in said)

    def of_another_year(self, seed):
        """The assignment with another ``SEED`` in its locked cells."""
        cells = tuple(
            dataclasses.replace(c, source=re.sub(r"(?m)^SEED = \d+", f"SEED = {seed}", c.source))
            if c.role == "locked"
            else c
            for c in self.source.cells
        )
        return Case(dataclasses.replace(self.source, cells=cells))

    @contextlib.contextmanager
    def _as_in_a_notebook(self):
        """In the assignment's folder, where data/ is, and without a word."""
        with contextlib.chdir(self.source.folder), np.errstate(all="ignore"):
            with contextlib.redirect_stdout(io.StringIO()):
                yield

    def plain(self, ask, name):
        """What a call gives, as it comes out of the sandbox."""
        try:
            with self._as_in_a_notebook():
                return encode(ask())
        except Exception as error:
            raise StudentError(type(error).__name__, str(error), name=name) from error


def printed_in_jupyter(notebook, answers, capsys):
    """What each cell of a released notebook prints, by id, in a shell of IPython.

    There check cells bring what they need themselves.
    """
    shell, said = InteractiveShell(), {}
    for cell in json.loads(notebook.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            source = answers.get(cell["id"], "".join(cell["source"]))
            assert shell.run_cell(source).success, cell["id"]
            said[cell["id"]] = capsys.readouterr().out
    return said


class Stand:
    """Somebody's names, with the interface that checks use; ``known`` keeps answers."""

    def __init__(self, owner, space, known=None):
        self._owner, self._space, self._known = owner, space, known

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return Name(self, name)

    def _ask(self, name, question=None):
        if self._known is not None and (name, question) in self._known:
            return decode(self._known[name, question])

        def ask():
            if name not in self._space:
                raise NameError(f"name {name!r} is not defined")
            if question is None:
                return self._space[name]
            args, kwargs = tensors(decode(question))
            return self._space[name](*args, **kwargs)

        answer = self._owner.plain(ask, name)
        if self._known is not None:
            self._known[name, question] = answer
        return decode(answer)


class Name:
    """``stand.NAME(...)`` and ``stand.NAME.value``."""

    def __init__(self, stand, name):
        self._stand, self._name = stand, name

    @property
    def value(self):
        return self._stand._ask(self._name)

    def __call__(self, *args, **kwargs):
        return self._stand._ask(self._name, encode([list(args), kwargs]))
