"""The fast passes against the text-book loops, sequence by sequence."""

import numpy as np
import pytest
from hmm_models import KINDS, random_data, random_model
from hypothesis import given, settings
from hypothesis import strategies as st
from test_hmm import ZEROS

from course_lib import _hmm_chunked_viterbi, _hmm_chunks, hmm, hmm_batch
from course_lib.emissions import Gaussian, Poisson

CLOSE = {"rtol": 1e-9, "atol": 1e-12}  # thousands of steps, each with rounding


def assert_equal_to_loops(ys, model, lengths=None):
    """Hold every function of hmm_batch to the loops on every sequence by itself."""
    ys = np.asarray(ys)
    N, T = ys.shape[:2]
    ends = [T] * N if lengths is None else lengths
    alpha, evidence = hmm_batch.filter_batch(ys, *model, lengths)
    gamma = hmm_batch.smooth_batch(ys, *model, lengths)
    path, log_joint = hmm_batch.viterbi_batch(ys, *model, lengths)
    counts = hmm_batch.expected_counts(ys, *model, lengths)
    np.testing.assert_allclose(hmm_batch.log_evidence(ys, *model, lengths), evidence, **CLOSE)
    np.testing.assert_allclose(counts.log_evidence, evidence, **CLOSE)
    K = len(model[0])
    start, moves, visits = np.zeros(K), np.zeros((K, K)), np.zeros(K)
    for n, end in enumerate(ends):
        y = ys[n, :end]
        loop, smoothed, best = (f(y, *model) for f in (hmm.forward_filter, hmm.smooth, hmm.viterbi))
        np.testing.assert_allclose(alpha[n, :end], loop.alpha, **CLOSE)
        np.testing.assert_allclose(evidence[n], loop.log_evidence, **CLOSE)
        np.testing.assert_allclose(gamma[n, :end], smoothed, **CLOSE)
        np.testing.assert_allclose(log_joint[n], best.log_joint, **CLOSE)
        # Paths may tie; a path is right if it is as good as the best one.
        np.testing.assert_allclose(hmm.log_joint(path[n, :end], y, *model), best.log_joint, **CLOSE)
        assert not alpha[n, end:].any() and not gamma[n, end:].any()
        assert (path[n, end:] == -1).all()
        start += smoothed[0]
        visits += smoothed.sum(axis=0)
        moves += hmm.pairwise_posteriors(y, *model).sum(axis=0)
    np.testing.assert_allclose(counts.start, start, **CLOSE)
    np.testing.assert_allclose(counts.visits, visits, **CLOSE)
    np.testing.assert_allclose(counts.transitions, moves, **CLOSE)


class TestEqualToLoops:
    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("K", [1, 2, 5, 9])
    def test_batch_with_lengths(self, rng, kind, K):
        model = random_model(rng, kind, K)
        assert_equal_to_loops(random_data(rng, model, 4, 23), model, np.array([7, 23, 1, 16]))

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize("K", [1, 2, 6, 7, 17, 29])
    @pytest.mark.parametrize("T", [1, 2, 47, 48, 50, 333])
    def test_one_sequence(self, rng, kind, K, T):
        model = random_model(rng, kind, K, stay=0.5)
        assert_equal_to_loops(random_data(rng, model, 1, T), model)

    @pytest.mark.parametrize("K", [2, 7])
    def test_chain_that_hardly_forgets(self, rng, K):
        model = random_model(rng, "categorical", K, stay=0.999)
        assert_equal_to_loops(random_data(rng, model, 1, 700), model)

    def test_very_long_sequence(self, rng):
        for K in (2, 8):
            model = random_model(rng, "categorical", K)
            assert_equal_to_loops(rng.integers(0, 5, (1, 20_000)), model)

    def test_rows_that_sum_to_one_only_nearly(self, rng):
        pi, A, B = random_model(rng, "categorical", 3)
        off = 8e-7 * np.array([[1.0], [-1.0], [0.3]])
        model = pi, A * (1 + off), B  # allowed; must not leak out of padding
        ys = random_data(rng, (pi, A, B), 2, 300)
        assert_equal_to_loops(ys, model, np.array([300, 20]))
        assert_equal_to_loops(ys[:1], model)


class TestZeroProbabilities:
    @pytest.mark.parametrize("T", [4, 300])
    @pytest.mark.parametrize("N", [1, 3])
    def test_states_out_of_reach(self, rng, N, T):
        assert_equal_to_loops(random_data(rng, ZEROS, N, T), ZEROS)

    @pytest.mark.parametrize("K", [2, 8])
    @pytest.mark.parametrize("N", [1, 2])
    def test_a_state_out_of_reach_that_fits_better_does_no_harm(self, N, K):
        A = np.full((K, K), 0.1 / (K - 1)) + np.eye(K) * (0.9 - 0.1 / (K - 1))
        A[:-1, :-1] += A[:-1, -1:] / (K - 1)
        A[:-1, -1] = 0.0  # nobody goes to the last state
        B = np.array([[0.25, 0.75]] * (K - 1) + [[0.75, 0.25]])
        pi = np.append(np.full(K - 1, 1 / (K - 1)), 0.0)
        assert_equal_to_loops(np.zeros((N, 1500), dtype=int), (pi, A, B))

    @pytest.mark.parametrize("T", [5, 100])
    def test_a_density_out_of_reach_does_not_hide_the_one_in_reach(self, T):
        model = [1.0, 0.0], [[1.0, 0.0], [0.5, 0.5]], Gaussian([0.0, 60.0], [1.0, 1.0])
        assert_equal_to_loops(np.full((1, T), 60.0), model)
        assert_equal_to_loops(np.full((2, T), 60.0), model, np.array([T, 3]))

    def test_left_to_right_chain(self, rng):
        K = 9
        A = np.triu(rng.uniform(0.1, 1, (K, K)))
        A /= A.sum(axis=1, keepdims=True)
        model = np.eye(K)[0], A, rng.dirichlet(np.ones(5), K)
        assert_equal_to_loops(rng.integers(0, 5, (1, 400)), model)

    def test_tiny_probabilities(self, rng):
        pi, A, B = random_model(rng, "categorical", 3)
        B = np.column_stack([np.full(3, 1e-290), B * (1 - 1e-290)])
        y = rng.integers(0, 6, (1, 120))
        assert_equal_to_loops(y, (pi, A, B))
        assert_equal_to_loops(y.reshape(4, 30), (pi, A, B))


FUNCTIONS = [
    hmm_batch.log_evidence,
    hmm_batch.filter_batch,
    hmm_batch.smooth_batch,
    hmm_batch.viterbi_batch,
    hmm_batch.expected_counts,
]


@pytest.mark.parametrize("function", FUNCTIONS)
class TestBadInput:
    @pytest.mark.parametrize("T", [10, 200])
    def test_impossible_observation_in_one_sequence(self, function, T):
        y = np.full(T, 1)
        y[7] = 3
        with pytest.raises(ValueError, match=r"^observation 3 at t=7 has probability zero"):
            function(y, *ZEROS)

    def test_impossible_observation_in_a_batch(self, function):
        ys = np.full((4, 9), 1)
        ys[2, 5] = 3
        with pytest.raises(ValueError, match=r"^observation 3 at sequence 2, t=5 has probability"):
            function(ys, *ZEROS)

    def test_impossible_behind_the_end_is_never_looked_at(self, function):
        ys = np.full((2, 9), 1)
        ys[1, 5:] = -77
        function(ys, *ZEROS, [9, 5])

    def test_nan_behind_the_end_is_never_looked_at(self, function):
        ys = np.array([[1.0, 2.0, np.nan], [0.5, 1.0, 2.0]])
        function(ys, [0.5, 0.5], np.full((2, 2), 0.5), Gaussian([0.0, 1.0], [1.0, 1.0]), [2, 3])

    @pytest.mark.parametrize(
        "ys, lengths, message",
        [
            (np.zeros((2, 0), dtype=int), None, "ys must have shape .* without empty axes"),
            (np.zeros((0, 3), dtype=int), None, "ys must have shape .* without empty axes"),
            (np.zeros((2, 3, 1), dtype=int), None, r"got \(2, 3, 1\)"),
            (5, None, r"ys must have shape \(T,\) or \(N, T\)"),
            ([[0, 1], [1, 9]], None, "ys must hold symbols from 0 to 3, got 9 at sequence 1, t=1"),
            ([[0, 1], [1, np.nan]], None, r"ys must be finite, got nan at index \(1, 1\)"),
            ([[0, 1], [1, 1]], [2], r"lengths must have shape \(2,\)"),
            ([[0, 1], [1, 1]], [2, 3], "lengths must be from 1 to 2, got 3 for sequence 1"),
            ([[0, 1], [1, 1]], [0, 2], "lengths must be from 1 to 2, got 0 for sequence 0"),
        ],
    )
    def test_data(self, function, ys, lengths, message):
        with pytest.raises(ValueError, match=message):
            function(ys, *ZEROS, lengths)

    def test_model(self, function):
        with pytest.raises(ValueError, match=r"row 0 of A must sum to 1, got a sum of 0.9"):
            function([0, 1], ZEROS[0], ZEROS[1].T, ZEROS[2])


def test_wrong_number_of_features_is_named():
    B = Gaussian(np.zeros((2, 3)), np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"ys must have shape .*\(N, T, 3\).*, got \(4, 5, 2\)"):
        hmm_batch.log_evidence(np.zeros((4, 5, 2)), [0.5, 0.5], np.full((2, 2), 0.5), B)


def test_batch_of_counts_names_the_sequence():
    with pytest.raises(ValueError, match=r"got -1.0 at sequence 1, t=0"):
        hmm_batch.log_evidence([[1, 2], [-1, 2]], [1.0], [[1.0]], Poisson([2.0]))


def test_arguments_are_not_changed(rng):
    model, ys = random_model(rng, "categorical", 3), rng.integers(0, 5, (3, 60))
    copies = [x.copy() for x in (*model, ys)]
    for function in FUNCTIONS:
        function(ys, *model, np.array([60, 2, 30]))
        function(ys[0], *model)
    for now, before in zip((*model, ys), copies, strict=True):
        np.testing.assert_array_equal(now, before)


def test_chunks_are_used_where_they_should_be(rng):
    """Without this the tests above could pass by falling back on the plain sweep."""
    for K in (2, 9, 29):
        pi, A, B = random_model(rng, "categorical", K)
        b = B.T[rng.integers(0, 5, 500)][:, :, None]
        assert _hmm_chunks.chunked_filter(b, pi, A) is not None
        assert _hmm_chunks.chunked_smooth(b, pi, A) is not None
        assert _hmm_chunked_viterbi.chunked_viterbi(np.log(b), np.log(pi), np.log(A)) is not None


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(1, 9), st.integers(1, 4), st.integers(1, 150), st.data())
def test_property_batch_is_each_sequence_alone(seed, K, N, T, data):
    rng = np.random.default_rng(seed)
    kind = data.draw(st.sampled_from(KINDS))
    model = random_model(rng, kind, K, stay=data.draw(st.sampled_from([0.0, 0.9, 0.9999])))
    assert_equal_to_loops(random_data(rng, model, N, T), model, rng.integers(1, T + 1, N))


@settings(max_examples=60)
@given(st.integers(0, 10**6), st.integers(1, 8), st.integers(1, 120))
def test_property_tables_with_zeros(seed, K, T):
    rng = np.random.default_rng(seed)

    def holes(rows, width):
        table = rng.dirichlet(np.ones(width), rows) * (rng.random((rows, width)) < 0.5)
        table[np.arange(rows), rng.integers(0, width, rows)] += 0.1
        return table / table.sum(axis=1, keepdims=True)

    model = holes(1, K)[0], holes(K, K), holes(K, 4)
    assert_equal_to_loops(random_data(rng, model, 1, T), model)
    anything = rng.integers(0, 4, (2, T))
    try:
        for y in anything:
            hmm.forward_filter(y, *model)
    except ValueError as error:
        for function in FUNCTIONS:
            with pytest.raises(ValueError, match="has probability zero") as caught:
                function(anything, *model)
            assert str(error).split(" has ")[0].split("t=")[1] in str(caught.value)
    else:
        assert_equal_to_loops(anything, model)
