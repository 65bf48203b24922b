"""The demos' recurrent cells in JavaScript against ``course_lib``: states, gates, gradients."""

import dataclasses
import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from course_lib.gradients import flow_h_norms, flow_norms, state_jacobian
from course_lib.gru import GRUParams, gru_backward, gru_cell, gru_forward
from course_lib.lstm import LSTMParams, lstm_backward, lstm_cell, lstm_forward
from course_lib.rnn import RNNParams, rnn_backward, rnn_cell, rnn_forward

SCRIPT = Path(__file__).parent / "demos" / "cells.mjs"
TOLERANCE = 1e-6  # demos.md
CLOSE = 1e-10  # relative to the largest number: the same arithmetic, in another order
SIZES = [(1, 1, 1), (2, 3, 5), (7, 2, 3), (13, 4, 2), (60, 3, 8)]  # T, D, H


def javascript(calls):
    node = shutil.which("node")
    if node is None:
        pytest.fail("no node: run `make setup` first", pytrace=False)
    run = subprocess.run(
        [node, SCRIPT], input=json.dumps(calls), capture_output=True, text=True, timeout=120
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def random_params(kind, D, H, rng, scale, number):
    """Weights of one cell; every second LSTM has peepholes, GRUs take turns in their forms."""

    def draw(*shape):
        return rng.normal(0, scale, shape)

    if kind == "rnn":
        return RNNParams(draw(D, H), draw(H, H), draw(H))
    if kind == "lstm":
        peep = draw(3, H) if number % 2 else None
        return LSTMParams(draw(D, 4 * H), draw(H, 4 * H), draw(4 * H), peep)
    reset, update = ("after", "before")[number % 2], ("keep", "write")[number // 2 % 2]
    return GRUParams(draw(D, 3 * H), draw(H, 3 * H), draw(3 * H), draw(3 * H), reset, update)


def as_json(params):
    return {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in vars_of(params).items()}


def vars_of(params):
    return {field.name: getattr(params, field.name) for field in dataclasses.fields(params)}


def options_of(kind, number):
    if kind == "rnn":
        return {"activation": ("tanh", "relu", "linear")[number % 3]}
    gate = (None, "i", "f", "g", "o")[number % 5]
    return {"clamp": {gate: 0.75}} if kind == "lstm" and gate else {}


def cases(kind, rng):
    for number in range(40):
        T, D, H = SIZES[number % len(SIZES)]
        p = random_params(kind, D, H, rng, (0.3, 1.0)[number % 3 == 0], number)
        arrays = {
            "xs": rng.normal(size=(T, D)),
            "dh": rng.normal(size=(T, H)),
            "h0": rng.normal(size=H) * 0.5,
            "c0": rng.normal(size=H),
            "dh_final": rng.normal(size=H),
            "dc_final": rng.normal(size=H),
        }
        yield p, arrays, options_of(kind, number), int(rng.integers(T))


def reference(kind, p, a, opts):
    """Trace, gradients, first step by its cell, and flow of ``course_lib``."""
    x, dh = a["xs"][None], a["dh"][None]
    h0, c0, dh_final, dc_final = (a[k][None] for k in ("h0", "c0", "dh_final", "dc_final"))
    if kind == "rnn":
        trace = rnn_forward(x, p, h0, **opts)
        return trace, rnn_backward(dh, trace, p, dh_final), rnn_cell(x[:, 0], h0, p, **opts)
    if kind == "gru":
        trace = gru_forward(x, p, h0)
        return trace, gru_backward(dh, trace, p, dh_final), gru_cell(x[:, 0], h0, p)
    trace = lstm_forward(x, p, h0, c0, **opts)
    step = None if opts else lstm_cell(x[:, 0], h0, c0, p)[0]
    return trace, lstm_backward(dh, trace, p, dh_final, dc_final), step


def close(mine, expected, what):
    expected = np.asarray(expected, dtype=float)
    gap = np.abs(np.array(mine, dtype=float).reshape(expected.shape) - expected).max(initial=0.0)
    assert gap <= TOLERANCE * max(1.0, np.abs(expected).max()), (what, gap)
    return gap / max(1.0, np.abs(expected).max(initial=0.0))


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
def test_random_cases_per_step_and_backwards(kind, rng):
    chosen = list(cases(kind, rng))
    calls = [
        {
            "kind": kind, "params": as_json(p), "xs": a["xs"].tolist(), "dh": a["dh"].tolist(),
            "opts": opts, "start": {"h": a["h0"].tolist(), "c": a["c0"].tolist()},
            "last": {"dh": a["dh_final"].tolist(), "dc": a["dc_final"].tolist()},
            "changed": changed,
        }
        for p, a, opts, changed in chosen
    ]  # fmt: skip
    worst = 0.0
    for (p, a, opts, _), got in zip(chosen, javascript(calls), strict=True):
        trace, grads, first = reference(kind, p, a, opts)
        states = {"rnn": "h", "lstm": "hc", "gru": "h"}[kind]
        for key in states:
            mine = [step[key] for step in got["trace"]]
            worst = max(worst, close(mine, getattr(trace, key)[0], key))
        for gate in {"rnn": "", "lstm": "ifgo", "gru": "rzn"}[kind]:
            mine = [step[gate] for step in got["trace"][1:]]
            worst = max(worst, close(mine, getattr(trace, gate)[0], gate))
        if first is not None:
            worst = max(worst, close(got["stepped"]["h"], first[0], "one step"))
        mine = got["grads"]
        for key, value in vars_of(grads.params).items():
            if isinstance(value, np.ndarray):
                worst = max(worst, close(mine["params"][key], value, f"d{key}"))
        worst = max(worst, close(mine["x"], grads.x[0], "dx"))
        for key in states:
            worst = max(worst, close(mine[f"{key}0"], getattr(grads, f"{key}0")[0], f"d{key}0"))
        worst = max(worst, close(got["flow"]["h"], flow_h_norms(trace, p), "flow of h"))
        worst = max(worst, close(got["flow"]["state"], flow_norms(trace, p), "flow"))
        if kind == "lstm":
            T, H = len(a["xs"]), len(a["h0"])
            top = [state_jacobian(trace, p, t, T)[:H, H:] for t in range(T + 1)]
            norms = [np.linalg.norm(J, 2) for J in top]
            worst = max(worst, close(got["flow"]["c"], norms, "flow of c"))
        # Steps before the change are taken over, the rest is as from scratch.
        assert got["resumed"] == got["trace"]
    print(f"{kind}: largest difference relative to the largest number {worst:.1e}")
    assert worst < CLOSE


@pytest.mark.parametrize("kind", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("size", [1e3, 1e6])
def test_huge_numbers_give_no_nan(kind, size):
    rng = np.random.default_rng(0)
    p = random_params(kind, 2, 3, rng, size, 1)
    xs = rng.normal(size=(5, 2)) * size
    start = {"h": [size, -size, 0], "c": [size, -size, 0]}
    call = {
        "kind": kind, "params": as_json(p), "xs": xs.tolist(), "dh": np.ones((5, 3)).tolist(),
        "opts": {}, "start": start, "last": {}, "changed": 2,
    }  # fmt: skip
    answer = json.dumps(javascript([call])[0])
    assert "NaN" not in answer and "Infinity" not in answer
