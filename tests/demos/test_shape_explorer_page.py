"""Shape explorer in Chromium: sizes, the selected number, what it reaches, wrong batch_first."""

import numpy as np
import pytest

from course_lib import demos
from course_lib.demos import _shape_explorer as explorer
from tests.demos.whole_list import WholeList, press, settle, state_of

CLOSE = {"rtol": 0, "atol": 1e-12}  # the same weights in float64; demos.md asks for 1e-5
# Every drawn number with what is seen of it: [tensor's name, text of its slab, x, y, fill].
CELLS = """name => [...document.querySelectorAll('.sbs-tensor')]
    .filter(e => e.querySelector('b').textContent === name && !e.hidden)
    .flatMap(e => [...e.querySelectorAll('svg')].map(svg => ({
        label: svg.querySelector('.sbs-slab').textContent,
        rects: svg.querySelectorAll('.sbs-number').length,
        dots: (svg.querySelector('.sbs-bound').getAttribute('d').match(/M/g) ?? []).length,
        pads: (svg.querySelector('.sbs-pads').getAttribute('d').match(/M/g) ?? []).length,
        picked: +svg.querySelector('.sbs-picked').getAttribute('opacity'),
        twin: +svg.querySelector('.sbs-twin').getAttribute('opacity'),
    })))"""


def explore(**options):
    merged = {"name": "shapes", "bidirectional": True, **options}
    return demos.shape_explorer(**merged)


def slabs(page, tensor):
    return page.evaluate(CELLS, tensor)


def same_as_python(page, demo):
    demo.state = state_of(page, demo.name)  # Python takes what the page made
    made = explorer.tensors(demo.state)
    for key, want in made.items():
        mine = np.array(page.evaluate(f"sbs.get({demo.name!r}).result.{key}"))
        np.testing.assert_allclose(mine, want, **CLOSE)
        shown = slabs(page, "x" if key == "input" else key)
        assert len(shown) == len(want)
        assert {one["rects"] for one in shown} == {want[0].size}
    return made


def click(page, tensor, slab, row, column, split=0):
    """Click the middle of a number."""
    part = page.locator(".sbs-tensor").filter(has=page.get_by_text(tensor, exact=True)).first
    svg = part.locator("svg").nth(slab)
    x = 20 + 18 * column + 8 + (5 if split and column >= split else 0)
    svg.click(position={"x": x, "y": 24 + 18 * row + 8})
    settle(page)


class TestWholeList(WholeList):
    link = "t=1&sizes.time=4&opts.cell=GRU&opts.padding=packed&lengths=[2,4,1,3]"
    bad_links = (
        "sizes.time=9", "sizes.batch=0", "opts.cell=lstm", "opts.padding=yes", "opts.stored=1",
        "lengths=[]", "lengths.0=0", "xs.0.0.0=11", "pick.index=[1,2]", "pick.tensor=weights",
        "sizes.hidden=2.5", "t=5",
    )  # fmt: skip

    def demo(self, **options):
        return explore(t=1, **options)

    def linked(self, state):
        assert (state["t"], state["sizes"]["time"], state["opts"]["cell"]) == (1, 4, "GRU")
        assert state["pick"] == {"tensor": "output", "index": [0, 3, 0]}  # t = 4 is gone

    def edit(self, page):
        page.get_by_role("group", name="output (").press("ArrowRight")
        page.get_by_role("slider", name="hidden").press("ArrowRight")
        settle(page)


class TestSizes:
    def test_every_size_redraws_every_tensor_as_python_makes_it(self, open_demos):
        demo = explore()
        visit = open_demos(demo)
        page = visit.page
        same_as_python(page, demo)
        for size, value in (("batch", 4), ("time", 7), ("input", 3), ("hidden", 6), ("layers", 3)):
            field = page.get_by_role("spinbutton", name=f"{size}, number")
            field.fill(str(value))
            field.press("Enter")
            settle(page)
            same_as_python(page, demo)
        for cell in ("GRU", "RNN", "LSTM"):
            page.get_by_role("radio", name=cell, exact=True).check()
            settle(page)
            made = same_as_python(page, demo)
            assert (slabs(page, "c_n") != []) == ("c_n" in made)
        page.get_by_role("radio", name="one", exact=True).check()
        settle(page)
        assert same_as_python(page, demo)["output"].shape == (4, 7, 6)
        assert visit.complaints == []

    def test_shapes_axes_and_the_call_are_written_out(self, open_demos):
        page = open_demos(explore()).page
        heads = page.locator(".sbs-tname").all_text_contents()
        assert heads == ["x (3, 5, 2)", "PackedSequence.data ", "output (3, 5, 8)",
                         "h_n (4, 3, 4)", "c_n (4, 3, 4)"]  # fmt: skip
        axes = page.locator(".sbs-tensor").nth(3).locator(".sbs-axis").all_text_contents()
        assert axes == ["layers × directions 4", "batch 3", "hidden 4"]
        call = page.locator(".sbs-call")
        want = "nn.LSTM(2, 4, num_layers=2, bidirectional=True, batch_first=True)"
        assert want in call.text_content()
        labels = [one["label"] for one in slabs(page, "h_n")]
        assert labels == ["0: layer 0 →", "1: layer 0 ←", "2: layer 1 →", "3: layer 1 ←"]

    def test_weights_are_listed_with_their_shapes(self, open_demos):
        demo = explore()
        page = open_demos(demo).page
        page.locator("summary").click()
        want = [
            f"{key}({', '.join(map(str, W.shape))}{',' if W.ndim == 1 else ''})"
            for key, W in explorer._weights(demo.state).items()
        ]
        assert page.locator(".sbs-weights > div").all_text_contents() == want
        assert page.locator("summary").text_content() == "Weights: 16 tensors, 704 numbers"


class TestSelection:
    def test_a_number_of_output_shows_its_twin_in_h_n(self, open_demos):
        demo = explore()
        page = open_demos(demo).page
        click(page, "output", 1, 0, 6, split=4)  # backward, unit 2, the last step it reads
        made = same_as_python(page, demo)
        assert demo.state["pick"] == {"tensor": "output", "index": [1, 0, 6]}
        assert made["output"][1, 0, 6] == made["h_n"][3, 1, 2]
        assert "The same number is h_n[3, 1, 2]." in page.locator(".sbs-say").text_content()
        assert [one["twin"] for one in slabs(page, "h_n")] == [0, 0, 0, 1]
        assert [one["picked"] for one in slabs(page, "output")] == [0, 1, 0]
        places = page.locator(".sbs-tensor").nth(2).locator("svg").nth(1).locator(".sbs-number")
        left = places.evaluate_all("all => all.slice(0, 8).map(e => +e.getAttribute('x'))")
        assert np.diff(left).tolist() == [18, 18, 18, 23, 18, 18, 18]  # a gap between directions
        click(page, "output", 1, 0, 2, split=4)  # forward: not its last step
        assert "h_n does not hold it" in page.locator(".sbs-say").text_content()
        assert not any(one["twin"] for one in slabs(page, "h_n"))

    def test_the_last_sum_is_the_selected_number(self, open_demos):
        demo = explore(lengths=[2, 5, 4])
        page = open_demos(demo).page
        click(page, "h_n", 1, 0, 3)
        value = same_as_python(page, demo)["h_n"][1, 0, 3]
        shown = page.locator(".sbs-sum").last.text_content().replace("−", "-")
        assert shown.endswith(f"= {value:.3f}")
        chosen = page.locator(".sbs-chosen").text_content().replace("−", "-")
        assert chosen == f"h_n[1, 0, 3] = {value:.4f}"

    @pytest.mark.parametrize("both", [False, True])
    def test_a_changed_input_changes_what_is_marked_and_nothing_else(self, open_demos, both):
        demo = explore(bidirectional=both, layers=1, lengths=[5, 4, 2], pick=("input", (0, 2, 1)))
        page = open_demos(demo).page
        marked = {key: [one["dots"] for one in slabs(page, key)] for key in ("output", "h_n")}
        before = same_as_python(page, demo)
        page.get_by_role("slider", name="its value").press("End")
        settle(page)
        after = same_as_python(page, demo)
        assert demo.state["xs"][0][2][1] == 2
        for key, dots in marked.items():
            changed = (before[key] != after[key]).reshape(len(dots), -1).sum(axis=1)
            assert dots == changed.tolist()
        # Steps before it stay as they were, but for a direction that comes from behind.
        assert np.array_equal(before["output"][0, :2], after["output"][0, :2]) != both

    def test_whole_path_by_keyboard(self, open_demos):
        demo = explore()
        page = open_demos(demo).page
        page.get_by_role("group", name="h_n (").focus()
        for key in ("ArrowRight", "ArrowRight", "ArrowDown", "PageDown", "PageDown", "ArrowLeft"):
            page.keyboard.press(key)
        settle(page)
        # From output's last step; the first key only goes over to this tensor's nearest number.
        assert state_of(page, "shapes")["pick"] == {"tensor": "h_n", "index": [2, 2, 0]}
        for axis, value in (("layers × directions", 3), ("batch", 0), ("hidden", 2)):
            field = page.get_by_role("spinbutton", name=axis, exact=True)
            field.fill(str(value))
            field.press("Enter")
        settle(page)
        assert state_of(page, "shapes")["pick"]["index"] == [3, 0, 2]
        page.get_by_role("radio", name="c_n", exact=True).focus()
        page.keyboard.press("Space")
        page.get_by_role("radio", name="LSTM", exact=True).focus()
        page.keyboard.press("ArrowRight")  # a GRU has no c_n
        settle(page)
        same_as_python(page, demo)
        assert demo.state["pick"] == {"tensor": "h_n", "index": [3, 0, 2]}
        page.keyboard.press("Control+z")
        settle(page)
        assert state_of(page, "shapes")["pick"]["tensor"] == "c_n"


class TestLengths:
    def test_packing_leaves_out_padding_and_ends_with_the_longest(self, open_demos):
        demo = explore(lengths=[2, 4, 1])
        page = open_demos(demo).page
        made = same_as_python(page, demo)
        assert made["output"].shape == (3, 4, 8)
        assert [one["pads"] for one in slabs(page, "x")] == [6, 2, 8]
        assert [one["pads"] for one in slabs(page, "output")] == [16, 0, 24]
        packed = slabs(page, "PackedSequence.data")
        assert [one["rects"] for one in packed] == [6, 4, 2, 2]
        order = page.locator(".sbs-tensor").nth(1).locator(".sbs-axes").text_content()
        assert order.startswith("batch_sizes [3, 2, 1, 1], sorted_indices [1, 0, 2]")
        click(page, "PackedSequence.data", 1, 1, 0)  # a number of x at another place
        assert state_of(page, "shapes")["pick"] == {"tensor": "input", "index": [0, 1, 0]}

    def test_without_packing_the_padding_is_read(self, open_demos):
        demo = explore(lengths=[2, 4, 1], packed=False, pick=("input", (0, 3, 1)))
        visit = open_demos(demo)
        page = visit.page
        assert same_as_python(page, demo)["output"].shape == (3, 5, 8)
        assert "the module reads it like any other step" in page.locator(".sbs-say").text_content()
        assert sum(one["dots"] for one in slabs(page, "output")) == 40
        assert not page.locator(".sbs-dial").last.is_visible()  # padding is 0 and stays it
        before = state_of(page, "shapes")
        for pick in (
            '{"tensor": "input", "index": [0, 3, 1]}',
            '{"tensor": "h_n", "index": [3, 2, 1]}',
        ):
            page.evaluate("pick => { location.hash = pick; }", f"#demo=shapes&pick={pick}")
            settle(page)
            hidden = page.locator(".sbs-dial").last.locator("input[type=range]")
            hidden.evaluate("e => { e.value = 1; e.dispatchEvent(new Event('input')); }")
            settle(page)
            assert state_of(page, "shapes")["xs"] == before["xs"]
        press(page, "undo")
        assert visit.complaints == []
        shown = [page.get_by_label(f"length of sequence {n}").is_visible() for n in range(4)]
        assert shown == [True, True, True, False]
        field = page.get_by_role("spinbutton", name="length of sequence 0")
        field.fill("4")
        field.press("Enter")
        settle(page)
        same_as_python(page, demo)
        assert page.locator(".sbs-dial").last.is_visible()


class TestWrongBatchFirst:
    def test_it_runs_and_mixes_sequences(self, open_demos):
        demo = explore(bidirectional=False, pick=("input", (1, 2, 0)))
        visit = open_demos(demo)
        page = visit.page
        page.get_by_role("radio", name="False").check()
        settle(page)
        made = same_as_python(page, demo)
        # As the right one, but for h_n: a state for each of 5 supposed sequences.
        assert made["output"].shape == (3, 5, 4) and made["h_n"].shape == (2, 5, 4)
        assert "yours: batch, time" in page.locator(".sbs-taken").first.text_content()
        say = page.locator(".sbs-say").text_content()
        assert "your 3 sequences of 5 steps are taken for 5 sequences of 3 steps" in say
        assert "also those of your sequence 2." in say
        assert [one["dots"] for one in slabs(page, "output")] == [0, 4, 4]
        press(page, "Goals 1/4")
        assert page.locator("li.sbs-done").text_content().startswith("✓Give the wrong")
        assert visit.complaints == []

    def test_packing_by_the_wrong_flag_is_explained_and_nothing_is_drawn(self, open_demos):
        demo = explore(lengths=[2, 4, 1])
        visit = open_demos(demo)
        page = visit.page
        page.get_by_role("radio", name="False").check()
        settle(page)
        say = page.locator(".sbs-say").text_content()
        assert "3 lengths, but with this batch_first the input holds 5 sequences" in say
        assert slabs(page, "output") == [] and len(slabs(page, "x")) == 3
        assert "shape of" not in page.locator(".sbs-why").text_content()
        press(page, "Table")
        words = page.locator(".sbs").inner_html()
        assert "NaN" not in words and "undefined" not in words
        with pytest.raises(ValueError, match="packing has no meaning"):
            demo.state = state_of(page, "shapes")
            demo.trace()
        page.get_by_role("radio", name="time, batch").check()  # now the flag is right
        settle(page)
        same_as_python(page, demo)
        assert visit.complaints == []


class TestWords:
    def test_predicting_hides_every_shape_that_is_asked_for(self, open_demos):
        page = open_demos(explore(predict=True)).page
        assert "How long is the last axis of output?" in page.locator(".sbs-ask").text_content()
        assert [slabs(page, key) for key in ("output", "h_n", "c_n")] == [[], [], []]
        heads = page.locator(".sbs-tname").all_text_contents()
        assert [heads[i] for i in (0, 2, 3)] == ["x (3, 5, 2)", "output (?)", "h_n (?)"]
        assert "704" not in page.locator(".sbs").inner_text()
        page.get_by_role("slider", name="last axis").fill("8")
        press(page, "Reveal")
        assert "it is 8.00" in page.locator(".sbs-score").text_content()
        assert len(slabs(page, "output")) == 3

    def test_nothing_moves_down_while_stepping(self, open_demos):
        page = open_demos(explore()).page
        tops = set()
        for _ in range(4):
            press(page, "one step on")
            tops.add(page.locator(".sbs-tabs").evaluate("e => e.offsetTop"))
        assert len(tops) == 1

    def test_the_step_is_marked_in_the_rows_that_are_read(self, open_demos):
        page = open_demos(explore(t=2)).page
        bands = """() => [...document.querySelectorAll('.sbs-tensor')].filter(e => !e.hidden)
            .map(e => [...e.querySelectorAll('.sbs-now')].map(b => +b.getAttribute('height')))"""
        assert page.evaluate(bands) == [[18] * 3, [18] * 3, [0] * 4, [0] * 4]
        page.get_by_role("radio", name="False").check()
        page.get_by_role("radio", name="time, batch").check()
        settle(page)
        assert page.evaluate(bands)[0] == [0, 0, 56, 0, 0]
