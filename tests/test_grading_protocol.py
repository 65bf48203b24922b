"""Hostile workers: forged frames, closed pipes, values that fill the grader's memory."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.grading_submissions import (
    hand_in,
    mark,
    points,
    reasons,
    statuses,
)

pytest_plugins = "tests.grading_support"
ROOT = Path(__file__).resolve().parents[1]
MARK = "a-pickle-was-loaded"


class TestProtocol:
    FORGED = """
import os, struct, sys, threading
import gc
gc.unfreeze()
for o in gc.get_objects():
    if isinstance(o, dict) and "MAX_DEPTH" in o: codec = o
    if type(o).__name__ == "_Worker": worker = o
def forge(id=b"0" * 16, **more):
    reply = {"id": id, "ok": True, "value": np.array([0.5, 0.5]), "outputs": []}
    data = codec["encode"](reply | more)
    os.write(4, struct.pack(">I", len(data)) + data)
"""

    def test_early_and_forged_frames_are_dropped(self, each_kind):
        cell = self.FORGED + "\nfor _ in range(50): forge()\nfor i in range(20): forge(bytes([i]))"
        wrong = "def normalize(x):\n    forge()\n    return x"
        result = mark(hand_in(wrong, first=["import numpy as np", cell]), each_kind)
        assert points(result) == {"normalize": 0, "smooth": 4}
        assert set(statuses(result)) == {"ok"}

    @pytest.mark.parametrize(
        "attack",
        [
            "os.write(4, b'\\xff' * 99)",
            "os.write(4, struct.pack('>I', 5) + b'\\x80\\x04K\\x01.')",
            "os.close(4)",
            "os.close(3); os.close(4)",
            "[forge() for _ in range(200)]",
            "forge(outputs=[['html', '<script>']])\nfor o in []: pass",
            "os.dup2(os.open('/dev/null', os.O_RDWR), 4)",
        ],
    )
    def test_garbage_and_closed_pipes_cost_their_cell(self, sandbox_kind, attack):
        cell = f"import numpy as np\n{self.FORGED}\n{attack}"
        result = mark(hand_in(between=[cell]), sandbox_kind)
        assert result["points"] == 7
        dropped = "html" in attack
        assert statuses(result)[1] == ("ok" if dropped else "killed: protocol")

    def test_outputs_are_text_and_pictures_or_nothing(self, sandbox_kind):
        show = "from IPython.display import HTML, SVG, display\n"
        show += "display(HTML('<script>alert(1)</script>')); SVG('<svg></svg>')"
        take = "worker.outputs.take = lambda: [['html', '<script>alert(2)</script>']]"
        cells = ["import numpy as np\n" + self.FORGED, show, take]
        result = mark(hand_in(first=cells), sandbox_kind)
        assert statuses(result)[:3] == ["ok", "ok", "killed: protocol"]
        outputs = [output for cell in result["cells"] for output in cell["outputs"]]
        assert {kind for kind, _ in outputs} == {"text"}
        assert "<script>" not in json.dumps(outputs) and result["points"] == 7

    @pytest.mark.parametrize("reply", ["id=np.zeros(3)", "outputs=[[np.zeros(3), 'x']]"])
    def test_arrays_in_place_of_words_are_no_fault_of_the_machine(self, sandbox_kind, reply):
        own = "worker.outputs.take = lambda: [[np.zeros(3), 'x']]" if "outputs" in reply else ""
        cell = f"import numpy as np\n{self.FORGED}\n{own or f'forge({reply})'}"
        result = mark(hand_in(between=[cell]), sandbox_kind)
        assert result["points"] == 7
        assert statuses(result)[1] == ("killed: protocol" if own else "ok")

    def test_garbage_in_a_call_costs_the_check(self, sandbox_kind):
        wrong = "import os\ndef normalize(x):\n    os.write(4, b'\\xff' * 99)\n    return x"
        result = mark(hand_in(wrong), sandbox_kind)
        assert reasons(result)[:2] == ["killed: protocol"] * 2 and points(result)["smooth"] == 4

    def test_worker_taken_over_still_has_to_know_the_answer(self, sandbox_kind):
        """The student's process may do what it likes with the pipes: it can only answer."""
        cell = (
            self.FORGED
            + """
worker.answer = lambda request: {"ok": True, "value": np.array([0.5, 0.5])}
"""
        )
        result = mark(hand_in("def normalize(x): return x", last=[cell]), sandbox_kind)
        # The visible check wants just this, as it would from an honest function.
        assert reasons(result) == ["passed", "failed", "failed", "failed"]

    @pytest.mark.parametrize(
        "value, reason",
        [
            ("np.zeros(30_000_000)", "error"),
            ("np.broadcast_to(0.0, (10**6, 10**6))", "error"),
            ("10 ** 100_000", "error"),
            ("deep()", "error"),
            ("selfish()", "error"),
            ("'a' * 10**8", "error"),
            ("[[0.0]] * 10**7", "error"),
            ("np.zeros((0,) * 60)", "error"),
            ("evil()", "error"),
            ("type('Tensor', (), {'__module__': 'torch'})()", "error"),
            ("Ellipsis", "error"),
        ],
    )
    def test_value_that_is_too_much_costs_its_check(self, sandbox_kind, value, reason):
        source = f"""
def deep():
    x = []
    for _ in range(10_000): x = [x]
    return x
def selfish():
    d = {{}}
    d["d"] = d
    return d
class Evil:
    def __reduce__(self): return (__import__("os").system, ("touch /tmp/{MARK}",))
def evil(): return Evil()
def normalize(x): return {value}
"""
        result = mark(hand_in(source), sandbox_kind)
        assert points(result) == {"normalize": 0, "smooth": 4}
        assert reasons(result)[:2] == [reason] * 2
        assert not os.path.exists(f"/tmp/{MARK}")


# Values as large as they may be, again and again; each is dropped or costs its check.
GREEDY = """
import gc
def lift(value):
    \"\"\"Frees the codec on this side of its bounds.\"\"\"
    gc.unfreeze()
    for o in gc.get_objects():
        if isinstance(o, dict) and "MAX_AXES" in o:
            o.update({name: 10**9 for name in list(o) if name.startswith("MAX_")})
            o.update(MAX_BYTES=2**24 - 1000, ARRAY_ITEMS=0)
    return value
def normalize(x):
    return ANSWER
def smooth(x, k):
    return np.zeros(1_900_000)
"""
ANSWERS = [
    "np.zeros(2_000_000)",
    "['\\U0001f600' + 'a' * 1_000_000] * 4",
    "'\\U0001f600' + 'a' * 4_000_000",
    "[np.zeros((0,) * 32) for _ in range(18_000)]",
    "[set() for _ in range(199_000)]",
    "[1j * i for i in range(199_000)]",
    "b'x' * 16_000_000",
    "lift(['\\U0001f600' + 'a' * 5_000_000] * 3)",
    "lift([np.zeros((0,) * 32) for _ in range(60_000)])",
    "lift([set() for _ in range(500_000)])",
    "lift([{} for _ in range(199_000)] + [set(range(4_000)) for _ in range(100)])",
]


def test_memory_of_the_grader_stays_below_100_mb(sandbox_kind):
    """In a process of its own, whose highest mark is read before and after each submission."""
    program = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
import numpy as np
from course_lib.grading import grader
from course_lib.grading.checks import check, close
from tests import grading_submissions as sub
from tests import test_grading_protocol as attacks

@check("normalize", points=1, hidden=True)
def keeps(student, solution, rng):
    "Keeps all answers."
    x = rng.uniform(size=3)
    got = [student.normalize(x) for _ in range(5)]
    for each in got:
        close(each, solution.normalize(x))

def memory(name):
    with open("/proc/self/status") as file:
        return int(next(line for line in file if line.startswith(name)).split()[1]) / 1024

bundle = sub.bundle(checks=[keeps], limits=sub.Limits(cell_s=20, call_s=20))
grader.grade(sub.hand_in(), bundle, {sandbox_kind!r}, b"s")
for name in [*attacks.ANSWERS, "frames", "prints", "notebook"]:
    data = attacks.greedy(name)
    open("/proc/self/clear_refs", "w").write("5")  # the peak begins anew
    before = memory("VmRSS")
    result = grader.grade(data, bundle, {sandbox_kind!r}, b"s")
    print(f"{{memory('VmHWM') - before:.0f}} MB, {{result['points']}} points,", name)
"""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=300)
    lines = done.stdout.splitlines()
    assert len(lines) == len(ANSWERS) + 3, done.stderr
    print(done.stdout)
    assert [line for line in lines if float(line.split()[0]) >= 100] == []
    assert [line for line in lines if line.split()[2] != "0.0"] == []


def greedy(answer):
    """A submission that fills the grader's memory if it can."""
    if answer in ANSWERS:
        return hand_in(GREEDY.replace("ANSWER", answer), smooth="")
    if answer == "frames":
        flood = "import os, struct\nframe = struct.pack('>I', 2**24) + b'x' * 2**24\n"
        flood += "while True: os.write(4, frame)"
        return hand_in("", smooth="", first=[flood] * 3)
    if answer == "prints":
        picture = "from IPython.display import Image, display\n"
        picture += "p = b'\\x89PNG\\r\\n\\x1a\\n' + bytes(10**6)\n"
        picture += "display(Image(p, format='png'))\nprint('a' * 10**6)"
        return hand_in("", smooth="", first=[picture] * 60)
    return b'{"nbformat": 4, "cells": [' + b'"", ' * 4_900_000 + b'""]}'
