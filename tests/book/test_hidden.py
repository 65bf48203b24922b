"""Solutions and hidden checks of the assignments stand nowhere in the built book."""

import html
import json
import re

import pytest
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from tests.grading_case import NAMES, case
from tests.hidden_texts import hidden_names, hidden_texts, search


def hidden():
    """Texts and names of all assignments."""
    texts, names = {}, set()
    for one in map(case, NAMES):
        texts |= hidden_texts(one)
        names |= hidden_names(one)
    return texts, names


def test_nothing_hidden_is_in_the_book(built_book):
    """Every file of the site: pages, their sources, the search index, what can be downloaded."""
    files = sorted(path for path in built_book.rglob("*") if path.is_file())
    downloads = {path.name for path in files if "_downloads" in path.parts}
    assert {case(name).released.name for name in NAMES} <= downloads
    assert search(files, *hidden()) == []


def hidden_check(one):
    """A hidden check's name and its text from its second line on."""
    check = next(c for c in one.source.checks if c.hidden and "_" in c.name)
    body = one.source.checks_source.split(f"def {check.name}(")[1].split("\n\n\n")[0]
    return check.name, body.partition("\n")[2]


def as_page(one):
    """A solution in colours."""
    code = highlight(max(one.solutions.values(), key=len), PythonLexer(), HtmlFormatter())
    return "page.html", f"<html><body><article>{code}</article></body></html>"


def as_state_of_a_demo(one):
    """A solution in a page's script, as JSON."""
    state = json.dumps({"code": max(one.solutions.values(), key=len)})
    return "page.html", f'<script type="application/json">{state}</script>'


def as_attribute(one):
    """A line of the rubric as words for a picture."""
    return "page.html", f'<img alt="{html.escape(one.source.questions[-1].rubric[0].text)}">'


def as_cell_of_a_notebook(one):
    """A hidden check under another name."""
    source = f"def other(student, solution, rng):\n{hidden_check(one)[1]}".splitlines(True)
    cell = {"cell_type": "code", "source": source, "outputs": [], "metadata": {}}
    return "notebook.ipynb", json.dumps({"cells": [cell], "metadata": {}})


def as_output_of_a_notebook(one):
    """The model answer, printed."""
    written = [c for c in one.source.cells if c.role == "written"][-1].source
    output = {"output_type": "stream", "name": "stdout", "text": written.splitlines(True)}
    cell = {"cell_type": "code", "source": [], "outputs": [output], "metadata": {}}
    return "notebook.ipynb", json.dumps({"cells": [cell], "metadata": {}})


def as_source_with_other_line_ends(one):
    """Another right answer, quoted in Markdown and broken elsewhere."""
    right = max(one.source.right[0].answers.values(), key=len)
    return "page.md", re.sub(r"(?m)^", "> ", right.replace(", ", ",\n  "))


def as_word_of_the_search_index(one):
    """The name of a hidden check."""
    return "searchindex.js", f'Search.setIndex({{"terms":{{"{hidden_check(one)[0]}":[3]}}}})'


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "leak",
    [
        as_page,
        as_state_of_a_demo,
        as_attribute,
        as_cell_of_a_notebook,
        as_output_of_a_notebook,
        as_source_with_other_line_ends,
        as_word_of_the_search_index,
    ],
)
def test_a_leak_is_found(leak, name, tmp_path):
    one = case(name)
    file, text = leak(one)
    (tmp_path / file).write_text(text, encoding="utf-8")
    found = search([tmp_path / file], hidden_texts(one), hidden_names(one))
    assert found and all(file in line for line in found)
