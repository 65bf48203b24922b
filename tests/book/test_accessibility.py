"""axe finds nothing on any page, light and dark, all boxes and demos opened; keys reach all."""

import json
from pathlib import Path

import pytest

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
OPTIONS = {
    "runOnly": {"type": "tag", "values": TAGS},
    "rules": {"target-size": {"enabled": True}},  # off by default, part of WCAG 2.2 AA
    "resultTypes": ["violations"],
}


def open_everything(page):
    """Open all boxes, and in each demo all that a button can unfold."""
    page.evaluate(
        """() => {
            for (const box of document.querySelectorAll("details")) box.open = true;
            const folded = ".sbs-demo button[aria-expanded=false]";
            for (const button of document.querySelectorAll(folded)) button.click();
        }"""
    )
    page.evaluate("scrollTo(0, 0)")


def violations(page):
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate(f"axe.run(document, {json.dumps(OPTIONS)})")
    return [
        f"{v['id']} ({v['impact']}): {node['target']} {node['failureSummary']}"
        for v in found["violations"]
        for node in v["nodes"]
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe(open_page, page_path, theme):
    visit = open_page(page_path, theme=theme)
    open_everything(visit.page)
    visit.page.wait_for_timeout(1000)  # colours fade in; axe would measure them halfway
    assert violations(visit.page) == []


def test_axe_on_a_phone(open_page, page_path):
    visit = open_page(page_path, width=375, height=800)
    open_everything(visit.page)
    visit.page.wait_for_timeout(1000)
    assert violations(visit.page) == []


def test_skip_link_comes_first_and_leads_to_the_text(open_page, page_path):
    page = open_page(page_path).page
    if page_path == "search.html":  # its field takes the focus
        page.evaluate("document.activeElement.blur()")
        page.evaluate("document.body.tabIndex = -1; document.body.focus()")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.getAttribute('href')") == "#main-content"
    page.wait_for_timeout(400)  # it slides in
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
