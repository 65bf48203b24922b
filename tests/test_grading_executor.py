"""A class is graded: stopped anywhere and run again, disturbed, on a full disk, twice at once."""

import errno
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from course_lib.grading import executor, grader, processes, results, sandbox, watch
from tests import grading_course as course
from tests.grading_course import NAME, RIGHT

pytest_plugins = "tests.grading_support"

SIZE = 4
PROGRAM = """
import sys
from pathlib import Path
from course_lib.grading import executor
from course_lib.grading.workspace import Workspace
print("up", flush=True)
workspace, jobs, kind = Workspace(Path(sys.argv[1])), int(sys.argv[2]), sys.argv[3] or None
summary = executor.run(workspace, "normalize", jobs=jobs, kind=kind)
sys.exit(bool(summary.infrastructure))
"""


@pytest.fixture(scope="module")
def template(tmp_path_factory, sandbox_kind):
    """A course with submissions, and the results of an undisturbed run."""
    root = tmp_path_factory.mktemp("course")
    workspace = course.build(root / "work")
    course.hand_in(workspace, course.notebooks(workspace, SIZE))
    shutil.copytree(workspace.root, root / "fresh")
    summary = executor.run(workspace, NAME, kind=sandbox_kind)
    assert (summary.graded, summary.skipped, summary.infrastructure) == (SIZE, 0, [])
    return root / "fresh", course.snapshot(workspace)


@pytest.fixture
def fresh(template, tmp_path):
    """A copy of the course without results."""
    shutil.copytree(template[0], tmp_path / "work")
    return course.Workspace(tmp_path / "work")


@pytest.fixture
def undisturbed(template):
    return template[1]


def points(workspace):
    """Student to points of all results."""
    tables = map(json.loads, course.snapshot(workspace).values())
    return {table["student"]: table["points"] for table in tables}


class TestRun:
    def test_marks_are_the_known_ones(self, undisturbed):
        tables = map(json.loads, undisturbed.values())
        known = course.POINTS
        for table in tables:
            odd = int(table["student"][1:]) % 2
            assert table["points"] == known["right" if odd else "half"], table["student"]

    def test_done_ones_are_skipped_and_changed_ones_are_not(self, fresh, undisturbed):
        done = []
        executor.run(fresh, NAME, only=["s0", "s3"], progress=lambda *counts: done.append(counts))
        assert done == [(1, 2), (2, 2)] and set(points(fresh)) == {"s0", "s3"}
        summary = executor.run(fresh, NAME)
        assert (summary.graded, summary.skipped) == (SIZE - 2, 2)
        assert course.snapshot(fresh) == undisturbed
        new = course.answered(course.release(fresh), RIGHT)
        course.hand_in(fresh, {"s0": new})
        assert executor.run(fresh, NAME).graded == 1

    def test_processes_give_the_same_results(self, fresh, undisturbed, tmp_path):
        with course.nothing_left(tmp_path / "tmp"):
            summary = executor.run(fresh, NAME, jobs=2)
        assert summary.graded == SIZE
        assert course.snapshot(fresh) == undisturbed

    def test_the_same_bytes_are_graded_once(self, fresh):
        data = course.answered(course.release(fresh), RIGHT)
        course.hand_in(fresh, {"anna": data, "ben": data})
        assert executor.run(fresh, NAME).graded == 1

    def test_force_replaces(self, fresh):
        executor.run(fresh, NAME, only=["s1"])
        (path,) = [*fresh.path(NAME, "results").rglob("*.json")]
        path.write_text(path.read_text().replace('"points": 4.0', '"points": 1.0'))
        assert executor.run(fresh, NAME, only=["s1"]).skipped == 1
        assert points(fresh) == {"s1": 1.0}
        assert executor.run(fresh, NAME, only=["s1"], force=True).graded == 1
        assert points(fresh) == {"s1": 4.0}

    @pytest.mark.parametrize(
        "options, words",
        [
            ({"only": ["nobody"]}, "nobody"),
            ({"jobs": 0}, "jobs must be 1 or more, got 0"),
            ({"jobs": 2, "dask": "127.0.0.1:1"}, "either jobs or the address"),
            ({"kind": "chroot"}, "kind of sandbox"),
        ],
    )
    def test_wrong_options(self, fresh, options, words):
        with pytest.raises(ValueError, match=words):
            executor.run(fresh, NAME, **options)
        assert course.snapshot(fresh) == {}

    def test_nothing_handed_in(self, fresh):
        (fresh.path(NAME, "inbox", "s1", "index.jsonl")).unlink()
        with pytest.raises(ValueError, match="s1 has handed in nothing for normalize"):
            executor.run(fresh, NAME, only=["s1"])


class TestFailuresOfTheMachine:
    """Never a zero, never the end of a batch, tried again by the next run."""

    def check_then_repair(self, workspace, undisturbed, summary, line, failed):
        assert [student for student, _ in summary.infrastructure] == failed
        assert all(line in text for _, text in summary.infrastructure)
        marks = points(workspace)
        assert all(marks[student] is None for student in failed)
        assert len(marks) == SIZE and None not in [marks[s] for s in set(marks) - set(failed)]

    def test_no_sandbox(self, fresh, undisturbed, monkeypatch):
        def refuse(*args, **more):
            raise sandbox.SandboxFailed("bubblewrap: no room")

        with monkeypatch.context() as patch:
            patch.setattr(sandbox, "start", refuse)
            summary = executor.run(fresh, NAME)
        every = [f"s{n}" for n in range(SIZE)]
        self.check_then_repair(fresh, undisturbed, summary, "no room", every)
        assert executor.run(fresh, NAME).graded == SIZE
        assert course.snapshot(fresh) == undisturbed  # and no .infrastructure.json is left

    def test_defect_of_the_grader(self, fresh, undisturbed, monkeypatch):
        grade = grader.grade

        def sometimes(data, bundle, kind, secret, student):
            if student == "s2":
                raise RecursionError("too deep")
            return grade(data, bundle, kind, secret, student)

        with monkeypatch.context() as patch:
            patch.setattr(grader, "grade", sometimes)
            summary = executor.run(fresh, NAME)
        self.check_then_repair(fresh, undisturbed, summary, "RecursionError: too deep", ["s2"])
        assert executor.run(fresh, NAME).graded == 1
        assert course.snapshot(fresh) == undisturbed

    def test_submission_that_changed_in_the_inbox(self, fresh, undisturbed):
        (path,) = fresh.path(NAME, "inbox", "s1").glob("*.ipynb")
        path.write_bytes(path.read_bytes() + b" ")
        (gone,) = fresh.path(NAME, "inbox", "s3").glob("*.ipynb")
        gone.unlink()
        summary = executor.run(fresh, NAME)
        (_, changed), (_, missing) = summary.infrastructure
        self.check_then_repair(fresh, undisturbed, summary, str(fresh.root), ["s1", "s3"])
        assert "not the file that was collected" in changed and "No such file" in missing

    def test_force_keeps_a_mark_when_the_machine_fails(self, fresh, undisturbed, monkeypatch):
        executor.run(fresh, NAME)
        monkeypatch.setattr(executor, "grade_file", lambda *args: "no room")
        assert len(executor.run(fresh, NAME, force=True).infrastructure) == SIZE
        assert undisturbed.items() <= course.snapshot(fresh).items()


class TestGradingProcesses:
    def test_one_that_is_killed_costs_nobody_anything(self, fresh, undisturbed, tmp_path):
        killed = []

        def kill_one(done, total):
            if done in (1, 2):
                alive = [pid for pid in watch.descendants(os.getpid()) if is_grading(pid)]
                os.kill(alive[0], signal.SIGKILL)
                killed.append(alive[0])

        with course.nothing_left(tmp_path / "tmp"):
            summary = executor.run(fresh, NAME, jobs=2, progress=kill_one)
        assert len(killed) == 2 and summary.graded == SIZE and not summary.infrastructure
        assert course.snapshot(fresh) == undisturbed

    def test_poison_is_found_and_the_others_are_graded(self, tmp_path):
        workspace = course.poisoned(
            tmp_path, {"anna": "fine", "ben": "kill", "cleo": "good", "dan": "well"}
        )
        with course.nothing_left(tmp_path / "tmp"):
            summary = executor.run(workspace, NAME, jobs=2)
        ((student, line),) = summary.infrastructure
        assert student == "ben" and line == "its grading process ended 3 times (SIGKILL)"
        assert points(workspace) == {"anna": 5.0, "ben": None, "cleo": 5.0, "dan": 5.0}

    def test_one_that_never_answers_is_stopped(self, tmp_path, monkeypatch):
        workspace = course.poisoned(tmp_path, {"anna": "hang", "ben": "fine"})
        setup = processes.Setup(workspace.path(NAME, "bundle"), sandbox.choose(), b"s" * 32, 4)
        monkeypatch.setattr(processes, "SLACK_S", 0)
        tasks = executor._tasks(workspace, NAME, ())
        with course.nothing_left(tmp_path / "tmp"):
            answers = {task.student: found for task, found in processes.grade(tasks, 2, setup)}
        assert answers["anna"] == "no result in 4 s" and answers["ben"]["points"] == 5.0

    def test_that_do_not_start_are_not_started_for_ever(self, tmp_path, capfd):
        setup = processes.Setup(tmp_path / "nowhere", sandbox.choose(), b"s" * 32, 4)
        task = executor.Task("anna", "0" * 64, tmp_path / "a.ipynb")
        with course.nothing_left(tmp_path / "tmp"), pytest.raises(OSError, match="do not start"):
            list(processes.grade([task], 1, setup))
        assert capfd.readouterr().err.count("\nValueError: ") == processes.TRIES


def is_grading(pid):
    try:
        return b"course_lib.grading.processes" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def start(workspace, jobs, temporary, kind=""):
    """Start a run as a program of its own."""
    root = Path(__file__).resolve().parents[1]
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(workspace.root), str(jobs), kind],
        env=os.environ | {"TMPDIR": str(temporary), "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


class TestStoppedAnywhere:
    """Whatever signal comes whenever: nothing stays behind, and a later run ends the same."""

    def test_killed_under_each_sandbox(self, fresh, each_kind):
        """Landlock's private folder is in the file system, and must not outlive the grader."""
        chance = random.Random(7)
        with tempfile.TemporaryDirectory() as folder:
            # Like /tmp: root's keeper is somebody else, who could not delete in pytest's folder.
            os.chmod(folder, 0o1777)
            for _ in range(3):
                with course.nothing_left(Path(folder)):
                    program = start(fresh, 1, folder, each_kind)
                    program.stdout.readline()
                    time.sleep(chance.uniform(0.05, 0.8))
                    program.kill()
                    program.communicate()

    @pytest.mark.parametrize("jobs", [1, 2])
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
    def test_the_next_run_does_the_rest(self, fresh, undisturbed, tmp_path, number, jobs):
        chance = random.Random(100 * jobs + number)
        for _ in range(2):
            with course.nothing_left(tmp_path / "tmp"):
                program = start(fresh, jobs, tmp_path / "tmp")
                program.stdout.readline()
                time.sleep(chance.uniform(0.05, 1.2))
                program.send_signal(number)
                _, errors = program.communicate()
            if program.returncode == 0:  # it was done already
                break
            assert program.returncode in (-number, 1, -signal.SIGINT), errors.decode()
            assert course.snapshot(fresh).items() <= undisturbed.items()
        with course.nothing_left(tmp_path / "tmp"):
            executor.run(fresh, NAME)
        assert course.snapshot(fresh) == undisturbed

    def test_a_sleeping_cell_is_not_waited_for(self, fresh, tmp_path):
        slow = course.answered(course.release(fresh), RIGHT, ["import time; time.sleep(29)"])
        course.hand_in(fresh, {"slow": slow})
        for jobs, number in (1, signal.SIGTERM), (2, signal.SIGTERM), (2, signal.SIGKILL):
            with course.nothing_left(tmp_path / "tmp"):
                program = start(fresh, jobs, tmp_path / "tmp")
                program.stdout.readline()
                time.sleep(2)
                before = time.monotonic()
                program.send_signal(number)
                program.communicate()
            assert time.monotonic() - before < 20
        assert course.snapshot(fresh) == {}


class TestTwoAtOnce:
    def test_both_finish_and_the_results_are_those_of_one(self, fresh, undisturbed, tmp_path):
        with course.nothing_left(tmp_path / "tmp"):
            programs = [start(fresh, jobs, tmp_path / "tmp") for jobs in (1, 2)]
            errors = [program.communicate()[1] for program in programs]
        assert [program.returncode for program in programs] == [0, 0], errors
        assert course.snapshot(fresh) == undisturbed


class TestFullDisk:
    @pytest.fixture
    def small(self, fresh, tmp_path):
        """A file system of a few kilobytes for the results, and how to enlarge it."""
        place = fresh.path(NAME, "results")
        place.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", "size=12k", "none", str(place)]
        if subprocess.run(mount, capture_output=True).returncode:
            pytest.skip("mounting a small file system is refused here")
        try:
            yield lambda: subprocess.run(
                ["mount", "-o", "remount,size=4m", str(place)], check=True, capture_output=True
            )
        finally:
            subprocess.run(["umount", "--lazy", str(place)], check=True)

    def test_small_file_system(self, fresh, undisturbed, small, tmp_path):
        with course.nothing_left(tmp_path / "tmp"):
            with pytest.raises(OSError, match=r"cannot write the result of s\d .*make room") as why:
                executor.run(fresh, NAME, jobs=2)
        assert why.value.errno == errno.ENOSPC
        written = course.snapshot(fresh)
        assert 0 < len(written) < SIZE and written.items() <= undisturbed.items()
        small()
        assert executor.run(fresh, NAME).graded == SIZE - len(written)
        assert course.snapshot(fresh) == undisturbed

    def test_files_of_bounded_size(self, fresh, undisturbed):
        """Like a full disk, where nothing can be mounted: a write stops half-way."""
        result = next(map(json.loads, undisturbed.values()))
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
        try:
            with pytest.raises(OSError, match="File too large") as why:
                results.store(fresh, NAME, result)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
            signal.signal(signal.SIGXFSZ, ignored)
        assert why.value.errno == errno.EFBIG
        assert course.snapshot(fresh) == {}
