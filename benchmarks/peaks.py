"""How much memory the processes below this one take at most, watched while they run."""

import contextlib
import os
import threading
from pathlib import Path

from course_lib.grading import watch


class Peaks(threading.Thread):
    """Largest memory of each grading process below this one, in MB, by process number.

    ``sandboxed`` has the same of what ran in the sandboxes.
    """

    def __init__(self):
        super().__init__(daemon=True)
        self.megabytes, self.sandboxed, self.over = {}, {}, threading.Event()

    def run(self):
        while not self.over.wait(0.1):
            for pid in watch.descendants(os.getpid()):
                with contextlib.suppress(OSError, ValueError, StopIteration):
                    ours = b"course_lib.grading" in Path(f"/proc/{pid}/cmdline").read_bytes()
                    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
                    peak = next(line for line in lines if line.startswith("VmHWM"))
                    table = self.megabytes if ours else self.sandboxed
                    table[pid] = int(peak.split()[1]) / 1024
