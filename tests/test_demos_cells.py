"""State trace and three cells: constructors, bad input, own cells, and the page's words and links.

The drawing of both in a browser: tests/demos.
"""

import copy
import json

import numpy as np
import pytest

from course_lib import demos
from course_lib.demos import _state_trace, _three_cells
from course_lib.demos._state import check_state
from course_lib.rnn import RNNParams, init_rnn, rnn_forward
from tests.demos.cell_demos import T, every_demo, heads, inputs, params, state, steady, three
from tests.test_demos_flow_parity import javascript

VIEWS = {"state_trace": _state_trace, "three_cells": _three_cells}
CLOSE = {"rtol": 0, "atol": 1e-12}  # the same arithmetic in float64


class TestConstructors:
    def test_repr_names_kind_and_sizes(self):
        assert [repr(demo) for demo in (state(), state("gru"), state(cell=steady), three())] == [
            "state_trace demo 'states': rnn, T=11, D=2, H=3",
            "state_trace demo 'states': gru, T=11, D=2, H=3",
            "state_trace demo 'states': steady, T=11, D=2, H=3",
            "three_cells demo 'three': T=11, D=2, H=3, 4, 5",
        ]

    @pytest.mark.parametrize("demo", every_demo(), ids=lambda d: d.name)
    def test_inline_state_is_small_and_the_picture_has_words(self, demo):
        assert len(json.dumps(demo.state)) <= 15_000
        page = demo._repr_mimebundle_()["text/html"]
        assert f"at {T} steps" in page or f"of {T} steps" in page
        assert "After the last step: " in page

    def test_the_largest_demos_still_fit(self):
        from course_lib.gru import init_gru
        from course_lib.lstm import init_lstm

        rng = np.random.default_rng(1)
        x = rng.uniform(-1, 1, (60, 3))
        cells = [init(3, 8, rng) for init in (init_rnn, init_lstm, init_gru)]
        demos.three_cells("big", x, *cells, readout={k: (np.ones((8, 2)) / 3, np.zeros(2))
                          for k in ("rnn", "lstm", "gru")})  # fmt: skip
        demos.state_trace("big", x, cells[1])

    def test_trace_is_the_library_on_the_state_now(self):
        demo = state(t=2)
        now = demo.state
        now["xs"][3][0], now["h0"][1], now["params"]["W_hh"][2][1] = 0.7, -0.9, 1.5
        demo.state = now
        p = RNNParams(*(np.array(now["params"][key], dtype=float) for key in now["params"]))
        want = rnn_forward(np.array(now["xs"], dtype=float)[None], p, np.array([now["h0"]]))
        np.testing.assert_allclose(demo.trace()["h"], want.h[0, 1:], **CLOSE)

    def test_readouts_are_softmax_or_a_plain_number(self):
        result, two = three(readout=heads(2)).trace(), heads(2)
        for kind, (W, b) in two.items():
            scores = np.exp(result[f"{kind}_h"] @ W.round(4) + b.round(4))
            want = scores[:, 1] / scores.sum(axis=1)
            # four digits of each weight are stored
            np.testing.assert_allclose(result[f"{kind}_readout"], want, rtol=0, atol=1e-3)
        W, b = heads(1)["gru"]
        result = three(readout=heads(1)).trace()
        want = (result["gru_h"] @ W + b)[:, 0]
        np.testing.assert_allclose(result["gru_readout"], want, rtol=0, atol=1e-3)

    @pytest.mark.parametrize(
        "change, message",
        [
            ({"x": inputs()[:, 0]}, r"x must have shape \(T, D\)"),
            ({"x": np.zeros((61, 2))}, "x: the demo shows 1 to 60 steps, got 61"),
            ({"x": np.zeros((0, 2))}, "x: the demo shows 1 to 60 steps, got 0"),
            ({"x": np.full((3, 2), np.nan)}, "x must be finite"),
            ({"x": np.full((3, 2), 11.0)}, "xs.0.0: 11"),
            ({"x": np.zeros((5, 3))}, "x must have 2 inputs a step, as the weights have, got 3"),
            ({"params": None}, "params must be given, or else both cell and h0"),
            ({"params": "rnn"}, "params must be RNNParams, LSTMParams or GRUParams, got str"),
            ({"params": init_rnn(2, 9, np.random.default_rng(0))}, "1 to 8 units, got 9"),
            ({"params": RNNParams(np.full((2, 3), 21.0), np.eye(3), np.zeros(3))}, "at most 20"),
            ({"h0": [0, 1]}, r"h0 must have shape \(3,\), got \(2,\)"),
            ({"h0": [0, 1, np.inf]}, "h0 must be finite"),
            ({"inputs": ["a"]}, "inputs must hold 2 labels, got 1"),
            ({"units": ["a", "a", "b"]}, "units must differ"),
            ({"activation": "gelu"}, "activation"),
            ({"t": 11}, "t must be below 11, got 11"),
            ({"unit": 3}, "unit must be below 3, got 3"),
            ({"pair": (0, 3)}, "pair must be below 3, got 3"),
            ({"pair": (0,)}, "pair"),
            ({"show": "c"}, "only an LSTM has a cell state"),
            ({"cell": 3}, "cell must be a function, got int"),
            ({"cell": lambda x_t: x_t}, "cell must take x_t and h_prev"),
            ({"cell": steady, "params": params("lstm")}, "one state, h"),
            ({"activation": "relu", "params": params("gru")}, "for an RNN only"),
        ],
    )
    def test_state_trace_names_what_does_not_fit(self, change, message):
        good = {"name": "s", "x": inputs(), "params": params("rnn")}
        with pytest.raises(ValueError, match=message):
            demos.state_trace(**{**good, **change})

    @pytest.mark.parametrize(
        "change, message",
        [
            ({"rnn": params("gru")}, "rnn must be params of that cell, got GRUParams"),
            ({"lstm": None}, "lstm must be RNNParams, LSTMParams or GRUParams, got NoneType"),
            ({"gru": params("gru", 9)}, "gru: the demo shows 1 to 8 units, got 9"),
            ({"x": np.zeros((5, 3))}, r"rnn.W_xh must have shape \(3, 3\), got \(2, 3\)"),
            ({"readout": {"rnn": heads(2)["rnn"]}}, "readout must be a dict with the keys"),
            ({"readout": dict.fromkeys(heads(2), (np.ones((3, 2)), np.ones(3)))}, r"W \(H, C\)"),
            ({"readout": dict.fromkeys(heads(2), heads(2)["rnn"])}, r"'lstm'\] W must have shape"),
            ({"readout": {**heads(2), "gru": heads(1)["gru"]}}, "the same number of outputs"),
            ({"readout": heads(2), "ask": 2}, "ask must be below 2"),
            ({"target": [1, 2]}, r"target must have shape \(11,\)"),
            ({"show": "readout"}, "no readout was given"),
            ({"units": ["a", "b", "c", "d"]}, "units must hold 3 labels, got 4"),
            ({"unit": 3}, "unit must be below 3"),
            ({"t": 11}, "t must be below 11"),
            ({"model": "hmm"}, "opts.model"),
        ],
    )
    def test_three_cells_names_what_does_not_fit(self, change, message):
        cells = {kind: params(kind) for kind in ("rnn", "lstm", "gru")}
        if "readout" in change:
            cells = {kind: params(kind, n) for kind, n in (("rnn", 3), ("lstm", 4), ("gru", 5))}
        with pytest.raises(ValueError, match=message):
            demos.three_cells(**{"name": "t", "x": inputs(), **cells, **change})


class TestOwnCell:
    def test_trace_and_stored_states_are_the_cells(self):
        demo = state(cell=steady)
        h, rows = np.array(demo.state["h0"]), []
        for x_t in np.array(demo.state["xs"], dtype=float):
            h = steady(x_t[None], h[None])[0]
            rows.append(h)
        np.testing.assert_allclose(demo.trace()["h"], rows, **CLOSE)
        stored = demo.state["fixed"]["computed"]
        np.testing.assert_allclose(stored["h"][1:], rows, rtol=0, atol=1e-6)  # seven digits
        assert stored["error"] == ""

    def test_a_cell_that_takes_weights_gets_those_of_the_state(self):
        def mine(x_t, h_prev, params):
            return np.tanh(x_t @ params.W_xh + h_prev @ params.W_hh + params.b_h)

        demo, reference = state(cell=mine), state()
        now = demo.state
        now["params"]["W_hh"][0][1] = -1.25
        demo.state = now
        reference.state = {**reference.state, "params": now["params"]}
        np.testing.assert_allclose(demo.trace()["h"], reference.trace()["h"], **CLOSE)

    def test_without_weights_the_start_gives_the_size(self):
        demo = demos.state_trace("own", inputs(), h0=[0, 0, 1], cell=steady)
        assert repr(demo) == "state_trace demo 'own': steady, T=11, D=2, H=3"
        assert demo.state["params"] == {}

    @pytest.mark.parametrize(
        "cell, error",
        [
            (
                lambda x_t, h: h[:, :2],
                "ValueError at t = 0: the cell must return shape (1, 3), got",
            ),
            (lambda x_t, h: None, "at t = 0: the cell returned None: is its return missing?"),
            (lambda x_t, h: h / 0.0 * 0.0, "at t = 0"),
            (lambda x_t, h: x_t @ np.ones((3, 3)), "ValueError at t = 0: matmul"),
            (lambda x_t, h: "text", "ValueError at t = 0"),
        ],
    )
    @pytest.mark.filterwarnings("ignore::RuntimeWarning")  # of the reader's own division
    def test_what_a_cell_raises_stands_in_the_state_and_in_the_picture(self, cell, error):
        demo = state(cell=cell)
        assert error in demo.state["fixed"]["computed"]["error"]
        assert len(demo.state["fixed"]["computed"]["h"]) == 1
        assert "<p>" in demo._repr_mimebundle_()["text/html"]
        with pytest.raises(ValueError, match=r"cell|matmul|convert"):
            demo.trace()

    def test_error_text_is_short_and_escaped(self):
        def bad(x_t, h_prev):
            raise RuntimeError("<script>" + "x" * 5000)

        demo = state(cell=bad)
        assert len(demo.state["fixed"]["computed"]["error"]) <= 300
        page = demo._repr_mimebundle_()["text/html"]
        assert page.count("<script") == 2 and "&lt;script&gt;" in page

    def test_a_cell_that_writes_into_its_arguments_changes_nothing(self):
        def rude(x_t, h_prev):
            x_t *= 0.0
            h_prev += 1.0
            return h_prev

        demo = state(cell=rude)
        np.testing.assert_allclose(demo.trace()["h"][-1], np.array([0.2, -0.4, 0.1]) + T, **CLOSE)
        assert demo.trace()["x"][1, 0] == 1.0

    def test_the_kernel_answers_every_change_of_the_page(self):
        widgets = pytest.importorskip("course_lib.demos._widget")
        if not (widgets.STATIC / "widget-state_trace.js").is_file():
            pytest.fail("no bundles: run `make book` or `npm run build:demos` first")
        demo = state(cell=steady)
        demo._widget = widget = widgets.make_widget(demo)
        first = copy.deepcopy(widget.computed)
        dragged = copy.deepcopy(demo.state)
        dragged["xs"][0][0] = 0.9
        widget.state = dragged  # what the page sends
        assert widget.computed != first and widget.computed["of"][0] == dragged["xs"]
        np.testing.assert_allclose(widget.computed["h"][1:], demo.trace()["h"], rtol=0, atol=1e-6)


def edited(demo, rng):
    """The state with one input, and one weight or the start, changed."""
    now = demo.state
    now["xs"][int(rng.integers(T))][1] = 0.85
    if now.get("params") and rng.random() < 0.5:
        name = next(key for key in ("W_hh", "W_ha") if key in now["params"])
        now["params"][name][2][1] = -0.75
    elif "h0" in now:
        now["h0"][2] = 0.625
    return now


class TestViews:
    def test_traces_after_an_edit_equal_python(self, rng):
        chosen = [d for d in every_demo() if not (d.state["fixed"].get("cell"))]
        cases = [(demo, edited(demo, rng)) for demo in chosen for _ in range(4)]
        calls = [("view", now, demo.state) for demo, now in cases]
        for (demo, now), got in zip(cases, javascript(calls), strict=True):
            demo.state = now
            want = demo.trace()
            if now["view"] == "state_trace":
                pairs = {k: [s[k] for s in got["result"]["trace"][1:]] for k in want.names[1:]}
            else:
                traces, pairs = got["result"]["trace"], {}
                for name in want.names[1:]:
                    kind, key = name.split("_")
                    pairs[name] = (
                        got["result"]["said"][kind]
                        if key == "readout"
                        else [s[key] for s in traces[kind][1:]]
                    )
            assert pairs
            for key, mine in pairs.items():
                np.testing.assert_allclose(mine, want[key], rtol=1e-9, atol=1e-9, err_msg=key)

    def test_copied_python_rebuilds_the_same_state(self):
        cases = every_demo()
        for demo, got in zip(cases, javascript([("view", d.state) for d in cases]), strict=True):
            space = {"print": lambda *args: None, "steady": steady}
            exec(got["python"], space)  # our own code, made by the view under test
            mine, theirs = demo.state, space["demo"].state
            for one in (mine, theirs):
                del one["fixed"]["goals"]
            assert theirs == mine

    def test_words_and_tables_hold_no_nan_and_no_undefined(self):
        states = []
        for demo in every_demo():
            for t in (0, 1, T - 1):
                shows = ("h", "gates", "readout") if demo.state["view"] == "three_cells" else ("h",)
                for show in shows:
                    now = {**demo.state, "t": t}
                    if show != "readout" or now["fixed"]["readout"]:
                        states.append({**now, "opts": {**now["opts"], "show": show}})
        for now, got in zip(states, javascript([("view", s) for s in states]), strict=True):
            words = [got[key] for key in ("say", "sums", "table", "question", "facts")]
            words = json.dumps(words, ensure_ascii=False)
            for bad in ("NaN", "undefined", "[object", "Infinity"):
                assert bad not in words, (now["name"], now["t"], words)
            assert len(got["say"]) > 20 and "none" not in got["say"]

    def test_memory_is_the_norm_of_the_jacobian(self):
        from course_lib.gradients import state_jacobian

        demo = state("lstm", {"peepholes": True})
        (got,) = javascript([("view", demo.state)])
        from course_lib.demos._state_trace import _cells, _run

        J = state_jacobian(_run(demo.state), _cells.params("lstm", demo.state["params"]), 0, T)
        want = np.linalg.norm(J[:3, :3], 2)
        np.testing.assert_allclose(got["facts"]["memory"], want, rtol=1e-9, atol=0)

    def test_both_languages_take_and_refuse_the_same_states(self):
        states, verdicts = [], []
        for demo in every_demo():
            good = demo.state
            states += [good, {**good, "t": -1}, {**good, "seed": 2**31}, {**good, "extra": 0}]
            states += [{**good, "xs": []}, {**good, "xs": [[0.0]] * T}, {**good, "opts": {}}]
            states += [{**good, "opts": {**good["opts"], "unit": 3}}]
            if good["view"] == "three_cells":
                continue
            H = len(good["h0"])
            states += [{**good, "h0": [0.0] * (H - 1)}, {**good, "c0": [0.0]}]
            states += [{**good, "opts": {**good["opts"], "pair": [0, H]}}]
            states += [{**good, "opts": {**good["opts"], "show": "c"}}]
            for key, value in good["params"].items():
                for bad in ([], [[]], 1, "word"):
                    states.append({**good, "params": {**good["params"], key: bad}})
                if isinstance(value, list):
                    big = copy.deepcopy(value)
                    inner = big[0] if isinstance(big[0], list) else big
                    inner[0] = 20.5
                    states.append({**good, "params": {**good["params"], key: big}})
        for now in states:
            try:
                check_state(now)
                VIEWS[now["view"]].check(now)
                verdicts.append(True)
            except (ValueError, KeyError):
                verdicts.append(False)
        answers = javascript([("valid", now) for now in states])
        for now, mine, theirs in zip(states, answers, verdicts, strict=True):
            assert mine == theirs, (now["name"], now["params"] if "params" in now else now["opts"])
        lstms = sum(d.state["fixed"].get("kind") == "lstm" for d in every_demo())
        assert sum(verdicts) == len(every_demo()) + lstms  # an LSTM may show c
