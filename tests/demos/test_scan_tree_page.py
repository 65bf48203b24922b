"""Scan tree in Chromium: a dragged input changes its columns, round by round; memory beside it."""

import numpy as np
import pytest

from tests.demos.scan_demos import ROLLS, X, other, scan_tree
from tests.demos.whole_list import (
    WholeList,
    drag_lane,
    fits_a_phone,
    press,
    result_of,
    settle,
    state_of,
)

CLOSE = {"rtol": 0, "atol": 1e-9}


def same_as_python(page, demo):
    demo.state = state_of(page, demo.name)
    trace = demo.trace()
    np.testing.assert_allclose(result_of(page, demo.name, "said"), trace["scan"].T, **CLOSE)
    np.testing.assert_allclose(result_of(page, demo.name, "loop"), trace["loop"], **CLOSE)
    return demo.state


def nodes(page, kind):
    """(round, column) of the nodes of a kind, by class."""
    return page.evaluate(
        """kind => { const T = sbs.get('rounds').state.opts.length;
            return [...document.querySelectorAll('.sbs-node')].flatMap((e, i) =>
            e.classList.contains(kind) ? [[Math.floor(i / T), i % T]] : []); }""",
        kind,
    )


def node(page, r, j):
    T = state_of(page, "rounds")["opts"]["length"]
    return page.locator(".sbs-node").nth(r * T + j)


def words(page):
    return [
        text.replace("−", "-")
        for text in page.locator(".sbs-sums td:last-child").all_text_contents()
    ]


class TestWholeList(WholeList):
    link = "t=2&xs.3=1.5&opts.kind=linear&opts.cell=6&opts.decay=0.5&opts.heads=2"
    bad_links = (
        "t=4", "opts.kind=gru", "opts.length=1", "opts.length=17", "opts.cell=8", "opts.heads=5",
        "xs.3=2.1", "xs.16=0", "xs=[]", "obs.0=6", "opts.decay=-0.1", "opts.tokens=0",
    )  # fmt: skip

    def demo(self, **options):
        return scan_tree(**options)

    def linked(self, state):
        assert (state["t"], state["xs"][3], state["xs"][4]) == (2, 1.5, X[4])
        opts = state["opts"]
        assert (opts["kind"], opts["cell"], opts["decay"]) == ("linear", 6, 0.5)
        assert (opts["heads"], opts["gate"]) == (2, 0)

    def edit(self, page):
        lane = page.get_by_role("slider", name="input x")
        lane.press("PageDown")
        lane.press("ArrowDown")
        settle(page)


class TestTree:
    def test_a_dragged_input_changes_its_column_then_two_then_four(self, open_demos):
        demo = scan_tree(t=3, kind="attention")
        visit = open_demos(demo)
        page = visit.page
        drag_lane(page, "input x", 2, 8, 0.9)
        state = same_as_python(page, demo)
        assert state["opts"]["cell"] == 2 and 1.4 < state["xs"][2] < 1.8
        assert state["xs"][:2] == X[:2] and state["xs"][3:8] == X[3:8]
        held = [[r, j] for r in range(4) for j in range(2, min(8, 2 + 2**r))]
        assert nodes(page, "sbs-changed") == held
        assert visit.complaints == []

    def test_the_chosen_nodes_tree_is_the_elements_it_holds(self, open_demos):
        page = open_demos(scan_tree(t=2, cell=5)).page
        assert nodes(page, "sbs-chosen") == [[2, 5]]
        want = [[0, 2], [0, 3], [0, 4], [0, 5], [1, 3], [1, 5], [2, 5]]
        assert nodes(page, "sbs-part") == want
        assert page.locator(".sbs-made").count() == 6
        node(page, 1, 4).click()
        settle(page)
        state = state_of(page, "rounds")
        assert (state["t"], state["opts"]["cell"]) == (1, 4)
        assert nodes(page, "sbs-part") == [[0, 3], [0, 4], [1, 4]]

    @pytest.mark.parametrize("width, off", [(900, 0.0051), (375, 0.051)])
    def test_nodes_show_the_numbers_of_this_and_earlier_rounds_only(self, open_demos, width, off):
        demo = scan_tree(t=1)
        page = open_demos(demo, width=width).page
        said = demo.trace()["scan"].T
        texts = page.locator(".sbs-node text").all_text_contents()
        for i, text in enumerate(texts):
            r, j = divmod(i, 8)
            if r > 1:
                assert text == ""
            else:
                assert abs(float(text.replace("−", "-")) - said[r, j]) < off

    def test_length_changes_rounds_and_keeps_what_fits(self, open_demos):
        demo = scan_tree(t=3, cell=7)
        page = open_demos(demo).page
        page.get_by_role("slider", name="elements").fill("3")
        settle(page)
        state = same_as_python(page, demo)
        assert (state["t"], state["opts"]["cell"]) == (2, 2)
        assert page.locator(".sbs-node").count() == 9
        page.get_by_role("slider", name="elements").fill("16")
        settle(page)
        same_as_python(page, demo)
        assert page.locator(".sbs-node").count() == 5 * 16
        cost = page.locator(".sbs-cost").text_content()
        assert "15 combinations" in cost and "49 in 4 rounds" in cost

    def test_whole_path_by_keyboard(self, open_demos):
        demo = scan_tree()
        page = open_demos(demo).page
        page.get_by_role("radio", name="minGRU").focus()
        page.keyboard.press("ArrowRight")  # the linear RNN
        page.keyboard.press("Tab")
        page.keyboard.press("ArrowRight")  # nine elements
        decay = page.get_by_role("spinbutton", name="decay a, number")
        decay.fill("0.25")
        decay.press("Enter")
        lane = page.get_by_role("slider", name="input x")
        lane.press("ArrowLeft")
        lane.press("Home")
        field = page.get_by_role("spinbutton", name="input x, element 6")
        field.fill("1.25")
        field.press("Enter")
        settle(page)
        state = same_as_python(page, demo)
        assert (state["opts"]["kind"], state["opts"]["length"]) == ("linear", 9)
        assert (state["opts"]["decay"], state["xs"][6], state["opts"]["cell"]) == (0.25, 1.25, 6)
        field.press("Control+z")  # a field's own undo
        page.get_by_role("radio", name="linear RNN").press("Control+z")
        settle(page)
        assert state_of(page, "rounds")["xs"][6] == X[6]  # the key before was the same gesture

    def test_symbols_of_the_hmm_by_click_and_key(self, open_demos):
        demo = scan_tree(kind="hmm", t=3)
        page = open_demos(demo).page
        assert not page.get_by_role("slider", name="input x").is_visible()
        assert not page.locator(".sbs-exact").is_visible()
        tiles = page.locator(".sbs-tile")
        assert tiles.all_text_contents() == [str(y + 1) for y in (*ROLLS, ROLLS[0])]
        tiles.nth(2).click()
        tiles.nth(2).click()
        tiles.nth(2).press("ArrowRight")
        page.keyboard.press("5")
        page.keyboard.press("ArrowUp")
        settle(page)
        state = same_as_python(page, demo)
        assert state["obs"][:5] == [2, 5, 0, 5, 5] and state["opts"]["cell"] == 3
        assert min(j for _, j in nodes(page, "sbs-changed")) == 3

    def test_a_goal_is_reached_by_the_last_input(self, open_demos):
        page = open_demos(scan_tree()).page
        press(page, "Goals 0/3")
        page.get_by_role("slider", name="input x").press("End")
        settle(page)
        assert page.locator(".sbs-done").count() == 1
        page.get_by_role("slider", name="tokens").fill("4")
        page.get_by_role("slider", name="elements").fill("14")
        settle(page)
        assert page.locator(".sbs-done").count() == 3


class TestWords:
    @pytest.mark.parametrize("kind", ["min_gru", "linear", "hmm", "attention"])
    def test_arithmetic_of_a_combination_is_true(self, open_demos, kind):
        demo = other(name="rounds", kind=kind, t=2, cell=6)
        page = open_demos(demo).page
        lines, said = words(page), demo.trace()["scan"][6, 2]
        assert lines[-1].endswith(f"= {said:.3f}")
        for line in lines[1:]:
            left, _, right = line.rpartition(" = ")
            if not left:
                continue  # the sums of two tables, shown without their terms
            value = eval(left.replace("×", "*").replace("÷", "/"))  # numbers and signs only
            assert value == pytest.approx(float(right), abs=0.01)

    def test_prediction_hides_what_would_tell(self, open_demos):
        demo = scan_tree(t=2, cell=5, predict=True)
        page = open_demos(demo).page
        truth = demo.trace()["scan"][5, 2]
        assert node(page, 2, 5).text_content() == "?" and node(page, 1, 5).text_content() != "?"
        assert "?" in page.locator(".sbs-gutter").text_content()
        press(page, "Reveal")
        assert f"it is {truth:.2f}" in page.locator(".sbs-score").text_content()
        assert node(page, 2, 5).text_content() == f"{truth:.2f}"

    def test_memory_follows_its_sizes(self, open_demos):
        demo = scan_tree()
        page = open_demos(demo).page
        kept = page.locator(".sbs-kept b")
        assert kept.all_text_contents() == ["2.0 MB", "1.0 kB", "17.4 kB", "16.4 kB"]
        heads = page.get_by_role("spinbutton", name="heads, number")
        heads.fill("1")
        heads.press("Enter")
        page.get_by_role("slider", name="tokens").fill("32")
        settle(page)
        same_as_python(page, demo)
        assert kept.all_text_contents() == ["65.5 kB", "1.0 kB", "66.6 kB", "16.4 kB"]
        heads.fill("7")  # no divisor of 64: the next smaller one
        heads.press("Enter")
        settle(page)
        assert same_as_python(page, demo)["opts"]["heads"] == 4

    @pytest.mark.parametrize("width", [900, 375])
    def test_nothing_moves_down_while_stepping(self, open_demos, width):
        page = open_demos(scan_tree(cell=6), width=width).page
        for name in ("minGRU", "HMM forward", "linear attention"):
            page.get_by_role("radio", name=name).check()
            tops = set()
            for t in range(4):
                page.locator(".sbs-stepper .sbs-scrub").fill(str(t))
                settle(page)
                tops.add(page.locator(".sbs-tabs").evaluate("e => e.offsetTop"))
            assert len(tops) == 1, (name, tops)

    def test_the_longest_fits_a_phone(self, open_demos):
        fits_a_phone(open_demos(other(name="rounds", kind="hmm", length=16), width=375).page)
