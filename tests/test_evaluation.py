"""Measures of probabilities against scikit-learn, and intervals against repeated samples."""

import numpy as np
import pytest
from sklearn import metrics
from sklearn.calibration import calibration_curve

from course_lib.evaluation import (
    auc,
    best_threshold,
    bootstrap_weights,
    calibration_bins,
    log_loss,
    mean_cost,
    middle,
)


def cases(seed, n=211, ties=False):
    rng = np.random.default_rng(seed)
    p = rng.beta(1, 4, size=n)
    p = np.round(p, 1) * 0.9 + 0.05 if ties else p
    return (rng.random(n) < p).astype(int), p


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("ties", [False, True])
class TestAgainstSklearn:
    def test_auc(self, seed, ties):
        y, p = cases(seed, ties=ties)
        assert auc(y, p) == pytest.approx(metrics.roc_auc_score(y, p), abs=1e-12)

    def test_log_loss(self, seed, ties):
        y, p = cases(seed, ties=ties)
        assert log_loss(y, p) == pytest.approx(metrics.log_loss(y, p), abs=1e-12)

    def test_every_row_of_weights(self, seed, ties):
        y, p = cases(seed, ties=ties)
        weight = bootstrap_weights(len(y), 5, np.random.default_rng(seed))
        assert weight.shape == (5, len(y)) and (weight.sum(axis=1) == len(y)).all()
        for ours, theirs in ((auc, metrics.roc_auc_score), (log_loss, metrics.log_loss)):
            want = [theirs(y, p, sample_weight=w) for w in weight]
            np.testing.assert_allclose(ours(y, p, weight), want, atol=1e-12)


def test_auc_is_the_share_of_pairs_in_order():
    y, p = cases(9, n=40, ties=True)
    pairs = [(a > b) + 0.5 * (a == b) for a in p[y == 1] for b in p[y == 0]]
    assert auc(y, p) == pytest.approx(np.mean(pairs))


def test_a_sample_without_one_answer_has_no_auc():
    weight = np.array([[1.0, 1.0], [2.0, 0.0]])
    areas = auc(np.array([0, 1]), np.array([0.2, 0.7]), weight)
    assert areas[0] == 1.0 and np.isnan(areas[1])


def test_sure_and_wrong_costs_infinitely_much_unless_it_is_left_out():
    y, p = np.array([1, 0]), np.array([0.0, 0.5])
    assert log_loss(y, p) == np.inf
    assert log_loss(y, p, np.array([0.0, 1.0])) == pytest.approx(np.log(2))


def test_interval_has_the_width_of_the_spread_over_fresh_samples():
    y, p = cases(1, n=600)
    weight = bootstrap_weights(600, 400, np.random.default_rng(2))
    low, high = middle(auc(y, p, weight))
    fresh = [auc(*cases(s, n=600)) for s in range(10, 130)]
    assert (high - low) / (4 * np.std(fresh)) == pytest.approx(1, abs=0.3)
    assert low < auc(y, p) < high


def test_middle_takes_the_quantiles():
    assert middle(np.arange(101), level=0.9) == pytest.approx((5, 95))


class TestCalibration:
    def test_against_sklearn(self):
        y, p = cases(3, n=400)
        bins = calibration_bins(y, p, n_bins=8)
        observed, predicted = calibration_curve(y, p, n_bins=8, strategy="quantile")
        np.testing.assert_allclose(bins.predicted, predicted, atol=1e-12)
        np.testing.assert_allclose(bins.observed, observed, atol=1e-12)

    def test_right_probabilities_lie_within_their_errors(self):
        y, p = cases(4, n=20_000)
        bins = calibration_bins(y, p)
        assert (np.abs(bins.observed - bins.predicted) < 4 * bins.std_error).all()
        assert bins.count.sum() == 20_000 and np.ptp(bins.count) <= 1

    def test_too_sure_predictions_do_not(self):
        y, p = cases(4, n=20_000)
        bins = calibration_bins(y, p**3 / (p**3 + (1 - p) ** 3))
        assert (np.abs(bins.observed - bins.predicted) > 4 * bins.std_error).sum() >= 3


class TestCosts:
    def test_threshold_is_the_cheapest_on_a_grid_for_right_probabilities(self):
        y, p = cases(5, n=200_000)
        grid = np.linspace(0.05, 0.95, 19)
        costs = [mean_cost(y, p, t, 1.0, 3.0) for t in grid]
        assert grid[np.argmin(costs)] == pytest.approx(best_threshold(1.0, 3.0), abs=0.051)

    def test_each_error_has_its_price(self):
        y, p = np.array([0, 0, 1, 1]), np.array([0.1, 0.5, 0.4, 0.9])
        assert mean_cost(y, p, 0.5, 2.0, 10.0) == pytest.approx((2 + 10) / 4)
        weight = np.array([[1, 1, 1, 1], [0, 4, 0, 0]])
        np.testing.assert_allclose(mean_cost(y, p, 0.5, 2.0, 10.0, weight), [3.0, 2.0])


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: auc(np.zeros(3), np.ones(3)), "both 0 and 1"),
        (lambda: auc(np.array([0, 2]), np.ones(2)), "each 0 or 1"),
        (lambda: auc(np.array([0, 1]), np.array([0.1, np.nan])), "p must be finite"),
        (lambda: auc(np.array([0, 1]), np.ones(3)), "p must have shape"),
        (lambda: auc(np.array([0, 1]), np.ones(2), np.ones((2, 3))), "weight must be"),
        (lambda: log_loss(np.array([0, 1]), np.array([0.1, 3.0])), "sigmoid first"),
        (lambda: calibration_bins(np.array([0, 1]), np.array([0.1, 0.3]), 3), "n_bins"),
        (lambda: middle(np.ones(3), level=1.0), "level"),
        (lambda: best_threshold(0, 1), "positive"),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ValueError, match=message):
        call()
