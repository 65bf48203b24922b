"""Seconds of `make book`: cold (nothing executed, nothing built) and again with nothing changed.

The seconds of each chapter are those of the cold build, where two run at a time on two cores.
"""

import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
GOAL_COLD_S = 300
GOAL_CHAPTER_S, GOAL_TRAINING_S = 30, 60  # the larger one where the page says that it trains longer


def seconds(output):
    """Build into a folder of its own; return how long it took, and the seconds of each chapter."""
    command = [sys.executable, str(ROOT / "tools" / "build_book.py"), "--output", str(output)]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"the book does not build:\n{done.stdout}{done.stderr}")
    chapters = {
        name: float(took) for name, took in re.findall(r"(\d\d_\w+) ran in ([\d.]+) s", done.stdout)
    }
    return time.perf_counter() - start, chapters


def goal_of(chapter):
    """Longer where the chapter says, before its first box, how many seconds it takes to run."""
    source = (ROOT / "book" / "chapters" / f"{chapter}.md").read_text(encoding="utf-8")
    facts = source.split("**Time:**", 1)[1].split(":::", 1)[0]
    return GOAL_TRAINING_S if "seconds" in facts else GOAL_CHAPTER_S


def main():
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "_build"
        cold, chapters = seconds(output)
        unchanged, _ = seconds(output)
        size = sum(p.stat().st_size for p in (output / "html").rglob("*") if p.is_file())
    print(f"{'make book':<30} {'seconds':>9} {'goal':>9}")
    print(f"{'cold, two chapters at a time':<30} {cold:9.1f} {GOAL_COLD_S:9d}")
    print(f"{'nothing changed':<30} {unchanged:9.1f} {'quick':>9}")
    for chapter, took in sorted(chapters.items()):
        print(f"{chapter:<30} {took:9.1f} {goal_of(chapter):9d}")
    print(f"size of the site: {size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
