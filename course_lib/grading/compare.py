"""Comparisons that a wrong answer cannot pass: kind and shape first, then values.

What is compared is plain data, as it comes through the codec. Of each failure one text is for
everybody and says nothing that a student could have put there to carry a hidden check's input out
(lengths and keys are such places); another has the values.
"""

import reprlib

import numpy as np

KINDS = {type(None): "None", str: "str", bytes: "bytes", dict: "dict", set: "set"}
KINDS |= {frozenset: "set", list: "list", tuple: "tuple", np.ndarray: "array"}
KINDS |= {bool: "bool", np.bool_: "bool", int: "int", float: "float", complex: "complex"}
KINDS |= {
    np.dtype(f"{sign}int{bits}").type: "int" for sign in ("", "u") for bits in (8, 16, 32, 64)
}
KINDS |= {np.dtype(f"float{bits}").type: "float" for bits in (16, 32, 64)}
KINDS |= {np.dtype(f"complex{bits}").type: "complex" for bits in (64, 128)}
ELEMENTS = {"b": "bool", "i": "int", "u": "int", "f": "float", "c": "complex"}
NUMBERS = set(ELEMENTS.values())
NAMED_ENTRIES = 8  # longer lists do not say which entry is wrong


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


def kind_of(value):
    """Return the kind of a value: a word such as ``float``, ``array`` or ``object``.

    Parameters
    ----------
    value : object

    Returns
    -------
    kind : str
        By the exact type: a subclass of list is no ``list``.
    """
    kind = type(value)
    if kind.__name__ == "Tensor" and (hasattr(kind, "array") or kind.__module__ == "torch"):
        return "tensor"
    return KINDS.get(kind, "object")


def numbers_of(value):
    """Return the NumPy array of an array or tensor.

    Parameters
    ----------
    value : ndarray or Tensor

    Returns
    -------
    array : ndarray
    """
    if type(value) is np.ndarray:
        return value
    return value.array if hasattr(type(value), "array") else value.detach().cpu().numpy()


def differs(wanted, got, shape=None, where=""):
    """Return the failure for a wrong kind or shape.

    Parameters
    ----------
    wanted : str
        What was wanted, in words.
    got : object
        From the student.
    shape : tuple, optional
        The wanted one, of which got's lengths may be told; None in it for any length.
    where : str, optional
        Which part of the answer.

    Returns
    -------
    failure : CheckFailed
    """
    detail = f"got {text(got)}"
    if kind_of(got) in ("array", "tensor"):
        detail += f" with shape {numbers_of(got).shape}"
    return CheckFailed(f"{_at(where)}should be {wanted}, not {_describe(got, shape or ())}", detail)


def text(value):
    """Return a value for people, on one line and bounded.

    Parameters
    ----------
    value : object

    Returns
    -------
    text : str
    """
    if type(value) is np.ndarray:
        with np.printoptions(threshold=20, edgeitems=2, precision=8):
            return " ".join(np.array2string(value, separator=", ").split())[:300]
    return _SHORT.repr(value.item() if isinstance(value, np.generic) else value)[:300]


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 100


def _compare(got, want, where, rtol, atol, kinds):
    wanted, came = kind_of(want), kind_of(got)
    if wanted == "object":
        raise TypeError(f"nothing can be compared with {want!r}")
    wrong_kind = differs(_describe(want), got, _lengths(want), where)
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
            raise CheckFailed(f"{_at(where)}has other keys", f"got {text(list(got))}")
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
    if came is None or (came != wanted and came not in kinds) or got.shape != want.shape:
        raise differs(_describe(want), got, want.shape, where)
    exact = {came, wanted} <= {"bool", "int"}
    right = got == want if exact else _near(got, want, rtol, atol)
    if right.all():
        return
    first = tuple(int(i) for i in np.argwhere(~right)[0])
    detail = f"{int((~right).sum())} of {right.size} entries, first at {list(first)}: "
    detail += f"got {text(got[first])}, wanted {text(want[first])}"
    if not exact and (np.isnan(got) & ~np.isnan(want)).any():
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
                raise differs(_describe(want), got, want.shape, where)
            for entry in value:
                yield from leaves(entry, axes[1:])
        else:
            found.add(kind_of(value))
            yield value

    flat = list(leaves(got, want.shape))
    if not found <= allowed:
        raise CheckFailed(f"{_at(where)}should hold {' or '.join(sorted(allowed))}", text(got))
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


def _at(where):
    return f"entry {where} " if where else ""


def _values_differ(where, detail):
    return CheckFailed(
        f"{_at(where)}has the right kind and shape, but not the right values", detail
    )


def _describe(value, wanted=None):
    """Kind and shape in words; of a student's lengths only whether they are the wanted ones."""
    kind = kind_of(value)
    if kind in ("array", "tensor"):
        array = numbers_of(value)
        element = ELEMENTS.get(array.dtype.kind, "something else")
        article = "an" if kind == "array" else "a"
        return f"{article} {kind} of {element} with {_shape(array.shape, wanted)}"
    if kind in ("list", "tuple"):
        told = wanted is None or wanted == (len(value),)
        return f"a {kind} of {f'length {len(value)}' if told else 'another length'}"
    if kind in NUMBERS:
        return f"a single {kind}"
    return {"None": "None", "object": "an object of another type"}.get(kind, f"a {kind}")


def _shape(shape, wanted):
    if wanted is not None and len(shape) != len(wanted):
        return "many axes" if len(shape) > len(wanted) + 2 else f"{len(shape)} axes"
    if wanted is not None:
        pairs = zip(shape, wanted, strict=True)
        shape = ["any" if w is None else n if n == w else "another length" for n, w in pairs]
    return "shape (" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")"
