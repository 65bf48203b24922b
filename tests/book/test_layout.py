"""Pages keep still while they load, fit a phone, print, and make sense without JavaScript."""

import pytest

PHONE = {"width": 375, "height": 800}
SHIFT = """() => new Promise(done => {
    let total = 0;
    new PerformanceObserver(list => {
        for (const entry of list.getEntries()) if (!entry.hadRecentInput) total += entry.value;
    }).observe({type: "layout-shift", buffered: true});
    setTimeout(() => done(total), 500);
})"""
OVERFLOWING = """() => [...document.querySelectorAll("body *")]
    .filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
    .filter(e => { for (let p = e.parentElement; p && p !== document.body; p = p.parentElement)
        if (getComputedStyle(p).overflowX !== "visible") return false; return true; })
    .map(e => e.outerHTML.slice(0, 120)).slice(0, 5)"""


@pytest.mark.parametrize("size", [{}, PHONE], ids=["desktop", "phone"])
def test_layout_shift(open_page, page_path, size):
    page = open_page(page_path, settle_ms=500, **size).page
    assert page.evaluate(SHIFT) <= 0.02


def test_phone_has_no_sideways_scroll(open_page, page_path):
    page = open_page(page_path, **PHONE).page
    page.evaluate("document.querySelectorAll('details').forEach(box => { box.open = true; })")
    page.wait_for_timeout(200)
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 375, f"{width} px wide because of {page.evaluate(OVERFLOWING)}"


def test_text_is_readable_on_a_phone(open_page, page_path):
    """No text of the page smaller than 12 px (formulas have their own sub- and superscripts)."""
    page = open_page(page_path, **PHONE).page
    small = page.evaluate(
        """() => { const found = [], walker = document.createTreeWalker(
               document.querySelector("article"), NodeFilter.SHOW_TEXT);
           for (let n; (n = walker.nextNode());) {
               const e = n.parentElement;
               if (!n.data.trim() || e.closest(".katex, sup, sub, svg, script, style, noscript"))
                   continue;
               if (!e.checkVisibility()) continue;
               const px = parseFloat(getComputedStyle(e).fontSize);
               if (px < 11.9) found.push(px + " " + n.data.trim().slice(0, 60));
           } return found.slice(0, 10); }"""
    )
    assert small == []


def test_without_javascript_pictures_and_text_remain(open_page, pages, built_book):
    with_demo = [p for p in pages if "sbs-demo" in (built_book / p).read_text(encoding="utf-8")]
    assert "index.html" in with_demo, "the landing page has a demo"
    for path in with_demo:
        page = open_page(path, javascript=False).page
        for demo in page.locator(".sbs-demo").all():
            fallback = demo.locator(".sbs-fallback")
            picture = fallback.locator("img").first
            if picture.count():
                assert picture.bounding_box()["height"] > 20, f"{path}: picture does not show"
                assert len(picture.get_attribute("alt") or "") > 20
            else:
                assert len(fallback.inner_text().strip()) > 20, f"{path}: an empty demo"


def test_demos_are_mounted_where_javascript_runs(open_page, page_path):
    page = open_page(page_path).page
    hosts = page.locator(".sbs-demo")
    for i in range(hosts.count()):
        host = hosts.nth(i)
        assert host.get_attribute("data-error") is None
        assert host.locator("button, input, [role=slider]").count() > 0, "the demo did not mount"


def test_landing_page_shows_its_demo_above_the_fold(open_page):
    page = open_page("index.html", width=1280, height=900).page
    box = page.locator(".sbs-demo").first.bounding_box()
    assert box["y"] < 900 * 0.6, f"the demo begins {box['y']:.0f} px down"


def test_print_shows_what_was_closed(open_page, pages, built_book):
    with_box = [p for p in pages if "<details" in (built_book / p).read_text(encoding="utf-8")]
    page = open_page(with_box[0]).page
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".bd-article details:not([open])").count() == 0
    for hidden in (".bd-sidebar-primary", ".bd-header-article", ".prev-next-footer"):
        for element in page.locator(hidden).all():
            assert not element.is_visible(), f"{hidden} must not be printed"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator(".bd-article details[open]").count() == 0
