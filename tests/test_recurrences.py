"""What all recurrences that a scan can run promise: step, loop, scan and formula agree."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from recurrence_checks import NAMES, D, H, N, T, arrays, check, check_gradients, models
from recurrence_checks import real_modules as modules

from course_lib import gru
from course_lib.linear_attention import (
    LinearAttentionParams,
    init_linear_attention,
    linear_attention_loop,
    linear_attention_masked,
    positive_features,
)
from course_lib.min_rnn import (
    MinGRUParams,
    MinLSTMParams,
    init_min_gru,
    init_min_lstm,
    min_gates,
    min_gru_scan,
    min_gru_step,
)
from course_lib.rwkv import RWKVParams, RWKVState, init_rwkv, rwkv_loop, rwkv_scan, rwkv_step
from course_lib.scan import linear_scan, linear_scan_backward
from course_lib.selective_ssm import (
    SelectiveSSMParams,
    discretise,
    init_selective_ssm,
    selective_ssm_loop,
    selective_ssm_step,
)


@pytest.mark.parametrize("name", NAMES)
def test_step_loop_and_scan_are_the_formula(rng, name):
    check(modules(), name, rng)


def test_gradients_by_a_scan_from_the_end(rng):
    check_gradients(modules(), rng)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_looks_ahead(rng, name):
    params, _, _, scan_, _, first = models(modules(), rng)[name]
    x = rng.normal(size=(N, T, D))
    changed = x.copy()
    changed[:, 4] += 1.0
    a, b = scan_(x, params, first)[0], scan_(changed, params, first)[0]
    np.testing.assert_array_equal(a[:, :4], b[:, :4])
    assert (a[:, 4] != b[:, 4]).any()


@pytest.mark.parametrize("name", NAMES)
def test_arguments_are_not_written_into(rng, name):
    params, step, loop, scan_, _, first = models(modules(), rng)[name]
    x = rng.normal(size=(N, T, D))
    before = [part.copy() for part in (x, *arrays(first))]
    step(x[:, 0], first, params), loop(x, params, first), scan_(x, params, first)
    for part, copy in zip((x, *arrays(first)), before, strict=True):
        np.testing.assert_array_equal(part, copy)


@pytest.mark.parametrize("name", NAMES)
def test_bad_shapes_and_numbers_are_named(rng, name):
    params, step, loop, scan_, _, first = models(modules(), rng)[name]
    x = rng.normal(size=(N, T, D))
    for run in (loop, scan_):
        with pytest.raises(ValueError, match="x must have shape"):
            run(x[:, :, :2], params)
        with pytest.raises(ValueError, match="must have shape"):
            run(x[:1], params, first)
        with pytest.raises(ValueError, match="at least one"):
            run(x[:, :0], params)
        with pytest.raises(ValueError, match="x must be finite"):
            run(np.full_like(x, np.nan), params)
    with pytest.raises(ValueError, match="x_t must have shape"):
        step(x[:, 0, :2], first, params)


@settings(max_examples=25)
@given(
    st.sampled_from(NAMES), st.integers(0, 10**6), st.integers(1, 40), st.sampled_from([0.1, 1, 30])
)
def test_property_scan_is_the_loop(name, seed, length, scale):
    """Also where gates are so extreme that exponentials of them would overflow."""
    rng = np.random.default_rng(seed)
    params, _, loop, scan_, _, first = models(modules(), rng)[name]
    x = scale * rng.normal(size=(N, length, D))
    a, b = loop(x, params, first)[0], scan_(x, params, first)[0]
    np.testing.assert_allclose(b, a, rtol=1e-10, atol=1e-10 * max(1.0, np.abs(a).max()))


class TestLongAndExtreme:
    T_LONG = 3000

    @pytest.mark.parametrize("name", NAMES)
    def test_long_sequences(self, rng, name):
        params, _, loop, scan_, _, _ = models(modules(), rng)[name]
        if name == "linear rnn":
            params = replace(params, a=np.linspace(0.9, 1.0, H))  # decays up to none at all
        x = rng.normal(size=(1, self.T_LONG, D))
        a, b = loop(x, params)[0], scan_(x, params)[0]
        np.testing.assert_allclose(b, a, rtol=0, atol=1e-10 * max(1.0, np.abs(a).max()))

    def test_ten_thousand_steps_of_slow_decays(self, rng):
        T_long, H_small = 10_000, 2
        a = np.array([1.0, 1.0 - 1e-6])
        b = rng.normal(size=(1, T_long, H_small))
        h = np.zeros(H_small)
        for t in range(T_long):
            h = a * h + b[0, t]
        got = linear_scan(a, b)[0, -1]
        np.testing.assert_allclose(got, h, rtol=1e-10, atol=1e-10)

    def test_ten_thousand_steps_of_fast_decays_fade_to_zero_without_a_warning(self):
        h = linear_scan(1e-3, np.r_[1.0, np.zeros(9_999)][None, :, None])
        assert h[0, 0, 0] == 1.0 and h[0, -1, 0] == 0.0

    def test_min_lstm_with_both_gates_shut_keeps_and_writes_in_proportion(self):
        shut = MinLSTMParams(*np.zeros((3, 1, 1)), [-800.0], [-800.0 + np.log(3)], [5.0])
        keep, write, candidate = min_gates(np.ones((1, 1)), shut)
        assert (keep[0, 0], write[0, 0], candidate[0, 0]) == pytest.approx((0.25, 0.75, 5.0))

    def test_rwkv_with_keys_whose_exponentials_overflow(self):
        """The largest key wins; a past of nothing is no past."""
        params = RWKVParams(np.full((1, 1), 50.0), [[1000.0]], [[1.0]], [0.5], [0.0])
        x = np.array([1.0, 3.0, 2.0])[None, :, None]
        for run in (rwkv_loop, rwkv_scan):
            np.testing.assert_allclose(run(x, params)[0][0, :, 0], [1.0, 3.0, 3.0], atol=1e-12)

    def test_ssm_with_huge_steps_forgets_all_and_with_tiny_ones_nothing(self):
        params = SelectiveSSMParams([[0.0]], [800.0], [[1.0]], [[1.0]], [[0.0]], [0.0])  # rate 1
        h = np.full((1, 1, 1), 7.0)
        _, forgotten = selective_ssm_step(np.ones((1, 1)), h, params)
        assert forgotten[0, 0, 0] == pytest.approx(1.0)  # (1 - e^-800) / 1 * B x
        _, kept = selective_ssm_step(np.ones((1, 1)), h, replace(params, b_delta=[-800.0]))
        assert kept[0, 0, 0] == 7.0


class TestLinearScan:
    def test_one_factor_for_all(self):
        b = np.ones((1, 4, 1))
        np.testing.assert_allclose(linear_scan(0.5, b)[0, :, 0], [1, 1.5, 1.75, 1.875])

    @pytest.mark.parametrize("axis", [0, 1, 2, -1])
    def test_any_axis(self, rng, axis):
        a, b = rng.normal(size=(2, 3, 4, 5))
        h0 = rng.normal(size=np.take(b, 0, axis=axis).shape)
        moved = linear_scan(np.moveaxis(a, axis, 1), np.moveaxis(b, axis, 1), h0)
        got = linear_scan(a, b, h0, axis=axis)
        np.testing.assert_allclose(np.moveaxis(got, axis, 1), moved, rtol=1e-12)
        back = linear_scan_backward(b, a, got, h0, axis=axis)
        np.testing.assert_allclose(
            np.moveaxis(back[0], axis, 1),
            linear_scan_backward(np.moveaxis(b, axis, 1), np.moveaxis(a, axis, 1), moved, h0)[0],
            rtol=1e-12,
        )

    def test_shapes_are_checked(self):
        b = np.ones((2, 4, 3))
        with pytest.raises(ValueError, match="a must broadcast to shape"):
            linear_scan(np.ones((2, 5, 3)), b)
        with pytest.raises(ValueError, match="h0 must have shape"):
            linear_scan(0.5, b, np.ones((2, 4)))
        with pytest.raises(ValueError, match="at least 1"):
            linear_scan(0.5, b[:, :0], np.ones((2, 3)))
        with pytest.raises(ValueError, match="dh must have shape"):
            linear_scan_backward(b[:1], 0.5, b)


class TestMinGRU:
    def test_is_a_gru_whose_state_has_no_arrows_where_tanh_is_a_line(self, rng):
        """Small weights: tanh(a) = a up to a cubic term."""
        W_z, W_n = rng.normal(size=(2, D, H)) * np.array([1.0, 1e-5])[:, None, None]
        b_z = rng.normal(size=H)
        zeros = np.zeros((D, H))
        cell = gru.GRUParams(
            np.hstack([zeros, W_z, W_n]), np.zeros((H, 3 * H)),
            np.concatenate([np.zeros(H), b_z, np.zeros(H)]), np.zeros(3 * H), update="keep",
        )  # fmt: skip
        x = rng.normal(size=(N, T, D))
        wanted = gru.gru_forward(x, cell).h[:, 1:]
        got, _ = min_gru_scan(x, MinGRUParams(W_z, W_n, b_z, np.zeros(H), update="keep"))
        np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-13)

    def test_the_two_conventions_are_one_cell_with_the_gate_turned(self, rng):
        p = init_min_gru(D, H, rng)
        x = rng.normal(size=(N, T, D))
        turned = replace(p, W_z=-p.W_z, b_z=-p.b_z, update="keep")
        np.testing.assert_array_equal(min_gru_scan(x, p)[0], min_gru_scan(x, turned)[0])

    def test_state_stays_between_the_candidates(self, rng):
        p, x = init_min_gru(D, H, rng), rng.normal(size=(N, T, D))
        candidate = min_gates(x, p)[2]
        h, _ = min_gru_scan(x, p, candidate[:, 0])
        assert (h >= candidate.min(axis=1, keepdims=True) - 1e-12).all()
        assert (h <= candidate.max(axis=1, keepdims=True) + 1e-12).all()

    def test_weights_of_another_cell_are_refused(self, rng):
        with pytest.raises(ValueError, match="must be MinGRUParams"):
            min_gru_step(np.ones((N, D)), np.ones((N, H)), init_min_lstm(D, H, rng))
        with pytest.raises(ValueError, match="'write' or 'keep'"):
            init_min_gru(D, H, rng, update="both")
        with pytest.raises(ValueError, match="at least 1"):
            init_min_gru(0, H, rng)


class TestLinearAttention:
    def test_equal_keys_give_the_running_mean(self, rng):
        x = rng.normal(size=(N, T, D))
        params = LinearAttentionParams(rng.normal(size=(D, 4)), np.zeros((D, 4)), np.eye(D))
        y, _ = linear_attention_loop(x, params)
        mean = np.cumsum(x, axis=1) / np.arange(1, T + 1)[:, None]
        np.testing.assert_allclose(y, mean, rtol=0, atol=1e-12)

    def test_state_does_not_grow(self, rng):
        params = init_linear_attention(D, 4, 7, rng)
        sizes = {linear_attention_loop(np.ones((N, n, D)), params)[1].nbytes for n in (1, 50)}
        assert sizes == {8 * N * 4 * (7 + 1)}

    def test_features_are_above_zero_and_meet_at_one(self):
        x = np.array([-700.0, -1.0, 0.0, 1e-300, 2.0, 1e308])
        assert (positive_features(x) > 0).all()
        np.testing.assert_allclose(positive_features(x)[2:5], [1, 1, 3])

    def test_keys_whose_features_underflow_give_no_nan(self):
        params = LinearAttentionParams(np.full((1, 1), -1.0), np.full((1, 1), -1.0), np.eye(1))
        x = np.full((1, 3, 1), 1e4)
        assert (linear_attention_loop(x, params)[0] == 0).all()
        assert (linear_attention_masked(x, params)[0] == 0).all()

    @pytest.mark.parametrize("decay", [0.0, 1.1])
    def test_decay_is_checked(self, decay):
        with pytest.raises(ValueError, match="decay must be above 0"):
            LinearAttentionParams(np.ones((1, 1)), np.ones((1, 1)), np.ones((1, 1)), decay)


class TestSelectiveSSM:
    def test_zero_order_hold_is_many_small_euler_steps(self, rng):
        """The two agree where a step is cut into parts so small that its order does not matter."""
        p = init_selective_ssm(D, 4, rng, shortest=0.5, longest=1.0)
        p = replace(p, W_delta=np.zeros((D, D)))  # else the step size would follow x twice
        x = np.repeat(rng.normal(size=(1, 1, D)), 1, axis=1)
        _, exact = selective_ssm_loop(x, p)
        parts = 2000
        delta = np.logaddexp(0, p.b_delta) / parts
        fine = replace(p, b_delta=np.log(np.expm1(delta)), discretisation="euler")
        _, cut = selective_ssm_loop(np.repeat(x, parts, axis=1), fine)
        np.testing.assert_allclose(cut, exact, rtol=5e-3)

    def test_start_has_the_published_rates_and_step_sizes(self, rng):
        p = init_selective_ssm(200, 4, rng)
        np.testing.assert_allclose(p.A, -np.tile([1.0, 2, 3, 4], (200, 1)), rtol=1e-12)
        delta = np.logaddexp(0, p.b_delta)
        assert 0.001 <= delta.min() < 0.002 and 0.08 < delta.max() <= 0.1

    def test_input_decides_what_is_kept(self):
        """One channel says *write* by a large step size and *keep* by a small one."""
        p = SelectiveSSMParams(
            [[0.0, 0.0], [400.0, 0.0]], [-20.0, 0.0], [[1.0], [0.0]], np.ones((2, 1)),
            np.zeros((2, 1)), np.zeros(2),
        )  # fmt: skip
        x = np.array([[1.0, 1.0], [9.0, 0.0], [-5.0, 0.0]])[None]  # second number: write?
        _, h = selective_ssm_loop(x[:, :1], p)
        _, later = selective_ssm_loop(x, p)
        assert later[0, 0, 0] == pytest.approx(h[0, 0, 0], abs=1e-5)
        assert discretise(x, p)[0][0, :, 0, 0] == pytest.approx([0, 1, 1], abs=1e-6)

    def test_bad_choices_are_named(self, rng):
        with pytest.raises(ValueError, match="'zoh' or 'euler'"):
            replace(init_selective_ssm(D, 4, rng), discretisation="exact")
        with pytest.raises(ValueError, match="0 < shortest <= longest"):
            init_selective_ssm(D, 4, rng, shortest=0.2)
        with pytest.raises(ValueError, match="at least 1"):
            init_selective_ssm(D, 0, rng)


class TestRWKV:
    def test_without_decay_and_with_equal_keys_it_is_the_running_mean(self, rng):
        p = RWKVParams(np.zeros((D, D)), np.zeros((D, D)), np.eye(D), np.zeros(D), np.zeros(D))
        x = rng.normal(size=(N, T, D))
        mean = np.cumsum(x, axis=1) / np.arange(1, T + 1)[:, None]
        np.testing.assert_allclose(rwkv_scan(x, p)[0], 0.5 * mean, rtol=0, atol=1e-12)

    def test_state_is_three_numbers_a_unit(self, rng):
        _, state = rwkv_step(np.ones((N, D)), None, init_rwkv(D, H, rng))
        assert state.nbytes == 3 * 8 * N * H

    def test_negative_decay_and_foreign_state_are_refused(self, rng):
        with pytest.raises(ValueError, match="must not be negative"):
            replace(init_rwkv(D, H, rng), w=-np.ones(H))
        with pytest.raises(ValueError, match="must be RWKVState"):
            rwkv_loop(np.ones((N, T, D)), init_rwkv(D, H, rng), np.zeros((N, H)))
        with pytest.raises(ValueError, match=r"state\.top must have shape"):
            rwkv_loop(
                np.ones((N, T, D)), init_rwkv(D, H, rng),
                RWKVState(np.zeros((N, H)), np.zeros((N, H)), np.zeros((N, H - 1))),
            )  # fmt: skip
