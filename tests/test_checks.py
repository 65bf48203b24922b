"""Every check lets the right thing through and says what is wrong with the rest."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from course_lib import _checks as checks


class TestGoodInput:
    def test_comes_back_as_arrays(self):
        assert checks.check_shape("x", [[1, 2]], (None, 2)).shape == (1, 2)
        assert checks.check_finite("x", [1, 2]).dtype == float
        assert checks.check_distribution("p", [[0.25, 0.75]]).shape == (1, 2)
        assert checks.check_symbols("y", [0.0, 2.0], 3).dtype.kind == "i"
        np.testing.assert_array_equal(checks.check_lengths("n", None, 2, 5), [5, 5])
        np.testing.assert_array_equal(checks.check_lengths("n", [1, 5], 2, 5), [1, 5])

    def test_rounding_is_no_mistake(self):
        checks.check_distribution("p", np.full(3, 1 / 3))
        checks.check_distribution("p", np.array([1 / 3, 1 / 3, 1 / 3], dtype=np.float32))


@pytest.mark.parametrize(
    "call, message",
    [
        (
            lambda: checks.check_shape("x", np.ones(3), (2,)),
            r"x must have shape \(2,\), got \(3,\)",
        ),
        (lambda: checks.check_shape("x", 1, (None,)), r"x must have shape \(any,\), got \(\)"),
        (lambda: checks.check_finite("x", [[0, np.inf]]), r"got inf at index \(0, 1\)"),
        (lambda: checks.check_finite("x", "abc"), "x must be an array of numbers, got 'abc'"),
        (lambda: checks.check_finite("x", [[1], [1, 2]]), "array of numbers"),
        (lambda: checks.check_distribution("p", [0.5, 0.4]), "p must sum to 1, got a sum of 0.9"),
        (lambda: checks.check_distribution("p", []), "p must hold at least one probability"),
        (lambda: checks.check_distribution("p", [[1.5, -0.5]]), r"got -0.5 at index \(0, 1\)"),
        (lambda: checks.check_symbols("y", [], 3), "y is empty"),
        (lambda: checks.check_symbols("y", [[0, 1], [5, 0]], 3), "got 5 at sequence 1, t=0"),
        (lambda: checks.check_symbols("y", [1.5], 3), "integers from 0 to 2"),
        (
            lambda: checks.check_lengths("n", [6], 1, 5),
            "n must be from 1 to 5, got 6 for sequence 0",
        ),
    ],
)
def test_mistakes_are_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@given(hnp.arrays(float, hnp.array_shapes(max_dims=2, max_side=4), elements=st.floats(-2, 2)))
def test_property_only_distributions_pass(p):
    good = (p >= 0).all() and np.all(abs(p.sum(axis=-1) - 1) <= checks.SUM_TOLERANCE)
    try:
        checks.check_distribution("p", p)
    except ValueError:
        assert not good
    else:
        assert good
