"""From an empty folder to grades with the command itself: every verb once, in real processes."""

import csv
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
import zipfile
from pathlib import Path

import pytest

pytest_plugins = "tests.grading_support"

NAME = "spread"
ROSTER = (
    "student,name,email,canvas_id\n"
    'ada,"Lovelace, Ada",ada@x.org,11\nbob,Bob B,bob@x.org,12\ncyd,Cyd C,cyd@x.org,13\n'
    "dan,=cmd(),dan@x.org,14\neve,Eve E,eve@x.org,15\n"
)
RIGHT = "def spread(x):\n    return np.max(x) - np.min(x)"
WRONG = "def spread(x):\n    return np.max(x)"
# The skeleton of `new`: spread gives 2 points, words 1 by people.
EXPECTED = {"ada": 3, "bob": 0.5, "cyd": 0, "dan": 0, "eve": 0}
COMMAND = (sys.executable, "-m", "course_lib.grading.cli")


@pytest.fixture
def walk(tmp_path, sandbox_kind):
    """Run verbs in an empty folder; each must end with the code given and print no traceback."""
    scratch = tmp_path / "tmp"
    scratch.mkdir()
    root = Path(__file__).resolve().parents[1]
    environment = os.environ | {"TMPDIR": str(scratch), "PYTHONPATH": str(root)}

    def run(*arguments, code=0):
        ran = subprocess.run(
            [*COMMAND, *map(str, arguments)],
            **{"cwd": tmp_path, "env": environment, "capture_output": True, "text": True},
        )
        assert ran.returncode == code, ran.stdout + ran.stderr
        assert "Traceback" not in ran.stderr
        return ran.stdout

    run.folder, run.environment, run.kind = tmp_path, environment, sandbox_kind
    yield run
    assert list(scratch.iterdir()) == []
    assert [path for path in tmp_path.rglob("*.tmp")] == []


def answered(release, **answers):
    """The released notebook with answers, as bytes."""
    notebook = json.loads(release.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        cell["source"] = answers.get(cell["id"], cell["source"])
    return json.dumps(notebook).encode()


def download(folder, release):
    """A zip as Canvas gives it: right, wrong, blank, hostile, broken, and from a stranger."""
    notebooks = {
        "lovelaceada_11_101": answered(release, spread=RIGHT, words="When it lies between."),
        "bbob_LATE_12_102": answered(release, spread=WRONG, words="<script>alert(1)</script>"),
        "ccyd_13_103": answered(release),
        "cmd_14_104": answered(release, spread="import os\nos._exit(3)", words="=cmd()"),
        "eeve_15_105": b'{"nbformat": 4, "cells": [',
        "zzoe_99_106": answered(release),
    }
    path = folder / "submissions.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for stem, data in notebooks.items():
            archive.writestr(f"{stem}_{NAME}.ipynb", data)
    return path


def mark(walk):
    """Mark Ada's and Bob's answers on the page of `review`, then end it as Ctrl-C does."""
    command = [*COMMAND, "review", NAME, "--no-browser", "--marker", "Mo"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    page = subprocess.Popen(command, cwd=walk.folder, env=walk.environment, **pipes)
    try:
        url = re.search(r"http://\S+/", page.stdout.readline())[0]
        assert b"<script" in urllib.request.urlopen(url).read()
        wanted = {"Lovelace, Ada": 1, "Bob B": 0.5, "Cyd C": 0, "=cmd()": 0, "Eve E": 0}
        for n in range(5):
            with urllib.request.urlopen(f"{url}item?n={n}") as reply:
                item = json.load(reply)
            entry = {"n": n, "points": wanted[item["name"]], "rubric": [], "comment": "Seen."}
            request = urllib.request.Request(
                f"{url}mark", json.dumps(entry).encode(), {"Content-Type": "application/json"}
            )
            urllib.request.urlopen(request).close()
    finally:
        page.send_signal(signal.SIGINT)
        _, errors = page.communicate(timeout=20)
    assert (page.returncode, errors) == (0, "")


def test_from_an_empty_folder_to_grades(walk):
    folder, work = walk.folder, walk.folder / "grading"
    walk("new", NAME)
    walk("release", f"assignments/{NAME}", "--sandbox", walk.kind)
    (work / "roster.csv").write_text(ROSTER)
    release = work / NAME / "release" / f"{NAME}.ipynb"
    zip_file = download(folder, release)

    said = walk("collect", NAME, zip_file, "--from", "canvas", code=1)
    assert "Taken: 5, already there: 0" in said and "zzoe_99_106" in said
    assert "5 not run" in walk("status", NAME)
    assert "Graded: 5" in walk("run", NAME, "--jobs", "2", "--sandbox", walk.kind)
    graded = contents(work / NAME / "results")
    assert "Graded: 0" in walk("run", NAME, "--sandbox", walk.kind)
    assert contents(work / NAME / "results") == graded
    assert "already there: 5" in walk("collect", NAME, zip_file, "--from", "canvas", code=1)
    assert "5 awaiting review" in walk("status", NAME)
    walk("export", NAME, "--to", "csv", code=1)
    assert not (work / NAME / "grades.csv").exists()

    mark(walk)
    assert "5 graded" in walk("status", NAME)
    assert "Written: 5 pages" in walk("feedback", NAME)
    pages = {p.stem: p.read_text() for p in (work / NAME / "feedback").iterdir()}
    assert set(pages) == set(EXPECTED)
    assert "<script>alert" not in pages["bob"] and "Seen." in pages["ada"]
    assert "random_numbers" not in pages["bob"]  # the hidden check's name

    walk("export", NAME, "--to", "csv")
    with open(work / NAME / "grades.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["student"]: float(row["total"]) for row in rows} == EXPECTED
    assert rows[3]["name"] == "'=cmd()"
    for to in ("canvas", "json"):
        path = walk("export", NAME, "--to", to).split()[-1]
        assert "Lovelace, Ada" in (folder / path).read_text()
    assert "spread" in walk("stats", NAME)
    assert "<svg" in (work / NAME / "stats.html").read_text()


def contents(root):
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_release_that_is_ended_leaves_nothing(walk):
    walk("new", NAME)
    command = [*COMMAND, "release", f"assignments/{NAME}", "--sandbox", walk.kind]
    ran = subprocess.Popen(
        command, cwd=walk.folder, env=walk.environment, stderr=subprocess.PIPE, text=True
    )
    while ran.poll() is None and not (walk.folder / "grading").exists():
        time.sleep(0.02)
    ran.terminate()
    _, errors = ran.communicate(timeout=20)
    assert ran.returncode == 130 and "Traceback" not in errors
    left = [p for p in (walk.folder / "grading").rglob("*") if p.name != "secret"]
    assert [p for p in left if p.is_file()] == []
