"""JavaScript of the gate, gradient and family demos against ``course_lib``, random cases."""

import itertools
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from course_lib import demos
from course_lib.demos import _family, _gate_trace, _gradient_flow
from course_lib.demos._gradient_flow import weights
from course_lib.demos._state import check_state
from course_lib.kalman import KalmanParams, kalman_filter
from course_lib.linear_recurrence import LinearParams, linear_forward
from tests.demos.flow_demos import every_demo, gates

VIEWS = {"family": _family, "gate_trace": _gate_trace, "gradient_flow": _gradient_flow}
SCRIPT = Path(__file__).parent / "demos" / "parity_flow.mjs"
CLOSE = {"rtol": 1e-9, "atol": 1e-12}  # both in float64; demos.md asks for 1e-6


def javascript(calls):
    """Results of ``[(function, args...), ...]`` in Node."""
    node = shutil.which("node")
    if node is None:
        pytest.fail("no node: run `make setup` first", pytrace=False)
    text = json.dumps([{"fn": fn, "args": args} for fn, *args in calls])
    run = subprocess.run([node, SCRIPT], input=text, capture_output=True, text=True, timeout=120)
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


class TestLinearAlgebra:
    def test_spectral_radius_and_norm_equal_numpy(self, rng):
        tables = [rng.normal(size=(n, n)) for n in (1, 2, 3, 5, 8) for _ in range(6)]
        tables += [np.diag([0.5, -2.0, 1.0]), np.array([[0.0, -3.0], [3.0, 0.0]])]
        tables += [np.zeros((3, 3)), 1e-180 * rng.normal(size=(4, 4))]
        got = javascript([("radius", W.tolist()) for W in tables])
        want = [np.abs(np.linalg.eigvals(W)).max() for W in tables]
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=0)
        got = javascript([("norm", W.tolist()) for W in tables])
        want = [np.linalg.norm(W, 2) for W in tables]
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=0)


def flows(rng):
    """One demo for each cell and start, and the RNN's activations: random sizes and seeds."""
    cases = [*itertools.product(("rnn", "lstm", "gru"), ("random", "orthogonal", "identity"))]
    for number, (cell, start) in enumerate(cases * 2):
        yield demos.gradient_flow(
            "flow",
            cell=cell,
            start=start,
            length=(2, 7, 33, 60)[number % 4],
            hidden=(1, 3, 5, 8)[number // 2 % 4],
            radius=float(rng.uniform(0, 1.5)),
            forget_bias=float(rng.uniform(-3, 5)),
            seed=int(rng.integers(2**31)),
            activation=("tanh", "relu", "linear")[number % 3] if cell == "rnn" else "tanh",
            x=rng.normal(size=60).clip(-3, 3),
        )


class TestGradientFlow:
    def test_weights_of_a_seed_are_the_same_in_both_languages(self, rng):
        cases = [demo.state for demo in flows(rng)]
        calls = [("weights", s["seed"], s["fixed"]["hidden"], s["opts"]) for s in cases]
        for state, got in zip(cases, javascript(calls), strict=True):
            names = ("W_xh", "W_hh", "b_h") if "W_xh" in got else ("W_xa", "W_ha", "b_a")
            names = (*names[:2], "b_x") if "b_x" in got else names
            W_x, W_h, b = weights(state)
            np.testing.assert_array_equal(got[names[0]], W_x)
            np.testing.assert_allclose(got[names[1]], W_h, **CLOSE)
            np.testing.assert_array_equal(got[names[2]], b)

    def test_states_and_norms_of_every_step(self, rng):
        cases = list(flows(rng))
        for demo, got in zip(cases, javascript([("flow", d.state) for d in cases]), strict=True):
            trace = demo.trace()
            for key in ("h", "c") if "c" in trace.names else ("h",):
                states = [state[key] for state in got["states"]]
                # Rounding of a start grows with the state where the gradient explodes.
                np.testing.assert_allclose(states, trace[key], rtol=1e-7, atol=1e-9)
                np.testing.assert_allclose(got[key], trace[f"norm_{key}"], rtol=1e-7, atol=0)


def changed(rng, x):
    """A copy of ``x`` that differs from step ``at`` on, and ``at``."""
    at = int(rng.integers(len(x)))
    start = x.copy()
    start[at:] = rng.permutation(x)[at:]
    return start, at


class TestFilters:
    def test_kalman_per_step_and_from_a_changed_step(self, rng):
        cases = []
        for _ in range(12):
            names = ("a", "process_var", "observation_var", "mean0", "var0")
            params = dict(zip(names, rng.uniform(0.1, 1.5, size=5).tolist(), strict=True))
            cases.append((rng.normal(size=int(rng.integers(1, 30))), params))
        calls = []
        for y, params in cases:
            start, at = changed(rng, y)
            calls.append(("kalman", y.tolist(), params, start.tolist(), at))
        for (y, params), got in zip(cases, javascript(calls), strict=True):
            want = kalman_filter(y, KalmanParams(**params))
            for key in ("mean", "var", "gain"):
                np.testing.assert_allclose([s[key] for s in got], getattr(want, key), **CLOSE)

    def test_linear_rnn_per_step_and_from_a_changed_step(self, rng):
        cases, calls = [], []
        for T, D, H in ((1, 2, 3), (5, 3, 1), (31, 4, 7)):
            params = LinearParams(
                rng.uniform(-1, 1, H), rng.normal(size=(D, H)), rng.normal(size=H)
            )
            x = rng.normal(size=(T, D))
            start, at = changed(rng, x)
            cases.append((x, params))
            stored = {key: getattr(params, key).tolist() for key in ("a", "W_xh", "b_h")}
            calls.append(("linear", x.tolist(), stored, start.tolist(), at))
        for (x, params), got in zip(cases, javascript(calls), strict=True):
            np.testing.assert_allclose(got, linear_forward(x[None], params).h[0, 1:], **CLOSE)


def edited(demo, rng):
    """A state in which one input, one observation or one gate is another one."""
    state = demo.state
    if "obs" in state:
        state["obs"][int(rng.integers(len(state["obs"])))] = int(rng.integers(6))
    elif state["view"] == "gate_trace":
        state["xs"][int(rng.integers(len(state["xs"])))][1] = 0.85
        if rng.random() < 0.5:
            state["opts"]["clamp"]["o"] = 0.375
    else:
        state["xs"][int(rng.integers(state["opts"]["length"]))] = -0.95
    return state


class TestViews:
    def test_traces_after_an_edit_equal_python(self, rng):
        cases = [(demo, edited(demo, rng)) for demo in every_demo() for _ in range(4)]
        calls = [("view", state, demo.state) for demo, state in cases]
        for (demo, state), got in zip(cases, javascript(calls), strict=True):
            demo.state = state
            want, result = demo.trace(), got["result"]
            if state["view"] == "gate_trace":
                pairs = {key: [s[key] for s in result["steps"][1:]] for key in "ifgoch"}
                if "rnn_h" in want.names:
                    pairs["rnn_h"] = [s["h"] for s in result["rnn"][1:]]
            elif state["view"] == "gradient_flow":
                pairs = {"h": [s["h"] for s in result["trace"]], "norm_h": result["norm"]["h"]}
                if state["opts"]["cell"] == "lstm":
                    pairs["norm_c"] = result["norm"]["c"]
            else:
                pairs = {"hmm": result["hmm"]["alpha"], "linear": result["linear"]}
                pairs["kalman"] = [[s["mean"], s["var"]] for s in result["kalman"]]
                pairs["rnn"] = [s["h"] for s in result["rnn"][1:]]
                pairs["lstm"] = [s["h"] for s in result["lstm"][1:]]
                pairs["c"] = [s["c"] for s in result["lstm"][1:]]
                pairs["answer"] = result["answers"]
            for key, mine in pairs.items():
                np.testing.assert_allclose(mine, want[key], **CLOSE, err_msg=key)

    def test_copied_python_rebuilds_the_same_state(self, rng):
        cases = every_demo()
        calls = [("view", demo.state) for demo in cases]
        for demo, got in zip(cases, javascript(calls), strict=True):
            space = {"print": lambda *args: None}
            exec(got["python"], space)  # our own code, made by the view under test
            mine, theirs = demo.state, space["demo"].state
            for state in (mine, theirs):
                del state["fixed"]["goals"]
            assert theirs == mine

    def test_words_and_tables_hold_no_nan_and_no_undefined(self):
        states = []
        for demo in every_demo():
            for t in (0, 1, demo.t):
                states.append({**demo.state, "t": t})
        for stop in range(5):
            for demo in every_demo()[-3:]:
                states.append({**demo.state, "opts": {**demo.state["opts"], "stop": stop}})
        model = ([1, 0], [[0.5, 0.5], [0.1, 0.9]], [[0.9, 0.1, 0], [0.5, 0.5, 0]])
        never = demos.family("never", [0, 0, 1, 2], *model, t=3).state  # nobody shows symbol 2
        states += [{**never, "opts": {**never["opts"], "stop": stop}} for stop in range(5)]
        for state, got in zip(states, javascript([("view", s) for s in states]), strict=True):
            words = [got[key] for key in ("say", "sums", "table", "question", "facts")]
            words = json.dumps(words, ensure_ascii=False)
            for bad in ("NaN", "undefined", "[object", "Infinity"):
                assert bad not in words, (state["view"], state["t"], state["opts"], words)
            assert len(got["say"]) > 20 and "none" not in got["say"]

    def test_both_languages_take_and_refuse_the_same_states(self):
        states, verdicts = [], []
        for demo in every_demo():
            good = demo.state
            states += [good, {**good, "t": -1}, {**good, "t": "3"}, {**good, "seed": 2**31}]
            states += [{**good, "extra": 0}, {**good, "opts": {}}, {**good, "xs": []}]
            states += [{**good, "opts": {**good["opts"], "predict": 1}}]
            for clamp in (None, "f", {"f": 2}, {**dict.fromkeys("ifgo"), "f": -0.5}):
                states.append({**good, "opts": {**good["opts"], "clamp": clamp}})
        for state in states:
            try:
                check_state(state)
                VIEWS[state["view"]].check(state)
                verdicts.append(True)
            except (ValueError, KeyError):
                verdicts.append(False)
        assert javascript([("valid", state) for state in states]) == verdicts
        assert sum(verdicts) == len(every_demo())

    def test_what_is_left_of_the_bit_is_counted_against_the_sequence_without_it(self):
        demo = gates(clamp={"f": 1.0, "i": 1.0, "o": 0.0})  # every unit adds up what it is shown
        (held,) = javascript([("view", demo.state)])
        assert held["facts"]["alive"] == len(demo.state["xs"]) - 2 and held["facts"]["held"] == 3
        (cleared,) = javascript([("view", gates(clamp={"f": 0.0, "i": 1.0, "o": 0.0}).state)])
        assert cleared["facts"]["alive"] == 0
        quiet = demo.state
        quiet["xs"] = [[0.1, 0.1] for _ in quiet["xs"]]
        (nothing,) = javascript([("view", quiet)])
        assert nothing["facts"]["alive"] is None
