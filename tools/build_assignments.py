"""Write the notebooks and data that students download into book/assignments, from assignments/.

Only the released half: no solution, no hidden check. After a change to an assignment or to what
check cells need, run `.venv/bin/python tools/build_assignments.py` and commit what it wrote.
"""

import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main():
    """Build every assignment and print the files that changed."""
    sys.path.insert(0, str(ROOT))
    from course_lib.grading import assignment, bundle

    for folder in sorted(path.parent for path in ROOT.glob("assignments/*/assignment.md")):
        with tempfile.TemporaryDirectory() as space:
            bundle.build(assignment.read(folder), space)
            released = Path(space) / "release"
            paths = sorted(path for path in released.rglob("*") if path.is_file())
            files = {path.relative_to(released): path.read_bytes() for path in paths}
        for name, fresh in files.items():
            target = ROOT / "book" / "assignments" / name
            if not target.exists() or target.read_bytes() != fresh:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(fresh)
                print(f"wrote {target.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
