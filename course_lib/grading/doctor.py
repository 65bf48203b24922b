"""Attacks on the sandbox of this machine: each must fail, and leave nothing behind.

Every attack is a few lines of Python that run inside and say what happened; where it counts, this
side looks for itself: is the bystander alive, is the file there, is every process gone.
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
from course_lib.grading.limits import Limits

LIMITS = Limits(memory_mb=256, processes=32, file_mb=16, tmp_mb=32, total_s=30)
PATIENCE_S = 20
PRELUDE = """
import ctypes, os, signal, socket, sys, time
libc = ctypes.CDLL(None, use_errno=True)
def say(text):
    os.write(4, text.encode()[:400] + b"\\n")
def refused(what, action):
    try:
        say(f"{what} got through: {action()!r:.60}")
    except (OSError, MemoryError) as error:
        say(f"refused {what}: {error!r:.80}")
def call(name, *arguments):
    number = CALLS[name]
    if number is None:
        return say(f"refused {name}: none on this machine")
    result = libc.syscall(number, *arguments)
    error = ctypes.get_errno()
    say(f"refused {name}: {os.strerror(error)}" if result < 0 and error in (1, 13, 38)
        else f"{name} got through: {result}, {os.strerror(error)}")
"""


@dataclass(frozen=True)
class Finding:
    """What came of one attack: ``held`` is True if the sandbox stood."""

    name: str
    held: bool
    detail: str


# name: code. CALLS, OUTSIDE, BYSTANDER, PORT, MARK, SECRETS and WRITABLE are filled in.
ATTACKS = {
    "other name spaces": """
call("unshare", 0x10000000); call("unshare", 0x00020000); call("setns", 0, 0)
call("clone", 0x10000000 | 17, 0, 0, 0, 0); call("clone3", 0, 0)
""",
    "mounts": """
call("mount", b"none", b"/tmp", b"tmpfs", 0, 0); call("umount2", b"/proc", 2)
call("pivot_root", b"/", b"/"); call("chroot", b"/"); call("fsopen", b"tmpfs", 0)
""",
    "looking into processes": """
call("ptrace", 16, os.getppid(), 0, 0); call("process_vm_readv", BYSTANDER, 0, 0, 0, 0, 0)
refused("memory of others", lambda: open(f"/proc/{BYSTANDER}/mem", "rb"))
refused("environment of the grader", lambda: open(f"/proc/{OUTSIDE}/environ", "rb").read())
""",
    "bpf, io_uring, keyctl, modules": """
call("bpf", 0, 0, 0); call("io_uring_setup", 1, 0); call("keyctl", 0, -3, 0)
call("add_key", b"user", b"a", b"b", 1, -3); call("perf_event_open", 0, 0, -1, -1, 0)
call("userfaultfd", 0); call("finit_module", 0, b"", 0); call("memfd_create", b"a", 0)
""",
    "kill(1)": """
refused("kill(1)", lambda: os.kill(1, signal.SIGKILL)) if os.getpid() > 99 else None
try:
    os.kill(1, signal.SIGKILL)  # of name spaces of its own: the kernel ignores it
except OSError:
    pass
time.sleep(0.2)
say("refused: still here")
""",
    # Only tried on all where one bystander cannot be reached: else it would end the session.
    "kill(-1)": """
try:
    os.kill(BYSTANDER, 0)
    say("a process outside can be signalled: got through")
except OSError as error:
    say(f"refused: {error}")
    os.kill(-1, signal.SIGKILL)
""",
    "network": """
def connect(kind, address):
    with socket.socket(kind) as s:
        s.settimeout(3)
        s.connect(address)
        return address
refused("a host outside", lambda: connect(socket.AF_INET, ("192.0.2.1", 80)))
refused("loopback", lambda: connect(socket.AF_INET, ("127.0.0.1", PORT)))
refused("an abstract socket", lambda: connect(socket.AF_UNIX, "\\0" + MARK))
refused("a socket with a path", lambda: connect(socket.AF_UNIX, SOCKET_PATH))
""",
    "reading": """
def see(path):
    if not os.path.isdir(path):
        return open(path, "rb").read(9)
    if os.listdir(path) not in ([], ["grading"]):  # the way to the worker's own files
        return os.listdir(path)
    raise PermissionError("empty")
for path in SECRETS:
    refused(path, lambda: see(path))
""",
    "writing outside": """
for folder in WRITABLE:
    refused(folder, lambda: open(os.path.join(folder, MARK), "w").write("x"))
refused("new mode of Python", lambda: os.chmod(sys.executable, 0o777))
refused("new mode of a folder", lambda: os.chmod(os.path.dirname(os.__file__), 0o777))
refused("limits of the grader", lambda: __import__("resource").prlimit(OUTSIDE, 7, (1, 1)))
""",
    "fork bomb": """
count = 0
try:
    while count < 300:
        if os.fork() == 0:
            os.setsid()
            time.sleep(60)
            os._exit(0)
        count += 1
except OSError:
    pass
time.sleep(0.3)
say(f"refused after {count}" if count < LIMIT else f"{count} processes: got through")
""",
    "busy forks": """
for _ in range(4):
    if os.fork() == 0:
        os.setsid()
        while True:
            try:
                if os.fork():
                    os._exit(0)
            except OSError:
                pass
time.sleep(0.3)
say("refused: the tree must be gone soon")
""",
    "memory bomb": """
blocks = []
for _ in range(60):
    blocks.append(bytearray(100 * 2**20))
    for i in range(0, len(blocks[-1]), 4096):
        blocks[-1][i] = 1
say("6 GB: got through")
""",
    "memory of many processes": """
for _ in range(8):
    if os.fork() == 0:
        block = bytearray(100 * 2**20)
        for i in range(0, len(block), 4096):
            block[i] = 1
        time.sleep(60)
time.sleep(5)
say("800 MB: got through")
""",
    "5 GB in one file": """
def write():
    with open(os.path.join(os.environ["TMPDIR"], "big"), "wb") as file:
        for _ in range(5000):
            file.write(bytes(2**20))
            file.flush()
refused("a big file", write)
""",
    "5 GB in many files": """
def write():
    for i in range(500):
        with open(os.path.join(os.environ["TMPDIR"], str(i)), "wb") as file:
            for _ in range(10):
                file.write(bytes(2**20))
                file.flush()
refused("many big files", write)
""",
}


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
    left = [place for place in _folders() if os.path.exists(f"{place}/{names_inside['MARK']}")]
    if left or (folder and os.path.exists(folder) and not box.folder):
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
