"""A course folder with the small assignment "normalize" released and submissions in its inbox."""

import contextlib
import ctypes
import hashlib
import json
import os
import re
import shutil
import time
from pathlib import Path

from course_lib.grading import assignment as assignments
from course_lib.grading import bundle as bundles
from course_lib.grading import files, watch
from course_lib.grading.workspace import Workspace

PR_SET_CHILD_SUBREAPER = 36
NAME = "normalize"
SOURCE = Path(__file__).parent / "grading_assignments" / NAME
RIGHT = {
    "normalize": "def normalize(x):\n    return x / x.sum()",
    "running_mean": "def running_mean(x):\n    return np.cumsum(x) / np.arange(1, len(x) + 1)",
}
HALF = {"normalize": RIGHT["normalize"], "running_mean": "def running_mean(x):\n    return x"}
POISON = '''

@check("normalize", points=1)
def poison(student):
    """Kills or stops the grading process, as a defect of ours might."""
    import os, time
    word = student.word()
    if word == "kill":
        os.kill(os.getpid(), 9)
    if word == "hang":
        time.sleep(100)
    print("a check that prints")
'''
POINTS = {"right": 4.0, "half": 2.25}  # the first mean is right


def build(root, source=SOURCE):
    """Build an assignment into a course folder, without the self-test of a release."""
    assignment = assignments.read(source)
    bundles.build(assignment, Path(root, assignment.name))
    workspace = Workspace(Path(root))
    workspace.secret()  # copies of the course must share it
    return workspace


def answered(release, answers, more=()):
    """The released notebook with answers in it, and added cells of code at the end, as bytes."""
    notebook = json.loads(release)
    for cell in notebook["cells"]:
        if cell["id"] in answers:
            cell["source"] = answers[cell["id"]]
    for number, source in enumerate(more):
        cell = {"cell_type": "code", "id": f"more{number}", "source": source, "metadata": {}}
        notebook["cells"].append(cell | {"execution_count": None, "outputs": []})
    return json.dumps(notebook).encode()


def notebooks(workspace, size):
    """Students s0, s1, ... to notebooks, each second one half right, all different."""
    text = release(workspace)
    return {f"s{n}": answered(text, RIGHT if n % 2 else HALF, [f"print({n})"]) for n in range(size)}


def release(workspace, name=NAME):
    """The text of the released notebook."""
    return workspace.path(name, "release", f"{name}.ipynb").read_text(encoding="utf-8")


def hand_in(workspace, notebooks, name=NAME):
    """Put notebooks (student to bytes) into the inbox, and the students into the roster."""
    lines = ["student,name", *(f"{student},Student {student}" for student in notebooks)]
    files.write_file(Path(workspace.root, "roster.csv"), "\n".join(lines) + "\n")
    for student, data in notebooks.items():
        digest = hashlib.sha256(data).hexdigest()
        file = f"20300101T000000Z-{digest[:12]}.ipynb"
        files.write_file(workspace.path(name, "inbox", student, file), data)
        entry = {"file": file, "hash": digest, "submitted": "2030-01-01T00:00:00+00:00"}
        entry |= {"collected": entry["submitted"], "source": "folder", "flags": []}
        files.append_line(workspace.path(name, "inbox", student, "index.jsonl"), entry)


def snapshot(workspace, name=NAME):
    """All results: path to content, without the seconds that grading took."""
    folder = workspace.path(name, "results")
    files_ = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): re.sub(
            r'"seconds": [\d.]+', '"seconds": 0', path.read_text()
        )
        for path in files_
    }


def poisoned(folder, words):
    """A course with one more check, which kills or stops the grader at the words of some.

    ``words`` maps students to "kill", "hang" or anything else.
    """
    source = folder / NAME
    shutil.copytree(SOURCE, source)
    (source / "checks.py").write_text((source / "checks.py").read_text() + POISON)
    workspace = build(folder / "poisoned", source)
    notebooks = {
        student: answered(release(workspace), RIGHT, [f"def word():\n    return {word!r}"])
        for student, word in words.items()
    }
    hand_in(workspace, notebooks)
    return workspace


@contextlib.contextmanager
def nothing_left(folder):
    """Fail if a process that the block started lives on, or a file in its temporary folder.

    Orphans become children of this process for the time being, so none escapes the search.
    """
    folder.mkdir(exist_ok=True)
    before = set(watch.descendants(os.getpid()))
    libc = ctypes.CDLL(None)
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield
        end, quiet = time.monotonic() + 5, 0
        while quiet < 3 and time.monotonic() < end:  # one look may miss who changes its parent
            alive = _alive(before)
            quiet = 0 if alive else quiet + 1
            time.sleep(0.02)
        assert not alive, f"still running: {alive}"
        left = sorted(path.name for path in folder.iterdir())
        assert not left, f"left behind: {left}"
    finally:
        libc.prctl(PR_SET_CHILD_SUBREAPER, 0)


def _alive(before):
    """New descendants that run; those that have ended are collected.

    What an older process starts, such as the browser of other tests, is none of the block's.
    """
    found, of_others = [], {pid for parent in before for pid in watch.descendants(parent)}
    for pid in set(watch.descendants(os.getpid())) - before - of_others:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
        with contextlib.suppress(OSError):
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            line = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
            if state != "Z":
                found.append(f"{pid} {state} {line[:200]}")
    return found
