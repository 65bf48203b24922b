"""Forecast demo: constructor, goals, and the page's numbers against PyTorch's and Python's.

The drawing in a browser: tests/demos/test_forecast_page.py.
"""

import copy
import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from course_lib import demos
from course_lib.demos import _cells, _forecast, _forecast_models
from course_lib.demos._packed_weights import unpack, unpack_all
from course_lib.demos._state import check_state
from course_lib.torch_bridge import from_torch, to_torch
from tests.demos.forecast_demos import (
    DAY,
    HOURS,
    SCALE,
    P,
    crossing,
    every_demo,
    forecast,
    full,
    linear,
    network,
)
from tests.test_demos_flow_parity import javascript

CLOSE = {"rtol": 0, "atol": 1e-9}  # the issue asks for 1e-5
MEAN, STD = SCALE


class Torch:
    """The same two models as PyTorch has them, in float64, with the weights that travelled."""

    def __init__(self, fixed):
        W, b = (unpack(fixed["linear"][key]) for key in ("W", "b"))
        data, weights = fixed["network"], unpack_all(fixed["network"])
        params = _cells.params(data["kind"], {**data, **weights})
        self.core = to_torch(params)
        self.linear = dense(W, b)
        self.readout = dense(weights["readout_W"], weights["readout_b"])
        self.P = len(b) // 3

    def __call__(self, model, z):
        """Sorted quantiles (N, P, 3) of windows (N, 24), all scaled."""
        if model == "linear":
            y = self.linear(z).reshape(-1, self.P, 3)
        else:
            states, _ = self.core(z[:, :, None])
            y = self.readout(states[:, -1]).reshape(-1, self.P, 3)
        return y.sort(dim=-1).values

    def fed_back(self, model, z):
        medians = []
        for _ in range(self.P):
            medians.append(self(model, z)[:, 0, 1])
            z = torch.cat([z[:, 1:], medians[-1][:, None]], dim=1)
        return torch.stack(medians, dim=1)


def dense(W, b):
    layer = torch.nn.Linear(*W.shape, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(W.T))
        layer.bias.copy_(torch.tensor(b))
    return layer


def window_of(rng, limits=(2, 9)):
    return rng.uniform(*limits, size=24).round(2).tolist()


@pytest.mark.parametrize("make", [
    lambda: forecast(how="recursive"),
    lambda: crossing(how="recursive"),
    lambda: full(how="recursive", network=network("rnn", 24, 16)),
    lambda: full(hour=23, how="recursive"),
], ids=["gru", "lstm, crossing", "rnn", "full"])  # fmt: skip
def test_page_and_trace_equal_pytorch_on_random_windows(make, rng):
    demo = make()
    theirs, hour = Torch(demo.state["fixed"]), demo.state["opts"]["hour"]
    edits = [{**demo.state, "xs": window_of(rng), "t": 20} for _ in range(4)]
    for now, got in zip(edits, javascript([("view", s, demo.state) for s in edits]), strict=True):
        z = torch.tensor(now["xs"], dtype=torch.float64)[None].sub(MEAN).div(STD)
        demo.state = now
        trace, mine = demo.trace(), got["result"]
        for model in ("linear", "network"):
            want = MEAN + STD * theirs(model, z)[0].detach().numpy()
            np.testing.assert_allclose(mine["direct"][model], want, **CLOSE)
            np.testing.assert_allclose(trace[model][24:], want, **CLOSE)
            want = MEAN + STD * theirs.fed_back(model, z)[0].detach().numpy()
            np.testing.assert_allclose(mine["recursive"][model], want, **CLOSE)
            np.testing.assert_allclose(trace[f"{model}_recursive"][24:], want, **CLOSE)
            x = z.clone().requires_grad_()
            theirs(model, x)[0, hour, 1].backward()
            np.testing.assert_allclose(mine["weights"][model], x.grad[0], **CLOSE)
            np.testing.assert_allclose(trace[f"weight_{model}"][:24], x.grad[0], **CLOSE)
        states = [step["h"] for step in mine["trace"][1:]]
        np.testing.assert_allclose(states, theirs.core(z[:, :, None])[0][0].detach(), **CLOSE)
        np.testing.assert_allclose(trace["state"][:24], states, **CLOSE)


def test_a_module_of_pytorch_is_what_the_demo_shows(rng):
    """The whole way of a chapter: nn.GRU and nn.Linear in, the page's forecast out."""
    torch.manual_seed(0)
    core, head = torch.nn.GRU(1, 12, batch_first=True), torch.nn.Linear(12, P * 3)
    flat = torch.nn.Linear(24, P * 3)
    with torch.no_grad():
        head.bias.add_(torch.tensor([-0.5, 0.0, 0.5]).repeat(P))
    weight = [x.detach().numpy() for x in (flat.weight, flat.bias, head.weight, head.bias)]
    demo = forecast(
        linear=(weight[0].T.reshape(24, P, 3), weight[1].reshape(P, 3)),
        network=demos.ForecastNetwork(
            "GRU", from_torch(core), (weight[2].T.reshape(12, P, 3), weight[3].reshape(P, 3))
        ),
    )
    z = torch.tensor((DAY - MEAN) / STD, dtype=torch.float32)[None]
    ((got,), trace) = javascript([("view", demo.state)]), demo.trace()
    for model, y in (("linear", flat(z)), ("network", head(core(z[..., None])[0][:, -1]))):
        want = MEAN + STD * y.detach().numpy().reshape(P, 3)
        want.sort(axis=1)
        # Every weight is off by up to 5e-5, and a few dozen of them add up.
        np.testing.assert_allclose(trace[model][24:], want, rtol=0, atol=2e-3)
        np.testing.assert_allclose(got["result"]["direct"][model], want, rtol=0, atol=2e-3)


class TestConstructor:
    def test_repr_names_the_sizes(self):
        assert [repr(demo) for demo in every_demo()] == [
            "forecast demo 'demand': 24 hours read, 5 forecast, GRU H=7",
            "forecast demo 'crossing': 24 hours read, 3 forecast, LSTM H=3",
            "forecast demo 'full': 24 hours read, 24 forecast, GRU H=16",
            "forecast demo 'rnn': 24 hours read, 5 forecast, RNN H=7",
            "forecast demo 'write': 24 hours read, 5 forecast, GRU H=7",
        ]

    def test_the_largest_fits_the_budget(self):
        lstm = full(network=network("lstm", 24, 16), title="T" * 100)
        assert len(json.dumps(lstm.state, separators=(",", ":"))) < 14_000

    def test_series_have_every_hour_and_nothing_where_nothing_is(self):
        trace = forecast().trace()
        assert (trace.T, trace.steps[0], trace.steps[24]) == (24 + P, "7:00", "7:00")
        for name in ("x", "state", "weight_linear", "weight_network"):
            assert np.isfinite(trace[name][:24]).all() and np.isnan(trace[name][24:]).all()
        for name in ("linear", "network", "linear_recursive", "naive", "seasonal"):
            assert np.isnan(trace[name][:24]).all() and np.isfinite(trace[name][24:]).all()
        np.testing.assert_array_equal(trace["naive"][24:], DAY[-1])
        np.testing.assert_array_equal(trace["seasonal"][24:], DAY[:P])

    def test_the_first_hour_fed_back_is_the_direct_one(self):
        for demo in every_demo():
            trace = demo.trace()
            for model in ("linear", "network"):
                first = trace[f"{model}_recursive"][24]
                np.testing.assert_allclose(first, trace[model][24, 1], **CLOSE)

    def test_the_cursor_in_the_future_says_which_hour_the_weights_are_about(self):
        near, far = forecast(t=5, hour=3).trace(), forecast(t=24 + 3).trace()
        np.testing.assert_array_equal(near["weight_linear"], far["weight_linear"])
        other = forecast(t=5, hour=2).trace()
        assert not np.array_equal(near["weight_linear"][:24], other["weight_linear"][:24])

    @pytest.mark.parametrize(
        "scale, limits, digits, shown",
        [
            ((5.2, 0.8), None, 2, [2.4, 8]),
            ((5.2, 0.2), None, 2, [DAY.min(), DAY.max()]),
            ((5.2, 0.8), (2.001, 8.999), 2, [2, 9]),
            ((5.2, 2.0), None, 1, [-1.8, 12.2]),
            ((0, 100), None, 0, [-350, 350]),
        ],
    )
    def test_limits_hold_the_window_and_set_the_digits(self, scale, limits, digits, shown):
        fixed = forecast(scale=scale, limits=limits).state["fixed"]
        assert fixed["digits"] == digits
        np.testing.assert_allclose(fixed["limits"], shown, **CLOSE)

    @pytest.mark.parametrize(
        "change, message",
        [
            ({"window": DAY[:-1]}, r"window must have shape \(24,\)"),
            ({"window": [np.nan, *DAY[1:]]}, "window must be finite"),
            ({"window": [9.5, *DAY[1:]]}, "window at t=0 must be between 2 and 9, got 9.5"),
            ({"linear": (np.ones((23, P, 3)), np.ones((P, 3)))}, r"W must have shape \(24, P, 3\)"),
            ({"linear": (np.ones((24, 25, 3)), np.ones((25, 3)))}, "1 to 24 hours to come, got 25"),
            ({"linear": (np.ones((24, P, 3)), np.ones((P, 2)))}, "b of linear must have shape"),
            ({"linear": linear(P + 1)}, r"readout W of network 'GRU' must have shape \(7, 6, 3\)"),
            ({"network": network(H=17)}, "1 input with 1 to 16 units, got 1 inputs and 17 units"),
            ({"network": replace(network(), params=3)}, "must be RNNParams, LSTMParams"),
            ({"network": replace(network(), readout=(np.ones((6, P, 3)), np.ones((P, 3))))},
             "readout W of network 'GRU' must have shape"),
            ({"network": replace(network(), readout=(np.ones((7, P, 3)), np.ones((P, 4))))},
             "readout b of network 'GRU' must have shape"),
            ({"scale": (5, 0)}, "standard deviation must be positive, got 0"),
            ({"scale": 5}, "scale must have shape"),
            ({"limits": (5, 5.4)}, "at least 0.5 GW apart, got 5 and 5.4"),
            ({"quantiles": (0.1, 0.4, 0.9)}, "quantiles must rise, with 0.5 between"),
            ({"quantiles": (0.6, 0.5, 0.9)}, "quantiles must rise"),
            ({"actual": [5.0] * 4}, r"actual must have shape \(5,\)"),
            ({"t": 24 + P}, "t must be below 29, got 29"),
            ({"hour": P}, "hour must be below 5, got 5"),
            ({"cell": 7}, "cell must be below 7, got 7"),
            ({"start_hour": 24}, "start_hour"),
            ({"model": "arima"}, "model"),
        ],
    )  # fmt: skip
    def test_what_does_not_fit_is_named(self, change, message):
        with pytest.raises(ValueError, match=message):
            forecast(**change)

    @pytest.mark.parametrize("key", ["W_ha", "b_h", "readout_W", "readout_b"])
    def test_python_refuses_a_stored_network_of_another_shape(self, key):
        state = copy.deepcopy(forecast().state)
        state["fixed"]["network"]["weights"][key] = [int(key[0] != "b"), 1, "AAA="]  # one number
        with pytest.raises(ValueError, match="network 'GRU'"):
            demos.Demo(state, _forecast)

    def test_the_picture_says_both_forecasts_of_the_next_hour(self):
        demo = forecast()
        page, trace = demo._repr_mimebundle_()["text/html"], demo.trace()
        for name, model in (("linear", "linear"), ("GRU", "network")):
            low, mid, high = trace[model][24]
            assert f"{name} {low:.2f}, {mid:.2f}, {high:.2f}" in page
        assert "ending at 4.90" in page and "80 of 100 hours" in page


class TestGoals:
    @pytest.mark.parametrize("make, count", [(forecast, 1), (crossing, 1), (full, 2)])
    def test_one_hour_at_a_limit_reaches_each_and_the_start_none(self, make, count):
        demo = make()
        goals = demo.state["fixed"]["goals"]
        assert len(goals) == count
        tries = [demo.state]
        for t in HOURS:
            for limit in (2, 9):
                xs = [*demo.state["xs"]]
                xs[t] = limit
                tries.append({**demo.state, "xs": xs})
        facts = [got["facts"] for got in javascript([("view", now) for now in tries])]
        for goal in goals:
            ((path, sign, least),) = goal["when"]
            assert sign == ">" and f"{least:g} GW" in goal["text"]
            reached = [fact[path.split(".")[0]][0] > least for fact in facts]
            assert any(reached) and not reached[0]

    def test_a_band_that_never_changes_is_no_goal(self):
        W, b = network().readout
        W = np.repeat(W[:, :, 1:2], 3, axis=2)
        stiff = forecast(network=replace(network(), readout=(W, b)))
        assert ["apart" in goal["text"] for goal in stiff.state["fixed"]["goals"]] == [True]

    def test_authors_goals_are_taken(self):
        goal = demos.Goal("Raise it.", (("network.0.1", ">", 7),))
        assert forecast(goals=[goal]).state["fixed"]["goals"] == [goal.to_json()]


class TestView:
    def test_what_was_kept_of_the_last_state_changes_nothing(self, rng):
        for demo in every_demo():
            start = demo.state
            edits = [{**start, "t": t} for t in (0, 23, 24, 26)]
            edits.append({**start, "opts": {**start["opts"], "how": "recursive", "hour": 1}})
            edits.append({**start, "opts": {**start["opts"], "how": "direct", "model": "linear"}})
            limits = start["fixed"]["limits"]
            for t in (0, 9, 23):
                xs = [*start["xs"]]
                xs[t:] = window_of(rng, limits)[t:]
                edits.append({**start, "xs": xs, "t": t})
            calls = [("view", now, *old) for now in edits for old in ((start,), ())]
            got = javascript(calls)
            for from_old, fresh in zip(got[::2], got[1::2], strict=True):
                assert from_old == fresh

    def test_an_hour_leaves_the_states_before_it_alone(self):
        demo = forecast()
        xs = [*demo.state["xs"]]
        xs[17] = 3.0
        before, after = javascript([("view", demo.state), ("view", {**demo.state, "xs": xs})])
        old, new = (np.array([s["h"] for s in g["result"]["trace"]]) for g in (before, after))
        assert np.array_equal(old[:18], new[:18]) and not np.any(old[18:] == new[18:])

    def test_copied_python_rebuilds_the_same_state(self):
        cases = every_demo()
        for demo, got in zip(cases, javascript([("view", d.state) for d in cases]), strict=True):
            space = {"print": lambda *args: None}
            exec(got["python"], space)  # our own code, made by the view under test
            assert space["demo"].state == demo.state

    def test_copied_python_of_a_changed_day_knows_no_outcome(self):
        state = full().state
        changed = {**state, "xs": [3.0, *state["xs"][1:]]}
        same, other = javascript([("view", state), ("view", changed)])
        assert "actual=" in same["python"] and "actual=" not in other["python"]
        assert "It was" not in other["say"] and other["facts"]["changed"] == 1

    def test_words_and_tables_hold_no_nan_and_no_undefined(self):
        states = []
        for demo in every_demo():
            for t in (1, 23, 26):
                for how in ("direct", "recursive"):
                    for model in ("linear", "network"):
                        opts = {**demo.state["opts"], "how": how, "model": model}
                        states.append({**demo.state, "t": t, "opts": opts})
            low, high = demo.state["fixed"]["limits"]
            states += [{**demo.state, "xs": [x] * 24} for x in (low, high)]
        for now, got in zip(states, javascript([("view", s) for s in states]), strict=True):
            words = [got[key] for key in ("say", "sums", "table", "question", "facts")]
            words = json.dumps(words, ensure_ascii=False)
            for bad in ("NaN", "undefined", "[object", "Infinity", "none"):
                assert bad not in words, (now["name"], now["t"], words)
            q = got["question"]
            assert len(got["say"]) > 60 and len(got["sums"]) >= 3
            if now["t"] < 24:
                model = now["opts"]["model"]
                assert q["truth"] == got["result"]["weights"][model][now["t"]]

    def test_both_languages_take_and_refuse_the_same_states(self):
        states, verdicts = [], []
        for demo in every_demo():
            good = demo.state
            low, high = good["fixed"]["limits"]
            xs = good["xs"]
            states += [good, {**good, "t": -1}, {**good, "t": 48}, {**good, "extra": 0}]
            for bad in ([], xs[1:], [*xs, low], [None, *xs[1:]], [high + 1, *xs[1:]], "24"):
                states.append({**good, "xs": bad})
            states.append({**good, "xs": [low, *xs[1:-1], high]})
            for key, bad in (
                ("hour", 24), ("hour", -1), ("hour", 5), ("cell", 16), ("cell", 7), ("cell", 0.5),
                ("model", "gru"), ("how", ""), ("predict", 1),
            ):  # fmt: skip
                states.append({**good, "opts": {**good["opts"], key: bad}})
        for now in states:
            try:
                check_state(now)
                _forecast.check(now)
                verdicts.append(True)
            except ValueError:
                verdicts.append(False)
        answers = javascript([("valid", now) for now in states])
        for now, mine, theirs in zip(states, answers, verdicts, strict=True):
            assert mine == theirs, (now["name"], now["xs"], now["opts"])
        assert sum(verdicts) == 2 * 5 + 2  # the full one has an hour 5 and a unit 7

    def test_crossed_quantiles_are_sorted_and_said_so(self):
        demo = crossing(how="direct")
        (got,) = javascript([("view", demo.state)])
        raw = _forecast_models.outputs(demo.state["fixed"], "network", (DAY[None] - MEAN) / STD)[0]
        assert (np.diff(raw, axis=1) < 0).any()
        for model in ("linear", "network"):
            assert (np.diff(got["result"]["direct"][model], axis=1) >= 0).all()
        assert "crossed" in json.dumps(got["sums"])
