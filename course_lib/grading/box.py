"""One running sandbox: its pipes, its watch, its end."""

import marshal
import os
import secrets
import select
import subprocess
import tempfile
import threading

from course_lib.grading import launch, places, seccomp, watch
from course_lib.grading.limits import MB

START_S = 20  # what starting may take on a busy machine; usually some hundredths
POLL_S = 0.05
NO_PIPES = 74  # the worker's exit status when somebody has closed its pipes


class SandboxFailed(RuntimeError):
    """A sandbox that should have started did not: the machine's fault, never a student's."""


class Sandbox:
    """One running sandbox; a context manager that leaves no process and no file behind.

    ``to_worker`` and ``from_worker`` are file descriptors of this side.
    """

    def __init__(self, kind, limits, argv, data_dir):
        self.kind, self.limits = kind, limits
        self.folder, self.killed_for, self._slot = None, None, None
        self._ended, self._lock, self._watcher = threading.Event(), threading.Lock(), None
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
            "argv": [places.inside(kind, part) for part in argv],
            "pipes": [inside_read, inside_write],
            "control": control,
            "uid": self._slot.uid if self._slot else None,
            "home": places.HOME,
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
                name = f"state-by-state-{secrets.token_hex(8)}"
                self.folder = os.path.join(tempfile.gettempdir(), name)
                # Made by the keeper, who is there to remove it whenever this process is killed.
                spec |= {"home": self.folder, "folder": self.folder}
                spec["data"] = os.path.realpath(data_dir) if data_dir else None
                if kind == "landlock":
                    spec |= {
                        "keep_reading": root and not places.open_to_all(),
                        "rules": places.landlock_rules(self.folder, data_dir),
                        "filter": seccomp.filter_program(namespaces=False),
                    }
            launcher = places.inside(kind, places.INSIDE[0])
            command += [places.PYTHON, "-I", "-S", launcher]
            # In memory, not on the command line: rules for many places are longer than that holds.
            told = os.memfd_create("sandbox")
            theirs.append(told)
            os.write(told, marshal.dumps(spec))
            os.lseek(told, 0, os.SEEK_SET)
            self.process = subprocess.Popen(
                command,
                stdin=told,
                stdout=subprocess.DEVNULL,
                stderr=errors,
                env=places.environment(spec["home"]),
                cwd="/",
                pass_fds=[fd for fd in theirs if fd not in (errors, told)],
                start_new_session=True,
            )
        except OSError as error:  # no disk, no memory, too many processes
            self._close_all(errors_read)
            raise SandboxFailed(f"{kind}: {error}") from error
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
            keeper = self.kind == "landlock"  # runs as the same user
            table["NPROC"] = limits.processes + keeper
        elif self.kind == "landlock":
            # Counts all that the user runs, so it only slows a bomb down; the watch counts ours.
            table["NPROC"] = watch.threads_of_user(os.getuid()) + 4 * limits.processes
        return table

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
        while not self._ended.wait(POLL_S):
            if self.look():
                return

    def look(self):
        """Look at memory, processes and files now; stop what takes too much.

        Returns
        -------
        killed_for : str or None
            What there was too much of.
        """
        limits = self.limits
        shared_user = self.kind == "landlock" and not self._slot
        found = watch.descendants(self.process.pid)
        if watch.memory(found, limits.memory_mb * MB) > limits.memory_mb * MB:
            self.killed_for = "memory"
        elif shared_user and sum(found.values()) > limits.processes:
            self.killed_for = "processes"
        elif self.folder and self._files(found, shared_user) > limits.tmp_mb * MB:
            self.killed_for = "files"
        if self.killed_for:
            self._stop()
        return self.killed_for

    def _files(self, found, shared_user):
        return watch.folder_size(self.folder, found, self.limits.file_mb * MB, shared_user)

    def _stop(self):
        if self.kind == "bubblewrap":
            self.process.kill()  # its first process inside goes with it, and with that one all
            return
        with self._lock:  # the watch may want to stop it at the same moment
            if self._control is not None:
                os.close(self._control)  # the keeper's sign
                self._control = None

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
        """Return why it ended: memory, processes, files, protocol, exit; None while it runs."""
        if self.killed_for or self.process.poll() is None:
            return self.killed_for
        return "protocol" if self.process.returncode == NO_PIPES else "exit"

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
        if self.folder and os.path.exists(self.folder):  # the keeper itself was killed
            launch.remove(self.folder)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()
