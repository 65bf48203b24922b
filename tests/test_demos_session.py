"""Session demo: constructor, trace, goals, and the page's words, links and arithmetic.

The drawing in a browser: tests/demos/test_session_page.py.
"""

import copy
import itertools
import json
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from course_lib import demos, torch_bridge
from course_lib.datasets import sessions
from course_lib.demos import _packed_weights, _session, _session_goals
from course_lib.demos._state import check_state
from tests.demos.node import run_in_node
from tests.demos.session_demos import OBS, SHOP, every_demo, network, shop, strict

CLOSE = {"rtol": 1e-9, "atol": 1e-9}  # demos.md asks for 1e-6
MODULES = {"gru": torch.nn.GRU, "lstm": torch.nn.LSTM, "rnn": torch.nn.RNN}
TABLES = ("pi", "Q", "B", "buy", "leave", "events", "intents")


def javascript(calls):
    """Results of ``[(function, args...), ...]`` in Node."""
    return run_in_node("parity_session.mjs", [{"fn": fn, "args": args} for fn, *args in calls])


def changed(process, **tables):
    return SimpleNamespace(**{**vars(process), **tables})


def of_the_book(process):
    return sessions.SessionProcess(**{key: getattr(process, key) for key in TABLES})


class TestConstructor:
    def test_repr_names_the_sizes(self):
        assert [repr(demo) for demo in every_demo()] == [
            "session demo 'shop': T=7, K=3, V=6, LSTM of 7 units",
            "session demo 'other': T=7, K=3, V=6, RNN of 4 units",
            "session demo 'strict': T=2, K=2, V=2, GRU of 3 units",
        ]

    def test_the_largest_network_and_a_long_session_fit_the_budget(self):
        rng = np.random.default_rng(0)
        K, V = 5, 8
        process = SimpleNamespace(
            pi=rng.dirichlet(np.ones(K)), B=rng.dirichlet(np.ones(V), size=K),
            Q=0.9 * rng.dirichlet(np.ones(K), size=K), buy=np.full(K, 0.03),
            leave=np.full(K, 0.07), events=[f"a longer event {v}" for v in range(V)],
            intents=[f"a longer intent {k}" for k in range(K)],
        )  # fmt: skip
        bag = (rng.normal(size=V), -2.0)
        demo = demos.session("full", [3] * 40, process, bag, network("lstm", V, 24))
        assert len(json.dumps(demo.state, separators=(",", ":"))) < 12_500

    @pytest.mark.parametrize("process", [sessions.SHOP, of_the_book(SHOP)], ids=["book", "test"])
    def test_the_ideal_observer_is_that_of_the_data_set(self, process, rng):
        V = process.V
        obs = rng.integers(V, size=(1, 30))
        bag = (np.zeros(V), 0.0)
        trace = demos.session("one", obs[0], process, bag, network("rnn", V, 2)).trace()
        np.testing.assert_allclose(
            trace["belief"], sessions.session_beliefs(process, obs)[0], **CLOSE
        )
        open_, ends, goes = trace["ideal"].T
        np.testing.assert_allclose(open_, sessions.exact_buy_probability(process, obs)[0], **CLOSE)
        np.testing.assert_allclose(
            ends, sessions.exact_buy_probability_at_end(process, obs)[0], **CLOSE
        )
        over = trace["over"]  # both cases together are what is not known yet
        np.testing.assert_allclose(over * ends + (1 - over) * goes, open_, **CLOSE)

    def test_over_and_goes_are_counted_in_many_sessions(self, rng):
        """After "cart" as the first event: who ends there, and who buys of those who go on."""
        drawn = sessions.sample_sessions(of_the_book(SHOP), 40_000, rng)
        first = drawn.events[:, 0] == 5
        trace = shop(events=[5]).trace()
        n, ended = first.sum(), drawn.lengths[first] == 1
        assert n > 1500
        for share, want, m in (
            (ended.mean(), trace["over"][0], n),
            (drawn.bought[first].mean(), trace["ideal"][0, 0], n),
            (drawn.bought[first][ended].mean(), trace["ideal"][0, 1], ended.sum()),
            (drawn.bought[first][~ended].mean(), trace["ideal"][0, 2], n - ended.sum()),
        ):
            assert abs(share - want) < 4 * np.sqrt(want * (1 - want) / m)

    @pytest.mark.parametrize("kind", MODULES)
    def test_network_is_that_of_pytorch_on_random_sessions_in_both_languages(self, kind, rng):
        torch.manual_seed(3)
        cell, readout = MODULES[kind](6, 7, batch_first=True), torch.nn.Linear(7, 1)
        W, b = readout.weight.detach().numpy()[0], readout.bias.item()
        demo = shop(network=(torch_bridge.from_torch(cell), W, b))
        # The demo computes with rounded weights; PyTorch is given the same.
        weights = _packed_weights.unpack_all(demo.state["fixed"]["network"])
        arrays = {k: v for k, v in weights.items() if v is not None and k[:7] != "readout"}
        exact = torch_bridge.to_torch(type(torch_bridge.from_torch(cell))(**arrays))
        for T in (1, 13, 40):
            obs = rng.integers(6, size=T).tolist()
            h = exact(torch.eye(6, dtype=torch.float64)[obs][None])[0][0].detach().numpy()
            want = 1 / (1 + np.exp(-(h @ weights["readout_W"] + weights["readout_b"])))
            demo.state = {**demo.state, "obs": obs, "t": 0}
            np.testing.assert_allclose(demo.trace()["network"], want, **CLOSE)
            (got,) = javascript([("view", demo.state)])
            np.testing.assert_allclose(got["result"]["network"], want, **CLOSE)
            rough = readout(cell(torch.eye(6)[obs][None])[0])[0, :, 0].sigmoid().detach()
            np.testing.assert_allclose(want, rough, rtol=0, atol=1e-3)  # four decimals a weight

    def test_an_embedding_folds_into_the_weights_of_the_input(self, rng):
        torch.manual_seed(4)
        table, cell = torch.nn.Embedding(6, 3), torch.nn.LSTM(3, 5, batch_first=True)
        params = torch_bridge.from_torch(cell)
        E = table.weight.detach().double().numpy()
        folded = type(params)(E @ params.W_xa, params.W_ha, params.b_a)
        demo = shop(network=(folded, np.eye(5)[1], 0.0))
        with torch.no_grad():
            want = cell(table(torch.tensor([OBS])))[0][0, :, 1].sigmoid()
        np.testing.assert_allclose(demo.trace()["network"], want, rtol=0, atol=1e-3)

    def test_the_bag_is_a_logistic_regression_in_the_shapes_of_scikit_learn(self, rng):
        coef, intercept = rng.normal(size=(1, 6)), rng.normal(size=1)
        counts = np.eye(6)[OBS].cumsum(axis=0)
        want = 1 / (1 + np.exp(-(counts @ coef[0] + intercept)))
        np.testing.assert_allclose(shop(bag=(coef, intercept)).trace()["bag"], want, **CLOSE)

    @pytest.mark.parametrize(
        "change, message",
        [
            ({"events": [0, 6]}, "events"),
            ({"events": [0.5]}, "events at t=0 must be a whole number"),
            ({"events": []}, "obs"),
            ({"events": [0] * 41}, "obs"),
            ({"t": 7}, "t must be below 7, got 7"),
            ({"intent": 3}, "intent must be below 3, got 3"),
            ({"ask": "maybe"}, "ask must be one of open, ends, goes, got 'maybe'"),
            ({"miss": 0.4}, "opts.miss: 0.4 is less than the minimum"),
            ({"miss": 51}, "opts.miss: 51 is greater than the maximum"),
            ({"bag": ([1.0] * 5, 0.0)}, r"weights of the bag must have shape \(6,\)"),
            ({"bag": ([1.0] * 6, [0.0, 1.0])}, "intercept of the bag must have shape"),
            ({"bag": ([np.nan] * 6, 0.0)}, "weights of the bag must be finite"),
            ({"network": network(H=25)}, "must read 6 events with 1 to 24 units, got 6 inputs"),
            ({"network": network(V=5)}, "must read 6 events with 1 to 24 units, got 5 inputs"),
            ({"network": (3, np.ones(7), 0.0)}, "params of the network must be RNNParams"),
            ({"network": (network()[0], np.ones(6), 0.0)}, "readout of the network must"),
            ({"network": (network()[0], np.full(7, 328), 0.0)}, "at most 327 in size"),
            ({"process": changed(SHOP, pi=[0.5, 0.3, 0.1])}, "pi of the process must sum to 1"),
            ({"process": changed(SHOP, buy=[0.1, 0.02, 0.25])}, "row 0 of .Q, buy, leave."),
            ({"process": changed(SHOP, B=np.eye(3))}, r"B of the process must have shape \(3, 6\)"),
            ({"process": changed(SHOP, intents=["a", "a", "b"])}, "intents must differ"),
            ({"process": changed(SHOP, Q=np.eye(3), buy=[0] * 3, leave=[0] * 3)}, "able to end"),
            ({"process": changed(SHOP, intents=list("abcdef"))}, "shows 1 to 5 intents, got 6"),
        ],
    )  # fmt: skip
    def test_what_does_not_fit_is_named(self, change, message):
        with pytest.raises(ValueError, match=message):
            shop(**change)

    def test_the_picture_says_what_all_three_say(self):
        demo = shop(ask="ends")
        page, trace = demo._repr_mimebundle_()["text/html"], demo.trace()
        assert "home, product, add, search, cart, reviews, cart" in page
        assert f"ideal observer {trace['ideal'][-1, 1]:.2f}" in page
        assert f"LSTM {trace['network'][-1]:.2f}, bag of events {trace['bag'][-1]:.2f}" in page
        assert "believes most in wanting" in page
        assert "probability zero" in strict(events=[0, 0])._repr_mimebundle_()["text/html"]


class TestGoals:
    @pytest.mark.parametrize("ask", _session.ASKS)
    def test_each_is_reached_by_sessions_that_the_page_recognises(self, ask):
        demo = shop(ask=ask, network=network(seed=2))
        which, fixed = _session.ASKS.index(ask), demo.state["fixed"]
        obs = np.array(list(itertools.product(range(6), repeat=4)))
        answers = _session_goals.last_answers(obs, fixed, which)
        far = int(np.abs(answers[:, 0] - answers[:, 1]).argmax())
        bags = np.unique(np.sort(obs, axis=1), axis=0, return_inverse=True)[1].reshape(-1)
        spreads = [np.ptp(answers[bags == k, 0]) for k in range(bags.max() + 1)]
        same = np.flatnonzero(bags == int(np.argmax(spreads)))
        low, high = (same[pick(answers[same, 0])] for pick in (np.argmin, np.argmax))
        goals = fixed["goals"]
        assert [goal["when"][0][0] for goal in goals] == ["same_bag", "off", "acts.0"]
        assert _session.QUESTIONS[which] in goals[0]["text"]
        assert 0.7 * max(spreads) < goals[0]["when"][0][2] < max(spreads)

        def state(y, **opts):
            now = demo.state
            return {**now, "obs": y.tolist(), "t": 3, "opts": {**now["opts"], **opts}}

        # Acting alone: from a cost between the ideal observer's answer and the two others'.
        alone = int((answers[:, 0] - answers[:, 1:].max(axis=1)).argmax())
        cut = (answers[alone, 0] + answers[alone, 1:].max()) / 2
        calls = [
            ("view", state(obs[high]), state(obs[low])),
            ("view", state(obs[far])),
            ("view", state(obs[alone], miss=float(1 / cut - 1))),
        ]
        (start,) = javascript([("view", demo.state)])
        for goal, got in zip(goals, javascript(calls), strict=True):
            assert all(holds(condition, got["facts"]) for condition in goal["when"])
            assert not all(holds(condition, start["facts"]) for condition in goal["when"])
        one, two = (_session_goals.observers(obs[[k]], fixed)[1][0, -1] for k in (low, high))
        assert one == pytest.approx(two, abs=1e-12)  # the bag says the same to both

    def test_another_bag_does_not_count_as_another_order(self):
        demo = shop(events=[0, 0, 0])
        states = [{**demo.state, "obs": y, "t": 0} for y in ([0, 0, 0], [5, 5, 5])]
        (got,) = javascript([("view", states[1], states[0])])
        assert got["facts"]["same_bag"] == 0

    def test_goals_that_no_session_reaches_are_not_set(self):
        two = [goal["when"][0][0] for goal in strict().state["fixed"]["goals"]]
        assert two == ["off", "acts.0"]  # there is one order only

    def test_authors_goals_are_taken(self):
        goal = demos.Goal("Be sure.", (("ideal", ">", 0.9),))
        assert shop(goals=[goal]).state["fixed"]["goals"] == [goal.to_json()]


def holds(condition, facts):
    """The page's own rule, for numbers and truths."""
    path, sign, value = condition
    left = facts
    for key in path.split("."):
        left = left[int(key)] if isinstance(left, list) else left[key]
    return left is not None and {">": left > value, "==": left == value}[sign]


class TestView:
    @pytest.mark.parametrize("demo", every_demo()[:2], ids=lambda d: d.name)
    def test_after_an_edit_everything_equals_python(self, demo, rng):
        edits = []
        for n in (1, 5, 23, 40):
            obs = rng.integers(6, size=n).tolist()
            edits.append({**demo.state, "obs": obs, "t": n - 1})
            edits.append({**demo.state, "obs": OBS[:3] + obs[3:], "t": 0})
        answers = javascript([("view", now, demo.state) for now in edits])
        for now, got in zip(edits, answers, strict=True):
            demo.state = now
            want, mine = demo.trace(), got["result"]
            for key in ("belief", "over", "network", "bag"):
                np.testing.assert_allclose(mine[key], want[key], **CLOSE)
            ideal = np.stack([mine[ask] for ask in _session.ASKS], axis=1)
            np.testing.assert_allclose(ideal, want["ideal"], **CLOSE)

    def test_where_a_session_cannot_end_or_go_on_there_is_no_answer(self):
        (got,) = javascript([("view", strict().state)])
        assert (got["result"]["ends"], got["result"]["goes"]) == ([None, 1], [1, None])
        np.testing.assert_array_equal(np.isnan(strict().trace()["ideal"][:, 1:]), np.eye(2) > 0)

    def test_copied_python_rebuilds_the_same_state(self):
        cases = every_demo()
        for demo, got in zip(cases, javascript([("view", d.state) for d in cases]), strict=True):
            space = {"print": lambda *args: None}
            exec(got["python"], space)  # our own code, made by the view under test
            assert space["demo"].state == demo.state

    def test_words_and_tables_hold_no_nan_and_no_undefined(self):
        states = []
        for demo in (*every_demo(), strict(events=[0, 0, 1])):
            for t, ask in itertools.product(range(len(demo.state["obs"])), _session.ASKS):
                states.append({**demo.state, "t": t, "opts": {**demo.state["opts"], "ask": ask}})
        for now, got in zip(states, javascript([("view", s) for s in states]), strict=True):
            words = [got[key] for key in ("say", "sums", "table", "question", "facts")]
            words = json.dumps(words, ensure_ascii=False)
            for bad in ("NaN", "undefined", "[object", "Infinity"):
                assert bad not in words, (now["name"], now["t"], words)
            assert len(got["say"]) > 20 and "none" not in got["say"]
            if "no answer" in got["say"]:
                assert got["question"] is None

    @pytest.mark.parametrize("miss, who", [(9.0, "all three"), (2.0, "ideal observer"), (0.5, "")])
    def test_costs_decide_who_acts(self, miss, who):
        demo = shop(t=6, miss=miss)
        exact, (net, bag) = (
            demo.trace()["ideal"][6, 0],
            (demo.trace()[k][6] for k in ("network", "bag")),
        )
        acts = [p >= 1 / (1 + miss) for p in (exact, net, bag)]
        (got,) = javascript([("view", demo.state)])
        assert got["facts"]["acts"] == acts
        assert f"From {1 / (1 + miss):.3f} on one should act: {who}" in got["say"]
        if who == "ideal observer":
            costs = f"Acting costs {1 - exact:.2f} false alarms on average here"
            assert f"{costs}, waiting {exact * miss:.2f}." in got["say"]

    def test_both_languages_take_and_refuse_the_same_states(self):
        states, verdicts = [], []
        for demo in every_demo():
            good = demo.state
            V = len(good["fixed"]["events"])
            states += [good, {**good, "t": -1}, {**good, "seed": 2**31}, {**good, "extra": 0}]
            states += [{**good, "obs": obs} for obs in ([], [V], [-1], [0.5], [0] * 41, "AB")]
            states += [{**good, "t": 0, "obs": [V - 1]}]
            for key, bad in (
                ("intent", 5), ("intent", -1), ("ask", "all"), ("miss", 0), ("miss", "9"),
                ("miss", 51), ("predict", 1),
            ):  # fmt: skip
                states.append({**good, "opts": {**good["opts"], key: bad}})
            states.append({**good, "opts": {**good["opts"], "intent": 2, "ask": "goes"}})
        for now in states:
            try:
                check_state(now)
                _session.check(now)
                verdicts.append(True)
            except ValueError:
                verdicts.append(False)
        for now, mine, theirs in zip(
            states, javascript([("valid", now) for now in states]), verdicts, strict=True
        ):
            assert mine == theirs, (now["name"], now["obs"], now["opts"])
        assert sum(verdicts) == 3 + 3 + 2  # the strict one has no third intent

    @pytest.mark.parametrize("key", ["W_ha", "b_a", "readout_W", "readout_b"])
    def test_python_refuses_a_stored_network_of_another_shape(self, key):
        state = copy.deepcopy(shop().state)
        state["fixed"]["network"]["weights"][key] = [int(key == "W_ha"), 1, "AAAAAA=="]
        with pytest.raises(ValueError, match="network"):  # two numbers
            demos.Demo(state, _session)
