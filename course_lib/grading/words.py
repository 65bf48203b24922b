"""Kinds of plain data, and what is said of a wrong answer.

Of each failure one text is for everybody. It says nothing that a student could have put there to
carry a hidden check's input out: the lengths, keys and class names of an answer are such places.
Another text has the values.
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
    return CheckFailed(f"{lead(where)}should be {wanted}, not {describe(got, shape or ())}", detail)


def text(value):
    """Return a value for people, on one line and bounded.

    Parameters
    ----------
    value : object

    Returns
    -------
    text : str
    """
    if kind_of(value) == "array":
        # Of each axis a few entries are shown: too many where there are many axes.
        value = value.reshape(-1) if value.ndim > 3 else value
        with np.printoptions(threshold=20, edgeitems=2, precision=8):
            return " ".join(np.array2string(value, separator=", ").split())[:300]
    return _SHORT.repr(value.item() if isinstance(value, np.generic) else value)[:300]


class _Short(reprlib.Repr):
    """Bounded also for arrays in lists; the names are those of the types."""

    def repr_ndarray(self, value, level):
        return text(value)

    def repr_Tensor(self, value, level):
        return f"Tensor({text(numbers_of(value))})"


_SHORT = _Short()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 100


def lead(where):
    """Return the words in front of a failure of a part of an answer, or nothing."""
    return f"entry {where} " if where else ""


def describe(value, wanted=None):
    """Return kind and shape in words.

    Parameters
    ----------
    value : object
    wanted : tuple, optional
        The right shape, if the value is a student's: of its lengths only those are told that
        are right.

    Returns
    -------
    text : str
    """
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
