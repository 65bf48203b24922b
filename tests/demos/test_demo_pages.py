"""Demos in Chromium: dragging equals ``course_lib``, keyboard, phone, links, undo, axe."""

import gzip

import numpy as np
import pytest

from course_lib import demos
from tests.demos.pages import CASINO, STATIC
from tests.demos.whole_list import (
    AXE,
    PANELS,
    STOPS_MS,
    axe_findings,
    fits_a_phone,
    result_of,
    settle,
    state_of,
)

TOLERANCE = 1e-6
ENDS = (".js", ".css")
VIEWS = [file.stem for file in (STATIC.parent / "js/views").glob("*.js")]
CLICKS = {
    "name": "clicks",
    "items": ["home", "search", "product", "add"],
    "tokens": [0, 1, 2, 3, 0, 1],
    "classes": (
        ("buys", [0.25] * 4, [[1, 7, 1, 1], [1, 1, 7, 1], [1, 2, 2, 5], [7, 1, 1, 1]]),
        ("leaves", [0.25] * 4, [[1, 1, 1, 7], [7, 1, 1, 1], [1, 6, 2, 1], [1, 1, 7, 1]]),
    ),
}
CLICKS["classes"] = tuple(
    (label, pi, np.array(tenths) / 10) for label, pi, tenths in CLICKS["classes"]
)
COUNTS = [13, 14, 8, 10, 16, 26, 32, 27, 18, 32, 36, 24, 22, 23, 22, 18, 25, 21, 21, 14]


def quiz():
    return demos.quiz(
        "quiz",
        [
            demos.Question(
                "Which one uses *future* data?",
                [demos.Choice("`alpha`", why="Past only."), demos.Choice("`gamma`", True, "Both.")],
            ),
            demos.Question(
                "Which rows sum to 1?",
                [
                    demos.Choice("of A", True, "Transitions."),
                    demos.Choice("of alpha", True, "Beliefs."),
                    demos.Choice("of beta", False, "They are not distributions."),
                ],
            ),
            demos.Question("How many parameters?", answer=13, why="1 + 2 + 10 = 13."),
        ],
    )


def every_demo():
    return [
        demos.trellis(**CASINO, t=4),
        demos.chain(**CLICKS),
        demos.em("quakes", COUNTS, K=2, unit="quakes a year"),
        quiz(),
    ]


def drag(page, start, end):
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=6)
    page.mouse.up()
    settle(page)


def middle(locator):
    locator.scroll_into_view_if_needed()
    box = locator.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def same_as_python(page, demo):
    """The trace in the page equals the library's on the state in the page."""
    state = state_of(page, demo.name)
    demo.state = state
    trace = demo.trace()
    pairs = {"f.alpha": "alpha", "gamma": "gamma", "beta": "beta", "v.delta": "log_delta"}
    for path, name in pairs.items():
        np.testing.assert_allclose(
            result_of(page, demo.name, path), trace[name], rtol=0, atol=TOLERANCE, err_msg=name
        )
    return state


class TestTrellis:
    def test_dragging_a_probability_equals_python(self, open_demos):
        demo = demos.trellis(**CASINO, t=4)
        visit = open_demos(demo)
        page = visit.page
        bar = page.get_by_role("slider", name="from fair to: loaded")
        x, _ = middle(bar)
        box = bar.bounding_box()
        drag(page, (x, box["y"] + box["height"] - 3), (x, box["y"] + box["height"] * 0.6))
        state = same_as_python(page, demo)
        assert 0.3 < state["params"]["A"][0][1] < 0.5
        assert abs(sum(state["params"]["A"][0]) - 1) < 1e-12  # exact to rounding of the sum
        assert bar.get_attribute("aria-valuenow") == f"{state['params']['A'][0][1]:g}"
        assert visit.complaints == []

    def test_a_later_observation_leaves_earlier_filter_steps_untouched(self, open_demos):
        demo = demos.trellis(**CASINO, t=4)
        page = open_demos(demo).page
        before = result_of(page, "casino", "f.alpha")
        page.locator(".sbs-tile").nth(9).click()  # selects
        page.locator(".sbs-tile").nth(9).click()  # next symbol
        settle(page)
        state = same_as_python(page, demo)
        assert state["obs"][9] == (CASINO["obs"][9] + 1) % 6
        after = result_of(page, "casino", "f.alpha")
        assert np.array_equal(before[:9], after[:9]) and not np.allclose(before[9], after[9])
        marks = page.eval_on_selector_all(
            ".sbs-mark", "all => all.map(m => +m.getAttribute('opacity'))"
        )
        assert marks[:9] == [0] * 9 and marks[9] == 1  # filter strip
        assert any(marks[12:21])  # the smoother's past does change

    def test_whole_path_by_keyboard(self, open_demos):
        demo = demos.trellis(**CASINO)
        page = open_demos(demo).page
        page.get_by_role("radio", name="Filter →").focus()
        page.keyboard.press("ArrowRight")
        settle(page)
        assert state_of(page, "casino")["opts"]["show"] == "backward"
        page.keyboard.press("Tab")
        for _ in range(3):  # along the tiles
            page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowUp")
        settle(page)
        state = same_as_python(page, demo)
        assert state["obs"][3] == (CASINO["obs"][3] + 1) % 6 and state["t"] == 3
        for name, key, check in [
            ("one step on", "Enter", lambda s: s["t"] == 2),
            ("undo", "Space", lambda s: s["t"] == 3),
        ]:
            page.get_by_role("button", name=name).focus()
            page.keyboard.press(key)
            settle(page)
            assert check(state_of(page, "casino")), name
        page.get_by_role("slider", name="loaded shows: ⚅").focus()
        page.keyboard.press("PageUp")
        page.keyboard.press("ArrowDown")
        settle(page)
        state = same_as_python(page, demo)
        assert state["params"]["B"][1][5] == 0.59
        field = page.get_by_role("spinbutton", name="loaded shows: ⚅")
        field.fill("0.75")
        field.press("Enter")
        settle(page)
        assert same_as_python(page, demo)["params"]["B"][1][5] == 0.75
        page.keyboard.press("Control+z")  # in a text field the browser's own undo rules
        page.get_by_role("button", name="Table").press("Enter")
        assert page.get_by_role("row").count() > 12

    def test_step_results_are_spoken_politely(self, open_demos):
        page = open_demos(demos.trellis(**CASINO)).page
        page.get_by_role("button", name="one step on").click()
        page.wait_for_function(
            "document.querySelector('[aria-live=polite]').textContent.length > 20"
        )
        said = page.locator("[aria-live=polite]").text_content()
        assert said == page.locator(".sbs-say").text_content() and "P(loaded)" in said

    def test_impossible_sequence_is_explained_without_nan(self, open_demos):
        demo = demos.trellis(**CASINO)
        page = open_demos(demo).page
        for state in ("fair", "loaded"):
            page.get_by_role("slider", name=f"{state} shows: ⚅").focus()
            page.keyboard.press("Home")
        page.get_by_role("button", name="one step on").click()
        settle(page)
        assert "Impossible" in page.locator(".sbs-say").text_content()
        for show in ("← Smoother", "Viterbi →"):
            page.get_by_role("radio", name=show).check()
            settle(page)
            assert "NaN" not in page.locator(".sbs").inner_html()

    @pytest.mark.parametrize("text", ["", "abc", "-5", "1e9", "0.5.5", "NaN"])
    def test_no_input_makes_nan(self, open_demos, text):
        demo = demos.trellis(**CASINO)
        page = open_demos(demo).page
        page.get_by_role("slider", name="start: fair").focus()
        for field in page.locator("input[type=number]").all():
            field.evaluate(
                "(el, text) => { el.value = text; el.dispatchEvent(new Event('change')); }", text
            )
        settle(page)
        same_as_python(page, demo)
        assert "NaN" not in page.locator(".sbs").inner_html()

    def test_predict_hides_the_step_until_the_guess(self, open_demos):
        page = open_demos(demos.trellis(**CASINO, t=2, predict=True)).page
        node = page.locator(".sbs-node.sbs-cell text")
        assert node.text_content() == "?" and page.locator(".sbs-say").text_content() == ""
        page.get_by_role("slider", name="How sure of loaded").fill("0.5")
        page.get_by_role("button", name="Reveal").click()
        settle(page)
        assert node.text_content() == ".73"
        assert "You said 0.50; it is 0.73" in page.locator(".sbs-score").text_content()

    def test_goal_is_recognised(self, open_demos):
        page = open_demos(
            demos.trellis(**CASINO, goals=[demos.Goal("Reach t = 2.", (("t", "==", 2),))])
        ).page
        button = page.get_by_role("button", name="Goals")
        assert button.text_content() == "Goals 0/1"
        page.get_by_role("spinbutton", name="t =").fill("2")
        page.get_by_role("spinbutton", name="t =").press("Enter")
        settle(page)
        assert button.text_content() == "Goals 1/1"


class TestChain:
    def test_dragging_changes_the_chain_score_and_not_the_bag_score(self, open_demos):
        demo = demos.chain(**CLICKS)
        page = open_demos(demo).page
        bag = page.evaluate("sbs.get('clicks').result.bagScore")
        cards = page.locator(".sbs-card")
        drag(page, middle(cards.nth(1)), middle(cards.nth(4)))
        demo.state = state_of(page, "clicks")
        assert demo.state["tokens"] == [0, 2, 3, 0, 1, 1]
        trace = demo.trace()
        got = page.evaluate(
            "(({chainScore, bagScore, odds}) => ({chainScore, bagScore, odds}))"
            "(sbs.get('clicks').result)"
        )
        assert abs(got["chainScore"] - trace["chain_score"][-1]) < TOLERANCE
        assert abs(got["bagScore"] - bag) < 1e-12  # the same sum in another order
        np.testing.assert_allclose(got["odds"], trace["log_odds"], rtol=0, atol=TOLERANCE)
        assert [c.text_content() for c in cards.all()] == [
            "home",
            "product",
            "add",
            "home",
            "search",
            "search",
        ]

    def test_arrow_keys_move_a_card_that_keeps_the_focus(self, open_demos):
        page = open_demos(demos.chain(**CLICKS)).page
        page.locator(".sbs-card").nth(3).focus()
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowLeft")
        settle(page)
        assert state_of(page, "clicks")["tokens"] == [0, 3, 1, 2, 0, 1]
        assert page.evaluate("document.activeElement.textContent") == "add"
        page.keyboard.press("End")
        settle(page)
        assert state_of(page, "clicks")["tokens"] == [0, 1, 2, 0, 1, 3]
        page.keyboard.press("Control+z")
        settle(page)
        assert state_of(page, "clicks")["tokens"] == [0, 3, 1, 2, 0, 1]

    def test_place_by_number(self, open_demos):
        page = open_demos(demos.chain(**CLICKS)).page
        page.locator(".sbs-card").nth(0).click()
        field = page.get_by_role("spinbutton", name="Move home")
        field.fill("2")
        field.press("Enter")
        settle(page)
        assert state_of(page, "clicks")["tokens"] == [1, 2, 0, 3, 0, 1]

    def test_the_walk_is_the_one_of_its_seed(self, open_demos):
        demo = demos.chain(**CLICKS, seed=11)
        page = open_demos(demo).page
        page.get_by_role("radio", name="Walk on the chain").check()
        for _ in range(5):
            page.get_by_role("button", name="one step on").click()
        settle(page)
        demo.state = state_of(page, "clicks")
        trace = demo.trace()
        assert demo.t == 5
        assert result_of(page, "clicks", "path").tolist() == trace["walk"].tolist()
        np.testing.assert_allclose(
            result_of(page, "clicks", "share"), trace["visits"][5], rtol=0, atol=TOLERANCE
        )


class TestEm:
    def test_dragging_a_start_and_running_equals_python(self, open_demos):
        demo = demos.em("quakes", COUNTS, K=2)
        page = open_demos(demo).page
        start = page.get_by_role("slider", name="start of state 0: rate")
        x, y = middle(start)
        drag(page, (x, y), (x + 70, y))
        for _ in range(6):
            page.get_by_role("button", name="one step on").click()
        settle(page)
        state = state_of(page, "quakes")
        assert state["t"] == 6
        assert state["params"]["mean"][0] != demo.state["params"]["mean"][0]
        demo.state = state
        trace = demo.trace()
        np.testing.assert_allclose(
            result_of(page, "quakes", "runs.map(r => r.e.logEvidence)"),
            trace["log_evidence"], rtol=0, atol=TOLERANCE,
        )  # fmt: skip
        np.testing.assert_allclose(
            result_of(page, "quakes", "runs.map(r => r.m.mean)"),
            trace["rate"], rtol=0, atol=TOLERANCE,
        )  # fmt: skip

    def test_arrow_keys_and_the_number_field_move_a_start(self, open_demos):
        page = open_demos(demos.em("quakes", COUNTS, K=2)).page
        page.get_by_role("slider", name="start of state 1: rate").focus()
        before = state_of(page, "quakes")["params"]["mean"][1]
        page.keyboard.press("ArrowRight")
        settle(page)
        assert state_of(page, "quakes")["params"]["mean"][1] > before
        field = page.get_by_role("spinbutton", name="start of state 1: rate")
        field.fill("30.5")
        field.press("Enter")
        settle(page)
        assert state_of(page, "quakes")["params"]["mean"][1] == 30.5


class TestQuiz:
    def test_by_keyboard_from_wrong_to_right(self, open_demos):
        page = open_demos(quiz()).page
        page.get_by_role("radio", name="alpha").focus()
        page.keyboard.press("Space")
        check = page.get_by_role("button", name="Check")
        check.nth(0).press("Enter")
        settle(page)
        assert "Not yet" in page.locator(".sbs-verdict").nth(0).text_content()
        assert "Past only." in page.locator(".sbs-questions").text_content()
        page.get_by_role("radio", name="alpha").focus()
        page.keyboard.press("ArrowDown")
        check.nth(0).press("Enter")
        for name in ("of A", "of alpha"):
            page.get_by_role("checkbox", name=name, exact=True).press("Space")
        check.nth(1).press("Enter")
        page.get_by_role("textbox").fill("13")
        check.nth(2).press("Enter")
        settle(page)
        assert page.get_by_text("3 of 3 right.").is_visible()
        assert page.get_by_text("1 + 2 + 10 = 13.").is_visible()

    def test_checking_nothing_asks_for_an_answer(self, open_demos):
        page = open_demos(quiz()).page
        page.get_by_role("button", name="Check").nth(2).click()
        assert "Answer first." in page.locator(".sbs-verdict").nth(2).text_content()


class TestLinks:
    PROSE = (
        '<p><a class="demo-link" id="set" '
        'href="#demo=casino&t=3&obs=[0,5,5,5]&params.A.0.1=0.2">set</a>'
        '<a class="demo-link" id="bad" href="#demo=casino&params.A.0.1=7">bad</a></p>'
        '<div style="height:1500px"></div>'
    )

    def test_a_link_sets_the_state_scrolls_and_flashes(self, open_demos):
        demo = demos.trellis(**CASINO)
        visit = open_demos(demo, prose=self.PROSE)
        page = visit.page
        page.locator("#set").click()
        settle(page)
        state = same_as_python(page, demo)
        assert (state["t"], state["obs"]) == (3, [0, 5, 5, 5])
        assert state["params"]["A"][0] == [0.8, 0.2]
        page.wait_for_function("scrollY > 500")
        assert "sbs-flash" in page.locator(".sbs").get_attribute("class")
        assert visit.complaints == []

    def test_a_link_that_cannot_be_shown_is_explained_and_changes_nothing(self, open_demos):
        demo = demos.trellis(**CASINO)
        page = open_demos(demo, prose=self.PROSE).page
        page.locator("#bad").click()
        settle(page)
        assert state_of(page, "casino") == demo.state
        assert "between 0 and 1" in page.get_by_role("alert").text_content()

    def test_share_link_round_trip(self, open_demos):
        page = open_demos(demos.trellis(**CASINO)).page
        page.get_by_role("slider", name="from loaded to: fair").focus()
        page.keyboard.press("PageUp")
        page.get_by_role("radio", name="Viterbi →").check()
        page.locator(".sbs-tile").nth(2).press("ArrowUp")
        settle(page)
        page.get_by_role("button", name="Share").click()
        settle(page)
        shared = page.locator("textarea").input_value()
        page.get_by_role("button", name="Copy", exact=True).click()
        before = state_of(page, "casino")
        again = open_demos(demos.trellis(**CASINO), hash="#" + shared.split("#")[1]).page
        settle(again)
        assert state_of(again, "casino") == before

    @pytest.mark.parametrize(
        "hash",
        [
            "#demo=casino&obs=[]",
            "#demo=casino&%%%",
            "#demo=casino&t=99",
            "#demo=casino&view=em",
            "#demo=nobody&t=1",
        ],
    )
    def test_hostile_hashes_do_no_harm(self, open_demos, hash):
        demo = demos.trellis(**CASINO)
        visit = open_demos(demo, hash=hash)
        assert state_of(visit.page, "casino") == demo.state
        assert visit.complaints == []


class TestPage:
    def test_several_demos_live_side_by_side(self, open_demos):
        twin = {**CASINO, "name": "twin"}
        visit = open_demos(*every_demo(), demos.trellis(**twin))
        page = visit.page
        hosts = page.locator(".sbs-demo")
        assert hosts.count() == 5 and page.locator("[data-error]").count() == 0
        hosts.nth(4).get_by_role("button", name="one step on").click()
        settle(page)
        assert state_of(page, "twin")["t"] == 1 and state_of(page, "casino")["t"] == 4
        ids = page.eval_on_selector_all("[id]", "all => all.map(e => e.id)")
        assert len(ids) == len(set(ids))
        assert visit.complaints == []

    @pytest.mark.parametrize("theme, width", [("light", 900), ("dark", 375)])
    def test_axe_finds_nothing_with_everything_opened(self, open_demos, theme, width):
        page = open_demos(*every_demo(), theme=theme, width=width).page
        page.get_by_role("button", name="Check").nth(0).click()
        page.get_by_role("radio", name="gamma").check()
        page.get_by_role("button", name="Check").nth(0).click()
        page.evaluate(AXE.read_text(encoding="utf-8"))
        for panel in PANELS:
            for button in page.get_by_role("button", name=panel).all():
                button.click()
            assert axe_findings(page) == [], panel

    @pytest.mark.parametrize("demo", every_demo(), ids=lambda d: d.name)
    def test_phone_no_overflow_text_of_12_pixels_targets_of_24(self, open_demos, demo):
        page = open_demos(demo, width=375, has_touch=True).page
        fits_a_phone(page)

    def test_without_javascript_there_are_pictures_and_answers(self, open_demos):
        page = open_demos(*every_demo(), java_script_enabled=False).page
        images = page.locator(".sbs-fallback img")
        assert images.count() == 3
        for image in images.all():
            assert image.is_visible() and len(image.get_attribute("alt")) > 60
            assert image.bounding_box()["height"] > 80
        page.get_by_text("Answer", exact=True).nth(2).click()
        assert page.get_by_text("1 + 2 + 10 = 13.").is_visible()

    def test_play_runs_stops_at_the_end_and_off_screen(self, open_demos):
        demo = demos.trellis(**{**CASINO, "obs": [0, 5, 5]})
        page = open_demos(demo, prose="<div style='height:3000px'></div>").page
        page.get_by_role("button", name="play").click()
        page.wait_for_function("sbs.get('casino').state.t === 2")
        page.get_by_role("button", name="play").wait_for(timeout=STOPS_MS)
        assert page.get_by_role("button", name="pause").count() == 0
        page.get_by_role("button", name="play").click()  # starts over
        page.evaluate("scrollTo(0, 0)")
        page.wait_for_timeout(1300)
        assert state_of(page, "casino")["t"] < 2

    def test_reduced_motion_has_no_animation(self, open_demos):
        page = open_demos(
            demos.chain(**CLICKS),
            demos.trellis(**CASINO),
            prose=TestLinks.PROSE,
            reduced_motion="reduce",
        ).page
        page.locator(".sbs-card").nth(3).focus()
        page.keyboard.press("ArrowLeft")
        page.locator("#set").click()
        settle(page)
        assert page.evaluate("document.getAnimations().length") == 0

    def test_undo_goes_back_step_by_step_and_reset_can_be_undone(self, open_demos):
        demo = demos.trellis(**CASINO)
        page = open_demos(demo).page
        page.locator(".sbs-tile").nth(0).press("ArrowUp")
        page.locator(".sbs-tile").nth(1).press("ArrowUp")
        settle(page)
        edited = state_of(page, "casino")
        page.get_by_role("button", name="back to the author's state").click()
        settle(page)
        assert state_of(page, "casino") == demo.state
        undo = page.get_by_role("button", name="undo")
        undo.click()
        settle(page)
        assert state_of(page, "casino") == edited
        while undo.get_attribute("aria-disabled") is None:
            undo.click()
            settle(page)
        assert state_of(page, "casino") == demo.state

    def test_nothing_shifts(self, open_demos):
        page = open_demos(*every_demo()).page
        shift = page.evaluate(
            """() => new Promise(done => { let sum = 0;
                new PerformanceObserver(list => list.getEntries().forEach(e => sum += e.value))
                  .observe({type: 'layout-shift', buffered: true});
                setTimeout(() => done(sum), 600); })"""
        )
        assert shift <= 0.02

    def test_the_theme_switch_redraws(self, open_demos):
        page = open_demos(demos.trellis(**CASINO, t=4), theme="light").page
        fill = page.locator(".sbs-node.sbs-cell circle")
        before = fill.get_attribute("fill")
        page.evaluate("document.documentElement.dataset.theme = 'dark'")
        settle(page)
        assert fill.get_attribute("fill") != before

    @pytest.mark.parametrize("view", sorted(VIEWS))
    def test_code_of_one_demo_with_a_quiz_fits_its_budget(self, view):
        names = [f"{name}{end}" for name in ("sbs", f"sbs-{view}", "sbs-quiz") for end in ENDS]
        sizes = {name: len(gzip.compress((STATIC / name).read_bytes(), 9)) for name in names}
        assert sum(sizes.values()) <= 25_000, sizes

    def test_a_view_whose_script_is_missing_leaves_the_picture(self, open_demos):
        page = open_demos(demos.trellis(**CASINO)).page
        page.context.route("**/sbs-trellis.js", lambda route: route.abort())
        page.reload()
        assert page.locator("[data-error]").count() == 1
        assert page.locator(".sbs-fallback img").is_visible()
