"""Fixtures that more than one test file needs."""

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from setup_browser import find_browser

# Once for all tests: a process can hold one browser driver, and a fixture that two files import
# would be two.
from tests.browser import browser, windows  # noqa: F401

ROOT = Path(__file__).resolve().parents[1]

# One deterministic set of examples: a red run can be repeated. The deadline is off because
# two workers share two cores, and a slow machine is not a wrong answer.
settings.register_profile("book", deadline=None, derandomize=True, print_blob=False)
settings.load_profile("book")


@pytest.fixture
def rng():
    return np.random.default_rng(20261121)


@pytest.fixture(scope="session")
def built_book():
    """Folder of the built site; `make book` makes it (BOOK_HTML points to another build)."""
    html = Path(os.environ.get("BOOK_HTML", ROOT / "_build" / "html"))
    if not (html / "index.html").is_file():
        pytest.fail(f"no built book in {html}: run `make book` first", pytrace=False)
    return html


@pytest.fixture(scope="session")
def chromium_path():
    """Chromium that `make test` found or installed (tools/setup_browser.py)."""
    path = find_browser()
    if path is None:
        pytest.fail("no Chromium: run `make setup-test` first", pytrace=False)
    return str(path)
