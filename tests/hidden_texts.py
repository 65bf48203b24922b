"""What of the assignments nobody may find in the book or in a release, and the search for it.

The texts are taken from the sources: solutions, model answers, other right answers, hidden checks
and all that only they use, rubrics, and what lies in private/.
"""

import ast
import html
import json
import re

from course_lib.grading import handout, leaks
from course_lib.grading.regions import split_solution

LONG = 60  # characters without spaces: so much of a text does not stand elsewhere by chance


def hidden_texts(one):
    """Return the texts of an assignment that must stay hidden: dense text to what it is."""
    found = {}
    for blocks, what in (
        (_solutions(one.source), "a solution"),
        (_right(one.source), "another right answer"),
        (_checks(one.source), "a hidden check"),
        (_rubrics(one.source), "a rubric"),
        (_private(one.source), "a private file"),
    ):
        for block in blocks:
            found |= dict.fromkeys(_runs(block), f"{one.name}: {what}")
    released = dense(one.released.read_text(encoding="utf-8"), ".ipynb")
    kept = {text: what for text, what in found.items() if text not in released}
    assert len(kept) > 0.5 * len(found), f"{one.name}: the release has most of what is hidden"
    return kept


def hidden_names(one):
    """Return the names of hidden checks that are no word of a language."""
    return {check.name for check in one.source.checks if check.hidden and "_" in check.name}


def search(paths, texts, names):
    """Return a line for each hidden text or name in these files."""
    found = []
    for path in paths:
        data = path.read_bytes().decode("utf-8", "replace")
        whole = dense(data, path.suffix)
        found += [f"{path}: {texts[text]}: {text[:60]}" for text in texts if text in whole]
        for name in sorted(name for name in names if name in data):
            if re.search(rf"(?<![\w-]){name}(?![\w-])", data):
                found.append(f"{path}: name of a hidden check: {name}")
    return found


def dense(data, suffix=""):
    """A file's text as :func:`hidden_texts` has them: without tags, escapes, spaces and quotes."""
    if suffix == ".ipynb":
        data = "\0".join(leaks._texts(json.loads(data)))
    if suffix in (".html", ".svg"):
        data = html.unescape(data) + "\0" + html.unescape(re.sub(r"<[^<>]*>", "", data))
    return leaks._dense(data.replace("\\n", "").replace("\\", ""))


def _runs(lines):
    """From each line on, as many lines as make a text that is long enough."""
    lines = [line for line in (dense(line) for line in lines) if line]
    for start in range(len(lines)):
        run = ""
        for line in lines[start:]:
            run += line
            if len(run) >= LONG:
                yield run
                break


def _solutions(source):
    for cell in source.cells:
        if cell.role in ("answer", "written"):
            yield [line for line, inside in split_solution(cell.source, cell.id) if inside][1:]


def _right(source):
    for right in source.right:
        yield from (answer.splitlines() for answer in right.answers.values())


def _checks(source):
    """The statements of checks.py that no visible check needs."""
    visible = [check.name for check in source.checks if not check.hidden]
    released = {node.lineno for node in handout.needed(source.checks_source, visible)}
    lines = source.checks_source.splitlines()
    for node in ast.parse(source.checks_source).body:
        is_import = isinstance(node, ast.Import | ast.ImportFrom)
        if node.lineno not in released and not is_import and node.col_offset == 0:
            yield lines[node.lineno - 1 : node.end_lineno]


def _rubrics(source):
    for question in source.questions:
        yield from ([line.text] for line in question.rubric)


def _private(source):
    for name in source.private:
        data = (source.folder / name).read_bytes()
        if b"\0" not in data:
            yield data.decode("utf-8").splitlines()
