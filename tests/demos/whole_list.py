"""What every demo does (docs: the list of ten in the decisions): tests that views share.

A test module subclasses :class:`WholeList` as ``Test...`` and names its demo and its links.
"""

import json
from pathlib import Path

import numpy as np
from playwright.sync_api import expect

from tests.browser import be_still
from tests.demos.conftest import AXE_RULES

AXE = Path(__file__).resolve().parents[2] / "node_modules" / "axe-core" / "axe.min.js"
PANELS = ("Goals", "Predict first", "Table", "Share", "Copy as Python")
LINK = '<p><a class="demo-link" id="set" href="#demo={}&amp;{}">set</a></p>'
BAD_LINKS = ("t=99", "t=-1", "seed=x", "fixed.title=1", "%%%=1", "__proto__=1", "opts=1")
STOPS_MS = 5000  # what ends at once may take so long on a busy machine
FAR = '<div style="height:1500px"></div>'


def state_of(page, name):
    return json.loads(page.evaluate(f"JSON.stringify(sbs.get({name!r}).state)"))


def result_of(page, name, path):
    return np.array(page.evaluate(f"sbs.get({name!r}).result.{path}"), dtype=float)


def settle(page):
    page.evaluate("() => new Promise(r => requestAnimationFrame(() => requestAnimationFrame(r)))")


def marked(page, row):
    """Steps of a lane that carry the mark of the last edit; rows count from the top."""
    return page.evaluate(
        """row => [...document.querySelectorAll('.sbs-picture > g:nth-of-type(4) > g')]
            .map(lane => [...lane.children])[row]
            .flatMap((m, t) => m.getAttribute('opacity') === '1' ? [t] : [])""",
        row,
    )


def drag_lane(page, label, t, steps, share):
    """Drag the lane called ``label`` at step t (of ``steps``) to ``share`` of its height."""
    lane = page.locator(f".sbs-lane[aria-label^='{label}']")
    lane.scroll_into_view_if_needed()
    box = lane.bounding_box()
    x = box["x"] + (t + 0.5) * box["width"] / steps
    page.mouse.move(x, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(x, box["y"] + box["height"] * (1 - share), steps=5)
    page.mouse.up()
    settle(page)


def press(page, name, times=1):
    for _ in range(times):
        page.get_by_role("button", name=name).click()
    settle(page)


def fits_a_phone(page):
    """No overflow, text of 12 pixels or more, targets of 24, on a page 375 pixels wide."""
    assert page.evaluate("document.documentElement.scrollWidth") == 375
    wide = "(e => e.scrollWidth - e.clientWidth)(document.querySelector('.sbs'))"
    assert page.evaluate(wide) == 0  # a contained box does not widen its page
    small = page.evaluate(
        """() => [...document.querySelectorAll('.sbs *')].filter(e =>
            [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim())
            && parseFloat(getComputedStyle(e).fontSize) < 12)
            .map(e => e.outerHTML.slice(0, 80))"""
    )
    assert small == []
    targets = page.evaluate(
        """() => [...document.querySelectorAll('.sbs button, .sbs [role=slider], ' +
            '.sbs input[type=range], .sbs label:has(input), .sbs summary')]
            .map(e => [e.getBoundingClientRect(), e])
            .filter(([b]) => b.width && (b.width < 24 || b.height < 24))
            .map(([b, e]) => e.outerHTML.slice(0, 80) + b.width + 'x' + b.height)"""
    )
    assert targets == []


def axe_findings(page):
    """What axe finds wrong in the demos of a page that has come to rest."""
    be_still(page)
    return page.evaluate(
        "rules => axe.run('.sbs-demo', {runOnly: rules}).then(r => r.violations.map("
        "v => v.id + ': ' + v.nodes.map("
        "n => n.html.slice(0, 90) + n.failureSummary).join(' | ')))",
        AXE_RULES,
    )


class WholeList:
    """Subclasses give ``demo()``, ``link``, ``linked(state)`` and ``bad_links``."""

    link = ""  # a hash that changes the state
    bad_links = ()

    def demo(self, **options):
        raise NotImplementedError

    def linked(self, state):
        raise NotImplementedError

    def edit(self, page):
        """Change something by keyboard, twice."""
        raise NotImplementedError

    def test_mounts_without_complaint_next_to_its_twin(self, open_demos):
        visit = open_demos(self.demo(), self.demo(name="twin"))
        page = visit.page
        assert page.locator("[data-error]").count() == 0
        page.locator(".sbs-demo").nth(1).get_by_role("button", name="one step on").click()
        settle(page)
        first = self.demo()
        assert state_of(page, first.name) == first.state
        assert state_of(page, "twin")["t"] == first.t + 1
        ids = page.eval_on_selector_all("[id]", "all => all.map(e => e.id)")
        assert len(ids) == len(set(ids))
        assert visit.complaints == []

    def test_steps_back_on_undone_and_reset(self, open_demos):
        demo = self.demo()
        page = open_demos(demo).page
        press(page, "one step on", 2)
        press(page, "one step back")
        assert state_of(page, demo.name)["t"] == demo.t + 1
        self.edit(page)
        edited = state_of(page, demo.name)
        assert edited != demo.state
        press(page, "back to the author's state")
        assert state_of(page, demo.name) == demo.state
        press(page, "undo")
        assert state_of(page, demo.name) == edited
        undo = page.get_by_role("button", name="undo")
        while undo.get_attribute("aria-disabled") is None:
            undo.click()
            settle(page)
        assert state_of(page, demo.name) == demo.state

    def test_plays_to_the_end_and_stops(self, open_demos):
        demo = self.demo()
        page = open_demos(demo).page
        last = int(page.locator(".sbs-stepper .sbs-scrub").get_attribute("max"))
        page.locator(".sbs-stepper .sbs-scrub").fill(str(last - 1))
        press(page, "play")
        assert page.get_by_role("button", name="pause").count() == 1
        page.wait_for_function(f"sbs.get('{demo.name}').state.t === {last}")
        page.get_by_role("button", name="play").wait_for(timeout=STOPS_MS)
        assert page.get_by_role("button", name="pause").count() == 0
        assert state_of(page, demo.name)["t"] == last

    def test_a_step_is_spoken_politely(self, open_demos):
        page = open_demos(self.demo()).page
        press(page, "one step on")
        live = "document.querySelector('p[aria-live=polite]').textContent"
        page.wait_for_function(f"{live}.length > 20")
        assert page.evaluate(live) == page.locator(".sbs-say").text_content()

    def test_predict_then_reveal(self, open_demos):
        demo = self.demo()
        page = open_demos(demo).page
        press(page, "Predict first")
        press(page, "one step on")
        assert page.locator(".sbs-say").text_content() == ""
        assert "?" in page.locator(".sbs-gutter").text_content()
        assert page.locator(".sbs-sums").last.text_content().endswith("?")
        press(page, "Reveal")
        assert "You said" in page.locator(".sbs-score").text_content()
        assert len(page.locator(".sbs-say").text_content()) > 20
        assert "?" not in page.locator(".sbs-gutter").text_content()

    def test_a_link_sets_the_state_scrolls_and_flashes(self, open_demos):
        demo = self.demo()
        visit = open_demos(demo, prose=LINK.format(demo.name, self.link) + FAR)
        page = visit.page
        page.locator("#set").click()
        settle(page)
        self.linked(state_of(page, demo.name))
        page.wait_for_function("scrollY > 400")
        assert "sbs-flash" in page.locator(".sbs").get_attribute("class")
        assert visit.complaints == []

    def test_share_link_gives_the_same_state_again(self, open_demos):
        demo = self.demo()
        page = open_demos(demo, hash=f"#demo={demo.name}&{self.link}").page
        self.edit(page)
        press(page, "Share")
        before = state_of(page, demo.name)
        shared = page.get_by_role("textbox", name="Link to exactly").input_value()
        again = open_demos(self.demo(), hash="#" + shared.split("#")[1]).page
        settle(again)
        assert state_of(again, demo.name) == before != demo.state

    def test_hostile_links_change_nothing_and_are_explained(self, open_demos):
        demo = self.demo()
        visit = open_demos(demo, hash=f"#demo={demo.name}&{self.bad_links[0]}")
        page = visit.page
        for bad in (*self.bad_links, *BAD_LINKS):
            page.evaluate("hash => { location.hash = hash; }", f"#demo={demo.name}&{bad}")
            alert = page.get_by_role("alert")
            expect(alert, bad).not_to_be_empty()
            assert alert.text_content().startswith("This link cannot be shown"), bad
            assert state_of(page, demo.name) == demo.state, bad
            alert.evaluate("e => { e.sbs.text = e.textContent = ''; }")  # for the next one
        assert visit.complaints == []

    def test_no_typed_text_makes_nan(self, open_demos):
        demo = self.demo()
        page = open_demos(demo).page
        for text in ("", "abc", "-5", "1e9", "NaN"):
            for field in page.locator("input[type=number]").all():
                field.evaluate(
                    "(el, v) => { el.value = v; el.dispatchEvent(new Event('change')); }", text
                )
            settle(page)
            words = page.locator(".sbs").inner_html()
            assert "NaN" not in words and "undefined" not in words
            demo.state = state_of(page, demo.name)  # Python takes what came of it

    def test_table_has_a_row_for_every_step_and_marks_the_one_shown(self, open_demos):
        demo = self.demo()
        page = open_demos(demo).page
        press(page, "Table")
        rows = page.locator(".sbs-table tbody tr")
        assert rows.count() == 1 + int(page.locator(".sbs-stepper .sbs-scrub").get_attribute("max"))
        assert page.locator(".sbs-table tr[aria-current]").text_content().startswith(str(demo.t))
        press(page, "one step on")
        assert rows.nth(demo.t + 1).get_attribute("aria-current") == "step"

    def test_axe_finds_nothing_with_everything_opened(self, open_demos):
        """In the dark on a phone; the tests of the book see it in the light and wide."""
        page = open_demos(self.demo(), theme="dark", width=375).page
        page.evaluate(AXE.read_text(encoding="utf-8"))
        for panel in PANELS:
            press(page, panel)
            assert axe_findings(page) == [], panel

    def test_phone_no_overflow_text_of_12_pixels_targets_of_24(self, open_demos):
        page = open_demos(self.demo(), width=375, has_touch=True).page
        fits_a_phone(page)

    def test_touch_drags_scroll_sideways_but_never_the_page_up_or_down(self, open_demos):
        page = open_demos(self.demo(), width=375, has_touch=True).page
        actions = page.eval_on_selector_all(
            ".sbs [role=slider]", "all => all.map(e => getComputedStyle(e).touchAction)"
        )
        assert set(actions) <= {"none", "pan-x"}

    def test_dark_theme_is_drawn_again_on_the_switch(self, open_demos):
        page = open_demos(self.demo(), theme="light").page
        fills = (
            "[...new Set([...document.querySelectorAll('.sbs-picture rect')]"
            ".map(r => r.getAttribute('fill')))]"
        )
        before = page.evaluate(fills)
        page.evaluate("document.documentElement.dataset.theme = 'dark'")
        settle(page)
        after = page.evaluate(fills)
        assert {"#0072b2", "#ffffff"} & set(before) and not {"#0072b2", "#ffffff"} & set(after)

    def test_reduced_motion_has_no_animation(self, open_demos):
        demo = self.demo()
        prose = LINK.format(demo.name, self.link) + FAR
        page = open_demos(demo, prose=prose, reduced_motion="reduce").page
        page.locator("#set").click()
        settle(page)
        assert page.evaluate("document.getAnimations().length") == 0

    def test_nothing_shifts_while_it_mounts(self, open_demos):
        page = open_demos(self.demo()).page
        shift = page.evaluate(
            """() => new Promise(done => { let sum = 0;
                new PerformanceObserver(list => list.getEntries().forEach(e => sum += e.value))
                  .observe({type: 'layout-shift', buffered: true});
                setTimeout(() => done(sum), 500); })"""
        )
        assert shift <= 0.02

    def test_without_javascript_there_is_a_picture_with_words(self, open_demos):
        page = open_demos(self.demo(), java_script_enabled=False).page
        image = page.locator(".sbs-fallback img")
        assert image.is_visible() and len(image.get_attribute("alt")) > 100
        assert image.bounding_box()["height"] > 150
