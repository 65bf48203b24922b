"""From the bytes of a notebook to its cells, without ever holding much more than the bytes.

Outputs, attachments and widget states are cut away before the JSON is read: 20 MB of them would
be half a gigabyte of Python objects.
"""

import json
import re

TEXT_MB = 2  # code and text of a notebook, all cells together
STRING_KB = 64  # longer strings are pictures pasted into a text cell

# Possessive throughout: the time is linear in the bytes, whatever they are.
_TOKEN = re.compile(
    rb'(?P<cut>"(?:outputs|attachments|widgets)"\s*+:\s*+[\[{])'
    rb'|(?P<string>"(?:[^"\\]++|\\.)*+")|(?P<open>[\[{])|(?P<close>[\]}])|(?P<broken>")',
    re.DOTALL,
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


def read_cells(data, limit_mb, flags):
    """Return (kind, source, ids) of each cell of a notebook.

    Parameters
    ----------
    data : bytes
    limit_mb : float
        Largest size of the file in MB.
    flags : list of str
        What was left out is appended.

    Returns
    -------
    cells : list of tuple
        Kind "code" or "markdown" (also for raw cells); text without NUL and lone surrogates;
        the ids that tools gave the cell, the surest first.

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
    cells = _parse(data, flags).get("cells")
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
        kind = "code" if cell.get("cell_type") == "code" else "markdown"
        good.append((kind, _clean(source), [i for i in ids if isinstance(i, str)]))
    if bad:
        flags.append(f"Left out: {_count(bad, 'entry that is', 'entries that are')} no cell.")
    return good


def _clean(text):
    """Halves of characters and NUL become the replacement character."""
    text = text.replace("\r\n", "\n").replace("\0", "\ufffd")
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
