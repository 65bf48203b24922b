"""Bottleneck demo in Chromium: a sentence typed, moved and squeezed; what comes back of it."""

import numpy as np

from course_lib import demos
from course_lib.demos import _bottleneck_networks, _seq2seq_weights
from tests.demos.bottleneck_demos import SOURCE, TARGET, forward, network, squeeze
from tests.demos.whole_list import WholeList, marked, press, result_of, settle, state_of

CLOSE = {"rtol": 0, "atol": 1e-9}  # demos.md asks for 1e-6
CAT, SAW, ROME = 1, 2, 3


def same_as_python(page, demo):
    demo.state = state_of(page, demo.name)
    trace, S = demo.trace(), len(demo.state["tokens"])
    for n in range(len(demo.state["fixed"]["networks"])):
        last = result_of(page, demo.name, f"nets[{n}].recovered[{S - 1}]")
        np.testing.assert_allclose(last, trace["recovered"][-1, :, n], **CLOSE)
    return demo.state


def field(page):
    return page.get_by_role("textbox", name="sentence")


def tiles(page):
    return page.locator(".sbs-tile")


def bars(page, n):
    """Heights of the bars of network n, by source word, in pixels."""
    heights = """n => [
        ...document.querySelectorAll('.sbs-picture > g:nth-of-type(3) > g')[n].children
    ].slice(1).map(e => +e.getAttribute('height'))"""
    return np.array(page.evaluate(heights, n))


class TestWholeList(WholeList):
    link = "t=2&tokens=[3,1,4]&opts.network=1&opts.width=5&seed=9"
    bad_links = (
        "opts.network=2", "opts.network=-1", "opts.width=0", "opts.width=9", "opts.width=1.5",
        "tokens=[]", "tokens=[5]", "tokens.0=null", "tokens.9=1", "tokens=the", "tokens=[1]&t=4",
        f"tokens=[{','.join(['1'] * 21)}]", "fixed.networks=[]",
    )  # fmt: skip

    def demo(self, **options):
        goals = [demos.Goal("Nine words.", (("words", ">=", 9),))]  # what weights by seed can do
        return squeeze(**{"t": 4, "goals": goals, **options})

    def linked(self, state):
        assert (state["t"], state["tokens"], state["seed"]) == (2, [3, 1, 4], 9)
        assert state["opts"] == {"network": 1, "width": 5, "predict": False}

    def edit(self, page):
        tiles(page).nth(2).press("ArrowUp")
        tiles(page).nth(2).press("ArrowUp")
        settle(page)


class TestEditing:
    def test_typed_words_move_later_states_only_and_equal_python(self, open_demos):
        demo = squeeze(t=2)
        visit = open_demos(demo)
        page = visit.page
        before = page.evaluate("JSON.stringify(sbs.get('squeeze').result.nets[1].recovered)")
        field(page).fill("The CAT, saw twice; the cat")
        settle(page)
        state = same_as_python(page, demo)
        assert state["tokens"] == [0, 1, 2, 4, 0, 1] and state["t"] == 5
        after = page.evaluate("JSON.stringify(sbs.get('squeeze').result.nets[1].recovered)")
        pairs = zip(eval(before), eval(after), strict=True)  # lists of numbers
        assert [old == new for old, new in pairs] == [True] * 3 + [False] * 3
        assert visit.complaints == []

    def test_unknown_words_are_left_out_and_named(self, open_demos):
        page = open_demos(squeeze()).page
        field(page).fill("the dog saw Rome")
        settle(page)
        assert state_of(page, "squeeze")["tokens"] == [0, SAW, ROME]
        note = page.locator(".sbs-note").first
        assert note.text_content() == f"Left out: dog. There are {', '.join(SOURCE)}."
        field(page).fill(" ,")
        assert note.text_content() == "Type at least one word."
        field(page).blur()
        assert field(page).input_value() == "the saw Rome" and note.text_content() == ""
        field(page).fill("cat " * 30)
        settle(page)
        assert len(state_of(page, "squeeze")["tokens"]) == 20
        assert note.text_content() == "The first 20 words are read."

    def test_a_tile_is_dragged_and_words_are_inserted_and_deleted(self, open_demos):
        demo = squeeze(t=0)
        page = open_demos(demo).page
        boxes = [tiles(page).nth(i).bounding_box() for i in (3, 0)]
        for number, box in enumerate(boxes):
            page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40, steps=4)
            (page.mouse.up if number else page.mouse.down)()
        settle(page)
        state = same_as_python(page, demo)
        assert (state["tokens"], state["t"]) == ([3, 0, 1, 2, 0, 1], 0)
        page.get_by_role("button", name="+ twice").click()
        settle(page)
        state = same_as_python(page, demo)
        assert (state["tokens"], state["t"]) == ([3, 4, 0, 1, 2, 0, 1], 1)
        press(page, "later →", 2)
        press(page, "delete word 4")
        state = same_as_python(page, demo)
        assert (state["tokens"], state["t"]) == ([3, 0, 1, 2, 0, 1], 3)

    def test_whole_path_by_keyboard(self, open_demos):
        demo = squeeze(t=0)
        page = open_demos(demo).page
        tiles(page).first.focus()
        for key in ("ArrowRight", "ArrowDown", "Shift+ArrowRight"):
            page.keyboard.press(key)
        settle(page)
        state = same_as_python(page, demo)
        assert (state["tokens"][:3], state["t"]) == ([0, SAW, 0], 2)
        page.keyboard.press("Delete")  # the focus went along
        settle(page)
        assert same_as_python(page, demo)["tokens"] == [0, SAW, ROME, 0, CAT]
        page.keyboard.press("Control+z")
        settle(page)
        assert state_of(page, "squeeze")["tokens"] == [0, SAW, 0, ROME, 0, CAT]

    def test_who_is_writing_stays_at_the_same_step_of_writing(self, open_demos):
        page = open_demos(squeeze(t=7)).page  # the second token is written
        number = page.get_by_role("spinbutton", name="words, number")
        number.fill("9")
        number.press("Enter")
        settle(page)
        state = state_of(page, "squeeze")
        assert (len(state["tokens"]), state["t"]) == (9, 10)
        assert state["tokens"][:6] == squeeze().state["tokens"]
        press(page, "another sentence")
        other = state_of(page, "squeeze")
        assert other["tokens"] != state["tokens"] and len(other["tokens"]) == 9
        number.fill("1")
        number.press("Enter")
        settle(page)
        assert state_of(page, "squeeze")["t"] == 2
        button = page.get_by_role("button", name="delete word 1")
        assert button.get_attribute("aria-disabled") == "true"
        button.dispatch_event("click")
        settle(page)
        assert len(state_of(page, "squeeze")["tokens"]) == 1


class TestPicture:
    def test_bars_are_what_the_vector_after_this_word_still_holds(self, open_demos):
        demo = squeeze(t=3)
        page = open_demos(demo).page
        trace = demo.trace()
        for n in range(2):
            want = np.r_[trace["recovered"][3, :4, n], 0, 0]
            np.testing.assert_allclose(bars(page, n), 44 * want, rtol=0, atol=1e-6)
        lost = int((~trace["kept"][3, :4]).sum())
        assert page.locator(".sbs-lost").count() == lost
        shown = page.locator(".sbs-gutter small").all_text_contents()
        assert shown == [f"P {v:.2f}" for v in trace["recovered"][3, 3]]
        tiles(page).nth(1).press("ArrowUp")
        settle(page)
        assert min(marked(page, 0)) == 0  # another vector: the first word moves, too
        page.locator(".sbs-stepper .sbs-scrub").fill("9")  # writes the fourth token
        settle(page)
        now = page.locator(".sbs-tile[aria-current]")
        assert now.get_attribute("aria-label").startswith("word 3: ")  # mirror

    def test_outputs_are_those_of_the_library_and_faults_are_crossed(self, open_demos):
        demo = squeeze(t=7, width=4)
        page = open_demos(demo).page
        rows = page.locator(".sbs-output")
        fixed, tokens = demo.state["fixed"], demo.state["tokens"]
        target = [*_bottleneck_networks.wanted(tokens, fixed).tolist(), 0]
        assert rows.nth(0).locator(".sbs-chip").all_text_contents() == [TARGET[k] for k in target]
        for n, data in enumerate(fixed["networks"]):
            params = _seq2seq_weights.params_of(data)
            best = _bottleneck_networks.search(params, tokens, fixed, 4)[0]
            written = [*best.tokens, *[0] * best.finished]
            want = [
                f"{'' if i < 7 and target[i] == k else '✗ '}{TARGET[k]}"
                for i, k in enumerate(written)
            ]
            assert rows.nth(n + 1).locator(".sbs-chip").all_text_contents() == want
            right = int(demo.trace()["right"][:, n].sum())
            assert rows.nth(n + 1).locator("small").text_content() == f"{right} of 6 words"
        assert rows.nth(0).locator(".sbs-here").text_content() == TARGET[target[1]]

    def test_the_beam_of_this_step_is_listed_with_its_log_probabilities(self, open_demos):
        demo = squeeze(t=7, width=4, network=1)
        page = open_demos(demo).page
        beam = page.evaluate("sbs.get('squeeze').result.nets[1].beams[1]")
        items = page.locator(".sbs-beam li")
        assert items.count() == len(beam) == 4
        numbers = items.locator(".sbs-num").all_text_contents()
        assert [float(v.replace("−", "-")) for v in numbers] == [
            round(one["logProb"], 2) for one in beam
        ]
        slider = page.get_by_role("slider", name="beam width")
        slider.press("Home")
        settle(page)
        assert state_of(page, "squeeze")["opts"]["width"] == 1 and items.count() == 1
        assert page.locator(".sbs-why .sbs-note").text_content().startswith("Greedy after 2 tokens")

    def test_arithmetic_ends_in_what_the_library_says(self, open_demos):
        demo = squeeze(t=6)  # the first token is written
        page = open_demos(demo).page
        params = _seq2seq_weights.params_of(demo.state["fixed"]["networks"][0])
        fixed, tokens = demo.state["fixed"], demo.state["tokens"]
        best = _bottleneck_networks.search(params, tokens, fixed, 3)[0]
        first = (*best.tokens, 0)[0]
        log_p = page.evaluate("sbs.get('squeeze').result.nets[0].steps[0].logProbs")[first]
        sums = page.locator(".sbs-sum").all_text_contents()
        assert len(sums) == 1 + 4 + 2  # a word, four lines of a GRU, the answer
        assert sums[-1].endswith(f"= {np.exp(log_p):.3f}")
        page.locator(".sbs-stepper .sbs-scrub").fill("2")
        settle(page)
        sums = page.locator(".sbs-sum").all_text_contents()
        assert sums[-1] == "6 numbers for 3 words"

    def test_states_are_drawn_as_far_as_the_steps_went(self, open_demos):
        page = open_demos(squeeze(t=0, width=1)).page
        count = """[...document.querySelectorAll('.sbs-glass path')].slice(0, 17)
            .reduce((n, p) => n + (p.getAttribute('d').match(/M/g) ?? []).length, 0)"""
        assert page.evaluate(count) == 6 * 2  # one word, and the vector
        page.locator(".sbs-stepper .sbs-scrub").fill("5")
        settle(page)
        assert page.evaluate(count) == 6 * 7
        press(page, "one step on")
        assert page.evaluate(count) == 6 * 8

    def test_prediction_hides_what_would_tell(self, open_demos):
        demo = squeeze(t=7, predict=True)
        page = open_demos(demo).page
        assert bars(page, 0).sum() == 0 and page.locator(".sbs-lost").count() == 0
        rows = page.locator(".sbs-output")
        assert rows.nth(1).locator(".sbs-chip").count() <= 1
        assert rows.nth(1).locator("small").text_content() == "?"
        assert page.locator(".sbs-beam li").count() == 0
        press(page, "Reveal")
        want = demo.trace()["recovered"][-1, 4, 0]
        assert f"it is {want:.2f}" in page.locator(".sbs-score").text_content()
        assert bars(page, 0).sum() > 0

    def test_goals_are_recognised_once_reached(self, open_demos):
        goals = [
            demos.Goal("Three words.", (("words", "==", 3),)),
            demos.Goal("Width.", (("width", ">", 3), ("gain.0", ">=", -1))),
        ]
        page = open_demos(squeeze(goals=goals)).page
        press(page, "Goals 0/2")
        field(page).fill("the cat twice")
        settle(page)
        assert page.locator(".sbs-done").all_text_contents() == ["✓Three words."]
        page.get_by_role("slider", name="beam width").press("End")
        settle(page)
        assert page.locator(".sbs-done").count() == 2

    def test_one_network_in_the_order_of_the_source(self, open_demos):
        demo = forward(t=2)  # the first token is written
        page = open_demos(demo).page
        assert page.get_by_role("radio").count() == 0
        now = page.locator(".sbs-tile[aria-current]")
        assert now.get_attribute("aria-label").startswith("word 1: twice")
        tiles(page).nth(1).click()
        settle(page)
        assert state_of(page, "forward")["t"] == 3
        page.locator(".sbs-stepper .sbs-scrub").fill("5")
        settle(page)
        assert "have stopped" in page.locator(".sbs-say").text_content()

    def test_names_are_the_authors_and_nothing_moves_down_while_stepping(self, open_demos):
        demo = squeeze(networks={"A<b>": network(), "&c": network(5, 2)}, t=0)
        visit = open_demos(demo)
        page = visit.page
        assert page.locator(".sbs-output b").all_text_contents() == ["right", "A<b>", "&c"]
        tops = set()
        for _ in range(13):
            press(page, "one step on")
            tops.add(page.locator(".sbs-stepper").evaluate("e => e.offsetTop"))
            tops.add(page.locator(".sbs-say").evaluate("e => e.offsetTop"))
            tops.add(page.locator(".sbs-why").evaluate("e => e.offsetTop"))
        assert len(tops) == 3
        assert visit.complaints == []
