"""The files of an assignment that came from nbgrader: the notebook as text, checks to write."""

import json
import re

MARKS = re.compile(r"^\s*### (BEGIN|END) (HIDDEN TESTS|MARK SCHEME)\s*$")
HEAD = '''"""Checks of {name}, to be written from the tests of nbgrader quoted below."""

import numpy as np

from course_lib.grading.checks import check, close
'''
TODO_HEAD = """# What a person must do before `course-grade release`

The notebook came from nbgrader. Its tests ran inside the student's process; checks here run
outside it and ask the student's functions. How to write them: *Checks that cannot be fooled* in
the book's pages for instructors.
"""


def checks(name, tests):
    """Return checks.py: every test as a comment, with the outline of what should replace it.

    Parameters
    ----------
    name : str
        Of the assignment.
    tests : list
        With the attributes question, name, points, source.

    Returns
    -------
    text : str
    """
    return HEAD.format(name=name) + "".join(map(_quoted, tests))


def config(title, manual):
    """Return config.toml with a rubric to be written for each question that people mark.

    Parameters
    ----------
    title : str
    manual : list of (str, float, str)
        Question, points, and what nbgrader's mark scheme says.

    Returns
    -------
    text : str
    """
    parts = [f"title = {_toml(title.strip() or 'TODO')}\n"]
    for name, points, scheme in manual:
        rubric = f"TODO: say what earns the points. {scheme}".strip()
        parts.append(
            f'\n[[manual]]\nquestion = "{name}"\npoints = {points}\n'
            f"\n[[manual.rubric]]\npoints = {points}\ntext = {_toml(rubric)}\n"
        )
    return "".join(parts)


def notebook(cells):
    """Return assignment.md.

    Parameters
    ----------
    cells : list of (str, str, dict)
        Kind, source and options such as grade_id and role.

    Returns
    -------
    text : str
    """
    import jupytext  # slow to import, and needed by authors only
    import nbformat

    make = {"code": nbformat.v4.new_code_cell, "markdown": nbformat.v4.new_markdown_cell}
    made = []
    for kind, source, options in cells:
        if kind == "raw":
            kind, source = "markdown", f"```\n{source}\n```"
        made.append(make[kind](source, metadata=options))
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    whole = nbformat.v4.new_notebook(cells=made, metadata={"kernelspec": kernel})
    return jupytext.writes(whole, fmt="md:myst")


def todo(lines):
    """Return TODO.md.

    Parameters
    ----------
    lines : tuple of str

    Returns
    -------
    text : str
    """
    return TODO_HEAD + "".join(f"\n- [ ] {line}" for line in lines) + "\n"


def split_scheme(source):
    """Return the mark scheme of a task, and its text without it.

    Parameters
    ----------
    source : str

    Returns
    -------
    scheme, kept : str
    """
    scheme, kept, inside = [], [], False
    for line in source.split("\n"):
        if MARKS.match(line):
            inside = "BEGIN" in line
        else:
            (scheme if inside else kept).append(line)
    return "\n".join(scheme).strip(), "\n".join(kept).strip()


def _quoted(test):
    """A test as a comment, with the outline of the check that should replace it."""
    hidden = any(map(MARKS.match, test.source.split("\n")))
    function = re.sub(r"\W", "_", test.name)
    function = function if function[0].isalpha() else f"check_{function}"
    lines = [
        f"TODO {test.name}: rewrite as checks.",
        "Ask the student's names by student.NAME(...) or student.NAME.value.",
        *["What stands between HIDDEN TESTS becomes a check with hidden=True."] * hidden,
        "",
        *("    " + line for line in test.source.split("\n")),
        "",
        f'@check("{test.question}", points={test.points:g})',
        f"def {function}(student):",
        '    """What the student reads as its title."""',
        "    close(student.NAME(...), ...)",
    ]
    return "\n\n" + "\n".join(f"# {line}".rstrip() for line in lines) + "\n"


def _toml(value):
    """A text as TOML has it: as JSON, but for one character."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
