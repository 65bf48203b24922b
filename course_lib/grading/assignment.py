"""An assignment as its author writes it: a folder with assignment.md, checks.py, config.toml.

Also wrong/*.py (wrong answers that the release must catch), and where needed right/*.py (other
right answers, which must lose nothing), data/ (for students too) and private/ (for checks only).
"""

import ast
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from course_lib.grading import config as configs
from course_lib.grading.checks import Check
from course_lib.grading.config import NAME, Config, read_text
from course_lib.grading.manifest import Question
from course_lib.grading.regions import BEGIN, solved, split_solution

OPTIONS = ("grade_id", "role", "question")


@dataclass(frozen=True)
class Source:
    """One cell as written by the author; ``source`` still holds the solution."""

    id: str
    role: str
    kind: str
    source: str
    question: str = ""


@dataclass(frozen=True)
class Wrong:
    """A wrong answer: the cells it replaces, and the points each question must lose by it."""

    name: str
    title: str
    loses: dict
    answers: dict


@dataclass(frozen=True)
class Right:
    """Another right answer: the cells it replaces, done another way."""

    name: str
    title: str
    answers: dict


@dataclass(frozen=True)
class Assignment:
    """Everything of an assignment; ``data`` and ``private`` are paths below ``folder``."""

    name: str
    folder: Path
    config: Config
    cells: tuple
    questions: tuple
    checks: tuple
    checks_source: str
    data: tuple
    private: tuple
    wrong: tuple
    right: tuple


def read(folder):
    """Read an assignment and refuse what does not fit together.

    Parameters
    ----------
    folder : path

    Returns
    -------
    assignment : Assignment

    Raises
    ------
    ValueError
        If something is missing, unknown or contradicts itself; with the file and the remedy.
    """
    folder = Path(folder).resolve()
    if not NAME.fullmatch(folder.name):
        raise ValueError(f"{folder}: the name may have letters, digits, - and _; rename the folder")
    config = configs.read(folder / "config.toml")
    cells = _read_cells(folder / "assignment.md")
    path = folder / "checks.py"
    checks_source = read_text(path)
    checks = load_checks(checks_source, path)
    questions = _questions(cells, checks, config, folder)
    wrong, right = _read_wrong(folder, cells), _read_right(folder, cells)
    twice = sorted({w.name for w in wrong} & {r.name for r in right})
    if twice:
        raise ValueError(f"{folder}: both wrong/ and right/ have {twice[0]}.py; rename one")
    return Assignment(
        name=folder.name,
        folder=folder,
        config=config,
        cells=cells,
        questions=questions,
        checks=checks,
        checks_source=checks_source,
        data=_files(folder, "data"),
        private=_files(folder, "private"),
        wrong=wrong,
        right=right,
    )


def load_checks(source, path):
    """Run the text of a checks.py and return its checks in their order.

    Parameters
    ----------
    source : str
    path : path
        The file, for messages; also ``__file__``, so that checks find private/ beside them.

    Returns
    -------
    checks : tuple of Check

    Raises
    ------
    ValueError
        If it cannot be run, has no check, or defines a name twice.
    """
    space = {"__name__": "checks", "__file__": str(path)}
    try:
        tree = ast.parse(source, str(path))
        exec(compile(tree, str(path), "exec"), space)
    except Exception as error:  # whatever the author's text does
        raise ValueError(f"{path}: {type(error).__name__}: {error}") from error
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"{path}: {', '.join(twice)} is defined twice; the first would be lost")
    checks = tuple(value for value in space.values() if type(value) is Check)
    if not checks:
        raise ValueError(f"{path}: has no check; decorate functions with @check(...)")
    return checks


def _read_cells(path):
    import jupytext  # slow to import, and needed by authors only

    try:
        notebook = jupytext.reads(read_text(path), fmt="md:myst")
    except Exception as error:  # of several libraries
        raise ValueError(f"{path}: {type(error).__name__}: {error}") from error
    cells = [_cell(cell, f"{path}: cell {i}") for i, cell in enumerate(notebook.cells, 1)]
    used, named = set(), []
    for cell in cells:
        name = cell.id or _automatic_id(cell, used)
        if name in used:
            raise ValueError(f"{path}: two cells have the grade_id {name}")
        used.add(name)
        named.append(Source(name, cell.role, cell.kind, cell.source, cell.question))
    return tuple(named)


def _cell(cell, where):
    options = dict(cell.metadata)
    name, role = options.get("grade_id", ""), options.get("role", "")
    where = f"{where} ({name})" if name else where
    unknown = sorted(set(options) - set(OPTIONS))
    if unknown:
        raise ValueError(f"{where}: unknown {', '.join(unknown)}; known are {', '.join(OPTIONS)}")
    question = options.get("question", "")
    for option in (name, question):
        if option != "" and not (isinstance(option, str) and NAME.fullmatch(option)):
            raise ValueError(f"{where}: a name has letters, digits, - and _, got {option!r}")
    roles = {"code": ("locked", "answer", "check"), "markdown": ("text", "written")}
    if cell.cell_type not in roles:
        raise ValueError(f"{where}: {cell.cell_type} cells are not used here")
    known = roles[cell.cell_type]
    if role not in ("", *known):
        raise ValueError(f"{where}: a {cell.cell_type} cell has the role {' or '.join(known)}")
    role = role or known[0]
    marked = any(inside for _, inside in split_solution(cell.source, where))
    if role in ("locked", "text") and marked:
        raise ValueError(f"{where}: holds a solution but no role; give it :role: answer or written")
    if role in ("answer", "written") and not name:
        raise ValueError(f"{where}: a cell with the role {role} needs a grade_id")
    if role == "answer" and not marked:
        raise ValueError(f"{where}: has no {BEGIN!r}: students would get all of it")
    if role == "check" and (cell.source.strip() or not question):
        raise ValueError(f"{where}: a check cell is empty and has :question:; checks.py fills it")
    if role in ("answer", "written"):
        question = question or name
    elif question and role != "check":
        raise ValueError(f"{where}: a question belongs to an answer; give it :role:")
    if cell.cell_type == "code":
        try:
            ast.parse(solved(cell.source, where))
        except SyntaxError as error:
            raise ValueError(
                f"{where}: must be plain Python, without % and !: {error.msg}, line {error.lineno}"
            ) from error
    return Source(name, role, cell.cell_type, cell.source, question)


def _automatic_id(cell, used):
    """An id that stays when cells elsewhere come and go."""
    if cell.role == "check":
        return f"check-{cell.question}"
    name = f"{cell.role}-{hashlib.sha256(cell.source.encode()).hexdigest()[:8]}"
    return next(n for i in range(len(used) + 1) if (n := name + f"-{i}" * (i > 0)) not in used)


def _questions(cells, checks, config, folder):
    """The questions in the notebook's order; each is marked by checks or by people."""
    manual = {question.name: question for question in config.manual}
    if len(manual) < len(config.manual):
        raise ValueError(f"{folder}/config.toml: two [[manual]] entries have the same question")
    roles = {role: [c.question for c in cells if c.role == role] for role in ("answer", "written")}
    answered = list(dict.fromkeys(c.question for c in cells if c.role in roles))
    automatic = {check.question for check in checks}
    shown = [cell.question for cell in cells if cell.role == "check"]
    visible = {check.question for check in checks if not check.hidden}
    for check in checks:
        if check.question not in roles["answer"]:
            raise ValueError(
                f"{folder}/checks.py: check {check.name} is for the question {check.question}, "
                f"which no answer cell has; there are {', '.join(roles['answer']) or 'none'}"
            )
    for name in manual:
        if name in automatic:
            raise ValueError(f"{folder}: question {name} has checks and a [[manual]] entry")
        if name not in answered:
            raise ValueError(
                f"{folder}/config.toml: no cell answers the [[manual]] question {name}"
            )
    for name in answered:
        if name not in automatic and name not in manual:
            raise ValueError(
                f"{folder}: nothing marks the question {name}: write a check in checks.py, "
                "or a [[manual]] entry with a rubric in config.toml"
            )
    for name in sorted(visible ^ set(shown)):
        raise ValueError(
            f"{folder}: question {name} needs both a visible check in checks.py and an empty "
            f"cell with :role: check and :question: {name}, or neither"
        )
    return tuple(
        manual.get(name)
        or Question(name, sum(check.points for check in checks if check.question == name))
        for name in answered
    )


def _read_wrong(folder, cells):
    questions = {cell.question for cell in cells if cell.role == "answer"}
    found = []
    for path in sorted((folder / "wrong").glob("*.py")):
        head, title, answers = _read_answers(path, cells)
        match = re.match(r"# loses: *(.+)\n", head)
        pairs = [pair.split("=") for pair in match[1].split(",")] if match else []
        loses = dict(pairs) if all(len(pair) == 2 for pair in pairs) else {}
        try:
            loses = {name.strip(): float(points) for name, points in loses.items()}
        except ValueError as error:
            raise ValueError(f"{path}: the head cannot be read: {error}") from error
        if not loses or not title or not answers:
            raise ValueError(
                f"{path}: starts with '# loses: question=points, ...' and a docstring that names "
                "the mistake; then come blocks '# grade_id: ...' with the wrong cells"
            )
        unknown = sorted(set(loses) - questions)
        if unknown:
            raise ValueError(f"{path}: unknown or repeated: {', '.join(unknown)}")
        found.append(Wrong(path.stem, title, loses, answers))
    return tuple(found)


def _read_right(folder, cells):
    found = []
    for path in sorted((folder / "right").glob("*.py")):
        head, title, answers = _read_answers(path, cells)
        if "# loses:" in head or not title or not answers:
            raise ValueError(
                f"{path}: starts with a docstring that says how it is done and has no '# loses:', "
                "for it must lose nothing; then come blocks '# grade_id: ...' with the cells"
            )
        found.append(Right(path.stem, title, answers))
    return tuple(found)


def _read_answers(path, cells):
    """The text above the first block of a file in wrong/ or right/, its title, and the blocks."""
    answers = {cell.id for cell in cells if cell.role == "answer"}
    head, *blocks = re.split(r"(?m)^# grade_id: *(\S+) *\n", read_text(path))
    try:
        title = (ast.get_docstring(ast.parse(head)) or "").split("\n")[0]
    except (SyntaxError, ValueError) as error:
        raise ValueError(f"{path}: the head cannot be read: {error}") from error
    replaced = dict(zip(blocks[::2], blocks[1::2], strict=True))
    unknown = sorted(set(replaced) - answers)
    if unknown or 2 * len(replaced) < len(blocks):
        raise ValueError(f"{path}: unknown or repeated: {', '.join(unknown) or 'a grade_id'}")
    return head, title, {name: block.strip() for name, block in replaced.items()}


def _files(folder, name):
    paths = sorted((folder / name).rglob("*"))
    links = [path for path in paths if path.is_symlink()]
    if links:
        raise ValueError(f"{links[0]}: a link; put the file itself there")
    return tuple(path.relative_to(folder).as_posix() for path in paths if path.is_file())
