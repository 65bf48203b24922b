"""The visible checks in the student's own notebook: the grader's code, without its walls.

Stands in the released notebook behind the text of checks.py; needs NumPy only.
"""

import contextlib
import copy
import io
import sys
import traceback
import warnings

import numpy as np

from course_lib.grading.checks import Check, StudentError, run_check, visible_rng
from course_lib.grading.words import ELEMENTS, KINDS


class Tensor:
    """A PyTorch tensor as the grader sees it."""

    __slots__ = ("array",)

    def __init__(self, array):
        self.array = array


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
        return self._ask(lambda: self._find()(*copy.deepcopy(args), **copy.deepcopy(kwargs)))

    @property
    def value(self):
        return self._ask(self._find)

    def _find(self):
        if self._name not in self._names:
            raise NameError(f"name {self._name!r} is not defined")
        return self._names[self._name]

    def _ask(self, ask):
        """What the student's code gives, as it would come out of the grader's sandbox."""
        quiet = io.StringIO()
        try:
            with contextlib.redirect_stdout(quiet), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                value = ask()
            return _plain(value, 0)
        except (Exception, SystemExit) as error:
            trace = traceback.format_exc()
            raise StudentError(type(error).__name__, str(error), trace, self._name) from None


def _plain(value, depth):
    """A copy of plain data; anything else could not be sent out of the sandbox."""
    kind = type(value)
    if depth > 64:
        raise TypeError("the value is nested too deeply, or holds itself")
    if kind in (list, tuple, set, frozenset):
        return kind(_plain(entry, depth + 1) for entry in value)
    if kind is dict:
        return {_plain(k, depth + 1): _plain(v, depth + 1) for k, v in value.items()}
    if kind is np.ndarray or isinstance(value, np.generic):
        name = value.dtype.str.lstrip("<>|=")
        if value.dtype.kind not in ELEMENTS or np.dtype(name).type not in KINDS:
            raise TypeError(f"arrays of type {value.dtype} are no plain data")
        copied = np.array(value, name)
        return copied if kind is np.ndarray else copied[()]
    if (kind.__module__, kind.__name__) == ("torch", "Tensor"):
        return Tensor(_plain(value.detach().cpu().numpy(), depth))
    if kind not in KINDS or (kind is int and value.bit_length() > 13_000):
        raise TypeError(f"values of type {kind.__name__} are no plain data, or too large")
    return value


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
    print(f"{mark} {name}{text} [{result.points:g}/{check.points:g}]")


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
