"""Reading and writing the files of a workspace: whole or not at all, and safe in a spreadsheet."""

import csv
import errno
import fcntl
import io
import json
import os
import re
import secrets
from pathlib import Path

# What a spreadsheet takes for a formula, also in full width, and signs that shift the column.
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")
# Where a cell would begin for a spreadsheet that expects other separators, as in much of Europe.
_INNER = re.compile(r"([;\t\n])(?=[ \"']*[=+@＝＋－＠-])")
_INNER_QUOTED = re.compile(r"([;\t\n])'(?=[ \"']*[=+@＝＋－＠-])")
_NUMBER = re.compile(r"[+-]?\d+(\.\d*)?([eE][+-]?\d+)?")


def read_text(path):
    """Return the text of a file that people may have edited.

    Parameters
    ----------
    path : Path

    Returns
    -------
    text : str

    Raises
    ------
    ValueError
        If it is not UTF-8.
    """
    try:
        return Path(path).read_bytes().decode("utf-8-sig")  # line ends as they are
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8; save it as UTF-8") from error


def read_csv(path, columns, optional=()):
    """Return the rows of a CSV file; what :func:`write_csv` quoted is as it was.

    Parameters
    ----------
    path : Path
    columns : tuple of str
        Columns that must be there, in any order.
    optional : tuple of str
        Columns that may be there; missing ones are empty.

    Returns
    -------
    rows : list of dict
        Column to text.

    Raises
    ------
    ValueError
        If the file is missing or no such table.
    """
    if not Path(path).is_file():
        raise ValueError(f"{path} is missing; it needs the columns {','.join(columns)}")
    try:
        lines = list(csv.reader(io.StringIO(read_text(path), newline=""), strict=True))
    except csv.Error as error:
        raise ValueError(f"{path} is no CSV file: {error}") from error
    head = [title.strip() for title in lines[0]] if lines else []
    wanted = (*columns, *optional)
    if set(columns) - set(head) or set(head) - set(wanted) or len(set(head)) != len(head):
        more = f" and may have {','.join(optional)}" if optional else ""
        raise ValueError(
            f"{path} must have the columns {','.join(columns)}{more}, "
            f"separated by commas; it has {','.join(head) or 'none'}"
        )
    rows = []
    for number, line in enumerate(lines[1:], 2):
        if not any(map(str.strip, line)):
            continue
        if len(line) != len(head):
            raise ValueError(f"{path}, row {number}: {len(head)} cells wanted, got {len(line)}")
        rows.append(dict.fromkeys(wanted, "") | dict(zip(head, map(_unquoted, line), strict=True)))
    return rows


def write_csv(path, rows, columns=()):
    """Write a CSV file in which a spreadsheet finds no formula.

    A text that starts like a formula gets a leading apostrophe, and so does what comes behind a
    semicolon, tab or line end in it; numbers stay numbers.

    Parameters
    ----------
    path : Path
    rows : list of dict
        Column to text, number or None (empty).
    columns : tuple of str
        In this order; by default those of the first row.
    """
    columns = tuple(columns or (rows[0] if rows else ()))
    write_file(path, _table([columns, *([row[column] for column in columns] for row in rows)]))


def append_csv(path, row):
    """Append one row to a CSV file, quoted as :func:`write_csv` does it.

    Parameters
    ----------
    path : Path
        Made with the names of the columns if it is missing.
    row : dict
        Column to text, number or None, in the file's order of columns.
    """
    _append(path, _table([list(row.values())]), head=_table([list(row)]))


def _table(lines):
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(map(_quoted, line) for line in lines)
    return text.getvalue()


def _quoted(value):
    if value is None:
        return ""
    text = f"{float(value):.10g}" if isinstance(value, float) else str(value)
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    formula = _starts_formula(text) and not _NUMBER.fullmatch(text)
    text = _INNER.sub(r"\1'", text)
    return f"'{text}" if formula else text


def _unquoted(text):
    text = text[1:] if text[:1] == "'" and _starts_formula(text) else text
    return _INNER_QUOTED.sub(r"\1", text)


def _starts_formula(text):
    return text.lstrip("' ").startswith(_FORMULA)


def write_file(path, content, mode=0o666):
    """Write a file whole or not at all; folders above it are made.

    Parameters
    ----------
    path : Path
    content : bytes or str
    mode : int
        Permissions, less the umask.
    """
    _write(path, content, mode, os.replace)


def create_file(path, content, mode=0o666):
    """Write a file whole unless it exists; the first writer wins.

    Parameters
    ----------
    path : Path
    content : bytes or str
    mode : int

    Returns
    -------
    created : bool
        False if the file existed and was left as it is.
    """
    try:
        _write(path, content, mode, os.link)
    except FileExistsError:
        return False
    return True


def _write(path, content, mode, finish):
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    data = content.encode() if isinstance(content, str) else content
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        finish(temporary, path)
        _sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)


def _sync_folder(folder):
    """Make a new name survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def append_line(path, entry):
    """Append one line of JSON; half a line that a power cut left behind is cut off first.

    Parameters
    ----------
    path : Path
    entry : dict
    """
    _append(path, json.dumps(entry, ensure_ascii=True) + "\n")


def _append(path, line, head=""):
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o666), "r+b", 0) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        old = file.read()
        if old and not old.endswith(b"\n"):
            # A spreadsheet may leave out the end of the last line; only JSON is cut short so.
            line = "\n" + line if head else line
            file.truncate(len(old) if head else old.rfind(b"\n") + 1)
        data = (line if old else head + line).encode()
        if os.write(file.fileno(), data) != len(data):
            file.truncate(len(old))
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        os.fsync(file.fileno())


def read_lines(path):
    """Return the lines of a file that :func:`append_line` wrote; none if it is missing.

    Parameters
    ----------
    path : Path

    Returns
    -------
    entries : list of dict

    Raises
    ------
    ValueError
        If a line is not JSON.
    """
    path = Path(path)
    if not path.is_file():
        return []
    entries = []
    for number, line in enumerate(read_text(path).splitlines(keepends=True), 1):
        if not line.endswith("\n"):  # cut short, so never announced as written
            break
        try:
            entry = json.loads(line)
        except ValueError:
            entry = None
        if not isinstance(entry, dict):
            raise ValueError(f"{path}, line {number}: not a JSON object; delete the line")
        entries.append(entry)
    return entries
