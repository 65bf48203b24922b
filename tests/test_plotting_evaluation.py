"""Figures of scores and calibration draw their data and refuse what they cannot draw."""

import numpy as np
import pytest
from matplotlib.colors import to_hex

from course_lib import plotting
from course_lib.evaluation import Bins

BINS = Bins(np.array([0.1, 0.4]), np.array([0.15, 0.35]), np.array([100, 25]))


def lines_with(ax, marker):
    return [line for line in ax.lines if line.get_marker() == marker]


def test_every_seed_is_a_mark_inside_its_interval():
    rows = {"bag": (0.8, 0.78, 0.83), "net": np.array([[0.9, 0.88, 0.91], [0.89, 0.87, 0.9]])}
    (ax,) = plotting.plot_scores(rows, ceiling=("best", 0.92, 0.91, 0.93)).axes
    marks = lines_with(ax, "o")
    np.testing.assert_allclose(marks[1].get_xdata(), [0.9, 0.89])
    np.testing.assert_allclose(marks[1].get_ydata(), [0.9, 1.1])
    np.testing.assert_allclose(ax.collections[1].get_segments()[0][:, 0], [0.88, 0.91])
    assert [label.get_text() for label in ax.get_yticklabels()] == ["bag", "net"]
    assert ax.lines[-1].get_xdata()[0] == 0.92 and to_hex(ax.lines[-1].get_color()) == "#de5f27"


def test_score_outside_its_interval_is_refused():
    with pytest.raises(ValueError, match="in its interval"):
        plotting.plot_scores({"bag": (0.8, 0.81, 0.83)})


def test_calibration_draws_observed_against_predicted():
    (ax,) = plotting.plot_calibration({"GRU": BINS}).axes
    np.testing.assert_allclose(ax.lines[0].get_xdata(), [0, 0.4])
    np.testing.assert_allclose(ax.lines[0].get_ydata(), [0, 0.4])
    np.testing.assert_allclose(lines_with(ax, "o")[0].get_ydata(), BINS.observed)
    low, high = ax.collections[0].get_segments()[1][:, 1]
    assert (high - low) / 4 == pytest.approx(np.sqrt(0.35 * 0.65 / 25))


def test_five_models_are_refused():
    with pytest.raises(ValueError, match="at most 4"):
        plotting.plot_calibration(dict.fromkeys("abcde", BINS))


@pytest.mark.parametrize("name", ["scores", "calibration"])
def test_figures_become_svg_with_a_text(name):
    fig = {
        "scores": lambda: plotting.plot_scores({"bag": (0.8, 0.7, 0.9)}),
        "calibration": lambda: plotting.plot_calibration({"GRU": BINS}),
    }[name]()
    assert 'aria-label="what it shows"' in plotting.to_svg(fig, "what it shows")
