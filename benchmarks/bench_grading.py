"""Grading: a class of 40 against nbgrader, and 1 000 submissions of which 5 % are hostile.

Both sides grade the same answers to the same two questions, each by its own command from start to
end; runs alternate, so that a busy machine slows both sides. "One core" ties all of a run's
processes to one. nbgrader cannot hold hostile code, so it has no part in the second half.
"""

import contextlib
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks import hostile_answers, nbgrader_peer  # noqa: E402
from benchmarks.peaks import Peaks  # noqa: E402
from course_lib.grading import assignment as assignments  # noqa: E402
from course_lib.grading import watch  # noqa: E402
from tests import grading_course as course  # noqa: E402

RUNS = 3  # of ours; one of nbgrader, which takes ten times as long
GOAL_ONE_CORE, GOAL_TWO_CORES, GOAL_MEMORY_MB = 8, 1.8, 150
LIMITS = "[limits]\ncell_s = 3\ncall_s = 1\ntotal_s = 30\nmemory_mb = 512\n"
TORCH = {
    "assignment.md": """---
kernelspec: {display_name: Python 3, language: python, name: python3}
---

# Softmax

```{code-cell} ipython3
import torch
```

```{code-cell} ipython3
:grade_id: softmax
:role: answer

def softmax(x):
    ### BEGIN SOLUTION
    return torch.softmax(torch.from_numpy(x), dim=-1).numpy()
    ### END SOLUTION
```
""",
    "config.toml": 'title = "Softmax"\n\n[limits]\ntorch = true\n',
    "checks.py": """from course_lib.grading.checks import check, close


@check("softmax", points=1, hidden=True)
def rows(student, solution, rng):
    \"\"\"Random rows.\"\"\"
    x = rng.normal(size=(3, 5))
    close(student.softmax(x), solution.softmax(x))
""",
}


def known_answers():
    """Title to (answers, points): the reference, and every wrong answer of the assignment."""
    assignment = assignments.read(course.SOURCE)
    most = course.POINTS["right"]
    known = {"right": (course.RIGHT, most)}
    for wrong in assignment.wrong:
        known[wrong.name] = (course.RIGHT | wrong.answers, most - sum(wrong.loses.values()))
    return known


def make_class(folder, size):
    """Make a course with answers in turn; return it, student to points, student to answers."""
    workspace = course.build(folder)
    release, known = course.release(workspace), list(known_answers().values())
    notebooks, points, answers = {}, {}, {}
    for number in range(size):
        student = f"{'ab'[number % 2]}{number:04}"  # nbgrader's two processes take a* and b*
        answers[student], points[student] = known[number // 2 % len(known)]
        notebooks[student] = course.answered(release, answers[student], [f"# {student}"])
    course.hand_in(workspace, notebooks)
    return workspace, points, answers


def grading(workspace, name, *options, cores=None, environment=None):
    """Seconds of one `course-grade run` from nothing; checks that it found nothing to complain."""
    shutil.rmtree(workspace.path(name, "results"), ignore_errors=True)
    command = [sys.executable, "-m", "course_lib.grading.cli", "run", name]
    command += ["--work", str(workspace.root), *options]
    with on_cores(cores):
        start = time.perf_counter()
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
    if done.returncode:
        sys.exit(f"course-grade run failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    return time.perf_counter() - start


@contextlib.contextmanager
def on_cores(count):
    """Tie this process, and what it starts, to some cores."""
    every = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(every)[:count])
    try:
        yield
    finally:
        os.sched_setaffinity(0, every)


def peer(template, folder, students):
    """Seconds of nbgrader: one process for each pattern of students, side by side."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(template, folder)
    with on_cores(len(students)):
        start = time.perf_counter()
        running = [
            nbgrader_peer.start(folder, "autograde", nbgrader_peer.NAME, f"--student={pattern}")
            for pattern in students
        ]
        readers = [threading.Thread(target=program.communicate) for program in running]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
    return time.perf_counter() - start


def results(workspace, name=course.NAME):
    """Student to result."""
    tables = map(json.loads, course.snapshot(workspace, name).values())
    return {table["student"]: table for table in tables}


def wrong_marks(workspace, points):
    """Students whose mark is not the known one."""
    found = results(workspace)
    missing = [student for student in points if student not in found]
    return missing + [s for s, table in found.items() if abs(table["points"] - points[s]) > 1e-9]


@contextlib.contextmanager
def dask(folder):
    """A scheduler and two workers on this machine; gives the address."""
    quiet = {"stdout": subprocess.DEVNULL, "cwd": folder}
    command = [sys.executable, "-m", "dask"]
    plain = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard"]
    scheduler = subprocess.Popen(
        [*command, "scheduler", *plain], **quiet, stderr=subprocess.PIPE, text=True
    )
    address = next(
        found.group() for line in scheduler.stderr if (found := re.search(r"tcp://[\d.:]+", line))
    )
    threading.Thread(target=scheduler.stderr.read, daemon=True).start()
    options = ["--nworkers", "2", "--nthreads", "1", "--no-dashboard", "--local-directory", folder]
    workers = subprocess.Popen(
        [*command, "worker", address, *options],
        **quiet,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
    )
    try:
        yield address
    finally:
        for program in (workers, scheduler):
            program.terminate()
            program.wait()


def speed(folder, size):
    """Print the table of a class against nbgrader."""
    nbgrader_peer.set_up()
    workspace, points, answers = make_class(folder / "class", size)
    nbgrader_peer.course(folder / "peer", answers)
    with dask(folder / "class") as address:
        ways = {
            "one core": (
                lambda: grading(workspace, course.NAME, cores=1),
                lambda: peer(folder / "peer", folder / "run", ["*"]),
            ),
            "2 processes": (
                lambda: grading(workspace, course.NAME, "--jobs", "2", cores=2),
                lambda: peer(folder / "peer", folder / "run", ["a*", "b*"]),
            ),
            "Dask, 2 workers": (
                lambda: grading(workspace, course.NAME, "--dask", address),
                None,
            ),
        }
        times, wrong = {way: ([], []) for way in ways}, []
        for turn in range(RUNS):
            for way, (ours, theirs) in ways.items():
                times[way][0].append(ours())
                wrong += wrong_marks(workspace, points)
                if theirs and turn == 0:
                    times[way][1].append(theirs())
                    scores = nbgrader_peer.scores(folder / "run")
                    wrong += [s for s in points if points[s] == 4 and scores.get(s) != 4]
    print(f"\n{size} submissions, two questions with NumPy (seconds from command to prompt)")
    print(f"{'':18} {'here':>8} {'a piece':>9} {'nbgrader':>9} {'a piece':>9} {'ratio':>7} "
          f"{'goal':>5}")  # fmt: skip
    for way, (ours, theirs) in times.items():
        mine = statistics.median(ours)
        line = f"{way:18} {mine:6.1f} s {1e3 * mine / size:6.0f} ms"
        if theirs:
            goal = GOAL_ONE_CORE if way == "one core" else ""
            line += f" {theirs[0]:7.1f} s {1e3 * theirs[0] / size:6.0f} ms"
            line += f" {theirs[0] / mine:7.1f} {goal:>5}"
        print(line)
    one, two = (statistics.median(times[way][0]) for way in ("one core", "2 processes"))
    print(f"2 processes against one core: {one / two:.2f} times as fast, goal {GOAL_TWO_CORES}")
    print(f"marks that are not the known ones: {len(wrong)}")


def torch_assignment(folder, size):
    """Print the times of an assignment with PyTorch."""
    source = folder / "softmax"
    source.mkdir()
    for name, text in TORCH.items():
        (source / name).write_text(text)
    workspace = course.build(folder / "torch", source)
    release = course.release(workspace, "softmax")
    body = "torch.softmax(torch.from_numpy(x), dim=-1).numpy()"
    right = {"softmax": f"def softmax(x):\n    return {body}"}
    notebooks = {f"s{n:03}": course.answered(release, right, [f"# {n}"]) for n in range(size)}
    course.hand_in(workspace, notebooks, "softmax")
    print(f"\n{size} submissions of an assignment with PyTorch")
    for title, options, cores in (("one core", [], 1), ("2 processes", ["--jobs", "2"], 2)):
        seconds = grading(workspace, "softmax", *options, cores=cores)
        full = sum(table["points"] == 1 for table in results(workspace, "softmax").values())
        print(f"{title:18} {seconds:6.1f} s {1e3 * seconds / size:6.0f} ms", end="")
        print(f"   marks right: {full} of {size}", flush=True)


def crowd(folder, size):
    """Print how a large class goes of which one in twenty is hostile."""
    source = folder / "crowd-source" / course.NAME
    shutil.copytree(course.SOURCE, source)
    config = (source / "config.toml").read_text()
    (source / "config.toml").write_text(re.sub(r"\[limits\]\n(\w.*\n)+", LIMITS, config))
    workspace, points, _ = make_class(folder / "crowd", size)
    shutil.rmtree(workspace.path(course.NAME))
    course.build(folder / "crowd", source)
    release, known = course.release(workspace), list(known_answers().values())
    every, notebooks, hostile = hostile_answers.notebooks(release), {}, {}
    for number, student in enumerate(points):
        if number % 20 == 7:
            name = list(every)[number // 20 % len(every)]
            data, points[student] = every[name](student)
            hostile[student] = name
        else:
            answers, points[student] = known[number % len(known)]
            data = course.answered(release, answers, [f"# {student}"])
        notebooks[student] = data
    course.hand_in(workspace, notebooks)
    temporary = folder / "tmp"
    temporary.mkdir()
    temporary.chmod(0o1777)
    peaks = Peaks()
    peaks.start()
    before = set(watch.descendants(os.getpid()))
    seconds = grading(
        *(workspace, course.NAME, "--jobs", "2"),
        environment=os.environ | {"TMPDIR": str(temporary)},
    )
    peaks.over.set()
    peaks.join()
    time.sleep(1)
    processes = set(watch.descendants(os.getpid())) - before
    wrong = wrong_marks(workspace, points)
    print(f"\n{size} submissions, {len(hostile)} of them hostile, 2 processes")
    print(f"{'wall time':34} {seconds:7.1f} s, {1e3 * seconds / size:.0f} ms a piece")
    print(f"{'largest memory of a grading process':34} {max(peaks.megabytes.values()):6.1f} MB, "
          f"goal {GOAL_MEMORY_MB}")  # fmt: skip
    print(f"{'marks right':34} {size - len(wrong):7} of {size}")
    print(
        f"{'processes, files left behind':34} {len(processes):7}, {len(list(temporary.iterdir()))}"
    )
    for student in wrong:
        found = results(workspace).get(student, {}).get("points")
        print(f"  {student} ({hostile.get(student, 'ordinary')}): {found}, not {points[student]}")


def main(size=40, many=1000, torch_size=10):
    """Print all tables."""
    with tempfile.TemporaryDirectory() as folder:
        speed(Path(folder), size)
        torch_assignment(Path(folder), torch_size)
        crowd(Path(folder), many)


if __name__ == "__main__":
    main()
