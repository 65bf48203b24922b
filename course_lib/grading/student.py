"""The student's notebook as checks see it: names whose use is a question to the worker."""

from course_lib.grading.codec import CodecError


class StudentError(Exception):
    """The student's code raised an exception, lacks a name, or gave back no plain data.

    Attributes
    ----------
    kind : str
        Name of the exception's type; as everything from the student it may be made up.
    message : str
    trace : str
    """

    def __init__(self, kind, message, trace=""):
        super().__init__(f"{kind}: {message}" if message else kind)
        self.kind, self.message, self.trace = kind, message, trace


class Student:
    """``student.NAME(...)`` calls the student's function, ``student.NAME.value`` is a variable.

    Parameters
    ----------
    channel : Channel
    seconds : float
        For one call.
    """

    __slots__ = ("_channel", "_seconds")
    MARGIN_S = 1  # the worker cuts a loop itself; if it cannot, the channel's clock ends it

    def __init__(self, channel, seconds):
        self._channel, self._seconds = channel, seconds

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)
        return Answer(self, name)

    def _ask(self, **request):
        request["seconds"] = self._seconds
        reply = self._channel.ask(request, self._seconds + self.MARGIN_S)
        if reply["ok"]:
            return reply["value"]
        error = reply["error"]
        raise StudentError(error["type"], error["message"], error["trace"])


class Answer:
    """One name of the student's; see :class:`Student`."""

    __slots__ = ("_name", "_student")

    def __init__(self, student, name):
        self._student, self._name = student, name

    def __call__(self, *args, **kwargs):
        try:
            return self._student._ask(op="call", name=self._name, args=list(args), kwargs=kwargs)
        except CodecError as error:
            raise TypeError(
                f"{self._name} cannot be called with these arguments: {error}"
            ) from error

    @property
    def value(self):
        """The variable of that name, as plain data."""
        return self._student._ask(op="value", name=self._name)
