"""Run a long command with one moving line instead of its output.

    python tools/quietly.py LOGFILE "what it does" COMMAND [ARGUMENT ...]

The output goes to LOGFILE. If the command fails, its last lines are shown and its exit status is
passed on. Standard library only: this runs before anything is installed.
"""

import os
import re
import subprocess
import sys
import threading
import time

LAST_LINES = 30
PLAIN_INTERVAL_S = 20  # between lines where the output is not a terminal


def run(log_path, title, command, env=None, last_lines=LAST_LINES):
    """Run the command and return its exit status."""
    os.makedirs(os.path.dirname(log_path) or ".", exist_ok=True)
    start, done = time.monotonic(), threading.Event()
    print(f"{title} ...", flush=True)
    with open(log_path, "wb") as log:
        try:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, env=env
            )
        except OSError as error:
            print(f"cannot run {command[0]}: {error.strerror}", file=sys.stderr)
            return 2
        ticker = threading.Thread(target=tick, args=(title, log_path, start, done), daemon=True)
        ticker.start()
        status = process.wait()
    done.set()
    ticker.join()
    seconds = time.monotonic() - start
    if status == 0:
        print(f"{title}: done in {seconds:.0f} s", flush=True)
        return 0
    print(f"{title}: FAILED after {seconds:.0f} s. The whole story: {log_path}", file=sys.stderr)
    lines = read_lines(log_path)
    for line in lines[max(len(lines) - last_lines, 0) :]:
        print(f"    {line}", file=sys.stderr)
    return status if status > 0 else 1


def tick(title, log_path, start, done):
    """Show that the command is alive: every second on a terminal, seldom in a file."""
    terminal = sys.stdout.isatty()
    while not done.wait(1 if terminal else PLAIN_INTERVAL_S):
        lines = read_lines(log_path)
        last = lines[-1][:60] if lines else ""
        text = f"  {time.monotonic() - start:4.0f} s  {last}"
        print(f"\r\x1b[K{text}" if terminal else text, end="" if terminal else "\n", flush=True)
    if terminal:
        print("\r\x1b[K", end="", flush=True)


def read_lines(log_path):
    with open(log_path, encoding="utf-8", errors="replace") as log:
        text = re.sub(r"\x1b\[[0-9;]*[a-zA-Z]", "", log.read())  # colours
        return [line.rstrip() for line in text.splitlines() if line.strip()]


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    sys.exit(run(sys.argv[1], sys.argv[2], sys.argv[3:]))
