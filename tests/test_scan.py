"""The scan against plain loops."""

import itertools

import numpy as np
import pytest
from hmm_models import KINDS, random_data, random_model
from hypothesis import given
from hypothesis import strategies as st
from test_hmm import ZEROS

from course_lib import hmm, scan


class TestAssociativeScan:
    @pytest.mark.parametrize("T", [1, 2, 3, 7, 8, 9])
    def test_sums(self, T):
        x = np.arange(1.0, T + 1)
        assert scan.associative_scan(np.add, x).tolist() == np.cumsum(x).tolist()

    def test_order_is_kept(self, rng):
        M = rng.normal(size=(6, 2, 2))  # matrix products do not commute
        wanted = list(itertools.accumulate(M, np.matmul))
        np.testing.assert_allclose(scan.associative_scan(np.matmul, M), wanted, rtol=1e-12)

    def test_tuples_run_a_linear_recurrence(self, rng):
        a, b = rng.normal(size=(2, 11))
        h, wanted = 0.0, []
        for a_t, b_t in zip(a, b, strict=True):
            h = a_t * h + b_t
            wanted.append(h)
        out = scan.associative_scan(
            lambda left, right: (left[0] * right[0], right[0] * left[1] + right[1]), (a, b)
        )
        np.testing.assert_allclose(out[1], wanted, rtol=1e-10)

    def test_another_axis(self, rng):
        x = rng.normal(size=(3, 5))
        np.testing.assert_allclose(
            scan.associative_scan(np.add, x, axis=1), np.cumsum(x, axis=1), rtol=1e-12
        )

    def test_rounds_grow_with_the_logarithm(self):
        calls = []
        scan.associative_scan(lambda a, b: calls.append(1) or a + b, np.ones(1000))
        assert len(calls) == 10

    @pytest.mark.parametrize(
        "elements, message",
        [(np.zeros((0, 2)), "at least 1"), ((np.ones(3), np.ones(4)), r"got \[3, 4\]")],
    )
    def test_bad_input_is_named(self, elements, message):
        with pytest.raises(ValueError, match=message):
            scan.associative_scan(np.add, elements)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("K, T", [(1, 1), (1, 5), (3, 1), (3, 8), (4, 61)])
def test_scans_equal_loops(rng, kind, K, T):
    model = random_model(rng, kind, K)
    y = random_data(rng, model, 1, T)[0]
    (alpha, log_evidence), loop = scan.forward_scan(y, *model), hmm.forward_filter(y, *model)
    np.testing.assert_allclose(alpha, loop.alpha, rtol=1e-9, atol=1e-13)
    np.testing.assert_allclose(log_evidence, loop.log_evidence, rtol=1e-10, atol=1e-12)
    (path, log_joint), best = scan.viterbi_scan(y, *model), hmm.viterbi(y, *model)
    np.testing.assert_allclose(log_joint, best.log_joint, rtol=1e-11, atol=1e-12)
    np.testing.assert_allclose(
        hmm.log_joint(path, y, *model), best.log_joint, rtol=1e-11, atol=1e-12
    )


@pytest.mark.parametrize("function", [scan.forward_scan, scan.viterbi_scan])
class TestZeros:
    def test_equal_the_loop(self, function):
        y = [0, 1, 2, 1, 2, 2]
        out, filtered = function(y, *ZEROS), hmm.forward_filter(y, *ZEROS)
        if function is scan.forward_scan:
            np.testing.assert_allclose(out[0], filtered.alpha, rtol=1e-12)
        else:
            assert out[0].tolist() == hmm.viterbi(y, *ZEROS).path.tolist()

    def test_impossible_observation_is_named(self, function):
        with pytest.raises(ValueError, match="observation 0 at t=2 has probability zero"):
            function([0, 2, 0, 1], *ZEROS)


@given(st.integers(0, 10**6), st.integers(1, 5), st.integers(1, 200))
def test_property_forward_scan_is_the_loop(seed, K, T):
    rng = np.random.default_rng(seed)
    model = random_model(rng, "categorical", K, stay=rng.uniform(0, 0.99))
    y = rng.integers(0, 5, T)
    alpha, log_evidence = scan.forward_scan(y, *model)
    loop = hmm.forward_filter(y, *model)
    np.testing.assert_allclose(alpha, loop.alpha, rtol=1e-8, atol=1e-12)
    np.testing.assert_allclose(log_evidence, loop.log_evidence, rtol=1e-10, atol=1e-12)
