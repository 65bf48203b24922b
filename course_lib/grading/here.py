"""The visible checks in the student's own notebook: the grader's code, without its walls.

Stands in the released notebook behind the text of checks.py; needs NumPy only.
"""

import contextlib
import copy
import io
import sys
import traceback
import warnings

from course_lib.grading.checks import KINDS, Check, StudentError, run_check, visible_rng

CONTAINERS = (list, tuple, set, frozenset, dict)


class Here:
    """``student.NAME(...)`` and ``student.NAME.value`` for the names of a running notebook.

    Parameters
    ----------
    names : dict
        Usually ``globals()``.
    """

    def __init__(self, names):
        self._names = names

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return _Name(self._names, name)


class _Name:
    def __init__(self, names, name):
        self._names, self._name = names, name

    def __call__(self, *args, **kwargs):
        return self._plain(lambda: self._find()(*copy.deepcopy(args), **copy.deepcopy(kwargs)))

    @property
    def value(self):
        return self._plain(self._find)

    def _find(self):
        if self._name not in self._names:
            raise NameError(f"name {self._name!r} is not defined")
        return self._names[self._name]

    def _plain(self, ask):
        """What the student's code gives, as it would come out of the grader's sandbox."""
        quiet = io.StringIO()
        try:
            with contextlib.redirect_stdout(quiet), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                value = ask()
            _require_plain(value, 0)
            return copy.deepcopy(value)
        except (Exception, SystemExit) as error:
            trace = traceback.format_exc()
            raise StudentError(type(error).__name__, str(error), trace, self._name) from None


def _require_plain(value, depth):
    """Refuse what could not be sent out of the sandbox."""
    kind = type(value)
    if kind in CONTAINERS:
        if depth > 60:
            raise TypeError("the value is nested too deeply, or holds itself")
        for entry in value.items() if kind is dict else value:
            for part in entry if kind is dict else (entry,):
                _require_plain(part, depth + 1)
    elif kind not in KINDS and (kind.__module__, kind.__name__) != ("torch", "Tensor"):
        raise TypeError(f"values of type {kind.__name__} are no plain data")


def show(check, student):
    """Run a visible check and print one line about it; never raise.

    Parameters
    ----------
    check : Check
    student : Here
    """
    name = check.title.rstrip(".")
    try:
        result = run_check(check, student, None, visible_rng(check.name))
    except Exception as error:
        print(f"? {name}: this check is broken, please tell your instructor ({error!r})")
        return
    mark = {"passed": "✓", "partial": "~"}.get(result.reason, "✗")
    text = f": {result.message}" if result.message else ""
    print(f"{mark} {name}{text} ({result.points:g} of {check.points:g} points)")


def install(shell):
    """Teach IPython the cell magic ``%%check``, which runs the visible checks of a cell.

    Parameters
    ----------
    shell : InteractiveShell
    """
    tools = dict(globals())

    def check(line, cell):
        space = dict(tools)
        try:
            exec(compile(cell, f"checks of {line}", "exec"), space)
        except Exception as error:
            print(f"? this check cell was changed and cannot run ({error!r})", file=sys.stdout)
            return
        student = Here(shell.user_ns)
        for found in space.values():
            if type(found) is Check:
                show(found, student)

    shell.register_magic_function(check, magic_kind="cell", magic_name="check")
