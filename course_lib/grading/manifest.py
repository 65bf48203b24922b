"""What the grader knows of an assignment without its checks: cells, questions, limits.

Stands in a bundle as manifest.json.
"""

import json
from dataclasses import asdict, dataclass, field

from course_lib.grading.limits import Limits

VERSION = 1


@dataclass(frozen=True)
class Cell:
    """One cell of the released notebook; roles are locked, answer, written, check and text.

    ``names`` are what the reference's cell defines, by which an answer is found again whose id
    was lost. ``source`` is what students get.
    """

    id: str
    role: str
    kind: str  # "code" or "markdown"
    source: str
    question: str = ""
    names: tuple = ()


@dataclass(frozen=True)
class Rubric:
    """One line of a rubric: a button on the review page."""

    points: float
    text: str


@dataclass(frozen=True)
class Question:
    """A question with all its points; ``manual`` ones are marked by people."""

    name: str
    points: float
    manual: bool = False
    rubric: tuple = ()


@dataclass(frozen=True)
class CheckInfo:
    """What may be said of a check without running it."""

    name: str
    question: str
    points: float
    hidden: bool
    title: str


@dataclass(frozen=True)
class Manifest:
    """An assignment as the grader sees it.

    ``due`` is ISO 8601 with an offset from UTC, or empty; ``late_percent_per_day`` is taken off the
    automatic and manual points together, up to ``late_max_percent``.
    """

    name: str
    title: str
    cells: tuple
    questions: tuple
    checks: tuple
    limits: Limits = field(default_factory=Limits)
    due: str = ""
    late_percent_per_day: float = 0
    late_max_percent: float = 100
    floor: float = 0
    environment: tuple = ()  # (name, version) pairs
    version: int = VERSION

    @property
    def automatic(self):
        """Points that the checks give."""
        return sum(question.points for question in self.questions if not question.manual)

    @property
    def manual(self):
        """Points that people give."""
        return sum(question.points for question in self.questions if question.manual)


def to_json(manifest):
    """Return the manifest as text, the same for the same manifest.

    Parameters
    ----------
    manifest : Manifest

    Returns
    -------
    text : str
    """
    return json.dumps(asdict(manifest), indent=1, sort_keys=True, ensure_ascii=True) + "\n"


def from_json(text, where):
    """Read a manifest.

    Parameters
    ----------
    text : str
    where : str
        The file, for messages.

    Returns
    -------
    manifest : Manifest

    Raises
    ------
    ValueError
        If the text is no manifest of this version.
    """
    try:
        table = json.loads(text)
        version = table["version"]
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(
            f"{where}: not a manifest ({error}); release the assignment again"
        ) from error
    if version != VERSION:
        raise ValueError(
            f"{where}: manifest of version {version!r}, this program reads version {VERSION}; "
            "release the assignment again"
        )
    try:
        return Manifest(
            **{
                **table,
                "cells": tuple(Cell(**c | {"names": tuple(c["names"])}) for c in table["cells"]),
                "questions": tuple(
                    Question(**q | {"rubric": tuple(Rubric(**r) for r in q["rubric"])})
                    for q in table["questions"]
                ),
                "checks": tuple(CheckInfo(**c) for c in table["checks"]),
                "limits": Limits(**table["limits"]),
                "environment": tuple(tuple(pair) for pair in table["environment"]),
            }
        )
    except (KeyError, TypeError) as error:
        raise ValueError(
            f"{where}: not a manifest ({error}); release the assignment again"
        ) from error
