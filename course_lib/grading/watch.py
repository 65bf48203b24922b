"""What the processes of one sandbox use together, seen from outside through /proc."""

import os
import stat

PAGE = os.sysconf("SC_PAGE_SIZE")
MANY_FILES = 10_000  # entries of a private folder that are looked at; more are too many


def descendants(root):
    """Return the descendants of a process.

    Parameters
    ----------
    root : int

    Returns
    -------
    found : dict of int to int
        Process numbers, each with its number of threads.
    """
    found, waiting = {}, [root]
    while waiting:
        pid = waiting.pop()
        try:
            threads = os.listdir(f"/proc/{pid}/task")
            for thread in threads:
                with open(f"/proc/{pid}/task/{thread}/children") as file:
                    waiting += [int(child) for child in file.read().split()]
        except OSError:  # it has ended meanwhile
            continue
        found[pid] = len(threads)
    found.pop(root, None)
    return found


def memory(pids, enough):
    """Return the bytes that processes hold in memory.

    Pages that forked processes share count once for each in the quick sum; only if that passes
    ``enough`` is each page's share asked for, which takes the kernel longer.

    Parameters
    ----------
    pids : iterable of int
    enough : int
        Bytes.

    Returns
    -------
    size : int
        Bytes.
    """
    total = sum(map(_resident, pids))
    if total <= enough:
        return total
    return sum(_share_or_all(pid) for pid in pids)


def _share_or_all(pid):
    """A process may refuse to be looked into; then all pages that it shares are its own."""
    share = _number(f"/proc/{pid}/smaps_rollup", _share, denied=None)
    return _resident(pid) if share is None else share


def _resident(pid):
    return PAGE * _number(f"/proc/{pid}/statm", lambda text: int(text.split()[1]))


def _number(path, read, denied=0):
    try:
        with open(path) as file:
            return read(file.read())
    except PermissionError:
        return denied
    except (OSError, IndexError, ValueError):  # it has ended meanwhile
        return 0


def _share(text):
    sizes = dict(line.split(":", 1) for line in text.splitlines()[1:])
    return 1024 * int(sizes["Pss"].split()[0])


def folder_size(folder, pids, largest, shared_user):
    """Return the bytes of a private folder, deleted files that are still in use included.

    A folder with more than ``MANY_FILES`` entries is of infinite size, and so is one with places
    or processes that may not be looked into.

    Parameters
    ----------
    folder : str
    pids : iterable of int
        Processes that may hold deleted files.
    largest : int
        What a deleted file counts that nobody has open, only in memory: its size is not to be seen.
    shared_user : bool
        Whether they are of the user who looks.

    Returns
    -------
    size : float
        Bytes.
    """
    total, entries, waiting = 0, 0, [folder]
    try:
        device = os.stat(folder).st_dev
    except FileNotFoundError:  # the keeper has cleared up
        return 0
    while waiting:
        try:
            with os.scandir(waiting.pop()) as listing:
                for entry in listing:
                    entries += 1
                    if entries > MANY_FILES:
                        return float("inf")
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    total += 512 * entry.stat(follow_symlinks=False).st_blocks
        except (FileNotFoundError, NotADirectoryError):  # deleted meanwhile
            continue
        except OSError:  # closed to its owner, or too deep for a path
            return float("inf")
    deleted = {}
    for pid in pids:
        try:
            deleted = dict.fromkeys(_mapped(pid, folder), largest) | deleted
            for name in os.listdir(f"/proc/{pid}/fd"):
                status = os.stat(f"/proc/{pid}/fd/{name}")
                if stat.S_ISREG(status.st_mode) and not status.st_nlink:
                    if status.st_dev == device:
                        deleted[status.st_ino] = 512 * status.st_blocks
        except PermissionError:
            if shared_user:
                return float("inf")
        except OSError:
            continue
    return total + sum(deleted.values())


def _mapped(pid, folder):
    """Numbers of the deleted files of a folder that a process has in memory."""
    with open(f"/proc/{pid}/maps", errors="replace") as file:
        return {
            int(line.split()[4])
            for line in file
            if line.endswith(" (deleted)\n") and f" {folder}/" in line
        }


def threads_of_user(uid):
    """Return how many threads a user has on this machine: what RLIMIT_NPROC counts."""
    total = 0
    for name in os.listdir("/proc"):
        try:
            if name.isdigit() and os.stat(f"/proc/{name}").st_uid == uid:
                total += len(os.listdir(f"/proc/{name}/task"))
        except OSError:
            continue
    return total
