"""Gate trace in Chromium: inputs dragged, gates held, the RNN beside it."""

import numpy as np

from tests.demos.flow_demos import T, gates
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


def same_as_python(page, demo):
    demo.state = state_of(page, demo.name)
    trace = demo.trace()
    for key in "ifgoch":
        mine = result_of(page, demo.name, f"steps.slice(1).map(s => s.{key})")
        np.testing.assert_allclose(mine, trace[key], **CLOSE, err_msg=key)
    rnn = result_of(page, demo.name, "rnn.slice(1).map(s => s.h)")
    np.testing.assert_allclose(rnn, trace["rnn_h"], **CLOSE)
    return demo.state


class TestWholeList(WholeList):
    link = "t=6&xs.3.0=-0.5&opts.clamp.f=1&opts.unit=2"
    bad_links = (
        "opts.clamp.f=2", "opts.clamp.f=-0.5", "opts.clamp.z=1", "opts.clamp.f=word", "opts.unit=3",
        "xs=[]", "xs.3=[1]", "xs.3.0=99", "xs.3.0=null", "xs.99.0=1", "opts.compare=7",
    )  # fmt: skip

    def demo(self, **options):
        return gates(**{"t": 4, **options})

    def linked(self, state):
        assert (state["t"], state["xs"][3][0]) == (6, -0.5)
        assert state["opts"]["clamp"] == {"i": None, "f": 1, "g": None, "o": None}
        assert state["opts"]["unit"] == 2

    def edit(self, page):
        lane = page.get_by_role("slider", name="bit, t =")
        lane.press("PageUp")
        lane.press("ArrowUp")
        settle(page)


class TestGateTrace:
    def test_dragging_an_input_changes_later_steps_only_and_equals_python(self, open_demos):
        demo = gates(t=4)
        visit = open_demos(demo)
        page = visit.page
        before = result_of(page, "gates", "steps.map(s => s.h)")
        drag_lane(page, "noise", 7, T, 0.95)
        state = same_as_python(page, demo)
        assert state["t"] == 7 and 0.8 < state["xs"][7][1] <= 1
        after = result_of(page, "gates", "steps.map(s => s.h)")
        assert np.array_equal(before[:8], after[:8]) and not np.any(before[8:] == after[8:])
        assert marked(page, 1) == [7]  # the noise lane itself
        for row in (3, 6, 8):  # f, c, the RNN
            assert marked(page, row)[0] == 7
        assert visit.complaints == []

    def test_a_held_gate_is_one_number_at_every_step(self, open_demos):
        demo = gates(t=4)
        page = open_demos(demo).page
        free = result_of(page, "gates", "steps.slice(1).map(s => s.f[0])")
        page.get_by_role("checkbox", name="hold f, forget").check()
        settle(page)
        state = same_as_python(page, demo)
        assert abs(state["opts"]["clamp"]["f"] - free[4]) < 0.006  # what it was, two digits
        slide = page.get_by_role("slider", name="hold f, forget")
        slide.focus()
        page.keyboard.press("Home")
        page.keyboard.press("ArrowRight")
        settle(page)
        assert same_as_python(page, demo)["opts"]["clamp"]["f"] == 0.01
        field = page.get_by_role("spinbutton", name="hold f, forget")
        field.fill("7")
        field.press("Enter")
        settle(page)
        assert same_as_python(page, demo)["opts"]["clamp"]["f"] == 1
        assert "held at 1" in page.locator(".sbs-sums").text_content()
        page.get_by_role("checkbox", name="hold f, forget").uncheck()
        settle(page)
        assert same_as_python(page, demo)["opts"]["clamp"]["f"] is None

    def test_whole_path_by_keyboard(self, open_demos):
        demo = gates(t=4)
        page = open_demos(demo).page
        page.get_by_role("radio", name="unit 0").focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Tab")  # to the first lane
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")
        settle(page)
        state = same_as_python(page, demo)
        assert (state["opts"]["unit"], state["t"], state["xs"][5][0]) == (1, 5, -0.05)
        lane = page.get_by_role("slider", name="bit, t = 5")
        assert lane.get_attribute("aria-valuenow") == "-0.05"
        field = page.get_by_role("spinbutton", name="bit, t = 5")
        field.fill("0.62")
        field.press("Enter")
        settle(page)
        assert same_as_python(page, demo)["xs"][5][0] == 0.62
        page.get_by_role("radio", name="nothing").focus()
        page.keyboard.press("Space")
        settle(page)
        assert state_of(page, "gates")["opts"]["compare"] is False
        assert "RNN" not in page.locator(".sbs-gutter").text_content()

    def test_arithmetic_is_that_of_the_step_and_unit_shown(self, open_demos):
        demo = gates(t=4, unit=1)
        page = open_demos(demo).page
        trace = demo.trace()
        words = page.locator(".sbs-sums").text_content().replace("−", "-")
        f, c, i, g = (trace[key][4, 1] for key in "fcig")
        assert f"{f:.3f} × {trace['c'][3, 1]:.3f} + {i:.3f} × {g:.3f} = {c:.3f}" in words
        assert f"= {trace['rnn_h'][4, 1]:.3f}" in words
        press(page, "one step on")
        assert f"= {trace['c'][5, 1]:.3f}" in page.locator(".sbs-sums").text_content().replace(
            "−", "-"
        )

    def test_goals_are_recognised(self, open_demos):
        page = open_demos(gates(t=4, unit=1, clamp={"f": 0.8})).page
        press(page, "Goals 0/2")
        assert page.locator(".sbs-done").count() == 0
        field = page.get_by_role("spinbutton", name="hold f, forget")
        for value, done in (("1", 1), ("0", 2)):
            field.fill(value)
            field.press("Enter")
            settle(page)
            assert page.locator(".sbs-done").count() == done
