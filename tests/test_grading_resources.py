"""Loops, exits, forks, memory, files: cut, the rest graded, and nothing left behind."""

import json
import os
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from course_lib.grading import box
from tests import grading_submissions as sub
from tests.grading_submissions import (
    hand_in,
    mark,
    points,
    reasons,
    statuses,
)

pytest_plugins = "tests.grading_support"
ROOT = Path(__file__).resolve().parents[1]

# Stands on the command line of the worker, and so of all that it forks.
OWN_KB = 4 + os.getpid() % 60
OWN = replace(sub.LIMITS, output_kb=OWN_KB)


def alive():
    """Processes of our sandboxes, with their states."""
    found, mark = [], f"\0{1024 * OWN_KB}\0".encode()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if b"worker.py" + mark in path.read_bytes():
                found.append(path.parent.joinpath("stat").read_text())
        except OSError:
            continue
    return found


def nothing_is_left(seconds=20):
    """Usually within some hundredths; a busy machine may take its time, sleepers last longer."""
    end = time.monotonic() + seconds
    while alive() and time.monotonic() < end:
        time.sleep(0.02)
    return not alive()


class TestResources:
    """Cut or limited, the rest is graded, and nothing is left of it after a second."""

    @pytest.mark.parametrize(
        "name, attack, expected",
        [
            ("loop", "while True: pass", {"timeout"}),
            ("loop in C", "sum(range(10**13))", {"timeout"}),
            ("sleep", "import time; time.sleep(1000)", {"timeout"}),
            (
                "alarm disarmed",
                "import signal; signal.signal(signal.SIGALRM, signal.SIG_IGN)\nwhile True: pass",
                {"timeout"},
            ),
            (
                "catches all",
                "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
                {"timeout"},
            ),
            ("exit", "import os; os._exit(0)", {"killed: exit"}),
            ("abort", "import os; os.abort()", {"killed: exit"}),
            ("sys.exit", "import sys; sys.exit(0)", {"error"}),
            ("kill(1)", "import os; os.kill(1, 9)", {"ok", "error"}),
            ("kill(-1)", "import os; os.kill(-1, 9)", {"ok", "error", "killed: exit"}),
            ("kill parent", "import os; os.kill(os.getppid(), 9)", {"ok", "error", "killed: exit"}),
            (
                "200 forks",
                "import os, time\nfor _ in range(200):\n    if os.fork() == 0:\n"
                "        os.setsid(); time.sleep(300)",
                {"error", "killed: processes"},
            ),
            (
                "busy forks",
                "import os\nif os.fork() == 0:\n    while True:\n        try:\n"
                "            if os.fork(): os._exit(0)\n        except OSError: pass",
                {"ok", "timeout", "killed: processes", "killed: memory", "killed: exit"},
            ),
            (
                "6 GB",
                "x = [bytearray(b'x' * 10**8) for _ in range(60)]",
                {"killed: memory"},
            ),
            (
                "medium processes",
                "import os, time\nfor _ in range(8):\n    if os.fork() == 0:\n"
                "        x = bytearray(b'x' * 10**8); time.sleep(60)\ntime.sleep(0.9)",
                {"killed: memory"},
            ),
            (
                "threads",
                "import threading, time\nfor _ in range(500):\n"
                "    threading.Thread(target=time.sleep, args=(99,), daemon=True).start()",
                {"error", "killed: processes"},
            ),
            (
                "5 GB to files",
                "import os\nfor i in range(500):\n"
                "    with open(os.path.join(os.environ['TMPDIR'], str(i)), 'wb') as f:\n"
                "        f.write(bytes(10 * 2**20)); f.flush()",
                {"error", "killed: files", "killed: memory"},
            ),
            ("lines", "for i in range(10**9): print(i)", {"timeout"}),
            ("400 MB print", "print('a' * (4 * 10**8))", {"ok", "killed: memory", "error"}),
            ("stack", "import sys; sys.setrecursionlimit(10**9)\ndef f(): f()\nf()", None),
            ("closed stdout", "import sys; sys.stdout.close = 1; sys.stdout = None", {"ok"}),
        ],
    )
    def test_in_a_cell(self, sandbox_kind, name, attack, expected):
        # What must be cut is cut soon; for the others the machine may be busy.
        limits = replace(OWN, cell_s=2 if expected and "timeout" in expected else 20)
        result = mark(hand_in(between=[attack]), sandbox_kind, limits=limits)
        assert result["points"] == 7, (name, statuses(result), reasons(result))
        assert expected is None or statuses(result)[1] in expected
        assert nothing_is_left()
        assert len(json.dumps(result)) < 200_000

    @pytest.mark.parametrize(
        "attack, expected",
        [
            ("while True: pass", "timeout"),
            ("sum(range(10**13))", "timeout"),
            ("import signal; signal.setitimer(0, 0)\n    while True: pass", "timeout"),
            ("import os; os._exit(0)", "killed: exit"),
            ("import os; os.kill(os.getpid(), 11)", "killed: exit"),
            ("return [bytearray(b'x' * 10**8) for _ in range(60)]", "killed: memory"),
        ],
    )
    def test_in_a_call(self, sandbox_kind, attack, expected):
        call_s = 20 if expected == "killed: memory" else 1
        limits = replace(sub.LIMITS, call_s=call_s)
        result = mark(hand_in(f"def normalize(x):\n    {attack}"), sandbox_kind, limits=limits)
        assert reasons(result)[:2] == [expected] * 2
        assert points(result) == {"normalize": 0, "smooth": 4}

    def test_cell_that_fills_the_memory_is_the_one_to_blame(self, sandbox_kind, monkeypatch):
        """Not the one behind it, in which the watch would find it."""
        monkeypatch.setattr(box, "POLL_S", 0.7)
        full = "x = [bytearray(b'x' * 10**7) for _ in range(30)]"
        result = mark(hand_in(between=[full]), sandbox_kind, limits=replace(OWN, cell_s=20))
        assert statuses(result) == ["ok", "killed: memory", "ok"] and result["points"] == 7

    def test_nothing_of_ours_is_left_either(self, each_kind, tmp_path, monkeypatch):
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        before = len(os.listdir("/proc/self/fd")), threading.active_count()
        exits = "import os\ndef normalize(x): os._exit(0)"
        result = mark(hand_in(exits, between=["import os; os._exit(0)"]), each_kind, limits=OWN)
        assert result["points"] == 4
        assert (len(os.listdir("/proc/self/fd")), threading.active_count()) == before
        assert os.listdir(tmp_path) == [] and nothing_is_left()

    def test_grader_killed_takes_the_sandbox_along(self, each_kind):
        program = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from dataclasses import replace
from course_lib.grading import grader
from tests import grading_submissions as sub
bundle = sub.bundle(limits=replace(sub.LIMITS, cell_s=60, output_kb={OWN_KB}))
grader.grade(sub.hand_in(first=["import time; time.sleep(50)"]), bundle, {each_kind!r}, b"s")
"""
        process = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT)
        end = time.monotonic() + 30
        while not alive() and time.monotonic() < end:
            time.sleep(0.02)
        assert alive()
        process.kill()
        process.wait()
        assert nothing_is_left()

    def test_threads_left_behind_do_not_end_the_grading(self, sandbox_kind):
        late = "import threading, os\nthreading.Timer(0.3, os._exit, [0]).start()"
        wait = "import time; time.sleep(0.8)"
        result = mark(hand_in(last=[late, wait]), sandbox_kind)
        # The cell that was running is left out, and the bomb goes off again: up to three times.
        assert result["points"] in (0, 3, 4, 7)
