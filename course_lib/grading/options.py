"""Arguments and options that several verbs of `course-grade` have, and what they stand for."""

from pathlib import Path

import click

from course_lib.grading.workspace import Workspace

sandbox_option = click.option(
    "--sandbox",
    "kind",
    type=click.Choice(["bubblewrap", "landlock", "none"]),
    help="Kind of sandbox; by default the first that works. `none` runs students' code unguarded.",
)
only_option = click.option(
    "--only", multiple=True, metavar="STUDENT", help="Only this student; may be given repeatedly."
)
name_argument = click.argument("name", required=False, metavar="NAME")
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object instead of text."
)
work_option = click.option(
    "--work",
    metavar="DIR",
    envvar="COURSE_GRADE_WORK",
    default="grading",
    show_default=True,
    show_envvar=True,
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder with roster.csv and the assignments.",
)


def workspace_for(work, name):
    """Return the workspace of a verb that needs the name of an assignment.

    Parameters
    ----------
    work : Path
    name : str or None
        None is what the command gets without an argument.

    Returns
    -------
    workspace : Workspace

    Raises
    ------
    click.UsageError
        If there is no name; those that are released are named.
    """
    workspace = Workspace(work)
    if name is None:
        known = ", ".join(workspace.names()) or "none"
        raise click.UsageError(f"Which assignment? Released in {work}: {known}.")
    return workspace
