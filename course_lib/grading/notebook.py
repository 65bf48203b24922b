"""From the bytes of a submitted notebook to the code that runs and the answers that people read.

Nothing here runs or parses the student's code, and nothing but ``Unreadable`` is raised, whatever
the bytes are.
"""

import re
from dataclasses import dataclass

from course_lib.grading.cells import Unreadable, read_cells

__all__ = ["CodeCell", "Reading", "Unreadable", "names", "read"]

_DEFINES = re.compile(
    r"^(?:(?:async[ \t]++)?(?:def|class)[ \t]++(\w++)"
    r"|(\w++(?:[ \t]*+,[ \t]*+\w++)*+)[ \t]*+(?::[^=\n]*+)?=(?!=))",
    re.MULTILINE,
)


@dataclass(frozen=True)
class CodeCell:
    """Code to run; ``role`` is "locked", "answer" or "added" (by the student)."""

    id: str
    source: str
    role: str


@dataclass(frozen=True)
class Reading:
    """What a submission holds for its assignment.

    ``cells`` are in the order in which they run; ``written`` maps each written question to the
    student's text; ``flags`` are sentences that the student and the instructor see.
    """

    cells: tuple
    written: dict
    flags: tuple


@dataclass
class _Found:
    """A cell of the submission; ``known`` is the manifest's cell that it stands for."""

    kind: str
    source: str
    known: object = None


def read(data, manifest, limit_mb):
    """Return the cells and written answers of a submission.

    Known cells come in the manifest's order, locked ones with the manifest's code; a code cell
    that the student added follows the known cell that stands before it. Cells are recognised by
    ``metadata.nbgrader.grade_id``, ``id`` or ``metadata.id`` (Colab), else by their unchanged
    text or, for answers, by the names which they define.

    Parameters
    ----------
    data : bytes
        The file as it was handed in.
    manifest : Manifest
    limit_mb : float
        Largest size of the file in MB.

    Returns
    -------
    reading : Reading

    Raises
    ------
    Unreadable
        If the bytes are no notebook of version 4 or more than the limits.
    """
    flags = []
    found = _find(read_cells(data, limit_mb, flags), manifest)
    if found and not any(cell.known for cell in found):
        flags.append("No cell of this notebook belongs to this assignment: is it the right file?")
    _copies(found, manifest, flags)
    _recover(found, manifest, flags)
    return Reading(
        cells=tuple(_in_order(found, manifest, flags)),
        written=_written(found, manifest, flags),
        flags=tuple(flags),
    )


def names(source):
    """Return the names that code defines at its left margin, found without parsing it.

    Parameters
    ----------
    source : str

    Returns
    -------
    names : set of str
    """
    return {
        name.strip()
        for match in _DEFINES.finditer(source)
        for name in (match[1] or match[2]).split(",")
    }


def _find(cells, manifest):
    """Say of each cell for which known one it stands: by its ids, else by its unchanged text."""
    by_id = {cell.id: cell for cell in manifest.cells}
    texts = ((cell.kind, cell.source.strip(), cell) for cell in manifest.cells)
    by_text = {(kind, text): cell for kind, text, cell in texts if text}
    found = []
    for kind, source, ids in cells:
        known = next((by_id[i] for i in ids if i in by_id), None)
        found.append(_Found(kind, source, known or by_text.get((kind, source.strip()))))
    return found


def _copies(found, manifest, flags):
    """A copied locked cell with other code is the student's own; one is the locked cell itself."""
    for known in manifest.cells:
        own = [cell for cell in found if cell.known is known]
        if known.role != "locked" or len(own) < 2:
            continue
        changed = [cell for cell in own if cell.source.strip() != known.source.strip()]
        for cell in changed[1:] if len(changed) == len(own) else changed:
            cell.known = None
        if changed:
            flags.append(f"Cell {known.id} was copied; what you changed was run as your own cell.")


def _recover(found, manifest, flags):
    """Find answers that lost their id by the names that they define."""
    code = {cell.id: [] for cell in manifest.cells if cell.role == "answer"}
    for cell in found:
        if cell.known and cell.known.role == "answer" and cell.kind == "code":
            code[cell.known.id].append(cell)
    for known in manifest.cells:
        if known.role != "answer" or code[known.id]:
            continue
        if any(cell.known is known for cell in found):
            flags.append(f"Answer {known.id} was turned into text and not run; make it code again.")
        wanted = set(known.names)
        for cell in found:
            if cell.kind == "code" and cell.known is None and wanted & names(cell.source):
                cell.known = known
                code[known.id].append(cell)
        if code[known.id]:
            flags.append(f"The cell of answer {known.id} was replaced; found by what it defines.")
        elif not any(cell.known is known for cell in found):
            flags.append(f"Answer {known.id} is missing.")
    for name, cells in code.items():
        if len(cells) > 1:
            flags.append(f"Answer {name} is there {len(cells)} times; all were run, in order.")


def _in_order(found, manifest, flags):
    """The code to run: each known cell and, behind it, what the student added there."""
    places, place = {}, None  # known id, or None before all -> cells in order
    for cell in found:
        place = cell.known.id if cell.known else place
        places.setdefault(place, []).append(cell)
    cells, added = [], 0
    for known in (None, *manifest.cells):
        here = places.get(known.id if known else None, [])
        if known and known.role == "locked":
            cells.append(CodeCell(known.id, known.source, "locked"))
        if any(cell.known and cell.source.strip() != known.source.strip() for cell in here):
            if known.role == "locked":
                flags.append(f"Cell {known.id} is given; the original was run, not your changes.")
            elif known.role == "check":
                flags.append(f"Cell {known.id} holds checks; your changes to it were not run.")
        for cell in here:
            if cell.kind != "code" or not cell.source.strip():
                continue
            if cell.known is None:
                added += 1
                cells.append(CodeCell(f"added {added}", cell.source, "added"))
            elif known.role == "answer":
                cells.append(CodeCell(known.id, cell.source, "answer"))
    return cells


def _written(found, manifest, flags):
    """The texts of each written question, joined by empty lines."""
    texts = {}
    for known in manifest.cells:
        if known.role != "written":
            continue
        own = [cell.source.strip() for cell in found if cell.known is known]
        if not own:
            flags.append(f"Written answer {known.id} is missing.")
        elif len(own) > 1:
            flags.append(f"Written answer {known.id} is there {len(own)} times; all are read.")
        elif own[0] == known.source.strip():
            flags.append(f"Written answer {known.id} is as it was released.")
        texts.setdefault(known.question or known.id, []).extend(own)
    return {question: "\n\n".join(text) for question, text in texts.items()}
