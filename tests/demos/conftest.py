"""Pages with demos only, opened from file:// with every other host cut off."""

import pytest

from tests.browser import watch
from tests.demos.pages import STATIC, demo_page

AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture
def open_demos(windows, tmp_path):
    """Return ``open_demos(*demos, prose="", hash="", width=900, ...) -> Visit``."""
    if not (STATIC / "sbs.js").is_file():
        pytest.fail("no bundles: run `make book` or `npm run build:demos` first", pytrace=False)
    visits = []

    def open_(*demos, prose="", hash="", theme="", width=900, height=900, **options):
        options |= {"width": width, "height": height}
        page = windows.take(**options)
        path = tmp_path / "demos.html"
        path.write_text(demo_page(*demos, prose=prose, theme=theme), encoding="utf-8")
        visit = watch(page, path.as_uri() + hash)
        visits.append((visit, options))
        visit.page.goto(visit.url, wait_until="load")
        return visit

    yield open_
    for visit, options in visits:
        windows.give_back(visit, **options)
