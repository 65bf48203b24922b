"""Grades what was handed in: here, in several processes, or on a Dask cluster.

Each way is a generator of results; this process alone writes them. So a run may be stopped at any
moment: what is written stays, and the next run does the rest.
"""

import contextlib
import hashlib
import signal
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from course_lib.grading import digest as digests
from course_lib.grading import processes, results, sandbox
from course_lib.grading.workspace import submissions


@dataclass(frozen=True)
class Task:
    """One notebook to grade."""

    student: str
    hash: str
    path: Path


@dataclass(frozen=True)
class Summary:
    """What a run did; ``infrastructure`` are pairs of a student and what went wrong here."""

    graded: int
    skipped: int
    infrastructure: list = field(default_factory=list)
    seconds: float = 0.0


def run(
    workspace,
    name,
    jobs=1,
    dask=None,
    tls=None,
    only=(),
    force=False,
    kind=None,
    progress=None,
):
    """Grade the newest submission of each student that has no result yet.

    Parameters
    ----------
    workspace : Workspace
    name : str
        Of the assignment.
    jobs : int
        Processes at a time; with 1 everything runs in this one.
    dask : str, optional
        Address of a Dask scheduler, to which the work goes instead.
    tls : tuple of path, optional
        Files of the authority's certificate, ours and its key, for a scheduler elsewhere.
    only : sequence of str
        Students; all if empty.
    force : bool
        Also grade what has a result, and replace it.
    kind : str, optional
        Of the sandbox; by default the first that works.
    progress : callable, optional
        Called with the number of submissions done and their total.

    Returns
    -------
    summary : Summary

    Raises
    ------
    ValueError
        If the assignment, a student, an option or a stored result is wrong.
    OSError
        If results cannot be written or nothing can be started; what is written stays.
    KeyboardInterrupt
        If SIGINT or SIGTERM came; everything that was started has ended then.
    """
    start = time.monotonic()
    if jobs < 1:
        raise ValueError(f"jobs must be 1 or more, got {jobs}")
    if dask and jobs != 1:
        raise ValueError("either jobs or the address of a Dask scheduler, not both")
    manifest = workspace.manifest(name)
    folder = workspace.path(name, "bundle").resolve()
    digest = digests.verified(folder)
    digests.check_versions(manifest, folder)
    every = _tasks(workspace, name, only)
    tasks = [task for task in every if force or not _is_done(workspace, name, task, digest)]
    skipped = len(every) - len(tasks)
    graded, failed = 0, []
    secret = workspace.secret()
    way = _answers(tasks, folder, manifest.limits.total_s, jobs, dask, tls, kind, secret)
    with _stoppable(), contextlib.closing(way) as answers:
        for done, (task, result) in enumerate(answers, skipped + 1):
            if isinstance(result, str):
                result = results.empty(manifest, digest, task.hash, task.student, line=result)
            try:
                results.store(workspace, name, result, force)
            except OSError as error:
                raise OSError(
                    error.errno,
                    f"cannot write the result of {task.student} ({error.strerror}); "
                    "make room and run again, what is written stays",
                ) from error
            if results.is_final(result):
                graded += 1
            else:
                failed.append((task.student, result["infrastructure"]))
            if progress:
                progress(done, len(every))
    return Summary(graded, skipped, failed, time.monotonic() - start)


def grade_file(task, bundle, kind, secret):
    """Grade one file of the inbox; no exception leaves this.

    Parameters
    ----------
    task : Task
    bundle : Bundle
    kind : str
    secret : bytes

    Returns
    -------
    result : dict or str
        A text says what went wrong by the machine's fault.
    """
    try:
        data = Path(task.path).read_bytes()
    except OSError as error:
        return f"{task.path}: {error.strerror}"
    return grade_bytes(data, task, bundle, kind, secret)


def grade_bytes(data, task, bundle, kind, secret):
    """Grade the bytes of a notebook; no exception leaves this.

    Parameters
    ----------
    data : bytes
    task : Task
    bundle : Bundle
    kind : str
    secret : bytes

    Returns
    -------
    result : dict or str
        A text says what went wrong by the machine's fault.
    """
    if hashlib.sha256(data).hexdigest() != task.hash:
        return f"{task.path}: not the file that was collected; restore it from a copy"
    from course_lib.grading import grader  # NumPy: who only hands out work starts without it

    try:
        return grader.grade(data, bundle, kind, secret, task.student)
    except Exception as error:  # one submission must not stop a batch
        return f"{type(error).__name__}: {error}"


def _tasks(workspace, name, only):
    """The newest submission of each student; the same bytes once."""
    for student in only:
        workspace.student(student)  # names those who are not in the roster
    tasks = {}
    for student, entries in submissions(workspace, name).items():
        if only and student not in only:
            continue
        if entries:
            path = workspace.path(name, "inbox", student, entries[-1]["file"])
            tasks.setdefault(entries[-1]["hash"], Task(student, entries[-1]["hash"], path))
        elif only:
            raise ValueError(f"{student} has handed in nothing for {name}; collect it first")
    return list(tasks.values())


def _is_done(workspace, name, task, digest):
    return results.is_final(results.load(workspace, name, task.hash, digest))


def _answers(tasks, folder, total_s, jobs, dask, tls, kind, secret):
    """Yield each task with its result, in the way that was asked for."""
    if not tasks:
        return
    if dask:
        from course_lib.grading import cluster  # starts slowly, and few need it

        yield from cluster.grade(tasks, dask, tls, folder, kind, secret, total_s)
        return
    kind = sandbox.choose(kind)
    if jobs > 1:
        yield from processes.grade(tasks, jobs, processes.Setup(folder, kind, secret, total_s))
        return
    from course_lib.grading import bundle as bundles  # NumPy again

    bundle = bundles.load(folder)
    for task in tasks:
        yield task, grade_file(task, bundle, kind, secret)


@contextlib.contextmanager
def _stoppable():
    """Let SIGTERM stop a run as SIGINT does, and a second one not disturb the clearing up."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(number, frame):
        for each in before:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt(signal.Signals(number).name)

    before = {}
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            before[number] = signal.signal(number, stop)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
