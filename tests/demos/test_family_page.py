"""Family in Chromium: five models on one sequence, the slider that walks from one to the next."""

import numpy as np

from tests.demos.flow_demos import learned, one_family
from tests.demos.pages import CASINO
from tests.demos.whole_list import WholeList, marked, press, result_of, settle, state_of

CLOSE = {"rtol": 0, "atol": 1e-9}  # demos.md asks for 1e-6
NAMES = ("HMM", "Kalman filter", "linear RNN", "vanilla RNN", "LSTM")


def same_as_python(page, demo):
    demo.state = state_of(page, demo.name)
    trace = demo.trace()
    paths = {
        "answer": "answers", "hmm": "hmm.alpha", "linear": "linear",
        "kalman": "kalman.map(s => [s.mean, s.var])", "rnn": "rnn.slice(1).map(s => s.h)",
        "lstm": "lstm.slice(1).map(s => s.h)", "c": "lstm.slice(1).map(s => s.c)",
    }  # fmt: skip
    for key, path in paths.items():
        mine = result_of(page, demo.name, path)
        np.testing.assert_allclose(mine, trace[key], **CLOSE, err_msg=key)
    return demo.state


class TestWholeList(WholeList):
    link = "t=6&obs=[0,5,5,5,1,2,5]&opts.stop=4"
    bad_links = (
        "opts.stop=5", "opts.stop=-1", "opts.stop=1.5", "opts.unit=8", "obs=[]", "obs.2=6",
        "obs.2=null", "obs=[7]", "obs.99=1",
    )  # fmt: skip

    def demo(self, **options):
        return one_family(**{"t": 4, **options})

    def linked(self, state):
        assert (state["t"], state["opts"]["stop"]) == (6, 4)
        assert state["obs"] == [0, 5, 5, 5, 1, 2, 5]

    def edit(self, page):
        tile = page.locator(".sbs-tile").nth(5)
        tile.press("ArrowUp")
        tile.press("ArrowUp")
        settle(page)


class TestFamily:
    def test_an_observation_changes_later_states_only_and_equals_python(self, open_demos):
        demo = one_family(t=4, **learned())
        visit = open_demos(demo)
        page = visit.page
        before = result_of(page, "family", "answers")
        tile = page.locator(".sbs-tile").nth(5)
        tile.click()  # selects
        tile.click()  # the next symbol: from a six to a one
        settle(page)
        state = same_as_python(page, demo)
        assert state["obs"][5] == 0 and state["t"] == 5
        after = result_of(page, "family", "answers")
        assert np.array_equal(before[:5], after[:5]) and not np.any(before[5:] == after[5:])
        for row in range(7):  # two lanes of the HMM, five answers
            steps = marked(page, row)  # a change below 0.0005 carries none
            assert steps and steps[0] >= 5 and (row > 1 or steps[0] == 5)
        assert visit.complaints == []

    def test_the_slider_walks_and_the_state_is_drawn_the_same_way(self, open_demos):
        demo = one_family(t=4, **learned())
        page = open_demos(demo).page
        slide = page.get_by_role("slider", name="model, from HMM to LSTM")
        slide.focus()
        lanes = {0: 2, 1: 2, 2: 5, 3: 3, 4: 8}  # beliefs; mean and variance; units; h and c
        facts = set()
        for stop, name in enumerate(NAMES):
            settle(page)
            assert same_as_python(page, demo)["opts"]["stop"] == stop
            assert slide.get_attribute("aria-valuetext") == name
            assert page.locator(".sbs-gutter > div").count() == lanes[stop] + 5
            assert name in page.locator(".sbs-say").text_content()
            facts.add(page.locator(".sbs-sums").first.text_content())
            assert page.locator(".sbs-sums").last.text_content().strip()
            page.keyboard.press("ArrowRight")
        assert len(facts) == 5
        assert state_of(page, "family")["opts"]["stop"] == 4

    def test_the_stage_keeps_its_height_on_the_walk(self, open_demos):
        page = open_demos(one_family(**learned())).page
        slide = page.get_by_role("slider", name="model, from HMM to LSTM")
        tops = set()
        for stop in range(5):
            slide.fill(str(stop))
            settle(page)
            tops.add(page.locator(".sbs-stepper").evaluate("e => e.offsetTop"))
        assert len(tops) == 1

    def test_whole_path_by_keyboard(self, open_demos):
        demo = one_family(t=0)
        page = open_demos(demo).page
        page.get_by_role("slider", name="model, from HMM to LSTM").focus()
        page.keyboard.press("End")
        page.keyboard.press("Tab")  # to the first tile
        for _ in range(2):
            page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowDown")
        settle(page)
        state = same_as_python(page, demo)
        assert (state["opts"]["stop"], state["t"]) == (4, 2)
        assert state["obs"][2] == CASINO["obs"][2] - 1
        page.get_by_role("radio", name="⚅").focus()
        page.keyboard.press("Space")
        settle(page)
        assert same_as_python(page, demo)["obs"][2] == 5

    def test_arithmetic_of_each_stop_ends_in_what_python_says(self, open_demos):
        demo = one_family(t=5, **learned())
        page = open_demos(demo).page
        trace = demo.trace()
        slide = page.get_by_role("slider", name="model, from HMM to LSTM")
        for stop, value in enumerate(
            (trace["hmm"][5, 0], trace["kalman"][5, 0], trace["linear"][5, 2], trace["rnn"][5, 2])
        ):
            slide.fill(str(stop))
            settle(page)
            if stop > 1:
                page.get_by_role("radio", name="h 2").check()
                settle(page)
            words = page.locator(".sbs-sums").last.text_content().replace("−", "-")
            assert f"{value:.3f}" in words, NAMES[stop]
            if stop:
                assert f"{trace['answer'][5, stop]:.3f}" in words

    def test_what_the_hmm_calls_impossible_is_explained_without_nan(self, open_demos):
        B = [[0.9, 0.1, 0], [0.5, 0.5, 0]]
        demo = one_family(obs=[0, 1, 2, 0], B=B, symbols=list("abc"), t=2)
        visit = open_demos(demo)
        page = visit.page
        assert "Impossible" in page.locator(".sbs-say").text_content()
        for stop in range(5):
            page.get_by_role("slider", name="model, from HMM to LSTM").fill(str(stop))
            press(page, "Table")
            assert "NaN" not in page.locator(".sbs").inner_html()
        assert visit.complaints == []

    def test_goals_are_recognised(self, open_demos):
        page = open_demos(one_family(t=11, obs=[5] * 12)).page
        press(page, "Goals 0/2")
        slide = page.get_by_role("slider", name="model, from HMM to LSTM")
        for stop in (2, 1, 4, 3):
            slide.fill(str(stop))
            settle(page)
        assert page.locator(".sbs-done").count() == 1
