"""Requirements on an answer that are no comparison with the right one."""

import math

import numpy as np

from course_lib.grading.words import ELEMENTS, CheckFailed, differs, kind_of, text


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
    fits = kind_of(got) == "array" and ELEMENTS.get(got.dtype.kind) == of
    fits = fits and got.ndim == len(shape)
    if not fits or any(w not in (None, n) for n, w in zip(got.shape, shape, strict=True)):
        words = str(tuple("any" if n is None else n for n in shape)).replace("'", "")
        raise differs(f"an array of {of} with shape {words}", got, shape)
    if finite and not np.isfinite(got).all():
        raise CheckFailed("contains NaN or infinity", text(got))
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
    if kind_of(got) != of:
        raise differs(f"a single {of}", got)
    got = got.item() if isinstance(got, np.generic) else got
    if finite and of != "int" and not np.isfinite(got):
        raise CheckFailed("is NaN or infinite", text(got))
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
    kind = kind_of(got)
    numbers = (ELEMENTS.get(got.dtype.kind) if got.size else None) if kind == "array" else kind
    if numbers not in ("int", "float"):
        raise differs("a number, or an array of numbers", got)
    if not np.all((low <= got) & (got <= high)):
        raise CheckFailed("outside the interval it must lie in", f"[{low}, {high}]: {text(got)}")


def distribution(got, axis=-1, shape=None, atol=1e-9):
    """Require an array of probabilities: none negative, sums of 1 along an axis.

    Parameters
    ----------
    got : object
        From the student.
    axis : int, default=-1
    shape : tuple, optional
        None in it stands for any length. If left out, any shape with that axis.
    atol : float, default=1e-9
        How far a sum may be from 1, and an entry below 0.

    Raises
    ------
    CheckFailed
        If it is something else.
    """
    if shape is not None:
        array(got, shape)
    is_array = kind_of(got) == "array" and got.dtype.kind == "f"
    if not is_array or got.size == 0 or not -got.ndim <= axis < got.ndim:
        raise differs("an array of float with probabilities", got)
    if not np.isfinite(got).all() or got.min() < -atol:
        raise CheckFailed("holds something that is no probability", text(got))
    sums = got.sum(axis=axis, dtype=float)
    if np.abs(sums - 1).max() > atol:
        raise CheckFailed(f"does not sum to 1 along axis {axis}", f"sums {text(sums)}")


def fraction(value, low, high):
    """Return which part of the points a score earns: 0 up to ``low``, 1 from ``high``.

    Parameters
    ----------
    value : float
        Computed by the check; NaN and infinity earn nothing.
    low, high : float

    Returns
    -------
    part : float
        In [0, 1].

    Raises
    ------
    ValueError
        If ``low`` is not below ``high``.
    """
    if not low < high:
        raise ValueError(f"fraction needs low < high, got {low} and {high}")
    if not low < value < math.inf:  # a NaN is neither
        return 0.0
    return min(1.0, (value - low) / (high - low))
