"""Alignment demo: constructor, goals, and the page's numbers, words and links against Python's.

The drawing in a browser: tests/demos/test_alignment_page.py.
"""

import json

import numpy as np
import pytest

from course_lib import demos, seq2seq
from course_lib.demos import _alignment, _alignment_network, _seq2seq_weights
from tests.demos.alignment_demos import (
    MEANING,
    SENTENCE,
    SOURCE,
    START,
    STOP,
    dot,
    early,
    every_demo,
    grow,
    network,
)
from tests.test_demos_flow_parity import javascript

CLOSE = {"rtol": 0, "atol": 1e-9}  # demos.md asks for 1e-6
USES = ("trained", "uniform", "hardest")


def edits(demo, rng):
    """States as typing, moving and switches make them."""
    for number, S in enumerate((1, 3, 6, 20)):
        tokens = rng.integers(len(SOURCE), size=S).tolist()
        opts = {**demo.state["opts"], "use": USES[number % 3], "cell": number % S}
        yield {**demo.state, "tokens": tokens, "t": min(S, number), "opts": opts}
    yield {**demo.state, "tokens": demo.state["tokens"][::-1]}


@pytest.mark.parametrize("make", [grow, early, dot])
def test_page_equals_python_after_every_edit(make, rng):
    demo = make()
    states = list(edits(demo, rng))
    calls = [("view", now, demo.state) for now in states]
    for now, got in zip(states, javascript(calls), strict=True):
        demo.state = now
        trace, steps = demo.trace(), got["result"]["steps"]
        assert [step["written"] for step in steps] == trace["written"].tolist()
        for name, key in (("weights", "weights"), ("log_probs", "logProbs")):
            mine = [step[key] for step in steps]
            np.testing.assert_allclose(mine, trace[name], **CLOSE, err_msg=name)
        right = got["result"]["target"][: trace.T]
        assert right == trace["right"].tolist()


@pytest.mark.parametrize("make", [grow, early, dot])
def test_trained_weights_are_those_of_the_librarys_decoder(make):
    """Teacher forcing on what was written gives the same weights and probabilities."""
    demo = make()
    trace = demo.trace()
    params = _seq2seq_weights.params_of(demo.state["fixed"]["network"])
    encoded = seq2seq.encode(np.array([demo.state["tokens"]]), params)
    target_in = np.array([[START, *trace["written"][:-1]]])
    told = seq2seq.decode_teacher(target_in, encoded, params)
    np.testing.assert_allclose(trace["weights"], told.weights[0], **CLOSE)
    np.testing.assert_allclose(trace["log_probs"], told.log_probs[0], **CLOSE)
    assert trace["written"].tolist() == told.log_probs[0].argmax(axis=1).tolist()


def test_replaced_weights():
    uniform, hardest = (grow(use=use).trace()["weights"] for use in ("uniform", "hardest"))
    np.testing.assert_allclose(uniform, 1 / len(SENTENCE), **CLOSE)
    assert set(hardest.ravel().tolist()) == {0.0, 1.0} and (hardest.sum(axis=1) == 1).all()
    first = grow().trace()["weights"][0]
    assert hardest[0].argmax() == first.argmax()  # before the outputs can differ


def test_what_should_be_written_is_the_mirror_or_the_same_order():
    meant = [MEANING[SOURCE.index(word)] for word in SENTENCE]
    assert grow().trace()["right"].tolist() == [*meant[::-1], STOP][: grow().trace().T]
    assert early(source=SENTENCE).trace()["right"].tolist() == meant[: early().trace().T]


class TestConstructor:
    def test_repr_names_the_sizes(self):
        assert [repr(demo) for demo in every_demo()] == [
            "alignment demo 'grow': S=6, V=5, H=7, additive",
            "alignment demo 'early': S=6, V=5, H=7, scaled",
            "alignment demo 'dot': S=1, V=5, H=7, dot",
        ]

    def test_sixteen_units_of_the_chapters_task_fit_the_budget(self):
        rng = np.random.default_rng(0)
        words = [f"word{k}" for k in range(8)]
        params = seq2seq.init_seq2seq(8, 9, 8, 16, rng, "additive")
        demo = demos.alignment(
            "full", words * 2, words, [*words, "STOP"], params, start=9, stop=8, title="T" * 60
        )
        assert len(json.dumps(demo.state, separators=(",", ":"))) < 12_000

    @pytest.mark.parametrize(
        "change, message",
        [
            ({"source": ["the", "dog"]}, "source: 'dog' must be one of the source words"),
            ({"source": []}, "tokens"),
            ({"source": ["the"] * 21}, "tokens"),
            ({"source_words": ["the", "The"], "source": ["the"]}, "differ in lower case"),
            ({"source_words": ["a b", "c"], "source": ["c"]}, "hold no spaces"),
            ({"meaning": [0, 1]}, "meaning must hold 5 tokens, got 2"),
            ({"meaning": [9] * 5}, "meaning must be below 6, got 9"),
            ({"params": 3}, "must be Seq2SeqParams, got int"),
            ({"params": network(None)}, "params must have attention, got None"),
            ({"target_words": ["STOP", "a"]}, "write 2 tokens, got 5 and 6"),
            ({"start": 7}, "start must be below 7, got 7"),
            ({"stop": 6}, "stop must be below 6, got 6"),
            ({"t": 7}, "t must be below 7, got 7"),
            ({"cell": 6}, "cell must be below 6, got 6"),
            ({"use": "none"}, "use"),
            ({"order": "random"}, "order"),
        ],
    )
    def test_what_does_not_fit_is_named(self, change, message):
        with pytest.raises(ValueError, match=message):
            grow(**change)

    @pytest.mark.parametrize(
        "change", [{"tokens": [5]}, {"tokens": [0], "opts": {"use": "trained", "cell": 1}}]
    )
    def test_both_languages_refuse_a_state_that_does_not_fit(self, change):
        state = grow().state
        bad = {**state, **change, "t": 0}
        bad["opts"] = {**state["opts"], **change.get("opts", {})}
        assert javascript([("valid", state), ("valid", bad)]) == [True, False]
        with pytest.raises(ValueError, match="must be below"):
            demos.Demo(bad, _alignment)

    def test_the_picture_says_where_each_token_looks(self):
        demo = grow()
        page, trace = demo._repr_mimebundle_()["text/html"], demo.trace()
        top = int(trace["weights"][0].argmax())
        word = f"{trace.steps[0]}: {SENTENCE[top]} ({trace['weights'][0, top]:.2f})"
        assert word in page and "tokens are wrong" in page


class TestGoals:
    def test_each_is_reached_by_a_sentence_that_the_page_recognises(self):
        """A network that copies one word: meaning is what it writes, so that some are right."""
        params = network("additive")
        said = {}
        for k, word in enumerate(SOURCE):
            said[k] = int(grow(params=params, source=[word]).trace()["written"][0])
        demo = grow(params=params, meaning=[said[k] for k in range(5)], source=["the", "cat"])
        goals = demo.state["fixed"]["goals"]
        assert goals
        rng = np.random.default_rng(0)
        states = []
        for _ in range(60):
            tokens = rng.integers(5, size=rng.integers(1, 21)).tolist()
            opts = {**demo.state["opts"], "use": USES[len(states) % 2]}
            states.append({**demo.state, "tokens": tokens, "t": 0, "opts": opts})
        facts = [got["facts"] for got in javascript([("view", s) for s in states])]
        start = javascript([("view", demo.state)])[0]["facts"]
        for goal in goals:
            assert not holds(goal, start)
            assert any(holds(goal, fact) for fact in facts), goal["text"]

    @pytest.mark.parametrize("order", ["mirror", "same"])
    def test_facts_of_both_languages_agree(self, order, rng):
        demo = grow(order=order, goals=[])
        drawn = [rng.integers(5, size=n).tolist() for n in range(1, 21)]
        states = [{**demo.state, "tokens": tokens, "t": 0} for tokens in drawn]
        params = _seq2seq_weights.params_of(demo.state["fixed"]["network"])
        got = [one["facts"] for one in javascript([("view", s) for s in states])]
        mine = [_alignment_network._facts(params, s["tokens"], s["fixed"]) for s in states]
        assert mine == [(one["words"], one["exact"], one["elsewhere"]) for one in got]
        elsewhere = [one["right"] - one["elsewhere"] for one in got]
        assert any(one["elsewhere"] for one in got) and any(elsewhere)  # some here, some there

    def test_authors_goals_are_taken(self):
        goal = demos.Goal("All right.", (("exact", "==", True),))
        assert grow(goals=[goal]).state["fixed"]["goals"] == [goal.to_json()]


def holds(goal, facts):
    """The page's own rule, for what these goals use."""
    for path, sign, value in goal["when"]:
        left = facts[path]
        if not (left == value if sign == "==" else left >= value):
            return False
    return True


class TestView:
    def test_what_was_kept_of_the_last_state_changes_nothing(self, rng):
        demo = grow()
        states = list(edits(demo, rng))
        calls = [("view", now, *old) for now in states for old in ((demo.state,), ())]
        got = javascript(calls)
        for from_old, fresh in zip(got[::2], got[1::2], strict=True):
            assert from_old["result"] == fresh["result"]

    def test_a_later_word_leaves_the_encoders_states_before_it_alone(self):
        start = grow().state
        tokens = [*start["tokens"]]
        tokens[4] = 4
        before, after = javascript([("view", start), ("view", {**start, "tokens": tokens})])
        old, new = (np.array(got["result"]["states"]) for got in (before, after))
        assert np.array_equal(old[:4], new[:4]) and np.all(old[4:] != new[4:])

    @pytest.mark.parametrize("make", [grow, early, dot])
    def test_copied_python_rebuilds_the_same_state(self, make):
        demo = make(goals=[])
        (got,) = javascript([("view", demo.state)])
        space = {"print": lambda *args: None}
        exec(got["python"], space)  # our own code, made by the view under test
        mine, theirs = space["demo"].state, demo.state
        mine["fixed"]["goals"] = []
        assert mine == theirs

    def test_arithmetic_ends_in_the_traces_numbers(self, rng):
        for demo in (grow(), early(stop=1), dot()):
            states = [{**s, "t": 0} for s in edits(demo, rng)]
            for now, got in zip(states, javascript([("view", s) for s in states]), strict=True):
                demo.state = now
                trace, cell = demo.trace(), now["opts"]["cell"]
                sums = {name: text.replace("−", "-") for name, _, text in got["sums"]}
                p = np.exp(trace["log_probs"][0].max())
                assert sums["probability"] == f"{p:.3f}"
                if now["opts"]["use"] == "trained" and trace["weights"][0, cell] > 5e-4:
                    assert sums["normalise"].endswith(f"= {trace['weights'][0, cell]:.3f}")
                if now["opts"]["use"] == "uniform":
                    assert sums["replace"] == f"{1 / len(now['tokens']):.3f}"

    def test_words_and_tables_hold_no_nan_and_no_undefined(self, rng):
        states = []
        for demo in every_demo():
            for now in edits(demo, rng):
                states += [{**now, "t": t} for t in {0, len(now["tokens"])}]
        for got in javascript([("view", s) for s in states]):
            text = json.dumps([got[key] for key in ("say", "sums", "table", "facts")])
            for bad in ("NaN", "undefined", "Infinity", "null"):
                assert bad not in text

    def test_after_stopping_it_says_so_and_asks_nothing(self):
        demo = early(t=5)
        assert demo.trace().T < 5
        (got,) = javascript([("view", demo.state)])
        assert got["say"].startswith("It has stopped") and got["question"] is None
