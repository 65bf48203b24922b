"""What people type or click: marks for written questions (manual.csv) and times (late.csv)."""

import math
from dataclasses import dataclass
from datetime import datetime

from course_lib.grading.files import read_csv

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
    if not path.is_file() or not path.stat().st_size:  # empty: the disk was full at the first mark
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


def is_stale(mark, submission):
    """Tell whether a mark is for another submission than this one.

    Parameters
    ----------
    mark : ManualMark
    submission : str or None
        Hash of the one that counts.

    Returns
    -------
    stale : bool
        Never for a mark without a hash; a person may also type only its beginning.
    """
    return not (submission or "").startswith(mark.submission)


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
