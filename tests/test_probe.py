"""The linear probe and its measures.

Oracles: the normal equations, loops over single rows, sums written out, and the normal quantile
for the bootstrap.
"""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from course_lib.probe import (
    Probe,
    apply_probe,
    bootstrap_interval,
    excess_loss,
    fit_probe,
    last_symbols,
    r_squared,
)

N, T, H, K, V = 11, 7, 5, 3, 4


@pytest.fixture
def data(rng):
    h = rng.normal(size=(N, T, H)) + np.arange(H)  # means that an intercept must take up
    beliefs = rng.dirichlet([1, 2, 3], size=(N, T))
    return h, beliefs


def by_normal_equations(h, beliefs, ridge=0.0):
    """W and b from (X'X + penalty)^-1 X'Y with a column of ones that is not penalised."""
    rows = np.concatenate([h, np.ones((*h.shape[:-1], 1))], axis=-1).reshape(-1, H + 1)
    penalty = np.diag([ridge] * H + [0.0])
    both = np.linalg.solve(rows.T @ rows + penalty, rows.T @ beliefs.reshape(-1, K))
    return both[:-1], both[-1]


class TestFitProbe:
    @pytest.mark.parametrize("ridge", [0.0, 0.3, 40.0])
    def test_solves_the_normal_equations(self, data, ridge):
        probe = fit_probe(*data, ridge=ridge)
        W, b = by_normal_equations(*data, ridge)
        # 77 rows of size about 1: rounding stays far below 1e-10.
        np.testing.assert_allclose(probe.W, W, rtol=0, atol=1e-10)
        np.testing.assert_allclose(probe.b, b, rtol=0, atol=1e-10)

    def test_finds_the_map_that_made_the_data(self, rng, data):
        W, b = rng.normal(size=(H, K)), rng.normal(size=K)
        probe = fit_probe(data[0], data[0] @ W + b)
        np.testing.assert_allclose(probe.W, W, rtol=0, atol=1e-12)
        np.testing.assert_allclose(probe.b, b, rtol=0, atol=1e-12)

    def test_states_that_never_move_leave_the_mean(self, data):
        probe = fit_probe(np.ones((N, T, H)), data[1])
        np.testing.assert_allclose(probe.W, 0, rtol=0, atol=1e-12)
        decoded = apply_probe(probe, np.ones(H))
        np.testing.assert_allclose(decoded, data[1].mean(axis=(0, 1)), rtol=0, atol=1e-12)

    def test_units_that_copy_each_other_share_their_weight(self, data):
        h = np.repeat(data[0][..., :2], 2, axis=-1)  # units 0, 0, 1, 1
        W = fit_probe(h, data[1]).W
        np.testing.assert_allclose(W[0::2], W[1::2], rtol=0, atol=1e-12)

    def test_a_large_ridge_leaves_the_mean_alone(self, data):
        probe = fit_probe(*data, ridge=1e12)
        assert np.abs(probe.W).max() < 1e-9
        np.testing.assert_allclose(probe.b, data[1].mean(axis=(0, 1)), rtol=0, atol=1e-8)

    def test_leading_axes_do_not_matter(self, data):
        h, beliefs = data
        flat = fit_probe(h.reshape(-1, H), beliefs.reshape(-1, K))
        np.testing.assert_array_equal(fit_probe(h, beliefs).W, flat.W)

    def test_decoded_beliefs_sum_to_one(self, data):
        h, beliefs = data
        decoded = apply_probe(fit_probe(h, beliefs), 9 * h)
        np.testing.assert_allclose(decoded.sum(axis=-1), 1, rtol=0, atol=1e-12)

    def test_writes_into_neither_argument(self, data):
        h, beliefs = data[0].copy(), data[1].copy()
        fit_probe(h, beliefs, ridge=1.0)
        np.testing.assert_array_equal(h, data[0])
        np.testing.assert_array_equal(beliefs, data[1])

    @pytest.mark.parametrize(
        "h, beliefs, ridge, message",
        [
            (np.zeros((N, T + 1, H)), np.zeros((N, T, K)), 0, r"leave out the state before"),
            (np.zeros(H), np.zeros(K), 0, r"h must have one row a state.*x\[:, None\]"),
            (np.zeros((0, H)), np.zeros((0, K)), 0, r"h must have one row a state"),
            (np.zeros((2, H)), np.zeros((2, 0)), 0, r"beliefs must have one row a state"),
            (np.full((2, H), np.nan), np.zeros((2, K)), 0, r"h must be finite, got nan"),
            (np.zeros((2, H)), np.zeros((2, K)), -1.0, r"ridge must be at least 0"),
            (np.zeros((2, H)), np.zeros((2, K)), np.nan, r"ridge must be at least 0"),
        ],
    )
    def test_wrong_arguments_are_told(self, h, beliefs, ridge, message):
        with pytest.raises(ValueError, match=message):
            fit_probe(h, beliefs, ridge)


class TestApplyProbe:
    def test_is_a_sum_of_units_times_weights(self, rng):
        probe = Probe(rng.normal(size=(H, K)), rng.normal(size=K))
        h = rng.normal(size=(2, T, H))
        decoded = apply_probe(probe, h)
        for n, t, k in np.ndindex(2, T, K):
            by_hand = probe.b[k] + sum(h[n, t, u] * probe.W[u, k] for u in range(H))
            assert decoded[n, t, k] == pytest.approx(by_hand, abs=1e-12)

    @pytest.mark.parametrize("shape", [(H + 1,), (H, 2), ()])
    def test_wrong_number_of_units_is_told(self, shape):
        probe = Probe(np.zeros((H, K)), np.zeros(K))
        with pytest.raises(ValueError, match=rf"h must have {H} units"):
            apply_probe(probe, np.zeros(shape))


class TestRSquared:
    def test_pools_the_columns_about_their_own_means(self, rng):
        actual = rng.normal(size=(N, K)) * [1, 5, 0.1] + [0, 100, -3]
        decoded = actual + rng.normal(size=(N, K))
        missed = total = 0.0
        for k in range(K):
            mean = sum(actual[:, k]) / N
            missed += sum((a - d) ** 2 for a, d in zip(actual[:, k], decoded[:, k], strict=True))
            total += sum((a - mean) ** 2 for a in actual[:, k])
        assert r_squared(actual, decoded) == pytest.approx(1 - missed / total, abs=1e-12)

    def test_one_for_the_truth_and_zero_for_the_mean(self, data):
        beliefs = data[1]
        assert r_squared(beliefs, beliefs) == 1.0
        mean = np.broadcast_to(beliefs.mean(axis=(0, 1)), beliefs.shape)
        assert r_squared(beliefs, mean) == pytest.approx(0, abs=1e-12)

    def test_worse_than_the_mean_is_negative(self, data):
        assert r_squared(data[1], 1 - data[1]) < 0

    def test_a_constant_column_among_others_counts_its_errors(self):
        actual = np.array([[0.0, 1.0], [2.0, 1.0]])
        decoded = np.array([[0.0, 1.5], [2.0, 1.0]])
        assert r_squared(actual, decoded) == pytest.approx(1 - 0.25 / 2)

    @pytest.mark.parametrize(
        "actual, decoded, message",
        [
            (np.ones((4, K)), np.ones((4, K)), "no variance to explain"),
            (np.ones(4), np.ones(4), "one row a state"),
            (np.eye(K), np.eye(K)[:2], r"decoded must have shape \(3, 3\), got \(2, 3\)"),
            (np.eye(K), np.full((K, K), np.inf), "decoded must be finite"),
        ],
    )
    def test_wrong_arguments_are_told(self, actual, decoded, message):
        with pytest.raises(ValueError, match=message):
            r_squared(actual, decoded)


class TestLastSymbols:
    @pytest.mark.parametrize("k", [1, 2, 5, T, T + 3])
    def test_entry_j_v_says_whether_the_symbol_j_steps_back_was_v(self, rng, k):
        ys = rng.integers(V, size=(N, T))
        features = last_symbols(ys, V, k)
        assert features.shape == (N, T, k * V)
        for n, t, j, v in np.ndindex(N, T, k, V):
            expected = float(t - j >= 0 and ys[n, t - j] == v)
            assert features[n, t, j * V + v] == expected

    @pytest.mark.parametrize(
        "ys, k, message",
        [
            ([[0, 1]], 0, "k must be a whole number"),
            ([[0, 1]], 1.5, "k must be a whole number"),
            ([[0, V]], 1, f"symbols from 0 to {V - 1}"),
            ([[0, -1]], 1, f"symbols from 0 to {V - 1}"),
            ([0, 1], 1, "ys must have shape"),
        ],
    )
    def test_wrong_arguments_are_told(self, ys, k, message):
        with pytest.raises(ValueError, match=message):
            last_symbols(np.array(ys), V, k)


class TestExcessLoss:
    def test_is_the_sum_written_out(self, rng):
        p, q = rng.dirichlet(np.ones(V), size=(2, N, T))
        excess = excess_loss(p, q)
        for n, t in np.ndindex(N, T):
            by_hand = sum(p[n, t, v] * math.log(p[n, t, v] / q[n, t, v]) for v in range(V))
            assert excess[n, t] == pytest.approx(by_hand, abs=1e-12)

    def test_is_what_the_loss_is_too_high_by(self, rng):
        """Expected loss of q minus that of p, symbol by symbol: the claim of its docstring."""
        p, q = rng.dirichlet(np.ones(V), size=(2, N))
        gap = -(p * np.log(q)).sum(axis=1) + (p * np.log(p)).sum(axis=1)
        np.testing.assert_allclose(excess_loss(p, q), gap, rtol=0, atol=1e-12)

    def test_what_never_happens_is_free_and_what_is_excluded_is_infinite(self):
        p = np.array([[0.5, 0.5, 0.0], [0.5, 0.5, 0.0], [0.0, 0.0, 1.0]])
        q = np.array([[0.25, 0.25, 0.5], [0.5, 0.5, 0.0], [0.5, 0.5, 0.0]])
        assert excess_loss(p, q).tolist() == [math.log(2), 0.0, math.inf]

    def test_one_row_gives_one_number(self):
        assert excess_loss([0.5, 0.5], [0.5, 0.5]).shape == ()

    @pytest.mark.parametrize(
        "p, q, message",
        [
            ([0.5, 0.5], np.log([0.5, 0.5]), "q must not be negative.*did you pass logs"),
            ([0.5, 0.6], [0.5, 0.5], "p must sum to 1"),
            ([[0.5, 0.5]], [0.5, 0.5], r"q must have shape \(1, 2\)"),
        ],
    )
    def test_wrong_arguments_are_told(self, p, q, message):
        with pytest.raises(ValueError, match=message):
            excess_loss(p, q)


class TestBootstrapInterval:
    def test_agrees_with_the_normal_interval_where_that_holds(self, rng):
        values = rng.normal(3.0, 2.0, size=400)
        mean, low, high = bootstrap_interval(values, rng, draws=20_000)
        half = 1.959964 * values.std() / math.sqrt(400)
        assert mean == pytest.approx(values.mean(), abs=1e-12)
        # A percentile of 20 000 draws has a standard error of about 1.4 % of the half width.
        assert low == pytest.approx(mean - half, abs=0.06 * half)
        assert high == pytest.approx(mean + half, abs=0.06 * half)

    def test_level_is_the_share_inside(self, rng):
        values = rng.normal(size=400)
        _, low, high = bootstrap_interval(values, rng, level=0.5, draws=20_000)
        half = 0.674490 * values.std() / math.sqrt(400)
        assert (high - low) / 2 == pytest.approx(half, rel=0.06)

    def test_two_values_have_three_means(self, rng):
        assert bootstrap_interval([0.0, 1.0], rng) == (0.5, 0.0, 1.0)
        assert bootstrap_interval([0.0, 1.0], rng, level=0.4) == (0.5, 0.5, 0.5)

    def test_same_generator_same_interval(self):
        values = np.arange(9.0) ** 2
        first, second = (bootstrap_interval(values, np.random.default_rng(5)) for _ in range(2))
        assert first == second

    @pytest.mark.parametrize(
        "values, options, message",
        [
            ([1.0], {}, "at least 2 independent numbers, got 1"),
            ([[1.0, 2.0]], {}, "values must have shape"),
            ([1.0, np.inf], {}, "values must be finite"),
            ([1.0, 2.0], {"level": 95}, "level must be between 0 and 1"),
            ([1.0, 2.0], {"level": 1.0}, "level must be between 0 and 1"),
            ([1.0, 2.0], {"draws": 0}, "draws must be at least 1"),
        ],
    )
    def test_wrong_arguments_are_told(self, rng, values, options, message):
        with pytest.raises(ValueError, match=message):
            bootstrap_interval(values, rng, **options)


seeds = st.integers(0, 2**32 - 1)


@given(seed=seeds, n=st.integers(2, 30))
def test_property_the_probe_is_never_worse_than_the_mean_on_its_own_rows(seed, n):
    rng = np.random.default_rng(seed)
    h, beliefs = rng.normal(size=(n, H)), rng.dirichlet(np.ones(K), size=n)
    r2 = r_squared(beliefs, apply_probe(fit_probe(h, beliefs), h))
    assert -1e-9 < r2 < 1 + 1e-9  # rounding only


@given(seed=seeds, n=st.integers(H + 2, 30), ridge=st.sampled_from([0.0, 0.1, 10.0]))
def test_property_no_other_probe_has_a_lower_price(seed, n, ridge):
    rng = np.random.default_rng(seed)
    h, beliefs = rng.normal(size=(n, H)), rng.dirichlet(np.ones(K), size=n)

    def price(probe):
        error = ((apply_probe(probe, h) - beliefs) ** 2).sum()
        return error + ridge * (probe.W**2).sum()

    probe = fit_probe(h, beliefs, ridge)
    for step in (1e-3, 0.1):
        other = Probe(probe.W + step * rng.normal(size=(H, K)), probe.b + step * rng.normal(size=K))
        assert price(other) >= price(probe) - 1e-12


@given(seed=seeds, v=st.integers(1, 6), sharpness=st.sampled_from([0.05, 1.0, 50.0]))
def test_property_excess_is_not_negative_and_zero_for_the_truth(seed, v, sharpness):
    rng = np.random.default_rng(seed)
    p, q = rng.dirichlet(np.full(v, sharpness), size=(2, 5))
    assert (excess_loss(p, q) >= -1e-12).all()
    assert (excess_loss(p, p) == 0).all()
