"""Figures of chapter 12: a forecast with its band, and errors by horizon.

Letters: L hours seen, P horizons, S seeds.
"""

import numpy as np

from course_lib._checks import check_finite, check_shape
from course_lib.plotting._frame import (
    DASHES,
    INK,
    MARKERS,
    PALETTE,
    WIDTH,
    figure,
    grid,
    legend,
    styled,
)


@styled
def plot_forecast(seen, actual, forecasts, *, band=None, ylabel="demand, GW"):
    """Draw the hours seen, what came, what was forecast and a band.

    Parameters
    ----------
    seen : ndarray of shape (L,)
        Values up to the moment of the forecast.
    actual : ndarray of shape (P,)
        What came.
    forecasts : dict of str to ndarray of shape (P,)
        Forecasts by name, at most three.
    band : tuple of (str, ndarray of shape (P,), ndarray of shape (P,)), optional
        Name, lower and upper end of an interval.
    ylabel : str, default="demand, GW"
        Name of the vertical axis.

    Returns
    -------
    fig : matplotlib.figure.Figure
        The figure, for `show`.

    Raises
    ------
    ValueError
        If a shape does not fit, or there are more forecasts than colours.
    """
    seen = check_finite("seen", check_shape("seen", seen, (None,)))
    actual = check_finite("actual", check_shape("actual", actual, (None,)))
    if len(forecasts) > 3:
        raise ValueError(f"at most three forecasts can be told apart, got {len(forecasts)}")
    ahead = np.arange(1, len(actual) + 1)
    fig, ax = figure(WIDTH, 3.3)
    ax.plot(np.arange(1 - len(seen), 1), seen, color=INK, label="seen")
    ax.plot(ahead, actual, color=INK, linestyle="none", marker=".", markersize=5, label="came")
    if band is not None:
        name, low, high = band
        ends = [check_finite(name, check_shape(name, end, actual.shape)) for end in (low, high)]
        ax.fill_between(ahead, *ends, color=PALETTE[0], alpha=0.2, linewidth=0, label=name)
    for k, (name, values) in enumerate(forecasts.items()):
        values = check_finite(name, check_shape(name, values, actual.shape))
        ax.plot(ahead, values, color=PALETTE[k], linestyle=DASHES[k], label=name)
    ax.axvline(0.5, color=INK, linewidth=0.8, linestyle=DASHES[2])
    ax.set(xlabel="hours from now", ylabel=ylabel)
    legend(ax)
    grid(ax)
    return fig


@styled
def plot_horizons(errors, *, levels=None, ylabel="mean absolute error, GW", height=3.4):
    """Draw an error, or a coverage, at every horizon: the mean of the seeds and their range.

    Parameters
    ----------
    errors : dict of str to ndarray of shape (P,) or (S, P)
        By name of the model, at most four; one row a seed.
    levels : dict of str to ndarray of shape (P,) or float, optional
        Floors or aims to compare with.
    ylabel : str, default="mean absolute error, GW"
        Name of the vertical axis.
    height : float, default=3.4
        Inches.

    Returns
    -------
    fig : matplotlib.figure.Figure
        The figure, for `show`.

    Raises
    ------
    ValueError
        If models differ in their number of horizons, or there are more of them than colours.
    """
    if not 1 <= len(errors) <= 4:
        raise ValueError(f"one to four models can be told apart, got {len(errors)}")
    P = np.atleast_2d(next(iter(errors.values()))).shape[1]
    ahead = np.arange(1, P + 1)
    fig, ax = figure(WIDTH, height)
    for k, (name, rows) in enumerate(errors.items()):
        rows = check_finite(name, check_shape(name, np.atleast_2d(rows), (None, P)))
        if len(rows) > 1:
            ends = rows.min(axis=0), rows.max(axis=0)
            ax.fill_between(ahead, *ends, color=PALETTE[k], alpha=0.2, linewidth=0)
        ax.plot(
            ahead,
            rows.mean(axis=0),
            color=PALETTE[k],
            linestyle=DASHES[k],
            marker=MARKERS[k],
            markevery=(k, 4),
            label=name,
        )
    for k, (name, level) in enumerate((levels or {}).items()):
        level = np.broadcast_to(check_finite(name, level), (P,))
        ax.plot(
            ahead, level, color=INK, linewidth=1.2, linestyle=DASHES[(2, 3, 1)[k % 3]], label=name
        )
    ax.set(xlabel="hours ahead", ylabel=ylabel, xticks=(1, 6, 12, 18, 24) if P == 24 else ahead)
    legend(ax)
    grid(ax)
    return fig
