"""A throw-away process for code of strangers: no network, no files of others, bounded in all.

Two kinds: bubblewrap gives name spaces of its own (processes, files, network, users); Landlock
does without, where name spaces are forbidden. A filter of system calls stands before both.
Inside, the worker has two pipes as file descriptors 3 (to read) and 4 (to write), nothing else.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from course_lib.grading import landlock, places, seccomp, watch
from course_lib.grading.limits import MB, Limits

KINDS = ("bubblewrap", "landlock", "none")
START_S = 20  # what starting may take on a busy machine; usually some hundredths
POLL_S = 0.05
LAUNCHER = Path(__file__).with_name("launch.py")
HOME = "/tmp/home"  # inside bubblewrap


class SandboxMissing(ValueError):
    """No sandbox of the wanted kind works here; the message says what to do."""


class SandboxFailed(RuntimeError):
    """A sandbox that should have started did not: the machine's fault, never a student's."""


@dataclass(frozen=True)
class Probe:
    """Whether a kind of sandbox works on this machine, and if not, why and what helps."""

    kind: str
    works: bool
    reason: str
    remedy: str = ""


REMEDIES = {
    "bubblewrap": "install bubblewrap 0.8 or newer (apt install bubblewrap) and allow user name "
    "spaces (on Ubuntu 24.04: sysctl kernel.apparmor_restrict_unprivileged_userns=0 or an AppArmor "
    "profile for bwrap; in a container: run it with user name spaces, or use landlock)",
    "landlock": "needs Linux 6.12 or newer (Landlock ABI 6) with landlock among the kernel's lsm=",
    "none": "",
}


@cache
def probe(kind):
    """Start a sandbox of a kind and talk through its pipes.

    Parameters
    ----------
    kind : str
        One of ``KINDS``.

    Returns
    -------
    result : Probe
    """
    if kind not in KINDS:
        raise ValueError(f"kind of sandbox must be one of {', '.join(KINDS)}, got {kind!r}")
    echo = [sys.executable, "-I", "-S", "-c", "import os; os.write(4, os.read(3, 9))"]
    try:
        with start(kind, Limits(), echo) as sandbox:
            os.write(sandbox.to_worker, b"hello")
            answer = b""
            if select.select([sandbox.from_worker], [], [], START_S)[0]:
                answer = os.read(sandbox.from_worker, 9)
    except (SandboxFailed, OSError) as error:
        return Probe(kind, False, str(error), REMEDIES[kind])
    if answer != b"hello":
        return Probe(kind, False, "a program inside did not answer", REMEDIES[kind])
    return Probe(kind, True, "a program inside started and answered")


def choose(wanted=None):
    """Return the kind of sandbox to use.

    Parameters
    ----------
    wanted : str, optional
        One of ``KINDS``; if left out, the first that works, but never ``none``.

    Returns
    -------
    kind : str

    Raises
    ------
    SandboxMissing
        If it does not work here, with the reason and the remedy.
    """
    results = [probe(kind) for kind in ([wanted] if wanted else KINDS[:2])]
    for result in results:
        if result.works:
            return result.kind
    lines = [f"{r.kind} does not work: {r.reason}. Remedy: {r.remedy}" for r in results]
    raise SandboxMissing("no sandbox for students' code.\n" + "\n".join(lines))


def start(kind, limits, argv, data_dir=None):
    """Start a program in a fresh sandbox; returns when its doors are shut.

    Parameters
    ----------
    kind : str
        One of ``KINDS``.
    limits : Limits
    argv : list of str
        The program with its arguments; paths as outside. Python and the files of
        ``places.INSIDE`` can be read inside.
    data_dir : path, optional
        Folder that the program finds, read-only, as ``data`` in its working directory.

    Returns
    -------
    sandbox : Sandbox
        Use it in the thread that started it: with that thread the sandbox ends.

    Raises
    ------
    SandboxFailed
        If it does not start.
    """
    if kind == "landlock" and landlock.version() < landlock.SIGNALS_ABI:
        raise SandboxFailed(f"the kernel's Landlock ABI is {landlock.version()}")
    if kind == "bubblewrap" and not shutil.which("bwrap"):
        raise SandboxFailed("there is no program bwrap")
    return Sandbox(kind, limits, [places.real(part) for part in argv], data_dir)


class Sandbox:
    """One running sandbox; a context manager that leaves no process and no file behind.

    ``to_worker`` and ``from_worker`` are file descriptors of this side.
    """

    def __init__(self, kind, limits, argv, data_dir):
        self.kind, self.limits = kind, limits
        self.folder, self.killed_for, self._slot = None, None, None
        self._ended, self._watcher = threading.Event(), None
        root = os.getuid() == 0
        if root and kind != "none":
            self._slot = places.Slot()
        inside_read, self.to_worker = os.pipe()
        self.from_worker, inside_write = os.pipe()
        control, self._control = os.pipe()
        errors_read, errors = os.pipe()
        theirs = [inside_read, inside_write, control, errors]
        spec = {
            "kind": kind,
            "argv": [str(part) for part in argv],
            "pipes": [inside_read, inside_write],
            "control": control,
            "uid": self._slot.uid if self._slot else None,
            "home": HOME,
            "limits": self._resources(),
        }
        try:
            if kind == "bubblewrap":
                command = places.bubblewrap(limits, data_dir, root)
                program, spare = os.pipe()
                theirs.append(program)
                os.write(spare, seccomp.filter_program())
                os.close(spare)
                command += ["--seccomp", str(program), "--chdir", "/"]
            else:
                command = []
                self._private_folder(data_dir)
                spec |= {"home": self.folder, "folder": self.folder}
                if kind == "landlock":
                    filter_ = seccomp.filter_program(namespaces=False)
                    spec |= {
                        "keep_reading": root and not places.open_to_all(),
                        "rules": places.landlock_rules(self.folder, data_dir),
                        "filter": base64.b64encode(filter_).decode(),
                    }
            command += [places.PYTHON, "-I", "-S", str(LAUNCHER), json.dumps(spec)]
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env=places.environment(spec["home"]),
                cwd="/",
                pass_fds=theirs[:3] + theirs[4:],
                start_new_session=True,
            )
        except BaseException:
            self._close_all(errors_read)
            raise
        finally:
            for fd in theirs:
                os.close(fd)
        self._wait_for_start(errors_read)
        self._watcher = threading.Thread(target=self._watch, daemon=True)
        self._watcher.start()

    def _resources(self):
        limits = self.limits
        table = {
            "CORE": 0,
            "NOFILE": 256,
            "MEMLOCK": 0,
            "FSIZE": limits.file_mb * MB,
            "CPU": int(limits.total_s) + 10,  # of one process; the clock outside comes first
        }
        if limits.address_mb:
            table["AS"] = limits.address_mb * MB
        if self.kind == "bubblewrap" or self._slot:
            table["NPROC"] = limits.processes
        elif self.kind == "landlock":
            # Counts all that the user runs, so it only slows a bomb down; the watch counts ours.
            table["NPROC"] = watch.threads_of_user(os.getuid()) + 4 * limits.processes
        return table

    def _private_folder(self, data_dir):
        self.folder = tempfile.mkdtemp(prefix="state-by-state-")
        if data_dir:
            os.symlink(os.path.realpath(data_dir), os.path.join(self.folder, "data"))
        if self._slot:
            os.chown(self.folder, self._slot.uid, self._slot.uid)

    def _wait_for_start(self, errors):
        ready = select.select([self.from_worker], [], [], START_S)[0]
        if ready and os.read(self.from_worker, 1) == b"R":
            os.close(errors)
            return
        self.kill()
        os.set_blocking(errors, False)
        try:
            text = os.read(errors, 4096).decode(errors="replace").strip()
        except BlockingIOError:
            text = ""
        self._close_all(errors)
        last = text.splitlines()[-1] if text else f"no start within {START_S} s"
        raise SandboxFailed(f"{self.kind}: {last}")

    def _watch(self):
        """Look at memory, processes and files until the end; stop what takes too much."""
        limits = self.limits
        shared_user = self.kind == "landlock" and not self._slot
        while not self._ended.wait(POLL_S):
            found = watch.descendants(self.process.pid)
            if watch.memory(found, limits.memory_mb * MB) > limits.memory_mb * MB:
                self.killed_for = "memory"
            elif shared_user and sum(found.values()) > limits.processes:
                self.killed_for = "processes"
            elif self.folder and watch.folder_size(self.folder, found) > limits.tmp_mb * MB:
                self.killed_for = "files"
            if self.killed_for:
                self._stop()
                return

    def _stop(self):
        if self.kind == "bubblewrap":
            self.process.kill()  # its first process inside goes with it, and with that one all
        elif self._control is not None:
            control, self._control = self._control, None
            os.close(control)  # the keeper's sign

    def kill(self):
        """End every process of the sandbox."""
        self._ended.set()
        self._stop()
        self.process.wait(START_S)

    def wait(self, seconds):
        """Wait for the end; True if it has come within that time."""
        try:
            self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def cause(self):
        """Return why the sandbox ended: memory, processes, files, exit; None while it runs."""
        if self.killed_for or self.process.poll() is None:
            return self.killed_for
        return "exit"

    def close(self):
        """Kill, and give everything back."""
        if self.to_worker is None:
            return
        self.kill()
        if self._watcher:
            self._watcher.join()
        self._close_all()

    def _close_all(self, *more):
        for fd in (self.to_worker, self.from_worker, self._control, *more):
            if fd is not None:
                os.close(fd)
        self.to_worker = self.from_worker = self._control = None
        if self._slot:
            self._slot.release()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()
