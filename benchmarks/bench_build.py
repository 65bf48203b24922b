"""Seconds of `make book`: cold (nothing executed, nothing built) and again with nothing changed."""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GOAL_COLD_S = 300


def seconds(output):
    """Build into a folder of its own; return how long it took."""
    command = [sys.executable, str(ROOT / "tools" / "build_book.py"), "--output", str(output)]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"the book does not build:\n{done.stdout}{done.stderr}")
    return time.perf_counter() - start


def main():
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "_build"
        cold, unchanged = seconds(output), seconds(output)
        size = sum(p.stat().st_size for p in (output / "html").rglob("*") if p.is_file())
    print(f"{'make book':<30} {'seconds':>9} {'goal':>9}")
    print(f"{'cold, two chapters at a time':<30} {cold:9.1f} {GOAL_COLD_S:9d}")
    print(f"{'nothing changed':<30} {unchanged:9.1f} {'quick':>9}")
    print(f"size of the site: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
