"""Gate, gradient and family demos, Python side: states, bad input, reference traces, pictures."""

import json
import re

import numpy as np
import pytest

from course_lib import demos, hmm
from course_lib.gradients import flow_h_norms, state_jacobian
from course_lib.kalman import KalmanParams, kalman_filter, steady_gain
from course_lib.lstm import LSTMParams, init_lstm, lstm_forward
from course_lib.rnn import RNNParams, init_rnn, rnn_forward
from tests.demos.flow_demos import D, H, T, cells, every_demo, flow, gates, learned, one_family
from tests.demos.pages import CASINO


class TestEveryDemo:
    @pytest.mark.parametrize("demo", every_demo(), ids=lambda d: d.name)
    def test_state_survives_json_and_the_picture_says_what_it_shows(self, demo):
        page = demo._repr_mimebundle_()["text/html"]
        data = re.search(r'<script type="application/json">(.*?)</script>', page).group(1)
        assert json.loads(data) == demo.state
        assert len(data) < 15_000
        alt = re.search(r'<img src="data:image/svg\+xml;base64,[^"]+" alt="([^"]+)"', page)
        assert len(alt.group(1)) > 100 and "nan" not in alt.group(1)

    def test_repr_is_one_fixed_line(self):
        assert [repr(demo) for demo in (gates(), flow(cell="gru"), one_family())] == [
            f"gate_trace demo 'gates': T={T}, D={D}, H={H}, with an RNN",
            "gradient_flow demo 'flow': gru, T=17, H=3",
            "family demo 'family': T=12, K=2, V=6, 5 models",
        ]

    def test_the_largest_demos_fit_the_page(self, rng):
        x, h = rng.normal(size=(60, 8)), 8
        big = demos.gate_trace("big", x.clip(-9, 9), init_lstm(8, h, rng), init_rnn(8, h, rng))
        assert len(json.dumps(big.state, separators=(",", ":"))) < 15_000


class TestGateTrace:
    def test_trace_is_the_library_on_the_state_now(self):
        demo = gates(peepholes=True)
        state = demo.state
        state["xs"][3][0] = -0.5
        state["opts"]["clamp"]["f"] = 0.75
        demo.state = state
        fixed = state["fixed"]
        lstm = LSTMParams(**{key: np.array(x, float) for key, x in fixed["lstm"].items()})
        rnn = RNNParams(**{key: np.array(x, float) for key, x in fixed["rnn"].items()})
        x = np.array(state["xs"])[None]
        expected, trace = lstm_forward(x, lstm, clamp={"f": 0.75}), demo.trace()
        for gate in "ifgo":
            np.testing.assert_array_equal(trace[gate], getattr(expected, gate)[0])
        np.testing.assert_array_equal(trace["c"], expected.c[0, 1:])
        np.testing.assert_array_equal(trace["rnn_h"], rnn_forward(x, rnn).h[0, 1:])
        assert np.all(trace["f"] == 0.75)

    def test_weights_are_kept_to_four_digits(self):
        stored = gates().state["fixed"]["lstm"]
        np.testing.assert_allclose(stored["W_xa"], cells()[0].W_xa, rtol=5e-4, atol=0)
        assert max(len(f"{abs(v):g}") for row in stored["W_ha"] for v in row) <= 8

    @pytest.mark.parametrize(
        "change, message",
        [
            ({"x": np.zeros((61, D))}, "x: the demo shows 1 to 60 steps, got 61"),
            ({"x": np.zeros(D)}, r"x must have shape \(T, D\)"),
            ({"x": np.full((2, D), np.nan)}, "x must be finite"),
            ({"x": np.full((2, D), 11.0)}, "xs"),
            ({"x": np.zeros((2, 5))}, "params.W_xa must have shape"),
            ({"rnn": "small"}, "rnn.W_xh must have shape"),
            ({"rnn": None, "compare": True}, "compare: no rnn"),
            ({"clamp": {"z": 1.0}}, "clamp must name gates i, f, g, o, got 'z'"),
            ({"clamp": {"f": 1.5}}, "clamp"),
            ({"clamp": {"f": -0.5}}, "clamp of f must be from 0 to 1, got -0.5"),
            ({"inputs": ["a"]}, "inputs must hold 2 labels, got 1"),
            ({"units": ["a", "a", "b"]}, "units must differ"),
            ({"unit": 3}, "unit must be below 3"),
            ({"t": 3}, "t must be below 3"),
        ],
    )
    def test_what_does_not_fit_is_named(self, change, message, rng):
        lstm, rnn = cells()
        if change.get("rnn") == "small":
            change = {"rnn": init_rnn(D + 1, H, rng)}
        arguments = {"name": "g", "x": np.zeros((3, D)), "params": lstm, "rnn": rnn, **change}
        with pytest.raises(ValueError, match=message):
            demos.gate_trace(**arguments)


class TestGradientFlow:
    def test_norms_are_those_of_the_library(self):
        demo = flow(cell="lstm", start="orthogonal", radius=1.3)
        from course_lib.demos._gradient_flow import _run

        ran, params = _run(demo.state)
        trace = demo.trace()
        np.testing.assert_allclose(trace["norm_h"], flow_h_norms(ran, params), rtol=1e-12)
        for t in (0, 5, 16):
            J = state_jacobian(ran, params, t, 17)[:3, 3:]
            np.testing.assert_allclose(trace["norm_c"][t], np.linalg.norm(J, 2), rtol=1e-10)
        assert trace["norm_h"][-1] == 1 and trace["norm_c"][-1] == 0

    @pytest.mark.parametrize("start", ["random", "orthogonal", "identity"])
    def test_every_block_has_the_spectral_radius_asked_for(self, start):
        from course_lib.demos._gradient_flow import weights

        W_x, W_h, b = weights(flow(cell="gru", start=start, radius=1.25).state)
        assert W_x.shape == (1, 9) and b.shape == (9,)
        for block in np.split(W_h, 3, axis=1):
            radius = np.abs(np.linalg.eigvals(block)).max()
            np.testing.assert_allclose(radius, 1.25, rtol=1e-12)
            if start != "random":  # every direction is stretched alike
                np.testing.assert_allclose(np.linalg.norm(block, 2), 1.25, rtol=1e-12)

    def test_a_linear_orthogonal_start_keeps_the_gradient_exactly(self):
        norms = flow(start="orthogonal", radius=1, activation="linear").trace()["norm_h"]
        np.testing.assert_allclose(norms, 1, rtol=1e-12)

    def test_the_same_seed_gives_the_same_weights_and_another_seed_others(self):
        a, b, c = (flow(seed=seed, x=np.ones(9)).trace()["norm_h"] for seed in (4, 4, 5))
        assert np.array_equal(a, b) and not np.allclose(a, c)

    @pytest.mark.parametrize(
        "change, message",
        [
            ({"length": 61}, r"opts\.length"),
            ({"length": 1}, r"opts\.length"),
            ({"cell": "transformer"}, r"opts\.cell"),
            ({"radius": -1}, r"opts\.radius"),
            ({"radius": np.nan}, "radius"),
            ({"start": "zeros"}, r"opts\.start"),
            ({"activation": "sine"}, r"opts\.activation"),
            ({"hidden": 9}, "hidden: the demo shows 1 to 8 units, got 9"),
            ({"x": np.zeros(61)}, "x: the demo shows 1 to 60 steps, got 61"),
            ({"x": [np.inf]}, "xs|x"),
            ({"t": 18}, "t must be at most 17"),
            ({"seed": -1}, "seed"),
        ],
    )
    def test_what_does_not_fit_is_named(self, change, message):
        with pytest.raises(ValueError, match=message):
            flow(**change)


class TestFamily:
    def test_hmm_and_kalman_are_the_library_on_the_state_now(self):
        demo = one_family()
        state = demo.state
        state["obs"][2] = 0
        demo.state = state
        trace = demo.trace()
        model = [np.array(CASINO[key]) for key in ("pi", "A", "B")]
        alpha = hmm.forward_filter(np.array(state["obs"]), *model).alpha
        np.testing.assert_allclose(trace["hmm"], alpha, rtol=0, atol=1e-11)  # twelve digits stored
        np.testing.assert_allclose(trace["answer"][:, 0], alpha[:, 1], rtol=0, atol=1e-11)

    def test_the_filter_made_by_hand_has_the_moments_of_the_chain(self):
        """Long runs of the HMM: symbols read as numbers have the state's indicator as mean."""
        stored = one_family().state["fixed"]["models"]["kalman"]
        rng = np.random.default_rng(0)
        z, y = hmm.sample_hmm(60_000, *[np.array(CASINO[k]) for k in ("pi", "A", "B")], rng)
        values, p = np.array(stored["values"])[y], stored["level"]
        on = z == 1
        # 0.03: standard errors of 60 000 correlated draws are below 0.01
        assert abs(on.mean() - p) < 0.03
        assert abs(values[on].mean() - (1 - p)) < 0.03 and abs(values[~on].mean() + p) < 0.03
        noise = values - (on - p)
        assert abs(noise.var() / stored["observation_var"] - 1) < 0.05
        u = on - p
        assert abs((u[1:] * u[:-1]).mean() / (u * u).mean() - stored["a"]) < 0.03

    def test_the_linear_rnn_made_by_hand_is_the_filter_with_its_steady_gain(self):
        state = one_family(obs=[5, 0] * 15).state
        stored = state["fixed"]["models"]
        names = ("a", "process_var", "observation_var", "mean0", "var0")
        params = KalmanParams(**{key: stored["kalman"][key] for key in names})
        trace = one_family(obs=[5, 0] * 15).trace()
        gain = kalman_filter(np.array(stored["kalman"]["values"])[state["obs"]], params).gain[-1]
        assert abs(gain - steady_gain(params)) < 1e-3
        # 2e-3: weights of four digits, and a gain that has not quite settled
        np.testing.assert_allclose(
            trace["kalman"][20:, 0], trace["linear"][20:, 0], rtol=0, atol=2e-3
        )

    def test_models_made_by_hand_answer_nearly_as_the_hmm_does(self):
        y = np.random.default_rng(1).integers(6, size=40)
        answer = one_family(obs=y).trace()["answer"]
        gap = np.abs(answer - answer[:, :1]).mean(axis=0)
        assert np.all(gap < 0.12) and np.all(gap[1:] > 0)

    def test_learned_cells_answer_by_softmax_of_their_readout(self):
        given = learned()
        trace = one_family(**given).trace()
        for column, kind in ((2, "linear"), (3, "rnn"), (4, "lstm")):
            W, b = given["readout"][kind]
            scores = np.exp(trace[kind] @ W + b)
            expected = scores[:, 1] / scores.sum(axis=1)
            # 2e-3: the demo keeps four digits of each weight
            np.testing.assert_allclose(trace["answer"][:, column], expected, rtol=0, atol=2e-3)

    @pytest.mark.parametrize(
        "change, message",
        [
            ({"obs": [0, 6]}, "obs"),
            ({"obs": [0] * 41}, "obs"),
            ({"A": [[0.9, 0.2], [0.1, 0.9]]}, "A"),
            ({"pi": [1.0], "A": [[1.0]], "B": [[0.5, 0.5]]}, "2 to 4 states, got 1"),
            ({"ask": 2}, "ask must be from 0 to 1, got 2"),
            ({"A": [[1.0, 0.0], [0.5, 0.5]]}, "state 1 has probability 0 in the long run"),
            ({"B": [[1 / 6] * 6] * 2}, "the symbols say nothing"),
            ({"kalman": {"a": 0.5}}, "kalman must hold 'process_var'"),
            ({"kalman": "nan"}, "observation_var must be finite"),
            ({"rnn": "given"}, "readout must hold 'rnn'"),
            ({"stop": 5}, r"opts\.stop"),
            ({"t": 12}, "t must be below 12"),
            ({"symbols": ["a"]}, "symbols must hold 6 labels"),
        ],
    )
    def test_what_does_not_fit_is_named(self, change, message, rng):
        if change.get("kalman") == "nan":
            kalman = one_family().state["fixed"]["models"]["kalman"]
            change = {"kalman": {**kalman, "observation_var": np.nan}}
        if change.get("rnn") == "given":
            change = {"rnn": init_rnn(6, 2, rng)}
        with pytest.raises(ValueError, match=message):
            one_family(**change)
