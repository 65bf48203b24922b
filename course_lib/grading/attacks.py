"""What the doctor tries inside a sandbox: a few lines of Python each, which say what happened.

A line that begins with "refused" is good; every other line, or none, is a hole.
"""

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

# name: code. The names in capitals are filled in by the doctor.
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
refused("the hypervisor", lambda: socket.socket(40, socket.SOCK_STREAM))
refused("a host outside", lambda: connect(socket.AF_INET, ("192.0.2.1", 80)))
refused("loopback", lambda: connect(socket.AF_INET, ("127.0.0.1", PORT)))
refused("an abstract socket", lambda: connect(socket.AF_UNIX, "\\0" + MARK))
refused("a socket with a path", lambda: connect(socket.AF_UNIX, SOCKET_PATH))
""",
    "reading": """
def see(path):
    if not os.path.isdir(path):
        return open(path, "rb").read(9)
    return os.listdir(path)
for path in SECRETS:
    refused(path, lambda: see(path))
""",
    "writing outside": """
for folder in WRITABLE:
    refused(folder, lambda: open(os.path.join(folder, MARK), "w").write("x"))
for action in (lambda: os.chmod(CANARY, 0o777), lambda: os.utime(CANARY, (0, 0))):
    try:  # may pretend to succeed: the other side looks at the file
        action()
    except OSError:
        pass
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
    "memory that counts for nobody": """
import mmap
call("shmget", 0, 4096, 0o1600); call("semget", 0, 1, 0o1600); call("msgget", 0, 0o1600)
refused("shared memory without a file", lambda: mmap.mmap(-1, 4096))
refused("shared zeros", lambda: mmap.mmap(os.open("/dev/zero", os.O_RDWR), 4096))
""",
    "memory of a process that hides": """
libc.prctl(4, 0, 0, 0, 0)
block = bytearray(1000 * 2**20)
for i in range(0, len(block), 4096):
    block[i] = 1
time.sleep(5)
say("1 GB: got through")
""",
    "files in folders that hide": """
def write():
    for i in range(100):
        folder = os.path.join(os.environ["TMPDIR"], str(i))
        os.mkdir(folder, 0o300)
        with open(os.path.join(folder, "big"), "wb") as file:
            for _ in range(10):
                file.write(bytes(2**20))
                file.flush()
    time.sleep(2)
refused("files that cannot be listed", write)
""",
    "files too deep for a path": """
def write():
    os.chdir(os.environ["TMPDIR"])
    for _ in range(20):
        os.mkdir("d" * 250)
        os.chdir("d" * 250)
    for i in range(100):
        with open(str(i), "wb") as file:
            for _ in range(10):
                file.write(bytes(2**20))
                file.flush()
    time.sleep(2)
refused("files too deep", write)
""",
    "deleted files on their way": """
def write():
    pair = socket.socketpair()
    for i in range(20):
        path = os.path.join(os.environ["TMPDIR"], str(i))
        file = os.open(path, os.O_RDWR | os.O_CREAT)
        os.unlink(path)
        for _ in range(10):
            os.write(file, bytes(2**20))
        socket.send_fds(pair[0], [b"x"], [file])
        os.close(file)
    time.sleep(2)
refused("deleted files", write)
""",
    "deleted files in memory": """
def write():
    libc.mmap.restype = ctypes.c_void_p
    for i in range(100):
        path = os.path.join(os.environ["TMPDIR"], str(i))
        file = os.open(path, os.O_RDWR | os.O_CREAT)
        os.unlink(path)
        size = sum(os.write(file, bytes(2**20)) for _ in range(10))
        libc.mmap(None, ctypes.c_size_t(size), 1, 1, file, ctypes.c_long(0))
        os.close(file)
    time.sleep(2)
refused("deleted files", write)
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
