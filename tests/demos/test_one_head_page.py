"""One-head demo in Chromium: a sentence through eight stages, words moved, numbers dragged."""

import numpy as np

from course_lib import demos
from tests.demos.head_demos import TEXT, one_head
from tests.demos.whole_list import WholeList, press, result_of, settle, state_of

CLOSE = {"rtol": 0, "atol": 1e-9}


def same_as_python(page, demo):
    demo.state = state_of(page, demo.name)
    trace = demo.trace()
    for name in ("x", "q", "k", "v", "scores", "scaled", "weights", "output"):
        np.testing.assert_allclose(result_of(page, demo.name, name), trace[name], **CLOSE)
    return demo.state


def field(page):
    return page.get_by_role("textbox", name="sentence")


def cells(page):
    """Texts of the heat map, a list of rows."""
    return page.evaluate(
        "[...document.querySelectorAll('.sbs-heat > div:last-child > .sbs-cols')].map(line => "
        "[...line.querySelectorAll('.sbs-cell')].map(cell => cell.textContent))"
    )


def cell(page, row, col):
    line = page.locator(".sbs-heat > div:last-child > .sbs-cols").nth(row)
    return line.locator(".sbs-cell").nth(col)


def moved_rows(page):
    """Rows of the heat map in which a cell carries the mark of the last change."""
    return page.evaluate(
        "[...document.querySelectorAll('.sbs-heat > div:last-child > .sbs-cols')].flatMap("
        "(line, t) => line.querySelector('.sbs-moved') ? [t] : [])"
    )


def switch(page, name):
    page.get_by_role("radio", name=name, exact=True).check()
    settle(page)


def news(page):
    return page.locator(".sbs-news").text_content()


class TestWholeList(WholeList):
    link = "t=6&text=%22the%20cat%20saw%20a%20dog%22&opts.causal=false&opts.positions=rotary"
    bad_links = (
        "t=8", "text=", "text=42", "text=%221%202%22", "opts.row=6", "opts.key=-1", "opts.unit=12",
        "opts.positions=learned", "opts.causal=1", "params.embedding.1.0=5", "params.W_q=[[1]]",
        "params.W_q.0.0=11", "params.W_o=1", f"text={'cat%20' * 31}", "words=cat",
    )  # fmt: skip

    def demo(self, **options):
        return one_head(**{"t": 3, "row": 4, "key": 1, **options})

    def linked(self, state):
        assert (state["t"], state["text"]) == (6, "the cat saw a dog")
        assert (state["opts"]["causal"], state["opts"]["positions"]) == (False, "rotary")
        assert state["opts"]["row"] == 4

    def edit(self, page):
        field(page).press("End")
        field(page).press_sequentially(" & Zebras = 100 % #1?")
        page.get_by_role("slider", name="value").press("ArrowRight")
        settle(page)

    def test_predict_then_reveal(self, open_demos):
        page = open_demos(self.demo(row=2)).page
        press(page, "Predict first")
        press(page, "one step on")
        assert page.locator(".sbs-say").text_content() == ""
        assert [text for line in cells(page) for text in line if text] == ["?"]
        assert page.locator(".sbs-sums").last.text_content().endswith("?")
        assert news(page) == ""
        press(page, "Reveal")
        assert "You said" in page.locator(".sbs-score").text_content()
        assert len(page.locator(".sbs-say").text_content()) > 20
        assert all(text for line in cells(page) for text in line)

    def test_dark_theme_is_drawn_again_on_the_switch(self, open_demos):
        page = open_demos(self.demo(t=6), theme="light").page
        fills = (
            "[...new Set([...document.querySelectorAll('.sbs-cell')]"
            ".map(cell => getComputedStyle(cell).backgroundColor))]"
        )
        corner = (
            "[...document.querySelector('.sbs-thumbs button:nth-child(6) canvas')"
            ".getContext('2d').getImageData(51, 4, 1, 1).data]"  # masked: the colour of the page
        )
        before = page.evaluate(fills)
        assert "rgb(255, 255, 255)" in before
        assert page.evaluate(corner) == [255, 255, 255, 255]
        page.evaluate("document.documentElement.dataset.theme = 'dark'")
        settle(page)
        after = page.evaluate(fills)
        assert "rgb(21, 25, 31)" in after and "rgb(255, 255, 255)" not in after
        assert page.evaluate(corner) == [21, 25, 31, 255]


class TestStages:
    def test_each_shows_the_numbers_of_python(self, open_demos):
        demo = one_head(row=3, key=1)
        visit = open_demos(demo)
        page, trace = visit.page, demo.trace()
        mask = np.tri(6, dtype=bool)
        want = {
            1: trace["x"],
            2: np.hstack([trace[name] for name in "qkv"]),
            3: trace["scores"],
            4: trace["scaled"],
            5: np.where(mask, trace["scaled"], -np.inf),
            6: np.where(mask, trace["weights"], -np.inf),
            7: trace["output"],
        }
        said = set()
        for t, rows in want.items():
            press(page, "one step on")
            for line, row in zip(cells(page), rows, strict=True):
                for text, value in zip(line, row, strict=True):
                    if np.isinf(value):
                        assert text == ("0" if t == 6 else "−∞")
                    else:
                        assert abs(float(text.replace("−", "-")) - value) <= 0.005 + 1e-9
            current = page.locator(".sbs-thumb[aria-current]")
            assert current.count() == 1
            assert f": stage {t}, " in current.get_attribute("aria-label")
            said.add(page.locator(".sbs-say").text_content())
        assert len(said) == 7
        assert visit.complaints == []

    def test_a_picture_of_a_stage_goes_there_and_the_cell_is_chosen_by_keys(self, open_demos):
        demo = one_head()
        page = open_demos(demo).page
        page.get_by_role("button", name="stage 6, weights").click()
        settle(page)
        assert page.locator(".sbs-cell[tabindex='0']").count() == 1  # one stop, not 36
        cell(page, 0, 0).focus()
        for key in ("ArrowDown", "ArrowDown", "ArrowRight", "ArrowUp", "End", "ArrowRight"):
            page.keyboard.press(key)
            settle(page)
        state = state_of(page, "head")
        assert (state["t"], state["opts"]["row"], state["opts"]["key"]) == (6, 1, 5)
        assert page.evaluate("document.activeElement.getAttribute('aria-label')") == (
            "small looks at cat: 0"
        )
        assert "“small” gives “cat” 0.00" in page.locator(".sbs-say").text_content()

    def test_arithmetic_holds_the_numbers_of_the_cell(self, open_demos):
        demo = one_head(t=6, row=3, key=1)
        page = open_demos(demo).page
        w, scaled = demo.trace()["weights"], demo.trace()["scaled"]
        exponent, share = (
            text.replace("−", "-") for text in page.locator(".sbs-sum").all_text_contents()
        )
        best = scaled[3, :4].max()
        assert exponent.startswith(f"e^({scaled[3, 1]:.2f} - {best:.2f})")
        assert share.endswith(f"= {w[3, 1]:.3f}")
        shares = np.exp(scaled[3, :4] - best)
        assert share.startswith(f"{shares[1]:.3f} ÷ ({shares[0]:.3f} + ")
        assert share.count("+") == 3  # words that come later are not in the sum
        press(page, "one step on")
        mix = page.locator(".sbs-sum").text_content().replace("−", "-")
        assert mix.count("·") == 4
        assert mix.endswith(f"= {demo.trace()['output'][3, 0]:.3f}")


class TestChanges:
    def test_dragging_a_number_moves_later_words_only_under_the_mask(self, open_demos):
        demo = one_head(t=0, row=3)
        visit = open_demos(demo)
        page = visit.page
        before = result_of(page, "head", "output")
        spot = cell(page, 3, 1)
        box = spot.bounding_box()
        value = state_of(page, "head")["params"]["embedding"][5][1]
        page.mouse.move(box["x"] + 20, box["y"] + 15)
        page.mouse.down()
        page.mouse.move(box["x"] + 20, box["y"] - 25, steps=4)  # 40 pixels up: 1 more
        page.mouse.up()
        settle(page)
        state = same_as_python(page, demo)
        assert abs(state["params"]["embedding"][5][1] - (value + 1)) <= 0.0051
        assert (state["opts"]["row"], state["opts"]["feature"]) == (3, 1)
        after = result_of(page, "head", "output")
        assert np.array_equal(before[:3], after[:3]) and not np.any(before[3] == after[3])
        for t in range(8):
            page.get_by_role("button", name=f"stage {t},").click()
            settle(page)
            # Its key is in every score of its column, until the mask takes those of earlier words.
            assert moved_rows(page) == ([3] if t < 3 else [0, 1, 2, 3, 4, 5][3 * (t > 4) :]), t
        assert news(page) == (
            "Your last change moved the output of “chased”, “a” and “cat”; not that of “the”, "
            "“small” and “dog”."
        )
        marks = page.evaluate(
            """() => { const all = document.querySelector('.sbs-thumbs button:last-child canvas');
                const { data } = all.getContext('2d').getImageData(2, 0, 1, 48);
                return [0, 1, 2, 3, 4, 5].map(y => data[4 * (8 * y + 4) + 3]); }"""
        )
        assert marks == [0, 0, 0, 255, 255, 255]
        press(page, "back to the author's state")
        assert state_of(page, "head") == one_head(t=0, row=3).state
        assert visit.complaints == []

    def test_without_the_mask_every_word_moves(self, open_demos):
        demo = one_head(t=7, row=3, causal=False)
        page = open_demos(demo).page
        number = page.get_by_role("spinbutton", name="value, number")
        number.fill("2.5")
        number.press("Enter")
        settle(page)
        assert same_as_python(page, demo)["params"]["embedding"][5][0] == 2.5
        assert moved_rows(page) == [0, 1, 2, 3, 4, 5]
        number.fill("99")
        number.press("Enter")
        settle(page)
        assert same_as_python(page, demo)["params"]["embedding"][5][0] == 4

    def test_numbers_are_dragged_at_the_first_stage_only(self, open_demos):
        page = open_demos(one_head(t=1)).page
        before = state_of(page, "head")["params"]
        box = cell(page, 2, 2).bounding_box()
        page.mouse.move(box["x"] + 20, box["y"] + 15)
        page.mouse.down()
        page.mouse.move(box["x"] + 20, box["y"] - 60, steps=3)
        page.mouse.up()
        settle(page)
        assert state_of(page, "head")["params"] == before
        at = "getComputedStyle(document.querySelector('.sbs-cell')).touchAction"
        assert page.evaluate(at) != "none"
        page.get_by_role("button", name="stage 0,").click()
        settle(page)
        assert page.evaluate(at) == "none"

    def test_moved_words_take_their_outputs_along_without_mask_and_positions(self, open_demos):
        demo = one_head(t=7, row=1)
        page = open_demos(demo).page
        press(page, "small → one place later")
        state = same_as_python(page, demo)
        assert state["text"] == "the dog small chased a cat" == field(page).input_value()
        assert state["opts"]["row"] == 2  # the cell goes along
        assert "the output of " in news(page) and "is another one now" in news(page)
        switch(page, "none")
        switch(page, "everywhere")
        press(page, "Goals 2/2")  # the first word looks ahead, and outputs go along
        press(page, "← small one place earlier")
        assert state_of(page, "head")["text"] == TEXT
        assert news(page) == (
            "The words changed places, and every output only went along with its word."
        )
        first = page.get_by_role("button", name="← small one place earlier")
        first.click()
        settle(page)
        assert first.count() == 0 or state_of(page, "head")["text"].startswith("small the")
        edge = page.get_by_role("button", name="← small one place earlier")
        assert edge.get_attribute("aria-disabled") == "true"
        edge.dispatch_event("click")
        settle(page)
        assert state_of(page, "head")["text"].startswith("small the")

    def test_switches_change_what_they_say(self, open_demos):
        demo = one_head(t=5, row=1, key=3)
        page = open_demos(demo).page
        assert "may not look" in page.locator(".sbs-say").text_content()
        switch(page, "everywhere")
        assert "No mask" in page.locator(".sbs-say").text_content()
        assert not any("−∞" in line for line in cells(page))
        page.get_by_role("button", name="stage 4,").click()
        assert state_of(page, "head")["opts"]["causal"] is False
        scaled = result_of(page, "head", "scaled")
        switch(page, "as they are")
        np.testing.assert_allclose(result_of(page, "head", "scaled"), 2 * scaled, **CLOSE)
        switch(page, "rotary")
        same_as_python(page, demo)
        page.get_by_role("button", name="stage 6,").click()
        cell(page, 1, int(demo.trace()["weights"][1].argmax())).click()
        settle(page)
        assert "of its weight, the most of all." in page.locator(".sbs-say").text_content()
        page.get_by_role("button", name="stage 2,").click()
        settle(page)
        assert "are turned by its place, 1" in page.locator(".sbs-say").text_content()
        assert page.locator(".sbs-sums th").all_text_contents() == ["multiply", "turn"]


class TestSentence:
    def test_typed_words_equal_python_and_unknown_ones_are_named(self, open_demos):
        demo = one_head(t=6, row=5, key=5)
        visit = open_demos(demo)
        page = visit.page
        field(page).fill("A Zebra chased, the dog’s cat!")
        settle(page)
        state = same_as_python(page, demo)
        assert state["opts"]["row"] == 5
        note = page.locator(".sbs-note").first
        assert note.text_content() == "Not in the vocabulary, read as <unknown>: zebra, dog’s."
        field(page).fill("cat cat")
        switch(page, "none")
        said = page.locator(".sbs-say").text_content()
        assert said.startswith("“cat” gives every word that it may look at the same weight, 0.50.")
        field(page).fill("cat")
        settle(page)
        assert same_as_python(page, demo)["opts"]["row"] == 0
        assert cells(page) == [["1.00"]]
        assert visit.complaints == []

    def test_a_text_without_words_is_explained_and_limits_hold(self, open_demos):
        demo = one_head(t=6)
        page = open_demos(demo).page
        field(page).fill(" 1, 2 — !")
        assert page.locator(".sbs-note").first.text_content() == "Type at least one word."
        assert state_of(page, "head")["text"] == TEXT
        field(page).blur()
        assert field(page).input_value() == TEXT
        field(page).fill("a " * 100)
        settle(page)
        assert len(same_as_python(page, demo)["text"]) == 120
        assert len(cells(page)) == 10
        half = "(e, v) => { e.value = v; e.dispatchEvent(new Event('input')); }"
        field(page).evaluate(half, "cat \ud83d dog")
        settle(page)
        assert same_as_python(page, demo)["text"] == "cat  dog"

    def test_names_and_goals_are_the_authors(self, open_demos):
        goal = demos.Goal("Look at it.", (("weight", ">", 0.5),))
        words = ("<b>", "the", "cat", "dog", "saw", "chased", "a", "small", "&c")
        visit = open_demos(one_head(vocabulary=words, t=6, goals=[goal], text="the lion"))
        page = visit.page
        assert "read as <b>: lion." in page.locator(".sbs-note").first.text_content()
        press(page, "Goals 1/1")
        assert page.locator(".sbs-done").text_content().endswith("Look at it.")
        assert visit.complaints == []

    def test_nothing_moves_down_while_stepping(self, open_demos):
        page = open_demos(one_head()).page
        tops = set()
        for _ in range(7):
            tops.add(page.locator(".sbs-stepper").evaluate("e => e.offsetTop"))
            tops.add(page.locator(".sbs-say").evaluate("e => e.offsetTop"))
            press(page, "one step on")
        assert len(tops) == 2
