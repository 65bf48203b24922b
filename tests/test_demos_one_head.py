"""One-head demo: constructor, every stage equal to ``course_lib``, what the page says.

The drawing in a browser: tests/demos/test_one_head_page.py.
"""

import json

import numpy as np
import pytest

from course_lib import attention, demos, positions
from course_lib.demos import _one_head as view
from course_lib.demos._state import check_state
from tests.demos.head_demos import TEXT, VOCABULARY, E, M, every_demo, one_head, weights
from tests.demos.node import run_in_node

CLOSE = {"rtol": 0, "atol": 1e-9}  # both in float64; demos.md asks for 1e-6
STAGES = ("x", "scores", "scaled", "weights", "output")


def javascript(calls):
    """Results of ``[(function, args...), ...]`` in Node."""
    return run_in_node("parity_head.mjs", [{"fn": fn, "args": args} for fn, *args in calls])


def edited(demo, rng):
    """Other words, numbers, switches and cells."""
    state = demo.state
    T = int(rng.integers(1, 11))
    state["text"] = " ".join(rng.choice([*VOCABULARY[1:], "zebra", "don't"], T))
    opts, width = state["opts"], len(state["params"]["W_q"][0])
    opts["positions"] = str(rng.choice(["none", "sinusoidal", "rotary"]))
    opts["causal"], opts["scale"] = (bool(v) for v in rng.integers(2, size=2))
    opts["row"], opts["key"] = (int(v) for v in rng.integers(T, size=2))
    opts["feature"] = int(rng.integers(len(state["params"]["embedding"][0])))
    opts["unit"] = int(rng.integers(3 * width))
    state["params"]["embedding"][1][0] = float(rng.uniform(-4, 4))
    return {**state, "t": int(rng.integers(8))}


def by_formula(state):
    """The output (T, E) by the formulas, one word at a time."""
    p = {key: np.array(x, float) for key, x in state["params"].items()}
    opts = state["opts"]
    numbers = [max(0, VOCABULARY.index(w)) if w in VOCABULARY else 0 for w in view.words_of(state)]
    x = p["embedding"][numbers]
    T, width = len(x), p["W_q"].shape[1]
    if opts["positions"] == "sinusoidal":
        x = x + positions.sinusoidal_positions(T, x.shape[1])
    q, k, v = (x @ p[f"W_{letter}"] for letter in "qkv")
    if opts["positions"] == "rotary":
        q, k = positions.rotate(q), positions.rotate(k)
    out = []
    for t in range(T):
        seen = range(t + 1) if opts["causal"] else range(T)
        shares = np.exp([q[t] @ k[s] / (np.sqrt(width) if opts["scale"] else 1) for s in seen])
        out.append(shares @ v[list(seen)] / shares.sum())
    return np.array(out)


class TestConstructor:
    def test_repr_names_the_sizes(self):
        assert [repr(demo) for demo in every_demo()] == [
            "one_head demo 'head': T=6, V=9, M=6, E=4",
            "one_head demo 'turned': T=6, V=9, M=6, E=4",
            "one_head demo 'bag': T=6, V=9, M=2, E=2",
            "one_head demo 'wide': T=3, V=9, M=8, E=2",
        ]

    def test_trace_is_the_formulas_on_rounded_weights(self, rng):
        for demo in every_demo():
            for _ in range(3):
                demo.state = edited(demo, rng)
                np.testing.assert_allclose(demo.trace()["output"], by_formula(demo.state), **CLOSE)

    def test_largest_demo_fits_the_budget(self, rng):
        words = [f"word{'abcdefghijklmnopqrstuvwxy'[k]}" for k in range(24)]
        demo = one_head(vocabulary=words, text=" ".join(words[:10]), **weights(1, 8, 4, 24))
        assert len(json.dumps(demo.state)) < 5000

    @pytest.mark.parametrize(
        "change, message",
        [
            ({"text": ""}, "text"),
            ({"text": " 1, 2 — !"}, "text must hold a word, got ' 1, 2"),
            ({"text": "cat" + "😀" * 60}, "text must be at most 120 characters"),
            ({"vocabulary": VOCABULARY[:-1]}, r"embedding must have shape \(8, 6\), got"),
            ({"vocabulary": (*VOCABULARY[:-1], "cat")}, "vocabulary must differ"),
            ({"vocabulary": [str(k) for k in range(25)]}, "1 to 24 words, got 25"),
            (weights(M=5), "embedding must have an even width from 2 to 8, got 5"),
            (weights(E=3), "W_q must have an even width from 2 to 4, got 3"),
            (weights(E=6), "W_q must have an even width from 2 to 4, got 6"),
            ({"embedding": weights(M=8)["embedding"]}, r"W_q must have shape \(8, 4\), got"),
            ({"embedding": np.full((9, 6), 4.5)}, r"embedding must lie in \[-4, 4\]"),
            ({"embedding": np.full((9, 6), np.nan)}, "embedding must be finite"),
            ({"embedding": np.ones(9)}, r"embedding must have shape \(any, any\), got \(9,\)"),
            ({"params": weights()["params"][:2]}, "params must hold W_q, W_k and W_v, got 2"),
            ({"params": tuple(11 * np.ones((3, M, E)))}, "params.W_"),
            ({"positions": "learned"}, "opts.positions"),
            ({"causal": 1}, "opts.causal"),
            ({"t": 8}, "t"),
            ({"row": 6}, "row must be below 6, got 6"),
            ({"key": 7}, "key must be below 6, got 7"),
        ],
    )
    def test_what_does_not_fit_is_named(self, change, message):
        with pytest.raises(ValueError, match=message):
            one_head(**change)

    def test_the_picture_says_who_looks_at_whom(self):
        demo = one_head()
        page, w = demo._repr_mimebundle_()["text/html"], demo.trace()["weights"]
        words = TEXT.split()
        for t, s in enumerate(w.argmax(axis=1)):
            assert f"“{words[t]}” looks most at “{words[s]}” ({w[t, s]:.2f})" in page
        assert "A word looks back only." in page
        assert "Every word may look everywhere" in one_head(causal=False)._html()


class TestParity:
    @pytest.mark.parametrize("demo", every_demo(), ids=lambda d: d.name)
    def test_every_stage_equals_python(self, demo, rng):
        states = [demo.state, *(edited(demo, rng) for _ in range(20))]
        for now, got in zip(states, javascript([("view", s) for s in states]), strict=True):
            demo.state = now
            want, stages = demo.trace(), [np.array(x, float) for x in got["stages"]]
            for name, t in zip(STAGES, (1, 3, 4, 6, 7), strict=True):
                np.testing.assert_allclose(stages[t], want[name], **CLOSE, err_msg=name)
            qkv = np.hstack([want[name] for name in "qkv"])
            np.testing.assert_allclose(stages[2], qkv, **CLOSE)
            T = len(want["x"])
            mask = attention.causal_mask(T) if now["opts"]["causal"] else np.ones((T, T), bool)
            np.testing.assert_allclose(stages[5], np.where(mask, want["scaled"], -np.inf), **CLOSE)
            facts, w = got["facts"], want["weights"]
            assert facts["words"] == T == len(got["result"]["words"])
            assert facts["weight"] == pytest.approx(w[now["opts"]["row"], now["opts"]["key"]])
            assert facts["ahead"] == pytest.approx(max(w[0, 1:], default=0), abs=1e-12)
            off = w - np.diag(np.diag(w))
            assert facts["other"] == pytest.approx(off.max(), abs=1e-12)

    def test_words_and_tables_hold_no_nan_and_no_undefined(self, rng):
        states = [{**edited(demo, rng), "t": t} for demo in every_demo() for t in range(8)]
        for now, got in zip(states, javascript([("view", s) for s in states]), strict=True):
            words = json.dumps([got[key] for key in ("say", "sums", "table", "question", "facts")])
            for bad in ("NaN", "undefined", "[object", "Infinity", "none"):
                assert bad not in words, (now["t"], now["opts"], words)
            assert len(got["say"]) > 40
            assert len(got["table"]["rows"]) == 8

    def test_the_arithmetic_ends_in_the_cell(self, rng):
        """Sums, products and quotients are what they say, up to the rounding of what is shown."""
        states = [{**edited(demo, rng), "t": t} for demo in every_demo() for t in (1, 2, 3, 7)]
        for now, got in zip(states, javascript([("view", s) for s in states]), strict=True):
            last = got["sums"][-1][2].replace("−", "-")
            opts, t = now["opts"], now["t"]
            width = len(now["params"]["W_q"][0])
            column = {1: opts["feature"], 2: opts["unit"], 3: opts["key"], 7: opts["unit"] % width}
            value = got["stages"][t][opts["row"]][column[t]]
            if "10" not in last.split("= ")[-1]:  # not a power of ten
                assert float(last.split("= ")[-1]) == pytest.approx(value, abs=6e-4)
            if "·" in last and "(" not in last and "10⁻" not in last:
                terms = [term.split("·") for term in last.split(" = ")[0].split(" + ")]
                total = sum(float(a) * float(b) for a, b in terms)
                assert total == pytest.approx(value, abs=0.3)

    def test_copied_python_rebuilds_the_same_state(self):
        cases = [*every_demo(), one_head(text='The "cat" \\ saw 😀 a\n dog', goals=[])]
        for demo, got in zip(cases, javascript([("view", d.state) for d in cases]), strict=True):
            said = []
            space = {"print": lambda *args, said=said: said.append(args[0])}
            exec(got["python"], space)  # our own code, made by the view under test
            again, mine = space["demo"].state, demo.state
            for state in (again, mine):
                state["fixed"]["goals"] = []
            assert again == mine
            np.testing.assert_allclose(said[0], demo.trace()["weights"].round(3), atol=1e-12)

    def test_both_languages_take_and_refuse_the_same_states(self):
        states, verdicts = [], []
        for demo in every_demo():
            good = demo.state
            T, width = len(view.words_of(good)), len(good["params"]["W_q"][0])
            states += [good, {**good, "t": -1}, {**good, "t": 8}, {**good, "extra": 0}]
            for text in ("", "1 2", 3, None, "x" * 121, "😀 cat " * 18, "cat"):
                states.append({**good, "opts": {**good["opts"], "row": 0, "key": 0}, "text": text})
            for key, bad in (
                ("row", T), ("key", T), ("row", -1), ("feature", 8), ("unit", 3 * width),
                ("causal", 0), ("scale", None), ("positions", "relative"), ("predict", 1),
            ):  # fmt: skip
                states.append({**good, "opts": {**good["opts"], key: bad}})
            p = good["params"]
            for key, bad in (
                ("embedding", [[0.5, 1.0]]), ("embedding", [*p["embedding"][:-1], [1.0, 1.0, 1.0]]),
                ("embedding", [[4.5] * len(row) for row in p["embedding"]]),
                ("W_q", p["embedding"]),
                ("W_k", p["W_k"][:-1]), ("W_v", [row[:1] for row in p["W_v"]]),
                ("W_v", [[11.0] * width for _ in p["W_v"]]), ("W_v", None),
            ):  # fmt: skip
                states.append({**good, "params": {**p, key: bad}})
        for now in states:
            try:
                check_state(now)
                view.check(now)
                verdicts.append(True)
            except ValueError:
                verdicts.append(False)
        answers = javascript([("valid", now) for now in states])
        for now, mine, theirs in zip(states, answers, verdicts, strict=True):
            assert mine == theirs, (now["name"], now["text"], now["opts"])
        assert sum(verdicts) == 2 * len(every_demo())  # as it is, and with one word


class TestOrder:
    """What the demo is for: who notices that words change places."""

    def swapped(self, **options):
        here = one_head(**options).state
        there = {**here, "text": "the cat chased a small dog"}
        ((gaps),) = javascript([("apart", there, here)])
        return gaps

    def test_without_mask_and_positions_outputs_go_along(self):
        assert max(self.swapped(positions="none", causal=False)) < 1e-12

    @pytest.mark.parametrize(
        "options", [{"positions": "sinusoidal"}, {"positions": "rotary"}, {"causal": True}]
    )
    def test_each_of_them_tells_the_order(self, options):
        assert max(self.swapped(**{"positions": "none", "causal": False, **options})) > 0.01

    def test_words_twice_are_compared_each_with_its_own(self):
        here = one_head(text="the cat saw the dog", positions="none", causal=False).state
        gaps, other = javascript(
            [
                ("apart", {**here, "text": "the the cat dog saw"}, here),
                ("apart", {**here, "text": "the cat saw the cat"}, here),
            ]
        )
        assert len(gaps) == 5 and max(gaps) < 1e-12
        assert other is None
        told = one_head(text="the cat saw the dog").state  # by its place
        assert javascript([("apart", told, told)]) == [[0, 0, 0, 0, 0]]

    def test_a_link_to_fewer_words_moves_the_chosen_cells(self):
        state = {**one_head(row=5, key=4).state, "text": "the cat"}
        (tidy,) = javascript([("tidy", state)])
        assert (tidy["opts"]["row"], tidy["opts"]["key"]) == (1, 1)


class TestGoals:
    def test_each_is_open_at_first_and_reached_by_some_change(self, rng):
        small = tuple(0.3 * W for W in weights()["params"])
        demo = one_head(params=small)
        start = demo.state
        states = [start, {**start, "text": "cat the small dog chased a"}]
        states[1]["opts"] = {**start["opts"], "causal": False, "positions": "none"}
        for _ in range(60):
            embedding = rng.choice([-4.0, 4.0], (9, 6)).tolist()
            states.append({**start, "params": {**start["params"], "embedding": embedding}})
        facts = [got["facts"] for got in javascript([("view", now, start) for now in states])]
        assert facts[0]["along"] is False and facts[0]["ahead"] == 0 and facts[0]["other"] < 0.9
        assert facts[1]["along"] is True and facts[1]["ahead"] > 0
        assert max(fact["other"] for fact in facts) > 0.9
        goals = [goal["when"][0][0] for goal in start["fixed"]["goals"]]
        assert goals == ["other", "ahead", "along"]

    def test_what_no_drag_reaches_is_no_goal(self):
        none = tuple(0.01 * W for W in weights()["params"])
        goals = one_head(params=none, causal=False, text="the the").state["fixed"]["goals"]
        assert goals == []

    def test_one_word_has_none_and_the_authors_are_taken(self):
        assert one_head(text="cat").state["fixed"]["goals"] == []
        goal = demos.Goal("Look.", (("weight", ">", 0.5),))
        assert one_head(goals=[goal]).state["fixed"]["goals"] == [goal.to_json()]
