"""The notebook that students get: answers emptied, visible checks put in, nothing hidden."""

import ast
import json
import symtable
import sys
from pathlib import Path

from course_lib.grading.manifest import Cell
from course_lib.grading.regions import BEGIN, solved, split_solution

HERE = Path(__file__).resolve().parent
TOOLS = "checks"  # id of the cell that brings what check cells need
PARTS = ("words", "compare", "require", "checks", "here")  # each needs only those before it
STUB = "# YOUR CODE HERE"
WRITTEN = "*Your answer here.*"
HEAD = "# @title Tools of the check cells. Run this cell once; no question is in it."


def cells(assignment):
    """Return the cells of the released notebook.

    Parameters
    ----------
    assignment : Assignment

    Returns
    -------
    cells : tuple of Cell

    Raises
    ------
    ValueError
        If a visible check needs something that students do not have.
    """
    made = []
    for cell in assignment.cells:
        source, names = cell.source, ()
        if cell.role == "check":
            if not any(c.role == "check" for c in made):
                made.append(Cell(TOOLS, "check", "code", _tools()))
            source = _visible(assignment, cell.question)
        elif cell.role in ("answer", "written"):
            source = _emptied(cell)
        if cell.role == "answer":
            names = defined_names(solved(cell.source, cell.id))
        made.append(Cell(cell.id, cell.role, cell.kind, source, cell.question, names))
    return tuple(made)


def notebook(assignment, made):
    """Return the released notebook as text.

    Parameters
    ----------
    assignment : Assignment
    made : tuple of Cell
        From :func:`cells`.

    Returns
    -------
    text : str
        JSON of nbformat 4.5, the same for the same assignment.
    """
    seen, table = set(), []
    for cell in made:
        points = None
        if cell.role == "check" and cell.id != TOOLS:
            mine = [c for c in assignment.checks if c.question == cell.question and not c.hidden]
            points = sum(check.points for check in mine)
        elif cell.role == "written" and cell.question not in seen:
            points = next(q.points for q in assignment.questions if q.name == cell.question)
        seen.add(cell.question)
        entry = {"cell_type": cell.kind, "id": cell.id, "source": cell.source.splitlines(True)}
        entry["metadata"] = _metadata(cell, points)
        if cell.kind == "code":
            entry |= {"execution_count": None, "outputs": []}
        table.append(entry)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {
        "kernelspec": kernel,
        "language_info": {"name": "python"},
        "state_by_state": {"assignment": assignment.name},
        "title": assignment.config.title,
    }
    whole = {"cells": table, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    return json.dumps(whole, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def defined_names(source):
    """Return the names that the top level of a cell defines.

    Parameters
    ----------
    source : str

    Returns
    -------
    names : tuple of str
    """
    return tuple(dict.fromkeys(n for node in ast.parse(source).body for n in _bound(node)))


def _metadata(cell, points):
    nbgrader = {
        "cell_type": cell.kind,
        "grade": points is not None,
        "grade_id": cell.id,
        "locked": cell.role not in ("answer", "written"),
        "schema_version": 3,
        "solution": cell.role in ("answer", "written"),
        "task": False,
    }
    if points is not None:
        nbgrader["points"] = points
    ours = {"role": cell.role} | ({"question": cell.question} if cell.question else {})
    metadata = {"nbgrader": nbgrader, "state_by_state": ours, "deletable": False}
    if nbgrader["locked"]:
        metadata["editable"] = False
    if cell.id == TOOLS:  # folded away in Jupyter, Jupyter Book and Colab
        metadata |= {"jupyter": {"source_hidden": True}, "tags": ["hide-input"]}
        metadata["cellView"] = "form"
    return metadata


def _emptied(cell):
    """The cell without its solution."""
    lines = []
    for line, inside in split_solution(cell.source, cell.id):
        if not inside:
            lines.append(line)
        elif line.strip() == BEGIN:
            indent = line[: len(line) - len(line.lstrip())]
            if cell.kind == "markdown":
                lines.append(WRITTEN)
            else:
                lines.append(indent + STUB)
                # At top level nothing is raised, or "Run all" would stop here.
                lines += [f"{indent}raise NotImplementedError"] if indent else []
    return "\n".join(lines)


def _tools():
    """The cell that brings the checks' tools, kept out of the student's own names."""
    text = "\n\n".join(_lean((HERE / f"{name}.py").read_text("utf-8")) for name in PARTS)
    assert "'''" not in text
    run = 'exec(compile(_tools, "<tools of the checks>", "exec"), _space := {"__name__": "tools"})'
    return f"{HEAD}\n_tools = r'''\n{text}\n'''\n{run}\n_space[\"install\"](get_ipython())"


def _lean(text):
    """A module's text without its docstrings and our own imports."""
    tree, lines, drop = ast.parse(text), text.splitlines(), set()
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        documented = isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        if documented and ast.get_docstring(node):
            if len(body) == 1:
                lines[body[0].lineno - 1] = " " * body[0].col_offset + "pass"
                drop |= set(range(body[0].lineno + 1, body[0].end_lineno + 1))
            else:
                drop |= set(range(body[0].lineno, body[0].end_lineno + 1))
        if isinstance(node, ast.ImportFrom) and node.module.startswith("course_lib"):
            drop |= set(range(node.lineno, node.end_lineno + 1))
    kept = [line for i, line in enumerate(lines, 1) if i not in drop]
    return "\n".join(line for i, line in enumerate(kept) if line or (i and kept[i - 1])).strip()


def needed(source, names):
    """Return the statements of a checks.py that define some names and all that these use.

    Parameters
    ----------
    source : str
        Of checks.py.
    names : list of str

    Returns
    -------
    statements : list of ast.stmt
        In their order, without the import of our own tools.
    """
    statements = ast.parse(source).body
    homes = {}  # several statements may make one constant, step by step
    for node in statements:
        for name in (*_bound(node), *_filled(node)):
            homes.setdefault(name, []).append(node)
    chosen, names = [], list(names)
    while names:
        for node in homes.get(names.pop(), ()):
            if node not in chosen and not _is_tools(node):
                chosen.append(node)
                names += used_names(_segment(source, node))
    return [node for node in statements if node in chosen]


def _visible(assignment, question):
    """A check cell: the visible checks of a question and what of checks.py they use."""
    source, path = assignment.checks_source, assignment.folder / "checks.py"
    wanted = [c.name for c in assignment.checks if c.question == question and not c.hidden]
    hidden = {c.name for c in assignment.checks if c.hidden}
    imports, others = [], []
    for node in needed(source, wanted):
        if getattr(node, "name", "") in hidden:
            raise ValueError(f"{path}: a visible check uses the hidden check {node.name}")
        _require_available(node, assignment.config.torch, path)
        (imports if _imports(node) else others).append(_segment(source, node))
    blocks = ["\n".join(imports)] * bool(imports) + others
    return f"%%check {question}\n" + "\n\n\n".join(blocks)


def _imports(node):
    return isinstance(node, ast.Import | ast.ImportFrom)


def _is_tools(node):
    return isinstance(node, ast.ImportFrom) and node.module == "course_lib.grading.checks"


def _require_available(node, torch, path):
    if not _imports(node):
        return
    modules = [a.name for a in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    known = {*sys.stdlib_module_names, "numpy", *(["torch"] if torch else [])}
    for module in modules:
        if module.split(".")[0] not in known:
            raise ValueError(
                f"{path}: a visible check uses {module}, which students may not have; "
                "use NumPy, or hide the check"
            )


def _segment(source, node):
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(d.lineno for d in decorators)])
    return "\n".join(source.splitlines()[first - 1 : node.end_lineno])


def _bound(node):
    """Names that a statement of a module's top level binds."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return [node.name]
    if isinstance(node, ast.Import | ast.ImportFrom):
        return [alias.asname or alias.name.split(".")[0] for alias in node.names]
    stores = (n for n in ast.walk(node) if isinstance(n, ast.Name))
    return [n.id for n in stores if isinstance(n.ctx, ast.Store)]


def _filled(node):
    """Names of whose values a statement of a module's top level sets an entry or attribute."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return
    for part in ast.walk(node):
        if isinstance(part, ast.Subscript | ast.Attribute) and isinstance(part.ctx, ast.Store):
            while isinstance(part, ast.Subscript | ast.Attribute):
                part = part.value
            if isinstance(part, ast.Name):
                yield part.id


def used_names(source):
    """Return the names that some code looks up outside its own functions.

    Parameters
    ----------
    source : str

    Returns
    -------
    names : list of str
    """
    tables, found = [symtable.symtable(source, "checks", "exec")], []
    while tables:
        table = tables.pop()
        tables += table.get_children()
        for symbol in table.get_symbols():
            if symbol.is_referenced() and (symbol.is_global() or table.get_type() == "module"):
                found.append(symbol.get_name())
    return found
