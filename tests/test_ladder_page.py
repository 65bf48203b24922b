"""The ladder's page runs whatever the results hold: missing lines, missing tasks, new models."""

import dataclasses
import re
from pathlib import Path

import pytest

from course_lib import training
from course_lib.ladder import results

PAGE = Path(__file__).resolve().parents[1] / "book" / "back" / "ladder.md"
CODE = re.compile(r"^```\{code-cell\} ipython3\n(?::tags:[^\n]*\n\n)?(.*?)^```$", re.M | re.S)
NEW = ("attention", "transformer", "mingru", "ssm", "nobody-has-heard-of-it")


def with_new_models(cells):
    """Every cell once more for each model to come."""
    return [
        *cells,
        *(dataclasses.replace(c, model=new) for c in cells if c.model == "gru" for new in NEW),
    ]


def with_holes(cells):
    """No HMM, no parity, one seed of copying, and the first line deleted."""
    return [
        cell
        for cell in cells[1:]
        if cell.model != "hmm" and cell.task != "parity" and not (cell.task == "copy" and cell.seed)
    ]


@pytest.mark.parametrize("change", [with_new_models, with_holes])
def test_page_runs(change, monkeypatch, capsys):
    cells = change(results.read_results())
    monkeypatch.setattr(results, "read_results", lambda: cells)
    monkeypatch.setattr(training, "train", lambda *_, **__: None)  # ten seconds of the page
    monkeypatch.setattr("IPython.display.display", lambda *_, **__: None)
    page, names = CODE.findall(PAGE.read_text(encoding="utf-8")), {}
    assert len(page) > 15
    for code in page:
        if change is with_new_models:
            code = code.replace("not absent", "False")  # made-up cells keep no promises
        exec(compile(code, "ladder.md", "exec"), names)
    assert f"{len(cells)} trainings" in capsys.readouterr().out
