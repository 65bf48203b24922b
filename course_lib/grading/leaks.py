"""What students must not read: hidden checks and solutions, looked for in the released notebook."""

import ast
import json
import re

from course_lib.grading import handout
from course_lib.grading.regions import split_solution

DISTINCTIVE = 20  # characters without spaces; shorter lines stand in many places by chance


def leaks(assignment, release):
    """Return what of the hidden checks and the solution stands in the released notebook.

    Parameters
    ----------
    assignment : Assignment
    release : str
        The notebook.

    Returns
    -------
    problems : list of str
    """
    table = json.loads(release)
    table["cells"] = [cell for cell in table["cells"] if cell["id"] != handout.TOOLS]
    whole = "\0".join(_texts(table))
    dense = _dense(whole)
    problems = []
    for check in assignment.checks:
        if check.hidden and re.search(rf"(?<![\w-]){re.escape(check.name)}(?![\w-])", whole):
            problems.append(
                f"the name of the hidden check {check.name} stands in the notebook for students; "
                "give the check another name"
            )
    for line, what in _hidden_lines(assignment) | _solution_lines(assignment):
        if line in dense:
            problems.append(f"{what} stands in the notebook for students: {line[:60]}")
    return sorted(set(problems))


def _hidden_lines(assignment):
    """Lines of checks.py, without imports and what visible checks have or use as well."""
    source = assignment.checks_source
    visible = [check.name for check in assignment.checks if not check.hidden]
    released = {node.lineno for node in handout.needed(source, visible)}
    lines, found, shown = source.splitlines(), set(), set()
    for node in ast.parse(source).body:
        name = getattr(node, "name", "what no visible check uses")
        for line in map(_dense, lines[node.lineno - 1 : node.end_lineno]):
            if node.lineno in released or isinstance(node, ast.Import | ast.ImportFrom):
                shown.add(line)
            else:
                found.add((line, f"a line of checks.py ({name})"))
    return {(line, what) for line, what in found if len(line) >= DISTINCTIVE and line not in shown}


def _solution_lines(assignment):
    """Lines of solutions, without imports and those that answer cells give away themselves."""
    found, given = set(), set()
    for cell in assignment.cells:
        if cell.role in ("answer", "written"):
            for line, inside in split_solution(cell.source, cell.id):
                if inside and not line.strip().startswith(("import ", "from ", "###")):
                    found.add((_dense(line), f"a line of the solution of {cell.id}"))
                elif not inside:
                    given.add(_dense(line))
    return {(line, what) for line, what in found if len(line) >= DISTINCTIVE and line not in given}


def _dense(text):
    """The text without spaces, quotes and what Markdown puts before a line."""
    return re.sub(r"[\s'\"`>]+", "", text)


def _texts(table):
    """Every text in a notebook's JSON; lists of lines joined."""
    if isinstance(table, str):
        yield table
    elif isinstance(table, dict):
        yield from table
        for entry in table.values():
            yield from _texts(entry)
    elif isinstance(table, list):
        if all(isinstance(entry, str) for entry in table):
            yield "".join(table)
        else:
            for entry in table:
                yield from _texts(entry)
