"""The list of system calls that student code may not make, as a filter program for the kernel.

Everything that enters other name spaces, mounts, loads code into the kernel, looks into other
processes, or has a long record of holes in the kernel and no use in a notebook, fails with EPERM.
The program is classic BPF, a few hundred instructions: load the number, compare, answer.

Numbers are those of Linux's tables for x86_64 and for aarch64 (the generic table).
"""

import platform
import struct
from functools import cache

# name: (number on x86_64, number on aarch64); None where the call does not exist
DENIED = {
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "unshare": (272, 97),
    "setns": (308, 268),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "reboot": (169, 142),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "acct": (163, 89),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "syslog": (103, 116),
    "vhangup": (153, 58),
    "lookup_dcookie": (212, 18),
    "iopl": (172, None),
    "ioperm": (173, None),
    "modify_ldt": (154, None),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    # Memory that no process shows as its own.
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
}
# Where only Landlock stands around the student, whose process then has the user, the process
# numbers and the files of others before it: what Landlock does not look at. These do nothing and
# say that they did, because copying a file ends with one of them.
PRETENDED_WITHOUT_NAMESPACES = {
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "setxattrat": (463, 463),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "removexattrat": (466, 466),
    "file_setattr": (469, 469),
}
DENIED_WITHOUT_NAMESPACES = {
    "mq_open": (240, 180),
    # A file descriptor on its way is in no process' table: a deleted file would count nowhere.
    "sendmsg": (46, 211),
    "sendmmsg": (307, 269),
    "setpriority": (141, 140),
    "sched_setparam": (142, 118),
    "sched_setscheduler": (144, 119),
    "sched_setattr": (314, 274),
    "ioprio_set": (251, 30),
}
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}
CLONE, CLONE3 = (56, 220), (435, 435)
SOCKET, SOCKETPAIR = (41, 198), (53, 199)
# Local, IPv4, IPv6, routes: bound to a network name space, unlike those to the hypervisor (vsock).
SAFE_FAMILIES = (1, 2, 10, 16)
LIMITS_OF_OTHERS = ((302, 261), (203, 122))  # prlimit64, sched_setaffinity: first a process
CLONE_NEW = 0x7E020000  # every flag that asks for a new name space
SOCK_STREAM, SOCK_TYPE = 1, 0xF
MMAP, SHARED_WITHOUT_FILE = (9, 222), 0x21  # MAP_SHARED | MAP_ANONYMOUS

EPERM, ENOSYS = 1, 38
LOAD, EQUAL, AT_LEAST, ANY_BIT, AND, RETURN = 0x20, 0x15, 0x35, 0x45, 0x54, 0x06
ALLOW, KILL, ERROR = 0x7FFF0000, 0x80000000, 0x00050000
# Places in the kernel's struct seccomp_data.
NUMBER, MACHINE, ARGUMENT_0, ARGUMENT_1, ARGUMENT_3 = 0, 4, 16, 24, 40


@cache
def filter_program(machine=None, namespaces=True):
    """Return the filter as bytes, an array of the kernel's ``struct sock_filter``.

    Parameters
    ----------
    machine : str, optional
        ``x86_64`` or ``aarch64``; this machine if left out.
    namespaces : bool, default=True
        False where no name spaces separate the process from others: also refuses all sockets but
        pairs of streams, new file modes and owners, shared memory, and the limits of others.

    Returns
    -------
    program : bytes
        For ``PR_SET_SECCOMP`` or for bubblewrap's ``--seccomp``.

    Raises
    ------
    ValueError
        If the numbers of this kind of machine are not known here.
    """
    machine = machine or platform.machine()
    if machine not in MACHINES:
        raise ValueError(f"machine must be one of {', '.join(MACHINES)}, got {machine!r}")
    k, audit = MACHINES[machine]
    # (code, jump if true, jump if false, number)
    lines = [(LOAD, 0, 0, MACHINE), (EQUAL, 1, 0, audit), (RETURN, 0, 0, KILL)]
    lines += [(LOAD, 0, 0, NUMBER)]
    if machine == "x86_64":  # the x32 table has other numbers for the same calls
        lines += [(AT_LEAST, 0, 1, 0x40000000), (RETURN, 0, 0, ERROR | EPERM)]
    for numbers in (DENIED if namespaces else DENIED | DENIED_WITHOUT_NAMESPACES).values():
        if numbers[k] is not None:
            lines += [(EQUAL, 0, 1, numbers[k]), (RETURN, 0, 0, ERROR | EPERM)]
    for numbers in () if namespaces else PRETENDED_WITHOUT_NAMESPACES.values():
        if numbers[k] is not None:
            lines += [(EQUAL, 0, 1, numbers[k]), (RETURN, 0, 0, ERROR)]
    # clone3 hides its flags in memory; ENOSYS makes the C library use clone, whose flags show.
    lines += [(EQUAL, 0, 1, CLONE3[k]), (RETURN, 0, 0, ERROR | ENOSYS)]
    # Shared memory without a file stays when no process shows it any more.
    lines += [(EQUAL, 0, 5, MMAP[k]), (LOAD, 0, 0, ARGUMENT_3), (AND, 0, 0, SHARED_WITHOUT_FILE)]
    lines += [(EQUAL, 0, 1, SHARED_WITHOUT_FILE), (RETURN, 0, 0, ERROR | EPERM)]
    lines += [(RETURN, 0, 0, ALLOW)]
    lines += [(EQUAL, 0, 4, CLONE[k]), (LOAD, 0, 0, ARGUMENT_0)]
    lines += [(ANY_BIT, 0, 1, CLONE_NEW), (RETURN, 0, 0, ERROR | EPERM), (RETURN, 0, 0, ALLOW)]
    lines += [(EQUAL, 0, 3 + len(SAFE_FAMILIES), SOCKET[k]), (LOAD, 0, 0, ARGUMENT_0)]
    for n, family in enumerate(SAFE_FAMILIES):
        # Without name spaces none: those with a path are doors to the user's other programs
        # (D-Bus, Docker, SSH agent).
        lines += [(EQUAL, len(SAFE_FAMILIES) - n if namespaces else 0, 0, family)]
    lines += [(RETURN, 0, 0, ERROR | EPERM), (RETURN, 0, 0, ALLOW)]
    if not namespaces:
        for numbers in LIMITS_OF_OTHERS:  # 0 is the caller itself
            lines += [(EQUAL, 0, 4, numbers[k]), (LOAD, 0, 0, ARGUMENT_0)]
            lines += [(EQUAL, 1, 0, 0), (RETURN, 0, 0, ERROR | EPERM), (RETURN, 0, 0, ALLOW)]
        # A pair of datagram sockets can be turned to any address, one of streams cannot.
        lines += [(EQUAL, 0, 4, SOCKETPAIR[k]), (LOAD, 0, 0, ARGUMENT_1), (AND, 0, 0, SOCK_TYPE)]
        lines += [(EQUAL, 1, 0, SOCK_STREAM), (RETURN, 0, 0, ERROR | EPERM)]
    lines += [(RETURN, 0, 0, ALLOW)]
    return b"".join(struct.pack("=HBBI", *line) for line in lines)
