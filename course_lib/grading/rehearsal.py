"""A made-up class for a whole term, with the marks that it must get: a rehearsal.

Everything lies in one new folder, which is also a work folder of `course-grade`: roster, copies of
the assignments with deadlines, for each of them what a course site would offer for download, and
``known.csv``. Nobody is marked here; the known marks follow from what was put into each notebook.
"""

import re
import shutil
import tempfile
import zlib
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np

from course_lib.grading import _made_up_answers as answers
from course_lib.grading import _made_up_download as download
from course_lib.grading import _made_up_people as class_
from course_lib.grading import _made_up_trouble as trouble
from course_lib.grading import assignment as assignments
from course_lib.grading import files, typed, worksheet
from course_lib.grading._made_up_notebooks import sheet

KNOWN = "known.csv"
COLUMNS = (
    *("student", "assignment", "kind", "automatic", "manual"),
    *("late_percent", "total", "why"),
)
MOST = class_.MOST
FIRST_DUE = datetime(2025, 10, 3, 23, 59, tzinfo=timezone(timedelta(hours=1)))
BETWEEN = timedelta(days=14)
_DUE = re.compile(r"(?m)^(due|late_percent_per_day|late_max_percent)\b.*\n?")
_MAKERS = {
    class_.STRONG: answers.strong,
    class_.MIDDLING: answers.middling,
    class_.WEAK: answers.weak,
    class_.BROKEN: trouble.broken,
    class_.HOSTILE: trouble.hostile,
}


def write(folder, sources, students, seed, progress=None):
    """Write the folder of a rehearsal; the same arguments give the same files.

    Parameters
    ----------
    folder : path
        Must not exist yet. Gets ``roster.csv``, ``known.csv``, ``assignments/NAME``,
        ``downloads/NAME.zip`` as from Moodle, ``NAME/moodle.csv`` and ``NAME/late.csv``.
    sources : list of path
        Folders of assignments, in the order of the term.
    students : int
    seed : int
    progress : callable, optional
        Called with the number of submissions made and of all.

    Returns
    -------
    names : list of str
        Of the assignments.

    Raises
    ------
    ValueError
        If the folder exists, or an assignment cannot be read or released.
    """
    folder = Path(folder)
    if folder.exists():
        raise ValueError(f"{folder} exists; name a new folder for the made-up class")
    people = class_.people(students, np.random.default_rng(seed))
    names, known = [], []
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".rehearse-") as space:
        whole = Path(space, folder.name)
        for index, source in enumerate(sources):
            due = FIRST_DUE + index * BETWEEN
            assignment = assignments.read(source)
            _with_deadline(assignment, whole / "assignments", due)
            for person, row in _term(whole, assignment, people, index, due, seed):
                known.append({"student": person.student.student, "kind": person.kind} | row)
                if progress is not None:
                    progress(len(known), len(sources) * students)
            names.append(assignment.name)
        columns = ("student", "name", "email", "canvas_id")
        roster = [{c: getattr(person.student, c) for c in columns} for person in people]
        files.write_csv(whole / "roster.csv", roster, columns)
        files.write_csv(whole / KNOWN, known, COLUMNS)
        whole.rename(folder)
    return names


def _with_deadline(assignment, home, due):
    """Copy an assignment and write a deadline into its config.toml."""
    made = home / assignment.name
    shutil.copytree(assignment.folder, made, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    path = made / "config.toml"
    head = (
        f"due = {due.isoformat()}\n"
        f"late_percent_per_day = {class_.PERCENT_PER_DAY}\n"
        f"late_max_percent = {class_.MOST_PERCENT}\n"
    )
    path.write_text(head + _DUE.sub("", files.read_text(path)), encoding="utf-8")


def _term(whole, assignment, people, index, due, seed):
    """Write what belongs to one assignment; yield each person and their row of known.csv."""
    # A stream of its own: what is handed in here does not hang on how the others draw.
    rng = np.random.default_rng([seed, zlib.crc32(assignment.name.encode())])
    paper, place = sheet(assignment), whole / assignment.name
    numbers, entries, lines, granted = download.numbers(len(people), rng), [], [], []
    most = sum(question.points for question in assignment.questions)
    for person, number in zip(people, numbers, strict=True):
        work, late = _handed_in(paper, person, index, rng)
        student, when = person.student, None
        if work.data is not None:
            after = late.minutes if late else class_.minutes_after(person, rng)
            when = due + timedelta(minutes=after)
            entries.append((student.name, number, work.file, work.data))
        if late and late.extra_hours:
            reason = {"extra_hours": late.extra_hours, "reason": "asked in time"}
            granted.append({"student": student.student} | reason)
        lines.append(download.line(student, number, most, when))
        yield person, _row(assignment.name, work, late)
    files.write_file(whole / "downloads" / f"{assignment.name}.zip", download.submissions(entries))
    files.write_file(place / worksheet.FILE, download.grading_worksheet(lines))
    files.write_csv(place / typed.LATE_FILE, granted, ("student", "extra_hours", "reason"))


def _handed_in(paper, person, index, rng):
    """The work of a person, and the lateness of one who is late."""
    turn = person.turn + index
    if person.kind != class_.LATE:
        return _MAKERS[person.kind](paper, person.student.student, turn, rng), None
    make = answers.middling if turn % 2 else answers.strong
    late = class_.LATENESS[turn % len(class_.LATENESS)]
    return make(paper, person.student.student, turn, rng), late


def _row(name, work, late):
    """What known.csv says of a work; no points where there is nothing to mark."""
    row = {"assignment": name, "why": ", ".join([work.why, *([late.why] if late else [])])}
    if work.automatic is None:
        return row | dict.fromkeys(("automatic", "manual", "late_percent", "total"))
    percent = late.percent if late else 0
    total = round((work.automatic + work.manual) * (1 - percent / 100), 4)
    points = {"automatic": work.automatic, "manual": work.manual}
    return row | points | {"late_percent": percent, "total": total}
