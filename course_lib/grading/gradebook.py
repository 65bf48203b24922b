"""The gradebook: derived each time from the inbox, the results and what people typed.

Nothing is stored. A row has a total only if it can be defended: no zero for a fault of the
machine, no deduction for a lateness that nobody knows.
"""

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from course_lib.grading import results
from course_lib.grading.collect import LATE
from course_lib.grading.files import read_text

# "as" where only readers of the gradebook need the name.
from course_lib.grading.typed import MANUAL as MANUAL
from course_lib.grading.typed import MANUAL_COLUMNS as MANUAL_COLUMNS
from course_lib.grading.typed import Extension, extensions, is_stale, marks
from course_lib.grading.typed import ManualMark as ManualMark
from course_lib.grading.workspace import submissions

GRADED = "graded"
AWAITING = "awaiting review"
STALE = "stale review"
UNKNOWN = "lateness unknown"
NOT_RUN = "not run"
INFRASTRUCTURE = "infrastructure error"
MISSING = "no submission"
STATES = (GRADED, AWAITING, STALE, UNKNOWN, NOT_RUN, INFRASTRUCTURE, MISSING)


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
    wanted = digest(workspace, name)
    inbox, typed = submissions(workspace, name), marks(workspace, name)
    more_time = extensions(workspace, name)
    found = []
    for student in workspace.roster():
        entries = inbox[student.student]
        result = None
        if entries:
            result = results.load(workspace, name, entries[-1]["hash"], wanted)
        own = {
            question.name: typed.get((student.student, question.name))
            for question in manifest.questions
            if question.manual
        }
        extension = more_time.get(student.student, Extension())
        found.append(_row(student, manifest, entries, result, own, extension))
    return tuple(found)


def digest(workspace, name):
    """Return the digest of an assignment's bundle, which results must have to count.

    Parameters
    ----------
    workspace : Workspace
    name : str
        Of the assignment.

    Returns
    -------
    digest : str

    Raises
    ------
    ValueError
        If the bundle has none.
    """
    path = workspace.path(name, "bundle", "digest")
    if not path.is_file():
        raise ValueError(f"{path} is missing; release {name} again")
    return read_text(path).strip()


def _row(student, manifest, entries, result, own, extension):
    newest = entries[-1] if entries else None
    submission = newest["hash"] if newest else None
    manual = {question: _judged(mark, submission) for question, mark in own.items()}
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


def _judged(mark, submission):
    return mark and replace(mark, stale=is_stale(mark, submission))


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
