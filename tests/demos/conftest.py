"""Pages with demos only, opened from file:// with every other host cut off."""

import pytest

from tests.browser import watch
from tests.demos.pages import STATIC, demo_page

AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="session")
def blank_pages():
    """Pages that tests gave back, by the options of their context: a new window takes 0.4 s."""
    kept = {}
    yield kept
    for page in (page for pages in kept.values() for page in pages):
        page.context.close()


@pytest.fixture
def open_demos(browser, blank_pages, tmp_path):
    """Return ``open_demos(*demos, prose="", hash="", width=900, ...) -> Visit``."""
    if not (STATIC / "sbs.js").is_file():
        pytest.fail("no bundles: run `make book` or `npm run build:demos` first", pytrace=False)
    visits = []

    def open_(*demos, prose="", hash="", theme="", width=900, height=900, **options):
        options["viewport"] = {"width": width, "height": height}
        pages = blank_pages.setdefault(repr(sorted(options.items())), [])
        page = pages.pop() if pages else browser.new_context(**options).new_page()
        path = tmp_path / "demos.html"
        path.write_text(demo_page(*demos, prose=prose, theme=theme), encoding="utf-8")
        visit = watch(page, path.as_uri() + hash)
        visits.append((pages, visit))
        visit.page.goto(visit.url, wait_until="load")
        return visit

    yield open_
    for pages, visit in visits:
        visit.leave()
        pages.append(visit.page)
