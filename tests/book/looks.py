"""One load of a page for all that is measured on it: a load takes 2 s, and there are hundreds.

A :class:`Look` notes what it sees in a fixed order; tests read it in any order. Only axe, and the
skip link in the look that leaves the page as it came, work on the page itself.
"""

from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.browser import SETTLE_MS, Visit, be_still, visit_page

PHONE = {"width": 375, "height": 800}
# All that moved since the page began to load.
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
# Text smaller than 12 px; formulas have their own sub- and superscripts.
SMALL_TEXT = """() => { const found = [], walker = document.createTreeWalker(
        document.querySelector("article"), NodeFilter.SHOW_TEXT);
    for (let n; (n = walker.nextNode());) {
        const e = n.parentElement;
        if (!n.data.trim() || e.closest(".katex, sup, sub, svg, script, style, noscript")) continue;
        if (!e.checkVisibility()) continue;
        const px = parseFloat(getComputedStyle(e).fontSize);
        if (px < 11.9) found.push(px + " " + n.data.trim().slice(0, 60));
    } return found.slice(0, 10); }"""
DEMOS = """() => [...document.querySelectorAll(".sbs-demo")].map(host => ({
    error: host.getAttribute("data-error"),
    controls: host.querySelectorAll("button, input, [role=slider]").length}))"""
OPEN_BOXES = "document.querySelectorAll('details').forEach(box => { box.open = true; })"
UNFOLD_DEMOS = """document.querySelectorAll(".sbs-demo button[aria-expanded=false]")
    .forEach(button => button.click())"""


@dataclass
class Look:
    """What one load of a page showed."""

    visit: Visit
    shift: float | None = None
    demos: list[dict] = field(default_factory=list)
    responses: list[str] = field(default_factory=list)  # addresses, also of what came late
    complaints: list[str] = field(default_factory=list)
    small_text: list[str] = field(default_factory=list)
    width: int | None = None  # with all boxes open
    overflowing: list[str] = field(default_factory=list)

    @property
    def page(self):
        return self.visit.page

    def scroll_through(self):
        """To the end: what loads late, or draws when seen, does so now."""
        self.page.mouse.wheel(0, 100_000)
        self.page.wait_for_timeout(300)
        self.responses = [url for url, _ in self.visit.responses]
        self.complaints = self.visit.complaints

    def open_everything(self):
        """Open all boxes, and in each demo all that a button can unfold."""
        self.page.evaluate(OPEN_BOXES)
        self.page.evaluate(UNFOLD_DEMOS)
        self.page.evaluate("scrollTo(0, 0)")
        be_still(self.page)


@contextmanager
def looking(windows, url, settle_ms=SETTLE_MS, **options):
    visit = visit_page(windows.take(**options), url, settle_ms=settle_ms)
    yield Look(visit)
    windows.give_back(visit, **options)


@contextmanager
def look_on_a_desktop(windows, url):
    with looking(windows, url, settle_ms=500) as look:
        look.shift = look.page.evaluate(SHIFT)
        look.demos = look.page.evaluate(DEMOS)
        look.page.evaluate(OPEN_BOXES)
        look.scroll_through()
        look.open_everything()
        look.complaints = look.visit.complaints
        yield look


@contextmanager
def in_the_dark(look):
    """The same page while the system asks for dark colours, which it follows at once."""
    changed = look.visit.changed
    look.page.emulate_media(color_scheme="dark")
    be_still(look.page)
    yield look.page
    look.page.emulate_media(color_scheme="light")
    look.visit.changed = changed  # as it was: the window can be used again


@contextmanager
def look_on_a_phone(windows, url):
    with looking(windows, url, settle_ms=500, **PHONE) as look:
        look.shift = look.page.evaluate(SHIFT)
        look.small_text = look.page.evaluate(SMALL_TEXT)
        look.page.evaluate(OPEN_BOXES)
        look.page.wait_for_timeout(200)
        look.width = look.page.evaluate("document.documentElement.scrollWidth")
        look.overflowing = look.page.evaluate(OVERFLOWING)
        look.open_everything()
        yield look


@contextmanager
def look_in_a_folder(windows, url):
    """Without a server; the page is left as it came, at its top."""
    with looking(windows, url) as look:
        look.scroll_through()
        look.page.evaluate("scrollTo(0, 0)")
        yield look
