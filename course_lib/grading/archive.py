"""Files of strangers, from a zip or a folder: listed without trust, read with a bound.

A member's name is never used as a path. Only files that end in .ipynb are ever unpacked.
"""

import os
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

MAX_MEMBERS = 20_000
MAX_RATIO = 200  # of the whole archive, once it unpacks to more than MAX_QUIET
MAX_QUIET = 2**30
SKIPPED = ("__MACOSX", ".DS_Store", "Thumbs.db")
NOTEBOOK = ".ipynb"


class Refused(ValueError):
    """One member cannot be taken; the others can."""


@dataclass(frozen=True)
class Member:
    """One notebook of an archive or a folder, not read yet.

    ``when`` is its time in UTC, or None; ``read(limit)`` returns its bytes or raises
    :class:`Refused`.
    """

    name: str
    when: datetime | None
    read: Callable


def shown(name):
    """Return a stranger's text fit for a terminal: one line, printable, not long."""
    line = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(name))
    return line if len(line) <= 160 else line[:100] + "…" + line[-50:]


@contextmanager
def members(source):
    """List the notebooks of a zip file or a folder.

    Parameters
    ----------
    source : Path
        The zip file or the folder.

    Yields
    ------
    found : tuple
        List of :class:`Member`, and list of (name, reason) for what is not to be read.

    Raises
    ------
    ValueError
        If the source is missing, no zip, a bomb, or has too many entries.
    """
    source = Path(source)
    if source.is_dir():
        yield _split(_in_folder(source))
        return
    try:
        archive = zipfile.ZipFile(source)
    except FileNotFoundError:
        raise ValueError(f"{source}: no such file or folder; check the path") from None
    except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError, struct.error) as error:
        raise ValueError(
            f"{source}: not a readable zip file ({error}); download it again, or unpack it and "
            "collect the folder"
        ) from error
    with archive:
        yield _split(_in_zip(archive, source))


def _split(entries):
    """Members and refusals of a list that holds both."""
    found = [entry for entry in entries if isinstance(entry, Member)]
    return found, [entry for entry in entries if not isinstance(entry, Member)]


def _problem(name):
    """Why a name is not one that Canvas, Moodle or a person gives, or None."""
    parts = name.split("/")
    if not name or name.startswith("/") or ".." in parts or "." in parts or parts[0][1:2] == ":":
        return "its name leads out of the folder"
    if "\\" in name or any(unicodedata.category(c) in ("Cc", "Cs") for c in name):
        return "its name has a backslash or control characters; rename the file"
    if len(name) > 1000:
        return "its name is longer than 1000 characters; rename the file"
    return None


def _ignored(name):
    """Whether a file is what systems leave behind: nobody handed it in."""
    return any(part in SKIPPED or part.startswith(".") for part in name.split("/"))


def _in_zip(archive, source):
    infos = [info for info in archive.infolist() if not info.is_dir()]
    if len(infos) > MAX_MEMBERS:
        raise ValueError(
            f"{source}: {len(infos)} files, at most {MAX_MEMBERS} are read; download the "
            "submissions in parts"
        )
    notebooks = [info for info in infos if info.filename.lower().endswith(NOTEBOOK)]
    size, packed = sum(info.file_size for info in notebooks), source.stat().st_size
    bombs = set()
    if size > MAX_QUIET and size > MAX_RATIO * packed:  # one student's must not stop the others
        bombs = {i for i in notebooks if i.file_size > MAX_RATIO * i.compress_size}
        size -= sum(info.file_size for info in bombs)
    if size > MAX_QUIET and size > MAX_RATIO * packed:
        raise ValueError(
            f"{source}: {packed:,} bytes that say they unpack to {size:,}: a zip bomb; nothing was "
            "read. Find the member with `unzip -v`, and collect the others from a folder"
        )
    times = Counter(info.filename for info in infos)
    entries = []
    for info in infos:
        name = info.orig_filename
        problem = _problem(name)
        if problem is None and _ignored(name):
            continue
        if problem is None and stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG):
            problem = "a link or a device, no file"
        if problem is None and times[info.filename] > 1:
            problem = "the zip has this name more than once; unpack it and collect the folder"
        if problem is None and not name.lower().endswith(NOTEBOOK):
            problem = f"no notebook ({NOTEBOOK}); ask the student for the notebook itself"
        if problem is None and info in bombs:
            problem = f"a zip bomb: {info.compress_size:,} bytes unpack to {info.file_size:,}"
        if problem is None and info.flag_bits & 1:
            problem = "encrypted; unpack it with its password and collect the folder"
        if problem is None and info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            problem = "packed in a way that is not read here; unpack it and collect the folder"
        if problem:
            entries.append((shown(name), problem))
        else:
            entries.append(Member(name, _zip_time(info), _zip_reader(archive, info)))
    return _unwrapped(entries, source.stem)


def _unwrapped(entries, stem):
    """Names without the folder around all of them that packing a folder again leaves."""
    inside = [entry for entry in entries if isinstance(entry, Member)]
    if not all(member.name.startswith(stem + "/") for member in inside):
        return entries
    return [
        replace(entry, name=entry.name[len(stem) + 1 :]) if isinstance(entry, Member) else entry
        for entry in entries
    ]


def _zip_reader(archive, info):
    def read(limit):
        if info.file_size > limit:
            raise Refused(f"unpacks to {info.file_size:,} bytes, at most {limit:,} are kept")
        try:
            with archive.open(info) as file:
                data = file.read(limit + 1)
                file.read(1)  # at the end the checksum is compared
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError) as err:
            raise Refused(f"damaged in the zip ({shown(err)}); download it again") from err
        if len(data) > limit:
            raise Refused(f"unpacks to more than {limit:,} bytes")
        return data

    return read


def _zip_time(info):
    """Time of a member: from the field with seconds since 1970, else local time."""
    extra = info.extra
    while len(extra) >= 4:
        kind, size = struct.unpack("<HH", extra[:4])
        if kind == 0x5455 and size >= 5 and len(extra) >= 9 and extra[4] & 1:
            return datetime.fromtimestamp(struct.unpack("<I", extra[5:9])[0], UTC)
        extra = extra[4 + size :]
    try:
        return datetime(*info.date_time).astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _in_folder(folder):
    entries = []
    for root, folders, files in os.walk(folder):
        links = [n for n in folders if os.path.islink(os.path.join(root, n)) and not _ignored(n)]
        folders[:] = sorted(n for n in folders if not _ignored(n))
        for name in sorted([*files, *links]):
            path = Path(root, name)
            shown_name = path.relative_to(folder).as_posix()
            if _ignored(name):
                continue
            status = path.lstat()
            problem = _problem(shown_name)
            if problem is None and not stat.S_ISREG(status.st_mode):
                problem = "a link or a device, no file; put the notebook itself there"
            if problem is None and not name.lower().endswith(NOTEBOOK):
                problem = f"no notebook ({NOTEBOOK})"
            if problem:
                entries.append((shown(shown_name), problem))
            else:
                when = datetime.fromtimestamp(status.st_mtime, UTC)
                entries.append(Member(shown_name, when, _file_reader(path)))
            if len(entries) > MAX_MEMBERS:
                raise ValueError(
                    f"{folder}: more than {MAX_MEMBERS} files; is this the folder of submissions?"
                )
    return entries


def _file_reader(path):
    def read(limit):
        # A link or pipe put there after the listing is neither followed nor waited for.
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        try:
            with open(os.open(path, flags), "rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    raise Refused("a link or a device, no file")
                data = file.read(limit + 1)
        except OSError as error:
            raise Refused(f"cannot be read ({error.strerror}); check its permissions") from error
        if len(data) > limit:
            raise Refused(f"has more than {limit:,} bytes, which is not kept")
        return data

    return read
