"""`make book` on a made-up book: what it does again, what it does not, and where it points."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import build_book
import pytest

TOOLS = Path(build_book.__file__).parent
CHAPTER = """\
# Dice

```{code-cell} ipython3
from course_lib import dice

print(dice.SIDES)
```

```{code-cell} ipython3
from IPython.display import HTML

HTML("<b>only on the page</b>")
```
"""
INDEX = """\
---
kernelspec:
  name: python3
  display_name: Python 3
  language: python
file_format: mystnb
---
# Trial

```{code-cell} ipython3
print("landing")
```
"""


class Book:
    """A tiny book in a folder of its own, built by copies of the real tools."""

    def __init__(self, root):
        self.root = root
        self.html = root / "_build" / "html"
        shutil.copytree(TOOLS, root / "tools", ignore=shutil.ignore_patterns("__pycache__"))
        self.write("_config.yml", "title: Trial\nexecute:\n  execute_notebooks: cache\n")
        self.write("_config.yml", self.read("_config.yml") + "exclude_patterns: [chapters]\n")
        toc = "format: jb-book\nroot: index\nchapters:\n- file: notebooks/01_dice\n"
        self.write("_toc.yml", toc)
        self.write("book/index.md", INDEX)
        self.write("book/chapters/01_dice.md", CHAPTER)
        self.write("course_lib/__init__.py", "")
        self.write("course_lib/dice.py", "SIDES = 6\n")
        self.write("course_lib/other.py", "")

    def write(self, path, text):
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def read(self, path):
        return (self.root / path).read_text(encoding="utf-8")

    def run(self, tool):
        command = [sys.executable, str(self.root / "tools" / tool)]
        env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        done = subprocess.run(command, cwd=self.root, env=env, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def compare(self):
        """Run nbval as `make test` does; return its exit status and what it said."""
        for name in ("conftest.py", "pyproject.toml"):
            shutil.copy(TOOLS.parent / name, self.root)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        command += ["--nbval", "--nbval-current-env", "book/notebooks"]
        done = subprocess.run(command, cwd=self.root, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    def notebooks(self):
        status, said = self.run("build_notebooks.py")
        assert status == 0, said

    def build(self):
        return self.run("build_book.py")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The book after its first build, in a folder with a space; tests copy what they change."""
    book = Book(tmp_path_factory.mktemp("a book"))
    book.notebooks()
    book.status, book.said = book.build()
    return book


def test_ends_with_the_path_of_the_built_book(built):
    assert built.status == 0, built.said
    assert Path(built.said.splitlines()[-1]) == built.html / "index.html"
    page = (built.html / "notebooks" / "01_dice.html").read_text(encoding="utf-8")
    assert "<b>only on the page</b>" in page


def test_sphinx_itself_executes_nothing(built):
    log = built.read("_build/sphinx.log")
    assert log.count("Using cached notebook") == 2  # the chapter and the landing page
    assert "Executing notebook" not in log


class TestSecondBuild:
    """In order, on one book: each test starts from what the one before left."""

    def test_of_the_same_does_nothing(self, built):
        status, said = built.build()
        assert status == 0
        assert said.splitlines()[0] == "Nothing changed since the last build."

    def test_after_a_module_that_no_chapter_uses_executes_nothing(self, built):
        built.write("course_lib/other.py", "x = 1\n")
        status, said = built.build()
        assert status == 0 and "To execute" not in said and "Pages" in said

    def test_after_a_change_of_the_library_executes_and_shows_it(self, built):
        built.write("course_lib/dice.py", "SIDES = 8\n")
        status, said = built.compare()  # what nbval finds wrong is not taken from it
        assert status == 1 and "1 failed, 1 passed" in said, said
        status, said = built.build()
        assert status == 0, said
        assert "To execute: 1," in said and "01_dice ran" in said and "nbval" not in said
        page = (built.html / "notebooks" / "01_dice.html").read_text(encoding="utf-8")
        assert "<span></span>8\n" in page

    def test_shows_what_nbval_ran_and_found_right(self, built):
        built.write("course_lib/dice.py", "SIDES = 10\n")
        built.notebooks()
        status, said = built.compare()
        assert status == 0, said
        status, said = built.build()
        assert status == 0 and "compared by nbval: 1" in said and "To execute" not in said, said
        page = (built.html / "notebooks" / "01_dice.html").read_text(encoding="utf-8")
        assert "<span></span>10\n" in page and "<b>only on the page</b>" in page

    def test_after_prose_changed_executes_nothing_but_shows_it(self, built):
        built.write("book/chapters/01_dice.md", CHAPTER + "\nLater prose.\n")
        built.notebooks()
        status, said = built.build()
        assert status == 0 and "To execute" not in said
        page = (built.html / "notebooks" / "01_dice.html").read_text(encoding="utf-8")
        assert "Later prose." in page

    def test_source_without_its_notebook_stops(self, built):
        built.write("book/chapters/01_dice.md", CHAPTER + "\nUnbuilt prose.\n")
        status, said = built.build()
        assert status == 1
        assert "book/chapters/01_dice.md:15: differs from book/notebooks/01_dice.ipynb" in said

    def test_warning_is_named_with_file_and_line_every_time(self, built):
        built.write("book/chapters/01_dice.md", CHAPTER + "\nSee {term}`nothing`.\n")
        built.notebooks()
        for _ in range(2):  # Sphinx would not repeat it for a page that it kept
            status, said = built.build()
            assert status == 1
            assert "book/chapters/01_dice.md:15: WARNING: term not in glossary" in said

    def test_chapter_that_fails_is_named_with_file_and_line(self, built):
        built.write("course_lib/dice.py", "raise RuntimeError('no dice')\n")
        status, said = built.build()
        assert status == 1
        assert "book/chapters/01_dice.md:4: RuntimeError: no dice" in said


class TestImportedFiles:
    @pytest.fixture
    def root(self, tmp_path):
        files = {
            "__init__.py": "",
            "a.py": "def f():\n    from course_lib import b\n",
            "b.py": "import numpy",
            "c.py": "",
            "pack/__init__.py": "",
            "pack/one.py": "from . import two\nfrom course_lib.c import x",
            "pack/two.py": "from .deep import three",
            "pack/deep.py": "",
            "pack/data.csv": "",
            "pack/js/view.js": "",
            "pack/unused.py": "",
        }
        for name, text in files.items():
            path = tmp_path / "course_lib" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    @pytest.mark.parametrize(
        "code, expected",
        [
            ("import numpy", ""),
            ("from course_lib import a", "__init__ a b"),
            ("import course_lib.b as m", "__init__ b"),
            ("from course_lib.pack import one", "__init__ c __init__ data deep one two"),
            ("%timeit x", ""),
        ],
    )
    def test_follows_imports_at_every_depth(self, root, code, expected):
        found = build_book.imported_files([code], root)
        assert [path.stem for path in found] == expected.split()


@pytest.mark.parametrize("arguments", [["--jobs", "0"], ["--output", "elsewhere"], ["--what"]])
def test_wrong_arguments_exit_with_2(arguments, capsys):
    with pytest.raises(SystemExit) as exit_:
        build_book.main(arguments)
    assert exit_.value.code == 2
