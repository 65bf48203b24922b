"""An assignment, results and marks for the pages that people see, friendly and hostile.

Made by hand: these tests need no sandbox. ``HOSTILE`` is what a submission may hold.
"""

import base64
import struct
import zlib

from course_lib.grading import files, gradebook, results
from course_lib.grading import manifest as manifests
from course_lib.grading.manifest import Cell, CheckInfo, Manifest, Question, Rubric
from course_lib.grading.workspace import Workspace
from tests import axe

# Each would set window.hit, ask evil.example for something, or break out of where it stands.
HOSTILE = [
    "<script>window.hit = 1</script>",
    "</pre></details></main><script>window.hit = 2</script>",
    "<img src=https://evil.example/a.png onerror='window.hit = 3'>",
    '<svg onload="window.hit = 4"><script>window.hit = 5</script></svg>',
    '<a href="javascript:window.hit = 6">mark</a>',
    "<style>@import url(https://evil.example/a.css); * { display: none }</style>",
    '" onmouseover="window.hit = 7" style="background:url(https://evil.example/b.png)',
    "<iframe src='data:text/html,<script>parent.hit = 8</script>'></iframe>",
    "</textarea></title></style><!-- <base href=https://evil.example/>",
    "<meta http-equiv=refresh content='0;url=https://evil.example/'>",
    "&lt;script&gt;window.hit = 9&lt;/script&gt; &#x3c;b&#x3e;",
    "{{constructor.constructor('window.hit = 10')()}} ${window.hit = 11} `x`",
    "\u202emoc.live\u202c \u2066left\u2069 \u200f",
    "a\x00b \x1b[31mred\x1b[0m \x1b]8;;https://evil.example\x07link \udcff \x9b31m",
]
LONG_LINE = "W" * 60_000
SVG = base64.b64encode(b"<svg xmlns='http://www.w3.org/2000/svg' onload='hit = 12'/>").decode()


def png(width, height, claimed=None):
    """A white picture in base64; ``claimed`` is the size its header tells."""

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", *(claimed or (width, height)), 8, 0, 0, 0, 0)
    rows = zlib.compress((b"\0" + b"\xdd" * width) * height)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return base64.b64encode(data).decode()


def manifest(**changes):
    """Two automatic questions and one that a person marks."""
    table = {
        "name": "hmm",
        "title": "Assignment 1: Markov chains and HMMs",
        "cells": (
            Cell("setup", "locked", "code", "import numpy as np\n"),
            Cell("forward-text", "text", "markdown", "## Forward\nWrite the filter.", "forward"),
            Cell("forward", "answer", "code", "def forward():\n    ...\n", "forward", ("forward",)),
            Cell("viterbi", "answer", "code", "def viterbi():\n    ...\n", "viterbi", ("viterbi",)),
            Cell("report-text", "text", "markdown", "Explain the two paths.", "report"),
            Cell("report", "written", "markdown", "Your answer here.", "report"),
        ),
        "questions": (
            Question("forward", 6),
            Question("viterbi", 4),
            Question(
                "report",
                5,
                True,
                (
                    Rubric(2, "Says that Viterbi finds the most probable path as a whole"),
                    Rubric(2, "Says that the posterior looks at each time alone"),
                    Rubric(1, "Names a case in which the two differ"),
                ),
            ),
        ),
        "checks": (
            CheckInfo("two_rolls", "forward", 2, False, "Two rolls by hand"),
            CheckInfo("secret_underflow", "forward", 2, True, "A thousand steps do not underflow"),
            CheckInfo("secret_missing", "forward", 2, True, "Missing observations are skipped"),
            CheckInfo("ties", "viterbi", 2, False, "Ties go to the smaller state"),
            CheckInfo("secret_paths", "viterbi", 2, True, "Random chains against all paths"),
        ),
        "due": "2026-12-01T12:00:00+01:00",
        "late_percent_per_day": 10,
    }
    return Manifest(**table | changes)


def check(name, title, points, reason="passed", message="", *, hidden=False, most=2, detail=""):
    return {
        **{"name": name, "title": title, "points": points, "max": most, "hidden": hidden},
        **{"reason": reason, "message": message, "detail": detail},
    }


def cell(id, source, status="ok", message="", outputs=(), role="answer"):
    return {
        **{"id": id, "role": role, "source": source, "status": status, "message": message},
        "outputs": [list(o) for o in outputs],
    }


def result(submission="a1" * 32, student="ada", **changes):
    """A submission with a bit of everything."""
    shape = "forward: expected an array of shape (3,), got shape ()"
    forward = [
        check("two_rolls", "Two rolls by hand", 2),
        check(
            "secret_underflow",
            "A thousand steps do not underflow",
            1,
            "partial",
            "half of the cases",
            hidden=True,
        ),
        check(
            "secret_missing",
            "Missing observations are skipped",
            0,
            "failed",
            shape,
            hidden=True,
            detail="want [0.25, 0.75]",
        ),
    ]
    viterbi = [
        check("ties", "Ties go to the smaller state", 0, "error", "IndexError: index 3"),
        check(
            "secret_paths",
            "Random chains against all paths",
            0,
            "timeout",
            "viterbi took longer than 5 s",
            hidden=True,
        ),
    ]
    table = {
        **{"v": 1, "submission": submission, "student": student, "assignment": "hmm"},
        **{"digest": "d" * 64, "sandbox": "bubblewrap", "seconds": 0.5, "points": 3.0, "max": 10.0},
        "questions": [
            {"name": "forward", "points": 3.0, "max": 6.0, "manual": False, "checks": forward},
            {"name": "viterbi", "points": 0.0, "max": 4.0, "manual": False, "checks": viterbi},
            {"name": "report", "points": 0.0, "max": 5.0, "manual": True, "checks": []},
        ],
        "cells": [
            cell("setup", "import numpy as np", role="locked"),
            cell(
                "forward",
                "def forward(y, pi, A, B):\n    belief = pi * B[:, y[0]]\n    return belief.sum()",
                outputs=[["text", "0.25 0.75\n" * 3], ["png", png(320, 120)]],
            ),
            cell("viterbi", "path = []\npath[3]", "error", "IndexError: list index out of range"),
            cell("added 1", "print(forward)", role="added"),
        ],
        "flags": ["The cell viterbi had lost its id; it was found by the name it defines."],
        "written": {"report": "Viterbi finds one path.\n\nThe posterior looks at each time."},
        "infrastructure": None,
    }
    return table | changes


def hostile_result(**changes):
    """Hostile text in every place that a submission reaches."""
    everything = "\n".join(HOSTILE)
    made = result(**changes)
    made["questions"][0]["checks"] = [
        check("two_rolls", "Two rolls by hand", 0, "error", h) for h in (*HOSTILE, LONG_LINE)
    ]
    made["cells"] = [
        cell(h, h, "error", h, [["text", h], ["png", SVG], ["png", h]], "added") for h in HOSTILE
    ]
    huge = [["text", LONG_LINE + "\n" + LONG_LINE], ["png", png(3, 2, claimed=(60_000, 60_000))]]
    made["cells"].append(cell("forward", everything + LONG_LINE, outputs=huge))
    made["flags"] = list(HOSTILE)
    made["written"] = {"report": everything + "\n" + LONG_LINE}
    return made


def mark(points, rubric="", comment="", *, stale=False, submission="a1" * 32):
    time = "2026-11-21T18:00:00+00:00"
    return gradebook.ManualMark(submission, points, rubric, comment, "grace", time, stale)


def row(manual=None, **changes):
    table = {
        **{"student": "ada", "name": "Ada Lovelace", "submission": "a1" * 32},
        **{"submitted": "2026-11-20T09:30:00+00:00", "auto": 3.0, "auto_max": 10.0},
        **{"manual": {"report": manual}, "late_percent": 0.0, "total": 3.0, "max": 15.0},
        "state": gradebook.AWAITING if manual is None else gradebook.GRADED,
    }
    return gradebook.Row(**table | changes)


STUDENTS = {"ada": "Ada Lovelace", "grace": "Grace Hopper", "emmy": "Emmy Noether"}


def make_workspace(root, made=None, names=None, table=None):
    """A folder as after ``run``: every student with one result; ``made`` replaces results."""
    work, table = Workspace(root), table or manifest()
    names = names or STUDENTS
    rows = [{"student": s, "name": n, "email": f"{s}@uni.example"} for s, n in names.items()]
    files.write_csv(root / "roster.csv", rows)
    files.write_file(work.path("hmm", "bundle", "manifest.json"), manifests.to_json(table))
    files.write_file(work.path("hmm", "bundle", "digest"), "d" * 64 + "\n")
    for i, student in enumerate(names):
        hand_in(work, student, f"{i:064x}", (made or {}).get(student))
    return work


def hand_in(work, student, submission, made=None, day=20):
    """A submission in the inbox and its result."""
    submitted = f"2026-11-{day}T09:30:00+00:00"
    entry = {"file": f"{submission[:8]}.ipynb", "hash": submission, "submitted": submitted}
    entry |= {"collected": submitted, "source": "folder", "flags": []}
    files.append_line(work.path("hmm", "inbox", student, "index.jsonl"), entry)
    made = (made or result()) | {"submission": submission, "student": student}
    results.store(work, "hmm", made)


def violations(page):
    """What axe finds; every box is opened first."""
    page.evaluate("for (const box of document.querySelectorAll('details')) box.open = true")
    return axe.violations(page)
