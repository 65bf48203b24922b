"""Gradient flow in Chromium: inputs dragged, options turned, the curve against Python."""

import numpy as np
import pytest

from tests.demos.flow_demos import flow
from tests.demos.whole_list import (
    WholeList,
    drag_lane,
    marked,
    press,
    result_of,
    settle,
    state_of,
)

CLOSE = {"rtol": 1e-7, "atol": 0}  # demos.md asks for 1e-6


def same_as_python(page, demo):
    demo.state = state_of(page, demo.name)
    trace = demo.trace()
    np.testing.assert_allclose(result_of(page, demo.name, "norm.h"), trace["norm_h"], **CLOSE)
    if demo.state["opts"]["cell"] == "lstm":
        np.testing.assert_allclose(result_of(page, demo.name, "norm.c"), trace["norm_c"], **CLOSE)
    return demo.state


class TestWholeList(WholeList):
    link = "t=9&opts.radius=1.4&opts.cell=gru&xs.3=-0.5&opts.length=12"
    bad_links = (
        "opts.radius=3", "opts.radius=-1", "opts.cell=transformer", "opts.length=1",
        "opts.length=61", "opts.start=7", "opts.forget_bias=99", "xs=[]", "xs.3=99", "xs.3=null",
        "opts.radius=word",
    )  # fmt: skip

    def demo(self, **options):
        return flow(**{"t": 4, **options})

    def linked(self, state):
        opts = state["opts"]
        assert (state["t"], state["xs"][3]) == (9, -0.5)
        assert (opts["radius"], opts["cell"], opts["length"]) == (1.4, "gru", 12)

    def edit(self, page):
        lane = page.get_by_role("slider", name="input before the state")
        lane.press("PageUp")
        lane.press("ArrowUp")
        settle(page)


class TestGradientFlow:
    def test_dragging_an_input_changes_later_states_only_and_equals_python(self, open_demos):
        demo = flow(t=4)
        visit = open_demos(demo)
        page = visit.page
        before = result_of(page, "flow", "trace.map(s => s.h)")
        drag_lane(page, "input", 8, 18, 0.02)  # column 8: the input that leads to state 8
        state = same_as_python(page, demo)
        assert state["t"] == 17 - 8 and -1 <= state["xs"][7] < -0.85
        after = result_of(page, "flow", "trace.map(s => s.h)")
        assert np.array_equal(before[:8], after[:8]) and not np.any(before[8:] == after[8:])
        assert marked(page, 1) == [8]
        assert all(marked(page, row)[0] == 8 for row in (2, 3, 4))
        assert visit.complaints == []

    def test_every_option_by_keyboard_equals_python(self, open_demos):
        demo = flow(t=4)
        page = open_demos(demo).page
        for radio, key, value in (
            ("LSTM", "cell", "lstm"), ("orthogonal", "start", "orthogonal"),
            ("identity", "start", "identity"), ("GRU", "cell", "gru"), ("RNN", "cell", "rnn"),
            ("relu", "activation", "relu"), ("linear", "activation", "linear"),
        ):  # fmt: skip
            page.get_by_role("radio", name=radio).focus()
            page.keyboard.press("Space")
            settle(page)
            assert same_as_python(page, demo)["opts"][key] == value
        page.get_by_role("slider", name="spectral radius").focus()
        page.keyboard.press("ArrowRight")
        settle(page)
        assert same_as_python(page, demo)["opts"]["radius"] == 0.91
        page.get_by_role("slider", name="steps").focus()
        page.keyboard.press("End")
        settle(page)
        assert same_as_python(page, demo)["opts"]["length"] == 60
        field = page.get_by_role("spinbutton", name="steps")
        field.fill("3")
        field.press("Enter")
        settle(page)
        state = same_as_python(page, demo)
        assert (state["opts"]["length"], state["t"]) == (3, 3)
        page.get_by_role("button", name="Draw other weights").press("Enter")
        settle(page)
        assert same_as_python(page, demo)["seed"] == 5

    def test_controls_that_mean_nothing_for_a_cell_are_not_there(self, open_demos):
        page = open_demos(flow()).page
        bias = page.get_by_role("slider", name="forget bias")
        relu = page.get_by_role("radio", name="relu")
        for cell, seen in (("RNN", (False, True)), ("LSTM", (True, False)), ("GRU", (False,) * 2)):
            page.get_by_role("radio", name=cell).check()
            settle(page)
            assert (bias.is_visible(), relu.is_visible()) == seen, cell

    def test_the_forget_bias_reaches_the_gradient(self, open_demos):
        demo = flow(cell="lstm", length=40)
        page = open_demos(demo).page
        closed = same_as_python(page, demo) and result_of(page, "flow", "norm.c")[0]
        field = page.get_by_role("spinbutton", name="forget bias")
        field.fill("6")
        field.press("Enter")
        settle(page)
        same_as_python(page, demo)
        assert result_of(page, "flow", "norm.c")[0] > 100 * closed

    @pytest.mark.parametrize("activation, radius", [("relu", 0), ("linear", 0), ("linear", 2)])
    def test_nothing_and_too_much_are_drawn_on_the_floor_and_in_the_picture(
        self, open_demos, activation, radius
    ):
        demo = flow(t=10, activation=activation, radius=radius, length=60, start="identity")
        page = open_demos(demo).page
        norms = result_of(page, "flow", "norm.h")
        assert norms[0] == float(radius) ** 60
        for path in page.locator(".sbs-flow").all():
            numbers = np.array(path.get_attribute("d")[1:].replace("L", " ").split(), dtype=float)
            assert np.all((numbers[1::2] >= 0) & (numbers[1::2] <= 216))
        ticks = page.locator(".sbs-powers").text_content()
        assert "10⁻¹⁶ floor" in ticks and ("10²⁰" in ticks) == (radius == 2)
        assert "= 0." in page.locator(".sbs-say").text_content() or radius == 2

    def test_arithmetic_is_that_of_the_step_shown(self, open_demos):
        demo = flow(t=6)
        page = open_demos(demo).page
        from course_lib.demos._gradient_flow import _run
        from course_lib.gradients import step_jacobian

        ran, params = _run(demo.state)
        J = step_jacobian(ran, params, 11)  # from state 11 = 17 - 6 to state 12
        words = page.locator(".sbs-sums").text_content().replace("−", "-")
        assert f"× {params.W_hh[0, 0]:.3f} = {J[0, 0]:.3f}" in words
        assert f"‖∂h(12)/∂h(11)‖{np.linalg.norm(J, 2):.3f}" in words
        assert f"0.7 to the power of the lag{0.7**6:.3f}" in words

    def test_goals_are_recognised(self, open_demos):
        page = open_demos(flow(length=50, hidden=4)).page
        press(page, "Goals 0/3")
        radius = page.get_by_role("spinbutton", name="spectral radius")
        for value, done in (("0.5", 1), ("2", 1)):
            radius.fill(value)
            radius.press("Enter")
            settle(page)
            assert page.locator(".sbs-done").count() == done
        page.get_by_role("radio", name="linear").check()
        settle(page)
        assert page.locator(".sbs-done").count() == 2
        page.get_by_role("radio", name="identity").check()
        radius.fill("1")
        radius.press("Enter")
        settle(page)
        assert page.locator(".sbs-done").count() == 3
