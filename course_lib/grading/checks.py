"""What a check is made of: the decorator, comparisons that cannot be fooled, and one verdict.

Needs NumPy only: this text also stands in the released notebook, where the visible checks run by
the same code as in the grader. What a check compares is plain data, never a student's object.
"""

import builtins
import hashlib
import inspect
import math
import reprlib
from dataclasses import dataclass

import numpy as np

PARAMETERS = {"student", "solution", "rng"}
KINDS = {type(None): "None", str: "str", bytes: "bytes", dict: "dict", set: "set"}
KINDS |= {frozenset: "set", list: "list", tuple: "tuple", np.ndarray: "array"}
KINDS |= {bool: "bool", np.bool_: "bool", int: "int", float: "float", complex: "complex"}
KINDS |= {
    np.dtype(f"{sign}int{bits}").type: "int" for sign in ("", "u") for bits in (8, 16, 32, 64)
}
KINDS |= {np.dtype(f"float{bits}").type: "float" for bits in (16, 32, 64)}
KINDS |= {np.dtype(f"complex{bits}").type: "complex" for bits in (64, 128)}
NUMBERS = ("bool", "int", "float", "complex")
ELEMENTS = {"b": "bool", "i": "int", "u": "int", "f": "float", "c": "complex"}


class CheckFailed(Exception):
    """An answer is wrong.

    Attributes
    ----------
    message : str
        For the student even if the check is hidden: kinds and shapes, no values.
    detail : str
        The values: for the instructor, and for students if the check is visible.
    """

    def __init__(self, message, detail=""):
        super().__init__(message)
        self.message, self.detail = message, detail


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
    ``solution``. It raises :class:`CheckFailed`, as ``close`` and the others here do, or returns
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
        Turns the function into a :class:`Check`; the first line of its docstring is the title.

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
        text = f"{failed.message}. {failed.detail}" if failed.detail else failed.message
        return Outcome(0, "failed", failed.message if check.hidden else text, failed.detail)
    except StudentError as error:
        return _of_error(error, check.hidden)
    if part is None:
        return Outcome(check.points, "passed")
    if KINDS.get(type(part)) not in ("int", "float") or not 0 <= part <= 1:
        raise TypeError(f"check {check.name} must return None or a number in [0, 1], got {part!r}")
    points = check.points * float(part)
    reason = "passed" if part == 1 else "partial" if part else "failed"
    return Outcome(
        points, reason, "" if part == 1 else "part of the points" if part else "no points"
    )


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
    if not hidden:
        return Outcome(0, "error", f"your code raised {str(error)[:300]}", detail)
    name = error.kind if builtin else "an exception"
    return Outcome(0, "error", f"your code raised {name}", detail)


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


def close(got, want, rtol=1e-9, atol=1e-12, kinds=()):
    """Require the wanted kind, shape and, within a tolerance, values.

    Infinities and NaN must stand where they are wanted; whole numbers, texts and keys must be
    equal. Goes into lists, tuples and dicts.

    Parameters
    ----------
    got : object
        From the student.
    want : object
        What is right; its kind is the wanted one.
    rtol, atol : float
        ``abs(got - want) <= atol + rtol * abs(want)``.
    kinds : tuple of str, optional
        Kinds that are allowed too: ``list`` or ``tuple`` for an array, ``int`` for floats.

    Raises
    ------
    CheckFailed
        If it is not so.
    """
    _compare(got, want, "", rtol, atol, kinds)


def equal(got, want, kinds=()):
    """Require the wanted kind, shape and exactly the wanted values.

    Parameters
    ----------
    got, want, kinds : object
        As for :func:`close`.

    Raises
    ------
    CheckFailed
        If it is not so.
    """
    _compare(got, want, "", 0, 0, kinds)


def is_true(condition, message, detail=""):
    """Require a condition.

    Parameters
    ----------
    condition : bool
        Anything but a bool counts as false.
    message : str
        For students: in a hidden check a fixed text.
    detail : str, optional
        Values, which students do not see of a hidden check.

    Raises
    ------
    CheckFailed
        If it does not hold.
    """
    if type(condition) not in (bool, np.bool_) or not condition:
        raise CheckFailed(message, detail)


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


def array(got, shape, of="float", finite=True):
    """Require an array, and return it: what a check does before it computes with an answer.

    Parameters
    ----------
    got : object
        From the student.
    shape : tuple
        None stands for any length.
    of : str, default="float"
        Kind of its entries: bool, int, float, complex.
    finite : bool, default=True
        Whether infinities and NaN are refused.

    Returns
    -------
    got : ndarray

    Raises
    ------
    CheckFailed
        If it is something else.
    """
    fits = KINDS.get(type(got)) == "array" and ELEMENTS.get(got.dtype.kind) == of
    fits = fits and got.ndim == len(shape)
    if not fits or any(n not in (None, m) for n, m in zip(shape, got.shape, strict=True)):
        text = str(tuple("any" if n is None else n for n in shape)).replace("'", "")
        raise _differs("", f"an array of {of} with shape {text}", got, shape)
    if finite and not np.isfinite(got).all():
        raise CheckFailed("contains NaN or infinity", _text(got))
    return got


def number(got, of="float", finite=True):
    """Require a single number, and return it as Python's.

    Parameters
    ----------
    got : object
        From the student.
    of : str, default="float"
        Its kind: bool, int, float, complex.
    finite : bool, default=True
        Whether infinities and NaN are refused.

    Returns
    -------
    got : bool or int or float or complex

    Raises
    ------
    CheckFailed
        If it is something else.
    """
    if KINDS.get(type(got)) != of:
        raise _differs("", f"a single {of}", got)
    got = got.item() if isinstance(got, np.generic) else got
    if finite and of != "int" and not np.isfinite(got):
        raise CheckFailed("is NaN or infinite", _text(got))
    return got


def between(got, low, high):
    """Require a number, or an array of numbers, in a closed interval.

    Parameters
    ----------
    got : object
        From the student: int or float.
    low, high : float

    Raises
    ------
    CheckFailed
        If it is something else, holds NaN, or leaves the interval.
    """
    kind = KINDS.get(type(got))
    kind = ELEMENTS.get(got.dtype.kind) if kind == "array" else kind
    if kind not in ("int", "float"):
        raise _differs("", "a number, or an array of numbers", got)
    inside = low <= got <= high if type(got) is int else np.all((low <= got) & (got <= high))
    if not inside:
        raise CheckFailed("outside the interval it must lie in", f"[{low}, {high}]: {_text(got)}")


def distribution(got, axis=-1, atol=1e-9):
    """Require an array of probabilities: none negative, sums of 1 along an axis.

    Parameters
    ----------
    got : object
        From the student: an array of float with at least one axis and no axis of length 0.
    axis : int, default=-1
    atol : float, default=1e-9
        How far a sum may be from 1, and an entry below 0.

    Raises
    ------
    CheckFailed
        If it is something else.
    """
    is_array = KINDS.get(type(got)) == "array" and got.dtype.kind == "f"
    if not is_array or got.size == 0 or not -got.ndim <= axis < got.ndim:
        raise _differs("", "an array of float with probabilities", got)
    if not np.isfinite(got).all() or got.min() < -atol:
        raise CheckFailed("holds something that is no probability", _text(got))
    sums = got.sum(axis=axis, dtype=float)
    if np.abs(sums - 1).max() > atol:
        raise CheckFailed(f"does not sum to 1 along axis {axis}", f"sums {_text(sums)}")


def fraction(value, low, high):
    """Return which part of the points a score earns: 0 up to ``low``, 1 from ``high``.

    Parameters
    ----------
    value : float
        Computed by the check; NaN earns nothing.
    low, high : float

    Returns
    -------
    part : float
        In [0, 1].
    """
    return min(1.0, max(0.0, (value - low) / (high - low))) if value > low else 0.0


def _compare(got, want, where, rtol, atol, kinds):
    wanted, came = _kind(want), _kind(got)
    if wanted == "object":
        raise TypeError(f"nothing can be compared with {want!r}")
    if wanted in ("array", "tensor"):
        if came in ("list", "tuple") and came in kinds:
            got = _as_array(got, want, where)
        elif came != wanted and not (came in ("array", "tensor") and came in kinds):
            raise _differs(where, _describe(want), got, np.shape(_numbers(want)))
        return _compare_arrays(_numbers(got), _numbers(want), where, rtol, atol, kinds)
    if came != wanted and came not in kinds:
        raise _differs(where, _describe(want), got)
    if wanted in NUMBERS:
        if came not in NUMBERS:
            raise _differs(where, _describe(want), got)
        exact = {wanted, came} <= {"bool", "int"}
        if not (got == want if exact else _near(_single(got), _single(want), rtol, atol).all()):
            raise _values_differ(where, f"got {_text(got)}, wanted {_text(want)}")
    elif wanted in ("list", "tuple"):
        if came not in ("list", "tuple") or len(got) != len(want):
            raise _differs(where, _describe(want), got, (len(want),))
        for i, (mine, right) in enumerate(zip(got, want, strict=True)):
            _compare(mine, right, f"{where}[{i}]" if len(want) <= 8 else "[...]", rtol, atol, kinds)
    elif wanted == "dict":
        if _typed(got) != _typed(want):
            raise CheckFailed(f"{_at(where)}has other keys", f"got {_text(list(got))}")
        for key, right in want.items():
            _compare(got[key], right, f"{where}[key]", rtol, atol, kinds)
    elif wanted == "set":
        if _typed(got) != _typed(want):
            raise _values_differ(where, f"got {_text(got)}, wanted {_text(want)}")
    elif wanted != "None" and got != want:
        raise _values_differ(where, f"got {_text(got)}, wanted {_text(want)}")


def _compare_arrays(got, want, where, rtol, atol, kinds):
    came, wanted = ELEMENTS.get(got.dtype.kind), ELEMENTS.get(want.dtype.kind)
    if wanted is None:
        raise TypeError(f"nothing can be compared with an array of {want.dtype}")
    if came is None or (came != wanted and came not in kinds) or got.shape != want.shape:
        raise _differs(where, _describe(want), got, want.shape)
    if {came, wanted} <= {"bool", "int"}:
        right = got == want
    else:
        right = _near(got, want, rtol, atol)
    if right.all():
        return
    worst = tuple(int(i) for i in np.argwhere(~right)[0])
    detail = f"{int((~right).sum())} of {right.size}, first at {list(worst)}: "
    detail += f"got {_text(got[worst])}, wanted {_text(want[worst])}"
    if came in ("float", "complex") and (np.isnan(got) & ~np.isnan(want)).any():
        raise CheckFailed(f"{_at(where)}contains NaN", detail)
    raise _values_differ(where, detail)


def _near(got, want, rtol, atol):
    """Where numbers are within the tolerance, or the same infinity, or both NaN."""
    kind = np.complex128 if "c" in (got.dtype.kind, want.dtype.kind) else np.float64
    got, want = got.astype(kind), want.astype(kind)
    with np.errstate(all="ignore"):
        near = np.abs(got - want) <= atol + rtol * np.abs(want)
        near &= np.isfinite(got) & np.isfinite(want)
    return near | (got == want) | (np.isnan(got) & np.isnan(want))


def _single(value):
    try:
        return np.asarray(complex(value) if _kind(value) == "complex" else float(value))
    except OverflowError:  # a whole number beyond all floats
        return np.asarray(math.inf if value > 0 else -math.inf)


def _as_array(got, want, where):
    """The list as an array, if its entries are numbers of one kind in rows of one length."""
    shape = np.shape(_numbers(want))

    def leaves(value, axes):
        if not axes:
            yield value
        elif _kind(value) in ("list", "tuple") and len(value) == axes[0]:
            for entry in value:
                yield from leaves(entry, axes[1:])
        else:
            raise _differs(where, _describe(want), got, shape)

    flat = list(leaves(got, shape))
    found = {_kind(value) for value in flat}
    if len(found) > 1 or not found <= set(NUMBERS):
        raise CheckFailed(f"{_at(where)}holds something else than numbers of one kind", _text(got))
    try:
        kind = np.dtype({"int": np.int64}.get(*found, *found)) if found else want.dtype
        return np.array(flat, kind).reshape(shape)
    except OverflowError:
        raise _values_differ(where, _text(got)) from None


def _kind(value):
    tensor = type(value).__name__ == "Tensor" and hasattr(type(value), "array")
    return "tensor" if tensor else KINDS.get(type(value), "object")


def _numbers(value):
    return value.array if _kind(value) == "tensor" else value


def _typed(entries):
    """Keys or entries with their kinds: 1, 1.0 and True are three."""
    return {(_kind(entry), entry) for entry in entries}


def _at(where):
    return f"entry {where} " if where else ""


def _values_differ(where, detail):
    return CheckFailed(
        f"{_at(where)}has the right kind and shape, but not the right values", detail
    )


def _differs(where, wanted, got, shape=()):
    """The failure for a wrong kind or shape."""
    return CheckFailed(
        f"{_at(where)}should be {wanted}, not {_describe(got, shape)}", f"got {_text(got)}"
    )


def _describe(value, wanted=None):
    """Kind and shape in words.

    A shape that a student chose could carry a message out of a hidden check, so of its lengths
    only those are told that are the wanted ones.
    """
    kind = _kind(value)
    if kind in ("array", "tensor"):
        array = _numbers(value)
        element = ELEMENTS.get(array.dtype.kind, "something else")
        article = "an" if kind == "array" else "a"
        return f"{article} {kind} of {element} with {_shape(array.shape, wanted)}"
    if kind in ("list", "tuple"):
        told = wanted is None or (len(value),) == tuple(wanted)
        return f"a {kind} of {f'length {len(value)}' if told else 'another length'}"
    if kind in NUMBERS:
        return f"a single {kind}"
    return {"None": "None", "object": "an object of another type"}.get(kind, f"a {kind}")


def _shape(shape, wanted):
    if wanted is not None and len(shape) != len(wanted):
        return "other axes" if len(shape) > len(wanted) + 2 else f"{len(shape)} axes"
    if wanted is not None:
        pairs = zip(shape, wanted, strict=True)
        shape = [n if right in (None, n) else "another length" for n, right in pairs]
        shape = ["any" if right is None else n for n, right in zip(shape, wanted, strict=True)]
    return "shape (" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"


def _text(value):
    """A value for people, bounded."""
    if type(value) is np.ndarray:
        with np.printoptions(threshold=20, edgeitems=2, precision=8):
            value = np.array2string(value, separator=", ")
        return " ".join(value.split())[:300]
    return _TEXT.repr(value.item() if isinstance(value, np.generic) else value)[:300]


_TEXT = reprlib.Repr()
_TEXT.maxstring = _TEXT.maxother = _TEXT.maxlong = 100
