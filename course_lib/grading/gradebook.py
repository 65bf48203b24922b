"""The gradebook: derived each time from the inbox, the results and what people typed.

Nothing is stored. A row has a total only if it can be defended: no zero for a fault of the
machine, no deduction for a lateness that nobody knows.
"""

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from course_lib.grading import results
from course_lib.grading.collect import LATE
from course_lib.grading.files import read_csv, read_text
from course_lib.grading.workspace import submissions

GRADED = "graded"
AWAITING = "awaiting review"
STALE = "stale review"
UNKNOWN = "lateness unknown"
NOT_RUN = "not run"
INFRASTRUCTURE = "infrastructure error"
MISSING = "no submission"
STATES = (GRADED, AWAITING, STALE, UNKNOWN, NOT_RUN, INFRASTRUCTURE, MISSING)

MANUAL = "manual.csv"
MANUAL_COLUMNS = (
    *("student", "submission", "question", "points"),
    *("rubric", "comment", "marker", "time"),
)
LATE_FILE = "late.csv"


@dataclass(frozen=True)
class ManualMark:
    """What a person gave for a written question; ``points`` None means not marked yet.

    ``stale``: the mark is for an earlier submission.
    """

    submission: str
    points: float | None
    rubric: str = ""
    comment: str = ""
    marker: str = ""
    time: str = ""
    stale: bool = False


@dataclass(frozen=True)
class Extension:
    """A line of late.csv: more time for a student, or when the work really came."""

    extra_hours: float = 0
    submitted: datetime | None = None
    reason: str = ""


@dataclass(frozen=True)
class Row:
    """A student's line in the gradebook.

    ``submission`` is the hash of the notebook that counts and ``submitted`` its time (ISO 8601);
    either may be None. ``total`` is None where there is no mark; in the states "awaiting review"
    and "stale review" it is what there is so far. ``late_percent`` is None if unknown.
    """

    student: str
    name: str
    submission: str | None
    submitted: str | None
    auto: float | None
    auto_max: float
    manual: dict
    late_percent: float | None
    total: float | None
    max: float
    state: str


def rows(workspace, name):
    """Return one row for each student of the roster, in its order.

    Parameters
    ----------
    workspace : Workspace
    name : str
        Of the assignment.

    Returns
    -------
    rows : tuple of Row

    Raises
    ------
    ValueError
        If a file that people edit, an index or a result is wrong.
    """
    manifest = workspace.manifest(name)
    digest = read_text(workspace.path(name, "bundle", "digest")).strip()
    inbox, typed = submissions(workspace, name), marks(workspace, name)
    more_time = extensions(workspace, name)
    found = []
    for student in workspace.roster():
        entries = inbox[student.student]
        result = None
        if entries:
            result = results.load(workspace, name, entries[-1]["hash"], digest)
        own = {
            question.name: typed.get((student.student, question.name))
            for question in manifest.questions
            if question.manual
        }
        extension = more_time.get(student.student, Extension())
        found.append(_row(student, manifest, entries, result, own, extension))
    return tuple(found)


def _row(student, manifest, entries, result, own, extension):
    newest = entries[-1] if entries else None
    submission = newest["hash"] if newest else None
    manual = {question: _fresh_or_stale(mark, submission) for question, mark in own.items()}
    submitted, certain = _time(entries, extension)
    late = late_percent(manifest, newest, submitted, certain, extension) if newest else 0.0
    final = results.is_final(result)
    auto = result["points"] if final else None
    given = sum(mark.points or 0 for mark in manual.values() if mark)
    state = _state(newest, result, manual, late)
    total = round((auto + given) * (1 - late / 100), 4) if final and late is not None else None
    return Row(
        student=student.student,
        name=student.name,
        submission=submission,
        submitted=submitted.isoformat() if certain else None,
        auto=auto,
        auto_max=manifest.automatic,
        manual=manual,
        late_percent=late,
        total=total,
        max=manifest.automatic + manifest.manual,
        state=state,
    )


def _state(newest, result, manual, late):
    if newest is None:
        return MISSING
    if result is None:
        return NOT_RUN
    if not results.is_final(result):
        return INFRASTRUCTURE
    if any(mark and mark.stale for mark in manual.values()):
        return STALE
    if any(mark is None or mark.points is None for mark in manual.values()):
        return AWAITING
    return UNKNOWN if late is None else GRADED


def _fresh_or_stale(mark, submission):
    if mark is None:
        return None
    # A person may leave the column empty or type the beginning of the hash.
    stale = bool(mark.submission) and not (submission or "").startswith(mark.submission)
    return replace(mark, stale=stale)


def _time(entries, extension):
    """When the newest submission came, and whether that is known or only an upper bound."""
    if extension.submitted and entries:
        return extension.submitted, True
    if not entries:
        return None, False
    newest = entries[-1]
    known = [e for e in entries if e["hash"] == newest["hash"] and e.get("time") != "download"]
    best = newest if newest.get("time") != "download" else (known or [newest])[-1]
    return datetime.fromisoformat(best["submitted"]), best.get("time") != "download"


def late_percent(manifest, newest, submitted, certain, extension):
    """Return how much is taken off for lateness.

    Parameters
    ----------
    manifest : Manifest
    newest : dict
        The line of the inbox that counts.
    submitted : datetime
        When it came, at the latest.
    certain : bool
        Whether that is the time itself.
    extension : Extension

    Returns
    -------
    percent : float or None
        None if it came late by an unknown time, or nobody knows whether.
    """
    if not manifest.due or not manifest.late_percent_per_day:
        return 0.0
    due = datetime.fromisoformat(manifest.due) + timedelta(hours=extension.extra_hours)
    if submitted <= due:
        return 0.0
    if not certain:
        # Canvas marks late ones, with its own extensions; Moodle's zip says nothing.
        on_time = newest.get("source") == "canvas" and LATE not in newest.get("flags", ())
        return 0.0 if on_time else None
    days = math.ceil((submitted - due) / timedelta(days=1))
    return min(days * manifest.late_percent_per_day, manifest.late_max_percent)


def marks(workspace, name):
    """Return what people gave for written questions; the last line for each wins.

    Parameters
    ----------
    workspace : Workspace
    name : str
        Of the assignment.

    Returns
    -------
    marks : dict
        (student, question) to ManualMark, ``stale`` not decided yet.

    Raises
    ------
    ValueError
        If manual.csv has a wrong line.
    """
    path = workspace.path(name, MANUAL)
    if not path.is_file():
        return {}
    questions = {q.name: q for q in workspace.manifest(name).questions if q.manual}
    needed = ("student", "question", "points")
    found, known_students = {}, _known(workspace, name)
    for row in read_csv(path, needed, [c for c in MANUAL_COLUMNS if c not in needed]):
        row = {column: text.strip() for column, text in row.items()}
        where = f"{path}: {row['student']}, {row['question']}"
        _check_student(row["student"], known_students, path)
        if row["question"] not in questions:
            known = ", ".join(questions) or "none"
            raise ValueError(f"{where}: no question that people mark; known are {known}")
        most, points = questions[row["question"]].points, None
        if row["points"]:
            points = _number(row["points"], f"{where}: points")
            if not 0 <= points <= most:
                raise ValueError(f"{where}: points must be between 0 and {most:g}, got {points:g}")
        texts = (row[column] for column in ("rubric", "comment", "marker", "time"))
        key = row["student"], row["question"]
        found[key] = ManualMark(row["submission"].lower(), points, *texts)
    return found


def extensions(workspace, name):
    """Return the lines of late.csv; none if there is no such file.

    Parameters
    ----------
    workspace : Workspace
    name : str
        Of the assignment.

    Returns
    -------
    extensions : dict
        Student id to Extension.

    Raises
    ------
    ValueError
        If a line is wrong or a student has two.
    """
    path = workspace.path(name, LATE_FILE)
    if not path.is_file():
        return {}
    found, known_students = {}, _known(workspace, name)
    for row in read_csv(path, ("student",), ("extra_hours", "submitted", "reason")):
        student = row["student"].strip()
        _check_student(student, known_students, path)
        if student in found:
            raise ValueError(f"{path}: {student} stands there twice; keep one line")
        hours = _number(row["extra_hours"].strip() or "0", f"{path}: {student}, extra_hours")
        if not 0 <= hours < 24 * 366:
            raise ValueError(
                f"{path}: {student}, extra_hours must be from 0 to a year's, {hours:g}"
            )
        submitted = _moment(row["submitted"].strip(), f"{path}: {student}, submitted")
        found[student] = Extension(hours, submitted, row["reason"].strip())
    return found


def _check_student(student, known, path):
    if student not in known:
        raise ValueError(f"{path}: no student {student!r} in roster.csv; correct the line")


def _known(workspace, name):
    """Students of the roster, and those who dropped the course after handing something in."""
    inbox = workspace.path(name, "inbox")
    dropped = {folder.name for folder in inbox.iterdir()} if inbox.is_dir() else set()
    return dropped | {one.student for one in workspace.roster()}


def _number(text, where):
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"{where}: wanted a number like 2.5, got {text!r}")
    return number


def _moment(text, where):
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError(
            f"{where}: wanted a time with its offset from UTC like 2026-10-02T23:59+02:00, "
            f"got {text!r}"
        )
    return moment
