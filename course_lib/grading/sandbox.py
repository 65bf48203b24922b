"""A throw-away process for code of strangers: no network, no files of others, bounded in all.

Two kinds: bubblewrap gives name spaces of its own (processes, files, network, users); Landlock
does without, where name spaces are forbidden. A filter of system calls stands before both.
Inside, the worker has two pipes as file descriptors 3 (to read) and 4 (to write), nothing else.
"""

import os
import select
import shutil
import sys
from dataclasses import dataclass
from functools import cache

from course_lib.grading import landlock
from course_lib.grading.box import START_S, Sandbox, SandboxFailed
from course_lib.grading.limits import Limits

KINDS = ("bubblewrap", "landlock", "none")


class SandboxMissing(ValueError):
    """No sandbox of the wanted kind works here; the message says what to do."""


@dataclass(frozen=True)
class Probe:
    """Whether a kind of sandbox works on this machine, and if not, why and what helps."""

    kind: str
    works: bool
    reason: str
    remedy: str = ""


REMEDIES = {
    "bubblewrap": "install bubblewrap 0.8 or newer (apt install bubblewrap) and allow user name "
    "spaces (on Ubuntu 24.04: sysctl kernel.apparmor_restrict_unprivileged_userns=0 or an AppArmor "
    "profile for bwrap; in a container: run it with user name spaces, or use landlock)",
    "landlock": "needs Linux 6.12 or newer (Landlock ABI 6) with landlock among the kernel's lsm=",
    "none": "",
}


@cache
def probe(kind):
    """Start a sandbox of a kind and talk through its pipes.

    Parameters
    ----------
    kind : str
        One of ``KINDS``.

    Returns
    -------
    result : Probe

    Raises
    ------
    ValueError
        If there is no such kind.
    """
    if kind not in KINDS:
        raise ValueError(f"kind of sandbox must be one of {', '.join(KINDS)}, got {kind!r}")
    echo = [sys.executable, "-I", "-S", "-c", "import os; os.write(4, os.read(3, 9))"]
    try:
        with start(kind, Limits(), echo) as sandbox:
            os.write(sandbox.to_worker, b"hello")
            answer = b""
            if select.select([sandbox.from_worker], [], [], START_S)[0]:
                answer = os.read(sandbox.from_worker, 9)
    except (SandboxFailed, OSError) as error:
        return Probe(kind, False, str(error), REMEDIES[kind])
    if answer != b"hello":
        return Probe(kind, False, "a program inside did not answer", REMEDIES[kind])
    return Probe(kind, True, "a program inside started and answered")


def choose(wanted=None):
    """Return the kind of sandbox to use.

    Parameters
    ----------
    wanted : str, optional
        One of ``KINDS``; if left out, the first that works, but never ``none``.

    Returns
    -------
    kind : str

    Raises
    ------
    SandboxMissing
        If it does not work here, with the reason and the remedy.
    """
    results = []
    for kind in [wanted] if wanted else KINDS[:2]:
        results.append(probe(kind))
        if results[-1].works:
            return kind
    lines = [f"{r.kind} does not work: {r.reason}. Remedy: {r.remedy}" for r in results]
    raise SandboxMissing("no sandbox for students' code.\n" + "\n".join(lines))


def start(kind, limits, argv, data_dir=None):
    """Start a program in a fresh sandbox; returns when its doors are shut.

    Parameters
    ----------
    kind : str
        One of ``KINDS``.
    limits : Limits
    argv : list of str
        The program with its arguments; paths as outside. Python and the files of
        ``places.INSIDE`` can be read inside.
    data_dir : path, optional
        Folder that the program finds, read-only, as ``data`` in its working directory.

    Returns
    -------
    sandbox : Sandbox
        Use it in the thread that started it: with that thread the sandbox ends.

    Raises
    ------
    SandboxFailed
        If it does not start.
    """
    if kind == "landlock" and landlock.version() < landlock.SIGNALS_ABI:
        raise SandboxFailed(f"the kernel's Landlock ABI is {landlock.version()}")
    if kind == "bubblewrap" and not shutil.which("bwrap"):
        raise SandboxFailed("there is no program bwrap")
    return Sandbox(kind, limits, argv, data_dir)
