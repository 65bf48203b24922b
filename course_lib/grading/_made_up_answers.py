"""Students who mean it: strong, middling and weak ones.

Mistakes are put together only where no check sees two of them at once; then they lose together
what each of them loses alone.
"""

from course_lib.grading import _dependence
from course_lib.grading._made_up_notebooks import FULL, HALF, NOTHING, Work, work


def strong(sheet, student, n, rng):
    """Hand in the reference, or another right answer."""
    turns = [None, *sheet.assignment.right]
    one = turns[n % len(turns)]
    why = f"right/{one.name}.py" if one else "the reference"
    return work(sheet, student, one.answers if one else {}, 0, FULL, why)


def middling(sheet, student, n, rng):
    """Make one or two mistakes."""
    wrong = compatible(sheet, n, 1 + n % 2, rng)
    return _mistaken(sheet, student, wrong, HALF)


def weak(sheet, student, n, rng):
    """Make several mistakes, write no words; in turn leave out a part, all of it, or the day."""
    turn = n % 6
    if turn == 3:
        return Work(None, None, None, "nothing handed in")
    if turn == 5:
        lost = sheet.most - sheet.assignment.config.floor
        return work(sheet, student, dict.fromkeys(sheet.right), lost, NOTHING, "all blank")
    blank = [sheet.spare[n % len(sheet.spare)]] if turn % 2 and sheet.spare else []
    return _mistaken(sheet, student, compatible(sheet, n, 4, rng, blank), NOTHING, blank)


def compatible(sheet, n, most, rng, blank=()):
    """Return wrong answers, the first one by turns, of which no check sees two."""
    wrong = sheet.assignment.wrong
    if not wrong:
        return []
    first = n % len(wrong)
    order = [first, *(i for i in rng.permutation(len(wrong)) if i != first)]
    chosen = []
    for i in order:
        if len(chosen) < most and _apart(sheet, [*chosen, wrong[i]], blank):
            chosen.append(wrong[i])
    return chosen


def _apart(sheet, wrong, blank):
    """Whether each check sees the cells of at most one wrong answer, or those left blank."""
    groups = [set(one.answers) for one in wrong] + [{cell} for cell in blank]
    answers = _together(wrong)
    if len(answers) + len(blank) < sum(map(len, groups)):
        return False
    if len(groups) < 2:
        return True
    seen = _dependence.seen(sheet.assignment, sheet.asked, answers).values()
    return all(sum(not group.isdisjoint(cells) for group in groups) < 2 for cells in seen)


def _together(wrong):
    return {cell: source for one in wrong for cell, source in one.answers.items()}


def _mistaken(sheet, student, wrong, level, blank=()):
    """Hand in the reference with some wrong answers and some cells left blank."""
    questions = {cell.id: cell.question for cell in sheet.assignment.cells}
    points = {question.name: question.points for question in sheet.assignment.questions}
    lost = sum(points[questions[cell]] for cell in blank)
    lost += sum(sum(one.loses.values()) for one in wrong)
    why = [f"wrong/{one.name}.py" for one in wrong] + [f"{cell} left blank" for cell in blank]
    changes = _together(wrong) | dict.fromkeys(blank)
    return work(sheet, student, changes, lost, level, ", ".join(why) or "the reference")
