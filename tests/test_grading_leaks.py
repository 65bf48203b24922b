"""What a hidden check shows to the student's code never comes back to the student."""

import numpy as np
import pytest

from course_lib.grading.checks import check, close
from tests import grading_submissions as sub
from tests.grading_submissions import (
    hand_in,
    mark,
    of_students,
    points,
    reasons,
    statuses,
)

pytest_plugins = "tests.grading_support"


class TestLeaks:
    """The input of a hidden check goes into the student's function, and stays there."""

    def leak(self, kind, normalize, **options):
        drawn = []

        @check("normalize", points=1)
        def first(student):
            """Visible."""
            student.normalize(np.ones(2))

        @check("normalize", points=2, hidden=True)
        def hidden(student, solution, rng):
            """Random weights."""
            x = np.round(rng.uniform(0.1, 5, size=3), 4)
            drawn.extend(x.tolist())
            close(student.normalize(x), solution.normalize(x))

        options = {"checks": [first, hidden, *sub.CHECKS[2:]], **options}
        result = mark(hand_in(normalize, last=["print('behind')"]), kind, **options)
        seen = of_students(result)
        for number in drawn:
            assert str(number)[:5] not in seen
        assert drawn
        return result

    @pytest.mark.parametrize(
        "body",
        [
            "raise ValueError(f'input {x.tolist()}')",
            "assert False, f'input {x.tolist()}'",
            "raise type('X' + '_'.join(map(str, x.tolist())), (Exception,), {})()",
            "raise type('X' + '_'.join(map(str, x.tolist())), (ValueError,), {})(x.tolist())",
            "raise KeyError(x.tolist())",
            "raise ExceptionGroup(str(x.tolist()), [ValueError(str(x.tolist()))])",
            "return str(x.tolist())",
            "return {str(x.tolist()): 1}",
            "return type('X' + str(x.tolist()), (), {})()",
            "return np.zeros((0, *[int(1e4 * v) for v in x]))",
            "return np.zeros([0] + [int(str(v)[:5].replace('.', '')) for v in x])",
            "print(x.tolist()); return x",
            "import sys; sys.stderr.write(str(x.tolist())); return x",
            "import os; os.write(4, str(x.tolist()).encode()); return x",
            "import os; print(x.tolist(), flush=True); os._exit(0)",
            "import warnings; warnings.warn(str(x.tolist())); return x",
            "raise SystemExit(str(x.tolist()))",
            "raise NameError('name ' + repr(str(x.tolist())) + ' is not defined')",
        ],
    )
    def test_hidden_input_is_withheld(self, sandbox_kind, body):
        guard = "if len(x) == 2: return x / x.sum()"
        result = self.leak(sandbox_kind, f"def normalize(x):\n    {guard}\n    {body}")
        assert result["questions"][0]["checks"][1]["points"] == 0

    @pytest.mark.parametrize(
        "end, words", [("pass", "your code raised"), ("os._exit(0)", "tried after hidden checks")]
    )
    def test_a_visible_check_cannot_tell_of_a_hidden_one(self, sandbox_kind, end, words):
        """Neither by its place among the checks, nor put behind them by ending the notebook."""

        @check("normalize", points=0.5)
        def plain(student):
            """Visible."""
            student.normalize(np.ones(2))

        @check("normalize", points=0.5)
        def after(student):
            """Visible, and the student's to answer."""
            student.tell()

        keep = f"""
import os
seen = []
def normalize(x):
    if len(x) == 2: {end}
    seen.append(x.tolist())
    return x / x.sum()
def smooth(x, k):
    seen.append(x.tolist())
    return x
def tell(): raise ValueError(f"seen {{[x for x in seen if len(x) > 2]}}")
"""
        checks = [sub.CHECKS[1], sub.CHECKS[3], plain, after]
        result = mark(hand_in(keep, smooth=keep), sandbox_kind, checks=checks)
        (told,) = [c for c in result["questions"][0]["checks"] if c["name"] == "after"]
        assert told["reason"] == "error" and words in told["message"]
        assert "[]" in told["message"] or "[" not in told["message"]

    def test_cells_that_run_again_cannot_tell(self, sandbox_kind):
        """What a call has kept, in files, processes or names, is gone when the cells run again."""
        keep = """
import os, glob
for f in glob.glob("/tmp/**/kept*", recursive=True) + glob.glob("/dev/shm/*"):
    print(open(f).read())
print(globals().get("kept"))
def normalize(x):
    global kept
    kept = x.tolist()
    if len(x) == 3:
        for folder in ("/tmp", os.getcwd(), "/dev/shm"):
            try: open(f"{folder}/kept", "w").write(str(kept))
            except OSError: pass
        if os.fork() == 0:
            os.setsid()
            import time; time.sleep(3)
        os._exit(0)
    return x / x.sum()
"""
        result = self.leak(sandbox_kind, keep)
        assert reasons(result)[1] == "killed: exit" and points(result)["smooth"] == 4

    def test_thread_that_waits_for_the_checks(self, sandbox_kind):
        wait = """
import threading, time, sys
got = []
def normalize(x):
    got.append(x.tolist())
    return x / x.sum()
def wait():
    while True:
        if got: print(got, flush=True); sys.stdout.flush()
        time.sleep(0.001)
threading.Thread(target=wait, daemon=True).start()
"""
        result = self.leak(sandbox_kind, wait)
        assert result["points"] == 7

    def test_a_cell_cannot_wait_for_the_checks(self, sandbox_kind):
        """Checks come when the last cell has ended: one that waits for them is cut."""
        wait = "got = []\ndef normalize(x):\n    got.append(x.tolist())\n    return x / x.sum()"
        wait += "\nwhile not got: pass\nprint(got)"
        result = self.leak(sandbox_kind, wait)
        assert statuses(result)[0] == "timeout"
        assert result["points"] == 7
