"""Messages of the checks: they name the argument and the place, and say what to do."""

import numpy as np
import pytest

from course_lib import _checks as checks

PI, A, B = np.array([0.3, 0.7]), np.array([[0.9, 0.1], [0.4, 0.6]]), np.full((2, 3), 1 / 3)


class TestCheckShape:
    def test_none_is_any_length(self):
        assert checks.check_shape("x", np.zeros((4, 3)), (None, 3)).shape == (4, 3)

    @pytest.mark.parametrize("shape", [(3,), (4, 2), (4, 3, 1)])
    def test_names_argument_wanted_and_got(self, shape):
        with pytest.raises(ValueError, match=r"^x must have shape \(any, 3\), got \("):
            checks.check_shape("x", np.zeros(shape), (None, 3))


class TestCheckFinite:
    @pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
    def test_names_the_index(self, bad):
        x = np.zeros((2, 3))
        x[1, 2] = bad
        with pytest.raises(ValueError, match=r"x must be finite, got .* at index \(1, 2\); remove"):
            checks.check_finite("x", x)

    def test_text_is_refused(self):
        with pytest.raises(ValueError, match="x must be an array of numbers, got 'abc'"):
            checks.check_finite("x", "abc")


class TestCheckDistribution:
    def test_returns_float64(self):
        assert checks.check_distribution("p", [1, 0]).dtype == np.float64

    def test_row_that_does_not_sum_to_one_is_named(self):
        with pytest.raises(ValueError, match=r"row 1 of A must sum to 1, got .* 1.1; divide"):
            checks.check_distribution("A", [[0.5, 0.5], [0.5, 0.6]])

    def test_vector_is_named_without_a_row(self):
        with pytest.raises(ValueError, match=r"^pi must sum to 1, got a sum of 0.9; divide"):
            checks.check_distribution("pi", [0.5, 0.4])

    def test_negative_is_named(self):
        with pytest.raises(ValueError, match=r"A must not be negative, got -0.5 at index \(0, 0\)"):
            checks.check_distribution("A", [[-0.5, 1.5], [0.5, 0.5]])

    def test_nan_is_named_although_nothing_compares_to_it(self):
        with pytest.raises(ValueError, match=r"A must be finite, got nan at index \(1, 0\)"):
            checks.check_distribution("A", np.array([[0.5, 0.5], [np.nan, 0.5]]))

    def test_empty_is_refused(self):
        with pytest.raises(ValueError, match="pi must hold at least one probability"):
            checks.check_distribution("pi", [])

    def test_rounding_of_float32_passes(self, rng):
        checks.check_distribution("p", rng.dirichlet(np.ones(50), 20).astype(np.float32))

    def test_a_sum_off_by_more_than_rounding_does_not(self):
        with pytest.raises(ValueError, match="must sum to 1"):
            checks.check_distribution("p", [0.5, 0.5 + 3e-6])


class TestCheckSymbols:
    @pytest.mark.parametrize("bad", [-1, 6])
    def test_symbol_out_of_range_names_time(self, bad):
        with pytest.raises(ValueError, match=f"y must hold symbols from 0 to 5, got {bad} at t=2"):
            checks.check_symbols("y", [0, 5, bad], 6)

    def test_in_a_batch_names_sequence_and_time(self):
        with pytest.raises(ValueError, match=r"got 7 at sequence 1, t=0; number the symbols"):
            checks.check_symbols("ys", [[0, 1], [7, 1]], 6)

    def test_empty_is_refused(self):
        with pytest.raises(ValueError, match="y is empty"):
            checks.check_symbols("y", [], 6)

    def test_whole_floats_become_integers(self):
        assert checks.check_symbols("y", np.array([0.0, 2.0]), 3).dtype.kind == "i"

    def test_booleans_are_symbols(self):
        assert checks.check_symbols("y", np.array([True, False]), 2).tolist() == [1, 0]

    @pytest.mark.parametrize("y", [[0.5], ["a"], [None]])
    def test_other_kinds_are_refused(self, y):
        with pytest.raises(ValueError, match="y must"):
            checks.check_symbols("y", y, 3)

    def test_nan_is_named(self):
        with pytest.raises(ValueError, match="y must be finite, got nan at index 1"):
            checks.check_symbols("y", [0.0, np.nan], 3)


class TestCheckLengths:
    def test_none_is_all(self):
        assert checks.check_lengths("lengths", None, 2, 5).tolist() == [5, 5]

    @pytest.mark.parametrize(
        "lengths, message",
        [
            ([3], r"lengths must have shape \(2,\).*padded array"),
            ([3, 0], r"lengths must be from 1 to 5, got 0 for sequence 1; leave out empty"),
            ([6, 3], r"lengths must be from 1 to 5, got 6 for sequence 0"),
            ([3.0, 2.0], r"lengths must hold integers, got float64; convert it"),
        ],
    )
    def test_bad_ones_are_named(self, lengths, message):
        with pytest.raises(ValueError, match=message):
            checks.check_lengths("lengths", lengths, 2, 5)


class TestCheckHmm:
    def test_good_one_passes(self):
        pi, A_, emission = checks.check_hmm(PI.tolist(), A.tolist(), B.tolist())
        assert (pi.shape, A_.shape, emission.n_states) == ((2,), (2, 2), 2)

    @pytest.mark.parametrize(
        "pi, A_, B_, message",
        [
            (A, A, B, r"pi must have shape \(any,\), got \(2, 2\)"),
            (PI, B, B, r"A must have shape \(2, 2\), got \(2, 3\)"),
            (PI, A.T, B, r"row 0 of A must sum to 1, got a sum of 1.3"),
            (PI, A, B.T, "row 0 of B must sum to 1"),
            (PI, A, np.full((3, 4), 0.25), "B must describe 2 states as pi does, got 3; a table B"),
            (PI, A, PI, r"B must have shape \(any, any\), got \(2,\)"),
            (PI * np.nan, A, B, "pi must be finite, got nan at index 0"),
        ],
    )
    def test_bad_ones_are_named(self, pi, A_, B_, message):
        with pytest.raises(ValueError, match=message):
            checks.check_hmm(pi, A_, B_)
