"""Positions: by the formula one number at a time, as complex numbers, differences, properties."""

from math import cos, sin, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oracles import central_differences

from course_lib.positions import rotate, rotate_backward, sinusoidal_positions

N, T, M, E = 2, 5, 6, 4
CLOSE = {"rtol": 0, "atol": 1e-12}


def turned(x, offset, base):
    """Every pair as one complex number, times e^(i angle)."""
    y = np.empty_like(x)
    for index in np.ndindex(*x.shape[:-1]):
        for i in range(x.shape[-1] // 2):
            angle = (offset + index[-1]) * base ** (-2 * i / x.shape[-1])
            pair = complex(x[(*index, 2 * i)], x[(*index, 2 * i + 1)]) * complex(
                cos(angle), sin(angle)
            )
            y[(*index, 2 * i)], y[(*index, 2 * i + 1)] = pair.real, pair.imag
    return y


class TestSinusoidalPositions:
    @pytest.mark.parametrize("offset, base", [(0, 10000.0), (3, 20.0)])
    def test_by_the_formula(self, offset, base):
        p = sinusoidal_positions(T, M, offset, base)
        for t, i in np.ndindex(T, M // 2):
            angle = (t + offset) / base ** (2 * i / M)
            assert p[t, 2 * i] == pytest.approx(sin(angle), abs=1e-12)
            assert p[t, 2 * i + 1] == pytest.approx(cos(angle), abs=1e-12)

    def test_every_row_is_as_long_and_no_two_are_equal(self):
        p = sinusoidal_positions(300, M)
        np.testing.assert_allclose(np.linalg.norm(p, axis=1), sqrt(M / 2), **CLOSE)
        assert len(np.unique(p.round(6), axis=0)) == 300

    def test_offset_reads_on(self):
        np.testing.assert_allclose(
            sinusoidal_positions(9, M)[4:], sinusoidal_positions(5, M, offset=4), **CLOSE
        )

    @pytest.mark.parametrize(
        "arguments, message",
        [
            ((0, 4), "T must be at least 1, got 0"),
            ((3, 5), "the width must be even and at least 2, pairs are turned; got 5"),
            ((3, 4, 0, 0.0), "base must be above 0, got 0.0"),
        ],
    )
    def test_bad(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            sinusoidal_positions(*arguments)


class TestRotate:
    @pytest.mark.parametrize("offset, base", [(0, 10000.0), (3, 20.0)])
    def test_complex_numbers(self, rng, offset, base):
        x = rng.normal(size=(N, 3, T, E))
        np.testing.assert_allclose(rotate(x, offset, base), turned(x, offset, base), **CLOSE)

    def test_first_place_is_left_alone_and_the_input_too(self, rng):
        x = rng.normal(size=(T, E))
        before = x.copy()
        assert (rotate(x)[0] == x[0]).all()
        assert (x == before).all()

    def test_backward_against_differences(self, rng):
        x, dy = rng.normal(size=(2, N, T, E))
        differences = central_differences(lambda v: (rotate(v, 2, 30.0) * dy).sum(), x)
        np.testing.assert_allclose(rotate_backward(dy, 2, 30.0), differences, rtol=0, atol=1e-8)

    @pytest.mark.parametrize("function, name", [(rotate, "x"), (rotate_backward, "dy")])
    def test_bad(self, function, name):
        with pytest.raises(ValueError, match=rf"{name} must have shape \(\.\.\., T, E\), got \(4,"):
            function(np.ones(4))
        with pytest.raises(ValueError, match="must be even"):
            function(np.ones((2, 3)))
        with pytest.raises(ValueError, match=f"{name} must be finite"):
            function(np.full((2, 4), np.inf))


@given(seed=st.integers(0, 999), place=st.integers(0, 400), apart=st.integers(0, 40))
def test_property_only_the_distance_counts(seed, place, apart):
    q, k = np.random.default_rng(seed).normal(size=(2, 1, 8))
    here = rotate(q, place + apart) @ rotate(k, place).T
    there = rotate(q, apart) @ rotate(k).T
    np.testing.assert_allclose(here, there, rtol=0, atol=1e-10)


@given(seed=st.integers(0, 999), offset=st.integers(0, 400))
def test_property_lengths_stay_and_back_is_back(seed, offset):
    x = np.random.default_rng(seed).normal(size=(3, 8))
    y = rotate(x, offset)
    np.testing.assert_allclose(np.linalg.norm(y, axis=-1), np.linalg.norm(x, axis=-1), **CLOSE)
    np.testing.assert_allclose(rotate_backward(y, offset), x, **CLOSE)


def test_pairs_half_apart_are_the_same_with_columns_in_another_order(rng):
    """The other convention, as LLaMA's weights are stored: entry i turns with entry i + E / 2."""
    x = rng.normal(size=(T, E))
    order = np.r_[0:E:2, 1:E:2]  # the first of each pair, then the second of each
    halves = x[:, order]
    first, second = halves[:, : E // 2], halves[:, E // 2 :]
    angles = np.arange(T)[:, None] * 10000.0 ** (-np.arange(0, E, 2) / E)
    theirs = np.hstack(
        [
            first * np.cos(angles) - second * np.sin(angles),
            first * np.sin(angles) + second * np.cos(angles),
        ]
    )
    np.testing.assert_allclose(rotate(x)[:, order], theirs, **CLOSE)
    assert np.abs(rotate(x) - theirs).max() > 0.1
