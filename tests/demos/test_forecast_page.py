"""Forecast demo in Chromium: a dragged hour moves two forecasts, their bands and every weight."""

import re

import numpy as np
import pytest

from course_lib import demos
from course_lib.demos._forecast_models import quantiles
from tests.demos.forecast_demos import DAY, P, forecast, full, linear
from tests.demos.whole_list import (
    WholeList,
    drag_lane,
    marked,
    press,
    result_of,
    settle,
    state_of,
)

CLOSE = {"rtol": 0, "atol": 1e-9}  # the issue asks for 1e-5
PIXELS = 0.06  # places are written with one digit
TALL = 210


def same_as_python(page, demo):
    demo.state = state_of(page, demo.name)
    trace = demo.trace()
    for model in ("linear", "network"):
        mine = result_of(page, demo.name, f"direct.{model}")
        np.testing.assert_allclose(mine, trace[model][24:], **CLOSE)
        mine = result_of(page, demo.name, f"weights.{model}")
        np.testing.assert_allclose(mine, trace[f"weight_{model}"][:24], **CLOSE)
        if demo.state["opts"]["how"] == "recursive":
            mine = result_of(page, demo.name, f"recursive.{model}")
            np.testing.assert_allclose(mine, trace[f"{model}_recursive"][24:], **CLOSE)
    states = result_of(page, demo.name, "trace.slice(1).map(s => s.h)")
    np.testing.assert_allclose(states, trace["state"][:24], **CLOSE)
    return demo.state


def points(page, selector):
    """Places (n, 2) that a path of the chart goes through."""
    d = page.locator(selector).get_attribute("d")
    return np.array(re.findall(r"[\d.]+", d.replace("h0", "")), dtype=float).reshape(-1, 2)


def height(values, low=2, high=9):
    return 2 + TALL * (1 - (np.clip(values, low, high) - low) / (high - low))


def drag(page, t, value, steps=24, low=2, high=9):
    drag_lane(page, "demand", t, steps, (value - low) / (high - low))


class TestWholeList(WholeList):
    link = "t=26&xs.23=7.5&opts.model=linear&opts.how=recursive&opts.cell=6"
    bad_links = (
        "opts.cell=7", "opts.hour=5", "opts.model=arima", "opts.how=both", "xs=[]", "xs.3=1.9",
        "xs.3=9.1", "xs.3=null", "xs.24=5", "xs.0=A", "t=29",
    )  # fmt: skip

    def demo(self, **options):
        return forecast(**{"t": 4, **options})

    def linked(self, state):
        assert (state["t"], state["xs"][23], state["xs"][22]) == (26, 7.5, DAY[22])
        want = {"model": "linear", "how": "recursive", "hour": 2, "cell": 6, "predict": False}
        assert state["opts"] == want

    def edit(self, page):
        lane = page.get_by_role("slider", name="demand")
        lane.press("PageUp")
        lane.press("ArrowUp")
        settle(page)


class TestDay:
    def test_a_dragged_hour_moves_what_comes_after_it_and_equals_python(self, open_demos):
        demo = forecast(t=4)
        visit = open_demos(demo)
        page = visit.page
        h = "trace.map(s => s.h)"
        before = result_of(page, "demand", h)
        ahead = [result_of(page, "demand", f"direct.{model}") for model in ("linear", "network")]
        drag(page, 17, 8)
        state = same_as_python(page, demo)
        assert state["t"] == 17 and 7.9 < state["xs"][17] < 8.1
        after = result_of(page, "demand", h)
        assert np.array_equal(before[:18], after[:18]) and not np.any(before[18:] == after[18:])
        for old, model in zip(ahead, ("linear", "network"), strict=True):
            assert not np.any(old == result_of(page, "demand", f"direct.{model}"))
        assert marked(page, 0)[0] == 17 and set(marked(page, 0)[1:]) <= set(range(24, 24 + P))
        assert marked(page, 1) == []  # the linear weights are the same whatever the day
        assert marked(page, 2)
        assert min(marked(page, 3)) == 17
        assert visit.complaints == []

    def test_the_future_cannot_be_dragged_and_a_click_there_asks_for_that_hour(self, open_demos):
        demo = forecast(t=4)
        page = open_demos(demo).page
        box = page.locator(".sbs-picture").bounding_box()
        page.mouse.click(box["x"] + box["width"] * (24 + 2.5) / (24 + P), box["y"] + 100)
        settle(page)
        state = same_as_python(page, demo)
        assert (state["t"], state["opts"]["hour"], state["xs"]) == (26, 2, DAY.tolist())

    def test_in_the_future_the_keys_move_the_latest_hour(self, open_demos):
        demo = forecast(t=26)
        page = open_demos(demo).page
        lane = page.get_by_role("slider", name="demand, 6 h, now")
        lane.press("End")
        settle(page)
        state = same_as_python(page, demo)
        assert (state["t"], state["xs"][23], state["xs"][:23]) == (26, 9, DAY[:23].tolist())
        assert page.get_by_role("spinbutton", name="demand, 6 h, now").input_value() == "9"

    def test_whole_path_by_keyboard(self, open_demos):
        demo = forecast(t=4)
        page = open_demos(demo).page
        page.get_by_role("radio", name="GRU").focus()
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Tab")  # to the day
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("Home")
        settle(page)
        state = same_as_python(page, demo)
        assert (state["t"], state["xs"][3]) == (3, 2)
        assert (state["opts"]["model"], state["opts"]["how"]) == ("linear", "recursive")
        field = page.get_by_role("spinbutton", name="demand, 10 h, 20 h ago")
        field.fill("6.789")
        field.press("Enter")
        page.get_by_label("Arithmetic of").select_option("unit 5")
        settle(page)
        state = same_as_python(page, demo)
        assert (state["xs"][3], state["opts"]["cell"]) == (6.79, 5)
        page.get_by_role("radio", name="GRU").press("Control+z")
        settle(page)
        assert state_of(page, "demand")["opts"]["cell"] == 0

    def test_large_units_are_dragged_in_whole_ones(self, open_demos):
        demo = forecast(window=1000 * DAY, scale=(5200, 800), limits=(2000, 9000), unit="MW")
        page = open_demos(demo).page
        drag(page, 3, 4325.4, low=2000, high=9000)  # pointers stand between pixels too
        x = state_of(page, "demand")["xs"][3]
        assert abs(x - 4325) < 34 and x % 1 == 0
        same_as_python(page, demo)

    def test_a_unit_is_chosen_by_its_strip(self, open_demos):
        demo = forecast(t=4)
        page = open_demos(demo).page
        strips = page.locator(".sbs-picture > g:nth-of-type(2) > g:nth-of-type(2) > rect")
        assert strips.count() == 24 * 7
        strips.nth(3 * 24 + 11).click()
        settle(page)
        state = state_of(page, "demand")
        assert (state["t"], state["opts"]["cell"]) == (11, 3)
        shown = page.locator(".sbs-gutter small").nth(3).text_content()
        assert shown == f"{demo.trace()['state'][11, 3]:.3f}".replace("-", "−")


class TestChart:
    def test_lines_and_bands_stand_where_the_numbers_are(self, open_demos):
        demo = forecast(t=26, model="linear")
        page = open_demos(demo).page
        trace = demo.trace()
        np.testing.assert_allclose(
            points(page, ".sbs-past >> nth=0")[:, 1], height(DAY), rtol=0, atol=PIXELS
        )
        for k, model in enumerate(("linear", "network")):
            low, mid, high = trace[model][24:].T
            line = points(page, f".sbs-median >> nth={k}")
            want = height([DAY[-1], *mid])  # it starts at the latest hour
            np.testing.assert_allclose(line[:, 1], want, rtol=0, atol=PIXELS)
            edge = points(page, f"path[fill-opacity] >> nth={k}")
            want = height([*low, *high[::-1]])
            np.testing.assert_allclose(edge[:, 1], want, rtol=0, atol=PIXELS)
            assert (np.diff(line[:, 0]) > 0).all() and edge[0, 0] == line[1, 0]
        day = points(page, ".sbs-seasonal")
        np.testing.assert_allclose(day[:, 1], height(DAY[:P]), rtol=0, atol=PIXELS)
        last = points(page, ".sbs-naive")
        np.testing.assert_allclose(last[:, 1], height([DAY[-1]] * 2), rtol=0, atol=PIXELS)
        widths = page.locator(".sbs-median")
        assert [widths.nth(k).get_attribute("stroke-width") for k in (0, 1)] == ["3", "1.5"]

    def test_fed_back_medians_have_no_band(self, open_demos):
        demo = forecast(t=26)
        page = open_demos(demo).page
        page.get_by_role("radio", name="hour by hour, fed back").check()
        settle(page)
        same_as_python(page, demo)
        for k, model in enumerate(("linear", "network")):
            assert page.locator(f"path[fill-opacity] >> nth={k}").get_attribute("d") == ""
            want = height([DAY[-1], *demo.trace()[f"{model}_recursive"][24:]])
            line = points(page, f".sbs-median >> nth={k}")
            np.testing.assert_allclose(line[:, 1], want, rtol=0, atol=PIXELS)
        said = page.locator(".sbs-say").text_content()
        v = demo.trace()["network_recursive"][26]
        assert f"3 hours ahead, fed back: GRU {v:.2f} GW, linear" in said and "80 %" not in said

    def test_what_came_is_shown_until_the_day_is_changed(self, open_demos):
        demo = full(t=23)
        page = open_demos(demo).page
        actual, trace = np.array(demo.state["fixed"]["actual"]), demo.trace()
        dots = points(page, ".sbs-came")
        np.testing.assert_allclose(dots[:, 1], height(actual), rtol=0, atol=PIXELS)
        held = [
            int(((band[24:, 0] <= actual) & (actual <= band[24:, 2])).sum())
            for band in (trace["linear"], trace["network"])
        ]
        key = page.locator(".sbs-legends > span").last
        words = f"what came; inside the band: linear {held[0]}, GRU {held[1]} of 24 hours"
        assert key.text_content() == words
        press(page, "one step on")
        assert f"It was {actual[0]:.2f}." in page.locator(".sbs-say").text_content()
        page.get_by_role("slider", name="demand").press("End")
        settle(page)
        assert page.locator(".sbs-came").get_attribute("d") == "" and not key.is_visible()
        assert "It was" not in page.locator(".sbs-say").text_content()
        press(page, "undo")
        assert key.is_visible()

    def test_a_forecast_beyond_the_limits_stays_in_the_chart(self, open_demos):
        W, b = linear()
        demo = forecast(linear=(3 * W, b), limits=(4, 7))
        page = open_demos(demo).page
        page.get_by_role("slider", name="demand").press("End")
        settle(page)
        same_as_python(page, demo)
        assert demo.trace()["linear"][24:, 1].max() > 7
        y = points(page, ".sbs-median >> nth=0")[:, 1]
        assert y.min() == 2 and y.max() <= 2 + TALL

    def test_another_hour_to_come_has_other_weights(self, open_demos):
        demo = forecast(t=4)
        page = open_demos(demo).page
        first = result_of(page, "demand", "weights.linear")
        page.locator(".sbs-stepper .sbs-scrub").fill("27")
        settle(page)
        same_as_python(page, demo)
        assert not np.any(result_of(page, "demand", "weights.linear") == first)
        page.locator(".sbs-stepper .sbs-scrub").fill("8")
        settle(page)  # the hour asked about stays
        state = same_as_python(page, demo)
        assert state["opts"]["hour"] == 3
        trace = demo.trace()
        shown = page.locator(".sbs-gutter small").all_text_contents()[:3]
        want = [trace[key][8] for key in ("x", "weight_linear", "weight_network")]
        assert shown[0] == f"{want[0]:.2f}" and shown[1].replace("−", "-") == f"{want[1]:.2f}"
        assert "4 hours ahead by" in page.locator(".sbs-say").text_content()


class TestWords:
    @pytest.mark.parametrize("model", ["linear", "network"])
    def test_arithmetic_ends_in_what_python_says(self, open_demos, model):
        demo = forecast(t=26, model=model)
        page = open_demos(demo).page
        low, mid, high = demo.trace()[model][26]
        words = page.locator(".sbs-sums td:last-child").all_text_contents()
        words = [text.replace("−", "-") for text in words]
        assert words[-1] == f"{high:.2f} - {low:.2f} = {high - low:.2f} GW"
        scaled = (mid - 5.2) / 0.8
        assert words[-2] == f"5.20 + 0.80 × {scaled:.3f} = {mid:.2f} GW"
        assert words[0].endswith(f"= {scaled:.3f}")
        left, right = words[0].replace("- ", "-").split(" = ")
        total = sum(  # of products and numbers, each shown with two or three digits
            float(np.prod([float(v) for v in term.split(" × ")]))
            for term in re.split(r" \+ | (?=-\d)(?<!× )", left)
        )
        assert abs(total - float(right)) < 0.03

    def test_a_read_hour_shows_the_gates_of_the_chosen_unit(self, open_demos):
        demo = forecast(t=9, cell=2)
        page = open_demos(demo).page
        h = demo.trace()["state"]
        words = page.locator(".sbs-sums td:last-child").all_text_contents()
        assert words[0] == f"({DAY[9]:.2f} − 5.20) ÷ 0.80 = {(DAY[9] - 5.2) / 0.8:.3f}"
        assert words[-2].replace("−", "-").endswith(f"= {h[9, 2]:.3f}")
        assert f"× {h[8, 2]:.3f} +" in words[-2].replace("−", "-")

    def test_prediction_hides_what_would_tell(self, open_demos):
        demo = forecast(t=26, predict=True)
        page = open_demos(demo).page
        assert page.locator(".sbs-gutter small").first.text_content() == "?"
        assert len(points(page, ".sbs-median >> nth=1")) == 3  # the latest hour and two to come
        truth = demo.trace()["network"][26, 1]
        assert f"{truth:.2f}" not in page.locator(".sbs").inner_text()
        press(page, "Reveal")
        assert f"it is {truth:.2f}" in page.locator(".sbs-score").text_content()
        assert len(points(page, ".sbs-median >> nth=1")) == 1 + P

    def test_goals_are_reached_by_one_hour(self, open_demos):
        demo = full(t=23)
        page = open_demos(demo).page
        press(page, "Goals 0/2")
        days = np.repeat(DAY[None], 48, axis=0)
        days[np.arange(48), np.arange(48) // 2] = np.tile([2, 9], 24)
        linear, net = (
            quantiles(demo.state["fixed"], model, (days - 5.2) / 0.8)[:, 0]
            for model in ("linear", "network")
        )
        for n, far in enumerate((abs(linear[:, 1] - net[:, 1]), net[:, 2] - net[:, 0]), 1):
            best = int(far.argmax())
            page.locator(".sbs-stepper .sbs-scrub").fill(str(best // 2))
            page.get_by_role("slider", name="demand").press(("Home", "End")[best % 2])
            settle(page)
            assert page.locator(".sbs-done").count() >= n
            press(page, "back to the author's state")

    def test_authors_goal_is_recognised(self, open_demos):
        goal = demos.Goal("Raise the linear forecast.", (("linear.0.1", ">", 6.5),))
        page = open_demos(forecast(goals=[goal])).page
        press(page, "Goals 0/1")
        page.get_by_role("slider", name="demand").press("End")
        settle(page)
        assert page.locator(".sbs-done").count() == 1

    @pytest.mark.parametrize("width", [900, 375])
    def test_nothing_moves_down_while_stepping(self, open_demos, width):
        page = open_demos(forecast(t=0), width=width).page
        tops = set()
        for t in (0, 1, 11, 22, 23, 24, 28):
            page.locator(".sbs-stepper .sbs-scrub").fill(str(t))
            settle(page)
            tops.add(page.locator(".sbs-tabs").evaluate("e => e.offsetTop"))
        assert len(tops) == 1
