"""How a course did: success and discrimination of each question and check, common failures.

Discrimination is the correlation of an item with the rest of the automatic points (for a check
that is passed or not: point-biserial). Near 0 the item says nothing about the others; below 0
those who do well elsewhere fail here, and the task or the check deserves a look.
No student is named.
"""

from collections import Counter

import numpy as np

from course_lib.grading import _reasons, _stats_page, files, gradebook, results
from course_lib.grading._names import hider
from course_lib.grading._page import clean

FEW = 3  # fewer students than this have no correlation worth a number
SHARED = 2  # a message that one student alone got may tell who it was
MESSAGES, LONGEST = 5, 200  # of one check; characters


def table(workspace, name):
    """Return the numbers of an assignment.

    Parameters
    ----------
    workspace : Workspace
    name : str
        Of the assignment.

    Returns
    -------
    table : dict
        ``name``, ``title``, ``students``, ``graded``, ``max``, ``auto_max``, ``auto`` (automatic
        points of each graded submission, ascending) and ``questions``: for each ``name``, ``max``,
        ``manual``, ``count`` (marked submissions), ``success`` (mean fraction of the points),
        ``full`` and ``none`` (fraction of submissions with all and no points),
        ``discrimination`` and ``checks`` with the same keys, ``title``, ``hidden``, ``reasons``
        (reason to count) and ``messages`` (pairs of text and count).

    Raises
    ------
    ValueError
        If the assignment is not released, or nothing is graded yet.
    """
    manifest, everyone = workspace.manifest(name), workspace.roster()
    digest = gradebook.digest(workspace, name)
    rows = [row for row in gradebook.rows(workspace, name) if row.auto is not None]
    if not rows:
        raise ValueError(f"{name}: no submission has been graded; use `course-grade run {name}`")
    graded = [results.load(workspace, name, row.submission, digest) for row in rows]
    auto, hide = np.array([row.auto for row in rows], float), hider(everyone)
    return {
        "name": name,
        "title": manifest.title,
        "students": len(everyone),
        "graded": len(rows),
        "max": manifest.automatic + manifest.manual,
        "auto_max": manifest.automatic,
        "auto": sorted(auto.tolist()),
        "questions": [
            _manual(question, rows, auto)
            if question.manual
            else _automatic(question, graded, auto, hide)
            for question in manifest.questions
        ],
    }


def _automatic(question, graded, auto, hide):
    own = [next(q for q in r["questions"] if q["name"] == question.name) for r in graded]
    points = np.array([q["points"] for q in own], float)
    checks = [
        _check([q["checks"][i] for q in own], auto, hide) for i in range(len(own[0]["checks"]))
    ]
    item = {"name": question.name, "manual": False, "checks": checks}
    return item | _item(points, question.points, auto - points)


def _manual(question, rows, auto):
    marks = [row.manual[question.name] for row in rows]
    marked = [bool(m) and m.points is not None and not m.stale for m in marks]
    points = np.array([m.points for m, is_marked in zip(marks, marked, strict=True) if is_marked])
    item = {"name": question.name, "manual": True, "checks": []}
    return item | _item(points, question.points, auto[np.array(marked, bool)])


def _check(entries, auto, hide):
    points = np.array([entry["points"] for entry in entries], float)
    wrong = [entry for entry in entries if entry["reason"] != "passed"]
    messages = Counter(hide(clean(entry["message"])) for entry in wrong if entry["message"])
    common = [(text, n) for text, n in messages.most_common(MESSAGES) if n >= SHARED]
    item = {
        "name": entries[0]["name"],
        "title": entries[0]["title"],
        "hidden": entries[0]["hidden"],
        "reasons": dict(Counter(map(_reasons.reason_of, wrong)).most_common()),
        "messages": [[text[:LONGEST], n] for text, n in common],
    }
    return item | _item(points, entries[0]["max"], auto - points)


def _item(points, most, rest):
    """What questions and checks have in common."""
    fractions = points / most if most else np.ones(len(points))
    count = len(points)
    return {
        "max": most,
        "count": count,
        "success": float(fractions.mean()) if count else None,
        "full": float(np.mean(fractions >= 1 - 1e-9)) if count else None,
        "none": float(np.mean(fractions <= 1e-9)) if count else None,
        "discrimination": _correlation(points, rest),
    }


def _correlation(x, y):
    """Pearson's, or None where one of the two does not vary."""
    if len(x) < FEW or np.ptp(x) < 1e-9 or np.ptp(y) < 1e-9:
        return None
    return round(float(np.corrcoef(x, y)[0, 1]), 4)


def write(workspace, name):
    """Write ``WORK/NAME/stats.html`` and return the same as text.

    Parameters
    ----------
    workspace : Workspace
    name : str
        Of the assignment.

    Returns
    -------
    text : str
        A table for the terminal.
    path : Path
        The page, with a picture.

    Raises
    ------
    ValueError
        If the assignment is not released, or nothing is graded yet.
    """
    found = table(workspace, name)
    path = workspace.path(name, "stats.html")
    files.write_file(path, _stats_page.render(found))
    return _text(found), path


def _text(found):
    lines = [("", "success", "discrimination", "most often")]
    for question in found["questions"]:
        note = "marked by people" if question["manual"] else ""
        lines.append((clean(question["name"]), *_numbers(question), note))
        for check in question["checks"]:
            reason = next(iter(check["reasons"].items()), None)
            often = f"{_reasons.label(reason[0])}: {reason[1]}" if reason else ""
            lines.append((f"  {clean(check['name'])}", *_numbers(check), often))
    wide = [max(len(line[column]) for line in lines) for column in range(3)]
    shown = [
        f"{a:<{wide[0]}}  {b:>{wide[1]}}  {c:>{wide[2]}}  {d}".rstrip() for a, b, c, d in lines
    ]
    head = f"{clean(found['title'])}: {found['graded']} of {found['students']} students graded"
    return "\n".join([head, *shown]) + "\n"


def _numbers(item):
    return _stats_page.percent(item["success"]), _stats_page.decimal(item["discrimination"])
