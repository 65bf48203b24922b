"""Scan-tree demo: constructor, goals, and the page's numbers against the library's.

The drawing in a browser: tests/demos/test_scan_tree_page.py.
"""

import copy
import json
from dataclasses import replace

import numpy as np
import pytest

from course_lib import demos, hmm
from course_lib.demos import _scan_tree
from course_lib.demos._scan_models import inputs, memory, params, rounds
from course_lib.demos._state import check_state
from course_lib.linear_attention import (
    LinearAttentionParams,
    init_linear_attention,
    linear_attention_loop,
    linear_attention_scan,
)
from course_lib.linear_recurrence import LinearParams, linear_rnn_scan
from course_lib.min_rnn import MinGRUParams, init_min_gru, min_gru_scan
from course_lib.scan import forward_scan
from tests.demos.scan_demos import ROLLS, X, every_demo, other, scan_tree
from tests.test_demos_flow_parity import javascript

CLOSE = {"rtol": 0, "atol": 1e-9}
KINDS = ("min_gru", "linear", "hmm", "attention")
SCANS = {
    "hmm": lambda x, obs, model: forward_scan(obs, *model)[0][:, 1],
    "linear": lambda x, obs, p: linear_rnn_scan(x, p).h[0, 1:, 0],
    "min_gru": lambda x, obs, p: min_gru_scan(x, p)[0][0, :, 0],
    "attention": lambda x, obs, p: linear_attention_scan(x, p)[0][0, :, 0],
}


def edits_of(rng, demo, count=3):
    """The demo's state with other inputs, sizes and dials, for every recurrence."""
    states = []
    for kind in KINDS:
        for _ in range(count):
            opts = {
                **demo.state["opts"], "kind": kind, "length": int(rng.integers(2, 17)), "cell": 1,
                "decay": round(rng.uniform(), 2), "gate": round(rng.uniform(-6, 6), 2),
                "tokens": int(rng.integers(1, 4097)),
            }  # fmt: skip
            xs = rng.uniform(-2, 2, 16).round(2).tolist()
            obs = rng.integers(0, len(demo.state["fixed"]["symbols"]), 16).tolist()
            states.append({**demo.state, "xs": xs, "obs": obs, "t": 1, "opts": opts})
    return states


@pytest.mark.parametrize("make", [scan_tree, other], ids=["usual", "other"])
def test_page_and_trace_equal_the_library_on_random_inputs(make, rng):
    demo = make()
    edits = edits_of(rng, demo)
    for now, got in zip(edits, javascript([("view", s) for s in edits]), strict=True):
        demo.state = now
        trace, mine = demo.trace(), got["result"]
        x, obs = inputs(now)
        want = SCANS[now["opts"]["kind"]](x, obs, params(now))
        np.testing.assert_allclose(trace["loop"], want, **CLOSE)
        np.testing.assert_allclose(trace["scan"][:, -1], want, **CLOSE)
        np.testing.assert_allclose(mine["loop"], want, **CLOSE)
        np.testing.assert_allclose(np.transpose(mine["said"]), trace["scan"], **CLOSE)
        np.testing.assert_array_equal(mine["memory"], memory(now["opts"], now["opts"]["tokens"]))


class TestNodes:
    @pytest.mark.parametrize("kind", KINDS)
    def test_a_node_says_what_the_model_says_of_its_elements_alone(self, kind):
        """An oracle for every node: run the library on the piece of the sequence it holds."""
        state = other(kind=kind).state
        T, got = state["opts"]["length"], rounds(state)
        model = params(state)
        for r in range(len(got)):
            for j in range(T):
                first = max(0, j - 2**r + 1)
                piece = copy.deepcopy(state)
                piece["opts"]["length"] = j + 1 - first
                for key in ("xs", "obs"):
                    piece[key] = piece[key][first:] + piece[key][:first]
                x, obs = inputs(piece)
                if kind == "hmm" and first:  # from any state, both as likely before its step
                    pi = np.full(2, 0.5) @ model[1]
                    want = hmm.forward_filter(obs, pi, *model[1:]).alpha[-1, 1]
                else:
                    want = SCANS[kind](x, obs, model)[-1]
                np.testing.assert_allclose(got[r, j], want, **CLOSE)

    def test_every_round_doubles_the_reach(self, rng):
        """An input changes exactly the nodes that hold it."""
        for kind in KINDS:
            state = other(kind=kind).state
            before, j = rounds(state), 4
            state["xs"][j], state["obs"][j] = -1.93, (state["obs"][j] + 1) % 3
            changed = ~np.isclose(rounds(state), before, rtol=0, atol=1e-12)
            for r, row in enumerate(changed):
                assert not row[:j].any() and not row[j + 2**r :].any()
                assert row[j : j + 2**r].all()

    @pytest.mark.parametrize("T, last, work", [(2, 1, 1), (3, 2, 3), (8, 3, 17), (16, 4, 49)])
    def test_rounds_and_combinations_are_counted(self, T, last, work):
        demo = scan_tree(length=T)
        assert demo.trace()["scan"].shape == (T, last + 1)
        (got,) = javascript([("view", demo.state)])
        facts = got["facts"]
        assert (facts["rounds"], facts["combines"]) == (last, work)
        assert facts["ratio"] == pytest.approx(work / (T - 1))
        assert [row[1] for row in got["table"]["rows"]] == [
            str(T - 2 ** (r - 1) if r else 0) for r in range(last + 1)
        ]


class TestMemory:
    def test_bytes_are_those_of_real_arrays(self):
        opts = {"layers": 3, "width": 24, "heads": 4, "memories": 5}
        E, T = 6, 7
        keys = np.zeros((1, 4, T, E), dtype=np.float32)  # of one layer, as many values
        cache, gru, attention, ssm = memory(opts, T)
        assert cache == 3 * 2 * keys.nbytes
        assert gru == 3 * np.zeros(24, dtype=np.float32).nbytes
        assert ssm == 3 * np.zeros((24, 5), dtype=np.float32).nbytes
        head = init_linear_attention(2, E, E, np.random.default_rng(0))
        one = linear_attention_loop(np.ones((1, T, 2)), head)[1].nbytes  # float64
        assert attention == 3 * 4 * one / 2

    def test_the_cache_grows_and_the_rest_does_not(self):
        trace = scan_tree(length=16).trace()
        assert (np.diff(trace["cache"]) == trace["cache"][0]).all()
        assert (trace["fixed"] == trace["fixed"][0]).all()


class TestConstructor:
    def test_repr_names_the_sizes(self):
        assert [repr(demo) for demo in every_demo()] == [
            "scan_tree demo 'rounds': minGRU, T=8, 3 rounds",
            "scan_tree demo 'rolls': HMM forward, T=16, 4 rounds",
            "scan_tree demo 'other': minGRU, T=11, 4 rounds",
            "scan_tree demo 'sums': linear attention, T=11, 4 rounds",
            "scan_tree demo 'decay': linear RNN, T=2, 1 round",
            "scan_tree demo 'wet': HMM forward, T=11, 4 rounds",
        ]

    def test_short_inputs_are_repeated(self):
        state = scan_tree().state
        assert state["xs"] == [*X, *X[:5]] and state["obs"] == [*ROLLS, *ROLLS, *ROLLS[:2]]
        assert demos.scan_tree("a", [0.5]).state["obs"][:7] == [0, 1, 2, 3, 4, 5, 0]

    def test_cell_counts_from_the_end_where_negative(self):
        assert scan_tree(cell=-1, length=5).state["opts"]["cell"] == 4

    @pytest.mark.parametrize(
        "change, message",
        [
            ({"x": []}, "x must hold 1 to 16"),
            ({"x": [0.0] * 17}, "x must hold 1 to 16"),
            ({"x": [np.nan]}, "x must be finite"),
            ({"x": [2.1]}, "maximum of 2"),
            ({"obs": [0, 6]}, "obs.1: 6 is greater than"),
            ({"obs": [0, 4], "hmm": ([1, 0], np.eye(2), np.full((2, 4), 0.25))},
             "obs at t=1 must be below 4, got 4"),
            ({"kind": "gru"}, "kind"),
            ({"length": 17, "cell": 0}, "length"),
            ({"t": 4}, "t must be a round from 0 to 3, got 4"),
            ({"cell": 8}, "cell must be below 8"),
            ({"heads": 5}, "heads must divide the width 64, got 5"),
            ({"hmm": ([0.2, 0.3, 0.5], np.eye(3), np.full((3, 2), 0.5))}, "2 states"),
            ({"hmm": ([0.5, 0.5], np.eye(2), [[1, 0], [0.5, 0.5]])}, "every symbol"),
            ({"hmm": ([0.5, 0.6], np.eye(2), [[0.5, 0.5]] * 2)}, "pi must sum to 1"),
            ({"linear": MinGRUParams([[1]], [[1]], [0], [0])}, "linear must be LinearParams"),
            ({"linear": LinearParams(np.ones(2), np.ones((1, 2)), np.ones(2))}, "linear"),
            ({"linear": LinearParams(np.array([1.1]), np.ones((1, 1)), np.ones(1))}, "decay"),
            ({"min_gru": init_min_gru(2, 1, np.random.default_rng(0))}, r"min_gru.W_z must have"),
            ({"attention": LinearAttentionParams(np.ones((1, 3)), np.ones((1, 3)), [[1.0]])},
             r"attention.W_q must have shape \(1, 2\)"),
            ({"attention": LinearAttentionParams(np.ones((1, 2)), np.ones((1, 2)), [[1.0]], 0.5)},
             "no decay"),
            ({"symbols": "abc"}, "symbols must hold 6 labels"),
            ({"states": ("a",)}, "states must hold 2 labels"),
        ],
    )  # fmt: skip
    def test_what_does_not_fit_is_named(self, change, message):
        with pytest.raises(ValueError, match=message):
            scan_tree(**change)

    def test_the_picture_says_work_and_memory(self):
        page = scan_tree()._repr_mimebundle_()["text/html"]
        assert "The loop makes 7 combinations one after another, the scan 17 in 3 rounds" in page
        assert "key-value cache holds 2048000 bytes" in page

    def test_the_state_is_small(self):
        for demo in every_demo():
            assert len(json.dumps(demo.state)) < 3000


class TestGoals:
    def test_each_can_be_reached_and_none_is_at_the_start(self):
        demo = scan_tree()
        goals = demo.state["fixed"]["goals"]
        assert len(goals) == 3
        tries = [demo.state]
        last = copy.deepcopy(demo.state)
        last["xs"][7] += 0.5
        long, few = copy.deepcopy(demo.state), copy.deepcopy(demo.state)
        long["opts"]["length"], few["opts"]["tokens"] = 13, 5
        answers = javascript([("view", now, demo.state) for now in (*tries, last, long, few)])
        start, *reached = (got["facts"] for got in answers)

        def holds(goal, facts):
            return all(compare(facts, *condition) for condition in goal["when"])

        assert [holds(goal, start) for goal in goals] == [False] * 3
        for number, facts in enumerate(reached):
            assert [holds(goal, facts) for goal in goals] == [k == number for k in range(3)]

    def test_a_goal_that_the_start_meets_is_left_out(self):
        assert len(scan_tree(length=16).state["fixed"]["goals"]) == 2
        assert len(scan_tree(tokens=5).state["fixed"]["goals"]) == 2

    def test_authors_goals_are_taken(self):
        goal = demos.Goal("Step on.", (("round", "==", 3),))
        assert scan_tree(goals=[goal]).state["fixed"]["goals"] == [goal.to_json()]


def compare(facts, path, sign, value):
    def at(text):
        spot = facts
        for key in text.split("."):
            spot = spot[int(key)] if isinstance(spot, list) else spot[key]
        return spot

    left, right = at(path), at(value) if isinstance(value, str) else value
    return {"==": left == right, ">": left > right, "<": left < right}[sign]


class TestView:
    def test_copied_python_rebuilds_the_same_state(self):
        cases = every_demo()
        for demo, got in zip(cases, javascript([("view", d.state) for d in cases]), strict=True):
            space = {"print": lambda *args: None}
            exec(got["python"], space)  # our own code, made by the view under test
            assert space["demo"].state == demo.state

    def test_words_and_tables_hold_no_nan_and_no_undefined(self):
        states = []
        for demo in every_demo():
            T = demo.state["opts"]["length"]
            for kind in KINDS:
                for t in range(len(rounds(demo.state))):
                    for cell in {0, T // 2, T - 1}:
                        opts = {**demo.state["opts"], "kind": kind, "cell": cell}
                        states.append({**demo.state, "t": t, "opts": opts})
        for now, got in zip(states, javascript([("view", s) for s in states]), strict=True):
            words = [got[key] for key in ("say", "sums", "table", "question", "facts")]
            words = json.dumps(words, ensure_ascii=False)
            for bad in ("NaN", "undefined", "[object", "Infinity", "none", "null"):
                assert bad not in words, (now["opts"], now["t"], words)
            said, question = got["result"]["said"][now["t"]], got["question"]
            assert len(got["say"]) > 60 and 2 <= len(got["sums"]) <= 4
            assert question["truth"] == said[now["opts"]["cell"]]
            assert question["min"] <= question["truth"] <= question["max"]
            # The last line of the arithmetic ends in what the node says.
            end = got["sums"][-1][2].rsplit("= ", 1)[1].replace("−", "-")
            if "·" not in end:  # no power of ten
                assert float(end) == pytest.approx(question["truth"], abs=6e-4)

    def test_both_languages_take_and_refuse_the_same_states(self):
        states, verdicts = [], []
        for demo in (scan_tree(), other(kind="hmm")):
            good = demo.state
            states += [good, {**good, "t": -1}, {**good, "t": 5}, {**good, "extra": 0}]
            for bad in ([], good["xs"][1:], [2.01] * 16, [None] * 16, "x" * 16):
                states.append({**good, "xs": bad})
            for bad in ([], [2] * 15, [6] * 16, [5] * 16, [0.5] * 16, [-1] * 16):
                states.append({**good, "obs": bad})
            for key, bad in (
                ("kind", "gru"), ("length", 1), ("length", 17), ("cell", 16), ("cell", -1),
                ("decay", 1.1), ("gate", 7), ("tokens", 0), ("tokens", 1.5), ("heads", 5),
                ("width", 65), ("memories", 0), ("layers", 49), ("predict", 1),
            ):  # fmt: skip
                states.append({**good, "opts": {**good["opts"], key: bad}})
        for now in states:
            try:
                check_state(now)
                _scan_tree.check(now)
                verdicts.append(True)
            except ValueError:
                verdicts.append(False)
        answers = javascript([("valid", now) for now in states])
        assert sum(verdicts) == 3 and answers == verdicts

    def test_conventions_of_the_gate_are_kept(self):
        """A gate turned round, with its weights turned, is the same demo."""
        write = MinGRUParams([[0.7]], [[-1.3]], [-0.5], [0.4])
        keep = replace(write, W_z=-write.W_z, b_z=-write.b_z, update="keep")
        cases = [other(min_gru=p).state for p in (write, keep)]
        one, two = (got["result"]["said"] for got in javascript([("view", s) for s in cases]))
        assert one == two
