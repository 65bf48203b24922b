"""Figures of chapter 12: what is drawn is what was given."""

import numpy as np
import pytest

from course_lib import plotting

SEEN, ACTUAL = np.arange(5.0), np.array([4.0, 3.0, 5.0])
LOW, HIGH = ACTUAL - 1.5, ACTUAL + 0.5


def lines(fig):
    return {line.get_label(): line for line in fig.axes[0].lines}


class TestPlotForecast:
    def test_the_hours_seen_end_at_now_and_the_rest_begins_after_it(self):
        fig = plotting.plot_forecast(SEEN, ACTUAL, {"naive": ACTUAL + 1}, band=("80 %", LOW, HIGH))
        drawn = lines(fig)
        np.testing.assert_array_equal(drawn["seen"].get_xydata().T, [np.arange(-4, 1), SEEN])
        np.testing.assert_array_equal(drawn["came"].get_xydata().T, [[1, 2, 3], ACTUAL])
        np.testing.assert_array_equal(drawn["naive"].get_xydata().T, [[1, 2, 3], ACTUAL + 1])
        corners = set(map(tuple, fig.axes[0].collections[0].get_paths()[0].vertices))
        assert corners == {(k + 1, end[k]) for k in range(3) for end in (LOW, HIGH)}

    def test_a_forecast_of_another_length_is_refused(self):
        with pytest.raises(ValueError, match=r"naive must have shape \(3,\)"):
            plotting.plot_forecast(SEEN, ACTUAL, {"naive": ACTUAL[:2]})

    def test_more_forecasts_than_colours_are_refused(self):
        with pytest.raises(ValueError, match="at most three"):
            plotting.plot_forecast(SEEN, ACTUAL, dict.fromkeys("abcd", ACTUAL))


class TestPlotHorizons:
    def test_seeds_are_a_mean_with_their_range_and_a_level_is_a_line(self):
        seeds = np.array([[2.0, 2.0, 5.0], [1.0, 2.0, 9.0], [3.0, 2.0, 4.0]])
        fig = plotting.plot_horizons({"net": seeds, "line": ACTUAL}, levels={"aim": 0.8})
        drawn = lines(fig)
        np.testing.assert_array_equal(drawn["net"].get_xydata().T, [[1, 2, 3], [2, 2, 6]])
        np.testing.assert_array_equal(drawn["line"].get_ydata(), ACTUAL)
        np.testing.assert_array_equal(drawn["aim"].get_ydata(), [0.8] * 3)
        (band,) = fig.axes[0].collections
        lowest, highest = {(1, 1), (2, 2), (3, 4)}, {(1, 3), (2, 2), (3, 9)}
        assert set(map(tuple, band.get_paths()[0].vertices)) == lowest | highest

    @pytest.mark.parametrize("errors", [{}, dict.fromkeys("abcde", ACTUAL)])
    def test_none_or_too_many_models_are_refused(self, errors):
        with pytest.raises(ValueError, match="one to four"):
            plotting.plot_horizons(errors)

    def test_models_with_other_horizons_are_refused(self):
        with pytest.raises(ValueError, match="b must have shape"):
            plotting.plot_horizons({"a": ACTUAL, "b": ACTUAL[:2]})


@pytest.mark.parametrize(
    "fig",
    [
        lambda: plotting.plot_forecast(SEEN, ACTUAL, {"a": ACTUAL}, band=("80 %", LOW, HIGH)),
        lambda: plotting.plot_horizons({"a": np.ones((2, 24))}, levels={"floor": np.ones(24)}),
    ],
)
def test_text_follows_the_page_and_no_black_is_left(fig):
    svg = plotting.to_svg(fig(), alt="A test")
    assert "currentColor" in svg and "#000000" not in svg
