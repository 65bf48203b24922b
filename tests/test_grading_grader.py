"""One submission to one result: points, reasons, restarts, and faults that nobody pays for."""

import json

import numpy as np
import pytest

from course_lib.grading import grader, session
from course_lib.grading.checks import check, is_true
from course_lib.grading.sandbox import SandboxFailed
from tests import grading_submissions as sub
from tests.grading_submissions import NORMALIZE, hand_in

pytest_plugins = "tests.grading_support"


@pytest.fixture
def grade(sandbox_kind):
    def grade(data, bundle=None, **options):
        bundle = bundle or sub.bundle(**options)
        result = grader.grade(data, bundle, sandbox_kind, sub.SECRET, "ada")
        json.dumps(result, allow_nan=False)
        return result

    return grade


def checks_of(result):
    """Reason by check."""
    return {c["name"]: c["reason"] for q in result["questions"] for c in q["checks"]}


def entry(result, name):
    return next(c for q in result["questions"] for c in q["checks"] if c["name"] == name)


def statuses(result):
    return {cell["id"]: cell["status"] for cell in result["cells"]}


class TestResult:
    def test_right_answers_have_all_points(self, grade):
        result = grade(hand_in(last=["print('é'); smooth(np.arange(4.0), 2)"]))
        assert result["infrastructure"] is None
        assert (result["points"], result["max"]) == (7, 7)
        assert set(checks_of(result).values()) == {"passed"}
        assert [(q["name"], q["points"], q["max"]) for q in result["questions"]] == [
            ("normalize", 3, 3),
            ("smooth", 4, 4),
            ("report", None, 2),
        ]
        assert result["written"] == {"report": sub.REPORT}
        assert [c["id"] for c in result["cells"]] == ["setup", "normalize", "smooth", "added 1"]
        assert result["cells"][-1]["outputs"] == [["text", "é\narray([0.5, 1.5, 2.5])\n"]]
        assert result["v"] == 1 and result["student"] == "ada" and result["seconds"] > 0
        assert len(result["submission"]) == 64 and result["digest"] == "d" * 64

    def test_wrong_missing_and_raising_answers(self, grade):
        result = grade(
            hand_in(normalize="def normalize(x):\n    return x / x.max()", smooth="pass")
        )
        assert checks_of(result) == {
            "halves": "failed",
            "secret_weights": "failed",
            "flat": "missing",
            "secret_signal": "missing",
        }
        assert result["points"] == 0
        result = grade(hand_in(smooth="def smooth(x, k):\n    return 1 / 0"))
        assert checks_of(result)["flat"] == "error" and result["points"] == 3
        assert "ZeroDivisionError" in entry(result, "flat")["message"]

    def test_part_of_the_points(self, grade):
        result = grade(hand_in(smooth="def smooth(x, k):\n    return x if k == 1 else x[k - 1:]"))
        assert entry(result, "secret_signal")["points"] == 1
        assert entry(result, "secret_signal")["reason"] == "partial"
        assert result["points"] == 3 + 1 + 1

    def test_the_same_bytes_have_the_same_result(self, grade):
        data = hand_in(smooth="def smooth(x, k):\n    return x")
        first, second = grade(data), grade(data)
        assert first.pop("seconds") > 0 and second.pop("seconds") > 0
        assert first == second

    def test_hidden_inputs_differ_between_submissions_and_secrets(self, sandbox_kind):
        seen = []

        @check("normalize", points=1, hidden=True)
        def spy(student, rng):
            """Writes down what it draws."""
            seen.append(rng.random())

        @check("normalize", points=1)
        def visible_spy(student, rng):
            """Writes down what it draws."""
            seen.append(rng.random())

        small = sub.bundle(checks=[spy, visible_spy])
        for data, secret in [(b"a", b"s"), (b"a", b"t"), (b"b", b"s"), (b"a", b"s")]:
            data = hand_in(last=[repr(data)])
            assert grader.grade(data, small, sandbox_kind, secret)["points"] == 2
        visible, hidden = seen[::2], seen[1::2]
        assert len(set(hidden[:3])) == 3 and hidden[0] == hidden[3]
        assert len(set(visible)) == 1 and visible[0] not in hidden

    @pytest.mark.parametrize(
        "data, reason",
        [(b"{", "unreadable"), (b"", "unreadable"), (b" " * 2**21, "too large")],
    )
    def test_unreadable_is_a_score_with_a_reason(self, grade, data, reason):
        limits = sub.LIMITS.__class__(notebook_mb=1)
        result = grade(data, limits=limits)
        assert result["points"] == 0 and result["infrastructure"] is None
        assert set(checks_of(result).values()) == {reason}
        assert entry(result, "flat")["message"] and result["cells"] == []

    def test_data_folder_can_be_read(self, grade, tmp_path):
        (tmp_path / "data").mkdir(mode=0o755)
        (tmp_path / "data" / "x.txt").write_text("4")
        result = grade(hand_in(last=["open('data/x.txt').read()"]), folder=tmp_path)
        assert result["cells"][-1]["outputs"] == [["text", "'4'\n"]]


class TestCells:
    def test_error_in_a_cell_leaves_the_next_ones_running(self, grade):
        result = grade(hand_in(first=["1 / 0"], normalize=NORMALIZE + "\nundefined"))
        assert statuses(result) == {
            "added 1": "error",
            "setup": "ok",
            "normalize": "error",
            "smooth": "ok",
        }
        assert result["points"] == 7  # the function was defined before the error
        assert "NameError" in result["cells"][2]["message"]

    def test_cell_that_ends_the_sandbox_is_left_out(self, grade):
        counter = "runs = globals().get('runs', 0) + 1; print(runs)"
        result = grade(hand_in(first=[counter], between=["import os; os._exit(0)"]))
        assert statuses(result)["added 2"] == "killed: exit"
        assert result["points"] == 7
        assert [c["outputs"] for c in result["cells"] if c["id"] == "added 1"] == [
            [["text", "1\n"]]
        ]

    def test_outputs_are_those_of_the_first_run(self, grade):
        stamps = []

        @check("normalize", points=1)
        def stamp(student):
            """Reads what the first cell has drawn."""
            stamps.append(student.stamp.value)

        @check("normalize", points=1, hidden=True)
        def ends(student):
            """Calls what ends the sandbox."""
            student.normalize(np.ones(2))

        again = type(stamp)("again", "smooth", 1, True, stamp.run, "Again")
        exits = "import os\ndef normalize(x): os._exit(0)"
        draw = "import os; stamp = os.urandom(4).hex(); print(stamp)"
        result = grade(hand_in(exits, first=[draw]), checks=[stamp, ends, again])
        assert len(set(stamps)) == 2  # the cells have run twice
        assert result["cells"][0]["outputs"] == [["text", f"{stamps[0]}\n"]]

    def test_loop_in_a_cell_is_cut(self, grade):
        result = grade(hand_in(between=["while True: pass"]))
        assert statuses(result)["added 1"] == "timeout" and result["points"] == 7

    def test_loop_that_cannot_be_cut_costs_its_cell_only(self, grade):
        deaf = "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, [14])\nwhile True: pass"
        result = grade(hand_in(between=[deaf]))
        assert statuses(result)["added 1"] == "timeout" and result["points"] == 7

    def test_more_than_three_restarts_are_none(self, grade):
        result = grade(hand_in(first=["import os; os._exit(0)"] * 5))
        assert list(statuses(result).values()) == ["killed: exit"] * 4 + ["skipped"] * 4
        assert set(checks_of(result).values()) == {"killed: exit"}
        assert result["points"] == 0 and "failed too often" in entry(result, "flat")["message"]

    def test_total_time_bounds_all(self, grade):
        limits = sub.Limits(cell_s=60, call_s=60, total_s=2)
        result = grade(hand_in(first=["import time; time.sleep(60)"] * 2), limits=limits)
        assert result["seconds"] < 25
        assert statuses(result)["smooth"] == "skipped"
        assert set(checks_of(result).values()) == {"timeout"}

    def test_outputs_of_all_cells_together_are_bounded(self, grade, monkeypatch):
        monkeypatch.setattr(session, "MAX_OUTPUT", 1000)
        result = grade(hand_in(first=["print('a' * 400)"] * 4))
        shown = [cell["outputs"] for cell in result["cells"][:4]]
        assert shown[0] == shown[1] == [["text", "a" * 400 + "\n"]]
        assert shown[2] == shown[3] == [session.CUT]
        assert result["points"] == 7

    def test_so_are_the_texts_of_exceptions(self, grade, monkeypatch):
        monkeypatch.setattr(session, "MAX_OUTPUT", 1000)
        result = grade(hand_in(first=["raise ValueError('a' * 400)"] * 4))
        told = [cell["message"] for cell in result["cells"][:4]]
        assert "a" * 400 in told[0]
        assert told[3] == session.NO_ROOM
        assert result["points"] == 7


class TestChecks:
    def test_check_that_ends_the_sandbox_costs_itself_only(self, grade):
        exits = "import os\ndef normalize(x):\n    os._exit(0)"
        result = grade(hand_in(normalize=exits))
        assert checks_of(result) == {
            "halves": "killed: exit",
            "secret_weights": "killed: exit",
            "flat": "passed",
            "secret_signal": "passed",
        }
        assert [c["name"] for c in result["questions"][0]["checks"]] == ["halves", "secret_weights"]

    def test_other_questions_come_before_more_of_a_killed_one(self, grade):
        @check("normalize", points=1, hidden=True)
        def again(student):
            """Once more."""
            student.normalize(np.ones(2))

        exits = "import os\ndef normalize(x):\n    os._exit(0)"
        checks = [
            type(again)(f"again_{i}", "normalize", 1, True, again.run, "Once more")
            for i in range(6)
        ]
        result = grade(hand_in(normalize=exits), checks=[*checks, *sub.CHECKS[2:]])
        assert result["points"] == 4

    def test_check_cannot_hide_that_the_sandbox_is_gone(self, grade):
        @check("normalize", points=1, hidden=True)
        def careless(student):
            """Catches everything."""
            try:
                student.normalize(np.ones(2))
            except Exception:
                pass

        exits = "import os\ndef normalize(x):\n    os._exit(0)"
        result = grade(hand_in(normalize=exits), checks=[careless])
        assert checks_of(result) == {"careless": "killed: exit"} and result["points"] == 0

    def test_slow_call_is_a_timeout(self, grade):
        slow = "import time\ndef normalize(x):\n    time.sleep(60)"
        result = grade(hand_in(normalize=slow))
        assert checks_of(result)["halves"] == "timeout" and result["points"] == 4

    def test_texts_are_bounded(self, grade):
        @check("normalize", points=1)
        def long(student):
            """Fails at length."""
            is_true(False, "m" * 10**6, "d" * 10**6)

        found = entry(grade(hand_in(), checks=[long]), "long")
        assert len(found["message"]) < 1100 and len(found["detail"]) < 10_100


class TestFaultsThatAreNotTheStudents:
    def has_no_points(self, result, what):
        assert result["points"] is None and what in result["infrastructure"]
        assert "\n" not in result["infrastructure"]

    def test_error_in_a_check(self, grade):
        @check("normalize", points=1, hidden=True)
        def broken(student):
            """Divides by zero."""
            return 1 / 0

        result = grade(hand_in(), checks=[*sub.CHECKS, broken])
        self.has_no_points(result, "py): ZeroDivisionError: division by zero")
        assert result["infrastructure"].startswith("check broken (line ")

    def test_error_in_the_solution(self, grade):
        self.has_no_points(grade(hand_in(), solution=None), "AttributeError")

    def test_check_that_sends_what_cannot_be_sent(self, grade):
        @check("normalize", points=1, hidden=True)
        def odd(student):
            """Sends an object."""
            student.normalize(object())

        self.has_no_points(grade(hand_in(), checks=[odd]), "cannot be called with these")

    @pytest.mark.parametrize(
        "error", [SandboxFailed("no bwrap"), OSError(28, "No space left"), MemoryError()]
    )
    def test_sandbox_that_does_not_start(self, grade, monkeypatch, error):
        def fail(*arguments):
            raise error

        monkeypatch.setattr(session.sandbox, "start", fail)
        self.has_no_points(grade(hand_in()), type(error).__name__)

    def test_sandbox_that_does_not_start_again(self, grade, monkeypatch):
        starts, real = [], session.sandbox.start

        def once(*arguments):
            if starts:
                raise SandboxFailed("disk full")
            starts.append(1)
            return real(*arguments)

        monkeypatch.setattr(session.sandbox, "start", once)
        self.has_no_points(grade(hand_in(last=["import os; os._exit(0)"])), "disk full")

    def test_worker_that_does_not_start(self, grade, monkeypatch):
        command = ["/bin/false"]
        monkeypatch.setattr(session.places, "worker_command", lambda limits: command)
        self.has_no_points(grade(hand_in()), "SandboxFailed")
