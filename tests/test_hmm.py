"""The text-book loops against the sum over all paths."""

import numpy as np
import pytest
from hmm_models import KINDS, random_data, random_model
from hypothesis import given
from hypothesis import strategies as st
from oracles import AllPaths, filtered, future

from course_lib import hmm
from course_lib.emissions import Gaussian, Poisson

CLOSE = {"rtol": 1e-10, "atol": 1e-14}  # sums of at most 3^5 products of double numbers
SIZES = [(1, 1), (1, 4), (2, 1), (2, 5), (3, 4)]  # K, T
CASES = [(kind, K, T) for kind in KINDS for K, T in SIZES]

# State 1 cannot be reached, and state 2 cannot be left.
ZEROS = (
    np.array([0.6, 0.0, 0.4]),
    np.array([[0.7, 0.0, 0.3], [0.2, 0.5, 0.3], [0.0, 0.0, 1.0]]),
    np.array([[0.5, 0.5, 0.0, 0.0], [0.1, 0.2, 0.3, 0.4], [0.0, 0.3, 0.7, 0.0]]),
)


@pytest.fixture(params=CASES, ids=lambda case: "-".join(map(str, case)))
def case(request, rng):
    """A model, a sequence, and all paths."""
    kind, K, T = request.param
    model = random_model(rng, kind, K)
    y = random_data(rng, model, 1, T)[0]
    return model, y, AllPaths(y, *model)


class TestAgainstAllPaths:
    def test_log_joint(self, case):
        model, y, paths = case
        for path, p in zip(paths.paths, paths.joint, strict=True):
            np.testing.assert_allclose(hmm.log_joint(path, y, *model), np.log(p), **CLOSE)

    def test_forward_filter(self, case):
        model, y, _ = case
        alpha, c = filtered(y, *model)
        trace = hmm.forward_filter(y, *model)
        np.testing.assert_allclose(trace.alpha, alpha, **CLOSE)
        np.testing.assert_allclose(trace.log_c, np.log(c), **CLOSE)
        np.testing.assert_allclose(trace.predicted[0], model[0], **CLOSE)
        np.testing.assert_allclose(trace.predicted[1:], alpha[:-1] @ model[1], **CLOSE)

    def test_log_evidence_three_ways(self, case):
        model, y, paths = case
        log_alpha = hmm.forward_log(y, *model)
        for value in (
            hmm.forward_filter(y, *model).log_evidence,
            np.logaddexp.reduce(log_alpha[-1]),
            np.logaddexp.reduce(log_alpha[0] + hmm.backward_log(y, *model)[0]),
        ):
            np.testing.assert_allclose(value, paths.log_evidence(), **CLOSE)

    def test_backward(self, case):
        model, y, _ = case
        _, A, B = model
        beta, log_beta = hmm.backward(y, *model), hmm.backward_log(y, *model)
        _, c = filtered(y, *model)
        for t in range(len(y)):
            wanted = future(y, t, A, B)
            np.testing.assert_allclose(np.exp(log_beta[t]), wanted, **CLOSE)
            np.testing.assert_allclose(beta[t], wanted / np.prod(c[t + 1 :]), **CLOSE)

    def test_smooth_and_posterior_decode(self, case):
        model, y, paths = case
        gamma = paths.smoothed()
        np.testing.assert_allclose(hmm.smooth(y, *model), gamma, **CLOSE)
        assert hmm.posterior_decode(y, *model).tolist() == gamma.argmax(axis=1).tolist()

    def test_pairwise_posteriors(self, case):
        model, y, paths = case
        np.testing.assert_allclose(hmm.pairwise_posteriors(y, *model), paths.pairs(), **CLOSE)

    def test_viterbi(self, case):
        model, y, paths = case
        path, p = paths.best()
        trace = hmm.viterbi(y, *model)
        assert trace.path.tolist() == path.tolist()
        np.testing.assert_allclose(trace.log_joint, np.log(p), **CLOSE)
        np.testing.assert_allclose(hmm.log_joint(trace.path, y, *model), np.log(p), **CLOSE)

    def test_prediction_of_states_and_symbols(self, case):
        model, y, _ = case
        belief = hmm.forward_filter(y, *model).alpha[-1]
        ahead = hmm.predict_states(belief, model[1], 3)
        np.testing.assert_allclose(ahead[2], belief @ np.linalg.matrix_power(model[1], 3), **CLOSE)
        if isinstance(model[2], np.ndarray):
            probs = hmm.predict_symbols(belief, *model[1:], 2)
            evidence = AllPaths(y, *model).evidence
            one_more = [AllPaths([*y, v], *model).evidence / evidence for v in range(5)]
            np.testing.assert_allclose(probs[0], one_more, **CLOSE)
            np.testing.assert_allclose(probs.sum(axis=1), 1, **CLOSE)


class TestZeroProbabilities:
    @pytest.mark.parametrize("y", [[0, 1, 2, 1], [1, 1, 1, 1], [2, 2, 1, 2]])
    def test_match_all_paths(self, y):
        paths, (alpha, c) = AllPaths(y, *ZEROS), filtered(y, *ZEROS)
        trace = hmm.forward_filter(y, *ZEROS)
        np.testing.assert_allclose(trace.alpha, alpha, **CLOSE)
        np.testing.assert_allclose(trace.log_c, np.log(c), **CLOSE)
        np.testing.assert_allclose(hmm.smooth(y, *ZEROS), paths.smoothed(), **CLOSE)
        np.testing.assert_allclose(hmm.pairwise_posteriors(y, *ZEROS), paths.pairs(), **CLOSE)
        assert hmm.viterbi(y, *ZEROS).path.tolist() == paths.best()[0].tolist()

    def test_a_state_out_of_reach_that_fits_better_does_no_harm(self):
        # After 3000 steps its beta is 2^3000 times too large for a double.
        model = (
            np.array([1.0, 0.0]),
            np.array([[1.0, 0.0], [0.1, 0.9]]),
            np.array([[0.25, 0.75], [0.75, 0.25]]),
        )
        y = np.zeros(3000, dtype=int)
        assert hmm.smooth(y, *model).tolist() == [[1.0, 0.0]] * 3000
        assert hmm.pairwise_posteriors(y, *model)[0].tolist() == [[1.0, 0.0], [0.0, 0.0]]

    def test_a_density_out_of_reach_does_not_hide_the_one_in_reach(self):
        pi, A, B = [1.0, 0.0], [[1.0, 0.0], [0.5, 0.5]], Gaussian([0.0, 60.0], [1.0, 1.0])
        trace = hmm.forward_filter([60.0, 60.0], pi, A, B)
        np.testing.assert_allclose(trace.log_evidence, -(60.0**2) - np.log(2 * np.pi), **CLOSE)
        np.testing.assert_allclose(hmm.smooth([60.0, 60.0], pi, A, B), [[1, 0], [1, 0]])


class TestImpossibleObservations:
    @pytest.mark.parametrize("y, t", [([3, 1], 0), ([0, 2, 0], 2), ([1, 3, 1], 1)])
    @pytest.mark.parametrize(
        "function",
        [hmm.forward_filter, hmm.backward, hmm.smooth, hmm.viterbi, hmm.posterior_decode],
    )
    def test_name_the_symbol_and_the_time_step(self, function, y, t):
        with pytest.raises(ValueError, match=f"observation {y[t]} at t={t} has probability zero"):
            function(y, *ZEROS)

    def test_in_the_log_domain_are_minus_infinity(self):
        assert np.isneginf(hmm.forward_log([3, 1], *ZEROS)).all()


class TestLongSequences:
    def test_filter_does_not_underflow(self, rng):
        model = random_model(rng, "categorical", K=3)
        y = random_data(rng, model, 1, 5000)[0]
        trace = hmm.forward_filter(y, *model)
        wanted = np.logaddexp.reduce(hmm.forward_log(y, *model)[-1])
        assert np.exp(wanted) == 0.0  # the plain product is lost
        np.testing.assert_allclose(trace.log_evidence, wanted, rtol=1e-11)
        np.testing.assert_allclose(hmm.smooth(y, *model).sum(axis=1), 1, rtol=1e-10)


class TestSampleHmm:
    def test_shares_of_starts_moves_and_symbols(self, rng):
        pi, A, B = model = random_model(rng, "categorical", K=3)
        starts = np.array([hmm.sample_hmm(1, *model, rng)[0][0] for _ in range(3000)])
        z, y = hmm.sample_hmm(20000, *model, rng)
        tolerance = 0.05  # about four standard errors of the rarest of these shares
        np.testing.assert_allclose(np.bincount(starts, minlength=3) / 3000, pi, atol=tolerance)
        for k in range(3):
            moves = np.bincount(z[1:][z[:-1] == k], minlength=3)
            np.testing.assert_allclose(moves / moves.sum(), A[k], atol=tolerance)
            shows = np.bincount(y[z == k], minlength=5)
            np.testing.assert_allclose(shows / shows.sum(), B[k], atol=tolerance)

    def test_same_generator_same_sequence(self):
        one, two = (hmm.sample_hmm(9, *ZEROS, np.random.default_rng(4))[1] for _ in range(2))
        assert one.tolist() == two.tolist()

    def test_impossible_moves_never_happen(self, rng):
        z, y = hmm.sample_hmm(300, *ZEROS, rng)
        assert 1 not in z and 3 not in y

    def test_shapes_by_kind(self, rng):
        for kind, shape in zip(KINDS, [(4,), (4,), (4, 2), (4,)], strict=True):
            assert hmm.sample_hmm(4, *random_model(rng, kind, 3), rng)[1].shape == shape


class TestBadInput:
    @pytest.mark.parametrize(
        "call, message",
        [
            (lambda: hmm.forward_filter([], *ZEROS), "y is empty"),
            (lambda: hmm.forward_filter([[0, 1], [1, 0]], *ZEROS), "y must be one sequence"),
            (lambda: hmm.forward_filter([0, 4], *ZEROS), "from 0 to 3, got 4 at t=1"),
            (lambda: hmm.viterbi([0, np.nan], *ZEROS), "y must be finite, got nan at index 1"),
            (lambda: hmm.smooth([0], ZEROS[0], ZEROS[1].T, ZEROS[2]), "row 0 of A must sum to 1"),
            (
                lambda: hmm.log_joint([0], [0, 1], *ZEROS),
                "one state for each of the 2 observations",
            ),
            (lambda: hmm.log_joint([0, 3], [0, 1], *ZEROS), "z must hold symbols from 0 to 2"),
            (lambda: hmm.sample_hmm(0, *ZEROS, None), "T must be at least 1"),
            (lambda: hmm.predict_states([0.5, 0.5], ZEROS[1], 2), r"A must have shape \(2, 2\)"),
            (lambda: hmm.predict_states(ZEROS[0], ZEROS[1], 0), "n must be at least 1"),
            (lambda: hmm.predict_symbols([1.0], [[1.0]], Poisson([1.0]), 1), "must be a table"),
        ],
    )
    def test_is_named(self, call, message):
        with pytest.raises(ValueError, match=message):
            call()


seeds, small = st.integers(0, 10**6), st.integers(1, 4)


@given(seeds, small, st.integers(1, 30), st.sampled_from(KINDS))
def test_property_relabelling_states_relabels_the_answers(seed, K, T, kind):
    rng = np.random.default_rng(seed)
    pi, A, B = model = random_model(rng, kind, K)
    y, order = random_data(rng, model, 1, T)[0], rng.permutation(K)
    if isinstance(B, Gaussian):
        B = Gaussian(B.mean[order], B.var[order])
    else:
        B = Poisson(B.rate[order]) if isinstance(B, Poisson) else B[order]
    other = pi[order], A[np.ix_(order, order)], B
    here, there = hmm.forward_filter(y, *model), hmm.forward_filter(y, *other)
    np.testing.assert_allclose(there.log_c, here.log_c, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(there.alpha, here.alpha[:, order], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(
        hmm.smooth(y, *other), hmm.smooth(y, *model)[:, order], rtol=1e-9, atol=1e-12
    )


@given(seeds, small, st.integers(2, 30), st.floats(0, 1))
def test_property_a_sequence_may_be_split_and_the_belief_carried_on(seed, K, T, where):
    rng = np.random.default_rng(seed)
    _, A, B = model = random_model(rng, "categorical", K)
    y = random_data(rng, model, 1, T)[0]
    cut = 1 + int(where * (T - 2))
    whole, first = hmm.forward_filter(y, *model), hmm.forward_filter(y[:cut], *model)
    second = hmm.forward_filter(y[cut:], first.alpha[-1] @ A, A, B)
    np.testing.assert_allclose(np.r_[first.alpha, second.alpha], whole.alpha, rtol=1e-10)
    np.testing.assert_allclose(
        first.log_evidence + second.log_evidence, whole.log_evidence, rtol=1e-10, atol=1e-12
    )


@given(seeds, small, st.integers(1, 12))
def test_property_no_path_beats_viterbi(seed, K, T):
    rng = np.random.default_rng(seed)
    model = random_model(rng, "categorical", K)
    y = random_data(rng, model, 1, T)[0]
    best = hmm.viterbi(y, *model)
    other = rng.integers(0, K, T)
    assert hmm.log_joint(other, y, *model) <= best.log_joint + 1e-12
    np.testing.assert_allclose(hmm.log_joint(best.path, y, *model), best.log_joint, atol=1e-10)
