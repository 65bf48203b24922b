"""Grades as files that Canvas, Moodle and spreadsheets read.

Layouts (read in the importers of both systems):

- Canvas: columns Student, ID, Section and the assignment's title, and a row "Points Possible".
  Students are found by ID. An empty cell would delete a grade, so who has none has no row.
- Moodle: the grading worksheet; it needs Identifier, Grade and Last modified (grade). Students are
  found by the number in Identifier, which is another one for each assignment. A comment column
  would overwrite comments, so there is none.
"""

import json
from dataclasses import asdict
from datetime import UTC

from course_lib.grading import gradebook, results, worksheet
from course_lib.grading.files import write_csv, write_file
from course_lib.grading.workspace import submissions

FILES = {
    "canvas": "grades-canvas.csv",
    "moodle": "grades-moodle.csv",
    "csv": "grades.csv",
    "json": "grades.json",
}
NAMED = 20  # students in a refusal

_REMEDIES = {
    gradebook.INFRASTRUCTURE: "the machine failed, not the student; see `course-grade doctor`, "
    "then `course-grade run {name}`",
    gradebook.NOT_RUN: "run `course-grade run {name}`",
    gradebook.UNKNOWN: "handed in late, nobody knows by how much; add a line student,submitted to "
    "{late}",
    gradebook.STALE: "marked before they handed in again; run `course-grade review {name}`",
    gradebook.AWAITING: "run `course-grade review {name}`, or give --allow-unreviewed",
}


class ExportRefused(ValueError):
    """Some grades cannot be defended yet; each line of the message says whose and what to do."""


def export(workspace, name, to, out=None, allow_unreviewed=False):
    """Write the grades of an assignment.

    Parameters
    ----------
    workspace : Workspace
    name : str
        Of the assignment.
    to : {"canvas", "moodle", "csv", "json"}
    out : Path, optional
        The file; by default in the folder of the assignment.
    allow_unreviewed : bool
        Export although written answers are not marked; they count nothing then.

    Returns
    -------
    path : Path

    Raises
    ------
    ExportRefused
        If a grade is missing that a student should have.
    ValueError
        If ``to`` is unknown, or a student has no number in Canvas or Moodle.
    """
    if to not in FILES:
        raise ValueError(f"--to {to}: unknown format; known are {', '.join(FILES)}")
    rows = gradebook.rows(workspace, name)
    _refuse_unfinished(rows, workspace, name, allow_unreviewed)
    graded = [row for row in rows if row.total is not None]
    if not graded:
        raise ValueError(
            f"{workspace.path(name)}: no grade to export; collect submissions and run the grader"
        )
    path = out or workspace.path(name, FILES[to])
    manifest = workspace.manifest(name)
    if to == "canvas":
        write_csv(path, *_canvas(graded, workspace, manifest))
    elif to == "moodle":
        write_csv(path, *_moodle(graded, workspace, name))
    elif to == "csv":
        write_csv(path, *_table(rows, workspace, manifest))
    else:
        table = {
            "assignment": name,
            "title": manifest.title,
            "digest": gradebook.digest(workspace, name),
            "rows": [asdict(row) for row in rows],
        }
        write_file(path, json.dumps(table, indent=1, ensure_ascii=False) + "\n")
    return path


def _refuse_unfinished(rows, workspace, name, allow_unreviewed):
    lines = []
    for state, remedy in _REMEDIES.items():
        unfinished = [row.student for row in rows if row.state == state]
        if not unfinished or (state == gradebook.AWAITING and allow_unreviewed):
            continue
        more = f" and {len(unfinished) - NAMED} more" if len(unfinished) > NAMED else ""
        told = remedy.format(name=name, late=workspace.path(name, "late.csv"))
        lines.append(f"{state}: {', '.join(unfinished[:NAMED])}{more}: {told}")
    if lines:
        raise ExportRefused("\n".join([f"{name} is not exported", *lines]))


def _need(missing, what):
    if missing:
        names = ", ".join(missing[:NAMED]) + (" ..." if len(missing) > NAMED else "")
        raise ValueError(f"{what}: {names}")


def _points(number):
    """Two digits after the point, as both systems show them."""
    return round(number, 2)


def _canvas(rows, workspace, manifest):
    """Rows and columns of Canvas' gradebook."""
    ids = {student.student: student.canvas_id for student in workspace.roster()}
    _need(
        [row.student for row in rows if not ids[row.student]],
        f"{workspace.root / 'roster.csv'} has no canvas_id (column ID when Canvas exports its "
        "gradebook) for",
    )
    columns = ("Student", "ID", "Section", manifest.title)
    lines = [("    Points Possible", "", "", _points(rows[0].max))]
    lines += [(row.name, ids[row.student], "", _points(row.total)) for row in rows]
    return [dict(zip(columns, line, strict=True)) for line in lines], columns


def _moodle(rows, workspace, name):
    """Rows and columns of Moodle's grading worksheet."""
    path = workspace.path(name, worksheet.FILE)
    lines = {line.number: line for line in worksheet.read(path, UTC)}
    numbers = _participants(workspace, name, lines)
    _need(
        [row.student for row in rows if row.student not in numbers],
        f"nobody knows which participant of Moodle this is; download the grading worksheet, save "
        f"it as {path} and compare names with roster.csv (or fill its column moodle_id)",
    )
    emails = {student.student: student.email for student in workspace.roster()}
    table = [
        {
            worksheet.IDENTIFIER: worksheet.PARTICIPANT + numbers[row.student],
            "Full name": row.name,
            "Email address": emails[row.student],
            "Grade": _points(row.total),
            "Maximum Grade": _points(row.max),
            # Moodle keeps a grade that was changed there after this.
            worksheet.GRADED: lines[numbers[row.student]].graded
            if numbers[row.student] in lines
            else "",
        }
        for row in rows
    ]
    return table, tuple(table[0])


def _participants(workspace, name, lines):
    """Moodle's number of each student, where it is certain."""
    roster = workspace.roster()
    by_number = worksheet.participants(tuple(lines.values()), roster)
    found = {}
    for student, entries in submissions(workspace, name).items():
        own = {entry["number"] for entry in entries if entry.get("number")}
        found[student] = own | {number for number, who in by_number.items() if who == student}
    numbers = {}
    for student in roster:
        candidates = found[student.student]
        # A number of the roster may be that of another assignment.
        if student.moodle_id and (
            student.moodle_id in candidates | set(lines) or not (candidates or lines)
        ):
            candidates = {student.moodle_id}
        if len(candidates) == 1:
            (numbers[student.student],) = candidates
    return numbers


def _table(rows, workspace, manifest):
    """Everything, one row a student, with a column for each question."""
    lines = []
    for row in rows:
        automatic = _automatic(row, workspace, manifest)
        by_hand = {q: mark.points if mark else None for q, mark in row.manual.items()}
        lines.append(
            {
                "student": row.student,
                "name": row.name,
                "state": row.state,
                "submitted": row.submitted,
                **{q.name: (automatic | by_hand).get(q.name) for q in manifest.questions},
                "automatic": row.auto,
                "late_percent": row.late_percent,
                "total": row.total,
                "max": row.max,
                "submission": row.submission,
            }
        )
    return lines, tuple(lines[0])


def _automatic(row, workspace, manifest):
    """Points of each question that checks gave."""
    if row.auto is None:
        return {}
    digest = gradebook.digest(workspace, manifest.name)
    result = results.load(workspace, manifest.name, row.submission, digest)
    return {q["name"]: q["points"] for q in result["questions"]}
