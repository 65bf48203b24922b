"""Moodle's grading worksheet, as it is downloaded: who is which participant, and when they came.

Saved as WORK/NAME/moodle.csv it tells what a zip of submissions does not: times.
"""

import csv
import io
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from course_lib.grading.files import read_text
from course_lib.grading.owners import same_name

FILE = "moodle.csv"
IDENTIFIER = "Identifier"
PARTICIPANT = "Participant "
GRADED = "Last modified (grade)"
# How an English Moodle writes a time: Friday, 2 October 2026, 11:59 PM
_FORMATS = ("%A, %d %B %Y, %I:%M %p", "%A, %d %B %Y, %H:%M", "%Y-%m-%d %H:%M:%S")


@dataclass(frozen=True)
class Line:
    """One participant; ``submitted`` is in UTC, None if there is none or it cannot be read.

    ``graded`` is when Moodle last changed the grade, as it writes that.
    """

    number: str
    name: str
    email: str
    submitted: datetime | None
    graded: str = ""


def read(path, zone):
    """Return the participants of a worksheet.

    Parameters
    ----------
    path : Path
    zone : tzinfo
        Of its times, which do not say it.

    Returns
    -------
    lines : tuple of Line

    Raises
    ------
    ValueError
        If the file is no worksheet.
    """
    if not path.is_file():
        return ()
    try:
        rows = list(csv.DictReader(io.StringIO(read_text(path), newline=""), strict=True))
    except csv.Error as error:
        raise ValueError(
            f"{path} is no CSV file ({error}); download it from Moodle again"
        ) from error
    if not rows or IDENTIFIER not in rows[0]:
        raise ValueError(
            f"{path} has no column {IDENTIFIER} or no row; in Moodle choose Download grading "
            "worksheet (in English), or delete the file"
        )
    return tuple(_line(row, zone) for row in rows if row[IDENTIFIER])


def _line(row, zone):
    number = re.search(r"\d+$", row[IDENTIFIER].strip())
    submitted = _time(row.get("Last modified (submission)") or "", zone)
    name, email = row.get("Full name") or "", row.get("Email address") or ""
    graded = (row.get(GRADED) or "").strip().strip("-")
    return Line(number[0] if number else "", name.strip(), email.strip(), submitted, graded)


def _time(text, zone):
    for form in _FORMATS:
        try:
            return datetime.strptime(text.strip(), form).replace(tzinfo=zone).astimezone(UTC)
        except ValueError:
            continue
    return None


def participants(lines, roster):
    """Return the student of each participant's number, where one alone fits.

    Parameters
    ----------
    lines : tuple of Line
    roster : tuple of Student

    Returns
    -------
    students : dict
        Number to student id, first by e-mail address, then by name.
    """
    found = {}
    for line in lines:
        if not line.number:
            continue
        fitting = [s for s in roster if s.email and s.email.casefold() == line.email.casefold()]
        fitting = fitting or [s for s in roster if same_name(s.name, line.name)]
        if len(fitting) == 1:
            found[line.number] = fitting[0].student
    return found
