"""Whose file is this: the student that a name in a download belongs to.

How the names are made (read in the sources of both systems):

- Canvas: ``lovelaceada_12345_678_hmm.ipynb``, ``lovelaceada_LATE_12345_678_hmm.ipynb``, or without
  a name if grading is anonymous; 12345 is the user, 678 the upload. A resubmission gets ``-1``.
- Moodle: ``Ada Lovelace_4711_assignsubmission_file_/hmm.ipynb`` or all in one file name; 4711 is
  the participant of this one assignment, and ``_`` in a person's name becomes a space.

People choose the name of their file, and in some schools their own name too. So a name that can be
read in two ways belongs to nobody.
"""

import difflib
import re
import unicodedata
from dataclasses import dataclass

from course_lib.grading.archive import Refused, shown

MOODLE = re.compile(r"([^_/]*)_(\d+)_assignsubmission_file(?:_?/|_)(.+)", re.DOTALL)
FILE_REMEDY = "put it into a folder STUDENT/ and collect that with --from folder"


class Unknown(ValueError):
    """No student of the roster has this name or number."""


@dataclass(frozen=True)
class Claim:
    """A file's owner and what else the download says of it."""

    student: str
    file: str  # its name before the download
    late: bool = False
    number: str = ""  # Moodle's participant
    order: int = 0  # Canvas' upload; later ones are larger
    note: str = ""


def claim(name, roster, from_, participants=None):
    """Return whose file a member of a download is.

    Parameters
    ----------
    name : str
        The member's name, as the archive gives it.
    roster : tuple of Student
    from_ : {"canvas", "moodle", "folder"}
        Which rules made the name.
    participants : dict, optional
        Student of each participant's number of Moodle, where known.

    Returns
    -------
    claim : Claim

    Raises
    ------
    Unknown
        If nobody in the roster fits.
    Refused
        If more than one fits.
    """
    if from_ == "canvas":
        return _canvas(name, roster)
    if from_ == "moodle":
        return _moodle(name, roster, participants or {})
    return _folder(name, roster)


def _canvas(name, roster):
    tokens = name.split("_")
    number = re.compile(r"\d{1,18}", re.ASCII).fullmatch
    # Every number that a number follows may be the user; the first is, in names Canvas makes.
    pairs = [i for i in range(len(tokens) - 2) if number(tokens[i]) and number(tokens[i + 1])]
    if not pairs or "/" in "_".join(tokens[: pairs[0] + 2]):
        raise Unknown("not a name that Canvas gives (name_12345_678_file.ipynb); " + FILE_REMEDY)
    students = {student.canvas_id: student for student in roster if student.canvas_id}
    fitting = {tokens[i] for i in pairs if tokens[i] in students}
    if len(fitting) > 1:
        raise Refused(
            f"could belong to Canvas users {' and '.join(sorted(fitting))}; look it up in Canvas, "
            + FILE_REMEDY
        )
    first = pairs[0]
    user = tokens[first]
    if user not in students:
        raise Unknown(
            f"no student with canvas_id {user} in roster.csv; add it there if this person takes "
            "the course"
        )
    student = students[user]
    late = first > 0 and tokens[first - 1].upper() == "LATE"
    written = "".join(tokens[: first - late])
    note = ""
    if written and _letters(written) != _letters(student.name):
        note = f"Canvas writes the name as {shown(written)}"
    file = "_".join(tokens[first + 2 :])
    return Claim(student.student, file, late=late, order=int(tokens[first + 1]), note=note)


def _letters(name):
    """Letters and digits of a name, sorted: the same for "Ada Lovelace" and "lovelaceada"."""
    text = unicodedata.normalize("NFKC", name).casefold()
    return sorted(c for c in text if c.isalnum())


def _words(name):
    """Words of a name in any order, without the signs that Moodle leaves out of file names."""
    text = unicodedata.normalize("NFKC", name).casefold()
    words = ("".join(c for c in word if c.isalnum()) for word in re.split(r"[\s,_]+", text))
    return tuple(sorted(word for word in words if word))


def same_name(one, other):
    """Tell whether two ways to write a name mean one: order, case and signs do not count.

    Parameters
    ----------
    one, other : str

    Returns
    -------
    same : bool
    """
    return _words(one) == _words(other) != ()


def _moodle(name, roster, participants):
    match = MOODLE.fullmatch(name)
    if not match:
        raise Unknown(
            "not a name that Moodle gives (Full Name_123_assignsubmission_file_/file.ipynb); "
            + FILE_REMEDY
        )
    full_name, number = match[1], match[2]
    by_number = participants | {s.moodle_id: s.student for s in roster if s.moodle_id}
    if number in by_number:
        return Claim(by_number[number], match[3], number=number)
    same = [student for student in roster if same_name(student.name, full_name)]
    if len(same) == 1:
        return Claim(same[0].student, match[3], number=number)
    remedy = f"put {number} into the column moodle_id of roster.csv"
    if same:
        found = " and ".join(student.student for student in same)
        raise Refused(f"{found} have this name; {remedy} for the right one")
    raise Unknown(f"nobody of this name in roster.csv; {remedy}, or add this person")


def _folder(name, roster):
    first, _, rest = name.partition("/")
    key = first if rest else first[: -len(".ipynb")]
    known = [student.student for student in roster]
    if key in known:
        return Claim(key, rest or first)
    folded = {student.casefold(): student for student in known}
    close = difflib.get_close_matches(key.casefold()[:200], list(folded), n=1, cutoff=0.75)
    hint = f"; is it {folded[close[0]]}? Then rename it" if close else "; rename it, or add them"
    raise Unknown(f"no student {shown(key)} in roster.csv{hint}")
