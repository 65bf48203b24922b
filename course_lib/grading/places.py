"""What a sandbox sees: Python and its packages, the two files of the worker, nothing of ours."""

import os
import socket
import stat
import sys
import sysconfig
from functools import cache
from pathlib import Path

from course_lib.grading import landlock
from course_lib.grading.limits import MB

HERE = Path(__file__).resolve().parent
# Programs that run inside. course_lib itself stays out: it holds reference solutions.
INSIDE = [HERE / name for name in ("launch.py", "landlock.py", "worker.py", "codec.py")]
SYSTEM = "/lib /lib64 /usr/lib /usr/lib64 /usr/share/zoneinfo /etc/ld.so.cache /etc/localtime"
SYSTEM = [Path(name) for name in SYSTEM.split()]
PREFIX, BASE = Path(sys.prefix).resolve(), Path(sys.base_prefix).resolve()
PYTHON = str(PREFIX / "bin" / Path(sys.executable).name)
HOME, CODE = "/tmp/home", "/grader"  # inside bubblewrap
FIRST_UID, SLOTS = 60_000, 400


@cache
def python_places():
    """Return the paths of Python: the program, its library, its environment's packages."""
    places = [Path(PYTHON), Path(PYTHON).resolve(), PREFIX / "pyvenv.cfg"]
    places += [top / name for top in (BASE, PREFIX) for name in ("lib", "lib64")]
    return list(dict.fromkeys(place for place in places if place.exists()))


def worker_command(limits):
    """Return the command that runs the worker, for :func:`sandbox.start`.

    Without site: its .pth files would cost 30 ms, and link to our own library.

    Parameters
    ----------
    limits : Limits

    Returns
    -------
    argv : list of str
    """
    packages = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
    packages = [os.path.realpath(path) for path in packages]
    worker = str(HERE / "worker.py")
    return [sys.executable, "-I", "-S", worker, str(1024 * limits.output_kb), *packages]


@cache
def hidden_places():
    """Return copies of this library among the packages: installed, not linked.

    Returns
    -------
    places : list of Path
    """
    paths = {sysconfig.get_path(name) for name in ("purelib", "platlib")}
    paths |= {str(Path(sysconfig.get_path("stdlib")) / "site-packages")}
    copies = [Path(path).resolve() / "course_lib" for path in paths]
    return sorted(copy for copy in copies if copy.is_dir())


def inside(kind, part):
    """Return an argument of a command as it reads inside."""
    if part == sys.executable:
        return PYTHON
    if kind == "bubblewrap" and Path(part) in INSIDE:
        return f"{CODE}/{Path(part).name}"  # where our files lie outside is nobody's business
    return str(part)


@cache
def open_to_all():
    """Tell whether an unprivileged user can reach Python and the worker's files."""
    for place in [*python_places(), HERE]:
        for parent in place.resolve().parents:
            if not parent.stat().st_mode & stat.S_IXOTH:
                return False
    return True


def environment(home):
    """Return the environment variables inside: none of the grader's."""
    single = ("OMP", "OPENBLAS", "MKL", "NUMEXPR")
    return {
        "PATH": "/usr/bin:/bin",
        "HOME": home,
        "TMPDIR": home,
        "IPYTHONDIR": f"{home}/.ipython",
        "MPLCONFIGDIR": f"{home}/.matplotlib",
        "MPLBACKEND": "agg",
        "LANG": "C.UTF-8",
        "PYTHONHASHSEED": "0",  # the same marks on every run
        "PYTHONDONTWRITEBYTECODE": "1",
        # One submission, one core; and threads count as processes.
        **{f"{name}_NUM_THREADS": "1" for name in single},
    }


def bubblewrap(limits, data_dir, root):
    """Return the command line of bubblewrap up to the filter.

    Root needs no user name space, and keeps the two rights with which the launcher becomes
    another user: limits on processes do not bind root.

    Parameters
    ----------
    limits : Limits
    data_dir : path or None
    root : bool
        Whether root starts it.

    Returns
    -------
    command : list of str
    """
    size = str(limits.tmp_mb * MB)
    command = "bwrap --die-with-parent --new-session --unshare-ipc --unshare-pid --unshare-net"
    command = [*command.split(), "--unshare-uts", "--unshare-cgroup-try", "--cap-drop", "ALL"]
    if root:
        command += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        command += ["--unshare-user", "--disable-userns"]
    # A shared mapping of /dev/zero is memory that no process need show as its own.
    command += ["--proc", "/proc", "--dev", "/dev", "--ro-bind", "/dev/null", "/dev/zero"]
    command += ["--remount-ro", "/dev"]
    command += ["--perms", "1777", "--size", size, "--tmpfs", "/dev/shm"]
    command += ["--perms", "1777", "--size", size, "--tmpfs", "/tmp"]
    command += ["--perms", "1777", "--dir", HOME, "--dir", CODE]
    places = [place for place in SYSTEM if place.exists()] + python_places()
    # Made first, or bubblewrap makes the ones below a closed folder like /root closed as well.
    for parent in sorted({parent for place in places for parent in place.parents} - {Path("/")}):
        command += ["--dir", str(parent)]
    for place in places:
        if place.is_symlink() and place.is_dir():  # /lib, lib64: one place, so that hiding works
            command += ["--symlink", os.readlink(place), str(place)]
        else:
            command += ["--ro-bind", str(place), str(place)]
    for place in INSIDE:
        command += ["--ro-bind-try", str(place), f"{CODE}/{place.name}"]
    for place in hidden_places():
        command += ["--tmpfs", str(place), "--remount-ro", str(place)]
    if data_dir:
        command += ["--ro-bind", os.path.realpath(data_dir), f"{HOME}/data"]
    return [*command, "--remount-ro", "/"]


def landlock_rules(folder, data_dir):
    """Return the paths that can be used under Landlock, each with what may be done there.

    Parameters
    ----------
    folder : str
        The private folder, which can be written.
    data_dir : path or None

    Returns
    -------
    rules : list of (str, int)
        For :func:`landlock.restrict`.
    """
    hidden = hidden_places()
    # OpenBLAS and PyTorch look at the processor.
    places = [*SYSTEM, *INSIDE, *python_places(), Path("/proc/cpuinfo")]
    places += [Path("/sys/devices/system/cpu"), Path("/dev/zero"), Path("/dev/urandom")]
    rules = [rule for place in places for rule in _around(place.resolve(), hidden)]
    rules = [(str(path), rights) for path, rights in rules]
    rules += [("/dev/null", landlock.READ_FILE | landlock.WRITE_FILE), (folder, landlock.WRITE)]
    return rules + ([(os.path.realpath(data_dir), landlock.READ)] if data_dir else [])


def _around(place, hidden):
    """Rules for a folder without what is hidden in it; names of files there can be listed."""
    if place in hidden:
        return []
    if not any(place in path.parents for path in hidden):
        return [(place, landlock.READ)]
    children = [child for child in place.iterdir() if not child.is_symlink()]
    inner = [rule for child in children for rule in _around(child, hidden)]
    return [(place, landlock.READ_DIR), *inner]


class Slot:
    """A user number that no other sandbox of this machine uses now.

    Held by the name of an abstract socket, which the kernel takes back however we end.
    """

    def __init__(self):
        for uid in range(FIRST_UID, FIRST_UID + SLOTS):
            self._lock = socket.socket(socket.AF_UNIX)
            try:
                self._lock.bind(f"\0state-by-state-sandbox-{uid}")
            except OSError:
                self._lock.close()
                continue
            self.uid = uid
            return
        raise OSError(f"all {SLOTS} users for sandboxes are taken")

    def release(self):
        """Let another sandbox have the number."""
        self._lock.close()
