"""Learning: counts by hand, Baum-Welch against hmmlearn and against all paths, gradients."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from course_lib import hmm, hmm_batch, hmm_learning
from course_lib.emissions import Gaussian, Poisson
from course_lib.hmmlearn_bridge import from_hmmlearn, to_hmmlearn
from tests import oracles
from tests.models import KINDS, random_emission, random_model, random_tables

PARAMETERS = {"gaussian": ("mean", "var"), "gaussian-2d": ("mean", "var"), "poisson": ("rate",)}
LENGTHS = np.array([40, 55, 31])


def padded_data(rng, kind, K=3):
    model = random_model(rng, K, kind)
    sequences = [hmm.sample_hmm(T, *model, rng)[1] for T in LENGTHS]
    ys = np.zeros((3, 55, *sequences[0].shape[1:]), sequences[0].dtype)
    for n, y in enumerate(sequences):
        ys[n, : len(y)] = y
    return ys, sequences


def flat(pi, A, B, kind):
    emissions = [getattr(B, name) for name in PARAMETERS[kind]] if kind in PARAMETERS else [B]
    return [pi, A, *emissions]


class TestCounting:
    z, y = np.array([0, 0, 1, 0]), np.array([2, 0, 1, 1])

    def test_by_hand(self):
        pi, A, B = hmm_learning.count_supervised(self.z, self.y, K=2, V=3)
        np.testing.assert_allclose(pi, [1, 0])
        np.testing.assert_allclose(A, [[0.5, 0.5], [1, 0]])
        np.testing.assert_allclose(B, [[1 / 3, 1 / 3, 1 / 3], [0, 1, 0]])

    def test_pseudocount_by_hand(self):
        pi, A, B = hmm_learning.count_supervised(self.z, self.y, K=2, V=3, pseudocount=1)
        np.testing.assert_allclose(pi, [2 / 3, 1 / 3])
        np.testing.assert_allclose(A, [[0.5, 0.5], [2 / 3, 1 / 3]])
        np.testing.assert_allclose(B, [[2 / 6, 2 / 6, 2 / 6], [1 / 4, 2 / 4, 1 / 4]])

    def test_no_move_from_one_sequence_to_the_next(self):
        z = [np.array([0, 0]), np.array([1])]
        y = [np.array([0, 0]), np.array([0])]
        _, A, _ = hmm_learning.count_supervised(z, y, K=2, V=1)
        np.testing.assert_allclose(A, [[1, 0], [0.5, 0.5]])  # state 1 is never left: uniform

    def test_recovers_the_tables_that_made_the_data(self, rng):
        model = random_model(rng, 3, V=4)
        z, y = hmm.sample_hmm(60_000, *model, rng)
        _, A, B = hmm_learning.count_supervised(z, y, 3, 4)
        np.testing.assert_allclose(A, model[1], atol=0.03)
        np.testing.assert_allclose(B, model[2], atol=0.03)

    @pytest.mark.parametrize(
        "z, y, message",
        [
            ([0, 2], [0, 0], "z.0. must hold symbols from 0 to 1, got 2 at t=1"),
            ([0, 1], [0, 3], "y.0. must hold symbols from 0 to 2, got 3 at t=1"),
            ([0, 1], [0], r"y.0. must have shape \(2,\), got \(1,\)"),
        ],
    )
    def test_bad_input(self, z, y, message):
        with pytest.raises(ValueError, match=message):
            hmm_learning.count_supervised(np.array(z), np.array(y), K=2, V=3)


class TestAgainstHmmlearn:
    @pytest.mark.parametrize("implementation", ["log", "scaling"])
    @pytest.mark.parametrize("steps", [1, 5])
    @pytest.mark.parametrize("kind", KINDS)
    def test_same_parameters_after_the_same_steps(self, rng, kind, steps, implementation):
        ys, sequences = padded_data(rng, kind)
        pi, A, B = *random_tables(rng, 3), random_emission(rng, 3, kind)
        prior = {"covars_prior": 0.0} if kind.startswith("gaussian") else {}
        model = to_hmmlearn(pi, A, B, implementation=implementation, n_iter=steps, **prior)
        model.tol = -np.inf
        rows = [y.reshape(len(y), -1) for y in sequences]
        model.fit(np.concatenate(rows), LENGTHS)
        for _ in range(steps):
            step = hmm_learning.em_step(ys, pi, A, B, LENGTHS)
            pi, A, B = step.pi, step.A, step.B
        for ours, theirs in zip(
            flat(pi, A, B, kind), flat(*from_hmmlearn(model), kind), strict=True
        ):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-8)


class TestAgainstAllPaths:
    def test_one_step_is_the_ratio_of_expected_counts(self, rng):
        pi, A, B = random_model(rng, 2, V=3)
        y = rng.integers(3, size=5)
        paths, joints = oracles.all_paths(y, pi, A, B)
        moves, shows, start = np.zeros((2, 2)), np.zeros((2, 3)), np.zeros(2)
        for z, p in zip(paths, joints / joints.sum(), strict=True):
            start[z[0]] += p
            for t in range(5):
                shows[z[t], y[t]] += p
                if t < 4:
                    moves[z[t], z[t + 1]] += p
        step = hmm_learning.em_step(y, pi, A, B)
        np.testing.assert_allclose(step.pi, start, atol=1e-12)
        np.testing.assert_allclose(step.A, moves / moves.sum(1, keepdims=True), atol=1e-12)
        np.testing.assert_allclose(step.B, shows / shows.sum(1, keepdims=True), atol=1e-12)
        assert step.log_evidence_before == pytest.approx(np.log(joints.sum()), abs=1e-12)


class TestGradient:
    def test_equals_expected_counts_autograd_and_differences(self, rng):
        model = random_model(rng, 3, V=4)
        y = rng.integers(4, size=60)
        logs = [torch.tensor(np.log(p), requires_grad=True) for p in model]
        log_alpha = logs[0] + logs[2][:, y[0]]
        for symbol in y[1:]:
            log_alpha = torch.logsumexp(log_alpha[:, None] + logs[1], 0) + logs[2][:, symbol]
        torch.logsumexp(log_alpha, 0).backward()
        ours = hmm_learning.log_evidence_gradient(y, *model)
        xi, gamma = hmm.pairwise_posteriors(y, *model), hmm.smooth(y, *model)
        counts = (gamma[0], xi.sum(0), np.stack([gamma[y == v].sum(0) for v in range(4)], axis=1))
        for g, tensor, count in zip(ours, logs, counts, strict=True):
            np.testing.assert_allclose(g, tensor.grad.numpy(), rtol=0, atol=1e-8)
            np.testing.assert_allclose(g, count, rtol=0, atol=1e-8)

    @pytest.mark.parametrize("which", [0, 1, 2])
    def test_central_differences(self, rng, which):
        model = random_model(rng, 2, V=3)
        y = rng.integers(3, size=5)

        def log_evidence(log_p):
            tables = list(model)
            tables[which] = np.exp(log_p)
            return np.log(oracles.evidence(y, *tables))

        want = oracles.central_difference(log_evidence, np.log(model[which]))
        got = hmm_learning.log_evidence_gradient(y, *model)[which]
        np.testing.assert_allclose(got, want, atol=1e-8)  # truncation of h = 1e-5

    def test_batch_is_the_sum(self, rng):
        ys, sequences = padded_data(rng, "categorical")
        model = random_model(rng, 3)
        whole = hmm_learning.log_evidence_gradient(ys, *model, LENGTHS)
        parts = [hmm_learning.log_evidence_gradient(y, *model) for y in sequences]
        for n in range(3):
            np.testing.assert_allclose(whole[n], sum(p[n] for p in parts), atol=1e-10)

    def test_only_for_tables(self, rng):
        with pytest.raises(ValueError, match="B must be categorical, got Poisson"):
            hmm_learning.log_evidence_gradient([1], [1.0], [[1.0]], Poisson([2.0]))


class TestBaumWelch:
    @pytest.mark.parametrize("kind", KINDS)
    def test_history_rises_and_ends_at_the_fit(self, rng, kind):
        ys, _ = padded_data(rng, kind)
        start = *random_tables(rng, 3), random_emission(rng, 3, kind)
        fit = hmm_learning.baum_welch(ys, *start, LENGTHS, n_iter=30, tol=0, var_floor=1e-3)
        assert len(fit.history) == 31 and not fit.converged
        assert (np.diff(fit.history) >= -1e-9 * abs(fit.history[0])).all()
        assert fit.history[-1] > fit.history[0]
        last = hmm_batch.log_evidence(ys, fit.pi, fit.A, fit.B, LENGTHS).sum()
        assert fit.history[-1] == pytest.approx(last, abs=1e-9)

    def test_stops_where_a_step_gains_less_than_tol(self, rng):
        ys, _ = padded_data(rng, "categorical")
        fit = hmm_learning.baum_welch(ys, *random_model(rng, 3), LENGTHS, n_iter=500, tol=0.01)
        gains = np.diff(fit.history)
        assert fit.converged and gains[:-2].min() >= 0.01 > gains[-2]

    def test_restarts_come_best_first_and_differ(self, rng):
        ys, _ = padded_data(rng, "categorical")
        fits = hmm_learning.baum_welch_restarts(ys, 3, "categorical", 6, rng, LENGTHS, n_iter=40)
        ends = [fit.history[-1] for fit in fits]
        assert len(fits) == 6 and ends == sorted(ends, reverse=True) and ends[0] > ends[-1]

    @pytest.mark.parametrize("kind", ["gaussian", "poisson"])
    def test_restarts_find_separated_states(self, rng, kind):
        pi, A = np.array([0.5, 0.5]), np.array([[0.95, 0.05], [0.1, 0.9]])
        B = Poisson([3.0, 20.0]) if kind == "poisson" else Gaussian([-4.0, 5.0], [1.0, 2.0])
        y = hmm.sample_hmm(3000, pi, A, B, rng)[1]
        best = hmm_learning.baum_welch_restarts(y, 2, kind, 4, rng, n_iter=60)[0]
        name = "rate" if kind == "poisson" else "mean"
        truth, found = getattr(B, name), getattr(best.B, name)
        order = hmm_learning.align_states(truth, found)
        np.testing.assert_allclose(found[order], truth, atol=0.6)
        np.testing.assert_allclose(best.A[order][:, order], A, atol=0.05)

    def test_a_state_that_is_never_visited_keeps_its_rows(self):
        pi = np.array([1.0, 0.0])
        A, B = np.array([[1.0, 0.0], [0.3, 0.7]]), np.array([[0.5, 0.5], [0.2, 0.8]])
        step = hmm_learning.em_step(np.array([0, 1, 1]), pi, A, B)
        np.testing.assert_array_equal(step.A[1], A[1])
        np.testing.assert_array_equal(step.B[1], B[1])
        np.testing.assert_allclose(step.B[0], [1 / 3, 2 / 3])

    def test_collapsing_variance_is_refused_and_cured_by_a_floor(self):
        y = np.array([0.0, 0.0, 0.0, 5.0, 7.0, 6.0])
        start = (np.array([0.5, 0.5]), np.array([[0.6, 0.4], [0.3, 0.7]]),
                 Gaussian([0.0, 6.0], [1e-3, 1.0]))  # fmt: skip
        with pytest.raises(ValueError, match=r"state 0, feature 0 fell to 0.*var_floor"):
            hmm_learning.baum_welch(y, *start, n_iter=200, tol=0)
        fit = hmm_learning.baum_welch(y, *start, n_iter=50, var_floor=0.01)
        assert fit.B.var.min() == 0.01

    def test_poisson_state_of_zeros_keeps_a_positive_rate(self):
        y = np.array([0] * 20 + [9] * 20)
        start = np.array([0.5, 0.5]), np.array([[0.9, 0.1], [0.1, 0.9]]), Poisson([0.5, 8.0])
        fit = hmm_learning.baum_welch(y, *start, n_iter=50)
        assert 0 < fit.B.rate[0] < 1e-3

    @pytest.mark.parametrize(
        "call, message",
        [
            (lambda r: hmm_learning.baum_welch([0], [1.0], [[1.0]], [[1.0]], n_iter=0), "n_iter"),
            (lambda r: hmm_learning.baum_welch_restarts([0], 1, "beta", 1, r), "kind must be"),
            (lambda r: hmm_learning.baum_welch_restarts([0], 1, "poisson", 0, r), "n_starts"),
        ],
    )
    def test_bad_input(self, rng, call, message):
        with pytest.raises(ValueError, match=message):
            call(rng)


class TestSelection:
    def test_free_numbers_by_hand(self):
        assert hmm_learning.n_parameters(2, np.full((2, 6), 1 / 6)) == 1 + 2 + 10
        assert hmm_learning.n_parameters(3, Poisson([1.0, 2.0, 3.0])) == 2 + 6 + 3
        assert hmm_learning.n_parameters(3, Gaussian(np.zeros((3, 2)), np.ones((3, 2)))) == 8 + 12

    def test_criteria_by_hand(self):
        assert hmm_learning.aic(-100.0, 7) == 214.0
        assert hmm_learning.bic(-100.0, 7, 50) == pytest.approx(7 * np.log(50) + 200)

    def test_alignment_undoes_a_renumbering(self, rng):
        B, order = random_emission(rng, 4, "categorical"), rng.permutation(4)
        np.testing.assert_array_equal(B[order][hmm_learning.align_states(B, B[order])], B)

    def test_alignment_refuses_other_shapes(self):
        with pytest.raises(ValueError, match="same shape"):
            hmm_learning.align_states(np.ones((2, 3)), np.ones((3, 2)))


@given(st.integers(0, 10_000), st.integers(1, 3), st.integers(1, 4), st.integers(1, 60))
def test_property_a_step_never_lowers_the_evidence(seed, K, V, T):
    rng = np.random.default_rng(seed)
    model = random_model(rng, K, V=V)
    y = rng.integers(V, size=T)
    step = hmm_learning.em_step(y, *model)
    after = hmm_batch.log_evidence(y, step.pi, step.A, step.B)[0]
    assert after >= step.log_evidence_before - 1e-9
    for table in (step.pi, step.A, step.B):
        np.testing.assert_allclose(table.sum(axis=-1), 1, atol=1e-12)


@given(st.integers(0, 10_000), st.integers(1, 3))
def test_property_renumbered_states_learn_the_same(seed, K):
    rng = np.random.default_rng(seed)
    pi, A, B = random_model(rng, K, V=3)
    y, order = rng.integers(3, size=20), rng.permutation(K)
    here = hmm_learning.em_step(y, pi, A, B)
    there = hmm_learning.em_step(y, pi[order], A[order][:, order], B[order])
    np.testing.assert_allclose(there.A, here.A[order][:, order], atol=1e-10)
    np.testing.assert_allclose(there.B, here.B[order], atol=1e-10)
