"""What an assignment's config.toml says: title, deadline, limits, questions marked by people."""

import datetime
import math
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from course_lib.grading.limits import Limits, from_table
from course_lib.grading.manifest import Question, Rubric

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,59}")
SETTINGS = ("title", "due", "late_percent_per_day", "late_max_percent", "floor")


@dataclass(frozen=True)
class Config:
    """What config.toml says."""

    title: str
    due: str = ""
    late_percent_per_day: float = 0
    late_max_percent: float = 100
    floor: float = 0
    limits: Limits = field(default_factory=Limits)
    torch: bool = False
    manual: tuple = ()


def read(path):
    """Read a config.toml and refuse what is unknown.

    Parameters
    ----------
    path : path

    Returns
    -------
    config : Config

    Raises
    ------
    ValueError
        If something in it is missing, unknown or of the wrong kind.
    """
    try:
        table = tomllib.loads(read_text(path))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path}: not TOML: {error}") from error
    _known(table, (*SETTINGS, "limits", "manual"), path)
    title, due = table.get("title", ""), table.get("due")
    if not isinstance(title, str) or not title.strip():
        raise ValueError(f'{path}: needs a title, such as title = "Hidden Markov models"')
    aware = isinstance(due, datetime.datetime) and due.tzinfo is not None
    if due is not None and not aware:
        raise ValueError(
            f"{path}: due must be a date and time with an offset, such as "
            f"2030-03-01T23:59:00+01:00; got {due}"
        )
    numbers = {name: _points(table[name], 0, path, name) for name in SETTINGS[2:] if name in table}
    if any(number > 100 for name, number in numbers.items() if "percent" in name):
        raise ValueError(f"{path}: a percentage is at most 100")
    asked = table.get("limits", {})
    return Config(
        title=title,
        due=due.isoformat() if due else "",
        **numbers,
        limits=from_table(asked, f"{path} [limits]"),
        torch=asked.get("torch", False),
        manual=tuple(_manual(entry, f"{path} [[manual]]") for entry in table.get("manual", ())),
    )


def _manual(table, where):
    _known(table, ("question", "points", "rubric"), where)
    name = table.get("question")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValueError(f"{where}: needs the name of a question, got {name!r}")
    where = f"{where} {name}"
    points = _points(table.get("points"), 1e-6, where, "points")
    lines = []
    for line in table.get("rubric", ()):
        _known(line, ("points", "text"), f"{where}.rubric")
        text = line.get("text", "")
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"{where}.rubric: each line needs a text")
        lines.append(Rubric(_points(line.get("points"), -1e6, where, "rubric points"), text))
    if sum(line.points for line in lines if line.points > 0) < points - 1e-9:
        raise ValueError(
            f"{where}: the points of its [[manual.rubric]] lines must reach {points:g}, "
            "or nobody can earn them all"
        )
    return Question(name, points, manual=True, rubric=tuple(lines))


def _points(value, low, where, name):
    if type(value) not in (int, float) or not low <= value < math.inf:
        raise ValueError(f"{where}: {name} must be a number from {low:g} on, got {value!r}")
    return value


def _known(table, names, where):
    if not isinstance(table, dict):
        raise ValueError(f"{where}: must be a table, got {table!r}")
    unknown = sorted(set(table) - set(names))
    if unknown:
        raise ValueError(f"{where}: unknown {', '.join(unknown)}; known are {', '.join(names)}")


def read_text(path):
    """Return the text of one of an assignment's files.

    Parameters
    ----------
    path : path

    Returns
    -------
    text : str

    Raises
    ------
    ValueError
        If it is missing or not UTF-8.
    """
    try:
        return Path(path).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ValueError(f"{path}: missing; course-grade new NAME writes a skeleton") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path}: cannot be read: {error}") from error
