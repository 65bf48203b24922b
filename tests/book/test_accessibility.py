"""axe finds nothing on any page, light and dark, all boxes and demos opened; keys reach all."""

import re

import pytest

from tests.axe import COLOURS, violations
from tests.book.looks import in_the_dark
from tests.browser import be_still


def test_axe_measures_each_kind_of_token_once_and_misses_no_pale_one(open_page):
    """Pale by class, by its own style, judged only where the text has two letters, a formula, a
    part of one, outside the article."""
    page = open_page("index.html").page
    pale = "<span class='pale'>by class</span><span class='n' style='color:#bbb'>by style</span>"
    tokens = "<span class='n'>many</span> " * 100
    formula = "<p><span class='katex'><span class='mord'>xy</span></span></p>"
    part = "<span class='mord'><span class='mop' style='color:#ccc'>by part</span></span>"
    lines = "<svg role='img'><title>Two lines</title><path d='M0 0'/><g><path d='M0 0'/></g></svg>"
    page.locator("article").evaluate(
        "(e, html) => { e.innerHTML = html; }",
        "<h1>A</h1><style>.pale, .o, .far { color: #bbb }</style>"
        f"<pre>{tokens}{pale}{tokens}"
        "<span class='o'>a</span> <span class='o'></span> <span class='o'>ab</span></pre>"
        + 3 * formula
        + formula.replace("katex", "katex' style='color:#bbb")
        + formula.replace("</p>", f" and <span class='katex'>{part}</span></p>")
        + 2 * lines,
    )
    page.locator("body").evaluate(
        "e => e.insertAdjacentHTML('beforeend', \"<div class='far'>elsewhere</div>\".repeat(3))"
    )
    found = violations(page, COLOURS)
    kinds = [re.search(r"\.(pale|n|o|mord|mop|far)\b", line)[1] for line in found]
    assert kinds == ["pale", "n", "o", "mord", "mop", "far"]
    assert page.locator("pre .n").count() == 2, "the others are plain text now"
    assert page.locator(".katex").count() == 3, "the others are a word now"
    assert page.locator("article svg > title").count() == 2, "a name is never plain text"
    assert page.locator("article svg path").count() == 2, "of the first picture"


def test_axe_sees_every_box_that_is_too_small_for_its_formula(open_page):
    page = open_page("index.html").page
    formula = "<span class='katex'><span class='mord'>much wider than its own box</span></span>"
    box = f"<div style='width: 100px; overflow-x: auto; white-space: nowrap'>{formula}</div>"
    page.locator("article").evaluate("(e, html) => { e.innerHTML = html; }", 3 * box)
    assert len(violations(page, only=["scrollable-region-focusable"])) == 3


def test_axe_in_the_light_and_in_the_dark(desktop):
    assert violations(desktop.page) == []
    with in_the_dark(desktop) as page:
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        assert violations(page, only=COLOURS) == []


def test_axe_on_a_phone(phone):
    assert violations(phone.page, without=COLOURS) == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_of_what_only_a_phone_shows(open_page, theme):
    """Its bars are the same on every page; text and demos have the colours of a desktop."""
    page = open_page("index.html", theme=theme, width=375, height=800).page
    assert violations(page, only=COLOURS) == []


def test_skip_link_comes_first_and_leads_to_the_text(folder, page_path):
    page = folder.page
    if page_path == "search.html":  # its field takes the focus
        page.evaluate("document.activeElement.blur()")
        page.evaluate("document.body.tabIndex = -1; document.body.focus()")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main-content"
    be_still(page)  # it slides in
    box = page.locator(":focus").bounding_box()
    assert box["y"] >= 0 and box["height"] > 10, "the skip link must show when it has the focus"
    page.keyboard.press("Enter")
    assert page.evaluate("location.hash") == "#main-content"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_focus_can_be_seen(open_page, theme):
    """The first 40 tab stops of the landing page: an outline or an underline of 2 px or more."""
    page = open_page("index.html", theme=theme).page
    unseen = []
    for _ in range(40):
        page.keyboard.press("Tab")
        style = page.evaluate(
            """() => { const e = document.activeElement, s = getComputedStyle(e);
               return {tag: e.outerHTML.slice(0, 120), body: e === document.body,
                       outline: s.outlineStyle === 'none' ? 0 : parseFloat(s.outlineWidth),
                       shadow: s.boxShadow}; }"""
        )
        if style["body"]:
            break
        if style["outline"] < 2 and style["shadow"] == "none":
            unseen.append(style["tag"])
    assert unseen == []


def test_boxes_open_by_keyboard(open_page, pages, built_book):
    with_box = [p for p in pages if "<details" in (built_book / p).read_text(encoding="utf-8")]
    assert with_box, "no page has a hint or a solution"
    page = open_page(with_box[0]).page
    summary = page.locator(".bd-article details > summary").first
    summary.focus()
    page.keyboard.press("Enter")
    assert summary.evaluate("s => s.parentElement.open")
