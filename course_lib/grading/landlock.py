"""Landlock by its three system calls: a process gives up what it may do with files, for ever.

Needs no rights and no name spaces. Domains stack: a process in an inner one cannot signal or look
into a process that is only in the outer one. Standard library only, because the launcher imports
this file before NumPy is in sight.
"""

import ctypes
import os
import struct

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same on every kind of machine
SIGNALS_ABI = 6  # Linux 6.12: the first that keeps signals inside
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
REFER, TRUNCATE, IOCTL_DEVICE = 1 << 13, 1 << 14, 1 << 15
ALL_FILES, ALL_NETWORK, ALL_SCOPES = (1 << 16) - 1, 0b11, 0b11  # as of ABI 6
ON_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEVICE
READ = EXECUTE | READ_FILE | READ_DIR
# Everything in the private folder but device files.
WRITE = ALL_FILES & ~(IOCTL_DEVICE | 1 << 6 | 1 << 11)

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long


def _call(what, result):
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"{what}: {os.strerror(error)}")
    return result


def _prctl(what, *numbers):
    numbers = [ctypes.c_ulong(number) for number in numbers]
    _call(what, _libc.prctl(*numbers, *[ctypes.c_ulong(0)] * (5 - len(numbers))))


def version():
    """Return the kernel's Landlock ABI; 0 if it has none, or none switched on."""
    return max(0, _libc.syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint(1)))


def restrict(rules, files=ALL_FILES, network=ALL_NETWORK, scopes=ALL_SCOPES):
    """Put this process, and all that it starts, into a new domain.

    Parameters
    ----------
    rules : list of (str, int)
        Paths and what may be done at and below them; a path that does not exist is left out.
    files, network, scopes : int
        What is refused where no rule allows it.

    Raises
    ------
    OSError
        If the kernel does not do it: nothing may be started then.
    """
    size = ctypes.c_size_t(24)
    attributes = struct.pack("=QQQ", files, network, scopes)
    create = _libc.syscall(CREATE_RULESET, attributes, size, ctypes.c_uint(0))
    ruleset = _call("landlock_create_ruleset", create)
    for path, rights in rules:
        try:
            place = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except FileNotFoundError:
            continue
        if not os.path.isdir(path):
            rights &= ON_A_FILE
        rule = struct.pack("=Qi", rights & files, place)
        add = _libc.syscall(ADD_RULE, ruleset, ctypes.c_int(1), rule, ctypes.c_uint(0))
        _call(f"landlock_add_rule {path}", add)
        os.close(place)
    forget_privileges()
    _call("landlock_restrict_self", _libc.syscall(RESTRICT_SELF, ruleset, ctypes.c_uint(0)))
    os.close(ruleset)


def forget_privileges():
    """From now on, starting a program gives no rights, whatever its file says."""
    _prctl("prctl(PR_SET_NO_NEW_PRIVS)", PR_SET_NO_NEW_PRIVS, 1)


def filter_calls(program):
    """Put a filter of system calls before this process and all that it starts.

    Parameters
    ----------
    program : bytes
        Made by :func:`seccomp.filter_program`.
    """
    memory = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("@HP", len(program) // 8, ctypes.addressof(memory))
    buffer = ctypes.create_string_buffer(head, len(head))
    where = ctypes.addressof(buffer)
    _prctl("prctl(PR_SET_SECCOMP)", PR_SET_SECCOMP, SECCOMP_MODE_FILTER, where)


def adopt_orphans():
    """Make this process the parent of all its descendants that lose theirs."""
    _prctl("prctl(PR_SET_CHILD_SUBREAPER)", 36, 1)


def change_user(uid, keep_reading):
    """Become an unprivileged user.

    Parameters
    ----------
    uid : int
    keep_reading : bool
        Keep the right to read any file (CAP_DAC_READ_SEARCH): for a Python below /root, which
        others may not enter; the domain then says which files.
    """
    if keep_reading:
        _prctl("prctl(PR_SET_KEEPCAPS)", 8, 1)
    os.setgroups([])
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)
    if keep_reading:
        capability = 2
        head = struct.pack("=Ii", 0x20080522, 0)
        _call("capset", _libc.capset(head, struct.pack("=6I", *[1 << capability] * 3, 0, 0, 0)))
        _prctl("prctl(PR_CAP_AMBIENT)", 47, 2, capability)
