"""Demos, Python side: states, schema, repr, HTML, reference traces. Their pages: tests/demos."""

import copy
import html
import json
import re

import numpy as np
import pytest

from course_lib import demos, emissions, hmm, hmm_learning, markov
from course_lib.demos._state import check_state, uniforms
from tests.demos.pages import CASINO

HOSTILE = "</script><script>alert(1)</script><!-- & \u2028 \"'"
A2 = np.array([[0.2, 0.7, 0.1], [0.3, 0.3, 0.4], [0.6, 0.2, 0.2]])
CHAIN = {
    "name": "clicks",
    "items": ["home", "search", "buy"],
    "tokens": [0, 1, 2, 1],
    "classes": (("forward", [0.5, 0.3, 0.2], A2), ("reverse", [0.2, 0.3, 0.5], A2[::-1])),
}
QUAKES = [13, 14, 8, 10, 16, 26, 32, 27, 18, 32, 36, 24, 22, 23, 22, 18]


def questions():
    return [
        demos.Question(
            "Which uses *future* data?",
            [demos.Choice("`alpha`", why="Past only."), demos.Choice("`gamma`", True, "Both.")],
        ),
        demos.Question("How many free parameters?", answer=13, why="1 + 2 + 10 = 13."),
    ]


def every_demo():
    return [
        demos.trellis(**CASINO),
        demos.chain(**CHAIN),
        demos.em("quakes", QUAKES, K=2),
        demos.em("gauss", np.sqrt(QUAKES), kind="gaussian", K=3),
        demos.quiz("quiz", questions()),
    ]


def embedded(demo):
    """State that a browser finds in the demo's HTML."""
    page = demo._repr_mimebundle_()["text/html"]
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', page).group(1))


class TestRepr:
    def test_is_one_fixed_line(self):
        assert [repr(demo) for demo in every_demo()] == [
            "trellis demo 'casino': T=12, K=2, V=6",
            "chain demo 'clicks': T=4, V=3, C=2",
            "em demo 'quakes': poisson, T=16, K=2",
            "em demo 'gauss': gaussian, T=16, K=3",
            "quiz demo 'quiz': 2 questions",
        ]

    def test_does_not_change_when_the_reader_drags(self):
        demo = demos.trellis(**CASINO)
        demo.state = {**demo.state, "obs": [0, 1], "t": 0}
        assert repr(demo) == "trellis demo 'casino': T=12, K=2, V=6"
        assert demo._repr_mimebundle_()["text/plain"] == repr(demo)


class TestHtml:
    @pytest.mark.parametrize("demo", every_demo(), ids=lambda d: d.name)
    def test_embeds_the_state_and_a_fallback(self, demo):
        page = demo._repr_mimebundle_()["text/html"]
        assert embedded(demo) == demo.state
        assert "sbs.mount(document.currentScript.previousElementSibling)" in page
        if demo.state["view"] == "quiz":
            assert page.count("<details>") == 2
        else:
            alt = re.search(r'<img src="data:image/svg\+xml;base64,[^"]+" alt="([^"]+)"', page)
            assert len(alt.group(1)) > 60

    def test_needs_no_kernel_and_opens_no_comm_here(self):
        assert set(demos.trellis(**CASINO)._repr_mimebundle_()) == {"text/plain", "text/html"}

    @pytest.mark.parametrize("demo", every_demo(), ids=lambda d: d.name)
    def test_inline_state_is_small(self, demo):
        assert len(json.dumps(demo.state)) <= 15_000

    def test_hostile_labels_cannot_leave_the_script_or_the_alt_text(self):
        label = HOSTILE[:60]
        demo = demos.trellis(**{**CASINO, "states": [label, "loaded"]}, title=HOSTILE)
        page = demo._repr_mimebundle_()["text/html"]
        assert embedded(demo)["fixed"]["states"][0] == label
        assert embedded(demo)["fixed"]["title"] == HOSTILE
        assert page.count("<script") == page.count("</script>") == 2
        data = page.split('json">')[1].split("</script>")[0]
        assert not set("<>&\u2028") & set(data)
        alt = re.search(r'alt="([^"]*)"', page).group(1)
        assert "<" not in alt and label in html.unescape(alt)

    def test_quiz_fallback_escapes_and_keeps_its_little_markup(self):
        question = demos.Question("<b>`a<b`</b> *very*", answer=1, why=HOSTILE)
        page = demos.quiz("q", [question])._repr_mimebundle_()["text/html"]
        assert "&lt;b&gt;<code>a&lt;b</code>&lt;/b&gt; <em>very</em>" in page
        assert "alert(1)</script>" not in page


class TestTrellis:
    def test_trace_is_the_library_on_the_state_now(self):
        demo = demos.trellis(**CASINO)
        state = demo.state
        state["obs"][3] = 0
        state["params"]["A"][0] = [0.8, 0.2]
        demo.state = state
        obs = np.array(state["obs"])
        model = [np.array(state["params"][key]) for key in ("pi", "A", "B")]
        trace = demo.trace()
        np.testing.assert_array_equal(trace["alpha"], hmm.forward_filter(obs, *model).alpha)
        np.testing.assert_array_equal(trace["gamma"], hmm.smooth(obs, *model))
        np.testing.assert_array_equal(trace["path"], hmm.viterbi(obs, *model).path)

    def test_stored_parameters_keep_twelve_digits(self):
        state = demos.trellis(**CASINO).state
        np.testing.assert_allclose(state["params"]["pi"], [2 / 3, 1 / 3], rtol=1e-11, atol=0)

    def test_impossible_sequence_still_has_a_picture_that_says_so(self):
        demo = demos.trellis("one", [0, 1], [1.0], [[1.0]], [[1.0, 0.0]])
        assert "t=1" in demo._repr_mimebundle_()["text/html"]
        with pytest.raises(ValueError, match="t=1"):
            demo.trace()

    @pytest.mark.parametrize(
        "change, message",
        [
            ({"obs": []}, "obs: the demo shows 1 to 40 steps, got 0"),
            ({"obs": [0] * 41}, "obs: the demo shows 1 to 40 steps, got 41"),
            ({"obs": [0, 6]}, "obs"),
            ({"obs": [0.5]}, "obs at t=0 must be a whole number"),
            ({"A": [[0.9, 0.2], [0.1, 0.9]]}, "A"),
            ({"A": [[1.1, -0.1], [0.1, 0.9]]}, "A"),
            ({"A": [[np.nan, 0.1], [0.1, 0.9]]}, "A"),
            ({"pi": [1.0]}, "pi|A"),
            ({"pi": [[1.0]]}, "pi must have shape"),
            ({"B": [[0.1] * 9 + [0.1]] * 2}, "B: the demo shows 1 to 8 symbols, got 10"),
            ({"states": ["fair"]}, "states must hold 2 labels, got 1"),
            ({"states": ["fair", "fair"]}, "states must differ"),
            ({"t": 12}, "t must be below 12"),
            ({"t": -1}, "t:"),
            ({"name": "Two words"}, "name:"),
            ({"show": "sideways"}, r"opts\.show"),
            ({"cell": 2}, "cell must be below 2"),
        ],
    )
    def test_what_does_not_fit_is_named(self, change, message):
        with pytest.raises(ValueError, match=message):
            demos.trellis(**{**CASINO, **change})


class TestChain:
    def test_scores_are_the_chain_log_probabilities(self):
        trace = demos.chain(**CHAIN).trace()
        for c, (_, pi, A) in enumerate(CHAIN["classes"]):
            expected = markov.chain_log_prob(np.array(CHAIN["tokens"]), np.array(pi), A)
            # 1e-12: sums of four logs in another order
            np.testing.assert_allclose(trace["log_p"][:, c].sum(), expected, rtol=0, atol=1e-12)

    def test_bag_score_is_the_same_in_every_order(self):
        demo = demos.chain(**CHAIN)
        state = demo.state
        before = demo.trace()
        state["tokens"] = [2, 1, 1, 0]
        demo.state = state
        after = demo.trace()
        assert abs(after["bag_score"][-1] - before["bag_score"][-1]) < 1e-12  # another order
        assert abs(after["chain_score"][-1] - before["chain_score"][-1]) > 0.1

    def test_best_order_agrees_with_all_orders(self):
        from itertools import permutations

        pi, A = [0.5, 0.3, 0.2], np.stack([A2, A2[::-1]])
        demo = demos.chain(**CHAIN)
        words = demo.state["fixed"]["goals"][1]["text"]
        scores = []
        for order in permutations(CHAIN["tokens"]):
            state = demo.state
            state["tokens"] = list(order)
            demo.state = state
            scores.append(demo.trace()["chain_score"][-1])
        assert f"{max(scores):+.2f}" in words
        assert len(pi) == A.shape[1]

    def test_one_class_walks_and_comes_near_its_stationary_distribution(self):
        demo = demos.chain("walk", CHAIN["items"], [0, 1], [("only", [1, 0, 0], A2)], seed=3)
        trace = demo.trace()
        assert demo.state["opts"]["mode"] == "walk" and trace["walk"][0] == 0
        # 0.2: 60 steps of a fast mixing chain; the standard error is about 0.06
        limit = markov.stationary_distribution(A2)
        np.testing.assert_allclose(trace["visits"][-1], limit, rtol=0, atol=0.2)

    @pytest.mark.parametrize(
        "change, message",
        [
            ({"tokens": [0]}, "tokens: the demo shows 2 to 12 items, got 1"),
            ({"tokens": [0, 3]}, "tokens"),
            ({"items": ["a"]}, "pi"),
            ({"classes": ()}, "classes: the demo shows 1 to 2 classes, got 0"),
            ({"classes": (("a", [1, 0, 0], A2), ("b", [1, 0], A2))}, "pi"),
            ({"classes": (("a", [1, 0, 0], A2 * 2), ("b", [1, 0, 0], A2))}, "A"),
            ({"t": 4}, "t must be at most 3"),
            ({"seed": -1}, "seed"),
        ],
    )
    def test_what_does_not_fit_is_named(self, change, message):
        with pytest.raises(ValueError, match=message):
            demos.chain(**{**CHAIN, **change})


class TestEm:
    def test_trace_is_baum_welch_from_the_state_now(self):
        start = ([0.5, 0.5], [[0.9, 0.1], [0.2, 0.8]], emissions.Poisson(np.array([10.0, 25.0])))
        demo = demos.em("quakes", QUAKES, start=start, t=3)
        fit = hmm_learning.baum_welch(
            np.array(QUAKES), *map(np.array, start[:2]), start[2], n_iter=3, tol=0
        )
        np.testing.assert_allclose(
            demo.trace()["log_evidence"][:3], fit.history[:3], rtol=0, atol=1e-9
        )  # 1e-9: the same arithmetic, parameters stored with twelve digits

    def test_start_as_dictionary(self):
        start = {"pi": [1, 0], "A": [[0.5, 0.5], [0, 1]], "mean": [0, 1], "var": [1, 2]}
        demo = demos.em("g", [0.1, 0.9, 0.4], kind="gaussian", start=start)
        assert demo.state["params"] == {**start, "mean": [0, 1], "var": [1, 2]}

    def test_a_collapsed_state_stops_the_run_as_in_the_page(self):
        start = {"pi": [0.8, 0.1, 0.1], "A": np.full((3, 3), 1 / 3)}
        start |= {"mean": [0, 5, 2], "var": [1, 1e-3, 1]}
        y = [0.1, 0.9, 0.4, 5.0, 0.2, 0.3, 1.4, 2.2, 3.1, 0.6]
        trace = demos.em("g", y, kind="gaussian", start=start, t=12).trace()
        assert np.isfinite(trace["log_evidence"]).all()
        assert trace["var"][1, 1] < 1e-6 and len(np.unique(trace["mean"][1:, 0])) == 1

    @pytest.mark.parametrize(
        "change, message",
        [
            ({"y": [1]}, "y must have shape"),
            ({"y": [1, -2]}, "y at t=1 must be a count"),
            ({"y": [1, np.nan]}, "y"),
            ({"kind": "binomial"}, "kind must be"),
            ({"K": 5}, "K: the demo shows 1 to 4 states, got 5"),
            ({"start": {"pi": [1.0], "A": [[1.0]], "rate": [0.0]}}, "rate must be above 0"),
            ({"start": {"pi": [1.0], "A": [[1.0]], "rate": [1.0, 2.0]}}, "1 states"),
            ({"n_iter": 61}, "n_iter"),
            ({"t": 31}, "t must be at most"),
        ],
    )
    def test_what_does_not_fit_is_named(self, change, message):
        with pytest.raises(ValueError, match=message):
            demos.em(**{"name": "q", "y": QUAKES, **change})


class TestQuiz:
    @pytest.mark.parametrize(
        "question, message",
        [
            (demos.Question("Both?", [demos.Choice("a", True)], answer=1), "either choices or"),
            (demos.Question("Neither?"), "either choices or"),
            (demos.Question("No right one?", [demos.Choice("a"), demos.Choice("b")]), "no choice"),
            (
                demos.Question("Silent?", [demos.Choice("a", True), demos.Choice("b")]),
                "explain 'a'",
            ),
            (demos.Question("Number?", answer=2), "explain the answer"),
            (demos.Question("Number?", answer=np.nan, why="x"), "must be finite"),
            (demos.Question("One?", [demos.Choice("a", True, "x")]), "choices"),
        ],
    )
    def test_what_does_not_fit_is_named(self, question, message):
        with pytest.raises(ValueError, match=message):
            demos.quiz("q", [question])

    def test_no_trace(self):
        with pytest.raises(ValueError, match="has no trace"):
            demos.quiz("q", questions()).trace()


class TestState:
    def test_a_copy_goes_out(self):
        demo = demos.trellis(**CASINO)
        demo.state["obs"][0] = 99
        assert demo.state["obs"][0] == 2

    def test_what_the_author_fixed_cannot_change(self):
        demo = demos.trellis(**CASINO)
        state = demo.state
        state["fixed"]["states"] = ["x", "y"]
        with pytest.raises(ValueError, match="fixed of a demo cannot change"):
            demo.state = state

    def test_reset(self):
        demo = demos.trellis(**CASINO)
        demo.state = {**demo.state, "t": 5}
        assert demo.t == 5
        demo.reset()
        assert demo.t == 0

    def test_too_many_bytes_are_refused(self):
        rng = np.random.default_rng(0)
        with pytest.raises(ValueError, match="at most 15000"):
            demos.quiz("q", [demos.Question("x" * 1900, answer=1, why="y")] * 9)
        assert len(demos.em("g", rng.normal(size=400), "gaussian").state["fixed"]["y"]) == 400

    def test_unknown_view(self):
        with pytest.raises(ValueError, match="view must be"):
            check_state({"view": "nothing"})


class TestWidget:
    def test_state_and_t_travel_both_ways(self):
        widgets = pytest.importorskip("course_lib.demos._widget")
        if not (widgets.STATIC / "widget-trellis.js").is_file():
            pytest.fail("no bundles: run `make book` or `npm run build:demos` first")
        demo = demos.trellis(**CASINO)
        demo._widget = widget = widgets.make_widget(demo)
        dragged = copy.deepcopy(demo.state)
        dragged["t"], dragged["obs"][0] = 4, 5
        widget.state = dragged  # what the page sends
        assert demo.state == dragged and widget.t == 4
        widget.t = 7
        assert demo.t == 7 and widget.state["t"] == 7
        demo.reset()
        assert widget.state == demo.state and widget.t == 0
        with pytest.raises(ValueError, match="obs"):
            widget.state = {**dragged, "obs": []}


def test_generator_is_mulberry32():
    # first numbers of the published generator for seed 1, as every implementation gives them
    expected = [0.6270739405881613, 0.002735721180215478, 0.5274470399599522]
    assert uniforms(1, 3) == expected
