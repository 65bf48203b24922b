"""The proxy that checks use: calls, variables, and a student's exceptions."""

import numpy as np
import pytest

from course_lib.grading import places, sandbox
from course_lib.grading.channel import Channel, ChannelTimeout
from course_lib.grading.limits import Limits
from course_lib.grading.student import Student, StudentError

pytest_plugins = "tests.grading_support"
SOURCE = """
import numpy as np
x = np.arange(3.0)
def scale(a, k=2):
    return k * a
def broken():
    raise KeyError("no such state")
def loop():
    while True:
        pass
def stubborn():
    import signal
    signal.setitimer(signal.ITIMER_REAL, 0)
    loop()
"""


@pytest.fixture(scope="module")
def student(sandbox_kind):
    limits = Limits()
    with sandbox.start(sandbox_kind, limits, places.worker_command(limits)) as box:
        channel = Channel(box.to_worker, box.from_worker)
        assert channel.ask({"op": "cell", "source": SOURCE, "seconds": 60}, 60)["ok"]
        yield Student(channel, 0.5)


def test_calls_and_variables(student):
    assert np.array_equal(student.scale(np.ones(2), k=3), [3.0, 3.0])
    assert np.array_equal(student.x.value, [0.0, 1.0, 2.0])


def test_exception_arrives_with_its_name(student):
    with pytest.raises(StudentError, match="KeyError: 'no such state'") as caught:
        student.broken()
    assert caught.value.kind == "KeyError"
    assert "def broken" not in caught.value.trace and "raise KeyError" in caught.value.trace


def test_missing_name(student):
    with pytest.raises(StudentError, match="name 'viterbi' is not defined"):
        student.viterbi()
    with pytest.raises(StudentError, match="name 'path' is not defined"):
        _ = student.path.value


def test_argument_that_cannot_be_sent_is_the_checks_own_error(student):
    with pytest.raises(TypeError, match="scale cannot be called with these arguments"):
        student.scale(object())


def test_time_of_a_call(student):
    with pytest.raises(StudentError, match="Timeout"):
        student.loop()
    assert student.scale(1) == 2  # still there


def test_call_that_cannot_be_cut_ends_the_channel(student):
    with pytest.raises(ChannelTimeout):  # last in this file: nothing works afterwards
        student.stubborn()
