"""Belief simplex: constructor, packed weights, goals, and the page's words, links and arithmetic.

The drawing in a browser: tests/demos/test_belief_simplex_page.py.
"""

import copy
import itertools
import json
from dataclasses import replace

import numpy as np
import pytest

from course_lib import demos
from course_lib.demos import _belief_networks, _belief_simplex
from course_lib.demos._state import check_state
from course_lib.gru import init_gru
from course_lib.hmm import forward_filter
from course_lib.hmm_batch import filter_batch
from tests.demos.belief_demos import (
    DICE,
    MODEL,
    OBS,
    RUN,
    belief,
    casino,
    deterministic,
    every_demo,
    network,
)
from tests.test_demos_flow_parity import javascript

CLOSE = {"rtol": 1e-9, "atol": 1e-9}  # demos.md asks for 1e-6


class TestConstructor:
    def test_repr_names_the_sizes(self):
        assert [repr(demo) for demo in every_demo()] == [
            "belief_simplex demo 'belief': T=9, K=3, V=4, 3 networks",
            "belief_simplex demo 'casino': T=12, K=2, V=6, 2 networks",
            "belief_simplex demo 'cycle': T=4, K=3, V=2, 1 network",
        ]

    def test_three_large_networks_and_a_long_sequence_fit_the_budget(self):
        rng = np.random.default_rng(0)
        full = [
            demos.BeliefNetwork(
                f"network number {k}", init_gru(3, 16, rng),
                (rng.normal(size=(16, 3)), rng.normal(size=3)),
                (rng.normal(size=(16, 3)), rng.normal(size=3)),
            )
            for k in range(3)
        ]  # fmt: skip
        A = np.full((3, 3), 0.05) + 0.85 * np.eye(3)
        demo = demos.belief_simplex("full", [0, 1, 2] * 13, np.full(3, 1 / 3), A, A, full)
        assert len(json.dumps(demo.state, separators=(",", ":"))) < 12_000

    @pytest.mark.parametrize("kind", ["gru", "lstm", "rnn"])
    def test_stored_weights_are_the_given_ones_to_four_decimals(self, kind):
        net = network("one", kind)
        stored = _belief_networks.stored(net, 4, 3)
        h, decoded, following = _belief_networks.run(stored, np.array([OBS]))
        want = RUN[kind](np.eye(4)[[OBS]], net.params).h[:, 1:]
        # a weight is off by 0.5e-4 (1e-4 where it is above 3.2); a few dozen of them add up
        np.testing.assert_allclose(h, want, rtol=0, atol=2e-3)
        np.testing.assert_allclose(decoded, want @ net.probe[0] + net.probe[1], rtol=0, atol=5e-3)
        scores = np.exp(want @ net.readout[0] + net.readout[1])
        np.testing.assert_allclose(
            following, scores / scores.sum(axis=-1, keepdims=True), rtol=0, atol=2e-3
        )

    def test_trace_is_the_library(self):
        demo = belief()
        trace = demo.trace()
        alpha = forward_filter(np.array(OBS), **MODEL).alpha
        np.testing.assert_allclose(trace["belief"], alpha, **CLOSE)
        np.testing.assert_allclose(trace["next"], alpha @ MODEL["A"] @ MODEL["B"], **CLOSE)
        gaps = [np.linalg.norm(trace[f"decoded_{k}"] - alpha, axis=1) for k in range(3)]
        np.testing.assert_allclose(trace["gap"], np.stack(gaps, 1) / np.sqrt(2), **CLOSE)
        for k in range(3):
            np.testing.assert_allclose(trace[f"next_{k}"].sum(axis=1), 1, **CLOSE)
        # A probe that was fitted with an intercept, less what rounding the weights took.
        np.testing.assert_allclose(trace["decoded_2"].sum(axis=1), 1, rtol=0, atol=2e-3)
        corners = np.eye(3)
        assert demos._belief_goals.sides(corners[0], corners[1]) == pytest.approx(1, abs=1e-12)

    @pytest.mark.parametrize(
        "change, message",
        [
            ({"networks": []}, "networks: the demo shows 1 to 4 networks, got 0"),
            ({"networks": [network(str(k)) for k in range(5)]}, "1 to 4 networks, got 5"),
            ({"networks": [network("a"), network("a")]}, "networks must differ"),
            ({"networks": [network("a", H=17)]}, "'a' must read 4 symbols with 1 to 16 units"),
            ({"networks": [network("a", model=DICE)]}, "read 4 symbols .* got 6 inputs"),
            ({"networks": [replace(network("a"), params=3)]}, "must be RNNParams, LSTMParams"),
            ({"networks": [replace(network("a"), readout=(np.ones((5, 3)), np.ones(3)))]},
             r"readout of network 'a' must have shape \(5, 4\)"),
            ({"networks": [replace(network("a"), probe=(np.ones((5, 3)), np.ones(4)))]},
             r"probe of network 'a' must have shape \(3,\)"),
            ({"networks": [replace(network("a"), probe=(np.full((5, 3), np.nan), np.ones(3)))]},
             "probe_W of network 'a' must be finite"),
            ({"networks": [replace(network("a"), probe=(np.full((5, 3), 328), np.ones(3)))]},
             "probe_W of network 'a': weights must be at most 327 in size"),
            ({"obs": [0, 4]}, "obs"),
            ({"obs": [0.5]}, "obs at t=0 must be a whole number"),
            ({"obs": []}, "obs"),
            ({"obs": [0] * 41}, "obs"),
            ({"t": 9}, "t must be below 9, got 9"),
            ({"network": 3}, "network must be below 3, got 3"),
            ({"network": -4}, "network must be below 3, got -4"),
            ({"cell": 3}, "cell"),
            ({"states": ["a", "b"]}, "states must hold 3 labels"),
            ({"A": np.eye(3)[:2]}, "A"),
            ({"pi": [0.5, 0.2, 0.2]}, "pi"),
        ],
    )  # fmt: skip
    def test_what_does_not_fit_is_named(self, change, message):
        with pytest.raises(ValueError, match=message):
            belief(**change)

    def test_states_called_like_symbols_are_told_apart(self):
        fixed = belief(states=["a", "b", "c"], symbols="abxy").state["fixed"]
        assert fixed["states"] == ["state a", "state b", "state c"]
        assert fixed["symbols"] == ["a", "b", "x", "y"]
        assert belief().state["fixed"]["states"] == ["sun", "fog", "rain"]

    def test_other_numbers_of_states_are_refused(self):
        with pytest.raises(ValueError, match="beliefs in 2 or 3 states, got 4"):
            belief(pi=np.full(4, 0.25), A=np.full((4, 4), 0.25), B=np.full((4, 4), 0.25))

    def test_the_picture_says_both_beliefs_and_their_distance(self):
        demo = belief(network=0)
        page, trace = demo._repr_mimebundle_()["text/html"], demo.trace()
        assert f"sun {trace['belief'][-1, 0]:.2f}, fog" in page
        assert f"untrained: sun {trace['decoded_0'][-1, 0]:.2f}" in page
        assert f"{trace['gap'][-1, 0]:.3f} apart" in page
        assert "probability zero" in deterministic(obs=[0, 1])._repr_mimebundle_()["text/html"]


class TestGoals:
    @pytest.mark.parametrize("make, longest", [(belief, 5), (casino, 4)])
    def test_each_is_reached_by_a_sequence_that_the_page_recognises(self, make, longest):
        demo = make()
        fixed = demo.state["fixed"]
        V, K, goals = len(fixed["symbols"]), len(fixed["states"]), fixed["goals"]
        model = [np.array(fixed["model"][key], dtype=float) for key in ("pi", "A", "B")]
        best, centre = [None, None], np.inf
        apart = 0.0
        for n in range(1, longest + 1):
            obs = np.array(list(itertools.product(range(V), repeat=n)))
            exact = filter_batch(obs, *model)[0][:, -1]
            middle = np.linalg.norm(exact - 1 / K, axis=1) / np.sqrt(2)
            if middle.min() < centre:
                centre, best[0] = middle.min(), obs[middle.argmin()].tolist()
            last = [_belief_networks.run(net, obs)[1][:, -1] for net in fixed["networks"][-2:]]
            slow, good = (np.linalg.norm(d - exact, axis=1) / np.sqrt(2) for d in last)
            slow[good >= 0.05] = 0
            if slow.max() > apart:
                apart, best[1] = slow.max(), obs[slow.argmax()].tolist()
        assert f"up to {longest} symbols comes nearer than {centre:.2g}" in goals[0]["text"]
        assert centre < goals[0]["when"][0][2] < 1.1 * centre + 0.02
        assert 0.8 * apart - 0.01 < goals[1]["when"][0][2] < apart
        calls = [("view", {**demo.state, "obs": y, "t": len(y) - 1}) for y in best]
        for goal, got in zip(goals, javascript(calls), strict=True):
            assert holds(goal, got["facts"])

    def test_impossible_sequences_do_not_count(self):
        (goal,) = deterministic().state["fixed"]["goals"]
        assert "nearer than 0.58." in goal["text"]  # a corner; 0.41 from no belief, three zeros

    def test_the_second_asks_two_networks_to_differ(self):
        goals = belief().state["fixed"]["goals"]
        assert len(goals) == 2
        assert "“after 50 updates” is off by more than" in goals[1]["text"]
        assert "“trained” is within 0.05" in goals[1]["text"]
        twins = [network("a"), network("b")]
        assert len(belief(networks=twins).state["fixed"]["goals"]) == 1
        assert len(belief(networks=twins[:1]).state["fixed"]["goals"]) == 1

    def test_authors_goals_are_taken(self):
        goal = demos.Goal("Be sure.", (("largest", ">", 0.9),))
        assert belief(goals=[goal]).state["fixed"]["goals"] == [goal.to_json()]


def holds(goal, facts):
    """The page's own rule, for numbers: a path, a comparison, a number."""
    for path, sign, value in goal["when"]:
        left = facts
        for key in path.split("."):
            left = left[int(key)] if isinstance(left, list) else left[key]
        if left is None or not {">": left > value, "<": left < value, "<=": left <= value}[sign]:
            return False
    return True


class TestView:
    @pytest.mark.parametrize("demo", [belief(), casino()], ids=lambda d: d.name)
    def test_after_an_edit_everything_equals_python(self, demo, rng):
        V = len(demo.state["fixed"]["symbols"])
        edits = []
        for n in (1, 5, 23, 40):
            obs = rng.integers(V, size=n).tolist()
            edits.append({**demo.state, "obs": obs, "t": n - 1})
            edits.append({**demo.state, "obs": obs[:3] + demo.state["obs"][3:], "t": 0})
        for now, got in zip(
            edits, javascript([("view", now, demo.state) for now in edits]), strict=True
        ):
            demo.state = now
            want, mine = demo.trace(), got["result"]
            np.testing.assert_allclose(mine["belief"], want["belief"], **CLOSE)
            np.testing.assert_allclose(mine["next"], want["next"], **CLOSE)
            for k, net in enumerate(mine["nets"]):
                np.testing.assert_allclose(net["decoded"], want[f"decoded_{k}"], **CLOSE)
                np.testing.assert_allclose(net["next"], want[f"next_{k}"], **CLOSE)
                np.testing.assert_allclose(net["gap"], want["gap"][:, k], **CLOSE)
                p, q = want["next"], want[f"next_{k}"]
                np.testing.assert_allclose(net["excess"], (p * np.log(p / q)).sum(1), **CLOSE)

    @pytest.mark.parametrize("demo", every_demo(), ids=lambda d: d.name)
    def test_the_cloud_is_what_python_draws(self, demo):
        pi, A, B = _belief_simplex._arrays(demo.state)[1:]
        for most in (1, 30, 300):
            (mine,) = javascript([("cloud", demo.state["fixed"]["model"], most)])
            want = _belief_simplex.cloud(pi, A, B, most)
            assert len(want) <= most
            np.testing.assert_allclose(mine, want, **CLOSE)

    def test_copied_python_rebuilds_the_same_state(self):
        cases = every_demo()
        for demo, got in zip(cases, javascript([("view", d.state) for d in cases]), strict=True):
            space = {"print": lambda *args: None}
            # Our own code, made by the view under test; an impossible sequence has no trace.
            exec(got["python"], space)
            assert space["demo"].state == demo.state

    def test_words_and_tables_hold_no_nan_and_no_undefined(self):
        states = []
        for demo in (*every_demo(), deterministic(obs=[0, 1, 1, 0])):
            for t in range(len(demo.state["obs"])):
                states.append({**demo.state, "t": t})
        for now, got in zip(states, javascript([("view", s) for s in states]), strict=True):
            words = [got[key] for key in ("say", "sums", "table", "question", "facts")]
            words = json.dumps(words, ensure_ascii=False)
            for bad in ("NaN", "undefined", "[object", "Infinity"):
                assert bad not in words, (now["name"], now["t"], words)
            assert len(got["say"]) > 20 and "none" not in got["say"]
            if "Impossible" in got["say"]:
                assert got["question"] is None

    def test_huge_scores_leave_a_distribution(self):
        net = network("huge", H=13)
        h = RUN["gru"](np.eye(4)[[OBS]], net.params).h[0, -1]
        W = np.outer(320 * np.sign(h), [0.9, 1.0, 0.5, 0.0])  # every unit pushes the same way
        assert (h @ W + 320).max() > 710  # more than exp can take
        demo = belief(networks=[replace(net, readout=(W, np.full(4, 320.0)))])
        (got,) = javascript([("view", demo.state)])
        said = np.array(got["result"]["nets"][0]["next"])
        np.testing.assert_allclose(said, demo.trace()["next_0"], **CLOSE)
        np.testing.assert_allclose(said.sum(axis=1), 1, **CLOSE)

    def test_both_languages_take_and_refuse_the_same_states(self):
        states, verdicts = [], []
        for demo in every_demo():
            good = demo.state
            V, n = len(good["fixed"]["symbols"]), len(good["fixed"]["networks"])
            states += [good, {**good, "t": -1}, {**good, "seed": 2**31}, {**good, "extra": 0}]
            states += [{**good, "obs": obs} for obs in ([], [V], [-1], [0.5], [0] * 41, "AB")]
            states += [{**good, "t": 0, "obs": [V - 1]}]
            for key, bad in (("network", n), ("network", -1), ("cell", 3), ("predict", 1)):
                states.append({**good, "opts": {**good["opts"], key: bad}})
            states.append({**good, "opts": {**good["opts"], "cell": 2}})
        for now in states:
            try:
                check_state(now)
                _belief_simplex.check(now)
                verdicts.append(True)
            except ValueError:
                verdicts.append(False)
        answers = javascript([("valid", now) for now in states])
        for now, mine, theirs in zip(states, answers, verdicts, strict=True):
            assert mine == theirs, (now["name"], now["obs"], now["opts"])
        assert sum(verdicts) == 3 + 3 + 2  # a casino has no third state

    @pytest.mark.parametrize("key", ["b_h", "readout_W", "readout_b", "probe_W", "probe_b"])
    def test_python_refuses_a_stored_network_of_another_shape(self, key):
        state = copy.deepcopy(belief().state)
        state["fixed"]["networks"][2]["weights"][key] = [
            int(key[-1] == "W"),
            1,
            "AAA=",
        ]  # one number
        with pytest.raises(ValueError, match="network 'trained'"):
            demos.Demo(state, _belief_simplex)
