"""Verbs of `course-grade` from an empty folder to results: doctor, new, release, collect, run.

Modules are imported inside the verbs, so that --help answers at once.
"""

from dataclasses import asdict
from pathlib import Path

import click

from course_lib.grading import terminal
from course_lib.grading.options import (
    json_option,
    name_argument,
    only_option,
    sandbox_option,
    work_option,
    workspace_for,
)
from course_lib.grading.terminal import ATTENTION, FINE, say
from course_lib.grading.workspace import Workspace


@click.command()
@click.option("--sandbox", "kind", type=click.Choice(["bubblewrap", "landlock"]))
@json_option
def doctor(kind, as_json):
    """Try the sandboxes of this machine with attacks."""
    from course_lib.grading import doctor, sandbox
    from course_lib.grading.attacks import ATTACKS

    probes = [sandbox.probe(one) for one in ([kind] if kind else sandbox.KINDS[:2])]
    working = [probe.kind for probe in probes if probe.works]
    findings = {}
    with terminal.progress("Attacks") as progress:
        for number, one in enumerate(working):
            findings[one] = []
            for finding in doctor.attack(one):
                findings[one].append(finding)
                if progress:
                    done = number * len(ATTACKS) + len(findings[one])
                    progress(done, len(working) * len(ATTACKS))
    lines, held = [], []
    for probe in probes:
        if not probe.works:
            lines += [f"{probe.kind}: does not work ({probe.reason})", f"  {probe.remedy}"]
            continue
        lost = [finding for finding in findings[probe.kind] if not finding.held]
        total = len(findings[probe.kind])
        lines.append(f"{probe.kind}: works, {total - len(lost)} of {total} attacks refused")
        lines += [f"  {finding.name}: {finding.detail}" for finding in lost]
        held.append(not lost)
    ready = any(held) and all(held)
    lines.append("Ready to grade." if ready else "Not ready to grade.")
    table = {
        "ready": ready,
        "sandboxes": [asdict(probe) for probe in probes],
        "attacks": {one: list(map(asdict, found)) for one, found in findings.items()},
    }
    terminal.show(table, as_json, lines)
    return FINE if ready else ATTENTION


@click.command()
@click.argument("name")
@click.option(
    "--in",
    "folder",
    default="assignments",
    show_default=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Where the folder of the assignment is made.",
)
@click.option(
    "--from-nbgrader",
    "notebook",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Take text, solutions and points from this source notebook of nbgrader.",
)
@json_option
def new(name, folder, notebook, as_json):
    """Make an assignment to be filled with your own."""
    if notebook:
        from course_lib.grading import nbgrader_import

        made = nbgrader_import.convert(notebook, name, folder)
        place, todo = made.folder, list(made.todo)
    else:
        from course_lib.grading import template

        place, todo = template.new(name, folder), []
    lines = [f"Made {place}", *(f"  to do: {line}" for line in todo)]
    lines.append(f"Next: edit it, then `course-grade release {place}`")
    terminal.show({"folder": place, "todo": todo}, as_json, lines)
    return ATTENTION if todo else FINE


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--practice",
    type=click.Path(path_type=Path),
    help="New folder for notebooks of a made-up class: blank, all right and all wrong answers.",
)
@work_option
@sandbox_option
@json_option
def release(folder, practice, work, kind, as_json):
    """Test the assignment in FOLDER and release it."""
    from course_lib.grading import assignment, bundle, sandbox

    kind = sandbox.choose(kind)
    if practice and practice.exists():
        raise click.UsageError(f"{practice} exists; name a new folder for the made-up class.")
    try:
        with terminal.progress("Self-test") as progress:
            released = bundle.release(folder, Workspace(work), kind, progress)
    except bundle.ReleaseRefused as error:
        lines = [
            f"Not released, {len(error.problems)} to mend:",
            *map("  {}".format, error.problems),
        ]
        terminal.show({"released": False, "problems": list(error.problems)}, as_json, lines)
        return ATTENTION
    manifest = released.manifest
    notebook = Workspace(work).path(manifest.name, "release", f"{manifest.name}.ipynb")
    points = f"{manifest.automatic:g} points by {len(manifest.checks)} checks"
    if manifest.manual:
        points += f", {manifest.manual:g} by people"
    lines = [f"Released {manifest.name}: {points}", f"For students: {notebook}"]
    table = {"released": True, "name": manifest.name, "digest": released.digest}
    if practice:
        from course_lib.grading import practice as practice_class

        students = practice_class.write(assignment.read(folder), notebook, practice)
        lines.append(f"Practice: {len(students)} made-up students in {practice}")
        table["practice"] = students
    terminal.show(table | {"notebook": notebook}, as_json, lines)
    return FINE


@click.command()
@name_argument
@click.argument("source", type=click.Path(path_type=Path, exists=True), required=False)
@click.option(
    "--from",
    "from_",
    type=click.Choice(["canvas", "moodle", "folder"]),
    required=True,
    help="How the files are named; folder: STUDENT/any.ipynb or STUDENT.ipynb.",
)
@work_option
@json_option
def collect(name, source, from_, work, as_json):
    """Take the notebooks of a zip or folder SOURCE."""
    from course_lib.grading import collect

    workspace = workspace_for(work, name)
    if source is None:
        raise click.UsageError(f"Which zip or folder holds the notebooks for {name}?")
    with terminal.progress("Collect") as progress:
        report = collect.collect(workspace, name, source, from_, progress=progress)
    lines = [f"Taken: {len(report.taken)}, already there: {len(report.unchanged)}"]
    for title, pairs in (
        ("Not taken", report.rejected),
        ("Nobody's", report.unknown),
        ("Note", report.notes),
    ):
        lines += [f"{title}: {one}: {reason}" for one, reason in pairs]
    terminal.show(asdict(report), as_json, lines)
    return ATTENTION if report.rejected or report.unknown else FINE


@click.command()
@name_argument
@click.option("--jobs", type=click.IntRange(1), default=1, help="Processes at a time.")
@click.option("--dask", metavar="ADDRESS", help="Scheduler of a Dask cluster, instead of --jobs.")
@click.option("--tls-ca", type=click.Path(exists=True, dir_okay=False), help="Of the cluster.")
@click.option("--tls-cert", type=click.Path(exists=True, dir_okay=False), help="Yours.")
@click.option("--tls-key", type=click.Path(exists=True, dir_okay=False), help="Yours.")
@only_option
@click.option("--force", is_flag=True, help="Grade again what has a result.")
@sandbox_option
@work_option
@json_option
def run(name, jobs, dask, tls_ca, tls_cert, tls_key, only, force, kind, work, as_json):
    """Grade the newest submissions that have no result yet."""
    from course_lib.grading import executor

    tls = (tls_ca, tls_cert, tls_key)
    if any(tls) and not (all(tls) and dask):
        raise click.UsageError("TLS needs --dask, --tls-ca, --tls-cert and --tls-key together.")
    workspace = workspace_for(work, name)
    if kind == "none":
        say("course-grade: no sandbox: students' code can read and change this account", err=True)
    with terminal.progress("Grade") as progress:
        summary = executor.run(
            *(workspace, name, jobs, dask, tls if any(tls) else None),
            *(only, force, kind, progress),
        )
    lines = [f"Graded: {summary.graded} in {summary.seconds:.1f} s, done before: {summary.skipped}"]
    lines += [f"Infrastructure error: {who}: {why}" for who, why in summary.infrastructure]
    if summary.infrastructure:
        lines.append("These have no mark; mend the cause and run again.")
    terminal.show(asdict(summary), as_json, lines)
    return ATTENTION if summary.infrastructure else FINE
