"""Belief simplex in Chromium: symbols added, changed and deleted move two beliefs in a triangle."""

import re

import numpy as np
import pytest

from course_lib import demos
from tests.demos.belief_demos import MODEL, OBS, belief, casino, deterministic, network
from tests.demos.whole_list import WholeList, marked, press, result_of, settle, state_of

CLOSE = {"rtol": 0, "atol": 1e-9}  # demos.md asks for 1e-6
PIXELS = 0.06  # places are written with one digit


def same_as_python(page, demo):
    demo.state = state_of(page, demo.name)
    trace = demo.trace()
    np.testing.assert_allclose(result_of(page, demo.name, "belief"), trace["belief"], **CLOSE)
    for k in range(len(demo.state["fixed"]["networks"])):
        mine = result_of(page, demo.name, f"nets[{k}].decoded")
        np.testing.assert_allclose(mine, trace[f"decoded_{k}"], **CLOSE)
        mine = result_of(page, demo.name, f"nets[{k}].next")
        np.testing.assert_allclose(mine, trace[f"next_{k}"], **CLOSE)
    return demo.state


def add(page, symbol):
    page.get_by_role("button", name=f"add {symbol} at the end").click()
    settle(page)


def points(page):
    """Corners (3, 2) of the triangle, and the places of the exact and the decoded belief."""
    frame = page.locator(".sbs-frame").get_attribute("d")
    corners = np.array(re.findall(r"[\d.]+", frame), dtype=float).reshape(-1, 2)
    circles = page.eval_on_selector_all(
        ".sbs-simplex svg > circle",
        "all => all.map(c => ['cx', 'cy', 'opacity'].map(key => +c.getAttribute(key)))",
    )
    return corners, np.array(circles)  # start, exact, decoded


class TestWholeList(WholeList):
    link = "t=3&obs=[3,3,0,1,2]&opts.network=0&opts.cell=2"
    bad_links = (
        "opts.network=3", "opts.network=-1", "opts.network=0.5", "opts.cell=3", "obs=[]",
        "obs.2=4", "obs.2=null", "obs=[9]", "obs.99=1", "fixed.networks=[]", "obs=ABC",
    )  # fmt: skip

    def demo(self, **options):
        return belief(**{"t": 4, **options})

    def linked(self, state):
        assert (state["t"], state["obs"]) == (3, [3, 3, 0, 1, 2])
        assert state["opts"] == {"network": 0, "cell": 2, "predict": False}

    def edit(self, page):
        tile = page.locator(".sbs-tile").nth(3)
        tile.press("ArrowUp")
        tile.press("ArrowUp")
        settle(page)


class TestSequence:
    def test_a_changed_symbol_moves_later_beliefs_only_and_equals_python(self, open_demos):
        demo = belief(t=4)
        visit = open_demos(demo)
        page = visit.page
        before = [result_of(page, "belief", path) for path in ("belief", "nets[2].decoded")]
        tile = page.locator(".sbs-tile").nth(5)
        tile.click()  # selects
        tile.click()  # the next symbol
        settle(page)
        state = same_as_python(page, demo)
        assert state["obs"][5] == OBS[5] + 1 and state["t"] == 5
        for old, path in zip(before, ("belief", "nets[2].decoded"), strict=True):
            new = result_of(page, "belief", path)
            assert np.array_equal(old[:5], new[:5]) and not np.any(old[5:] == new[5:])
        for lane in range(3):
            assert min(marked(page, lane)) == 5
        assert visit.complaints == []

    def test_symbols_are_added_and_deleted(self, open_demos):
        demo = belief(t=2)
        page = open_demos(demo).page
        add(page, "C")
        assert (state_of(page, "belief")["obs"], state_of(page, "belief")["t"]) == ([*OBS, 2], 9)
        press(page, "delete t = 9")
        state = state_of(page, "belief")
        assert (state["obs"], state["t"]) == (OBS, 8)
        page.locator(".sbs-tile").nth(1).press("Delete")
        settle(page)
        state = same_as_python(page, demo)
        assert (state["obs"], state["t"]) == ([OBS[0], *OBS[2:]], 1)
        page.keyboard.press("Backspace")  # the focus stays with the sequence
        settle(page)
        assert state_of(page, "belief")["obs"] == [OBS[0], *OBS[3:]]
        page.locator(".sbs-tile").last.press("Delete")  # and goes to the one before
        settle(page)
        focused = page.evaluate("document.activeElement.getAttribute('aria-label')")
        assert focused.startswith("t = 5, read")

    def test_one_symbol_stays_and_forty_are_the_most(self, open_demos):
        page = open_demos(belief(obs=[1])).page
        drop = page.get_by_role("button", name="delete t = 0")
        assert drop.get_attribute("aria-disabled") == "true"
        drop.dispatch_event("click")
        settle(page)
        assert state_of(page, "belief")["obs"] == [1]
        page.get_by_role("textbox", name="or type").fill("D" * 41)
        settle(page)
        assert state_of(page, "belief")["obs"] == [3] * 40
        more = page.get_by_role("button", name="add A")
        assert more.get_attribute("aria-disabled") == "true"
        more.dispatch_event("click")
        settle(page)
        assert state_of(page, "belief")["obs"] == [3] * 40

    def test_the_sequence_can_be_typed(self, open_demos):
        demo = belief()
        page = open_demos(demo).page
        field = page.get_by_role("textbox", name="or type (A, B, C, D)")
        assert field.input_value() == "".join("ABCD"[y] for y in OBS)
        field.fill("abx da")  # what is no symbol is left out
        settle(page)
        state = same_as_python(page, demo)
        assert (state["obs"], state["t"]) == ([0, 1, 3, 0], 3)
        field.press("Home")
        field.press("c")
        settle(page)
        state = same_as_python(page, demo)
        assert (state["obs"], state["t"]) == ([2, 0, 1, 3, 0], 0)
        field.fill("")  # some sequence there must be
        settle(page)
        assert state_of(page, "belief")["obs"] == [2, 0, 1, 3, 0]
        field.blur()
        assert field.input_value() == "CABDA"

    def test_keys_are_written_as_the_symbols_are(self, open_demos):
        page = open_demos(belief(symbols=["a", "bee", "cat", "dog"])).page
        field = page.get_by_role("textbox", name="or type (a, b, c, d)")
        assert field.input_value() == "".join("abcd"[y] for y in OBS)
        field.fill("Dab")
        settle(page)
        assert state_of(page, "belief")["obs"] == [3, 0, 1]
        page.locator(".sbs-tile").nth(1).press("C")
        settle(page)
        assert state_of(page, "belief")["obs"] == [3, 2, 1]

    def test_symbols_without_letters_are_typed_as_numbers(self, open_demos):
        demo = casino()
        page = open_demos(demo).page
        field = page.get_by_role("textbox", name="or type (1, 2, 3, 4, 5, 6)")
        field.fill("6617")
        settle(page)
        assert same_as_python(page, demo)["obs"] == [5, 5, 0]

    def test_whole_path_by_keyboard(self, open_demos):
        demo = belief(t=0)
        page = open_demos(demo).page
        page.get_by_role("radio", name="trained", exact=True).focus()
        page.keyboard.press("ArrowLeft")
        page.keyboard.press("Tab")  # to the first tile
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")
        settle(page)
        state = same_as_python(page, demo)
        assert (state["opts"]["network"], state["t"], state["obs"][2]) == (1, 2, OBS[2] - 1)
        page.keyboard.press("d")
        settle(page)
        assert same_as_python(page, demo)["obs"][2] == 3
        page.get_by_role("radio", name="rain", exact=True).focus()
        page.keyboard.press("Space")
        settle(page)
        assert state_of(page, "belief")["opts"]["cell"] == 2
        page.keyboard.press("Control+z")
        settle(page)
        assert state_of(page, "belief")["opts"]["cell"] == 0


class TestTriangle:
    @pytest.mark.parametrize("width", [900, 375])
    def test_points_stand_where_the_beliefs_are(self, open_demos, width):
        demo = belief(t=6)
        page = open_demos(demo, width=width).page
        corners, (start, exact, decoded) = points(page)
        sides = np.linalg.norm(corners - np.roll(corners, 1, axis=0), axis=1)
        np.testing.assert_allclose(sides, sides[0], rtol=0.005, atol=0)  # equilateral
        trace = demo.trace()
        np.testing.assert_allclose(start[:2], MODEL["pi"] @ corners, rtol=0, atol=PIXELS)
        np.testing.assert_allclose(exact[:2], trace["belief"][6] @ corners, rtol=0, atol=PIXELS)
        # Weights rounded to four decimals need not keep a sum of 1.
        want = trace["decoded_2"][6] @ corners
        np.testing.assert_allclose(decoded[:2], want, rtol=0, atol=PIXELS)
        drawn = np.linalg.norm(exact[:2] - decoded[:2]) / sides[0]
        assert abs(drawn - trace["gap"][6, 2]) < 0.01

    def test_the_trail_goes_through_the_last_beliefs(self, open_demos):
        demo = belief(t=8)
        page = open_demos(demo).page
        corners, _ = points(page)
        paths = page.eval_on_selector_all(
            ".sbs-trail", "all => all.map(g => [...g.children].map(p => p.getAttribute('d')))"
        )
        for series, drawn in zip(("belief", "decoded_2"), paths, strict=True):
            assert len(drawn) == 6
            ends = [d[1:].split("L") for d in drawn]
            assert [b for _, b in ends[:-1]] == [a for a, _ in ends[1:]]
            line = np.array([[float(v) for v in end.split()] for _, end in ends])
            want = demo.trace()[series][3:] @ corners
            np.testing.assert_allclose(line, want.clip(6, None), rtol=0, atol=PIXELS)

    def test_another_network_moves_the_decoded_belief_only(self, open_demos):
        demo = belief(t=5)
        page = open_demos(demo).page
        _, before = points(page)
        page.get_by_role("radio", name="after 50 updates").check()
        settle(page)
        corners, after = points(page)
        assert np.array_equal(before[:2], after[:2]) and not np.any(before[2, :2] == after[2, :2])
        want = demo.trace()["decoded_1"][5] @ corners
        np.testing.assert_allclose(after[2, :2], want, rtol=0, atol=PIXELS)
        assert "after 50 updates" in page.locator(".sbs-say").text_content()

    def test_a_decoded_belief_far_outside_stays_in_the_picture(self, open_demos):
        net = network("wild", blur=20.0)
        demo = belief(networks=[net], t=3)
        assert demo.trace()["gap"].max() > 3
        page = open_demos(demo).page
        box = page.locator(".sbs-simplex svg").bounding_box()
        for t in range(9):
            page.locator(".sbs-stepper .sbs-scrub").fill(str(t))
            settle(page)
            x, y, _ = points(page)[1][2]
            assert 6 <= x <= box["width"] - 6 and 6 <= y <= box["height"] - 6

    def test_beliefs_in_two_states_lie_on_two_rulers(self, open_demos):
        demo = casino(t=4)
        page = open_demos(demo).page
        same_as_python(page, demo)
        _, (_, exact, decoded) = points(page)
        left, right = 28, page.locator(".sbs-simplex svg").bounding_box()["width"] - 28
        trace = demo.trace()
        for (x, _, _), key in ((exact, "belief"), (decoded, "decoded_1")):
            b = trace[key][4]
            assert abs(x - (b[0] * left + b[1] * right)) < PIXELS
        assert decoded[1] > exact[1]

    def test_a_wider_page_draws_a_wider_triangle(self, open_demos):
        page = open_demos(belief(t=6), width=375).page
        narrow, _ = points(page)
        page.set_viewport_size({"width": 900, "height": 900})
        page.wait_for_function("document.querySelector('.sbs-simplex svg').clientWidth === 360")
        corners, (_, exact, _) = points(page)
        assert corners[1, 0] > narrow[1, 0]
        want = belief().trace()["belief"][6] @ corners
        np.testing.assert_allclose(exact[:2], want, rtol=0, atol=PIXELS)


class TestWords:
    def test_numbers_beside_the_triangle_are_the_traces(self, open_demos):
        demo = belief(t=6, network=1)
        page = open_demos(demo).page
        trace = demo.trace()
        shown = page.locator(".sbs-pair .sbs-num").all_text_contents()
        rows = [(trace["belief"], trace["decoded_1"]), (trace["next"], trace["next_1"])]
        want = [
            " · ".join(f"{v if abs(v) >= 0.005 else 0:.2f}" for v in pair)
            for exact, mine in rows
            for pair in zip(exact[6], mine[6], strict=True)
        ]
        assert [text.replace("−", "-") for text in shown] == want
        p, q = trace["next"][6], trace["next_1"][6]
        apart = page.locator(".sbs-apart").text_content()
        cost = (p * np.log(p / q)).sum()
        assert apart == f"distance {trace['gap'][6, 1]:.3f}cost {cost:.4f} nats"
        lanes = page.locator(".sbs-gutter small").all_text_contents()
        assert lanes == [f"{gap:.3f}" for gap in trace["gap"][6]]

    @pytest.mark.parametrize("k, name", [(0, "sun"), (1, "fog"), (2, "rain")])
    def test_arithmetic_ends_in_what_python_says(self, open_demos, k, name):
        demo = belief(t=6, cell=k)
        page = open_demos(demo).page
        trace = demo.trace()
        words = page.locator(".sbs-sums td:last-child").all_text_contents()
        before, now = trace["belief"][5:7]
        prior = before @ MODEL["A"][:, k]
        joint = (before @ MODEL["A"]) * MODEL["B"][:, OBS[6]]
        assert words[0].endswith(f"= {prior:.3f}") and f"{before[0]:.3f} × " in words[0]
        weight = MODEL["B"][k, OBS[6]]
        assert words[1] == f"{prior:.3f} × {weight:.3f} = {joint[k]:.3f}"
        assert words[2] == f"{joint[k]:.3f} ÷ {joint.sum():.3f} = {now[k]:.3f}"
        assert words[3].replace("−", "-").endswith(f"= {trace['decoded_2'][6, k]:.3f}")
        left, right = words[3].replace("−", "-").replace("- ", "-").split(" = ")
        total = sum(  # of products and numbers, each shown with three digits
            float(np.prod([float(v) for v in term.split(" × ")]))
            for term in re.split(r" \+ | (?=-\d)(?<!× )", left)
        )
        assert abs(total - float(right)) < 0.02
        assert name in page.locator(".sbs-sums .sbs-formula").first.text_content()

    def test_the_first_step_starts_from_pi(self, open_demos):
        page = open_demos(belief(t=0)).page
        assert page.locator(".sbs-sums td:last-child").first.text_content() == "0.500"

    def test_prediction_hides_what_would_tell(self, open_demos):
        demo = belief(t=4, predict=True)
        page = open_demos(demo).page
        corners, (_, exact, _) = points(page)
        want = demo.trace()["belief"][3] @ corners  # the step before
        np.testing.assert_allclose(exact[:2], want, rtol=0, atol=PIXELS)
        assert set(page.locator(".sbs-pair .sbs-num").all_text_contents()) == {"?"}
        bars = "all => all.map(e => e.getBoundingClientRect().width)"
        assert set(page.eval_on_selector_all(".sbs-pair i", bars)) == {0}
        press(page, "Reveal")
        assert (
            "it is " + f"{demo.trace()['belief'][4, 0]:.2f}"
            in page.locator(".sbs-score").text_content()
        )

    def test_what_cannot_happen_is_explained_without_nan(self, open_demos):
        visit = open_demos(deterministic(obs=[0, 1, 0], t=2))
        page = visit.page
        said = page.locator(".sbs-say").text_content()
        assert said.startswith("Impossible: no state that can be reached at t = 1 ever shows")
        assert page.locator(".sbs-apart").text_content() == "distance nonecost none"
        _, (_, exact, decoded) = points(page)
        assert exact[2] == 0 and decoded[2] == 1  # the network answers all the same
        press(page, "Table")
        words = page.locator(".sbs").inner_html()
        assert "NaN" not in words and "undefined" not in words
        assert visit.complaints == []

    def test_goals_are_recognised_once_reached(self, open_demos):
        goals = [
            demos.Goal("Be sure of rain.", (("belief.2", ">", 0.9),)),
            demos.Goal("Differ.", (("gap.0", ">", 0.1), ("excess.-1", ">", 0))),
        ]
        page = open_demos(belief(obs=[0], goals=goals)).page
        press(page, "Goals")
        for _ in range(4):
            add(page, "D")
        assert page.locator(".sbs-done").count() == 2

    def test_the_default_goals_are_reached_by_typing(self, open_demos):
        page = open_demos(belief(obs=[1])).page
        field = page.get_by_role("textbox", name="or type")
        press(page, "Goals 0/2")
        for done, text in enumerate(("CAADC", "DD"), 1):  # the best of all short sequences
            field.fill(text)
            settle(page)
            assert page.locator(".sbs-done").count() == done

    def test_nothing_moves_down_while_stepping(self, open_demos):
        page = open_demos(belief(t=0)).page
        tops = set()
        for _ in range(8):
            press(page, "one step on")
            tops.add(page.locator(".sbs-tabs").evaluate("e => e.offsetTop"))
        assert len(tops) == 1
