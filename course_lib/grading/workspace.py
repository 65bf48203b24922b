"""The folder in which a course is graded: who is in it, what was handed in, and safe writing.

Layout: ``roster.csv``, ``secret`` and one folder for each assignment with ``release/``,
``bundle/``, ``inbox/STUDENT/``, ``results/``, ``manual.csv``, ``late.csv``, ``feedback/``.
"""

import difflib
import re
import secrets
from dataclasses import dataclass
from pathlib import Path

from course_lib.grading import manifest as manifests
from course_lib.grading.files import create_file, read_csv, read_lines, read_text

_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PART = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.@+-]{0,127}")
_HASH = re.compile(r"[0-9a-f]{64}")
SECRET_BYTES = 32


@dataclass(frozen=True)
class Student:
    """A line of roster.csv; ``student`` is the id that names folders and files."""

    student: str
    name: str
    email: str = ""
    canvas_id: str = ""
    moodle_id: str = ""


@dataclass(frozen=True)
class Workspace:
    """A folder with a roster and assignments."""

    root: Path

    def path(self, name, *parts):
        """Return a path inside the folder of an assignment; nothing is created.

        Parameters
        ----------
        name : str
            The assignment: letters, digits, _ and -.
        *parts : str
            Names of folders and of a file below it; also dots, not at the beginning.

        Returns
        -------
        path : Path

        Raises
        ------
        ValueError
            If a name could lead elsewhere.
        """
        if not _NAME.fullmatch(name) or name == "secret":
            raise ValueError(f"{name!r} cannot name an assignment: use letters, digits, _ and -")
        for part in parts:
            if not _PART.fullmatch(part):
                raise ValueError(f"{part!r} cannot name a file: use letters, digits, _ - and dots")
        return Path(self.root, name, *parts)

    def names(self):
        """Return the released assignments in alphabetical order.

        Returns
        -------
        names : tuple of str
        """
        found = Path(self.root).glob("*/bundle/manifest.json")
        return tuple(sorted(p.parts[-3] for p in found if _NAME.fullmatch(p.parts[-3])))

    def manifest(self, name):
        """Return the manifest of a released assignment.

        Parameters
        ----------
        name : str

        Returns
        -------
        manifest : Manifest

        Raises
        ------
        ValueError
            If it was not released here, or the folder holds the bundle of another one.
        """
        path = self.path(name, "bundle", "manifest.json")
        if not path.is_file():
            known = ", ".join(self.names()) or "none"
            raise ValueError(
                f"{name} is not released in {self.root} (released: {known}); "
                "use `course-grade release FOLDER` or another --work"
            )
        manifest = manifests.from_json(read_text(path), path)
        if manifest.name != name:
            raise ValueError(
                f"{path.parent}: bundle of {manifest.name}, not of {name}; release {name} again"
            )
        return manifest

    def roster(self):
        """Return the students of roster.csv in its order.

        Returns
        -------
        students : tuple of Student

        Raises
        ------
        ValueError
            If the file is missing or a line is wrong.
        """
        path = Path(self.root, "roster.csv")
        if not path.is_file():
            raise ValueError(
                f"{path} is missing: write it with the columns student,name "
                "(and email,canvas_id,moodle_id where there are any)"
            )
        optional = ("email", "canvas_id", "moodle_id")
        rows = read_csv(path, ("student", "name"), optional)
        students, seen = [], set()
        for row in rows:
            student = Student(**{key: text.strip() for key, text in row.items()})
            if not _PART.fullmatch(student.student):
                raise ValueError(
                    f"{path}: {student.student!r} cannot name a student; "
                    "use letters, digits, _ - and dots"
                )
            if not student.name:
                raise ValueError(f"{path}: {student.student} has no name")
            for key in ("student", "canvas_id", "moodle_id"):
                value = getattr(student, key)
                if value and (key, value.casefold()) in seen:  # some file systems ignore case
                    raise ValueError(f"{path}: {key} {value} stands there twice")
                seen.add((key, value.casefold()))
            students.append(student)
        return tuple(students)

    def student(self, student):
        """Return one student of the roster.

        Parameters
        ----------
        student : str

        Returns
        -------
        student : Student

        Raises
        ------
        ValueError
            If nobody has that id; the nearest ones are named.
        """
        known = {one.student: one for one in self.roster()}
        if student in known:
            return known[student]
        near = difflib.get_close_matches(student, known)
        hint = f"; did you mean {' or '.join(near)}?" if near else ""
        raise ValueError(f"{student!r} is not in {Path(self.root, 'roster.csv')}{hint}")

    def secret(self):
        """Return the key of the hidden inputs; made on first use, then never replaced.

        Returns
        -------
        secret : bytes of length 32

        Raises
        ------
        ValueError
            If the file does not hold 32 bytes.
        """
        path = Path(self.root, "secret")
        if not path.exists():
            create_file(path, secrets.token_bytes(SECRET_BYTES), mode=0o600)
        secret = path.read_bytes()
        if len(secret) != SECRET_BYTES:
            raise ValueError(
                f"{path} must hold {SECRET_BYTES} bytes, it has {len(secret)}; restore it from a "
                "copy, for with another secret hidden inputs change"
            )
        return secret


def submissions(workspace, name):
    """Return what the inbox holds: for each student all submissions, the newest last.

    The newest counts. ``inbox/STUDENT/index.jsonl`` has a line for each: ``file`` (beside it),
    ``hash`` (SHA-256, hexadecimal), ``submitted`` and ``collected`` (ISO 8601, UTC), ``source``
    and ``flags``.

    Parameters
    ----------
    workspace : Workspace
    name : str

    Returns
    -------
    submissions : dict
        Student id to a list of dictionaries; every student of the roster is in it.

    Raises
    ------
    ValueError
        If an index is broken.
    """
    return {one.student: _inbox(workspace, name, one.student) for one in workspace.roster()}


def _inbox(workspace, name, student):
    path = workspace.path(name, "inbox", student, "index.jsonl")
    entries = read_lines(path)
    for number, entry in enumerate(entries, 1):
        texts = [entry.get(key) for key in ("file", "hash", "submitted")]
        if not all(isinstance(text, str) for text in texts) or not (
            _PART.fullmatch(texts[0]) and _HASH.fullmatch(texts[1])
        ):
            raise ValueError(
                f"{path}, line {number}: no entry of an inbox; delete the line and collect again"
            )
    return sorted(entries, key=lambda entry: entry["submitted"])
