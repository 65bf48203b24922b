"""Pages with demos only, opened from file:// with every other host cut off."""

import pytest

from tests.browser import watch
from tests.demos.pages import STATIC, demo_page

AXE_RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture
def open_demos(browser, tmp_path):
    """Return ``open_demos(*demos, prose="", hash="", width=900, ...) -> Visit``."""
    if not (STATIC / "sbs.js").is_file():
        pytest.fail("no bundles: run `make book` or `npm run build:demos` first", pytrace=False)
    contexts = []

    def open_(*demos, prose="", hash="", theme="", width=900, height=900, **options):
        context = browser.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        path = tmp_path / "demos.html"
        path.write_text(demo_page(*demos, prose=prose, theme=theme), encoding="utf-8")
        visit = watch(context.new_page(), path.as_uri() + hash)
        visit.page.goto(visit.url, wait_until="load")
        return visit

    yield open_
    for context in contexts:
        context.close()
