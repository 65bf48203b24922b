"""The fast paths of course_lib.hmm_batch against the text-book loops of course_lib.hmm."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib import hmm, hmm_batch, hmm_sweeps
from course_lib.emissions import Gaussian
from tests.models import KINDS, random_model

# The same sums in another order; log evidences of thousands of nats need the relative part.
CLOSE = {"rtol": 1e-10, "atol": 1e-10}
# K and T on both sides of the switch to chunks, for one sequence and for several.
SIZES = [(1, 5), (2, 1), (3, 47), (3, 48), (5, 301), (7, 64), (24, 90), (26, 70)]


def make_batch(rng, K, T, kind="categorical"):
    model = random_model(rng, K, kind)
    ys = np.stack([hmm.sample_hmm(T, *model, rng)[1] for _ in range(4)])
    return ys, np.array([T, max(1, T // 2), 1, max(1, T - 1)]), model


def assert_same_as_loops(ys, lengths, model):
    alpha, log_evidence = hmm_batch.filter_batch(ys, *model, lengths)
    gamma = hmm_batch.smooth_batch(ys, *model, lengths)
    path, log_joint = hmm_batch.viterbi_batch(ys, *model, lengths)
    counts = hmm_batch.expected_counts(ys, *model, lengths)
    np.testing.assert_allclose(hmm_batch.log_evidence(ys, *model, lengths), log_evidence, **CLOSE)
    start = moves = visits = 0
    for n, y in enumerate(ys):
        end = len(y) if lengths is None else lengths[n]
        y = y[:end]
        trace, smoothed = hmm.forward_filter(y, *model), hmm.smooth(y, *model)
        np.testing.assert_allclose(alpha[n, :end], trace.alpha, **CLOSE)
        np.testing.assert_allclose(log_evidence[n], trace.log_evidence, **CLOSE)
        np.testing.assert_allclose(gamma[n, :end], smoothed, **CLOSE)
        np.testing.assert_allclose(log_joint[n], hmm.viterbi(y, *model).log_joint, **CLOSE)
        # Equal paths, or equally good ones where rounding breaks a tie.
        np.testing.assert_allclose(hmm.log_joint(path[n, :end], y, *model), log_joint[n], **CLOSE)
        assert not alpha[n, end:].any() and not gamma[n, end:].any()
        assert (path[n, end:] == -1).all()
        start, visits = start + smoothed[0], visits + smoothed.sum(axis=0)
        moves = moves + hmm.pairwise_posteriors(y, *model).sum(axis=0)
    np.testing.assert_allclose(counts.start, start, **CLOSE)
    np.testing.assert_allclose(counts.visits, visits, **CLOSE)
    np.testing.assert_allclose(counts.transitions, moves, **CLOSE)
    np.testing.assert_allclose(counts.log_evidence, log_evidence, **CLOSE)
    return counts


class TestAgainstLoops:
    @pytest.mark.parametrize("K, T", SIZES)
    def test_batch(self, rng, K, T):
        ys, _, model = make_batch(rng, K, T)
        assert_same_as_loops(ys, None, model)

    @pytest.mark.parametrize("K, T", SIZES)
    def test_lengths(self, rng, K, T):
        ys, lengths, model = make_batch(rng, K, T)
        assert_same_as_loops(ys, lengths, model)

    @pytest.mark.parametrize("K, T", SIZES)
    def test_one_sequence(self, rng, K, T):
        ys, _, model = make_batch(rng, K, T)
        assert_same_as_loops(ys[:1], None, model)
        flat = hmm_batch.smooth_batch(ys[0], *model)
        np.testing.assert_array_equal(flat, hmm_batch.smooth_batch(ys[:1], *model))

    @pytest.mark.parametrize("kind", KINDS)
    def test_every_emission_and_its_sums(self, rng, kind):
        ys, lengths, model = make_batch(rng, 3, 57, kind)
        counts = assert_same_as_loops(ys, lengths, model)
        gammas = [hmm.smooth(y[:n], *model) for y, n in zip(ys, lengths, strict=True)]
        gamma = np.concatenate(gammas)
        y = np.concatenate([y[:n] for y, n in zip(ys, lengths, strict=True)])
        if kind == "categorical":
            want = [[gamma[y == v, k].sum() for v in range(5)] for k in range(3)]
        elif kind == "poisson":
            want = [(gamma[:, k] * y).sum() for k in range(3)]
        else:
            y, mean = y.reshape(len(y), -1), model[2].mean
            power = [[gamma[:, k] @ (y - mean[k]) ** p for k in range(3)] for p in (1, 2)]
            want = np.array(power)
        np.testing.assert_allclose(counts.emissions, want, **CLOSE)

    def test_padding_is_never_looked_at(self, rng):
        ys, lengths, model = make_batch(rng, 3, 60)
        clean = hmm_batch.smooth_batch(ys, *model, lengths)
        ys[np.arange(60) >= lengths[:, None]] = -99
        np.testing.assert_array_equal(hmm_batch.smooth_batch(ys, *model, lengths), clean)
        ys, lengths, model = make_batch(rng, 3, 60, "gaussian")
        clean = hmm_batch.log_evidence(ys, *model, lengths)
        ys[np.arange(60) >= lengths[:, None]] = np.nan
        np.testing.assert_array_equal(hmm_batch.log_evidence(ys, *model, lengths), clean)

    @pytest.mark.parametrize("N", [1, 3])
    def test_very_long_sequence(self, rng, N):
        model = random_model(rng, 3, V=4)
        ys = rng.integers(4, size=(N, 30_000))
        ours = hmm_batch.log_evidence(ys, *model)[0]
        assert ours == pytest.approx(hmm.forward_filter(ys[0], *model).log_evidence, rel=1e-11)

    @pytest.mark.parametrize("N", [1, 2])
    def test_probabilities_that_underflow_within_a_block(self, rng, N):
        """Eight steps of 1e-60 are below float64: the sweep must notice and rescale each step."""
        B = np.array([[1 - 1e-60, 1e-60], [1 - 2e-60, 2e-60]])
        pi, A = np.array([0.3, 0.7]), np.array([[0.9, 0.1], [0.3, 0.7]])
        ys = np.ones((N, 100), dtype=int)
        want = hmm.forward_filter(ys[0], pi, A, B)
        alpha, log_evidence = hmm_batch.filter_batch(ys, pi, A, B)
        np.testing.assert_allclose(alpha[0], want.alpha, **CLOSE)
        np.testing.assert_allclose(log_evidence[0], want.log_evidence, **CLOSE)
        np.testing.assert_allclose(
            hmm_batch.smooth_batch(ys, pi, A, B)[0], hmm.smooth(ys[0], pi, A, B), **CLOSE
        )

    def test_arguments_are_not_written_to(self, rng):
        ys, lengths, model = make_batch(rng, 3, 57)
        copies = [x.copy() for x in (ys, lengths, *model)]
        hmm_batch.expected_counts(ys, *model, lengths)
        hmm_batch.viterbi_batch(ys, *model, lengths)
        for before, after in zip(copies, (ys, lengths, *model), strict=True):
            np.testing.assert_array_equal(before, after)


CALLS = [
    hmm_batch.log_evidence,
    hmm_batch.filter_batch,
    hmm_batch.smooth_batch,
    hmm_batch.viterbi_batch,
    hmm_batch.expected_counts,
]
LEFT_RIGHT = (
    np.array([1.0, 0.0]),
    np.array([[0.5, 0.5], [0.0, 1.0]]),
    np.array([[0.7, 0.3, 0.0], [0.0, 0.4, 0.6]]),
)


class TestBadInput:
    @pytest.mark.parametrize("call", CALLS)
    def test_impossible_observation_names_sequence_and_step(self, call):
        ys = np.array([[0, 1, 2, 2], [0, 2, 2, 0], [0, 0, 0, 0]])
        with pytest.raises(ValueError, match="observation 0 at sequence 1, t=3 has probability"):
            call(ys, *LEFT_RIGHT)

    @pytest.mark.parametrize("call", CALLS)
    def test_impossible_observation_in_a_chunk(self, call):
        y = np.array([0] * 40 + [2] * 33 + [0] * 30)
        with pytest.raises(ValueError, match="observation 0 at t=73 has probability zero"):
            call(y, *LEFT_RIGHT)

    def test_impossible_padding_is_no_matter(self):
        ys = np.array([[0, 2, 0], [0, 1, 1]])
        assert np.isfinite(hmm_batch.log_evidence(ys, *LEFT_RIGHT, [2, 3])).all()

    @pytest.mark.parametrize(
        "lengths, message",
        [
            ([3], r"lengths must have shape \(2,\), one length a sequence, got \(1,\)"),
            ([3, 4], "lengths must be from 1 to 3, got 4 for sequence 1"),
            ([0, 3], "lengths must be from 1 to 3, got 0 for sequence 0"),
            ([1.0, 2.0], "lengths must hold integers"),
        ],
    )
    def test_lengths(self, lengths, message):
        with pytest.raises(ValueError, match=message):
            hmm_batch.log_evidence(np.zeros((2, 3), int), *LEFT_RIGHT, lengths)

    @pytest.mark.parametrize("shape", [(0,), (0, 4), (2, 0), (2, 3, 1)])
    def test_shapes(self, shape):
        with pytest.raises(ValueError, match="ys must have shape"):
            hmm_batch.log_evidence(np.zeros(shape, int), *LEFT_RIGHT)

    def test_symbol_out_of_range_names_its_place(self):
        with pytest.raises(ValueError, match="got 3 at sequence 1, t=2"):
            hmm_batch.log_evidence(np.array([[0, 1, 1], [0, 1, 3]]), *LEFT_RIGHT)

    def test_nan_in_gaussian_data_names_its_place(self):
        model = (*LEFT_RIGHT[:2], Gaussian([0, 1], [1, 1]))
        with pytest.raises(ValueError, match="must be finite, got nan at index"):
            hmm_batch.log_evidence(np.array([[0.0, 1.0], [0.0, np.nan]]), *model)


@given(
    st.integers(0, 10_000), st.integers(1, 5), st.integers(1, 70), st.integers(1, 3), st.booleans()
)
def test_property_a_batch_is_each_sequence_alone(seed, K, T, N, sparse):
    rng = np.random.default_rng(seed)
    pi, A, B = random_model(rng, K, V=4)
    if sparse and K > 1:  # zero probabilities that leave every symbol possible
        A[rng.random(A.shape) < 0.3] = 0
        A += 0.2 * np.eye(K)
        A /= A.sum(axis=1, keepdims=True)
    ys, lengths = rng.integers(4, size=(N, T)), rng.integers(1, T + 1, size=N)
    assert_same_as_loops(ys, lengths, (pi, A, B))


@given(st.integers(0, 10_000), st.integers(1, 4), st.integers(1, 50), st.integers(1, 60))
def test_property_any_chunk_length_gives_the_same(seed, K, T, L):
    rng = np.random.default_rng(seed)
    pi, A, B = random_model(rng, K, V=4)
    y = rng.integers(4, size=T)
    b = B.T[y][:, :, None]
    alpha, c, beta, _ = hmm_sweeps.chunked_smooth(b, pi, A, L)
    trace = hmm.forward_filter(y, pi, A, B)
    np.testing.assert_allclose(alpha[:, :, 0], trace.alpha, **CLOSE)
    np.testing.assert_allclose(np.log(c[:, 0]), trace.log_c, **CLOSE)
    np.testing.assert_allclose(beta[:, :, 0], hmm.backward(y, pi, A, B), **CLOSE)
    path, log_joint = hmm_sweeps.chunked_viterbi(np.log(b), np.log(pi), np.log(A), L)
    np.testing.assert_allclose(log_joint, hmm.viterbi(y, pi, A, B).log_joint, **CLOSE)
    np.testing.assert_allclose(hmm.log_joint(path, y, pi, A, B), log_joint, **CLOSE)
