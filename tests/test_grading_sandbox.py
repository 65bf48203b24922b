"""Sandboxes: what a program inside has, what it has not, and what is left of it: nothing."""

import os
import pwd
import select
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import pytest

from course_lib.grading import doctor, landlock, places, sandbox, watch
from course_lib.grading.limits import Limits, from_table

pytest_plugins = "tests.grading_support"
ROOT = Path(__file__).resolve().parents[1]
NOBODY = 65534


def read_all(fd, seconds=20):
    """Everything from a pipe until the other side closes it."""
    said, end = b"", time.monotonic() + seconds
    while True:
        assert select.select([fd], [], [], max(0, end - time.monotonic()))[0], "no answer in time"
        piece = os.read(fd, 65536)
        said += piece
        if not piece:
            return said.decode()


def start(kind, code, settings=None, site=False, **options):
    flags = ["-I"] if site else ["-I", "-S"]
    head = "import os, sys\ndef say(*parts): os.write(4, (' '.join(map(str, parts))).encode())\n"
    command = [sys.executable, *flags, "-c", head + code]
    return sandbox.start(kind, settings or Limits(), command, **options)


def run(kind, code, settings=None, **options):
    """What a short program inside says."""
    with start(kind, code, settings, **options) as box:
        return read_all(box.from_worker)


def runs(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def gone_within(seconds, alive):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not alive():
            return True
        time.sleep(0.01)
    return False


class TestLimits:
    def test_table_of_a_configuration(self):
        assert from_table({}, "here") == Limits()
        assert from_table({"cell_s": 2.5, "processes": 9}, "here") == Limits(
            cell_s=2.5, processes=9
        )

    def test_torch_has_twice_the_memory_and_all_addresses(self):
        expected = replace(Limits(), memory_mb=2048, address_mb=0)
        assert from_table({"torch": True}, "here") == expected
        assert from_table({"torch": True, "memory_mb": 700}, "here").memory_mb == 700

    def test_unknown_name_is_named_with_the_known_ones(self):
        with pytest.raises(ValueError, match=r"file: unknown limit cells_s; known are cell"):
            from_table({"cells_s": 3}, "file")

    @pytest.mark.parametrize("value", [0, -1, 1.5, "9", True, float("nan"), float("inf")])
    def test_numbers_are_whole_and_above_zero(self, value):
        with pytest.raises(ValueError, match="here: processes must be a whole number above 0"):
            from_table({"processes": value}, "here")

    def test_seconds_are_any_number_above_zero(self):
        with pytest.raises(ValueError, match="here: call_s must be a number above 0, got nan"):
            from_table({"call_s": float("nan")}, "here")


class TestChoose:
    def test_never_chooses_none_by_itself(self, monkeypatch):
        def broken(kind):
            return sandbox.Probe(kind, kind == "none", "it is broken", "mend it")

        monkeypatch.setattr(sandbox, "probe", broken)
        with pytest.raises(sandbox.SandboxMissing, match="bubblewrap does not work: it is broken"):
            sandbox.choose()
        assert sandbox.choose("none") == "none"

    def test_unknown_kind_is_an_error(self):
        with pytest.raises(ValueError, match="one of bubblewrap, landlock, none, got 'docker'"):
            sandbox.choose("docker")

    def test_failed_start_says_why(self, each_kind, monkeypatch):
        monkeypatch.setattr(places, "HERE", ROOT)
        monkeypatch.setattr(places, "INSIDE", [ROOT / "launch_missing.py"])
        before = open_files()
        with pytest.raises(sandbox.SandboxFailed, match="launch_missing"):
            start(each_kind, "pass")
        assert open_files() == before


def open_files():
    return sorted(os.listdir("/proc/self/fd"))


class TestInside:
    def test_two_pipes_and_nothing_else(self, each_kind):
        code = """
kinds = [os.fstat(fd).st_mode >> 12 for fd in range(5)]
more = []
for fd in range(5, 300):
    try:
        os.fstat(fd)
        more.append(fd)
    except OSError:
        pass
say(kinds, more, os.read(3, 5))
"""
        with start(each_kind, code) as box:
            os.write(box.to_worker, b"hello")
            # 2: a character device (/dev/null), 1: a pipe
            assert read_all(box.from_worker) == "[2, 2, 2, 1, 1] [] b'hello'"

    def test_environment_is_not_the_graders(self, each_kind, monkeypatch):
        monkeypatch.setenv("COURSE_SECRET", "xyzzy")
        said = run(each_kind, "say(sorted(os.environ), os.getcwd() == os.environ['HOME'])")
        assert "SECRET" not in said and "USER" not in said and said.endswith("True")

    def test_working_directory_can_be_written(self, each_kind):
        code = """
with open("a", "w") as file:
    file.write("x")
os.mkdir("b")
os.rename("a", "b/a")
import shutil
shutil.copy2("b/a", "c")
say(os.listdir("b"), os.path.exists("c"))
"""
        assert run(each_kind, code) == "['a'] True"

    def test_data_can_be_read_and_not_written(self, each_kind):
        with tempfile.TemporaryDirectory() as folder:  # pytest's own are closed to other users
            os.chmod(folder, 0o777)  # only the sandbox keeps others from writing
            self.check_data(each_kind, Path(folder))

    def check_data(self, each_kind, folder):
        (folder / "x.csv").write_text("1,2")
        code = """
try:
    open("data/y", "w")
except OSError as error:
    say(open("data/x.csv").read(), os.listdir("data"), type(error).__name__)
"""
        said = run(each_kind, code, data_dir=folder)
        assert said.startswith("1,2 ['x.csv'] ")
        assert not (folder / "y").exists()

    def test_numpy_and_ipython_but_not_this_library(self, each_kind):
        code = """
import numpy as np
from IPython.core.interactiveshell import InteractiveShell
try:
    import course_lib
except (ImportError, PermissionError):
    say((np.ones((3, 3)) @ np.ones(3)).sum(), InteractiveShell.__name__, "no course_lib")
"""
        assert run(each_kind, code, site=True) == "9.0 InteractiveShell no course_lib"

    def test_installed_copy_of_the_library_is_hidden(self, each_kind, monkeypatch):
        import click

        package = Path(click.__file__).resolve().parent  # stands for course_lib
        code = """
import numpy
try:
    from click import core
except (ImportError, PermissionError):
    say("hidden")
"""
        assert run(each_kind, code, site=True) == ""
        monkeypatch.setattr(places, "hidden_places", lambda: [package])
        assert run(each_kind, code, site=True) == "hidden"

    def test_more_places_than_a_command_line_holds(self, each_kind, monkeypatch):
        many = [(f"/usr/lib{'/.' * n}", landlock.READ) for n in range(500)]
        before = places.landlock_rules
        monkeypatch.setattr(places, "landlock_rules", lambda *given: [*before(*given), *many])
        assert sum(len(path) for path, _ in many) > 131_072
        assert run(each_kind, "say(1)") == "1"

    def test_no_privileges(self, each_kind):
        code = """
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status"))
assert int(status["CapEff"], 16) == 0
say(os.getuid(), status["NoNewPrivs"].strip(), status["Seccomp"].strip())
"""
        if each_kind == "landlock":  # has no /proc: look from outside
            with start(each_kind, "os.read(3, 1)") as box:
                (pid,) = watch.descendants(box.process.pid)
                text = Path(f"/proc/{pid}/status").read_text()
                status = dict(line.split(":\t", 1) for line in text.splitlines())
                rights = int(status["CapEff"], 16) & ~(1 << 2)  # reading files, see places
                said = " ".join(
                    status[name].split()[0] for name in ("Uid", "NoNewPrivs", "Seccomp")
                )
                assert rights == 0
        else:
            said = run(each_kind, code)
        uid, *rest = said.split()
        assert int(uid) >= places.FIRST_UID if os.getuid() == 0 else int(uid) == os.getuid()
        assert rest == ["1", "2"]


class TestEnd:
    def test_own_end_is_an_exit(self, each_kind):
        with start(each_kind, "os._exit(3)") as box:
            assert read_all(box.from_worker) == ""
            assert box.wait(5)
            assert box.cause() == "exit"

    def test_running_has_no_cause(self, each_kind):
        with start(each_kind, "os.read(3, 1)") as box:
            assert box.cause() is None
            assert not box.wait(0.05)

    def test_closing_leaves_no_process_file_or_descriptor(self, each_kind):
        code = """
import signal
for name in range(1, 32):
    try: signal.signal(name, signal.SIG_IGN)
    except (OSError, ValueError): pass
deep = "d"  # as deep as a path can be; what is deeper counts as too much
for _ in range(1500):
    os.mkdir(deep)
    os.chdir(deep)
for _ in range(5):
    if os.fork() == 0: os.setsid(); break
os.read(3, 1) if os.getppid() else None
say("x")
import time
time.sleep(60)
"""
        before = open_files()
        with start(each_kind, code) as box:
            os.write(box.to_worker, b"xxxxxxxx")
            os.read(box.from_worker, 1)  # from one of the six; the others may not be born yet
            assert gone_within(20, lambda: len(watch.descendants(box.process.pid)) < 3)
            pids, folder = [box.process.pid, *watch.descendants(box.process.pid)], box.folder
            begin = time.monotonic()
        assert time.monotonic() - begin < 30  # far from 60; rm of 1 500 levels is part of it
        assert gone_within(20, lambda: any(map(runs, pids)))
        assert open_files() == before
        assert folder is None or not os.path.exists(folder)

    def test_grader_killed_in_the_middle_leaves_nothing(self, each_kind):
        code = f"""
import sys, time
from course_lib.grading import sandbox, watch
from course_lib.grading.limits import Limits
inside = [sys.executable, "-I", "-S", "-c", "import os, time; os.fork(); time.sleep(60)"]
box = sandbox.start({each_kind!r}, Limits(), inside)
time.sleep(0.3)
print(box.process.pid, *watch.descendants(box.process.pid), box.folder, flush=True)
time.sleep(60)
"""
        command = [sys.executable, "-c", code]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as grader:
            *pids, folder = grader.stdout.readline().split()
            grader.kill()
        assert len(pids) > 2

        assert gone_within(20, lambda: any(map(runs, pids)))
        assert gone_within(20, lambda: os.path.exists(folder))

    def test_two_at_once_do_not_share_their_bounds(self, each_kind):
        code = """
import time
for _ in range(6):
    if os.fork() == 0:
        time.sleep(60)
say("six")
os.read(3, 1)
"""
        few = Limits(processes=8)
        with start(each_kind, code, few) as one, start(each_kind, code, few) as two:
            for box in (one, two):
                assert os.read(box.from_worker, 9) == b"six"
            time.sleep(0.2)
            assert one.cause() is None and two.cause() is None


class TestAttacks:
    @pytest.mark.parametrize("name", doctor.ATTACKS)
    def test_fails(self, each_kind, name):
        (finding,) = doctor.attack(each_kind, [name])
        assert finding.held, finding.detail

    def test_are_never_run_without_a_sandbox(self):
        with pytest.raises(ValueError, match="without one they would hit this machine"):
            next(doctor.attack("none"))

    @pytest.mark.skipif(os.getuid() != 0, reason="then all tests here run unprivileged")
    def test_fail_for_an_unprivileged_grader(self, each_kind):
        # The system's Python, where nobody may not enter the folder of ours (below /root).
        python = sys.executable if places.open_to_all() else "/usr/bin/python3"
        code = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from course_lib.grading import doctor
findings = list(doctor.attack({each_kind!r}))
for finding in findings:
    if not finding.held:
        print(finding)
print(len(findings), "attacks")
"""
        done = subprocess.run(
            [python, "-I", "-c", code],
            cwd="/",
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
            env={"HOME": pwd.getpwuid(NOBODY).pw_dir},
            capture_output=True,
            text=True,
            timeout=240,
        )
        assert done.stdout == f"{len(doctor.ATTACKS)} attacks\n", done.stderr
