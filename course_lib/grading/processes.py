"""Several grading processes on this machine, each with one submission at a time.

A process is a program of its own that reads tasks and writes results, a line of JSON each. When
one ends in mid-task, killed by whatever, it is known with which submission; the others go on. Run
as ``python -m course_lib.grading.processes``; a signal of the terminal does not reach it.
"""

import collections
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

TRIES = 3  # for a submission whose process ends, and for processes that do not start
SLACK_S = 120  # above what a submission may take, for starting sandboxes and for checks
ENDING_S = 5
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Setup:
    """What a grading process is told first."""

    bundle: Path
    kind: str
    secret: bytes
    total_s: float


class _Process:
    """One grading process; ``task`` is what it works on."""

    def __init__(self, setup):
        home = str(Path(__file__).resolve().parents[2])
        paths = [home, *filter(None, [os.environ.get("PYTHONPATH")])]
        threads = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL")}
        self.popen = subprocess.Popen(
            [sys.executable, "-P", "-m", __name__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | threads | {"PYTHONPATH": os.pathsep.join(paths)},
            start_new_session=True,
        )
        self.task, self.ready, self.deadline = None, False, time.monotonic() + SLACK_S
        told = {"bundle": str(setup.bundle), "kind": setup.kind, "secret": setup.secret.hex()}
        self._tell({**told, "parent": os.getpid()})

    def start(self, task, seconds):
        self.task, self.deadline = task, time.monotonic() + seconds + SLACK_S
        self._tell({"student": task.student, "hash": task.hash, "path": str(task.path)})

    def _tell(self, message):
        try:
            self.popen.stdin.write(json.dumps(message).encode() + b"\n")
            self.popen.stdin.flush()
        except BrokenPipeError:
            pass  # it has ended, as its output will say

    def read(self):
        """A line, or None if it has ended."""
        line = self.popen.stdout.readline()
        return line if line.endswith(b"\n") else None

    def end(self):
        """Let it clear up; kill it if that takes long. Return how it ended."""
        self.popen.terminate()
        try:
            self.popen.wait(ENDING_S)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
        for pipe in (self.popen.stdin, self.popen.stdout):
            try:
                pipe.close()
            except BrokenPipeError:
                pass
        return self.popen.returncode


def grade(tasks, jobs, setup):
    """Yield each task with its result, in the order in which they are done.

    Parameters
    ----------
    tasks : sequence of executor.Task
    jobs : int
        Processes at a time.
    setup : Setup

    Yields
    ------
    task : executor.Task
    result : dict or str
        A text says what went wrong by the machine's fault.

    Raises
    ------
    OSError
        If grading processes do not start.
    """
    waiting, tries = collections.deque(tasks), collections.Counter()
    running, unborn = [], 0
    try:
        while waiting or any(process.task for process in running):
            while len(running) < jobs and len(running) < len(waiting) + _busy(running):
                running.append(_Process(setup))
            for process in running:
                if process.ready and not process.task and waiting:
                    process.start(waiting.popleft(), setup.total_s)
            for process in _heard(running):
                line, task = process.read(), process.task
                if line is None:
                    running.remove(process)
                    code = process.end()
                    unborn += not process.ready
                    if unborn == TRIES:
                        raise OSError(f"grading processes do not start (exit status {code})")
                    if task:
                        tries[task] += 1
                        if tries[task] < TRIES:
                            waiting.append(task)
                        else:
                            yield task, f"its grading process ended {TRIES} times ({_name(code)})"
                elif not process.ready:
                    process.ready, unborn = True, 0
                else:
                    process.task = None
                    if waiting:  # at once: the one who takes the result writes it first
                        process.start(waiting.popleft(), setup.total_s)
                    yield task, json.loads(line)
            for process in [p for p in running if p.task and time.monotonic() > p.deadline]:
                running.remove(process)
                process.end()
                yield process.task, f"no result in {setup.total_s + SLACK_S:g} s"
    finally:
        for process in running:
            process.popen.terminate()  # all at once, then one after another
        for process in running:
            process.end()


def _busy(running):
    return sum(process.task is not None for process in running)


def _heard(running):
    """Processes with something to read; waits for it, but not beyond a deadline."""
    by_pipe = {process.popen.stdout: process for process in running}
    return [by_pipe[pipe] for pipe in select.select(list(by_pipe), [], [], 1)[0]]


def _name(code):
    return signal.Signals(-code).name if code < 0 else f"exit status {code}"


def _stop(number, frame):
    raise SystemExit(128 + number)  # sandboxes close on the way out


def _main():
    """Answer tasks from standard input until it ends."""
    signal.signal(signal.SIGTERM, _stop)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a check prints is no answer
    setup = json.loads(sys.stdin.buffer.readline())
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)  # whoever kills the parent
    if os.getppid() != setup["parent"]:
        return

    from course_lib.grading import bundle, executor, grader  # noqa: F401  grader: before the first

    graded_by = bundle.load(Path(setup["bundle"])), setup["kind"], bytes.fromhex(setup["secret"])
    answers.write(b"ready\n")
    answers.flush()
    for line in sys.stdin.buffer:
        task = executor.Task(**json.loads(line))
        answers.write(json.dumps(executor.grade_file(task, *graded_by)).encode() + b"\n")
        answers.flush()


if __name__ == "__main__":
    _main()
