"""Learning against counts by hand, all paths, autograd and central differences."""

import numpy as np
import pytest
import torch
from hmm_models import KINDS, random_data, random_model
from hypothesis import given, settings
from hypothesis import strategies as st
from oracles import AllPaths, central_differences

from course_lib import hmm, hmm_batch, hmm_learning
from course_lib.emissions import Gaussian, Poisson

CLOSE = {"rtol": 1e-9, "atol": 1e-12}


class TestCountSupervised:
    def test_by_hand(self):
        pi, A, B = hmm_learning.count_supervised(
            [np.array([0, 0, 1, 0]), np.array([1, 1])], [np.array([2, 0, 1, 2]), np.array([1, 0])],
            K=2, V=3,
        )  # fmt: skip
        assert pi.tolist() == [0.5, 0.5]
        assert A.tolist() == [[0.5, 0.5], [0.5, 0.5]]
        np.testing.assert_allclose(B, [[1 / 3, 0, 2 / 3], [1 / 3, 2 / 3, 0]])

    def test_state_that_never_occurs_gets_uniform_rows(self):
        pi, A, B = hmm_learning.count_supervised([0, 0, 1], [1, 1, 0], K=3, V=2)
        assert pi.tolist() == [1, 0, 0]
        np.testing.assert_allclose(A[1:], 1 / 3)  # state 1 is only seen at the end
        np.testing.assert_allclose(B[2], 1 / 2)

    def test_pseudocount_is_added_everywhere(self):
        pi, A, _ = hmm_learning.count_supervised([0, 1], [0, 1], K=2, V=2, pseudocount=1)
        np.testing.assert_allclose(pi, [2 / 3, 1 / 3])
        np.testing.assert_allclose(A, [[1 / 3, 2 / 3], [1 / 2, 1 / 2]])

    def test_finds_the_model_again(self, rng):
        model = random_model(rng, "categorical", K=2, V=3)
        z, y = hmm.sample_hmm(20_000, *model, rng)
        for got, true in zip(hmm_learning.count_supervised(z, y, 2, 3)[1:], model[1:], strict=True):
            np.testing.assert_allclose(got, true, atol=0.03)  # four standard errors

    @pytest.mark.parametrize(
        "z, y, message",
        [
            ([0, 2], [0, 0], r"z\[0\] must hold symbols from 0 to 1, got 2 at t=1"),
            ([0, 1], [0, 5], r"y\[0\] must hold symbols from 0 to 2, got 5 at t=1"),
            ([0, 1], [0], r"y\[0\] must have shape \(2,\), got \(1,\)"),
            ([[0, 1]], [[0, 1], [1, 1]], "same number of sequences, got 1, 2"),
        ],
    )
    def test_bad_input_is_named(self, z, y, message):
        with pytest.raises(ValueError, match=message):
            hmm_learning.count_supervised(np.array(z), np.array(y), 2, 3)

    def test_negative_pseudocount_is_refused(self):
        with pytest.raises(ValueError, match="pseudocount must be at least 0"):
            hmm_learning.count_supervised([0], [0], 1, 1, pseudocount=-1)


def step_by_all_paths(ys, model):
    """One step of EM from the posterior of all paths: (pi, A, weights of the states (N, T, K))."""
    paths = [AllPaths(y, *model) for y in ys]
    gamma = np.array([p.smoothed() for p in paths])
    moves = sum(p.pairs().sum(axis=0) for p in paths)
    start = gamma[:, 0].sum(axis=0)
    return start / start.sum(), moves / moves.sum(axis=1, keepdims=True), gamma


class TestEmStep:
    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("K", [1, 2, 3])
    def test_matches_all_paths(self, rng, kind, K):
        model = random_model(rng, kind, K)
        ys = random_data(rng, model, 2, 4)
        pi, A, gamma = step_by_all_paths(ys, model)
        step = hmm_learning.em_step(ys, *model)
        np.testing.assert_allclose(step.pi, pi, **CLOSE)
        np.testing.assert_allclose(step.A, A, **CLOSE)
        wanted = sum(AllPaths(y, *model).log_evidence() for y in ys)
        np.testing.assert_allclose(step.log_evidence_before, wanted, **CLOSE)
        weights = gamma / gamma.sum(axis=(0, 1))
        if kind == "categorical":
            B = np.array([[weights[..., k][ys == v].sum() for v in range(5)] for k in range(K)])
            np.testing.assert_allclose(step.B, B, **CLOSE)
            return
        y = ys.reshape(2, 4, 1, -1)
        mean = (weights[..., None] * y).sum(axis=(0, 1))  # (K, D)
        if kind == "poisson":
            np.testing.assert_allclose(step.B.rate, mean[:, 0], **CLOSE)
        else:
            var = (weights[..., None] * (y - mean) ** 2).sum(axis=(0, 1))
            np.testing.assert_allclose(step.B.mean, mean, **CLOSE)
            np.testing.assert_allclose(step.B.var, var, rtol=1e-8, atol=1e-12)

    def test_padding_does_not_count(self, rng):
        model = random_model(rng, "categorical", 3)
        ys = rng.integers(0, 5, (2, 9))
        here = hmm_learning.em_step(ys, *model, [9, 4])
        ys[1, 4:] = -1
        there = hmm_learning.em_step(ys, *model, [9, 4])
        counts = [hmm_batch.expected_counts(y, *model).transitions for y in (ys[0], ys[1, :4])]
        moves = sum(counts)
        np.testing.assert_allclose(here.A, moves / moves.sum(axis=1, keepdims=True), **CLOSE)
        np.testing.assert_array_equal(here.A, there.A)

    def test_state_that_is_never_visited_keeps_its_rows(self, rng):
        _, A, B = random_model(rng, "categorical", 3)
        A[:2, 2] = 0
        A[:2] /= A[:2].sum(axis=1, keepdims=True)
        for emission in (B, Poisson([2.0, 3.0, 9.0]), Gaussian(np.arange(3.0), np.ones(3))):
            step = hmm_learning.em_step(rng.integers(0, 5, 30), [0.4, 0.6, 0.0], A, emission)
            np.testing.assert_array_equal(step.A[2], A[2])
            if emission is B:
                np.testing.assert_array_equal(step.B[2], B[2])
            elif isinstance(emission, Poisson):
                assert step.B.rate[2] == 9.0
            else:
                assert (step.B.mean[2], step.B.var[2]) == (2.0, 1.0)

    def test_one_observation_leaves_the_table_as_it_was(self, rng):
        _, A, _ = model = random_model(rng, "categorical", 3)
        np.testing.assert_array_equal(hmm_learning.em_step([2], *model).A, A)

    def test_collapsing_variance_is_refused_and_a_floor_holds_it(self):
        y = np.array([5.0, 5.0, 5.0, 1.0, 2.0, 0.5, 5.0, 5.0, 1.5])
        model = [0.9, 0.1], [[0.9, 0.1], [0.1, 0.9]], Gaussian([5.0, 1.0], [1e-9, 1.0])
        with pytest.raises(
            ValueError, match=r"variance of state 0, feature 0 fell to 0.*var_floor"
        ):
            hmm_learning.baum_welch(y, *model)
        fit = hmm_learning.baum_welch(y, *model, var_floor=1e-3)
        assert fit.B.var[0, 0] == 1e-3

    def test_state_of_zeros_keeps_a_positive_rate(self):
        y = np.array([0, 0, 0, 0, 9, 8, 9, 0, 0, 0])
        fit = hmm_learning.baum_welch(y, [0.5, 0.5], [[0.8, 0.2], [0.3, 0.7]], Poisson([0.1, 8.0]))
        assert 0 < fit.B.rate[0] < 1e-6


class TestBaumWelch:
    @pytest.mark.parametrize("kind", KINDS)
    def test_history_is_the_log_evidence_and_never_falls(self, rng, kind):
        true, start = random_model(rng, kind, 3), random_model(rng, kind, 3)
        ys, lengths = random_data(rng, true, 3, 60), np.array([60, 17, 44])
        fit = hmm_learning.baum_welch(ys, *start, lengths, n_iter=30, var_floor=0.01)
        before, after = (
            hmm_batch.log_evidence(ys, *m, lengths).sum() for m in (start, (fit.pi, fit.A, fit.B))
        )
        np.testing.assert_allclose(fit.history[[0, -1]], [before, after], rtol=1e-12)
        assert (np.diff(fit.history) > -1e-9).all()
        assert fit.history[-1] > fit.history[0] + 1

    def test_stops_when_nothing_is_gained(self, rng):
        y = random_data(rng, random_model(rng, "categorical", 2), 1, 50)
        start = random_model(rng, "categorical", 2)
        fit = hmm_learning.baum_welch(y, *start, n_iter=5000, tol=1e-5)
        assert fit.converged and len(fit.history) < 5001
        assert np.diff(fit.history)[:-2].min() >= 1e-5
        short = hmm_learning.baum_welch(y, *start, n_iter=3)
        assert not short.converged and len(short.history) == 4

    def test_a_fall_would_be_noticed(self, rng, monkeypatch):
        from course_lib import hmm_em

        def away(ys, pi, A, B, lengths, var_floor):
            return hmm_em.EMStep(pi, A, B, next(values))

        values = iter([-10.0, -11.0])
        monkeypatch.setattr(hmm_em, "em_step", away)
        with pytest.raises(AssertionError, match=r"fell by 1\.0 nats"):
            hmm_em.baum_welch([0, 1], [1.0], [[1.0]], [[0.5, 0.5]])

    def test_is_worse_than_the_truth_only_by_chance(self, rng):
        pi, A, B = [0.6, 0.4], np.array([[0.9, 0.1], [0.2, 0.8]]), Poisson([2.0, 11.0])
        y = hmm.sample_hmm(1500, pi, A, B, rng)[1]
        fit = hmm_learning.baum_welch(y, [0.5, 0.5], np.full((2, 2), 0.5), Poisson([4.0, 6.0]))
        np.testing.assert_allclose(fit.B.rate, B.rate, rtol=0.1)
        np.testing.assert_allclose(fit.A, A, atol=0.06)

    def test_bad_n_iter_is_named(self):
        with pytest.raises(ValueError, match="n_iter must be at least 1"):
            hmm_learning.baum_welch([0], [1.0], [[1.0]], [[1.0]], n_iter=0)


class TestRestarts:
    @pytest.mark.parametrize("kind", ["categorical", "gaussian", "poisson"])
    def test_best_first_and_same_seed_same_fits(self, rng, kind):
        ys, lengths = random_data(rng, random_model(rng, kind, 2), 2, 40), [40, 25]

        def run(seed):
            rng = np.random.default_rng(seed)
            return hmm_learning.baum_welch_restarts(
                ys, 2, kind, 4, rng, lengths, n_iter=10, var_floor=1e-3
            )

        ends = [fit.history[-1] for fit in run(5)]
        assert len(ends) == 4 and ends == sorted(ends, reverse=True)
        assert ends == [fit.history[-1] for fit in run(5)]
        assert ends != [fit.history[-1] for fit in run(6)]

    def test_padding_is_not_drawn_from(self, rng):
        ys = np.array([[1.0, 2.0, 1.5, np.nan], [2.5, 1.0, 2.0, 1.2]])
        pi, A, B = hmm_learning.random_start(ys, 2, "gaussian", rng, [3, 4])
        assert np.isfinite(B.mean).all() and pi.shape == (2,) and A.shape == (2, 2)
        counts = np.array([[1, 0, -5], [2, 1, 2]])
        assert hmm_learning.random_start(counts, 2, "poisson", rng, [2, 3])[2].rate.min() > 0
        assert hmm_learning.random_start(counts, 2, "categorical", rng, [2, 3])[2].shape == (2, 3)

    def test_two_features(self, rng):
        ys = rng.normal(size=(2, 30, 2))
        fit = hmm_learning.baum_welch_restarts(ys, 2, "gaussian", 1, rng, [30, 20], n_iter=2)[0]
        assert fit.B.mean.shape == (2, 2)

    @pytest.mark.parametrize(
        "K, kind, n_starts, message",
        [
            (2, "normal", 1, "kind must be categorical, gaussian or poisson, got 'normal'"),
            (2, "poisson", 0, "n_starts must be at least 1"),
            (0, "poisson", 1, "K must be at least 1"),
        ],
    )
    def test_bad_input_is_named(self, rng, K, kind, n_starts, message):
        with pytest.raises(ValueError, match=message):
            hmm_learning.baum_welch_restarts([1, 2, 3], K, kind, n_starts, rng)

    def test_if_all_starts_collapse_the_reason_is_told(self, rng):
        with pytest.raises(ValueError, match=r"no start of 2 ended well; .* var"):
            hmm_learning.baum_welch_restarts(np.ones(20), 2, "gaussian", 2, rng)


def torch_log_evidence(y, log_pi, log_A, log_B):
    """Forward algorithm on logs in torch, for its autograd."""
    log_alpha = log_pi + log_B[:, y[0]]
    for symbol in y[1:]:
        log_alpha = torch.logsumexp(log_alpha[:, None] + log_A, dim=0) + log_B[:, symbol]
    return torch.logsumexp(log_alpha, dim=0)


class TestLogEvidenceGradient:
    def test_is_what_autograd_finds(self, rng):
        model = random_model(rng, "categorical", 3)
        ys, lengths = rng.integers(0, 5, (2, 40)), [40, 23]
        logs = [torch.tensor(np.log(x), requires_grad=True) for x in model]
        sum(
            torch_log_evidence(y[:end], *logs) for y, end in zip(ys, lengths, strict=True)
        ).backward()
        gradient = hmm_learning.log_evidence_gradient(ys, *model, lengths)
        for ours, theirs in zip(gradient, logs, strict=True):
            np.testing.assert_allclose(ours, theirs.grad.numpy(), rtol=0, atol=1e-8)

    def test_is_what_central_differences_find(self, rng):
        model, y = random_model(rng, "categorical", 2, V=3), rng.integers(0, 3, 7)
        logs = [np.log(x) for x in model]
        gradient = hmm_learning.log_evidence_gradient(y, *model)

        def evidence_with(n, log_x):
            # entries are free numbers: the recursion takes tables that do not sum to 1
            tensors = [torch.tensor(log_x if m == n else x) for m, x in enumerate(logs)]
            return float(torch_log_evidence(y, *tensors))

        for n, ours in enumerate(gradient):
            numeric = central_differences(lambda x, n=n: evidence_with(n, x), logs[n])
            np.testing.assert_allclose(ours, numeric, rtol=0, atol=1e-8)

    def test_is_the_expected_counts(self, rng):
        model, y = random_model(rng, "categorical", 3), rng.integers(0, 5, 60)
        dlog_pi, dlog_A, dlog_B = hmm_learning.log_evidence_gradient(y, *model)
        gamma, xi = hmm.smooth(y, *model), hmm.pairwise_posteriors(y, *model)
        np.testing.assert_allclose(dlog_pi, gamma[0], rtol=0, atol=1e-8)
        np.testing.assert_allclose(dlog_A, xi.sum(axis=0), rtol=0, atol=1e-8)
        shown = np.array([gamma[y == v].sum(axis=0) for v in range(5)]).T
        np.testing.assert_allclose(dlog_B, shown, rtol=0, atol=1e-8)

    def test_other_emissions_are_refused(self):
        with pytest.raises(ValueError, match="B must be categorical, got Poisson"):
            hmm_learning.log_evidence_gradient([1, 2], [1.0], [[1.0]], Poisson([1.0]))


class TestCriteria:
    def test_parameters_are_counted(self):
        assert hmm_learning.n_parameters(2, np.full((2, 6), 1 / 6)) == 1 + 2 + 10
        assert hmm_learning.n_parameters(3, Poisson([1.0, 2.0, 3.0])) == 2 + 6 + 3
        assert hmm_learning.n_parameters(2, Gaussian(np.zeros((2, 3)), np.ones((2, 3)))) == 3 + 12

    def test_formulas(self):
        assert hmm_learning.aic(-100.0, 7) == 214.0
        np.testing.assert_allclose(hmm_learning.bic(-100.0, 7, 50), 200 + 7 * np.log(50))

    def test_agree_with_hmmlearn(self, rng):
        from course_lib.hmmlearn_bridge import to_hmmlearn

        model, y = random_model(rng, "poisson", 3), rng.integers(0, 9, 40)
        theirs, value = to_hmmlearn(*model), hmm_batch.log_evidence(y, *model)[0]
        n = hmm_learning.n_parameters(3, model[2])
        np.testing.assert_allclose(hmm_learning.aic(value, n), theirs.aic(y[:, None]), rtol=1e-10)
        np.testing.assert_allclose(
            hmm_learning.bic(value, n, 40), theirs.bic(y[:, None]), rtol=1e-10
        )


class TestAlignStates:
    def test_finds_the_order(self, rng):
        B, order = rng.dirichlet(np.ones(4), 5), rng.permutation(5)
        found = hmm_learning.align_states(B, B[order] + 1e-3 * rng.normal(size=B.shape))
        np.testing.assert_array_equal(B[order][found], B)

    def test_rates_too(self):
        assert hmm_learning.align_states([1.0, 9.0], [8.0, 2.0]).tolist() == [1, 0]

    @pytest.mark.parametrize("shapes", [((2, 3), (3, 3)), ((9, 2), (9, 2))])
    def test_bad_input_is_named(self, shapes):
        with pytest.raises(ValueError, match="same shape with at most 8 rows"):
            hmm_learning.align_states(*map(np.zeros, shapes))


@settings(max_examples=40)
@given(st.integers(0, 10**6), st.sampled_from(KINDS), st.integers(1, 4), st.integers(2, 40))
def test_property_a_step_never_lowers_the_log_evidence(seed, kind, K, T):
    rng = np.random.default_rng(seed)
    ys = random_data(rng, random_model(rng, kind, 2), 2, T)
    start = random_model(rng, kind, K)
    step = hmm_learning.em_step(ys, *start, var_floor=1e-12)
    after = hmm_batch.log_evidence(ys, step.pi, step.A, step.B).sum()
    before = sum(np.logaddexp.reduce(hmm.forward_log(y, *start)[-1]) for y in ys)
    np.testing.assert_allclose(step.log_evidence_before, before, rtol=1e-9, atol=1e-9)
    assert after >= before - 1e-9 * (1 + abs(before))
