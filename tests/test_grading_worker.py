"""The worker in a real sandbox: cells, calls, bounded output, and ends that are not its own."""

import time

import numpy as np
import pytest
import torch

from course_lib.grading import places, sandbox
from course_lib.grading.channel import Channel, ChannelClosed, ChannelError, ChannelTimeout
from course_lib.grading.codec import Tensor
from course_lib.grading.limits import Limits, from_table

pytest_plugins = "tests.grading_support"
LIMITS = Limits(output_kb=1, memory_mb=512)


@pytest.fixture
def box(sandbox_kind):
    with sandbox.start(sandbox_kind, LIMITS, places.worker_command(LIMITS)) as box:
        yield box


@pytest.fixture
def worker(box):
    worker = Channel(box.to_worker, box.from_worker, 1024 * LIMITS.output_kb)
    assert worker.ask({"op": "hello"}, 60)["ok"]
    return worker


def cell(worker, source, seconds=20):
    return worker.ask({"op": "cell", "source": source, "seconds": seconds}, seconds + 10)


def call(worker, name, *args, **kwargs):
    return worker.ask({"op": "call", "name": name, "args": list(args), "kwargs": kwargs}, 20)


class TestCell:
    def test_prints_shows_and_keeps_its_names(self, worker):
        assert cell(worker, "x = 3\nprint('one')\nx * 2")["outputs"] == [["text", "one\n6\n"]]
        assert cell(worker, "x;")["outputs"] == []
        assert cell(worker, "def f(a): return a + x\n_y = 1")["ok"]
        names = worker.ask({"op": "names"}, 20)["value"]
        assert names == {"x": False, "f": True}
        assert worker.ask({"op": "value", "name": "x"}, 20)["value"] == 3

    def test_error_shows_the_students_lines_only(self, worker):
        error = cell(worker, "def f():\n    return 1 / 0\nf()")["error"]
        assert (error["type"], error["message"]) == ("ZeroDivisionError", "division by zero")
        assert "return 1 / 0" in error["trace"]
        assert "worker.py" not in error["trace"] and "site-packages" not in error["trace"]

    def test_a_fork_of_a_cell_has_no_part_in_the_conversation(self, worker):
        """Two that read from one pipe would each get a part of the next question."""
        assert cell(worker, "import os\nx = os.fork()\ndef f():\n    return x > 0")["ok"]
        assert [call(worker, "f")["value"] for _ in range(20)] == [True] * 20

    @pytest.mark.parametrize(
        "source, kind",
        [("def f(:", "SyntaxError"), ("import sys; sys.exit('x')", "SystemExit")],
    )
    def test_bad_cells_leave_the_next_one_running(self, worker, source, kind):
        assert cell(worker, source)["error"]["type"] == kind
        assert cell(worker, "exit()")["ok"]
        assert cell(worker, "await __import__('asyncio').sleep(0)")["ok"]

    def test_what_we_leave_out_at_the_start_is_there_when_asked_for(self, worker):
        source = """
import hashlib, logging.config, tempfile
logging.config.dictConfig({"version": 1})
%time x = hashlib.sha1(b"").hexdigest()
get_ipython().run_line_magic("who", "")
"""
        assert cell(worker, source)["ok"]

    def test_message_that_fails_to_be_made(self, worker):
        source = "class E(Exception):\n    def __str__(self): raise ValueError\nraise E"
        message = cell(worker, source)["error"]["message"]
        assert message == "(its message failed with ValueError)"

    def test_loop_is_cut_and_the_state_survives(self, worker):
        cell(worker, "x = 5")
        start = time.monotonic()
        assert cell(worker, "while True: pass", seconds=0.3)["error"]["type"] == "Timeout"
        assert time.monotonic() - start < 20
        assert worker.ask({"op": "value", "name": "x"}, 20)["value"] == 5

    def test_loop_that_catches_everything_is_a_timeout(self, worker):
        source = """
import signal
signal.setitimer(signal.ITIMER_REAL, 0)
while True:
    pass
"""
        with pytest.raises(ChannelTimeout):
            worker.ask({"op": "cell", "source": source, "seconds": 0.2}, 0.7)

    def test_output_is_bounded(self, worker):
        for source in ("print('é' * 10**8)", "for i in range(10**5): print(i)"):
            (_, text), (_, note) = cell(worker, source)["outputs"]
            assert 1000 < len(text.encode()) <= 1024
            assert note == "\n[more output was cut off]\n"

    def test_exactly_the_bound_is_not_cut(self, worker):
        assert cell(worker, "print('a' * 1023)")["outputs"] == [["text", "a" * 1023 + "\n"]]

    def test_half_characters_are_replaced(self, worker):
        assert cell(worker, "print('a\\ud800b')")["outputs"] == [["text", "a?b\n"]]

    def test_only_text_and_png_are_shown(self, worker):
        source = """
from IPython.display import HTML, SVG, display
display(HTML("<script>alert(1)</script>"))
HTML("<b>b</b>")
"""
        text = "<IPython.core.display.HTML object>\n"
        assert cell(worker, source)["outputs"] == [["text", 2 * text]]

    def test_picture_of_a_figure(self, sandbox_kind):
        limits = Limits()
        with sandbox.start(sandbox_kind, limits, places.worker_command(limits)) as box:
            worker = Channel(box.to_worker, box.from_worker)
            source = "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 3]);"
            kinds = [kind for kind, _ in cell(worker, source, seconds=60)["outputs"]]
        assert kinds == ["png"]


class TestCall:
    def test_gives_plain_data_there_and_back(self, worker):
        cell(worker, "import numpy as np\ndef f(x, k=1): return {'y': k * x, 's': x.shape}")
        value = call(worker, "f", np.ones((2, 3)), k=2)["value"]
        assert np.array_equal(value["y"], np.full((2, 3), 2.0)) and value["s"] == (2, 3)
        assert call(worker, "np.linalg.norm", [3.0, 4.0])["value"] == 5.0

    def test_tensors_arrive_as_tensors(self, sandbox_kind):
        limits = from_table({"torch": True}, "here")
        with sandbox.start(sandbox_kind, limits, places.worker_command(limits)) as box:
            worker = Channel(box.to_worker, box.from_worker)
            source = "import torch\ndef f(a, k): return [a[0].relu(), k['b'].relu()]"
            assert cell(worker, source, 100)["ok"]
            x = torch.tensor([-1.0, 2.0])
            y, b = call(worker, "f", [x], k={"b": torch.tensor(3.0)})["value"]
        assert type(y) is Tensor and y.array.tolist() == [0.0, 2.0]
        assert b.array.shape == () and b.array == 3.0

    def test_missing_name_says_so(self, worker):
        error = call(worker, "viterbi")["error"]
        assert error["type"] == "NameError"
        assert error["message"] == "name 'viterbi' is not defined"

    @pytest.mark.parametrize(
        "value, reason",
        [
            ("np.zeros(30_000_000)", "larger than 16 MB"),
            ("10 ** 100_000", "more than can be sent"),
            ("deep(10_000)", "nested deeper"),
            ("selfish()", "holds itself"),
            ("type('L', (list,), {})()", "cannot be sent"),
            ("lambda: 0", "cannot be sent"),
        ],
    )
    def test_value_that_cannot_be_sent(self, worker, value, reason):
        source = f"""
import numpy as np
def deep(n):
    x = []
    for _ in range(n): x = [x]
    return x
def selfish():
    d = {{}}
    d["d"] = d
    return d
def f():
    print("f")
    return {value}
"""
        assert cell(worker, source)["ok"]
        reply = call(worker, "f")
        assert reply["error"]["type"] == "CodecError" and reason in reply["error"]["message"]
        assert reply["outputs"] == [["text", "f\n"]]


class TestKinds:
    def test_works_in_each(self, each_kind):
        with sandbox.start(each_kind, LIMITS, places.worker_command(LIMITS)) as box:
            worker = Channel(box.to_worker, box.from_worker)
            assert cell(worker, "def f(a): return a + 1", 60)["ok"]
            assert call(worker, "f", 2)["value"] == 3
            assert cell(worker, "import course_lib")["error"]["type"] == "ModuleNotFoundError"


class TestEnds:
    def test_exit_closes_the_channel(self, worker, box):
        with pytest.raises(ChannelClosed):
            cell(worker, "import os; os._exit(0)")
        assert box.wait(5) and box.cause() == "exit"

    def test_memory_is_the_cause(self, worker, box):
        with pytest.raises(ChannelError):
            cell(worker, "x = [bytearray(b'x' * 10**8) for _ in range(20)]")
        assert box.wait(5) and box.cause() == "memory"

    def test_closed_and_forged_pipes(self, worker):
        with pytest.raises(ChannelError):
            cell(worker, "import os\nos.write(4, b'\\xff' * 99)\nos.close(4)")
