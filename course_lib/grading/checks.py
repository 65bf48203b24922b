"""What a check is made of: the decorator, comparisons that cannot be fooled, and one verdict.

Needs NumPy only: this text also stands in the released notebook, where the visible checks run by
the same code as in the grader. What a check compares is plain data, never a student's object.
"""

import builtins
import hashlib
import inspect
import math
from dataclasses import dataclass

import numpy as np

from course_lib.grading.compare import close, equal
from course_lib.grading.require import array, between, distribution, fraction, is_true, number
from course_lib.grading.words import CheckFailed, kind_of

__all__ = [
    "Check",
    "CheckFailed",
    "Outcome",
    "StudentError",
    "array",
    "between",
    "check",
    "close",
    "distribution",
    "equal",
    "fraction",
    "is_true",
    "number",
    "raises",
    "run_check",
    "visible_rng",
]
PARAMETERS = {"student", "solution", "rng"}


class StudentError(Exception):
    """The student's code raised an exception, lacks a name, or gave back no plain data.

    Attributes
    ----------
    kind : str
        Name of the exception's type; as everything from the student it may be made up.
    message : str
    trace : str
    name : str
        The name that was asked for.
    """

    def __init__(self, kind, message, trace="", name=""):
        super().__init__(f"{kind}: {message}" if message else kind)
        self.kind, self.message, self.trace, self.name = kind, message, trace, name


@dataclass(frozen=True)
class Check:
    """One check of a question; ``run`` is the function that was decorated."""

    name: str
    question: str
    points: float
    hidden: bool
    run: object
    title: str


@dataclass(frozen=True)
class Outcome:
    """What a check gave: points, a reason (``passed``, ``failed``, ...), texts as CheckFailed."""

    points: float
    reason: str
    message: str = ""
    detail: str = ""


def check(question, points, hidden=False):
    """Make a function a check of a question.

    The function asks by parameter names for what it needs: ``student``, ``rng`` and, if hidden,
    ``solution``. It raises ``CheckFailed``, as ``close`` and the others here do, or returns
    None for all points or a number in [0, 1] for that part of them.

    Parameters
    ----------
    question : str
    points : float
        Above 0.
    hidden : bool, default=False
        Whether students get to see it.

    Returns
    -------
    decorate : callable
        Turns the function into a ``Check``; the first line of its docstring is the title.

    Raises
    ------
    ValueError
        If the points, the parameters or the docstring are not as said.
    """

    def decorate(run):
        name, asked = run.__name__, set(inspect.signature(run).parameters)
        if type(question) is not str or not question:
            raise ValueError(f"check {name}: the question must be a name, got {question!r}")
        if type(points) not in (int, float) or not 0 < points < math.inf:
            raise ValueError(f"check {name}: points must be a number above 0, got {points!r}")
        if type(hidden) is not bool:
            raise ValueError(f"check {name}: hidden must be True or False, got {hidden!r}")
        if not asked <= PARAMETERS or "student" not in asked:
            raise ValueError(
                f"check {name}: parameters must be student and, as needed, solution and rng; "
                f"got {', '.join(sorted(asked)) or 'none'}"
            )
        if "solution" in asked and not hidden:
            raise ValueError(
                f"check {name}: a visible check runs in the student's notebook, where there is no "
                "solution; write the expected value, or hide the check"
            )
        if inspect.isgeneratorfunction(run) or inspect.iscoroutinefunction(run):
            raise ValueError(f"check {name}: must be a plain function, without yield or async")
        title = (inspect.getdoc(run) or "").strip().split("\n")[0]
        if not title:
            raise ValueError(f"check {name}: needs a docstring; its first line is the title")
        return Check(name, question, points, hidden, run, title)

    return decorate


def run_check(check, student, solution, rng):
    """Run one check and return its verdict.

    Parameters
    ----------
    check : Check
    student, solution : object
        With ``NAME(...)`` and ``NAME.value``.
    rng : numpy.random.Generator

    Returns
    -------
    outcome : Outcome
        The message of a hidden check holds no values, nor text that the student's code made.

    Raises
    ------
    Exception
        Whatever the check itself does wrong; that is never the student's fault.
    """
    given = {"student": student, "solution": solution, "rng": rng}
    asked = inspect.signature(check.run).parameters
    try:
        part = check.run(**{name: given[name] for name in asked})
    except CheckFailed as failed:
        more = f": {failed.detail}" if failed.detail and not check.hidden else ""
        return Outcome(0, "failed", failed.message + more, failed.detail)
    except StudentError as error:
        return _of_error(error, check.hidden)
    if part is None:
        return Outcome(check.points, "passed")
    if kind_of(part) not in ("int", "float") or not 0 <= part <= 1:
        raise TypeError(f"check {check.name} must return None or a number in [0, 1], got {part!r}")
    reason = "passed" if part == 1 else "partial" if part else "failed"
    message = {"passed": "", "partial": "right in part", "failed": "not right"}[reason]
    return Outcome(check.points * float(part), reason, message)


def _of_error(error, hidden):
    detail = error.trace or str(error)
    if error.kind == "NotImplementedError":
        return Outcome(0, "error", "not answered yet", detail)
    if error.kind == "NameError" and error.message == f"name {error.name!r} is not defined":
        return Outcome(0, "missing", f"{error.name} is not defined", detail)
    if error.kind == "Timeout":
        return Outcome(0, "timeout", "took longer than allowed", detail)
    kind = getattr(builtins, error.kind, None)
    builtin = isinstance(kind, type) and issubclass(kind, BaseException)
    told = (error.kind if builtin else "an exception") if hidden else " ".join(str(error).split())
    return Outcome(0, "error", f"your code raised {told[:300]}", detail)


def raises(kind, call):
    """Require that a call of the student's function raises an exception.

    Parameters
    ----------
    kind : str
        Name of the exception's type, such as ``"ValueError"``.
    call : callable
        ``lambda: student.NAME(...)``

    Raises
    ------
    CheckFailed
        If it raises another one or none.
    """
    try:
        call()
    except StudentError as error:
        if error.kind == kind:
            return
        if error.kind in ("NotImplementedError", "NameError", "Timeout"):
            raise
        raise CheckFailed(f"should raise {kind}, raised another exception", str(error)) from error
    raise CheckFailed(f"should raise {kind}, raised nothing")


def visible_rng(name):
    """Return the random numbers of a visible check: the same for everybody.

    Parameters
    ----------
    name : str
        The check's.

    Returns
    -------
    rng : numpy.random.Generator
    """
    seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:16], "big")
    return np.random.Generator(np.random.PCG64(seed))
