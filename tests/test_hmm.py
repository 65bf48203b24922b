"""course_lib.hmm against the list of all paths, and against its own definitions."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib import hmm
from course_lib.emissions import Gaussian
from tests import oracles
from tests.models import KINDS, random_model

CLOSE = {"rtol": 1e-10, "atol": 1e-12}  # float64 sums of at most a few thousand terms
SIZES = [(1, 3, 4), (2, 3, 1), (2, 5, 4), (3, 4, 5), (4, 3, 2)]  # K, V, T


@pytest.fixture(params=SIZES, ids=lambda s: "K{} V{} T{}".format(*s))
def case(request, rng):
    K, V, T = request.param
    model = random_model(rng, K, V=V)
    return hmm.sample_hmm(T, *model, rng)[1], model


@pytest.fixture(params=KINDS)
def any_kind(request, rng):
    model = random_model(rng, 3, request.param)
    return hmm.sample_hmm(4, *model, rng)[1], model


class TestAgainstAllPaths:
    def test_evidence(self, case):
        y, model = case
        want = np.log(oracles.evidence(y, *model))
        assert hmm.forward_filter(y, *model).log_evidence == pytest.approx(want, abs=1e-12)

    def test_filter(self, case):
        y, model = case
        alpha = hmm.forward_filter(y, *model).alpha
        np.testing.assert_allclose(alpha, oracles.filtered(y, *model), **CLOSE)

    def test_smoother(self, case):
        y, model = case
        np.testing.assert_allclose(hmm.smooth(y, *model), oracles.smoothed(y, *model), **CLOSE)

    def test_pairs(self, case):
        y, model = case
        xi = hmm.pairwise_posteriors(y, *model)
        assert xi.shape == (len(y) - 1, len(model[0]), len(model[0]))
        np.testing.assert_allclose(xi, oracles.pairs(y, *model), **CLOSE)

    def test_joint_of_every_path(self, case):
        y, model = case
        paths, joints = oracles.all_paths(y, *model)
        ours = [hmm.log_joint(np.array(z), y, *model) for z in paths]
        np.testing.assert_allclose(ours, np.log(joints), **CLOSE)

    def test_viterbi_is_the_largest_path(self, case):
        y, model = case
        paths, joints = oracles.all_paths(y, *model)
        trace = hmm.viterbi(y, *model)
        assert tuple(trace.path) == paths[joints.argmax()]
        assert trace.log_joint == pytest.approx(np.log(joints.max()), abs=1e-12)

    def test_posterior_decoding_takes_the_largest_of_each_step(self, case):
        y, model = case
        want = oracles.smoothed(y, *model).argmax(axis=1)
        np.testing.assert_array_equal(hmm.posterior_decode(y, *model), want)

    def test_every_emission(self, any_kind):
        y, model = any_kind
        np.testing.assert_allclose(
            hmm.forward_filter(y, *model).alpha, oracles.filtered(y, *model), **CLOSE
        )
        np.testing.assert_allclose(hmm.smooth(y, *model), oracles.smoothed(y, *model), **CLOSE)
        paths, joints = oracles.all_paths(y, *model)
        assert tuple(hmm.viterbi(y, *model).path) == paths[joints.argmax()]

    def test_prediction_is_the_sum_over_unseen_steps(self, rng):
        _, A, B = random_model(rng, 3, V=4)
        belief = np.array([0.2, 0.5, 0.3])
        states = hmm.predict_states(belief, A, 2)
        want = [sum(belief[i] * A[i, j] * A[j, k] for i in range(3) for j in range(3))
                for k in range(3)]  # fmt: skip
        np.testing.assert_allclose(states[1], want, **CLOSE)
        np.testing.assert_allclose(hmm.predict_symbols(belief, A, B, 2)[1], want @ B, **CLOSE)


class TestDomains:
    def test_log_domain_equals_scaled(self, any_kind):
        y, model = any_kind
        log_alpha, log_beta = hmm.forward_log(y, *model), hmm.backward_log(y, *model)
        trace = hmm.forward_filter(y, *model)
        total = np.logaddexp.reduce(log_alpha, axis=1, keepdims=True)
        np.testing.assert_allclose(np.exp(log_alpha - total), trace.alpha, **CLOSE)
        evidence = np.logaddexp.reduce(log_alpha + log_beta, axis=1)  # the same at every step
        np.testing.assert_allclose(evidence, trace.log_evidence, **CLOSE)

    def test_long_sequence_does_not_underflow(self, rng):
        model = random_model(rng, 2, V=6)
        y = rng.integers(6, size=20_000)
        trace = hmm.forward_filter(y, *model)
        assert np.isfinite(trace.log_evidence) and trace.log_evidence < -10_000
        np.testing.assert_allclose(hmm.smooth(y, *model).sum(axis=1), 1, atol=1e-9)

    def test_far_outlier_does_not_underflow(self):
        model = (np.array([0.6, 0.4]), np.array([[0.9, 0.1], [0.2, 0.8]]), Gaussian([0, 1], [1, 1]))
        trace = hmm.forward_filter([0.0, 60.0], *model)
        assert np.isfinite(trace.log_evidence)
        assert trace.alpha[1, 1] == pytest.approx(1)


class TestSampling:
    def test_frequencies_follow_the_tables(self, rng):
        pi, A, B = random_model(rng, 3, V=4)
        z, y = hmm.sample_hmm(60_000, pi, A, B, rng)
        moves, shows = np.zeros((3, 3)), np.zeros((3, 4))
        np.add.at(moves, (z[:-1], z[1:]), 1)
        np.add.at(shows, (z, y), 1)
        margin = 0.03  # > 4 standard errors of the rarest row here
        np.testing.assert_allclose(moves / moves.sum(1, keepdims=True), A, atol=margin)
        np.testing.assert_allclose(shows / shows.sum(1, keepdims=True), B, atol=margin)

    def test_starts_follow_pi(self, rng):
        pi, A, B = random_model(rng, 3)
        starts = [hmm.sample_hmm(1, pi, A, B, rng)[0][0] for _ in range(4000)]
        np.testing.assert_allclose(np.bincount(starts, minlength=3) / 4000, pi, atol=0.035)


class TestZeros:
    pi = np.array([1.0, 0.0])
    A = np.array([[0.5, 0.5], [0.0, 1.0]])
    B = np.array([[0.7, 0.3, 0.0], [0.0, 0.4, 0.6]])

    def test_zero_probabilities_are_fine(self):
        y = np.array([0, 1, 2])
        want = oracles.smoothed(y, self.pi, self.A, self.B)
        np.testing.assert_allclose(hmm.smooth(y, self.pi, self.A, self.B), want, **CLOSE)

    @pytest.mark.parametrize("call", [hmm.forward_filter, hmm.viterbi, hmm.smooth])
    def test_impossible_observation_names_the_time_step(self, call):
        with pytest.raises(ValueError, match="observation 0 at t=2 has probability zero"):
            call(np.array([0, 2, 0, 1]), self.pi, self.A, self.B)

    def test_posterior_path_can_be_impossible(self):
        pi, A = np.array([0.4, 0.3, 0.3]), np.array([[0.0, 0.5, 0.5], [1.0, 0, 0], [1.0, 0, 0]])
        y, B = np.zeros(2, dtype=int), np.ones((3, 1))
        A[1:] = [[0.9, 0.1, 0.0], [0.9, 0.0, 0.1]]
        path = hmm.posterior_decode(y, pi, A, B)
        assert hmm.log_joint(path, y, pi, A, B) == -np.inf
        assert np.isfinite(hmm.viterbi(y, pi, A, B).log_joint)


class TestBadInput:
    good = (
        np.array([0.6, 0.4]),
        np.array([[0.7, 0.3], [0.2, 0.8]]),
        np.array([[0.5, 0.5], [0.1, 0.9]]),
    )

    @pytest.mark.parametrize(
        "position, value, message",
        [
            (0, [0.6, 0.3], r"pi must sum to 1, got a sum of 0.9"),
            (0, [[0.6, 0.4]], r"pi must have shape \(any,\), got \(1, 2\)"),
            (0, [1.2, -0.2], r"pi must not be negative, got -0.2 at index 1"),
            (1, [[0.7, 0.3]], r"A must have shape \(2, 2\), got \(1, 2\)"),
            (1, [[0.7, 0.2], [0.3, 0.8]], r"row 0 of A must sum to 1, got a sum of 0.9"),
            (1, [[0.7, np.nan], [0.2, 0.8]], r"A must be finite, got nan at index \(0, 1\)"),
            (2, [[0.5, 0.5]], r"B must describe 2 states as pi does, got 1"),
            (2, [[0.5, 0.6], [0.1, 0.9]], r"row 0 of B must sum to 1"),
            (2, [0.5, 0.5], r"B must have shape \(any, any\), got \(2,\)"),
        ],
    )
    def test_tables(self, position, value, message):
        model = list(self.good)
        model[position] = np.array(value)
        with pytest.raises(ValueError, match=message):
            hmm.forward_filter([0, 1], *model)

    @pytest.mark.parametrize(
        "y, message",
        [
            ([], "y is empty"),
            ([0, 2], "symbols from 0 to 1, got 2 at t=1"),
            ([0, -1], "symbols from 0 to 1, got -1 at t=1"),
            ([0.5, 1], "integers from 0 to 1"),
            ([np.nan, 1], "y must be finite, got nan at index 0"),
            (["a"], "y must be an array of numbers"),
        ],
    )
    def test_observations(self, y, message):
        with pytest.raises(ValueError, match=message):
            hmm.forward_filter(np.array(y), *self.good)

    def test_path_of_another_length(self):
        with pytest.raises(ValueError, match="same length, got 1 and 2"):
            hmm.log_joint([0], [0, 1], *self.good)

    def test_no_time_to_sample(self, rng):
        with pytest.raises(ValueError, match="T must be at least 1, got 0"):
            hmm.sample_hmm(0, *self.good, rng)


seeds, small = st.integers(0, 10_000), st.integers(1, 4)


@given(seeds, small, small, st.integers(1, 6))
def test_property_relabelling_states_permutes_beliefs_and_keeps_the_evidence(seed, K, V, T):
    rng = np.random.default_rng(seed)
    pi, A, B = random_model(rng, K, V=V)
    y, order = rng.integers(V, size=T), rng.permutation(K)
    here = hmm.forward_filter(y, pi, A, B)
    there = hmm.forward_filter(y, pi[order], A[order][:, order], B[order])
    np.testing.assert_allclose(there.alpha, here.alpha[:, order], **CLOSE)
    assert there.log_evidence == pytest.approx(here.log_evidence, abs=1e-9)


@given(seeds, small, small, st.integers(2, 7), st.data())
def test_property_a_split_sequence_carries_its_belief(seed, K, V, T, data):
    rng = np.random.default_rng(seed)
    pi, A, B = random_model(rng, K, V=V)
    y, cut = rng.integers(V, size=T), data.draw(st.integers(1, T - 1))
    whole = hmm.forward_filter(y, pi, A, B)
    first = hmm.forward_filter(y[:cut], pi, A, B)
    second = hmm.forward_filter(y[cut:], first.alpha[-1] @ A, A, B)
    np.testing.assert_allclose(second.alpha, whole.alpha[cut:], **CLOSE)
    total = first.log_evidence + second.log_evidence
    assert total == pytest.approx(whole.log_evidence, abs=1e-9)


@given(seeds, small, small, st.integers(1, 8))
def test_property_pairs_sum_to_the_smoother(seed, K, V, T):
    rng = np.random.default_rng(seed)
    model = random_model(rng, K, V=V)
    y = rng.integers(V, size=T)
    gamma, xi = hmm.smooth(y, *model), hmm.pairwise_posteriors(y, *model)
    np.testing.assert_allclose(xi.sum(axis=2), gamma[:-1], **CLOSE)
    np.testing.assert_allclose(xi.sum(axis=1), gamma[1:], **CLOSE)


@given(seeds, small, small, st.integers(1, 8))
def test_property_no_path_beats_viterbi(seed, K, V, T):
    rng = np.random.default_rng(seed)
    model = random_model(rng, K, V=V)
    y = rng.integers(V, size=T)
    best = hmm.viterbi(y, *model)
    assert hmm.log_joint(best.path, y, *model) == pytest.approx(best.log_joint, abs=1e-9)
    assert hmm.log_joint(rng.integers(K, size=T), y, *model) <= best.log_joint + 1e-9
