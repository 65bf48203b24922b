"""Forecasts by hand, against loops and scikit-learn."""

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, Ridge
from sklearn.metrics import mean_pinball_loss

from course_lib import forecasting as f

L, P, T = 5, 3, 31


@pytest.fixture
def series(rng):
    return rng.normal(size=T).cumsum()


class TestMakeWindows:
    def test_matches_a_loop(self, series):
        X, Y, origins = f.make_windows(series, L, P)
        want = [(series[o - L : o], series[o : o + P], o) for o in range(L, T - P + 1)]
        assert len(want) == len(X) == len(Y) == len(origins)
        for row, (x, y, o) in enumerate(want):
            np.testing.assert_array_equal(X[row], x)
            np.testing.assert_array_equal(Y[row], y)
            assert origins[row] == o

    def test_answers_stay_between_first_and_last_while_windows_reach_back(self, series):
        X, Y, origins = f.make_windows(series, L, P, first=20, last=27)
        assert origins.tolist() == [20, 21, 22, 23, 24]
        np.testing.assert_array_equal(X[0], series[15:20])
        np.testing.assert_array_equal(Y[-1], series[24:27])

    def test_windows_are_copies(self, series):
        X, _, _ = f.make_windows(series, L, P)
        before = series.copy()
        X[:] = 0
        np.testing.assert_array_equal(series, before)

    @pytest.mark.parametrize("bad", [{"last": T + 1}, {"first": T - P + 1}, {"last": L}])
    def test_what_does_not_fit_is_refused(self, series, bad):
        with pytest.raises(ValueError, match="no window"):
            f.make_windows(series, L, P, **bad)

    @pytest.mark.parametrize("sizes", [(0, P), (L, 0), (2.5, P)])
    def test_sizes_are_whole_and_positive(self, series, sizes):
        with pytest.raises(ValueError, match="whole number"):
            f.make_windows(series, *sizes)


class TestBaselines:
    X = np.array([[1.0, 2, 3, 4, 5], [6, 7, 8, 9, 10]])

    def test_naive_repeats_the_last_value(self):
        np.testing.assert_array_equal(f.naive(self.X, 2), [[5, 5], [10, 10]])

    def test_seasonal_naive_goes_round_the_last_season(self):
        np.testing.assert_array_equal(f.seasonal_naive(self.X, 4, 3)[0], [3, 4, 5, 3])

    @pytest.mark.parametrize("season", [0, 6])
    def test_a_season_longer_than_the_window_is_refused(self, season):
        with pytest.raises(ValueError, match="season"):
            f.seasonal_naive(self.X, 2, season)


class TestLinear:
    @pytest.mark.parametrize("ridge", [0.0, 2.5])
    def test_matches_scikit_learn(self, series, ridge):
        X, Y, _ = f.make_windows(series, L, P)
        peer = (Ridge(ridge) if ridge else LinearRegression()).fit(X, Y)
        ours = f.fit_linear(X, Y, ridge)
        np.testing.assert_allclose(ours.W, peer.coef_.T, rtol=0, atol=1e-10)
        np.testing.assert_allclose(f.apply_linear(ours, X), peer.predict(X), rtol=0, atol=1e-10)

    def test_a_negative_ridge_is_refused(self, series):
        with pytest.raises(ValueError, match="ridge"):
            f.fit_linear(*f.make_windows(series, L, P)[:2], ridge=-1)

    def test_answers_must_have_a_row_a_window(self, series):
        X, Y, _ = f.make_windows(series, L, P)
        with pytest.raises(ValueError, match="Y must have shape"):
            f.fit_linear(X, Y[1:])


class TestRecursiveForecast:
    def test_an_exact_rule_is_carried_on(self):
        fibonacci = np.array([[1.0, 1, 2, 3], [2, 1, 3, 4]])
        got = f.recursive_forecast(lambda X: X[:, -1] + X[:, -2], fibonacci, 4)
        np.testing.assert_array_equal(got, [[5, 8, 13, 21], [7, 11, 18, 29]])

    def test_its_first_step_is_the_model_itself_and_its_argument_is_kept(self, series):
        X, Y, _ = f.make_windows(series, L, P)
        model, before = f.fit_linear(X, Y[:, :1]), X.copy()
        got = f.recursive_forecast(lambda X: f.apply_linear(model, X)[:, 0], X, P)
        np.testing.assert_allclose(got[:, 0], f.apply_linear(model, X)[:, 0], rtol=0, atol=1e-12)
        np.testing.assert_array_equal(X, before)

    def test_a_model_of_several_steps_is_refused(self, series):
        X, _, _ = f.make_windows(series, L, P)
        with pytest.raises(ValueError, match="forecast must have shape"):
            f.recursive_forecast(lambda X: X[:, :2], X, P)


class TestMase:
    def test_by_hand(self):
        train = np.array([1.0, 5, 2, 7])  # repeating two steps back errs by 1 and 2
        assert f.mase(np.array([4.0, 6.0]), np.array([5.0, 3.0]), train, 2) == pytest.approx(
            2 / 1.5
        )

    def test_repeating_the_season_in_training_scores_one(self, series):
        assert f.mase(series[4:], series[:-4], series, 4) == pytest.approx(1)

    @pytest.mark.parametrize("season", [0, 4])
    def test_a_season_must_fit_into_training(self, season):
        with pytest.raises(ValueError, match="season"):
            f.mase(np.ones(2), np.ones(2), np.arange(4.0), season)

    def test_a_train_part_without_error_is_refused(self):
        with pytest.raises(ValueError, match="repeats itself"):
            f.mase(np.ones(2), np.ones(2), np.tile([1.0, 2.0], 3), 2)


class TestPinball:
    def test_matches_scikit_learn(self, rng):
        y, q = rng.normal(size=(7, 4)), np.array([0.1, 0.5, 0.8])
        guess = rng.normal(size=(7, 4, 3))
        ours = f.pinball(y, guess, q)
        for k, level in enumerate(q):
            peer = mean_pinball_loss(y.ravel(), guess[..., k].ravel(), alpha=level)
            assert ours[..., k].mean() == pytest.approx(peer)

    def test_is_smallest_at_the_quantile(self, rng):
        y, steps = rng.exponential(size=2001), np.linspace(0, 4, 801)
        losses = f.pinball(
            np.repeat(y[None], 801, 0),
            np.repeat(steps[:, None], 2001, 1)[..., None],
            np.array([0.8]),
        ).mean(axis=(1, 2))
        assert steps[losses.argmin()] == pytest.approx(np.quantile(y, 0.8), abs=0.01)

    @pytest.mark.parametrize("q", [0.0, 1.0])
    def test_levels_lie_between_zero_and_one(self, q):
        with pytest.raises(ValueError, match="between 0 and 1"):
            f.pinball(np.ones(2), np.ones((2, 1)), np.array([q]))


class TestCoverage:
    def test_ends_belong_to_the_interval(self):
        y = np.array([0.0, 1, 2, 3, 4])
        assert f.coverage(y, np.full(5, 1.0), np.full(5, 3.0)) == 0.6

    def test_crossed_ends_are_refused(self):
        with pytest.raises(ValueError, match="sort quantiles"):
            f.coverage(np.zeros(2), np.ones(2), np.zeros(2))


class TestRollingOrigins:
    def test_parts_follow_each_other_to_the_end(self):
        assert f.rolling_origins(20, 8, 5) == [(8, 13), (13, 18), (18, 20)]

    @pytest.mark.parametrize("bad", [(20, 0, 5), (20, 20, 5), (20, 8, 0)])
    def test_nothing_to_train_or_test_on_is_refused(self, bad):
        with pytest.raises(ValueError, match="first must be"):
            f.rolling_origins(*bad)
