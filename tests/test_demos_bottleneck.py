"""Bottleneck demo: constructor, what is recovered, beams equal to the library's, the page's words.

The drawing in a browser: tests/demos/test_bottleneck_page.py.
"""

import copy
import json

import numpy as np
import pytest

from course_lib import demos, translation
from course_lib.datasets.translation import ENGLISH, LATIN
from course_lib.datasets.translation import START as START_LATIN
from course_lib.datasets.translation import STOP as STOP_LATIN
from course_lib.demos import _bottleneck as view
from course_lib.demos import _bottleneck_networks, _seq2seq_weights
from course_lib.demos._bottleneck_networks import random_sentences
from course_lib.demos._state import check_state
from course_lib.seq2seq import encode, init_seq2seq, step_decoder
from course_lib.seq2seq_bridge import params_from_translator
from tests.demos.bottleneck_demos import (
    MEANING,
    SENTENCE,
    SOURCE,
    START,
    STOP,
    TARGET,
    every_demo,
    forward,
    network,
    squeeze,
)
from tests.demos.node import run_in_node

CLOSE = {"rtol": 0, "atol": 1e-9}  # the same arithmetic in float64; demos.md asks for 1e-6


def javascript(calls):
    return run_in_node("parity_bottleneck.mjs", [{"fn": fn, "args": args} for fn, *args in calls])


def edited(demo, rng, S):
    state = demo.state
    state["tokens"] = rng.integers(len(SOURCE), size=S).tolist()
    state["opts"]["width"] = int(rng.integers(1, 9))
    return {**state, "t": int(rng.integers(2 * S + 2))}


def by_hand(params, tokens, fixed):
    """P(right word) of each source word from each prefix, one step after the other: the oracle."""
    S = len(tokens)
    out, kept = np.full((S, S), np.nan), np.zeros((S, S), dtype=bool)
    for s in range(S):
        encoded = encode([tokens[: s + 1]], params)
        words = [*range(s + 1)]
        if fixed["order"] == "mirror":
            words.reverse()
        token, h = fixed["start"], encoded.final
        for i in words:
            log_probs, h = step_decoder([token], h, encoded, params)
            token = fixed["meaning"][tokens[i]]
            out[s, i] = np.exp(log_probs[0, token])
            kept[s, i] = log_probs.argmax() == token
    return out, kept


class TestConstructor:
    def test_repr_names_the_sizes(self):
        assert [repr(demo) for demo in every_demo()] == [
            "bottleneck demo 'squeeze': S=6, V=5, H=6, 9",
            "bottleneck demo 'forward': S=2, V=5, H=4",
        ]

    def test_networks_of_8_and_16_units_fit_the_budget(self):
        rng = np.random.default_rng(0)
        words = [f"word{k}" for k in range(8)]
        networks = {f"{H} numbers": init_seq2seq(8, 9, 8, H, rng) for H in (4, 8, 16)}
        demo = demos.bottleneck(
            "x", words, words, [*words, "STOP"], networks, start=9, stop=8, goals=[]
        )
        assert len(json.dumps(demo.state, separators=(",", ":"))) < 14_000

    def test_weights_come_back_rounded_with_every_kind_of_score(self):
        for attention in (None, "dot", "scaled", "additive"):
            params = network(attention=attention)
            data = json.loads(json.dumps(_seq2seq_weights.stored("a", params)))
            again = _seq2seq_weights.params_of(data)
            for key in ("embed_source", "embed_target", "W_out", "b_out"):
                np.testing.assert_allclose(getattr(again, key), getattr(params, key), atol=6e-5)
            for half in ("encoder", "decoder"):
                mine, theirs = getattr(again, half), getattr(params, half)
                np.testing.assert_allclose(mine.W_ha, theirs.W_ha, atol=6e-5)
                assert (mine.reset, mine.update) == (theirs.reset, theirs.update)
            if attention == "additive":
                np.testing.assert_allclose(again.attention.W_k, params.attention.W_k, atol=6e-5)
            else:
                assert again.attention == attention

    @pytest.mark.parametrize("demo", every_demo(), ids=lambda d: d.name)
    def test_trace_is_the_library_on_the_rounded_weights(self, demo):
        trace, state = demo.trace(), demo.state
        S = len(state["tokens"])
        for n, data in enumerate(state["fixed"]["networks"]):
            params = _seq2seq_weights.params_of(data)
            want = by_hand(params, state["tokens"], state["fixed"])
            np.testing.assert_allclose(trace["recovered"][:, :, n], want[0], **CLOSE)
            np.testing.assert_array_equal(trace["kept"][:, :, n], want[1])
            best = _bottleneck_networks.search(
                params, state["tokens"], state["fixed"], state["opts"]["width"]
            )[0]
            row = [*best.tokens, -1, -1, -1, -1, -1, -1][:S]
            row = row[::-1] if state["fixed"]["order"] == "mirror" else row
            assert trace["written"][:, n].tolist() == row
            meant = [state["fixed"]["meaning"][k] for k in state["tokens"]]
            assert trace["right"][:, n].tolist() == [
                a == b for a, b in zip(row, meant, strict=True)
            ]

    @pytest.mark.parametrize(
        "change, message",
        [
            ({"source": ()}, "tokens"),
            ({"source": ("the", "dog")}, "source: 'dog' must be one of the source words"),
            ({"source": ("the",) * 21}, "tokens"),
            ({"networks": {}}, "networks: the demo shows 1 to 3 networks, got 0"),
            ({"networks": {"a": network(), "b": 3}}, "b must be Seq2SeqParams, got int"),
            (
                {"networks": {"a": network(attention="dot")}},
                "'a' must have no attention, got 'dot'",
            ),
            ({"networks": {"a": network(41)}}, "bytes, at most 15000|at most 40 units"),
            ({"networks": {"a": network(V_s=4)}}, "must read 5 words and write 6 tokens, got 4 an"),
            ({"networks": {"a": network(V_t=7)}}, "must read 5 words and write 6 tokens, got 5 an"),
            ({"source_words": ("the", "cat", "saw", "The", "twice"), "source": ("the",)}, "differ"),
            ({"source_words": ("the", "a cat", "b", "c", "d"), "source": ("the",)}, "no spaces"),
            ({"source_words": ("the", "the", "b", "c", "d"), "source": ("the",)}, "differ"),
            ({"meaning": (1, 2)}, "meaning must hold 5 tokens, got 2"),
            ({"meaning": (1, 2, 3, 4, 6)}, "meaning must be below 6, got 6"),
            ({"order": "random"}, "order"),
            ({"start": 7}, "start must be a token that network 'small' can read, got 7"),
            ({"stop": 6}, "stop must be below 6, got 6"),
            ({"t": 14}, "t must be below 14, got 14"),
            ({"width": 0}, "width"),
            ({"width": 9}, "width"),
            ({"network": 2}, "network must be below 2, got 2"),
        ],
    )
    def test_what_does_not_fit_is_named(self, change, message):
        with pytest.raises(ValueError, match=message):
            squeeze(**change)

    @pytest.mark.parametrize("key", ["embed_source", "embed_target", "W_out", "b_out"])
    def test_a_stored_network_of_another_shape_is_refused(self, key):
        state = copy.deepcopy(squeeze().state)
        weights = state["fixed"]["networks"][0]["weights"]
        weights[key] = [int(weights[key][0] > 0), 1, "AAA="]  # one number
        with pytest.raises(ValueError, match="network 'small'"):
            demos.Demo(state, view)
        del weights[key]
        with pytest.raises(ValueError, match="network 'small' lacks"):
            demos.Demo(state, view)

    def test_the_picture_says_the_sentence_and_what_is_wrong(self):
        demo = squeeze()
        page, right = demo._repr_mimebundle_()["text/html"], demo.trace()["right"].sum(axis=0)
        assert f"The sentence “{' '.join(SENTENCE)}”" in page
        for name, count in zip(("small", "large"), right, strict=True):
            assert f"{name} translates {count} of 6 words rightly" in page


class TestView:
    @pytest.mark.parametrize("demo", every_demo(), ids=lambda d: d.name)
    def test_after_an_edit_everything_equals_python(self, demo, rng):
        edits = [edited(demo, rng, S) for S in (1, 2, 6, 6, 7, 20)]
        shared = copy.deepcopy(demo.state)
        shared["tokens"][-1] = (shared["tokens"][-1] + 1) % 5  # all but the last word is the same
        wider = {**demo.state, "opts": {**demo.state["opts"], "width": 8}}  # and the same words
        edits += [shared, wider]
        calls = [("view", now, demo.state) for now in edits]
        for now, got in zip(edits, javascript(calls), strict=True):
            demo.state = now
            want, nets, fixed = demo.trace(), got["result"]["nets"], now["fixed"]
            S, width = len(now["tokens"]), now["opts"]["width"]
            assert got["result"]["target"] == _bottleneck_networks.wanted(
                now["tokens"], fixed
            ).tolist()  # fmt: skip
            for n, data in enumerate(fixed["networks"]):
                for s, row in enumerate(nets[n]["recovered"]):
                    np.testing.assert_allclose(row, want["recovered"][s, : s + 1, n], **CLOSE)
                params = _seq2seq_weights.params_of(data)
                beam = _bottleneck_networks.search(params, now["tokens"], fixed, width)
                mine = nets[n]["beams"][-1]
                assert [one["tokens"] for one in mine] == [list(one.tokens) for one in beam]
                assert [one["finished"] for one in mine] == [one.finished for one in beam]
                logs = [one.log_prob for one in beam]
                np.testing.assert_allclose([one["logProb"] for one in mine], logs, **CLOSE)
                greedy = _bottleneck_networks.search(params, now["tokens"], fixed, 1)[0]
                np.testing.assert_allclose(nets[n]["gain"], logs[0] - greedy.log_prob, **CLOSE)
                assert nets[n]["written"] == [*beam[0].tokens, *[STOP] * beam[0].finished]
                steps = [step["logProbs"][w] for step, w in zip(
                    nets[n]["steps"], nets[n]["written"], strict=True)]  # fmt: skip
                np.testing.assert_allclose(sum(steps), logs[0], **CLOSE)
                right = want["right"][:, n]
                right = right[::-1] if fixed["order"] == "mirror" else right
                assert nets[n]["right"] == right.tolist()
                assert got["facts"]["exact"][n] == _bottleneck_networks.exact(
                    beam[0], got["result"]["target"]
                )
            read = min(now["t"], S - 1)
            np.testing.assert_allclose(got["facts"]["first"], want["recovered"][read, 0], **CLOSE)
            assert got["facts"]["kept"] == want["kept"][read].sum(axis=0).tolist()
            assert got["facts"]["read"] == read + 1 and got["facts"]["words"] == S

    def test_words_and_tables_hold_no_nan_and_no_undefined(self, rng):
        states = [{**d.state, "t": t} for d in every_demo() for t in range(6)]
        states += [edited(d, rng, S) for d in every_demo() for S in (1, 3, 20) for _ in range(3)]
        for k, now in enumerate(states):
            now["opts"]["network"] = k % len(now["fixed"]["networks"])
        for now, got in zip(states, javascript([("view", s) for s in states]), strict=True):
            words = [got[key] for key in ("say", "sums", "table", "question", "facts")]
            words = json.dumps(words, ensure_ascii=False)
            for bad in ("NaN", "undefined", "[object", "Infinity", "none"):
                assert bad not in words, (now["tokens"], now["t"], words)
            assert len(got["say"]) > 40
            S = len(now["tokens"])
            assert len(got["table"]["rows"]) == 2 * S + 2
            assert (got["question"] is None) == (now["t"] >= 2 * S)

    def test_the_truth_of_a_question_is_in_the_trace(self):
        demo = squeeze(network=1)
        states = [{**demo.state, "t": t} for t in range(12)]
        p = demo.trace()["recovered"][:, :, 1]
        for t, got in enumerate(javascript([("view", now) for now in states])):
            want = p[t, 0] if t < 6 else p[5, 11 - t]
            np.testing.assert_allclose(got["question"]["truth"], want, **CLOSE)

    def test_copied_python_rebuilds_the_same_state(self):
        cases = [squeeze(t=9, network=1, seed=7), forward()]
        for demo, got in zip(cases, javascript([("view", d.state) for d in cases]), strict=True):
            space = {"print": lambda *args: None}
            exec(got["python"], space)  # our own code, made by the view under test
            assert space["demo"].state == demo.state

    def test_both_languages_take_and_refuse_the_same_states(self):
        states, verdicts = [], []
        for demo in every_demo():
            good = demo.state
            n, S = len(good["fixed"]["networks"]), len(good["tokens"])
            states += [good, {**good, "t": 2 * S + 1}, {**good, "t": 2 * S + 2}, {**good, "t": -1}]
            states += [{**good, "seed": 2**31}, {**good, "extra": 0}]
            for bad in ([], [5], [-1], [0.5], [0] * 21, "the", None):
                states.append({**good, "t": 0, "tokens": bad})
            for key, bad in (("network", n), ("network", -1), ("width", 9), ("predict", 1)):
                states.append({**good, "opts": {**good["opts"], key: bad}})
        for now in states:
            try:
                check_state(now)
                view.check(now)
                verdicts.append(True)
            except ValueError:
                verdicts.append(False)
        answers = javascript([("valid", now) for now in states])
        for now, mine, theirs in zip(states, answers, verdicts, strict=True):
            assert mine == theirs, (now["name"], now["tokens"], now["t"], now["opts"])
        assert sum(verdicts) == 4


class TestGoals:
    def test_authors_goals_are_taken(self):
        goal = demos.Goal("Be right.", (("exact.0", "==", True),))
        assert squeeze(goals=[goal]).state["fixed"]["goals"] == [goal.to_json()]

    def test_networks_that_write_nothing_right_have_no_goal_of_that_kind(self):
        mute = network(stop=50.0)  # STOP at once
        assert squeeze(networks={"mute": mute}).state["fixed"]["goals"] == []

    def test_wanted_is_mirrored_or_not(self):
        fixed = {"meaning": MEANING, "order": "mirror"}
        assert _bottleneck_networks.wanted([0, 1, 4], fixed).tolist() == [4, 1, 5]
        assert _bottleneck_networks.wanted([0, 1, 4], fixed | {"order": "same"}).tolist() == [
            5, 1, 4,
        ]  # fmt: skip
        assert START == len(TARGET)

    def test_default_goals_of_trained_networks_are_reached_by_some_sentence(self):
        networks = {
            f"{H} numbers": params_from_translator(translation.load(f"plain-{H}", 0))
            for H in (8, 16)
        }
        demo = demos.bottleneck(
            "real", ["sun"], ENGLISH, (*LATIN, "STOP"), networks, start=START_LATIN, stop=STOP_LATIN
        )
        goals = demo.state["fixed"]["goals"]
        assert [goal["text"].split()[3] for goal in goals] == ["of", "that", "and"]
        least = goals[0]["when"][1][2]
        rows = [[*row] for S in (2, 4, least) for row in random_sentences(demo.state["fixed"], S)]
        states = [
            {**demo.state, "tokens": [*map(int, row)], "opts": {**demo.state["opts"], "width": 4}}
            for row in rows
        ]
        reached = set()
        for got in javascript([("view", {**now, "t": 0}) for now in states]):
            reached |= {k for k, goal in enumerate(goals) if holds(goal, got["facts"])}
        assert reached == {0, 1, 2}


def holds(goal, facts):
    """The page's own rule, for these goals: a path, a comparison, a number or a bool."""
    for path, sign, value in goal["when"]:
        left = facts
        for key in path.split("."):
            left = left[int(key)] if isinstance(left, list) else left[key]
        if not {">": left > value, ">=": left >= value, "==": left == value}[sign]:
            return False
    return True
