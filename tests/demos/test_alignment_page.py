"""Alignment demo in Chromium: typed and moved words, and the map that grows row by row."""

import numpy as np

from tests.demos.alignment_demos import SENTENCE, grow
from tests.demos.whole_list import WholeList, press, settle, state_of

CLOSE = {"rtol": 0, "atol": 1e-9}  # demos.md asks for 1e-6


def same_as_python(page, demo):
    demo.state = state_of(page, demo.name)
    trace = demo.trace()
    weights = page.evaluate(f"sbs.get({demo.name!r}).result.weights")
    np.testing.assert_allclose(weights, trace["weights"], **CLOSE)
    return trace


def shown(page):
    """Names in the gutter, and the numbers of the map row by row."""
    names = page.locator(".sbs-gutter b").all_text_contents()
    texts = page.locator(".sbs-scroll svg > g:nth-of-type(2) text").all_text_contents()
    return names, np.array(texts).reshape(len(names), -1)


class TestWholeList(WholeList):
    link = "t=3&tokens=[1,2,3,4]&opts.cell=2&opts.use=uniform"
    bad_links = (
        "opts.cell=6", "opts.cell=-1", "opts.use=none", "tokens=[]", "tokens=[5]", "tokens.9=1",
        "tokens.0=null", "t=7", "tokens=[0,1]&t=3", "fixed.network=1",
    )  # fmt: skip

    def demo(self, **options):
        return grow(**{"use": "hardest", **options})  # weights of 0 are drawn as paper

    def linked(self, state):
        assert (state["t"], state["tokens"]) == (3, [1, 2, 3, 4])
        assert (state["opts"]["cell"], state["opts"]["use"]) == (2, "uniform")

    def edit(self, page):
        tile = page.locator(".sbs-tile").nth(1)
        tile.press("ArrowUp")
        tile.press("ArrowUp")
        settle(page)


class TestSentence:
    def test_typed_words_are_read_and_others_named(self, open_demos):
        demo = grow(t=5)
        visit = open_demos(demo)
        page = visit.page
        field = page.get_by_role("textbox", name="sentence")
        assert field.input_value() == " ".join(SENTENCE)
        field.fill("Cat saw, zebras the")
        settle(page)
        trace = same_as_python(page, demo)
        assert demo.state["tokens"] == [1, 2, 0] and demo.t == 3 and trace["weights"].shape[1] == 3
        assert "Left out: zebras" in page.locator(".sbs-note").first.text_content()
        field.fill("")
        settle(page)
        assert state_of(page, "grow")["tokens"] == [1, 2, 0]
        field.blur()
        assert field.input_value() == "cat saw the"
        field.fill("the " * 25)
        settle(page)
        assert state_of(page, "grow")["tokens"] == [0] * 20
        more = page.get_by_role("button", name="+ cat")
        assert more.get_attribute("aria-disabled") == "true"
        assert visit.complaints == []

    def test_tiles_by_keyboard(self, open_demos):
        demo = grow()
        page = open_demos(demo).page
        page.locator(".sbs-tile").first.focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowUp")
        settle(page)
        same_as_python(page, demo)
        assert demo.state["tokens"] == [0, 2, 2, 3, 0, 1] and demo.state["opts"]["cell"] == 1
        page.keyboard.press("Shift+ArrowRight")
        page.keyboard.press("Shift+ArrowRight")
        settle(page)
        same_as_python(page, demo)
        assert demo.state["tokens"] == [0, 2, 3, 2, 0, 1] and demo.state["opts"]["cell"] == 3
        page.keyboard.press("Delete")
        settle(page)
        assert state_of(page, "grow")["tokens"] == [0, 2, 3, 0, 1]
        page.locator(".sbs-tile").last.press("Backspace")
        settle(page)
        assert state_of(page, "grow")["tokens"] == [0, 2, 3, 0]
        focused = page.evaluate("document.activeElement.getAttribute('aria-label')")
        assert focused.startswith("word 4")

    def test_a_tile_is_dragged_and_buttons_insert_move_and_delete(self, open_demos):
        demo = grow()
        page = open_demos(demo).page
        boxes = [page.locator(".sbs-tile").nth(i).bounding_box() for i in (0, 2)]
        for number, box in enumerate(boxes):
            page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 30, steps=4)
            (page.mouse.up if number else page.mouse.down)()
        settle(page)
        same_as_python(page, demo)
        assert demo.state["tokens"] == [1, 2, 0, 3, 0, 1]
        press(page, "+ twice")
        assert state_of(page, "grow")["tokens"] == [1, 2, 0, 4, 3, 0, 1]
        press(page, "later →")
        assert state_of(page, "grow")["tokens"] == [1, 2, 0, 3, 4, 0, 1]
        press(page, "delete word 5")
        assert state_of(page, "grow")["tokens"] == [1, 2, 0, 3, 0, 1]
        same_as_python(page, demo)


class TestMap:
    def test_it_grows_a_row_a_step(self, open_demos):
        demo = grow(t=0)
        page = open_demos(demo).page
        trace = demo.trace()
        for t in range(3):
            names, numbers = shown(page)
            known = [f"{w:.2f}" for w in trace["weights"][t]]
            assert numbers[t].tolist() == known and names[t].endswith(trace.steps[t])
            assert names[t].startswith("✗") is bool(trace["written"][t] != trace["right"][t])
            assert names[t + 1 :] == [""] * (6 - t) and not "".join(numbers[t + 1 :].ravel())
            press(page, "one step on")

    def test_a_click_chooses_step_and_word(self, open_demos):
        demo = grow(t=4)
        page = open_demos(demo).page
        page.locator(".sbs-scroll svg > g:nth-of-type(2) > g").nth(2 * 6 + 5).click()
        settle(page)
        state = state_of(page, "grow")
        assert (state["t"], state["opts"]["cell"]) == (2, 5)
        weight = demo.trace()["weights"][2, 5]
        assert page.get_by_role("row", name="normalise").text_content().endswith(f"{weight:.3f}")

    def test_controls_take_the_place_of_the_weights(self, open_demos):
        demo = grow(t=6)
        page = open_demos(demo).page
        for use in ("uniform", "hardest"):
            page.get_by_role("radio", name=use).check()
            settle(page)
            same_as_python(page, demo)
            assert demo.state["opts"]["use"] == use
        marks = page.locator(".sbs-scroll .sbs-mark").evaluate_all(
            "all => all.map(m => m.getAttribute('opacity'))"
        )
        assert "1" in marks

    def test_prediction_hides_the_row(self, open_demos):
        demo = grow(t=1, cell=2, predict=True)
        page = open_demos(demo).page
        names, numbers = shown(page)
        assert names[1] == "?" and numbers[1].tolist() == ["?"] * 6
        press(page, "Reveal")
        truth = demo.trace()["weights"][1, 2]
        assert f"it is {truth:.2f}" in page.locator(".sbs-score").text_content()
        assert "?" not in shown(page)[0]
