"""A class of 200 made-up students through a term of all assignments: time, memory, every mark.

Starts from nothing with the commands that an instructor types; written answers are read and marked
by a script on the page of `review`. `python benchmarks/bench_class.py 40` takes a smaller class.
"""

import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.peaks import Peaks  # noqa: E402
from tests import grading_rehearsal as term  # noqa: E402

STEPS = ("release", "collect", "run", "review", "feedback", "export")


def main(students=200, seed=2026):
    """Print the seconds of each step, the largest memory and the marks that are wrong."""
    peaks, begin = Peaks(), time.perf_counter()
    peaks.start()
    with tempfile.TemporaryDirectory() as space:
        folder = Path(space, "class")
        term.grade("rehearse", folder, "--students", students, "--seed", seed)
        names = sorted(path.name for path in (folder / "assignments").iterdir())
        made = time.perf_counter() - begin
        print(f"{students} students, {len(names)} assignments, made up in {made:.1f} s")
        print("seconds".ljust(28), *(f"{step:>9}" for step in STEPS), flush=True)
        total, wrong, handed_in = defaultdict(float), {}, 0
        for name in names:
            seconds = _through(folder, name)
            print(name.ljust(28), *(f"{seconds[step]:9.1f}" for step in STEPS), flush=True)
            for step in STEPS:
                total[step] += seconds[step]
            for student, sentence in term.wrong_marks(folder, name).items():
                wrong[name, student] = sentence
            handed_in += sum(1 for _ in (folder / name / "inbox").glob("*/*.ipynb"))
        print("all".ljust(28), *(f"{total[step]:9.1f}" for step in STEPS))
    peaks.over.set()
    peaks.join()
    marks = students * len(names)
    print(f"{'wall time':34} {time.perf_counter() - begin:9.1f} s")
    print(f"{'one submission, run':34} {total['run'] / handed_in:9.2f} s, 2 processes")
    print(f"{'largest memory of a grading process':34} {max(peaks.megabytes.values()):8.1f} MB")
    print(f"{'largest memory in a sandbox':34} {max(peaks.sandboxed.values()):9.1f} MB")
    print(f"{'notebooks marked':34} {handed_in:9}")
    print(f"{'marks that are the known ones':34} {marks - len(wrong):9} of {marks}")
    for (name, student), sentence in wrong.items():
        print(f"  {name}, {student}: {sentence}")
    if wrong:
        sys.exit(1)


def _through(folder, name):
    """Take an assignment through the term; return step to seconds."""
    seconds, before = {}, time.perf_counter()
    term.grade("release", folder / "assignments" / name, "--work", folder)
    seconds["release"] = time.perf_counter() - before
    before = time.perf_counter()
    for step in term.term(folder, name):
        now = time.perf_counter()
        seconds[step], before = now - before, now
    return seconds


if __name__ == "__main__":
    main(*(int(word) for word in sys.argv[1:] if word.isdecimal()))
