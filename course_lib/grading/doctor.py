"""Attacks on the sandbox of this machine: each must fail, and leave nothing behind.

Where it counts, nothing inside is believed and this side looks for itself: is the bystander alive,
is a file there, is every process gone.
"""

import os
import platform
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from course_lib.grading import sandbox, seccomp
from course_lib.grading.attacks import ATTACKS, PRELUDE
from course_lib.grading.limits import Limits

LIMITS = Limits(memory_mb=256, processes=32, file_mb=16, tmp_mb=32, total_s=30)
PATIENCE_S = 20


@dataclass(frozen=True)
class Finding:
    """What came of one attack: ``held`` is True if the sandbox stood."""

    name: str
    held: bool
    detail: str


def attack(kind, names=None):
    """Run the attacks against one kind of sandbox, one after the other.

    Parameters
    ----------
    kind : str
        One of ``sandbox.KINDS`` but ``none``, against which they would succeed.
    names : list of str, optional
        Some of ``ATTACKS``; all if left out.

    Yields
    ------
    finding : Finding

    Raises
    ------
    ValueError
        If the kind is ``none``.
    """
    if kind == "none":
        raise ValueError("attacks need a sandbox: without one they would hit this machine")
    mark = f"state-by-state-doctor-{os.getpid()}"
    bystander = subprocess.Popen(["sleep", "600"])
    with tempfile.TemporaryDirectory() as folder, socket.socket() as loopback:
        with socket.socket(socket.AF_UNIX) as named, socket.socket(socket.AF_UNIX) as abstract:
            os.chmod(folder, 0o755)
            door = os.path.join(folder, "door")
            named.bind(door)
            os.chmod(door, 0o777)
            abstract.bind("\0" + mark)
            loopback.bind(("127.0.0.1", 0))
            for listener in (named, abstract, loopback):
                listener.listen()
            canary = Path(folder, "canary")
            canary.write_text("nobody inside should read this")
            names_inside = {
                "CALLS": _calls(),
                "OUTSIDE": os.getpid(),
                "BYSTANDER": bystander.pid,
                "PORT": loopback.getsockname()[1],
                "MARK": mark,
                "SOCKET_PATH": door,
                "CANARY": str(canary),
                "SECRETS": [str(canary), *_secrets()],
                "WRITABLE": _folders(),
                "LIMIT": LIMITS.processes,
            }
            try:
                for name in names or ATTACKS:
                    yield _one(kind, name, names_inside, bystander)
            finally:
                bystander.kill()
                bystander.wait()


def _calls():
    k = seccomp.MACHINES[platform.machine()][0]
    extra = {"clone": seccomp.CLONE, "clone3": seccomp.CLONE3}
    return {name: numbers[k] for name, numbers in (seccomp.DENIED | extra).items()}


def _secrets():
    library = Path(__file__).resolve().parents[1]
    try:
        home = [str(path) for path in Path.home().iterdir() if path.is_file()][:5]
    except OSError:  # an account without a home
        home = []
    ours = [str(path) for path in (library, library / "hmm.py", Path(__file__).resolve())]
    return ["/etc/shadow", "/etc/passwd", "/home", "/var", *home, *ours]


def _folders():
    """Where to try to write; in a folder of its own the sandbox may, if it is gone afterwards."""
    packages = str(Path(os.__file__).parent)
    return ["/", "/etc", "/usr/lib", "/var/tmp", "/dev", packages, str(Path(__file__).parent)]


def _one(kind, name, names_inside, bystander):
    head = "".join(f"{key} = {value!r}\n" for key, value in names_inside.items())
    program = [sys.executable, "-I", "-S", "-c", PRELUDE + head + ATTACKS[name]]
    try:
        with sandbox.start(kind, LIMITS, program) as box:
            said = _listen(box.from_worker)
            if not said:
                box.wait(2)  # the watch may be about to say why
            cause, folder = box.cause(), box.folder
            start = time.monotonic()
            box.kill()
            while alive := _alive(names_inside["MARK"]):
                if time.monotonic() - start > PATIENCE_S:
                    break
                time.sleep(0.01)
            seconds = time.monotonic() - start
    except sandbox.SandboxFailed as error:
        return Finding(name, False, f"the sandbox did not start: {error}")
    lines = said.splitlines()
    bad = [line for line in lines if not line.startswith("refused")]
    if not lines and cause not in ("memory", "processes", "files"):
        bad.append(f"no answer, ended by {cause}")
    if alive or seconds > 1:
        bad.append(f"{len(alive)} processes left, others gone after {seconds:.1f} s")
    if bystander.poll() is not None:
        bad.append("a process outside was killed")
    status = os.stat(names_inside["CANARY"])
    if status.st_mode & 0o777 == 0o777 or status.st_mtime == 0:
        bad.append("mode or time of a file outside was changed")
    left = [place for place in _folders() if os.path.exists(f"{place}/{names_inside['MARK']}")]
    left += [folder] if folder and os.path.exists(folder) else []
    if left:
        bad.append(f"files left in {', '.join(left)}")
    stopped = f"killed: {cause}" if cause in ("memory", "processes", "files") else "refused"
    return Finding(name, not bad, "; ".join(bad)[:300] or stopped)


def _listen(fd):
    said, end = b"", time.monotonic() + PATIENCE_S
    while select.select([fd], [], [], max(0, end - time.monotonic()))[0]:
        piece = os.read(fd, 4096)
        said += piece
        if not piece or len(said) > 20_000:
            break
    return said.decode(errors="replace")


def _alive(mark):
    """Processes with the mark on their command line, which every fork of an attack keeps."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            found += [path.parent.name] if mark.encode() in path.read_bytes() else []
        except OSError:
            continue
    return found


if __name__ == "__main__":  # course-grade doctor does the same, and more politely
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    for each in sys.argv[1:] or sandbox.KINDS[:2]:
        for finding in attack(each):
            print("ok  " if finding.held else "FAIL", each, finding.name, "-", finding.detail)
