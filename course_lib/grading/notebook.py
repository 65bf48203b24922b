"""From the bytes of a submitted notebook to the code that runs and the answers that people read.

Nothing here runs or parses the student's code, and nothing but :class:`Unreadable` is raised,
whatever the bytes are. Outputs, attachments and widget states are cut away before the JSON is
read: 20 MB of them would be half a gigabyte of Python objects.
"""

import json
import re
from dataclasses import dataclass

TEXT_MB = 2  # code and text of a notebook, all cells together
STRING_KB = 64  # longer strings are pictures pasted into a text cell

# Possessive throughout: the time is linear in the bytes, whatever they are.
_TOKEN = re.compile(
    rb'(?P<cut>"(?:outputs|attachments|widgets)"\s*+:\s*+[\[{])'
    rb'|(?P<string>"(?:[^"\\]++|\\.)*+")|(?P<open>[\[{])|(?P<close>[\]}])|(?P<broken>")',
    re.DOTALL,
)
_DEFINES = re.compile(
    r"^(?:(?:async[ \t]++)?(?:def|class)[ \t]++(\w++)"
    r"|(\w++(?:[ \t]*+,[ \t]*+\w++)*+)[ \t]*+(?::[^=\n]*+)?=(?!=))",
    re.MULTILINE,
)
_SAVE_AGAIN = "Open it in Jupyter, save it and hand in that .ipynb file"


class Unreadable(ValueError):
    """The submission is no notebook that can be graded.

    Attributes
    ----------
    reason : {"unreadable", "too large"}
    message : str
        For the student: what is wrong and what to do.
    """

    def __init__(self, reason, message):
        super().__init__(message)
        self.reason, self.message = reason, message


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
    if len(data) > limit_mb * 2**20:
        raise Unreadable(
            "too large",
            f"The file has {len(data) / 2**20:.1f} MB, at most {limit_mb:g} MB are read. "
            "Clear all outputs, save the notebook and hand it in again.",
        )
    flags = []
    found = _find(_cells(_parse(data, flags), flags), manifest)
    if found and not any(cell.known for cell in found):
        flags.append("No cell of this notebook belongs to this assignment: is it the right file?")
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


def _unreadable(what):
    return Unreadable("unreadable", f"This is no notebook: {what}. {_SAVE_AGAIN}.")


def _parse(data, flags):
    """The notebook as a dictionary, without outputs, attachments and widget states."""
    if not data.strip():
        raise _unreadable("the file is empty")
    slim = _slim(data.removeprefix(b"\xef\xbb\xbf"), flags)
    try:
        notebook = json.loads(slim.decode("utf-8", "replace"))
    except RecursionError as error:
        raise _unreadable("its brackets are nested too deeply") from error
    except ValueError as error:  # also an integer of 5 000 digits
        raise _unreadable("its JSON is broken") from error
    if not isinstance(notebook, dict):
        raise _unreadable("its JSON is no object")
    version = notebook.get("nbformat")
    if type(version) is int and version in (1, 2, 3):
        raise Unreadable(
            "unreadable",
            f"The notebook has the old format {version}, format 4 is read. {_SAVE_AGAIN}.",
        )
    if type(version) is not int or version != 4:
        raise _unreadable("nbformat is not 4")
    return notebook


def _slim(data, flags):
    """The JSON text without the values that only show what has been run."""
    kept, size, start, depth, long = [], 0, 0, 0, 0

    def keep(end):
        nonlocal size
        size += end - start
        kept.append(data[start:end])

    for token in _TOKEN.finditer(data):
        if token["broken"]:
            raise _unreadable("its JSON is broken")
        if depth:  # inside a value that is cut away
            depth += 1 if token["open"] or token["cut"] else -1 if token["close"] else 0
            if depth == 0:
                start = token.start()
        elif token["cut"]:
            keep(token.end())
            depth = 1
        elif token["string"] and len(token["string"]) > STRING_KB * 1024:
            keep(token.start())
            kept.append(b'""')
            start, long = token.end(), long + 1
        if not depth and size + token.end() - start > TEXT_MB * 2**20:
            break
    if depth:
        raise _unreadable("its JSON is broken")
    keep(len(data))
    if size > TEXT_MB * 2**20:
        raise Unreadable(
            "too large",
            f"Its code and text, without outputs, are more than {TEXT_MB} MB. "
            "Delete what does not belong to your answers and hand it in again.",
        )
    if long:
        flags.append(f"Left out: {_count(long, 'text', 'texts')} of more than {STRING_KB} kB.")
    return b"".join(kept)


def _count(n, one, many):
    return f"{n} {one if n == 1 else many}"


def _cells(notebook, flags):
    """(kind, source, ids) of each cell."""
    cells = notebook.get("cells")
    if not isinstance(cells, list):
        raise _unreadable("it has no list of cells")
    good, bad = [], 0
    for cell in cells:
        source = cell.get("source") if isinstance(cell, dict) else None
        if isinstance(source, list) and all(isinstance(line, str) for line in source):
            source = "".join(source)
        if not isinstance(source, str):
            bad += 1
            continue
        metadata = cell.get("metadata")
        metadata = metadata if isinstance(metadata, dict) else {}
        nbgrader = metadata.get("nbgrader")
        grade_id = nbgrader.get("grade_id") if isinstance(nbgrader, dict) else None
        ids = [grade_id, cell.get("id"), metadata.get("id")]
        good.append((cell.get("cell_type"), _clean(source), [i for i in ids if type(i) is str]))
    if bad:
        flags.append(f"Left out: {_count(bad, 'entry that is', 'entries that are')} no cell.")
    return good


def _clean(text):
    """Halves of characters and NUL become the replacement character."""
    text = text.replace("\r\n", "\n").replace("\0", "\ufffd")
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


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


def _recover(found, manifest, flags):
    """Find answers that lost their id by the names that they define."""
    code = {cell.id: [] for cell in manifest.cells if cell.role == "answer"}
    for cell in found:
        if cell.known and cell.known.role == "answer" and cell.kind == "code":
            code[cell.known.id].append(cell)
    for known in manifest.cells:
        if known.role != "answer" or code[known.id]:
            continue
        if any(cell.known == known for cell in found):
            flags.append(f"Answer {known.id} was turned into text and not run; make it code again.")
        wanted = set(known.names)
        for cell in found:
            if cell.kind == "code" and cell.known is None and wanted & names(cell.source):
                cell.known = known
                code[known.id].append(cell)
        if code[known.id]:
            flags.append(f"The cell of answer {known.id} was replaced; found by what it defines.")
        elif not any(cell.known == known for cell in found):
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
        if known and known.role in ("locked", "check"):
            own = [cell for cell in here if cell.known]
            if any(cell.source.strip() != known.source.strip() for cell in own):
                instead = "the original was" if known.role == "locked" else "it is not"
                flags.append(f"Cell {known.id} is not yours to edit; {instead} run.")
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
        own = [cell.source.strip() for cell in found if cell.known == known]
        if not own:
            flags.append(f"Written answer {known.id} is missing.")
        elif len(own) > 1:
            flags.append(f"Written answer {known.id} is there {len(own)} times; all are read.")
        elif own[0] == known.source.strip():
            flags.append(f"Written answer {known.id} is as it was released.")
        texts.setdefault(known.question or known.id, []).extend(own)
    return {question: "\n\n".join(text) for question, text in texts.items()}
