"""The page for instructors that leads from nothing to grades: its commands, one after the other.

Blocks marked ``sh`` are run in an empty folder; a block marked ``text`` that follows one is what
the command prints.
"""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from course_lib.grading import files
from tests.browser import watch

pytest_plugins = "tests.grading_support"
ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "book" / "back" / "grading.md"
BLOCK = re.compile(r"```(sh|text)\n(.*?)```", re.DOTALL)
STUDENTS = ["blank", "largest_entry", "reference", "without_signs"]


def steps():
    """The page's command blocks, each with the output it promises, if any."""
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8").partition("## 1. ")[2])
    followed = zip(blocks, [*blocks[1:], ("", "")], strict=True)
    return [
        (code, told if kind == "text" else "")
        for (is_, code), (kind, told) in followed
        if is_ == "sh"
    ]


def shell(code, folder, **more):
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {k: v for k, v in os.environ.items() if k != "COURSE_GRADE_WORK"}
    environment |= {"PATH": path, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        ["sh", "-ec", code],
        cwd=folder,
        env=environment,
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **more,
    )


def review(code, folder, browser):
    """Mark all answers by keyboard: two as the rubric says, one in part by hand, one with zero."""
    command = shell(f"exec {code.strip()} --no-browser", folder)
    try:
        address = re.search(r"http://\S+", command.stdout.readline())[0]
        context = browser.new_context()
        seen = watch(context.new_page(), address)
        page = seen.page
        page.goto(address)
        for number, key in enumerate("1101"):
            page.locator("#marking").wait_for()
            page.get_by_text(f"{number} of 4 marked").wait_for()
            page.keyboard.press(key)
            page.get_by_text(f"{number + 1} of 4 marked").wait_for()
            page.keyboard.press("Enter")
        page.get_by_text("Everything is marked.").wait_for()
        context.close()
        assert seen.complaints == []
    finally:
        command.send_signal(signal.SIGINT)
        command.communicate(timeout=60)


@pytest.fixture(scope="module")
def walked(tmp_path_factory, browser, sandbox_kind):
    """The folder after all commands of the page, and what each printed."""
    folder, printed = tmp_path_factory.mktemp("instructor"), []
    for code, told in steps():
        if code.startswith("course-grade review"):
            review(code, folder, browser)
            continue
        command = shell(code, folder)
        output, errors = command.communicate(timeout=600)
        assert command.returncode == 0 or "status" in code, f"{code}\n{output}\n{errors}"
        printed.append((code, output, told))
    return folder, printed


class TestTheWalk:
    def test_has_all_verbs_in_their_order(self):
        verbs = re.findall(r"course-grade (\w+)", "".join(code for code, _ in steps()))
        wanted = "doctor new release status collect run status review feedback export stats"
        assert verbs == wanted.split()

    def test_prints_what_the_page_shows(self, walked):
        told = [(output, text) for _, output, text in walked[1] if text]
        assert len(told) == 4
        for output, text in told:
            assert output == text

    def test_the_machine_is_ready(self, walked):
        assert walked[1][0][1].endswith("Ready to grade.\n")

    def test_grades_are_the_known_ones(self, walked):
        path = walked[0] / "grading" / "first" / "grades.csv"
        rows = files.read_csv(path, *_columns(path))
        automatic = {row["student"]: float(row["automatic"]) for row in rows}
        assert automatic == dict(zip(STUDENTS, (0, 0, 2, 1), strict=True))
        assert sum(float(row["total"]) for row in rows) == 3 + 3  # one answer of four got zero

    def test_each_student_has_feedback(self, walked):
        folder = walked[0] / "grading" / "first" / "feedback"
        assert sorted(path.stem for path in folder.iterdir()) == STUDENTS
        assert "random_numbers" not in (folder / "largest_entry.html").read_text(encoding="utf-8")

    def test_stats_have_a_picture(self, walked):
        assert "<svg" in (walked[0] / "grading" / "first" / "stats.html").read_text("utf-8")


def _columns(path):
    return tuple(path.read_text(encoding="utf-8").splitlines()[0].split(",")), ()
