"""What a marker works on: written answers one after another, and the marks in manual.csv."""

import hashlib
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

from course_lib.grading import _reasons, files, gradebook, results
from course_lib.grading._names import hider
from course_lib.grading._own_cells import answered
from course_lib.grading._page import clean, number, picture

COLUMNS = gradebook.MANUAL_COLUMNS
MAX_COMMENT = 10_000  # characters
EARLIER = 9  # comments offered again, one a key
UNMARKED, MARKED, STALE = "012"


@dataclass(frozen=True)
class Item:
    """One answer to mark."""

    student: object  # workspace.Student
    question: int  # place in Desk.questions
    submission: str


@dataclass(frozen=True)
class Desk:
    """All answers of an assignment that people mark, in the order in which they are shown."""

    workspace: object
    name: str
    manifest: object  # Manifest
    digest: str
    questions: tuple  # of manifest.Question
    items: tuple
    marker: str
    anonymous: bool


def open_desk(workspace, name, anonymous, marker):
    """Return the desk with every submission that has a result."""
    manifest, digest = workspace.manifest(name), gradebook.digest(workspace, name)
    questions = tuple(q for q in manifest.questions if q.manual)
    if not questions:
        raise ValueError(f"{name}: no question is marked by people; there is nothing to review")
    _complete(workspace.path(name, gradebook.MANUAL))
    students = {one.student: one for one in workspace.roster()}
    rows = [row for row in gradebook.rows(workspace, name) if row.auto is not None]
    items = []
    for i, question in enumerate(questions):
        here = [Item(students[row.student], i, row.submission) for row in rows]
        if anonymous:  # the order of the roster would tell who is who
            here.sort(key=lambda item, q=question.name: _order(q, item.student.student))
        items += here
    return Desk(
        workspace,
        name,
        manifest,
        digest,
        questions,
        tuple(items),
        marker,
        anonymous,
    )


def _order(question, student):
    return hashlib.sha256(f"{question}\0{student}".encode()).digest()


def _task(manifest, question):
    """What students were asked: the text cells before the place for the answer."""
    cells, found = list(manifest.cells), []
    at = next(i for i, c in enumerate(cells) if c.role == "written" and c.question == question)
    while at and cells[at - 1].role == "text":
        at -= 1
        found.insert(0, cells[at].source.strip())
    return clean("\n\n".join(found))


def overview(desk):
    """Return what the page needs once."""
    return {
        "title": clean(desk.manifest.title),
        "marker": clean(desk.marker),
        "questions": [
            {
                "name": clean(q.name),
                "points": q.points,
                "rubric": [{"points": r.points, "text": clean(r.text)} for r in q.rubric],
                "task": _task(desk.manifest, q.name),
            }
            for q in desk.questions
        ],
        "items": [item.question for item in desk.items],
        "done": _done(desk, gradebook.marks(desk.workspace, desk.name)),
        "empty": f"No submission has been graded yet: course-grade run {desk.name}",
    }


def _state(mark, item):
    if mark is None or mark.points is None:
        return UNMARKED
    return STALE if gradebook.is_stale(mark, item.submission) else MARKED


def _done(desk, marks):
    return "".join(_state(_mark(desk, marks, item), item) for item in desk.items)


def _mark(desk, marks, item):
    return marks.get((item.student.student, desk.questions[item.question].name))


def show(desk, n):
    """Return one answer for the page."""
    item, marks = _item(desk, n), gradebook.marks(desk.workspace, desk.name)
    question, mark = desk.questions[item.question], _mark(desk, marks, item)
    result = results.load(desk.workspace, desk.name, item.submission, desk.digest)
    if not results.is_final(result):
        raise ValueError("its result is gone; stop this program and start it again")
    hide = hider(i.student for i in desk.items) if desk.anonymous else str
    written = answered(desk.manifest, question.name, result["written"])
    stale = _state(mark, item) == STALE
    return {
        "name": "" if desk.anonymous else clean(item.student.name),
        "written": hide(clean(written)),
        "cells": [_cell(cell, hide) for cell in result["cells"] if cell["role"] != "locked"],
        "mark": _shown(question, mark),
        "seen": mark.time if mark else "",
        "stale": stale,
        "note": _note(desk, question, mark, written) if stale else "",
        "comments": _earlier(marks, question.name),
        "done": _done(desk, marks),
    }


def _item(desk, n):
    if type(n) is not int or not 0 <= n < len(desk.items):
        raise ValueError(f"there is no answer number {n!r}")
    return desk.items[n]


def _cell(cell, hide):
    shown = []
    for kind, data in cell["outputs"]:
        if kind == "text":
            shown.append(["text", hide(clean(data))])
        elif (known := picture(data)) is not None:
            shown.append(["png", known[2]])
    return {
        "id": hide(clean(cell["id"])),
        "said": _reasons.of_cell(cell["status"]),
        "source": hide(clean(cell["source"])),
        "message": hide(clean(cell["message"])),
        "outputs": shown,
    }


def _shown(question, mark):
    if mark is None:
        return None
    texts = mark.rubric.split(" | ")
    return {
        "points": "" if mark.points is None else number(mark.points),
        "rubric": [i for i, line in enumerate(question.rubric) if line.text in texts],
        "comment": clean(mark.comment),
    }


def _note(desk, question, mark, written):
    """What is known of a mark that was given to an earlier submission."""
    said = f"{mark.marker or 'Somebody'} marked an earlier submission of this student."
    before = results.load(desk.workspace, desk.name, mark.submission, desk.digest)
    if before and answered(desk.manifest, question.name, before["written"]) == written:
        return f"{said} This answer has not changed since: keep the mark with K."
    return f"{said} Look again, or keep the mark with K."


def _earlier(marks, question):
    """The comments given most often to answers of this question."""
    counts = Counter(mark.comment for (_, q), mark in marks.items() if q == question)
    return [clean(comment) for comment, _ in counts.most_common(EARLIER + 1) if comment][:EARLIER]


def save(desk, entry):
    """Write one mark down and return when; who replaced whose mark is told."""
    item = _item(desk, entry.get("n"))
    question = desk.questions[item.question]
    points, rubric, comment = (entry.get(key) for key in ("points", "rubric", "comment"))
    if points is not None and (
        type(points) not in (int, float) or not 0 <= points <= question.points
    ):
        raise ValueError(f"points must be from 0 to {number(question.points)}, got {points!r}")
    if type(rubric) is not list or not all(
        type(i) is int and 0 <= i < len(question.rubric) for i in rubric
    ):
        raise ValueError(f"the rubric has {len(question.rubric)} lines, got {rubric!r}")
    if type(comment) is not str or len(comment) > MAX_COMMENT:
        raise ValueError(f"a comment is text of at most {MAX_COMMENT} characters")
    marks = gradebook.marks(desk.workspace, desk.name)
    before = _mark(desk, marks, item)
    mark = {
        "student": item.student.student,
        "submission": item.submission,
        "question": question.name,
        "points": points,
        "rubric": " | ".join(question.rubric[i].text for i in sorted(set(rubric))),
        "comment": clean(comment).rstrip(),
        "marker": desk.marker,
        "time": datetime.now(UTC).isoformat(timespec="microseconds"),
    }
    _append(desk.workspace.path(desk.name, gradebook.MANUAL), mark)
    replaced = before is not None and before.time != entry.get("seen")
    marks[mark["student"], question.name] = gradebook.ManualMark(item.submission, points)
    return {
        "time": mark["time"],
        "done": _done(desk, marks),
        "replaced": clean(before.marker or "somebody else") if replaced else "",
    }


def _append(path, mark):
    """Append a mark in the columns of the file, which people may have put in another order."""
    columns = _columns(path) or COLUMNS
    if missing := set(COLUMNS) - set(columns):
        raise ValueError(f"{path} has no column {', '.join(sorted(missing))}; add it")
    files.append_csv(path, {column: mark[column] for column in columns})


def _columns(path):
    """Titles of the columns; none if the file is missing or empty."""
    head = files.read_text(path).split("\n", 1)[0].strip() if path.is_file() else ""
    return [title.strip().strip('"') for title in head.split(",")] if head else []


def _complete(path):
    """Give a file that people typed the columns that it lacks; no line is lost."""
    columns = _columns(path)
    if columns and set(columns) < set(COLUMNS):
        needed = ("student", "question", "points")
        rows = files.read_csv(path, needed, tuple(c for c in COLUMNS if c not in needed))
        files.write_csv(path, rows, COLUMNS)
