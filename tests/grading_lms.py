"""A small course on disk for tests: a roster, a released assignment, downloads, results."""

import json
import zipfile
from datetime import UTC, datetime

from course_lib.grading import manifest as manifests
from course_lib.grading import results
from course_lib.grading.limits import Limits
from course_lib.grading.manifest import Manifest, Question, Rubric
from course_lib.grading.workspace import Workspace

DIGEST = "d" * 64
DUE = "2024-10-02T23:59:00+02:00"
ROSTER = (
    "student,name,email,canvas_id,moodle_id\n"
    "ada,Ada Lovelace,ada@example.org,12345,\n"
    "bob,Bob O'Brien,bob@example.org,666,\n"
    "cho,Chó Lẽ,cho@example.org,77,\n"
)


def course(root, roster=ROSTER, **changes):
    """A workspace with the assignment hmm released: 7 automatic points, 3 from people."""
    manifest = Manifest(
        **{
            "name": "hmm",
            "title": "Hidden Markov models",
            "cells": (),
            "questions": (
                Question("forward", 5.0),
                Question("viterbi", 2.0),
                Question("report", 3.0, manual=True, rubric=(Rubric(3.0, "says why"),)),
            ),
            "checks": (),
            "limits": Limits(notebook_mb=1),
            "due": DUE,
            "late_percent_per_day": 10,
            "late_max_percent": 50,
        }
        | changes
    )
    bundle = root / "hmm" / "bundle"
    bundle.mkdir(parents=True)
    (bundle / "manifest.json").write_text(manifests.to_json(manifest))
    (bundle / "digest").write_text(DIGEST + "\n")
    (root / "roster.csv").write_text(roster)
    return Workspace(root)


def notebook(text="1"):
    """Bytes of a notebook with one cell."""
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "source": text}
    table = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
    return json.dumps(table).encode()


def packed(path, *entries, when=(2024, 10, 1, 12, 0, 0)):
    """A zip file of (name or ZipInfo, bytes)."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            info = name if isinstance(name, zipfile.ZipInfo) else zipfile.ZipInfo(name, when)
            info.compress_type = info.compress_type or zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return path


def result(workspace, submission, points=6.0, infrastructure=None):
    """Store what the grader would for a submission."""
    table = {
        "v": results.VERSION,
        "submission": submission,
        "digest": DIGEST,
        "points": None if infrastructure else points,
        "max": 7.0,
        "infrastructure": infrastructure,
        "questions": [
            {"name": "forward", "points": points - 2, "max": 5.0, "manual": False},
            {"name": "viterbi", "points": 2.0, "max": 2.0, "manual": False},
            {"name": "report", "points": 0.0, "max": 3.0, "manual": True},
        ],
    }
    results.store(workspace, "hmm", table)


def at(text):
    """A time in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
