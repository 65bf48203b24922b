"""Copy assignments with the numbers of another year: python assignments/vary.py NAME SEED OUT.

NAME is a folder beside this file, or `all`; the copy is OUT/NAME, ready for `course-grade release`.
The line `SEED = ...` of the notebook changes, and a script another_*.py in the folder, if there is
one, changes what else hangs on the seed. Text, points and hidden checks stay.
"""

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
LINE = re.compile(r"(?m)^SEED = \d+\b")


def vary(name, seed, out):
    """Copy one assignment to OUT/NAME with another seed.

    Parameters
    ----------
    name : str
        Of a folder beside this file.
    seed : int
        Such as the year, 0 or more.
    out : path
        Folder of the new year's assignments; made if it is missing.

    Returns
    -------
    copy : Path

    Raises
    ------
    ValueError
        If there is no such assignment, the copy exists, or nothing in it hangs on a seed.
    """
    source, copy = HERE / name, Path(out).resolve() / name
    if not (source / "assignment.md").is_file():
        raise ValueError(f"no assignment {name}; there are {', '.join(names())}")
    if copy.exists():
        raise ValueError(f"{copy} exists; name a new folder for the new year")
    shutil.copytree(source, copy, ignore=shutil.ignore_patterns("__pycache__", ".*"))
    try:
        _change(copy, seed)
    except BaseException:
        shutil.rmtree(copy)  # half a year's numbers are worse than none
        raise
    return copy


def names():
    """Return the names of all assignments beside this file."""
    return sorted(path.parent.name for path in HERE.glob("*/assignment.md"))


def _change(copy, seed):
    path, scripts = copy / "assignment.md", sorted(copy.glob("another_*.py"))
    text, changed = LINE.subn(f"SEED = {seed}", path.read_text(encoding="utf-8"))
    if changed > 1 or not (changed or scripts):
        raise ValueError(f"{path} has {changed} lines SEED = ..., expected one")
    path.write_text(text, encoding="utf-8")
    for script in scripts:
        # The original script runs: beside it is the repository, and in it the library.
        command = [sys.executable, str(HERE / copy.name / script.name), str(seed), str(copy)]
        ended = subprocess.run(command, capture_output=True, text=True)
        if ended.returncode:
            raise ValueError(f"{script.name} {seed} failed:\n{ended.stderr.strip()}")


def _seed(text):
    if not re.fullmatch(r"\d{1,9}", text):
        raise argparse.ArgumentTypeError(f"a whole number such as the year, got {text!r}")
    return int(text)


def main():
    """Copy what is asked for, and say where it is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", metavar="NAME", help=f"{', '.join(names())} or all")
    parser.add_argument("seed", metavar="SEED", type=_seed, help="such as the year")
    parser.add_argument("out", metavar="OUT", help="folder for the copies, such as ../term")
    asked = parser.parse_args()
    try:
        for name in names() if asked.name == "all" else [asked.name]:
            print(f"Made {vary(name, asked.seed, asked.out)}", flush=True)
    except ValueError as error:
        parser.exit(2, f"{error}\n")


if __name__ == "__main__":
    main()
