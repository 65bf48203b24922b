"""The student's notebook as checks see it: names whose use is a question to the worker."""

import sys

import numpy as np

from course_lib.grading.checks import StudentError
from course_lib.grading.codec import CodecError, Tensor

MARGIN_S = 1  # the worker cuts a loop itself; if it cannot, the channel's clock ends it
MAX_HELD = 32 * 2**20  # bytes of all answers within one check, as they lie in memory


class Student:
    """``student.NAME(...)`` calls the student's function, ``student.NAME.value`` is a variable.

    Parameters
    ----------
    channel : Channel or Session
    seconds : float
        For one call.
    """

    __slots__ = ("_channel", "_held", "_seconds")

    def __init__(self, channel, seconds):
        self._channel, self._seconds, self._held = channel, seconds, 0

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return Answer(self, name)

    def _ask(self, name, **request):
        request |= {"name": name, "seconds": self._seconds}
        reply = self._channel.ask(request, self._seconds + MARGIN_S)
        if not reply["ok"]:
            error = reply["error"]
            raise StudentError(error["type"], error["message"], error["trace"], name)
        self._held += _size(reply["value"])
        if self._held > MAX_HELD:
            text = f"the answers to one check hold more than {MAX_HELD // 2**20} MB"
            raise StudentError("TooLarge", text, name=name)
        return reply["value"]


def _size(value):
    """Bytes that plain data takes in memory, about."""
    if type(value) is Tensor:
        value = value.array
    if type(value) is np.ndarray:
        return 200 + value.nbytes
    size = sys.getsizeof(value)
    if type(value) is dict:
        size += sum(map(_size, value.keys())) + sum(map(_size, value.values()))
    elif type(value) in (list, tuple, set, frozenset):
        size += sum(map(_size, value))
    return size


class Answer:
    """One name of the student's; see :class:`Student`."""

    __slots__ = ("_name", "_student")

    def __init__(self, student, name):
        self._student, self._name = student, name

    def __call__(self, *args, **kwargs):
        try:
            return self._student._ask(self._name, op="call", args=list(args), kwargs=kwargs)
        except CodecError as error:
            raise TypeError(
                f"{self._name} cannot be called with these arguments: {error}"
            ) from error

    @property
    def value(self):
        """The variable of that name, as plain data."""
        return self._student._ask(self._name, op="value")
