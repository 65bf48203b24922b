"""nbgrader 0.9.6 in an environment of its own, with the small assignment of the grader's tests.

Its tests ask what our checks ask, with the same points; it has no partial credit.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VERSION = "0.9.6"
PLACE = ROOT / "_build" / f"nbgrader-{VERSION}"
NAME = "weights"
SETUP = 'import numpy as np\n\nreadings = np.loadtxt("data/readings.txt")'
ANSWERS = {
    "normalize": "def normalize(x):\n    ### BEGIN SOLUTION\n    return x / np.sum(x)\n"
    "    ### END SOLUTION",
    "running_mean": "def running_mean(x):\n    ### BEGIN SOLUTION\n"
    "    return np.cumsum(x) / np.arange(1, len(x) + 1)\n    ### END SOLUTION",
}
TESTS = {
    "weights_sum_to_one": (
        "normalize",
        1,
        "w = normalize(np.linspace(0.1, 5, 7))\nassert (w > 0).all() and abs(w.sum() - 1) < 1e-9",
    ),
    "proportions_stay": (
        "normalize",
        1,
        "x = np.random.default_rng(1).uniform(0.1, 5, size=11)\n"
        "np.testing.assert_allclose(normalize(x), x / x.sum(), rtol=1e-9)",
    ),
    "mean_of_three": (
        "running_mean",
        0.5,
        "np.testing.assert_allclose(running_mean(np.array([1.0, 2.0, 6.0])), [1, 1.5, 3])",
    ),
    "long_series": (
        "running_mean",
        1,
        "x = np.random.default_rng(2).normal(size=1000) + np.linspace(0, 3, 1000)\n"
        "np.testing.assert_allclose(running_mean(x), np.cumsum(x) / np.arange(1, 1001))",
    ),
    "ends_right": (
        "running_mean",
        0.5,
        "x = -np.random.default_rng(3).exponential(size=6)\n"
        "np.testing.assert_allclose(running_mean(x)[[0, -1]], [x[0], x.mean()])",
    ),
}
SCORES = """
import json
from nbgrader.api import Gradebook
with Gradebook("sqlite:///gradebook.db") as book:
    found = book.assignment_submissions("weights")
    print(json.dumps({s.student.id: s.score for s in found}))
"""


def set_up():
    """Make the environment, once; the packages that both sides use are of the same version."""
    if (PLACE / "ready").exists():
        return
    print(f"installing nbgrader {VERSION} into {PLACE.relative_to(ROOT)}", flush=True)
    shutil.rmtree(PLACE, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", str(PLACE)], check=True)
    pip = [PLACE / "bin" / "python", "-m", "pip", "install", "--quiet"]
    pins = ["-c", ROOT / "requirements.txt", "-c", ROOT / "constraints.txt"]
    packages = [f"nbgrader=={VERSION}", "numpy", "ipykernel"]
    subprocess.run([*pip, *pins, *packages], check=True, stderr=subprocess.DEVNULL)
    (PLACE / "ready").touch()


def course(folder, answers):
    """Make a course with submissions; ``answers`` maps students to {cell: source}."""
    source = folder / "source" / NAME
    (source / "data").mkdir(parents=True)
    data = ROOT / "tests" / "grading_assignments" / "normalize" / "data"
    shutil.copytree(data, source / "data", dirs_exist_ok=True)
    cells = [_cell("setup", SETUP, locked=True)]
    for name, text in ANSWERS.items():
        cells.append(_cell(name, text, solution=True))
        for test, (question, points, body) in TESTS.items():
            if question == name:
                cells.append(_cell(test, body, grade=True, locked=True, points=points))
    _write(source / f"{NAME}.ipynb", cells)
    call(folder, "generate_assignment", NAME, "--create")
    release = folder / "release" / NAME
    for student, own in answers.items():
        place = folder / "submitted" / student / NAME
        shutil.copytree(release, place)
        cells = json.loads((release / f"{NAME}.ipynb").read_text())["cells"]
        for cell in cells:
            cell["source"] = own.get(cell["id"], cell["source"])
        _write(place / f"{NAME}.ipynb", cells)


def call(folder, *words):
    """Run one of its commands to the end."""
    done = start(folder, *words)
    output, _ = done.communicate()
    if done.returncode:
        sys.exit(f"nbgrader {' '.join(words)} failed:\n{output[-3000:]}")


def start(folder, *words, **more):
    """Start one of its commands."""
    environment = os.environ | {"PATH": f"{PLACE / 'bin'}:{os.environ['PATH']}"}
    return subprocess.Popen(
        [PLACE / "bin" / "nbgrader", *words],
        **more,
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def scores(folder):
    """Student to points."""
    command = [PLACE / "bin" / "python", "-c", SCORES]
    return json.loads(subprocess.run(command, cwd=folder, capture_output=True, check=True).stdout)


def _cell(name, source, grade=False, solution=False, locked=False, points=None):
    marks = {"grade_id": name, "schema_version": 3, "task": False}
    marks |= {"grade": grade, "solution": solution, "locked": locked}
    if grade:
        marks["points"] = points
    return {
        "cell_type": "code",
        "id": name,
        "metadata": {"nbgrader": marks},
        "source": source,
        "execution_count": None,
        "outputs": [],
    }


def _write(path, cells):
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    table = {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4}
    path.write_text(json.dumps(table | {"nbformat_minor": 5}))
