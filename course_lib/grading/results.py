"""One file a submission and bundle, written once: WORK/NAME/results/HASH/DIGEST.json.

A file appears whole or not at all, and the first of two runs wins; so a run may be stopped at any
moment and repeated. What went wrong by the machine's fault is no result: it stands in
DIGEST.infrastructure.json until a later run replaces it.
"""

import errno
import json
import os
import secrets

VERSION = 1


def empty(manifest, digest, submission, student="", kind="", line=None):
    """Return a result without points, yet to be filled or left so by the machine's fault.

    Parameters
    ----------
    manifest : Manifest
    digest : str
        Of the bundle.
    submission : str
        SHA-256 of the notebook's bytes.
    student : str, default=""
    kind : str, default=""
        Of the sandbox.
    line : str, optional
        What went wrong by the machine's fault.

    Returns
    -------
    result : dict
        Plain data for JSON.
    """
    return {
        "v": VERSION,
        "submission": submission,
        "student": student,
        "assignment": manifest.name,
        "digest": digest,
        "sandbox": kind,
        "seconds": 0.0,
        "points": None,
        "max": manifest.automatic,
        "questions": [],
        "cells": [],
        "flags": [],
        "written": {},
        "infrastructure": line,
    }


def store(workspace, name, result, force=False):
    """Write a result; one that stands already is kept.

    Parameters
    ----------
    workspace : Workspace
    name : str
        Of the assignment.
    result : dict
        As :func:`grader.grade` returns it.
    force : bool
        Replace one that stands.

    Returns
    -------
    path : Path
        The file.

    Raises
    ------
    OSError
        If it cannot be written; nothing is left half-written then.
    """
    folder = workspace.path(name, "results") / result["submission"]
    final = folder / f"{result['digest']}.json"
    failure = folder / f"{result['digest']}.infrastructure.json"
    data = (json.dumps(result, indent=1, sort_keys=True) + "\n").encode()
    folder.mkdir(parents=True, exist_ok=True)
    if not is_final(result):
        _place(failure, data, replace=True)
        return failure
    _place(final, data, replace=force)
    failure.unlink(missing_ok=True)
    return final


def load(workspace, name, submission, digest):
    """Return the result of a submission under a bundle.

    Parameters
    ----------
    workspace : Workspace
    name : str
        Of the assignment.
    submission : str
        SHA-256 of the notebook's bytes, hexadecimal.
    digest : str
        Of the bundle.

    Returns
    -------
    result : dict or None
        The final one; without that the machine's failure; None if neither stands.

    Raises
    ------
    ValueError
        If a file is no result of this version; its name and the remedy are in the message.
    """
    folder = workspace.path(name, "results") / submission
    for file in (f"{digest}.json", f"{digest}.infrastructure.json"):
        try:
            text = (folder / file).read_text(encoding="utf-8")
        except FileNotFoundError:
            continue
        return _read(text, folder / file, name, submission, digest)
    return None


def is_final(result):
    """Tell whether a result is a mark, and not a failure of the machine.

    Parameters
    ----------
    result : dict or None

    Returns
    -------
    final : bool
    """
    return result is not None and result["infrastructure"] is None


def _read(text, path, name, submission, digest):
    remedy = f"grade again: course-grade run {name} --force"
    try:
        result = json.loads(text)
        version, keys = result["v"], (result["submission"], result["digest"])
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path}: not a result ({error!r}); {remedy}") from error
    if version != VERSION:
        raise ValueError(
            f"{path}: result of version {version!r}, this program reads version {VERSION}; {remedy}"
        )
    if keys != (submission, digest):
        raise ValueError(f"{path}: the result of another submission or bundle; {remedy}")
    return result


def _place(path, data, replace):
    """Let a file appear whole; without ``replace`` the one that stands is kept."""
    fd, name = _temporary(path.parent)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        left = memoryview(data)
        while left:
            left = left[os.write(fd, left) :]
        os.fsync(fd)
        if replace:  # a crash between this line and the link costs one more run
            path.unlink(missing_ok=True)
        # With a folder Python calls linkat, which follows /proc's link; plain link does not.
        os.link(name, path.name, src_dir_fd=folder, dst_dir_fd=folder)
    except FileExistsError:
        pass
    finally:
        os.close(fd)
        os.close(folder)
        if not name.startswith("/proc"):
            os.unlink(name)


def _temporary(folder):
    """Open a file that has no name, so that nothing is left of it whoever is killed."""
    try:
        fd = os.open(folder, os.O_WRONLY | os.O_TMPFILE, 0o666)
        return fd, f"/proc/self/fd/{fd}"
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL):
            raise
    # NFS and some others have no such files.
    name = os.path.join(folder, f".{secrets.token_hex(8)}.part")
    return os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), name
