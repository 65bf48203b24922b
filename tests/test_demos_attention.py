"""Attention map: constructor, goals, and the page's numbers, words and links against Python's.

The drawing in a browser: tests/demos/test_attention_map_page.py.
"""

import json
from math import exp
from operator import eq, ge, gt, le, lt

import numpy as np
import pytest

from course_lib import demos
from course_lib.demos import _attention_map
from course_lib.demos._state import check_state
from tests.demos.attention_demos import K, Q, V, every_demo, largest, look, more_queries, one
from tests.test_demos_flow_parity import javascript

CLOSE = {"rtol": 0, "atol": 1e-12}  # the same sums; demos.md asks for 1e-6
MASKS = ("none", "causal", "padding")


def random_states(demo, rng, n):
    """States as drags, sliders and switches make them."""
    start = demo.state
    T, S = (len(start["fixed"][key]) for key in ("queries", "keys"))
    for number in range(n):
        params = {
            key: rng.uniform(-3, 3, size=(rows, 2)).round(2).tolist()
            for key, rows in (("q", T), ("k", S), ("v", S))
        }
        mask = MASKS[number % 3] if T <= S else ("none", "padding")[number % 2]
        opts = {
            **start["opts"], "mask": mask, "scaled": bool(number % 2), "cell": number % S,
            "temperature": float(rng.uniform(0.05, 4).__round__(2)),
            "length": int(rng.integers(1, S + 1)),
        }  # fmt: skip
        yield {**start, "params": params, "opts": opts, "t": number % T}


@pytest.mark.parametrize("demo", every_demo(), ids=lambda d: d.name)
def test_page_equals_the_library_on_random_states(demo, rng):
    states = list(random_states(demo, rng, 12))
    for now, got in zip(states, javascript([("view", s) for s in states]), strict=True):
        demo.state = now
        trace, mine = demo.trace(), got["result"]
        for name in ("scores", "weights", "context"):
            np.testing.assert_allclose(mine[name], trace[name], **CLOSE, err_msg=name)


def test_trace_by_hand():
    """One query, three keys, the last one padding; temperature 2, no scale."""
    demo = look(scaled=False, temperature=2, mask="padding", length=3)
    trace = demo.trace()
    for t, q in enumerate(Q):
        scores = [q[0] * k[0] + q[1] * k[1] for k in K]
        exps = [exp(e / 2) for e in scores[:3]] + [0.0]
        weights = [e / sum(exps) for e in exps]
        np.testing.assert_allclose(trace["scores"][t], scores, **CLOSE)
        np.testing.assert_allclose(trace["weights"][t], weights, **CLOSE)
        np.testing.assert_allclose(trace["context"][t], np.array(weights) @ np.array(V), **CLOSE)
    assert trace.steps == ("le", "chat", "dort")


def test_scale_divides_by_the_root_of_two_and_masks_hide():
    plain, scaled = look(scaled=False).trace(), look().trace()
    np.testing.assert_allclose(plain["scores"], scaled["scores"] * np.sqrt(2), **CLOSE)
    causal = look(mask="causal").trace()["weights"]  # queries are the last 3 of 4 places
    assert (causal == 0).tolist() == [[False] * 2 + [True] * 2, [False] * 3 + [True], [False] * 4]


class TestConstructor:
    def test_repr_names_the_sizes(self):
        assert [repr(demo) for demo in every_demo()] == [
            "attention_map demo 'look': 3 queries, 4 keys",
            "attention_map demo 'largest': 6 queries, 8 keys",
            "attention_map demo 'one': 1 queries, 1 keys",
            "attention_map demo 'more': 3 queries, 2 keys",
        ]

    def test_the_largest_is_small(self):
        assert len(json.dumps(largest(title="T" * 100).state, separators=(",", ":"))) < 3_000

    def test_vectors_are_rounded_to_what_is_shown(self):
        demo = look(q=[[0.123456, 1], [2, 0], [0, 1]])
        assert demo.state["params"]["q"][0] == [0.12, 1] and demo.trace()["q"][0, 0] == 0.12

    @pytest.mark.parametrize(
        "change, message",
        [
            ({"q": [[1, 2, 3]]}, r"q must have shape \(any, 2\), got \(1, 3\)"),
            ({"q": [[0, 0]] * 7}, "q: the demo shows 1 to 6 queries, got 7"),
            ({"k": [[0, 0]] * 9}, "k: the demo shows 1 to 8 keys, got 9"),
            ({"v": V[:3]}, r"v must have shape \(4, 2\), got \(3, 2\)"),
            ({"v": [[3.5, 0], *V[1:]]}, "v must have entries from -3 to 3, got 3.5"),
            ({"k": [[np.nan, 0], *K[1:]]}, "k must be finite"),
            ({"queries": ["a", "b"]}, "queries must hold 3 labels"),
            ({"keys": ["a", "a", "b", "c"]}, "keys must differ"),
            ({"temperature": 0}, "temperature"),
            ({"temperature": 5}, "temperature"),
            ({"mask": "future"}, "mask"),
            ({"length": 5}, "length must be at most 4, got 5"),
            ({"length": 0}, "length"),
            ({"t": 3}, "t must be at most 2, got 3"),
            ({"cell": 4}, "cell must be at most 3, got 4"),
            ({"title": "T" * 3000}, "title"),
        ],
    )  # fmt: skip
    def test_what_does_not_fit_is_named(self, change, message):
        with pytest.raises(ValueError, match=message):
            look(**change)

    def test_a_causal_mask_needs_enough_keys(self):
        with pytest.raises(ValueError, match="at least as many keys as queries, got 2 and 3"):
            more_queries(mask="causal")
        state = more_queries().state
        causal = {**state, "opts": {**state["opts"], "mask": "causal"}}
        assert javascript([("valid", state), ("valid", causal)]) == [True, False]

    @pytest.mark.parametrize(
        "path, value",
        [("q", Q[:2]), ("v", [*V, [0, 0]]), ("k", [[9, 0], *K[1:]]), ("k", [[1], *K[1:]])],
    )
    def test_both_languages_refuse_vectors_that_do_not_fit(self, path, value):
        state = look().state
        bad = {**state, "params": {**state["params"], path: value}}
        assert javascript([("valid", state), ("valid", bad)]) == [True, False]
        with pytest.raises(ValueError, match="params"):
            demos.Demo(bad, _attention_map)

    def test_the_picture_says_where_each_query_looks(self):
        demo = look()
        page, weights = demo._repr_mimebundle_()["text/html"], demo.trace()["weights"]
        for t, (name, key) in enumerate((("le", "the"), ("chat", "sleeps"), ("dort", "now"))):
            assert f"{name} looks most at {key} ({weights[t].max():.2f})" in page


class TestGoals:
    def reached(self, demo, now):
        """Which goals of the demo the page recognises on a state."""
        (got,) = javascript([("view", now)])
        holds = {">": lt, "<": gt, "<=": ge, ">=": le, "==": eq}  # of (value, what is there)
        return [
            all(holds[sign](value, got["facts"][path]) for path, sign, value in goal["when"])
            for goal in demo.state["fixed"]["goals"]
        ]

    def test_none_at_the_start_and_each_by_dragging(self):
        demo = look()
        start = demo.state
        assert self.reached(demo, start) == [False] * 3
        one_far = {**start, "params": {**start["params"], "q": [[3, 0], *Q[1:]]}}
        one_far["params"]["k"] = [[3, 0.2], *K[1:]]
        assert self.reached(demo, one_far) == [True, False, False]
        origin = {**start, "params": {**start["params"], "q": [[0, 0], *Q[1:]]}}
        assert self.reached(demo, origin) == [False, True, False]
        table = {"q": [[3, 0], [0, 3], [-3, 0]], "k": [[2, 0], [0, 2], [-2, 0], [0, -2]], "v": V}
        assert self.reached(demo, {**start, "params": table}) == [True, False, True]

    def test_a_hot_softmax_is_no_flat_one(self):
        """Weights that are equal because of the temperature or a mask do not count."""
        demo = look()
        hot = {**demo.state, "opts": {**demo.state["opts"], "temperature": 4}}
        hot["params"] = {**hot["params"], "q": [[0.01, 0], *Q[1:]]}
        assert self.reached(demo, hot)[1] is False

    def test_goals_that_are_met_at_the_start_are_left_out(self):
        assert len(look(temperature=0.05).state["fixed"]["goals"]) == 1
        assert one().state["fixed"]["goals"] == []

    def test_authors_goals_are_taken(self):
        goal = demos.Goal("Be sure.", (("largest", ">", 0.99),))
        assert look(goals=[goal]).state["fixed"]["goals"] == [goal.to_json()]


class TestView:
    def test_a_moved_query_changes_its_own_row_only_and_a_moved_key_its_column(self):
        start = look().state
        q = {**start, "params": {**start["params"], "q": [Q[0], [0, 0], Q[2]]}}
        k = {**start, "params": {**start["params"], "k": [K[0], [1, 1], *K[2:]]}}
        before, query, key = (
            np.array(got["result"]["scores"])
            for got in javascript([("view", s) for s in (start, q, k)])
        )
        assert (before != query).tolist() == [[False] * 4, [True] * 4, [False] * 4]
        assert (before != key).tolist() == [[False, True, False, False]] * 3

    def test_a_masked_key_that_moves_changes_nothing(self):
        start = look(mask="padding", length=3).state
        moved = {**start, "params": {**start["params"], "k": [*K[:3], [3, 3]]}}
        before, after = (got["result"] for got in javascript([("view", s) for s in (start, moved)]))
        assert before["weights"] == after["weights"] and before["context"] == after["context"]

    def test_copied_python_rebuilds_the_same_state(self, rng):
        cases = every_demo()
        for demo in cases:
            demo.state = next(random_states(demo, rng, 1))
        for demo, got in zip(cases, javascript([("view", d.state) for d in cases]), strict=True):
            space = {"print": lambda *args: None}
            exec(got["python"], space)  # our own code, made by the view under test
            mine, theirs = (
                {k: v for k, v in d.state.items() if k != "fixed"} for d in (space["demo"], demo)
            )
            assert mine == theirs
            assert space["demo"].state["fixed"]["keys"] == demo.state["fixed"]["keys"]

    def test_arithmetic_ends_in_the_traces_numbers(self, rng):
        demo = look()
        states = list(random_states(demo, rng, 9))
        for now, got in zip(states, javascript([("view", s) for s in states]), strict=True):
            demo.state = now
            trace, t, cell = demo.trace(), now["t"], now["opts"]["cell"]
            sums = {name: text.replace("−", "-") for name, _, text in got["sums"]}
            score = trace["scores"][t, cell] * (np.sqrt(2) if now["opts"]["scaled"] else 1)
            assert sums["compare"].endswith(f"= {score:.3f}")
            assert ("scale" in sums) is now["opts"]["scaled"]
            weight = trace["weights"][t, cell]
            if weight == 0:
                assert "mask" in sums and "exponential" not in sums
            if weight == 0 or weight > 5e-4:
                assert sums["normalise"].endswith(f"= {weight:.3f}")
            if abs(trace["context"][t, 0]) > 5e-4:
                assert sums["mix"].endswith(f"= {trace['context'][t, 0]:.3f}")

    def test_words_and_tables_hold_no_nan_and_no_undefined(self, rng):
        states = [s for demo in every_demo() for s in random_states(demo, rng, 6)]
        for now in states:  # far apart and sharp: exponentials that vanish
            now["params"]["q"][0], now["params"]["k"][0] = [3, 3], [-3, -3]
            now["opts"]["temperature"] = 0.05
        for got in javascript([("view", s) for s in states]):
            words = [got[key] for key in ("say", "sums", "table", "question", "facts")]
            text = json.dumps(words)
            for bad in ("NaN", "undefined", "Infinity", "null"):
                assert bad not in text
            assert 0 <= got["question"]["truth"] <= 1

    def test_the_sentence_says_what_the_mask_hides(self):
        demo = look(mask="causal", t=0)
        (got,) = javascript([("view", demo.state)])
        assert "The causal mask hides 2 of 4 keys" in got["say"]
        check_state(demo.state)
