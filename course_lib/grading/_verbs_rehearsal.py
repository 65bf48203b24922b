"""The verb of `course-grade` that makes a class up: rehearse."""

from pathlib import Path

import click

from course_lib.grading import terminal
from course_lib.grading.options import json_option
from course_lib.grading.terminal import FINE


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--students",
    type=click.IntRange(6, 1000),
    default=20,
    show_default=True,
    help="How many; of each twenty 6 are strong, 6 middling, 3 weak, 2 late, 2 broken, 1 hostile.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Which class.")
@click.option(
    "--assignments",
    "home",
    default="assignments",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of one assignment, or of several, taken in alphabetical order.",
)
@json_option
def rehearse(folder, students, seed, home, as_json):
    """Make a class up in the new FOLDER, with its known marks."""
    from course_lib.grading import rehearsal

    sources = [path.parent for path in sorted(home.glob("*/assignment.md"))]
    if (home / "assignment.md").is_file():
        sources = [home]
    if not sources:
        raise click.UsageError(f"{home} holds no assignment; name another folder.")
    with terminal.progress("Make up") as progress:
        names = rehearsal.write(folder, sources, students, seed, progress)
    known = folder / rehearsal.KNOWN
    lines = [
        f"Made up: {students} students, {len(names)} assignments; what each must get: {known}",
        f"Next, for each of {', '.join(names)}:",
        *(f"  course-grade {step}" for step in _steps(folder)),
        "  then run, review, feedback and export as ever",
        f"with `export COURSE_GRADE_WORK={folder}` or --work {folder}",
    ]
    table = {"folder": folder, "students": students, "assignments": names, "known": known}
    terminal.show(table, as_json, lines)
    return FINE


def _steps(folder):
    return (
        f"release {folder}/assignments/NAME",
        f"collect NAME {folder}/downloads/NAME.zip --from moodle",
    )
