"""Every check of every chapter rejects its wrong answers by name and accepts the right ones."""

import importlib
import importlib.util
import inspect
import io
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import course_lib.exercises
from course_lib.exercises import kit
from tests.wrong_answers import Args

EXERCISES = Path(course_lib.exercises.__file__).parent
CHAPTERS = sorted(path.stem for path in EXERCISES.glob("chapter_*.py"))


def line_of(check, answer):
    """What a check prints for an answer; also that it prints one line and returns None."""
    out, err = io.StringIO(), io.StringIO()
    arguments = answer if isinstance(answer, Args) else (answer,)
    with redirect_stdout(out), redirect_stderr(err):
        returned = check(*arguments)
    assert returned is None, "a check returns None"
    assert err.getvalue() == "", err.getvalue()
    lines = out.getvalue().splitlines()
    assert len(lines) == 1, f"a check prints one line, not {lines}"
    return lines[0]


def checks_of(module):
    """Public checks that a chapter module itself defines, by name."""
    return {
        name: thing
        for name, thing in vars(module).items()
        if name.startswith("check_")
        and inspect.isfunction(thing)
        and thing.__module__ == module.__name__
    }


def complaints(module, answers):
    """All that is wrong with the checks of a chapter and their tables of answers."""
    found, checks = [], checks_of(module)
    if not checks:
        found.append(f"{module.__name__} has no check_* function")
    wrong_table, right_table = getattr(answers, "WRONG", {}), getattr(answers, "RIGHT", {})
    for name in sorted(set(wrong_table) | set(right_table)):
        if name not in checks:
            found.append(f"{name}: in a table of answers, but no such check")
    for name, check in checks.items():
        if not hasattr(check, "exercise"):
            found.append(f"{name}: decorate it with @exercise")
            continue
        wrong, right = wrong_table.get(name, []), right_table.get(name, [])
        if len(wrong) < 3:
            found.append(f"{name}: {len(wrong)} wrong answers, at least 3 are needed")
        if not right:
            found.append(f"{name}: no right answer")
        for answer in right:
            line = line_of(check, answer)
            if line != f"✓ {check.exercise}: passed":
                found.append(f"{name}: a right answer is rejected: {line}")
        lines = []
        for answer, fragment in wrong:
            line = line_of(check, answer)
            lines.append(line)
            if not line.startswith(f"✗ {check.exercise}: "):
                found.append(f"{name}: a wrong answer ({fragment!r}) is not rejected: {line}")
            elif not fragment or fragment not in line:
                found.append(f"{name}: {fragment!r} is not in {line!r}")
        if wrong and len(set(lines)) < min(3, len(lines)):
            found.append(f"{name}: its wrong answers have fewer than 3 different messages")
        n_arguments = len(inspect.signature(check).parameters)
        for unanswered in (None, ...):
            line = line_of(check, Args(*[unanswered] * n_arguments))
            if line != f"○ {check.exercise}: not answered yet":
                found.append(f"{name}: {unanswered} is not 'not answered yet': {line}")
        for junk in JUNK:
            line = line_of(check, Args(*[junk] * n_arguments))
            if line.startswith("✓"):
                found.append(f"{name}: accepts {junk!r:.40}")
    return found


def _raises(*arguments):
    raise RuntimeError("two\nlines")


class _Hostile:
    """An object that fails at everything a check may try."""

    def __eq__(self, other):
        raise RuntimeError("no comparison")

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("no array")

    def __repr__(self):
        raise RuntimeError("no repr")

    __hash__ = None


JUNK = [
    "no such answer",
    float("nan"),
    -12345.678,
    [],
    {},
    [[1.0], [2.0, 3.0]],
    np.full((2, 3, 5), np.inf),
    np.array(["a", "b"]),
    object(),
    _raises,
    lambda *arguments: "text",
]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_checks_of_the_chapter(chapter):
    module = importlib.import_module(f"course_lib.exercises.{chapter}")
    tables = f"tests.wrong_answers.{chapter}"
    missing = importlib.util.find_spec(tables) is None
    answers = SimpleNamespace() if missing else importlib.import_module(tables)
    assert complaints(module, answers) == []


def test_every_chapter_with_exercises_has_checks():
    sources = (EXERCISES.parents[1] / "book" / "chapters").glob("*.md")
    needed = {
        f"chapter_{path.name[:2]}"
        for path in sources
        if "{exercise-start}" in path.read_text(encoding="utf-8")
    }
    assert needed - set(CHAPTERS) == set()


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_every_check_says_which_exercise_it_is(chapter):
    checks = checks_of(importlib.import_module(f"course_lib.exercises.{chapter}"))
    names = [check.exercise for check in checks.values() if hasattr(check, "exercise")]
    assert len(set(names)) == len(names)
    number = str(int(chapter.removeprefix("chapter_")))
    assert [name for name in names if not name.startswith(f"{number}.")] == []


# ---- the test of the test: a chapter made up here, right and then broken in every way ---------


def fake_chapter(**checks):
    for check in checks.values():
        check.__module__ = "fake_chapter"
    return SimpleNamespace(__name__="fake_chapter", **checks)


@kit.exercise("9.1 Two")
def check_two(answer):
    """A check as it should be."""
    return kit.wrong_value(answer, 2.0, likely=[(1.0, "one is not enough")])


@kit.exercise("9.2 Anything")
def check_anything(answer):
    """A check that accepts everything."""


@kit.exercise("9.3 Nothing")
def check_nothing(answer):
    """A check that rejects everything with one message."""
    return "no"


def check_bare(answer):
    """A check without the decorator."""


GOOD = {"check_two": [(1.0, "one is not enough"), (3.0, "too large"), (1.5, "too small")]}
RIGHT = {"check_two": [2.0, 2]}


class TestTheTest:
    def complaints(self, wrong, right, **checks):
        answers = SimpleNamespace(WRONG=wrong, RIGHT=right)
        return "\n".join(complaints(fake_chapter(**checks), answers))

    def test_good_chapter_passes(self):
        assert self.complaints(GOOD, RIGHT, check_two=check_two) == ""

    def test_chapter_without_checks(self):
        assert "has no check_*" in self.complaints({}, {})

    def test_table_is_missing(self):
        text = "\n".join(complaints(fake_chapter(check_two=check_two), SimpleNamespace()))
        assert "0 wrong answers" in text and "no right answer" in text

    def test_too_few_wrong_answers(self):
        text = self.complaints({"check_two": GOOD["check_two"][:2]}, RIGHT, check_two=check_two)
        assert "2 wrong answers, at least 3" in text

    def test_no_right_answer(self):
        assert "no right answer" in self.complaints(GOOD, {}, check_two=check_two)

    def test_right_answer_is_rejected(self):
        text = self.complaints(GOOD, {"check_two": [2.5]}, check_two=check_two)
        assert "a right answer is rejected" in text

    def test_wrong_answer_is_accepted(self):
        wrong = {"check_two": [*GOOD["check_two"], (2.0, "passed")]}
        assert "is not rejected" in self.complaints(wrong, RIGHT, check_two=check_two)

    def test_message_names_another_mistake(self):
        wrong = {"check_two": [*GOOD["check_two"][:2], (1.5, "did you normalise")]}
        assert "'did you normalise' is not in" in self.complaints(wrong, RIGHT, check_two=check_two)

    def test_empty_fragment_proves_nothing(self):
        wrong = {"check_two": [*GOOD["check_two"], (4.0, "")]}
        assert "'' is not in" in self.complaints(wrong, RIGHT, check_two=check_two)

    def test_check_that_accepts_everything(self):
        wrong = {"check_anything": [(k, "no") for k in range(3)]}
        text = self.complaints(wrong, {"check_anything": [1]}, check_anything=check_anything)
        assert "is not rejected" in text and "accepts 'no such answer'" in text

    def test_check_with_one_message_for_all(self):
        wrong = {"check_nothing": [(k, "no") for k in range(3)]}
        text = self.complaints(wrong, {"check_nothing": [1]}, check_nothing=check_nothing)
        assert "fewer than 3 different messages" in text

    def test_check_without_decorator(self):
        assert "decorate it" in self.complaints({}, {}, check_bare=check_bare)

    def test_table_of_a_check_that_does_not_exist(self):
        wrong = {**GOOD, "check_gone": []}
        assert "check_gone: in a table" in self.complaints(wrong, RIGHT, check_two=check_two)

    def test_check_that_prints_two_lines(self):
        def check_chatty(answer):
            print("first")
            print("second")

        check_chatty.exercise = "9.4 Chatty"
        with pytest.raises(AssertionError, match="one line"):
            line_of(check_chatty, 1)

    def test_check_that_returns_something(self):
        with pytest.raises(AssertionError, match="returns None"):
            line_of(lambda answer: print("x") or True, 1)
