"""Tests of the built book (`make book` first; BOOK_HTML points to another build)."""

import functools
import gc
import os
import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

from tests.book import looks
from tests.browser import open_page, server  # noqa: F401  (fixtures)

ROOT = Path(__file__).resolve().parents[2]


def pages_of(html):
    """Every page of the site, as paths relative to it; the landing page first."""
    found = [p.relative_to(html) for p in html.rglob("*.html") if "_static" not in p.parts]
    return sorted(map(str, found), key=lambda path: (path != "index.html", path))


def pytest_generate_tests(metafunc):
    """A test that takes ``page_path`` runs once for every built page.

    The scope has pytest run all tests of a page one after the other, so that they share its loads.
    """
    if "page_path" in metafunc.fixturenames:
        html = Path(os.environ.get("BOOK_HTML", ROOT / "_build" / "html"))
        # Without a build the one case fails in the built_book fixture and says what to do.
        metafunc.parametrize("page_path", pages_of(html) or ["index.html"], scope="session")


@pytest.fixture(scope="session")
def pages(built_book):
    return pages_of(built_book)


@pytest.fixture(scope="session")
def desktop(windows, server, page_path):  # noqa: F811
    with looks.look_on_a_desktop(windows, f"{server.url}/{page_path}") as look:
        yield look


@pytest.fixture(scope="session")
def phone(windows, server, page_path):  # noqa: F811
    with looks.look_on_a_phone(windows, f"{server.url}/{page_path}") as look:
        yield look


@pytest.fixture(scope="session")
def folder(windows, built_book, page_path):
    with looks.look_in_a_folder(windows, f"{built_book.resolve().as_uri()}/{page_path}") as look:
        yield look


class Soups(dict):
    """Trees of the pages by path; each page is parsed once, when it is first asked for."""

    def __init__(self, html):
        super().__init__()
        self.html = html
        self.ids = functools.cache(lambda path: set(re.findall(r'\sid="([^"]*)"', self.text(path))))

    def text(self, path):
        return (self.html / path).read_text(encoding="utf-8")

    def __missing__(self, path):
        gc.disable()  # nothing of a tree of ten thousands is garbage: a third of the time
        try:
            self[path] = BeautifulSoup(self.text(path), "html.parser")
        finally:
            gc.enable()
        return self[path]


@pytest.fixture(scope="session")
def soups(built_book):
    return Soups(built_book)


@pytest.fixture
def soup(soups, page_path):
    return soups[page_path]
