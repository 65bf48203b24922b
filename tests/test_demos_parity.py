"""The demos' JavaScript against ``course_lib``: every core function, per step and whole run."""

import json

import numpy as np
import pytest

from course_lib import demos, emissions, hmm, hmm_learning, markov
from course_lib.demos._chain import walk
from course_lib.demos._state import check_state, uniforms
from tests.demos.node import run_in_node
from tests.demos.pages import CASINO

TOLERANCE = 1e-6  # demos.md; measured differences are below 1e-11
SIZES = [(1, 1, 1), (1, 2, 3), (5, 2, 3), (7, 3, 4), (12, 5, 8), (40, 2, 6)]  # T, K, V


def javascript(calls):
    """Results of ``[(function, args...), ...]`` in Node."""
    return run_in_node("parity.mjs", [{"fn": fn, "args": args} for fn, *args in calls])


def numbers(x):
    return np.array(x, dtype=object).astype(float)  # "-Infinity" and None come as objects


def random_hmm(rng, K, V, sparse=False):
    """Asymmetric random tables; ``sparse`` ones hold exact zeros."""
    pi, A, B = (rng.dirichlet(np.ones(n), size) for n, size in ((K, 1), (K, K), (V, K)))
    if sparse and K > 1:
        A[0, -1] = 0
        A[0] /= A[0].sum()
    return pi[0], A, B


class TestHmm:
    def test_random_cases_per_step_and_from_a_changed_step(self, rng):
        cases, calls = [], []
        for number in range(60):
            T, K, V = SIZES[number % len(SIZES)]
            pi, A, B = random_hmm(rng, K, V, sparse=number % 3 == 0)
            start = rng.integers(V, size=T)
            changed = int(rng.integers(T))
            obs = start.copy()
            obs[changed] = rng.integers(V)
            cases.append((obs, pi, A, B))
            tables = [x.tolist() for x in (obs, pi, A, B)]
            calls.append(("hmm", *tables, changed, start.tolist()))
        worst = 0.0
        for (obs, pi, A, B), got in zip(cases, javascript(calls), strict=True):
            filtered, best = hmm.forward_filter(obs, pi, A, B), hmm.viterbi(obs, pi, A, B)
            expected = {
                "alpha": filtered.alpha,
                "predicted": filtered.predicted,
                "log_c": filtered.log_c,
                "beta": hmm.backward(obs, pi, A, B),
                "gamma": hmm.smooth(obs, pi, A, B),
                "xi": hmm.pairwise_posteriors(obs, pi, A, B),
                "delta": best.log_delta,
                "logJoint": best.log_joint,
            }
            for name, value in expected.items():
                mine = numbers(got[name]).reshape(np.shape(value))
                np.testing.assert_allclose(mine, value, rtol=0, atol=TOLERANCE, err_msg=name)
                finite = np.isfinite(value)
                gap = np.abs(np.where(finite, mine, 0) - np.where(finite, value, 0))
                worst = max(worst, gap.max(initial=0.0))
            # Two paths with the same steps in another order tie; then either is the best path.
            mine = hmm.log_joint(np.array(got["path"]), obs, pi, A, B)
            assert abs(mine - best.log_joint) < TOLERANCE
        assert worst < 1e-11  # far below what is promised: the same arithmetic in float64


class TestEm:
    @pytest.mark.parametrize("kind", ["poisson", "gaussian"])
    def test_random_cases_every_iteration(self, rng, kind):
        cases, calls = [], []
        for number in range(24):
            T, K = (2, 9, 107, 400)[number % 4], (1, 2, 3, 4)[(number // 4) % 4]
            pi, A, _ = random_hmm(rng, K, 2, sparse=number % 5 == 0)
            if kind == "poisson":
                y, mean, var = rng.poisson(12, T), rng.uniform(1, 30, K), []
            else:
                y, mean, var = rng.normal(0, 3, T), rng.normal(0, 3, K), rng.uniform(1, 9, K)
            n = 1 if T == 2 else 8
            cases.append((y, pi, A, mean, np.array(var), n))
            model = {"pi": pi.tolist(), "A": A.tolist(), "mean": mean.tolist(), "var": list(var)}
            calls.append(("em", kind, y.tolist(), model, n))
        for (y, pi, A, mean, var, n), got in zip(cases, javascript(calls), strict=True):
            if kind == "poisson":
                B = emissions.Poisson(mean)
            else:
                B = emissions.Gaussian(mean[:, None], var[:, None])
            for t in range(n + 1):
                mine = got[t]["m"]
                step = hmm_learning.em_step(y, pi, A, B, var_floor=1e-300)
                theirs = {"pi": pi, "A": A, "mean": B.rate if kind == "poisson" else B.mean[:, 0]}
                if kind == "gaussian":
                    theirs["var"] = B.var[:, 0]
                    if B.var.min() < 1e-6 * y.var():
                        break  # the demo stops here and says why
                for name, value in theirs.items():
                    np.testing.assert_allclose(
                        numbers(mine[name]), value, rtol=1e-9, atol=TOLERANCE, err_msg=name
                    )
                evidence = step.log_evidence_before
                assert abs(got[t]["logEvidence"] - evidence) < TOLERANCE
                np.testing.assert_allclose(
                    numbers(got[t]["gamma"]), hmm.smooth(y, pi, A, B), rtol=0, atol=TOLERANCE
                )
                pi, A, B = step.pi, step.A, step.B

    def test_densities(self, rng):
        counts, values = np.arange(0, 200, 7), rng.normal(0, 3, 20)
        poisson, gaussian = javascript(
            [
                ("density", "poisson", counts.tolist(), 17.3, 0),
                ("density", "gaussian", values.tolist(), 0.4, 2.5),
            ]
        )
        expected = emissions.log_likelihood(counts, emissions.Poisson(np.array([17.3])))[:, 0]
        np.testing.assert_allclose(poisson, expected, rtol=0, atol=TOLERANCE)
        normal = emissions.Gaussian(np.array([[0.4]]), np.array([[2.5]]))
        expected = emissions.log_likelihood(values, normal)[:, 0]
        np.testing.assert_allclose(gaussian, expected, rtol=0, atol=TOLERANCE)


class TestChain:
    def test_scores_and_stationary_distribution(self, rng):
        calls, expected = [], []
        for number in range(30):
            V = 2 + number % 7
            pi, A, _ = random_hmm(rng, V, 2)
            y = rng.integers(V, size=2 + number % 11)
            calls += [
                ("chain", y.tolist(), pi.tolist(), A.tolist()),
                ("bag", y.tolist(), pi.tolist()),
                ("stationary", A.tolist()),
            ]
            expected += [
                markov.chain_log_prob(y, pi, A),
                np.log(pi[y]).sum(),
                markov.stationary_distribution(A),
            ]
        for number, (got, want) in enumerate(zip(javascript(calls), expected, strict=True)):
            got = numbers(got)
            got = got if number % 3 == 2 else got.sum()
            np.testing.assert_allclose(got, want, rtol=0, atol=TOLERANCE)

    def test_the_same_seed_walks_the_same_way_in_both_languages(self, rng):
        seeds = [0, 1, 12345, 2**31 - 1]
        draws = javascript([("random", seed, 200) for seed in seeds])
        assert draws == [uniforms(seed, 200) for seed in seeds]
        pi, A, _ = random_hmm(rng, 5, 2)
        for seed in seeds:
            demo = demos.chain("walk", list("abcde"), [0, 1], [("only", pi, A)], seed=seed)
            state = demo.state
            (path,) = javascript(
                [("walk", state["params"]["pi"][0], state["params"]["A"][0], seed, 61)]
            )
            assert path == walk(state)


def small_demos():
    clicks = {
        "items": ["home", "search", "buy"],
        "tokens": [0, 1, 2, 1],
        "classes": (
            ("forward", [0.5, 0.3, 0.2], [[0.2, 0.7, 0.1], [0.3, 0.3, 0.4], [0.6, 0.2, 0.2]]),
            ("reverse", [0.2, 0.3, 0.5], [[0.2, 0.1, 0.7], [0.6, 0.3, 0.1], [0.1, 0.5, 0.4]]),
        ),
    }
    counts = [13, 14, 8, 10, 16, 26, 32, 27, 18, 32, 36, 24]
    return [
        demos.trellis(**CASINO, t=3),
        demos.trellis(**CASINO, t=0, show="backward", cell=0),
        demos.trellis(**CASINO, t=11, show="viterbi"),
        demos.chain("clicks", **clicks),
        demos.chain("steps", **clicks, mode="walk", t=9, cls=1, seed=4),
        demos.em("quakes", counts, K=2, t=3),
        demos.em("roots", np.sqrt(counts), "gaussian", K=3, t=2, states=list("abc")),
    ]


class TestSchema:
    def test_both_languages_take_and_refuse_the_same_states(self):
        states, verdicts = [], []
        for demo in small_demos():
            good = demo.state
            states += [good, {**good, "t": -1}, {**good, "t": "3"}, {**good, "seed": 2**31}]
            states += [{**good, "extra": 0}, {**good, "opts": {}}, {**good, "params": []}]
            states += [{**good, "name": "A b"}, {**good, "fixed": {**good["fixed"], "goals": [{}]}}]
        for state in states:
            try:
                check_state(state)
                verdicts.append(True)
            except ValueError:
                verdicts.append(False)
        assert javascript([("valid", state) for state in states]) == verdicts
        assert sum(verdicts) == len(small_demos())


class TestViews:
    def test_copied_python_rebuilds_the_same_state(self):
        demos_here = small_demos()
        for demo, got in zip(
            demos_here, javascript([("view", d.state) for d in demos_here]), strict=True
        ):
            assert got["wrong"] == ""
            space = {"print": lambda *args: None}
            exec(got["python"], space)  # our own code, made by the view under test
            again = space["demo"]
            mine, theirs = demo.state, again.state
            for state in (mine, theirs):
                del state["fixed"]["goals"]
            assert theirs == mine

    def test_words_and_tables_hold_no_nan_and_no_undefined(self):
        impossible = demos.trellis(
            "one", [0, 1, 0], [1.0, 0.0], np.eye(2), [[1.0, 0.0], [0.0, 1.0]], t=1
        )
        states = [demo.state for demo in [*small_demos(), impossible]]
        for show in ("backward", "viterbi"):
            state = impossible.state
            state["opts"]["show"] = show
            states.append(state)
        for state, got in zip(states, javascript([("view", s) for s in states]), strict=True):
            words = json.dumps([got["say"], got["sums"], got["table"]], ensure_ascii=False)
            for bad in ("NaN", "undefined", "[object"):
                assert bad not in words, (state["view"], words)
            assert len(got["say"]) > 20
