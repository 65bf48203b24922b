"""The chapters' pipeline on made-up chapters: what it keeps, and where it says a mistake is."""

import json
import os
import subprocess
import sys
from pathlib import Path

import build_notebooks
import nbformat
import pytest

TOOL = Path(build_notebooks.__file__)

GOOD = """\
(ch-dice)=
# Dice

Some prose.

```{code-cell} ipython3
:tags: [hide-input]

from IPython.display import HTML, display

print("one", flush=True)
print("two")
display(HTML("<b>bold</b>"))
```

:::{admonition} Note
:class: tip
More prose.
:::

```{code-cell} ipython3
1 + 1
```

```{code-cell} ipython3
:tags: [raises-exception]
raise ValueError("a row sums to 0.9")
```
"""


@pytest.fixture
def book(tmp_path):
    """Folders of a book with one chapter, and a way to run the tool on them."""
    source, target = tmp_path / "chapters", tmp_path / "notebooks"
    source.mkdir()
    (source / "01_dice.md").write_text(GOOD, encoding="utf-8")

    class Book:
        chapter = source / "01_dice.md"
        notebook = target / "01_dice.ipynb"

        def run(self, *arguments):
            return build_notebooks.main(
                [*arguments, "--source", str(source), "--target", str(target)]
            )

        def write(self, text, name="01_dice.md"):
            (source / name).write_text(text, encoding="utf-8")

    return Book()


def cell(code, tags=""):
    option = f":tags: {tags}\n" if tags else ""
    return f"# Title\n\n```{{code-cell}} ipython3\n{option}{code}\n```\n"


class TestBuild:
    def test_keeps_text_outputs_and_nothing_else(self, book):
        assert book.run() == 0
        notebook = nbformat.read(book.notebook, as_version=4)
        nbformat.validate(notebook)
        first, second, third = (c for c in notebook.cells if c.cell_type == "code")
        assert [dict(output) for output in first.outputs] == [
            {"output_type": "stream", "name": "stdout", "text": "one\ntwo\n"},
            {
                "output_type": "display_data",
                "data": {"text/plain": "<IPython.core.display.HTML object>"},
                "metadata": {},
            },
        ]
        assert second.outputs[0].data == {"text/plain": "2"}
        assert third.outputs[0].traceback == ["ValueError: a row sums to 0.9"]
        assert [c.execution_count for c in (first, second, third)] == [1, 2, 3]
        assert first.metadata == {"tags": ["hide-input"]}
        assert set(notebook.metadata) == {"kernelspec", "language_info"}

    def test_second_build_is_equal_byte_for_byte(self, book):
        book.run()
        once = book.notebook.read_bytes()
        book.notebook.unlink()
        book.run()
        assert book.notebook.read_bytes() == once

    def test_a_new_cell_does_not_rename_the_others(self, book):
        def ids(text):
            book.write(text)
            return [c.id for c in build_notebooks.read_chapter(book.chapter).notebook.cells]

        before = ids(GOOD)
        after = ids(GOOD.replace("(ch-dice)=", "```{code-cell} ipython3\nx = 1\n```\n\n(ch-dice)="))
        assert after[1:] == before

    def test_equal_cells_have_different_ids(self, book):
        book.write(cell("1") + cell("1"))
        ids = [c.id for c in build_notebooks.read_chapter(book.chapter).notebook.cells]
        assert len(set(ids)) == len(ids) == 4

    def test_output_that_cannot_be_repeated_is_not_stored(self, book):
        book.write(cell("import time; print(time.perf_counter())", "[nbval-ignore-output]"))
        assert book.run() == 0
        (code,) = (
            c for c in nbformat.read(book.notebook, as_version=4).cells if c.cell_type == "code"
        )
        assert code.outputs == [] and code.execution_count == 1

    def test_a_line_that_the_kernel_sent_in_pieces_is_one_text(self, book, tmp_path):
        """The book's cache reads these outputs; myst-nb would break the line between pieces."""
        slow = 'import time\nprint("a", end="", flush=True)\ntime.sleep(0.5)\nprint()\nprint("b")'
        book.write(cell(slow))
        chapter = build_notebooks.read_chapter(book.chapter)
        build_notebooks.run_chapter(chapter, tmp_path)
        assert [output.text for output in chapter.notebook.cells[1].outputs] == ["a\nb\n"]

    def test_one_chapter_by_number_name_or_file(self, book):
        book.write(cell("print('two')"), "02_more.md")
        for name in ("02", "02_more", str(book.chapter.with_name("02_more.md"))):
            assert book.run(name) == 0
            assert not book.notebook.exists()
            assert book.notebook.with_name("02_more.ipynb").exists()

    def test_prints_one_line_for_each_chapter(self, book, capsys):
        book.write(cell("print('two')"), "02_more.md")
        book.run()
        out = capsys.readouterr().out.splitlines()
        assert [line.split("]")[0] for line in out[:2]] == ["[1/2", "[2/2"]
        assert "2 notebooks written to" in out[2]


class TestChapterThatFails:
    @pytest.mark.parametrize(
        "code, line, message",
        [
            ("x = 1\ny = 0\nx / y", 6, "ZeroDivisionError: division by zero"),
            ("x = (1,\ny = 2", 4, "SyntaxError"),
            ("def f():\n    raise KeyError('a')\n\nf()", 7, "KeyError: 'a'"),
            ("import sys\nprint('careful', file=sys.stderr)", 4, "writes to stderr: careful"),
            ("object()", 4, "memory address"),
            (f"print({str(build_notebooks.ROOT)!r})", 4, "a folder of this machine"),
            ("import os; os._exit(1)", 4, "the kernel died"),
        ],
    )
    def test_names_source_line_and_error(self, book, capsys, code, line, message):
        book.write(cell(code))
        assert book.run() == 1
        last = capsys.readouterr().err.strip()
        assert f"01_dice.md:{line}: " in last and message in last
        assert not book.notebook.exists()

    def test_leaves_the_last_good_notebook_and_no_draft(self, book):
        book.run()
        good = book.notebook.read_bytes()
        book.write(cell("1 / 0"))
        assert book.run() == 1
        assert book.notebook.read_bytes() == good
        assert os.listdir(book.notebook.parent) == ["01_dice.ipynb"]

    def test_cell_that_never_ends_is_stopped(self, book, capsys, monkeypatch):
        monkeypatch.setattr(build_notebooks, "CELL_TIMEOUT_S", 1)
        book.write(cell("import time\ntime.sleep(60)"))
        assert book.run() == 1
        assert "01_dice.md:4: this cell runs for more than 1 s" in capsys.readouterr().err


class TestBrokenSource:
    @pytest.mark.parametrize(
        "text, line, message",
        [
            ("# T\n\n```{code-cell} ipython3\n1\n", 3, "is never closed"),
            ("# T\n```{code-cell} ipython3\n1\n\n```{code-cell} ipython3\n2\n```\n", 2, "swallows"),
            ("# T\n\n:::{admonition} A\ntext\n", 3, "is never closed"),
            ("# T\n\n:::{note}\na\n\n:::{tip}\nb\n:::\n", 6, "or {note} in line 3 is not"),
            ("# T\n\ntext\n:::\n", 4, "::: closes nothing"),
            ("# T\n:::{note}\n```{code-cell} ipython3\n1\n```\n:::\n", 3, "cannot stand inside"),
            ("# T\n- a\n  ```{code-cell} ipython3\n  1\n  ```\n", 3, "cannot be indented"),
            ("# T\n\n:::{admonition} A\n:clas: tip\nx\n:::\n", 4, "unknown option :clas:"),
            ("# T\n\n:::{admonitoin} A\nx\n:::\n", 3, "unknown directive {admonitoin}"),
            ("# T\n\n```{code-cell} ipython3\n:tags: [hide-input\n1\n```\n", 4, "not YAML"),
            ("# T\n\n```{code-cell} ipython3\n---\ntags: [a\n---\n1\n```\n", 5, "not YAML"),
            ("# T\n\n```{code-cell} ipython3\n---\ntags: []\n1\n```\n", 4, "not closed by ---"),
            (cell("1", "hide-input"), 4, "must be a list"),
            (cell("1", "[hide-inputs]"), 4, "unknown tag 'hide-inputs'"),
            (cell(""), 3, "is empty"),
            ("---\na: [1\n---\n# T\n", 2, "not YAML"),
            ("---\na: 1\n# T\n", 1, "front matter is not closed"),
        ],
    )
    @pytest.mark.parametrize("arguments", [(), ("--check",)], ids=["build", "check"])
    def test_names_file_and_line(self, book, capsys, text, line, message, arguments):
        book.write(text)
        assert book.run(*arguments) == 1
        error = capsys.readouterr().err
        assert f"01_dice.md:{line}: " in error and message in error

    def test_bytes_that_are_not_utf8(self, book, capsys):
        book.chapter.write_bytes(b"# T\n\ncaf\xe9\n")
        assert book.run("--check") == 1
        assert "01_dice.md:3: this line is not UTF-8" in capsys.readouterr().err

    def test_sources_that_show_fences_are_fine(self, book):
        book.write("# T\n\n````md\n```{code-cell} ipython3\n````\n\n~~~\n:::\n~~~\n")
        build_notebooks.read_chapter(book.chapter)


class TestCheck:
    def test_runs_no_code_and_agrees_after_a_build(self, book, capsys, monkeypatch):
        book.run()
        monkeypatch.setattr(build_notebooks, "run_chapter", None)
        assert book.run("--check") == 0
        assert "1 notebooks agree" in capsys.readouterr().out

    @pytest.mark.parametrize(
        "old, new, line",
        [
            ("Some prose.", "Other prose.", 1),
            ("1 + 1", "1 + 2", 22),
            ("hide-input", "hide-cell", 9),
        ],
    )
    def test_a_changed_source_is_named_with_its_line(self, book, capsys, old, new, line):
        book.run()
        book.write(GOOD.replace(old, new))
        assert book.run("--check") == 1
        error = capsys.readouterr().err
        assert f"01_dice.md:{line}: differs from" in error
        assert "make notebooks CHAPTER=01_dice" in error

    def edit(self, book, change):
        book.run()
        content = json.loads(book.notebook.read_text(encoding="utf-8"))
        change(content)
        book.notebook.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n")

    def test_a_cell_that_has_not_run(self, book, capsys):
        self.edit(book, lambda n: n["cells"][3].update(execution_count=None, outputs=[]))
        assert book.run("--check") == 1
        assert "01_dice.md:22: has not run in" in capsys.readouterr().err

    @pytest.mark.parametrize(
        "change",
        [
            lambda n: n["cells"][3]["outputs"][0]["data"].update({"text/html": "<b>"}),
            lambda n: n["cells"][3].update(execution_count=7),
            lambda n: n["metadata"].update(widgets={}),
            lambda n: n["metadata"]["language_info"].update(version="3.11.7"),
        ],
        ids=["html", "count", "widgets", "version"],
    )
    def test_more_than_text_in_the_notebook(self, book, capsys, change):
        self.edit(book, change)
        assert book.run("--check") == 1
        assert "holds more than text outputs" in capsys.readouterr().err

    def test_a_missing_cell_a_missing_notebook_and_no_notebook(self, book, capsys):
        assert book.run("--check") == 1
        assert "is missing: run `make notebooks" in capsys.readouterr().err
        self.edit(book, lambda n: n["cells"].pop())
        assert book.run("--check") == 1
        assert "01_dice.md:27: differs from" in capsys.readouterr().err
        book.notebook.write_text("<html>")
        assert book.run("--check") == 1
        assert "is no notebook" in capsys.readouterr().err

    def test_a_notebook_without_source(self, book, capsys):
        book.run()
        book.notebook.with_name("09_gone.ipynb").write_text("{}")
        assert book.run("--check") == 1
        assert "09_gone.ipynb:1: has no source" in capsys.readouterr().err


class TestArguments:
    @pytest.mark.parametrize(
        "arguments, message",
        [
            (["77"], "no chapter '77'"),
            (["--jobs", "0"], "--jobs"),
            (["--nonsense"], "unrecognized"),
        ],
    )
    def test_wrong_ones_exit_with_2(self, book, capsys, arguments, message):
        with pytest.raises(SystemExit) as exit_:
            book.run(*arguments)
        assert exit_.value.code == 2
        assert message in capsys.readouterr().err

    def test_missing_folder_exits_with_2(self, tmp_path):
        with pytest.raises(SystemExit) as exit_:
            build_notebooks.main(["--source", str(tmp_path / "none")])
        assert exit_.value.code == 2

    def test_help_from_any_folder(self, tmp_path):
        done = subprocess.run(
            [sys.executable, str(TOOL), "--help"], cwd=tmp_path, capture_output=True, text=True
        )
        assert done.returncode == 0 and "--check" in done.stdout
