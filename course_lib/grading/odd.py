"""Students for trying checks on: their code gives odd things, or nearly right ones."""

import numpy as np

from course_lib.grading.checks import StudentError

NONSENSE = ("None", "an empty text", "an empty list", "an empty dict", "nested nonsense")
ODD = {
    "None": None,
    "an empty text": "",
    "an empty list": [],
    "an empty dict": {},
    "nested nonsense": {"odd": [None, {"": ()}]},
    "an empty tuple": (),
    "a text": "state by state",
    "bytes": b"state",
    "True": True,
    "0": 0,
    "-1": -1,
    "a float": 1.5,
    "NaN": float("nan"),
    "infinity": float("inf"),
    "a number of 400 digits": 10**400,
    "a complex number": 1 + 2j,
    "a pair": (1.0, 2),
    "a triple of None": (None, None, None),
    "a list of texts": ["a", "b", "c"],
    "a ragged list": [[1.0], [2.0, 3.0], 4],
    "a set": {1, "a"},
    "an array without axes": np.array(1.0),
    "an empty array": np.zeros(0),
    "an array with an axis of length 0": np.zeros((3, 0)),
    "an array of NaN": np.full(4, np.nan),
    "a matrix of NaN": np.full((3, 3), np.nan),
    "an array of huge integers": np.full(5, 2**62),
    "an array of -1": np.full(5, -1),
    "an array of booleans": np.ones(3, dtype=bool),
    "an array of complex numbers": np.full((2, 3), 1j),
    "an array with three axes": np.zeros((2, 3, 4)),
    "half-precision infinity": np.full(3, np.inf, dtype=np.float16),
    "a huge array": np.zeros(1_000_000),
}
# What may come out instead of an array that would be right.
_NEARLY = {
    "the transposed array": lambda a: np.ascontiguousarray(a.T),
    "an extra axis": lambda a: a[..., None],
    "one entry less": lambda a: a[:-1] if a.ndim else a[None],
    "one entry more": lambda a: np.concatenate([a, a[:1]]) if a.ndim else a[None],
    "no entry": lambda a: a[:0] if a.ndim else a[None],
    "the array as a list": lambda a: a.tolist(),
    "the array as complex numbers": lambda a: a.astype(complex),
    "the array as integers": lambda a: np.nan_to_num(a.real).astype(int),
    "the array with a NaN": lambda a: np.where(np.arange(a.size).reshape(a.shape) == 0, np.nan, a),
    "the array times -1000": lambda a: -1000.0 * a,
    "the array as texts": lambda a: [str(entry) for entry in a.ravel()],
    "None for the array": lambda a: None,
}


class Constant:
    """A student whose every function and variable gives the same value."""

    def __init__(self, value):
        self._value = value

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return _Gives(lambda *args, **kwargs: self._value)


class Nearly:
    """A student who has the reference's answers, each array or number in it changed."""

    def __init__(self, solution, change):
        self._solution, self._change = solution, change

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        right = getattr(self._solution, name)
        return _Gives(
            lambda *args, **kwargs: _changed(_right(right, name, args, kwargs), self._change),
            lambda: _changed(right.value, self._change),
        )


class _Gives:
    def __init__(self, call, value=None):
        self._call, self._give = call, value or call

    def __call__(self, *args, **kwargs):
        return self._call(*args, **kwargs)

    @property
    def value(self):
        return self._give()


def odd_students(solution):
    """Return students to try a check on.

    Parameters
    ----------
    solution : Solution

    Returns
    -------
    students : list of (str, object, bool)
        What their code gives, in words; the student; whether no check may give points for it.
    """
    students = [(name, Constant(value), name in NONSENSE) for name, value in ODD.items()]
    students += [(name, Nearly(solution, change), False) for name, change in _NEARLY.items()]
    return students


def _right(right, name, args, kwargs):
    try:
        return right(*args, **kwargs)
    except Exception as error:  # where the reference raises, so does the student
        raise StudentError(type(error).__name__, str(error), name=name) from error


def _changed(value, change):
    if type(value) in (list, tuple):
        return type(value)(_changed(entry, change) for entry in value)
    if type(value) is dict:
        return {key: _changed(entry, change) for key, entry in value.items()}
    if type(value) in (int, float, np.float64, np.int64, np.ndarray):
        with np.errstate(all="ignore"):
            return change(np.asarray(value))
    return value
