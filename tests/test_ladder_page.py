"""The ladder's page runs whatever the results hold: missing lines and tasks, new models."""

import dataclasses
import re
from pathlib import Path

from course_lib import training
from course_lib.ladder import results

PAGE = Path(__file__).resolve().parents[1] / "book" / "back" / "ladder.md"
CODE = re.compile(r"^```\{code-cell\} ipython3\n(?::tags:[^\n]*\n\n)?(.*?)^```$", re.M | re.S)
NEW = ("delta-rule", "nobody-has-heard-of-it")


def test_page_runs_with_models_to_come_and_without_some_that_came(monkeypatch, capsys):
    cells = [
        cell
        for cell in results.read_results()[1:]
        if cell.model not in ("hmm", "ssm")
        and cell.task != "parity"
        and not (cell.task == "copy" and cell.seed)
    ]
    cells += [
        dataclasses.replace(cell, model=new)
        for cell in cells
        for new in NEW
        if cell.model == "gru" and cell.task != "filtering"
    ]
    monkeypatch.setattr(results, "read_results", lambda: cells)
    monkeypatch.setattr(training, "train", lambda *_, **__: None)  # ten seconds of the page
    monkeypatch.setattr("IPython.display.display", lambda *_, **__: None)
    page, names = CODE.findall(PAGE.read_text(encoding="utf-8")), {}
    assert len(page) > 15
    for code in page:
        exec(compile(code, "ladder.md", "exec"), names)
    printed = capsys.readouterr().out
    assert f"{len(cells)} trainings" in printed and "not tested" in printed
