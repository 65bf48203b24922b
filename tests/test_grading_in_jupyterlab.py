"""A released notebook as a student has it: opened in JupyterLab, answered, checked, handed in."""

import json
import re
import shutil
import time

import pytest

from course_lib.grading import cli, files
from tests import grading_course, jupyter_lab
from tests.grading_case import case

pytest_plugins = "tests.grading_support"

ONE = case("01_markov_hmm")
WRONG = ONE.wrong["gap_is_the_last_word"].answers["weigh"]
LETTER = "Dear Marit, let the *filter* ring your phone."
WAIT_S = 60


class Released(jupyter_lab.Notebook):
    """The released notebook; its cells are called by their ids."""

    def __init__(self, lab, browser, path):
        super().__init__(lab, browser, path.stem)
        self.path = path
        cells = self.saved()["cells"]
        self.ids = [cell["id"] for cell in cells]
        self.codes = [cell["id"] for cell in cells if cell["cell_type"] == "code"]
        self.page.locator(".jp-Notebook .jp-Cell").nth(len(cells) - 1).wait_for(state="attached")

    def cell(self, name):
        found = self.page.locator(".jp-Notebook .jp-Cell").nth(self.ids.index(name))
        found.scroll_into_view_if_needed()
        return found

    def write(self, name, source):
        """Replace what stands in a cell, as by pasting."""
        self.cell(name).locator(".cm-content").click()
        self.page.keyboard.press("Control+a")
        self.page.keyboard.insert_text(source)

    def run_cell(self, name):
        self.cell(name)
        self.run(self.codes.index(name))

    def run_all(self):
        """Run everything from the top, by the menu."""
        self.page.get_by_role("menuitem", name="Run", exact=True).click()
        self.page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
        last = self.cell(self.codes[-1]).locator(".jp-InputPrompt")
        self.wait(lambda: re.search(r"\d", last.inner_text()), "the last cell has not run")

    def said(self, name):
        """What stands below a cell; JupyterLab draws it once the cell is in sight."""
        below = self.cell(name).locator(".jp-Cell-outputWrapper")
        self.wait(lambda: below.text_content().strip(), f"nothing stands below {name}")
        return below.text_content().strip()

    def save(self, until):
        """Save, and wait until the file is as wanted."""
        self.page.keyboard.press("Control+s")
        self.wait(lambda: until(self.saved()), "the file is not as wanted")

    def saved(self):
        return json.loads(self.path.read_text(encoding="utf-8"))

    def source(self, name):
        """What the file has in a cell."""
        (cell,) = [cell for cell in self.saved()["cells"] if cell["id"] == name]
        return "".join(cell["source"])

    def wait(self, condition, otherwise):
        end = time.monotonic() + WAIT_S
        while not condition():
            assert time.monotonic() < end, otherwise
            self.page.wait_for_timeout(100)


@pytest.fixture
def notebook(tmp_path, browser):
    folder = tmp_path / "lab"
    folder.mkdir()
    path = folder / ONE.released.name
    shutil.copyfile(ONE.released, path)
    with jupyter_lab.running(folder) as url:
        opened = Released(url, browser, path)
        yield opened
        opened.context.close()


def test_answer_check_correct_and_hand_in(notebook, tmp_path, sandbox_kind, capfd):
    notebook.run_all()
    assert "not answered yet [0/1]" in notebook.said("check-weigh")
    assert "Wait until parts 1, 2, 4 and 5 are written." in notebook.said("neighbours")

    tools = notebook.cell("checks")  # four hundred lines that nobody needs to see
    assert tools.locator(".jp-InputPlaceholder").is_visible()
    assert not tools.locator(".cm-content").is_visible()

    for name in ("hives", "check-weigh"):  # given cells can neither be edited nor deleted
        before = notebook.cell(name).locator(".cm-content").inner_text()
        notebook.write(name, "HIVE_A = 7")
        notebook.page.keyboard.press("Escape")
        notebook.page.keyboard.press("d")
        notebook.page.keyboard.press("d")
        assert notebook.cell(name).locator(".cm-content").inner_text() == before

    notebook.write("weigh", WRONG)
    notebook.run_cell("weigh")
    notebook.run_cell("check-weigh")
    said = notebook.said("check-weigh")
    assert said.startswith("✗ Hum; roar; flat battery") and said.endswith("[0/1]")
    assert "Day 2 is weighed as quiet: B[:, -1] is the last word, not none" in said

    notebook.write("weigh", ONE.solutions["weigh"])
    notebook.run_cell("weigh")
    notebook.run_cell("check-weigh")
    said = notebook.said("check-weigh")
    assert said.startswith("✓ Hum; roar; flat battery") and said.endswith("[1/1]")

    notebook.cell("advice").locator("em").dblclick()
    notebook.write("advice", LETTER)
    notebook.page.keyboard.press("Shift+Enter")
    notebook.cell("advice").locator("em", has_text="filter").wait_for()
    notebook.save(until=lambda saved: LETTER in map("".join, sources(saved)))
    assert notebook.source("weigh") == ONE.solutions["weigh"]
    assert [cell["id"] for cell in notebook.saved()["cells"]] == notebook.ids
    assert notebook.errors == []

    workspace = grading_course.build(tmp_path / "grading", ONE.source.folder)
    handed_in = tmp_path / "downloads" / "ada" / ONE.released.name
    handed_in.parent.mkdir(parents=True)
    shutil.copyfile(notebook.path, handed_in)
    files.write_file(workspace.root / "roster.csv", "student,name\nada,Ada Lovelace\n")
    work = "--work", str(workspace.root)
    collect = ["collect", ONE.name, str(tmp_path / "downloads"), "--from", "folder", *work]
    assert cli.main(collect) == 0
    assert cli.main(["run", ONE.name, "--sandbox", sandbox_kind, *work]) == 0
    capfd.readouterr()
    (result,) = all_results(workspace)
    points = {question["name"]: question["points"] for question in result["questions"]}
    assert points == dict.fromkeys(points, 0) | {"weigh": 2, "advice": None}
    assert result["points"] == 2 and result["flags"] == []
    assert result["written"] == {"advice": LETTER}


def sources(table):
    return [cell["source"] for cell in table["cells"]]


def all_results(workspace):
    """What `run` has stored."""
    found = workspace.path(ONE.name, "results").rglob("*.json")
    return [json.loads(path.read_text(encoding="utf-8")) for path in found]
