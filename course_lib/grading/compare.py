"""Comparisons that a wrong answer cannot pass: kind and shape first, then values.

What is compared is plain data, as it comes through the codec.
"""

import numpy as np

from course_lib.grading.words import (
    ELEMENTS,
    NUMBERS,
    CheckFailed,
    describe,
    differs,
    kind_of,
    lead,
    numbers_of,
    text,
)

NAMED_ENTRIES = 8  # longer lists do not say which entry is wrong


def close(got, want, *, rtol=1e-9, atol=1e-12, kinds=()):
    """Require the wanted kind, shape and, within a tolerance, values.

    Infinities and NaN must stand where they are wanted; whole numbers, texts and keys must be
    equal. Goes into lists, tuples and dicts.

    Parameters
    ----------
    got : object
        From the student.
    want : object
        What is right; its kind is the wanted one.
    rtol, atol : float, default=1e-9 and 1e-12
        ``abs(got - want) <= atol + rtol * abs(want)``.
    kinds : tuple of str, optional
        Kinds that are allowed too: ``list`` or ``tuple`` for an array, ``int`` for floats.

    Raises
    ------
    CheckFailed
        If it is not so.
    """
    _compare(got, want, "", rtol, atol, kinds)


def equal(got, want, *, kinds=()):
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


def _compare(got, want, where, rtol, atol, kinds):
    wanted, came = kind_of(want), kind_of(got)
    if wanted == "object":
        raise TypeError(f"nothing can be compared with {want!r}")
    wrong_kind = differs(describe(want), got, _lengths(want), where)
    if wanted in ("array", "tensor"):
        if came in kinds and came in ("list", "tuple"):
            got = _as_array(got, want, where, kinds)
        elif came != wanted and not (came in kinds and came in ("array", "tensor")):
            raise wrong_kind
        _compare_arrays(numbers_of(got), numbers_of(want), where, rtol, atol, kinds)
    elif came != wanted and not (came in kinds and _alike(came, wanted)):
        raise wrong_kind
    elif wanted in ("list", "tuple"):
        if len(got) != len(want):
            raise wrong_kind
        for i, (mine, right) in enumerate(zip(got, want, strict=True)):
            entry = f"[{i}]" if len(want) <= NAMED_ENTRIES else "[...]"
            _compare(mine, right, where + entry, rtol, atol, kinds)
    elif wanted == "dict":
        if _typed(got) != _typed(want):
            raise CheckFailed(f"{lead(where)}has other keys", f"got {text(list(got))}")
        for key, right in want.items():
            try:
                _compare(got[key], right, where + "[key]", rtol, atol, kinds)
            except CheckFailed as failed:
                raise CheckFailed(failed.message, f"key {text(key)}: {failed.detail}") from None
    elif not _same(got, want, rtol, atol):
        raise _values_differ(where, f"got {text(got)}, wanted {text(want)}")


def _same(got, want, rtol, atol):
    kinds = {kind_of(got), kind_of(want)}
    if kinds == {"set"}:
        return _typed(got) == _typed(want)
    if kinds <= {"float", "complex", "int"} and kinds != {"int"}:
        return bool(_near(_single(got), _single(want), rtol, atol))
    return got == want


def _compare_arrays(got, want, where, rtol, atol, kinds):
    came, wanted = ELEMENTS.get(got.dtype.kind), ELEMENTS.get(want.dtype.kind)
    if wanted is None:
        raise TypeError(f"nothing can be compared with an array of {want.dtype}")
    if (came != wanted and came not in kinds) or got.shape != want.shape:
        raise differs(describe(want), got, want.shape, where)
    exact = {came, wanted} <= {"bool", "int"}
    right = got == want if exact else _near(got, want, rtol, atol)
    if right.all():
        return
    first = tuple(int(i) for i in np.argwhere(~right)[0])
    detail = f"{int((~right).sum())} of {right.size} entries, first at {list(first)}: "
    detail += f"got {text(got[first])}, wanted {text(want[first])}"
    if not exact and (np.isnan(got) & ~np.isnan(want)).any():
        raise CheckFailed(f"{lead(where)}contains NaN", detail)
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
        return np.asarray(value, complex if kind_of(value) == "complex" else float)
    except OverflowError:  # a whole number beyond all floats
        return np.asarray(np.inf if value > 0 else -np.inf)


def _as_array(got, want, where, kinds):
    """The list as an array, if its entries are wanted numbers in rows of one length."""
    want = numbers_of(want)
    allowed = {ELEMENTS.get(want.dtype.kind), *kinds} & NUMBERS
    found = set()

    def leaves(value, axes):
        if axes:
            if kind_of(value) not in ("list", "tuple") or len(value) != axes[0]:
                raise differs(describe(want), got, want.shape, where)
            for entry in value:
                yield from leaves(entry, axes[1:])
        else:
            found.add(kind_of(value))
            yield value

    flat = list(leaves(got, want.shape))
    if not found <= allowed:
        raise CheckFailed(f"{lead(where)}should hold {' or '.join(sorted(allowed))}", text(got))
    kind = next((k for k in ("complex", "float", "int") if k in found), "bool") if flat else None
    try:
        return np.array(flat, kind or want.dtype).reshape(want.shape)
    except OverflowError:
        raise _values_differ(where, f"got {text(got)}") from None


def _alike(came, wanted):
    return any(came in group and wanted in group for group in (NUMBERS, {"list", "tuple"}))


def _typed(entries):
    """Keys or entries with their kinds: 1, 1.0 and True are three."""
    return {_with_kind(entry) for entry in entries}


def _with_kind(entry):
    kind = kind_of(entry)
    inner = entry if kind in ("tuple", "set") else ()
    return (
        kind,
        entry,
        tuple(map(_with_kind, inner)) if kind == "tuple" else frozenset(map(_with_kind, inner)),
    )


def _lengths(want):
    if kind_of(want) in ("array", "tensor"):
        return numbers_of(want).shape
    return (len(want),) if kind_of(want) in ("list", "tuple") else None


def _values_differ(where, detail):
    return CheckFailed(
        f"{lead(where)}has the right kind and shape, but not the right values", detail
    )
