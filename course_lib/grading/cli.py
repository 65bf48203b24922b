"""The command `course-grade`."""

import sys

import click

from course_lib.grading import _verbs_grading, _verbs_marks, _verbs_rehearsal, terminal


class _InOrder(click.Group):
    """Verbs in the order in which a course needs them."""

    def list_commands(self, ctx):
        return list(self.commands)


@click.group(
    cls=_InOrder, no_args_is_help=False, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(package_name="state-by-state")
def _app():
    """Release assignments, grade what students hand in, and give marks back.

    Exit codes: 0 fine, 1 something needs attention, 2 used wrongly.
    """


for verb in (
    *(_verbs_grading.doctor, _verbs_grading.new, _verbs_rehearsal.rehearse),
    *(_verbs_grading.release, _verbs_grading.collect, _verbs_grading.run),
    *(_verbs_marks.status, _verbs_marks.review, _verbs_marks.feedback),
    *(_verbs_marks.export, _verbs_marks.stats),
):
    _app.add_command(verb)


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
    return terminal.run(_app, arguments)


if __name__ == "__main__":
    sys.exit(main())
