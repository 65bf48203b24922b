"""The command `course-grade`."""

import sys

import click

from course_lib.grading import terminal, verbs_grading, verbs_marks


class _InOrder(click.Group):
    """Verbs in the order in which a course needs them."""

    def list_commands(self, ctx):
        return list(self.commands)


@click.group(
    cls=_InOrder, no_args_is_help=False, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(package_name="state-by-state")
def app():
    """Release assignments, grade what students hand in, and give marks back.

    Exit codes: 0 fine, 1 something needs attention, 2 used wrongly.
    """


for verb in (
    *(verbs_grading.doctor, verbs_grading.new, verbs_grading.release),
    *(verbs_grading.collect, verbs_grading.run),
    *(verbs_marks.status, verbs_marks.review, verbs_marks.feedback),
    *(verbs_marks.export, verbs_marks.stats),
):
    app.add_command(verb)


def main(arguments=None):
    """Run the command.

    Parameters
    ----------
    arguments : list of str, optional
        By default those of the process.

    Returns
    -------
    code : int
        Exit code.
    """
    return terminal.run(app, arguments)


if __name__ == "__main__":
    sys.exit(main())
