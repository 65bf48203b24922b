"""Verbs of `course-grade` from results to marks: status, review, feedback, export, stats.

Modules are imported inside the verbs, so that --help answers at once.
"""

from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from course_lib.grading import terminal
from course_lib.grading.options import (
    json_option,
    name_argument,
    only_option,
    work_option,
    workspace_for,
)
from course_lib.grading.terminal import ATTENTION, FINE, say


@click.command()
@name_argument
@work_option
@json_option
def status(name, work, as_json):
    """Say of each student what is handed in, graded and reviewed."""
    from course_lib.grading import gradebook

    workspace = workspace_for(work, name)
    rows = gradebook.rows(workspace, name)
    counts = {state: sum(row.state == state for row in rows) for state in gradebook.STATES}
    counts = {state: count for state, count in counts.items() if count}
    lines = terminal.columns([_TITLES, *map(_cells, rows)])
    lines.append(", ".join(f"{count} {state}" for state, count in counts.items()))
    lines += [
        f"Next: {step.format(name=name)}" for state, step in _STEPS.items() if state in counts
    ]
    table = {"name": name, "counts": counts, "students": list(map(asdict, rows))}
    terminal.show(table, as_json, lines)
    return ATTENTION if gradebook.INFRASTRUCTURE in counts else FINE


_TITLES = ("student", "submitted", "automatic", "manual", "late", "total", "state")

_STEPS = {
    "infrastructure error": "mend the cause that `course-grade run {name}` names",
    "not run": "`course-grade run {name}`",
    "awaiting review": "`course-grade review {name}`",
    "stale review": "`course-grade review {name}`: new submissions came after the marks",
    "lateness unknown": "say in late.csv when these came",
}


def _cells(row):
    given = [mark.points for mark in row.manual.values() if mark and mark.points is not None]
    return (
        row.student,
        _minute(row.submitted) if row.submitted else "-",
        "-" if row.auto is None else f"{row.auto:g} of {row.auto_max:g}",
        f"{sum(given):g}" if given else "-",
        "?" if row.late_percent is None else f"{row.late_percent:g} %",
        "-" if row.total is None else f"{row.total:g} of {row.max:g}",
        row.state,
    )


def _minute(time):
    return f"{datetime.fromisoformat(time).astimezone(UTC):%Y-%m-%d %H:%M} UTC"


@click.command()
@name_argument
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="0: any free one.")
@click.option("--anonymous", is_flag=True, help="Show no names, in an order that tells none.")
@click.option("--browser/--no-browser", default=True, help="Open the page.")
@click.option("--marker", default="", help="Who marks; by default your login name.")
@work_option
def review(name, port, anonymous, browser, marker, work):
    """Mark written answers on a page of this computer."""
    from course_lib.grading import review

    workspace = workspace_for(work, name)
    review.serve(workspace, name, port, anonymous, browser, marker, say=say)
    return FINE


@click.command()
@name_argument
@only_option
@work_option
@json_option
def feedback(name, only, work, as_json):
    """Write a page for each student with points, reasons and comments."""
    from course_lib.grading import feedback

    workspace = workspace_for(work, name)
    with terminal.progress("Feedback") as progress:
        paths = feedback.write(workspace, name, only, progress)
    folder = workspace.path(name, "feedback")
    terminal.show({"files": paths}, as_json, [f"Written: {len(paths)} pages in {folder}"])
    return FINE


@click.command()
@name_argument
@click.option("--to", type=click.Choice(["canvas", "moodle", "csv", "json"]), required=True)
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="File; by default in WORK/NAME."
)
@click.option("--allow-unreviewed", is_flag=True, help="Export although answers are unmarked.")
@work_option
@json_option
def export(name, to, out, allow_unreviewed, work, as_json):
    """Write the grades for the learning platform."""
    from course_lib.grading import export

    workspace = workspace_for(work, name)
    try:
        path = export.export(workspace, name, to, out, allow_unreviewed)
    except export.ExportRefused as error:
        for line in str(error).splitlines():
            say(f"course-grade: {line}", err=True)
        return ATTENTION
    terminal.show({"file": path}, as_json, [f"Written: {path}"])
    return FINE


@click.command()
@name_argument
@work_option
@json_option
def stats(name, work, as_json):
    """Show how hard each question was, and draw it."""
    from course_lib.grading import stats

    workspace = workspace_for(work, name)
    text, path = stats.write(workspace, name)
    table = stats.table(workspace, name) | {"file": path} if as_json else None
    terminal.show(table, as_json, [*text.splitlines(), f"Written: {path}"])
    return FINE
