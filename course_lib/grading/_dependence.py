"""On which answer cells the points of each check may hang, read from the code without running it.

Two mistakes lose together what each loses alone if no check sees both. Whoever makes up a class
must know for certain, so this errs on the side of seeing too much.
"""

import ast
import symtable

from course_lib.grading.handout import defined_names, needed
from course_lib.grading.regions import solved


def asked(assignment):
    """Return check's name to the names that it may ask the student for."""
    statements = ast.parse(assignment.checks_source).body
    modules = {
        alias.asname or alias.name.split(".")[0]
        for node in statements
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    return {check.name: _names(assignment, check, modules) for check in assignment.checks}


def _names(assignment, check, modules):
    """Attributes, and texts as for getattr."""
    found = set()
    for statement in needed(assignment.checks_source, [check.name]):
        for node in ast.walk(statement):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
            # np.log asks for nothing, though a cell may define log.
            elif isinstance(node, ast.Attribute) and ast.unparse(node.value) not in modules:
                found.add(node.attr)
    return found


def seen(assignment, names, answers):
    """Return check's name to the answer cells that it may see, some of them through others.

    ``names`` comes from :func:`asked`; ``answers`` holds cells that are not the reference's.
    """
    sources = {
        cell.id: answers.get(cell.id) or solved(cell.source, cell.id)
        for cell in assignment.cells
        if cell.role in ("locked", "answer")
    }
    homes = {}
    for cell, source in sources.items():
        for name in defined_names(source):
            homes.setdefault(name, set()).add(cell)
    behind, before = {}, set()
    for cell, source in sources.items():
        before.add(cell)
        now, later = _used(source)
        behind[cell] = {cell}.union(
            *(homes.get(name, set()) & before for name in now),
            *(homes.get(name, set()) for name in later),
        )
    for _ in range(len(behind).bit_length()):  # each round doubles the steps
        behind = {cell: set().union(*map(behind.get, near)) for cell, near in behind.items()}
    answer_cells = {cell.id for cell in assignment.cells if cell.role == "answer"}
    return {
        check: answer_cells.intersection(
            set().union(*(behind[cell] for name in direct for cell in homes.get(name, ())))
        )
        for check, direct in names.items()
    }


def _used(source):
    """Names that a cell looks up while it runs, and those that its functions look up later."""
    top = symtable.symtable(source, "cell", "exec")
    now = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_referenced()}
    later, tables = set(), top.get_children()
    while tables:
        table = tables.pop()
        tables += table.get_children()
        symbols = table.get_symbols()
        later |= {s.get_name() for s in symbols if s.is_referenced() and s.is_global()}
    return now, later
