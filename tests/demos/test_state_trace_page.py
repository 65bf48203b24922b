"""State trace in Chromium: inputs, weights and start dragged, two units in their plane."""

import numpy as np
import pytest

from tests.demos.cell_demos import T, state, steady
from tests.demos.whole_list import (
    WholeList,
    drag_lane,
    marked,
    press,
    result_of,
    settle,
    state_of,
)

CLOSE = {"rtol": 0, "atol": 1e-9}  # demos.md asks for 1e-6
ROWS = {"rnn": "h", "lstm": "hcifgo", "gru": "hrzn"}


def same_as_python(page, demo):
    demo.state = state_of(page, demo.name)
    trace = demo.trace()
    for key in ROWS[demo.state["fixed"]["kind"]]:
        mine = result_of(page, demo.name, f"trace.slice(1).map(s => s.{key})")
        np.testing.assert_allclose(mine, trace[key], **CLOSE, err_msg=key)
    return demo.state


def sums(page):
    return page.locator(".sbs-sums").text_content().replace("−", "-")


class TestWholeList(WholeList):
    link = "t=6&xs.3.0=-0.5&params.W_hh.0.2=0.75&h0.1=0.3&opts.unit=2&opts.pair=[2,1]"
    bad_links = (
        "params.W_xh=[]", "params.W_hh.0.0=99", "params.W_hh.0.0=null", "params={}", "params.b_h=1",
        "params.W_hh.9.0=1", "h0=[1]", "h0.0=word", "c0=[0,0,0]", "opts.unit=3", "opts.pair=[0,3]",
        "opts.pair=[0]", "opts.show=c", "xs=[]", "xs.3=[1]", "xs.3.0=99", "xs.3.0=null",
    )  # fmt: skip

    def demo(self, **options):
        return state(**{"t": 4, **options})

    def linked(self, state):
        assert (state["t"], state["xs"][3][0], state["h0"][1]) == (6, -0.5, 0.3)
        assert state["params"]["W_hh"][0][2] == 0.75
        assert (state["opts"]["unit"], state["opts"]["pair"]) == (2, [2, 1])

    def edit(self, page):
        lane = page.get_by_role("slider", name="bit, t =")
        lane.press("PageUp")
        page.get_by_role("slider", name="h unit 1 into").press("ArrowRight")
        settle(page)


class TestStateTrace:
    def test_dragging_an_input_changes_later_steps_only_and_equals_python(self, open_demos):
        demo = state(t=4)
        visit = open_demos(demo)
        page = visit.page
        before = result_of(page, "states", "trace.map(s => s.h)")
        drag_lane(page, "noise", 7, T, 0.95)
        now = same_as_python(page, demo)
        assert now["t"] == 7 and 0.8 < now["xs"][7][1] <= 1
        after = result_of(page, "states", "trace.map(s => s.h)")
        assert np.array_equal(before[:8], after[:8]) and not np.any(before[8:] == after[8:])
        assert marked(page, 1) == [7]  # the noise lane itself
        for row in (2, 3, 4):  # the units
            assert marked(page, row)[0] == 7
        assert page.locator(".sbs-ghost").get_attribute("d").startswith("M")  # the path before
        assert visit.complaints == []

    def test_steps_before_a_change_are_the_same_objects(self, open_demos):
        page = open_demos(state(t=7)).page
        page.evaluate("window.before = sbs.get('states').result.trace")
        page.get_by_role("slider", name="bit, t = 7").press("ArrowUp")
        settle(page)
        same = page.evaluate("sbs.get('states').result.trace.map((s, t) => s === before[t])")
        assert same == [True] * 8 + [False] * (T - 7)

    def test_dragging_a_weight_equals_python(self, open_demos):
        demo = state(t=4)
        page = open_demos(demo).page
        tile = page.get_by_role("slider", name="x bit into unit 0")
        tile.scroll_into_view_if_needed()
        box = tile.bounding_box()
        y = box["y"] + box["height"] / 2
        page.mouse.move(box["x"] + box["width"] / 2, y)
        page.mouse.down()
        page.mouse.move(box["x"] + box["width"] * 0.8, y, steps=4)
        page.mouse.up()
        settle(page)
        now = same_as_python(page, demo)
        assert 0.5 < now["params"]["W_xh"][0][0] < 2
        assert tile.get_attribute("aria-valuenow") == f"{now['params']['W_xh'][0][0]:g}"
        field = page.get_by_role("spinbutton", name="x bit into unit 0")
        field.fill("-1.2345")
        field.press("Enter")
        settle(page)
        assert same_as_python(page, demo)["params"]["W_xh"][0][0] == -1.2345
        assert "-1.23" in sums(page)

    def test_dragging_the_ring_moves_the_start_of_both_units(self, open_demos):
        demo = state(t=4, pair=(0, 2))
        page = open_demos(demo).page
        ring = page.locator(".sbs-ring")
        ring.scroll_into_view_if_needed()
        box = ring.bounding_box()
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 55, y - 40, steps=4)
        page.mouse.up()
        settle(page)
        now = same_as_python(page, demo)
        # 222 pixels are two units of h wide: 55 and 40 pixels are 0.5 and 0.36
        np.testing.assert_allclose(now["h0"], [0.7, -0.4, 0.46], rtol=0, atol=0.03)
        press(page, "undo")
        assert state_of(page, "states")["h0"] == [0.2, -0.4, 0.1]  # one gesture, one undo

    @pytest.mark.parametrize(
        "kind, form",
        [
            ("lstm", {}),
            ("lstm", {"peepholes": True}),
            ("gru", {}),
            ("gru", {"reset": "before", "update": "write"}),
        ],
    )
    def test_other_cells_by_keyboard_equal_python(self, open_demos, kind, form):
        demo = state(kind, form, t=4)
        page = open_demos(demo).page
        page.get_by_role("radio", name="unit 0", exact=True).focus()
        page.keyboard.press("ArrowRight")
        page.get_by_role("slider", name="bit, t = 4").press("PageUp")
        gate = {"lstm": "f", "gru": "z"}[kind]
        tile = page.get_by_role("slider", name=f"h unit 2 into unit 1, gate {gate}")
        tile.press("PageDown")
        tile.press("ArrowLeft")
        page.get_by_role("slider", name="start h of unit 1").press("End")
        settle(page)
        now = same_as_python(page, demo)
        assert now["opts"]["unit"] == 1 and now["h0"][1] == 10
        weights = np.array(now["params"]["W_ha"]) - np.array(demo._initial["params"]["W_ha"])
        changed = np.argwhere(weights)
        assert changed.tolist() == [[2, 3 + 1]]  # second block of H = 3 columns, unit 1
        np.testing.assert_allclose(weights[2, 4], -0.55, **CLOSE)
        trace = demo.trace()
        if kind == "lstm":
            start, was = np.array(now["c0"]), trace["c"][3]
            i, f, g, c = (trace[key][4, 1] for key in "ifgc")
            words = f"{f:.3f} × {was[1]:.3f} + {i:.3f} × {g:.3f} = {c:.3f}"
            assert start.tolist() == [0, 0, 0]
        else:
            z = trace["z"][4, 1] if form.get("update") != "write" else 1 - trace["z"][4, 1]
            h, n = trace["h"][:, 1], trace["n"][4, 1]
            words = f"{z:.3f} × {h[3]:.3f} + {1 - z:.3f} × {n:.3f} = {h[4]:.3f}"
        assert words in sums(page)
        assert "NaN" not in page.locator(".sbs").inner_html()

    def test_lanes_of_an_lstm_show_its_cell_state(self, open_demos):
        demo = state("lstm", t=4, c0=[1.0, -0.5, 2.0])
        page = open_demos(demo).page
        page.get_by_role("radio", name="c, cell state").check()
        settle(page)
        same_as_python(page, demo)
        shown = page.locator(".sbs-gutter small").all_text_contents()[2:]
        expected = [f"{v:.3f}".replace("-", "−") for v in demo.trace()["c"][4]]
        assert shown == expected

    def test_arithmetic_and_sentence_are_those_of_the_step_and_unit(self, open_demos):
        demo = state(t=4, unit=1)
        page = open_demos(demo).page
        p, h = demo.state["params"], demo.trace()["h"]
        a = np.array(demo.state["xs"][4]) @ np.array(p["W_xh"])[:, 1]
        past = h[3] @ np.array(p["W_hh"])[:, 1]
        total = a + past + p["b_h"][1]
        assert f"tanh({total:.3f}) = {h[4, 1]:.3f}" in sums(page)
        said = page.locator(".sbs-say").text_content().replace("−", "-")
        assert f"from {h[3, 1]:.2f} to {h[4, 1]:.2f}" in said and f"{past:+.2f}" in said

    def test_whole_path_by_keyboard(self, open_demos):
        demo = state(t=4)
        page = open_demos(demo).page
        page.get_by_role("radio", name="unit 0", exact=True).focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Tab")  # to the first lane
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")
        settle(page)
        now = same_as_python(page, demo)
        assert (now["opts"]["unit"], now["t"], now["xs"][5][0]) == (1, 5, -0.05)
        page.get_by_label("across").select_option("2")
        settle(page)
        assert state_of(page, "states")["opts"]["pair"] == [2, 1]
        page.get_by_role("slider", name="start h of unit 2").press("Home")
        settle(page)
        assert same_as_python(page, demo)["h0"][2] == -10
        page.keyboard.press("Control+z")
        settle(page)
        assert same_as_python(page, demo)["h0"][2] == 0.1

    def test_goals_are_recognised(self, open_demos):
        zeros, eye = "[[0,0,0],[0,0,0],[0,0,0]]", "[[1,0,0],[0,1,0],[0,0,1]]"
        links = (
            f"params.W_hh={zeros}",  # forgets at once
            f"params.W_hh={eye}&params.W_xh=[[0,0,0],[0,0,0]]&params.b_h=[0,0,0]&h0=[0,0,0]",
            "params.b_h=[5,0,0]",  # saturates
        )
        prose = "".join(f'<a class="link" href="#demo=states&amp;{to}">go</a> ' for to in links)
        page = open_demos(state(t=4), prose=prose).page
        button = page.get_by_role("button", name="Goals")
        for number in range(3):
            assert button.text_content() == f"Goals {number}/3"
            page.locator(".link").nth(number).click()
            settle(page)
        assert button.text_content() == "Goals 3/3"

    @pytest.mark.parametrize("activation", ["relu", "linear"])
    def test_growth_stays_finite_and_in_its_lane(self, open_demos, activation):
        demo = state(activation=activation, h0=[10, 10, 10])
        page = open_demos(demo).page
        for source in range(3):
            page.get_by_role("slider", name=f"h unit {source} into unit 0").press("End")
        settle(page)
        same = state_of(page, "states")
        assert [row[0] for row in same["params"]["W_hh"]] == [20, 20, 20]
        demo.state = same
        expected = demo.trace()["h"]
        mine = result_of(page, "states", "trace.slice(1).map(s => s.h)")
        np.testing.assert_allclose(mine, expected, rtol=1e-9, atol=0)  # sizes up to 1e14
        words = page.locator(".sbs").inner_html()
        assert "NaN" not in words and "Infinity" not in words


class TestOwnCell:
    def test_without_a_kernel_the_stored_states_are_shown_and_edits_say_why(self, open_demos):
        demo = state(name="own", cell=steady, t=4)
        visit = open_demos(demo)
        page = visit.page
        expected = demo.trace()["h"]
        mine = result_of(page, "own", "trace.slice(1).map(s => s.h)")
        np.testing.assert_allclose(mine, expected, rtol=0, atol=1e-6)  # stored with 7 digits
        assert "steady has read step 4" in page.locator(".sbs-say").text_content()
        page.get_by_role("slider", name="bit, t =").press("PageUp")
        settle(page)
        assert "open the notebook in Jupyter" in page.get_by_role("alert").last.text_content()
        press(page, "undo")
        assert page.get_by_role("alert").last.text_content() == ""
        assert visit.complaints == []

    @pytest.mark.parametrize("width, theme", [(900, "light"), (375, "dark")])
    def test_an_error_stands_in_the_demo(self, open_demos, width, theme):
        def broken(x_t, h_prev):
            if x_t[0, 0] > 0.5:
                raise KeyError("no weights <yet>")
            return h_prev

        visit = open_demos(state(name="own", cell=broken), width=width, theme=theme)
        page = visit.page
        alert = page.get_by_role("alert").last.text_content()
        assert alert == "KeyError at t = 1: 'no weights <yet>'"
        press(page, "one step on", 2)
        assert "stopped here" in page.locator(".sbs-say").text_content()
        press(page, "Table")
        assert "none" in page.locator(".sbs-table").text_content()
        assert "NaN" not in page.locator(".sbs").inner_html()
        assert visit.complaints == []
