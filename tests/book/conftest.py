"""Tests of the built book (`make book` first; BOOK_HTML points to another build)."""

import os
from pathlib import Path

import pytest

from tests.browser import open_page, server  # noqa: F401  (fixtures)

ROOT = Path(__file__).resolve().parents[2]


def pages_of(html):
    """Every page of the site, as paths relative to it; the landing page first."""
    found = [p.relative_to(html) for p in html.rglob("*.html") if "_static" not in p.parts]
    return sorted(map(str, found), key=lambda path: (path != "index.html", path))


def pytest_generate_tests(metafunc):
    """A test that takes ``page_path`` runs once for every built page."""
    if "page_path" in metafunc.fixturenames:
        html = Path(os.environ.get("BOOK_HTML", ROOT / "_build" / "html"))
        # Without a build the one case fails in the built_book fixture and says what to do.
        metafunc.parametrize("page_path", pages_of(html) or ["index.html"])


@pytest.fixture(scope="session")
def pages(built_book):
    return pages_of(built_book)
