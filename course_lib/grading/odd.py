"""Students for trying checks on: their code gives odd things, or nearly right ones."""

import numpy as np

from course_lib.grading.checks import StudentError

MAX_RIGHT = 4  # as many right answers before an odd one are tried
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
# Tried behind right answers as well: a check may look closely only at the first.
LATER = (
    *("None", "an empty text", "an empty list", "an empty dict", "a float", "a ragged list"),
    *("an array without axes", "an empty array", "a matrix of NaN", "an array with three axes"),
    *("the transposed array", "an extra axis", "one entry less", "None for the array"),
)
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


class Odd:
    """A student who is right for some calls and gives something odd from then on.

    Parameters
    ----------
    solution : Solution
    right : int
        Number of calls and looks at variables that are answered rightly.
    change : callable
        Gets a function that gives what would be right; returns something odd.
    """

    def __init__(self, solution, right, change):
        self._solution, self._right, self._change = solution, right, change

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return _Gives(self, name)

    def _give(self, name, ask):
        def right():
            try:
                return ask(getattr(self._solution, name))
            except Exception as error:  # where the reference raises, so does the student
                raise StudentError(type(error).__name__, str(error), name=name) from error

        self._right -= 1
        return right() if self._right >= 0 else self._change(right)


class _Gives:
    def __init__(self, student, name):
        self._student, self._name = student, name

    def __call__(self, *args, **kwargs):
        return self._student._give(self._name, lambda right: right(*args, **kwargs))

    @property
    def value(self):
        return self._student._give(self._name, lambda right: right.value)


def odd_students(solution, calls):
    """Return students to try a check on.

    Parameters
    ----------
    solution : Solution
    calls : int
        How often the check asks the student.

    Returns
    -------
    students : list of (str, Odd, bool)
        What their code gives, in words; the student; whether no check may give points for it.
    """
    changes = {name: _constant(value) for name, value in ODD.items()}
    changes |= {name: _everywhere(change) for name, change in _NEARLY.items()}
    students = [(name, Odd(solution, 0, c), name in NONSENSE) for name, c in changes.items()]
    for right in range(1, min(calls, MAX_RIGHT + 1)):
        students += [
            (f"{name} after {right} right answers", Odd(solution, right, changes[name]), False)
            for name in LATER
        ]
    return students


def _constant(value):
    return lambda right: value


def _everywhere(change):
    return lambda right: _changed(right(), change)


def _changed(value, change):
    if type(value) in (list, tuple):
        return type(value)(_changed(entry, change) for entry in value)
    if type(value) is dict:
        return {key: _changed(entry, change) for key, entry in value.items()}
    if type(value) in (int, float, np.float64, np.int64, np.ndarray):
        with np.errstate(all="ignore"):
            return change(np.asarray(value))
    return value
