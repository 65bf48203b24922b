"""One associative scan: running sums, matrix products, the forward pass and Viterbi."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib import hmm, scan
from tests.models import KINDS, random_model


class TestAssociativeScan:
    @pytest.mark.parametrize("T", [1, 2, 3, 7, 8, 33])
    def test_running_products_of_matrices_in_order(self, rng, T):
        M = rng.normal(size=(T, 3, 3))
        want, product = [], np.eye(3)
        for m in M:
            product = product @ m
            want.append(product)
        np.testing.assert_allclose(scan.associative_scan(np.matmul, M), want, rtol=1e-9)

    def test_tuples_run_a_linear_recurrence(self, rng):
        a, b = rng.normal(size=(11, 2)), rng.normal(size=(11, 2))
        h, want = np.zeros(2), []
        for t in range(11):
            h = a[t] * h + b[t]
            want.append(h)

        def combine(left, right):
            return left[0] * right[0], right[0] * left[1] + right[1]

        _, got = scan.associative_scan(combine, (a, b))
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12)

    def test_rounds_grow_with_the_logarithm(self):
        calls = []
        scan.associative_scan(lambda a, b: calls.append(len(a)) or a + b, np.ones(1000))
        assert len(calls) == 10  # 2^10 >= 1000

    def test_another_axis(self, rng):
        x = rng.normal(size=(2, 5, 3))
        got = scan.associative_scan(np.add, x, axis=1)
        np.testing.assert_allclose(got, x.cumsum(axis=1))

    @pytest.mark.parametrize("elements", [np.ones(0), (np.ones(2), np.ones(3))])
    def test_bad_input(self, elements):
        with pytest.raises(ValueError, match="length of at least 1"):
            scan.associative_scan(np.add, elements)


class TestHMM:
    @pytest.mark.parametrize("T", [1, 2, 9, 500])
    @pytest.mark.parametrize("kind", KINDS)
    def test_equals_the_loops(self, rng, kind, T):
        model = random_model(rng, 3, kind)
        y = hmm.sample_hmm(T, *model, rng)[1]
        alpha, log_evidence = scan.forward_scan(y, *model)
        want = hmm.forward_filter(y, *model)
        np.testing.assert_allclose(alpha, want.alpha, rtol=1e-10, atol=1e-12)
        assert log_evidence == pytest.approx(want.log_evidence, rel=1e-11, abs=1e-11)
        path, log_joint = scan.viterbi_scan(y, *model)
        best = hmm.viterbi(y, *model)
        assert log_joint == pytest.approx(best.log_joint, rel=1e-11, abs=1e-11)
        np.testing.assert_array_equal(path, best.path)

    @pytest.mark.parametrize("call", [scan.forward_scan, scan.viterbi_scan])
    def test_impossible_observation_names_the_time_step(self, call):
        pi, A = np.array([1.0, 0.0]), np.array([[0.5, 0.5], [0.0, 1.0]])
        B = np.array([[1.0, 0.0], [0.0, 1.0]])
        with pytest.raises(ValueError, match="observation 0 at t=3 has probability zero"):
            call(np.array([0, 0, 1, 0, 1]), pi, A, B)


@given(st.integers(0, 10_000), st.integers(1, 40))
def test_property_scan_is_the_running_maximum(seed, T):
    x = np.random.default_rng(seed).normal(size=T)
    np.testing.assert_array_equal(scan.associative_scan(np.maximum, x), np.maximum.accumulate(x))
