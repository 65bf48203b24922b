"""What made-up students work with: an assignment as it is released, and what earns which points.

No mark here comes from the grader. Answers lose what the author of the assignment has stated.
"""

import json
from dataclasses import dataclass

from course_lib.grading import _dependence, handout
from course_lib.grading.selftest import answered, reference

FULL, HALF, NOTHING = "full", "half", "nothing"
SAYS = "I can only say this much:"


@dataclass(frozen=True, slots=True)
class Sheet:
    """An assignment as those see it who make up answers to it.

    ``release`` is the notebook for students, ``right`` the reference's answer to each cell,
    ``asked`` what checks ask for, ``spare`` the answer cells that only their own question sees.
    """

    assignment: object
    release: str
    right: dict
    asked: dict
    spare: tuple

    @property
    def most(self):
        """Points that checks can give."""
        return sum(q.points for q in self.assignment.questions if not q.manual)

    @property
    def file(self):
        """Name of the released notebook."""
        return f"{self.assignment.name}.ipynb"


@dataclass(frozen=True, slots=True)
class Work:
    """One file that is handed in, and what it must earn.

    ``data`` None is no file; ``automatic`` None is a file that the grader never gets to see.
    """

    data: bytes | None
    automatic: float | None
    manual: float | None
    why: str
    file: str = ""


def sheet(assignment):
    """Return the sheet of an assignment."""
    names = _dependence.asked(assignment)
    return Sheet(
        assignment=assignment,
        release=handout.notebook(assignment, handout.cells(assignment)),
        right=reference(assignment),
        asked=names,
        spare=_spare(assignment, _dependence.seen(assignment, names, {})),
    )


def _spare(assignment, seen):
    """Cells without which the points of their own question are lost, and no others."""
    if assignment.config.floor:  # some points are for nothing then, and nobody knows which
        return ()
    questions = {check.name: check.question for check in assignment.checks}
    cells = [cell for cell in assignment.cells if cell.question in questions.values()]
    return tuple(
        cell.id
        for cell in cells
        if cell.role == "answer"
        and all((cell.id in seen[c]) == (q == cell.question) for c, q in questions.items())
    )


def work(sheet, student, changes, lost, level, why, added=""):
    """Return the reference with some answers changed (None: left blank) and a written part."""
    automatic = sheet.most - lost
    table, manual = notebook(sheet, student, changes, level, added)
    return Work(packed(table), round(automatic, 6), manual, why, sheet.file)


def notebook(sheet, student, changes, level, added=""):
    """Return the notebook as a dictionary, and the points of its written part.

    The cell added at the end makes every notebook another file, so hidden inputs differ.
    """
    texts, manual = words(sheet, level)
    answers = sheet.right | texts | changes
    answers = {cell: source for cell, source in answers.items() if source is not None}
    table = json.loads(answered(sheet.release, answers))
    table["cells"].append(code(f"# {student}\n{added}".strip()))
    return table, manual


def code(source):
    """Return a code cell as a student adds it."""
    cell = {"cell_type": "code", "id": "by-student", "metadata": {}, "source": source}
    return cell | {"execution_count": None, "outputs": []}


def packed(table):
    """Return the bytes of a notebook."""
    return json.dumps(table, ensure_ascii=False, indent=1).encode()


def words(sheet, level):
    """Return the cells of all questions that people mark, and the points that they deserve.

    A cell is None where it stays as it was released.
    """
    texts, points = {}, 0.0
    for question in sheet.assignment.questions:
        if not question.manual:
            continue
        cells = [c for c in sheet.assignment.cells if c.question == question.name]
        cells = [c for c in cells if c.id in sheet.right]
        texts |= {c.id: sheet.right[c.id] if level == FULL else None for c in cells}
        if level == FULL:
            points += question.points
        elif level == HALF:
            lines = half(question)
            said = "\n\n".join([SAYS, *(line.text for line in lines)])
            if cells[0].kind == "code":
                said = "\n".join(f"# {line}" for line in said.split("\n"))
            texts[cells[0].id] = said
            points += min(question.points, sum(line.points for line in lines))
    return texts, points


def half(question):
    """Return the first half of the lines of a rubric that give points."""
    lines = [line for line in question.rubric if line.points > 0]
    return lines[: len(lines) // 2]
