"""The first program inside a sandbox: sets the limits, shuts the doors, starts the worker.

Runs by its path, with the standard library only. Inside bubblewrap it becomes the worker. With
Landlock, which has no process numbers of its own, it stays as the keeper: it adopts every orphan,
and when the grader closes the control pipe, dies, or the worker ends, it leaves no process alive.
"""

import fcntl
import importlib
import marshal
import os
import resource
import select
import sys

READ, WRITE = 3, 4  # the worker's ends of the two pipes
SIGKILL = 9  # importing signal, json or shutil would cost as much as starting Python does


def main():
    """Read what to do from standard input, and do it."""
    with open(0, "rb") as said:
        spec = marshal.loads(said.read())
    os.open("/dev/null", os.O_RDONLY)  # in its place, 0
    if spec["kind"] == "bubblewrap":
        if spec["uid"] is not None:
            os.setgroups([])
            os.setresgid(*[spec["uid"]] * 3)
            os.setresuid(*[spec["uid"]] * 3)
        enter(spec)
    else:
        sys.path.append(os.path.dirname(os.path.abspath(__file__)))
        keep(spec)


def enter(spec, landlock=None):
    """Become the worker; never returns.

    Parameters
    ----------
    spec : dict
        Made by :class:`box.Sandbox`.
    landlock : module, optional
        Imported already, because the limits are about to hold.
    """
    ends = [fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in spec["pipes"]]
    for fd, place in zip(ends, (READ, WRITE), strict=True):
        os.dup2(fd, place)
    os.closerange(WRITE + 1, 65536)
    nothing = os.open("/dev/null", os.O_RDWR)
    os.chdir(spec["home"])
    for name, value in spec["limits"].items():
        resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (value, value))
    if spec["kind"] == "landlock":
        landlock.restrict(spec["rules"])
        landlock.filter_calls(spec["filter"])
    os.write(WRITE, b"R")  # the doors are shut
    for place in (0, 1, 2):
        os.dup2(nothing, place)
    os.close(nothing)
    os.execv(spec["argv"][0], spec["argv"])


def keep(spec):
    """Start the worker as a child, wait for its end or for the grader's word, clear up.

    Parameters
    ----------
    spec : dict
        Made by :class:`box.Sandbox`.

    Raises
    ------
    OSError
        If the kernel does not keep the worker's signals inside.
    """
    landlock = importlib.import_module("landlock")  # beside this file; there is no package here
    grader, scoped = os.getppid(), spec["kind"] == "landlock"
    landlock.adopt_orphans()
    os.mkdir(spec["folder"], 0o700)
    if spec["data"]:
        os.symlink(spec["data"], spec["folder"] + "/data")
    if spec["uid"] is not None:
        os.chown(spec["folder"], spec["uid"], spec["uid"])
        landlock.change_user(spec["uid"], spec["keep_reading"])
    if scoped:
        # A domain of the keeper's own, the worker's inside it: the worker cannot signal the
        # keeper, and the keeper's kill(-1) reaches the worker's processes and nobody else's.
        # Moving files between folders is refused by every domain that does not allow it.
        landlock.restrict([("/", landlock.REFER)], files=landlock.REFER, network=0)
        try:
            os.kill(grader, 0)
        except PermissionError:
            pass
        else:
            raise OSError("signals are not kept inside the Landlock domain")
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            enter(spec, landlock)
        except BaseException as error:
            sys.stderr.write(f"{type(error).__name__}: {error}\n")
        finally:
            os._exit(125)
    for fd in spec["pipes"]:
        os.close(fd)
    status = 0
    while status == 0 and not select.select([spec["control"]], [], [], 0.02)[0]:
        status = reap(child)
    while True:  # until no child is left, nor anything that became one when its parent died
        try:
            if scoped and os.getuid() != 0:
                os.kill(-1, SIGKILL)  # all at once, so no fork can slip through
            else:
                for pid in children():
                    os.kill(pid, SIGKILL)
        except ProcessLookupError:
            pass
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            break
    remove(spec["folder"])
    os._exit(status or 1)


def children():
    """Process numbers of this process's children."""
    with open(f"/proc/self/task/{os.getpid()}/children") as file:
        return [int(pid) for pid in file.read().split()]


def remove(folder):
    """Delete the private folder; rm, because Python's own stops at a thousand levels.

    A folder that its owner may not read can be made by whoever wants to leave something behind.

    Parameters
    ----------
    folder : str
    """
    try:
        for name, option in (("rm", "-rf"), ("chmod", "-R"), ("rm", "-rf")):
            mode = ["u+rwx"] if name == "chmod" else []
            if os.path.exists(folder):
                program = [name, option, *mode, "--", folder]
                os.waitpid(os.posix_spawn(f"/bin/{name}", program, {}), 0)
    except OSError:
        import shutil

        shutil.rmtree(folder, ignore_errors=True)


def reap(child):
    """Collect who has ended.

    Parameters
    ----------
    child : int
        Process number of the worker.

    Returns
    -------
    status : int
        0 while the worker runs, then its exit status or signal, at least 1.
    """
    status = 0
    while True:
        try:
            pid, code = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return status or 1
        if pid == 0:
            return status
        if pid == child:
            status = abs(os.waitstatus_to_exitcode(code)) or 1


if __name__ == "__main__":
    main()
