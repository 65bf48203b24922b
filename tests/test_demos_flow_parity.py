"""JavaScript of the gate, gradient and family demos against ``course_lib``, random cases."""

import itertools
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from course_lib import demos
from course_lib.demos._gradient_flow import weights
from course_lib.kalman import KalmanParams, kalman_filter
from course_lib.linear_recurrence import LinearParams, linear_forward

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
