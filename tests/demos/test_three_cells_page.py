"""Three cells in Chromium: one sequence, one cursor, states, gates and readouts."""

import numpy as np
import pytest

from course_lib import demos
from tests.demos.cell_demos import T, heads, inputs, three
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
    for kind, keys in ROWS.items():
        for key in keys:
            mine = result_of(page, demo.name, f"trace.{kind}.slice(1).map(s => s.{key})")
            np.testing.assert_allclose(mine, trace[f"{kind}_{key}"], **CLOSE, err_msg=kind + key)
        if demo.state["fixed"]["readout"]:
            mine = result_of(page, demo.name, f"said.{kind}")
            np.testing.assert_allclose(mine, trace[f"{kind}_readout"], **CLOSE)
    return demo.state


class TestWholeList(WholeList):
    link = "t=6&xs.3.0=-0.5&opts.show=gates&opts.model=gru&opts.unit=2"
    bad_links = (
        "opts.unit=3", "opts.show=readout", "opts.show=all", "opts.model=mamba", "rnn.W_xh=1",
        "xs=[]", "xs.3=[1]", "xs.3.0=99", "xs.3.0=null", "xs.99.0=1",
    )  # fmt: skip

    def demo(self, **options):
        return three(**{"t": 4, **options})

    def linked(self, state):
        assert (state["t"], state["xs"][3][0]) == (6, -0.5)
        assert state["opts"] == {"unit": 2, "model": "gru", "show": "gates", "predict": False}

    def edit(self, page):
        lane = page.get_by_role("slider", name="bit, t =")
        lane.press("PageUp")
        lane.press("ArrowUp")
        settle(page)


class TestThreeCells:
    @pytest.mark.parametrize("show", ["h", "gates", "readout"])
    def test_dragging_an_input_changes_later_steps_only_and_equals_python(self, open_demos, show):
        demo = three(t=4, readout=heads(2), show=show)
        visit = open_demos(demo)
        page = visit.page
        traces = "['rnn', 'lstm', 'gru'].map(k => trace[k].map(s => s.h.slice(0, 3)))"
        traces = traces.replace("trace[", "sbs.get('three').result.trace[")
        before = np.array(page.evaluate(traces))
        drag_lane(page, "noise", 7, T, 0.95)
        now = same_as_python(page, demo)
        assert now["t"] == 7 and 0.8 < now["xs"][7][1] <= 1
        after = np.array(page.evaluate(traces))
        assert np.array_equal(before[:, :8], after[:, :8])
        assert not np.any(before[:, 8:] == after[:, 8:])
        assert marked(page, 1) == [7]  # the noise lane itself
        for row in range(2, page.locator(".sbs-gutter b").count()):
            steps = marked(page, row)
            assert not steps or min(steps) >= 7
        assert marked(page, 2)[0] == 7
        assert visit.complaints == []

    def test_one_cursor_and_the_numbers_of_all_three(self, open_demos):
        demo = three(t=4, unit=1)
        page = open_demos(demo).page
        press(page, "one step on")
        trace = demo.trace()
        shown = page.locator(".sbs-gutter small").all_text_contents()[2:]
        expected = [trace[key][5, 1] for key in ("rnn_h", "lstm_c", "lstm_h", "gru_h")]
        assert shown == [f"{v:.3f}".replace("-", "−") for v in expected]
        said = page.locator(".sbs-say").text_content().replace("−", "-")
        rnn, _, lstm, gru = expected
        assert f"RNN {rnn:.2f}, LSTM {lstm:.2f}, GRU {gru:.2f}" in said
        assert f"keeps {100 * trace['lstm_f'][5, 1]:.0f} %" in said

    def test_readout_of_two_classes_is_a_probability(self, open_demos):
        demo = three(t=4, readout=heads(2), classes=["off", "on"], model="gru")
        page = open_demos(demo).page
        same_as_python(page, demo)
        trace = demo.trace()
        shown = page.locator(".sbs-gutter small").all_text_contents()[2:]
        expected = [trace[f"{kind}_readout"][4] for kind in ROWS]
        assert shown == [f"{v:.3f}" for v in expected] and 0 < min(expected) < max(expected) < 1
        assert "P(on)" in page.locator(".sbs-say").text_content()
        words = page.locator(".sbs-sums").text_content()
        assert words.endswith(f"give {expected[2]:.3f}")

    def test_readout_of_one_number_stands_beside_what_was_asked_for(self, open_demos):
        demo = three(t=1, readout=heads(1), target=inputs()[:, 0])
        page = open_demos(demo).page
        same_as_python(page, demo)
        shown = page.locator(".sbs-gutter small").all_text_contents()[2:]
        expected = [1.0, *(demo.trace()[f"{kind}_readout"][1] for kind in ROWS)]
        assert shown == [f"{v:.3f}".replace("-", "−") for v in expected]
        assert "asked for: 1.00" in page.locator(".sbs-say").text_content()

    def test_whole_path_by_keyboard(self, open_demos):
        demo = three(t=4)
        page = open_demos(demo).page
        page.get_by_role("radio", name="one unit").focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Tab")  # to the first lane
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("ArrowUp")
        settle(page)
        now = same_as_python(page, demo)
        assert (now["opts"]["show"], now["opts"]["unit"], now["t"]) == ("gates", 1, 3)
        assert now["xs"][3][0] == 0.05
        field = page.get_by_role("spinbutton", name="bit, t = 3")
        field.fill("-0.77")
        field.press("Enter")
        page.get_by_role("radio", name="GRU").focus()
        page.keyboard.press("Space")
        settle(page)
        now = same_as_python(page, demo)
        assert now["xs"][3][0] == -0.77 and now["opts"]["model"] == "gru"
        trace = demo.trace()
        z, n, h = trace["gru_z"][3, 1], trace["gru_n"][3, 1], trace["gru_h"][:, 1]
        words = f"{z:.3f} × {h[2]:.3f} + {1 - z:.3f} × {n:.3f} = {h[3]:.3f}"
        assert words in page.locator(".sbs-sums").text_content().replace("−", "-")
        page.keyboard.press("Control+z")
        settle(page)
        assert state_of(page, "three")["opts"]["model"] == "lstm"

    def test_goal_counts_only_a_change_of_the_first_step(self, open_demos):
        goal = demos.Goal("Only the first.", (("only_first", "==", True), ("echo_ratio", ">", 1)))
        for t, done in ((0, "Goals 1/1"), (1, "Goals 0/1")):
            page = open_demos(three(t=t, goals=[goal])).page
            page.get_by_role("slider", name=f"bit, t = {t}").press("Home")
            settle(page)
            assert page.get_by_role("button", name="Goals").text_content() == done

    def test_default_goals_are_recognised(self, open_demos):
        page = open_demos(three(t=0)).page
        assert page.get_by_role("button", name="Goals").text_content() == "Goals 0/2"
        for key in ("End", "Home"):
            page.get_by_role("slider", name="bit, t = 0").press(key)
            settle(page)
        field = page.get_by_role("spinbutton", name="bit, t = 0")
        assert field.input_value() == "-1"
        link = "#demo=three&xs.0.0=9&xs.0.1=9"  # an input this large shuts or opens some gate
        again = open_demos(three(t=0), hash=link).page
        settle(again)
        assert again.get_by_role("button", name="Goals").text_content() != "Goals 0/2"
