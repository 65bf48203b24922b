"""Figures of chapter 11: scores with intervals beside a ceiling, and calibration.

Letters: S scores of one model.
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
def plot_scores(rows, *, ceiling=None, xlabel="AUC"):
    """Draw scores with their intervals, one row a model, beside the interval of the best possible.

    Parameters
    ----------
    rows : dict of str to ndarray of shape (S, 3)
        Score and the two ends of its interval by name of the model, one line a seed; drawn from
        top to bottom.
    ceiling : tuple of (str, float, float, float), default=None
        Name, value and interval of the best possible score; drawn as a line with a band.
    xlabel : str, default="AUC"
        Name of the horizontal axis.

    Returns
    -------
    fig : matplotlib.figure.Figure
        The figure, for `show`.

    Raises
    ------
    ValueError
        If a score lies outside its interval.
    """
    fig, ax = figure(WIDTH, 1.2 + 0.38 * len(rows))
    for row, (name, scores) in enumerate(rows.items()):
        scores = check_finite(name, check_shape(name, np.atleast_2d(scores), (None, 3)))
        value, low, high = scores.T
        if ((value < low) | (value > high)).any():
            raise ValueError(f"a score must lie in its interval (value, low, high), see {name!r}")
        place = row + 0.2 * (np.arange(len(value)) - (len(value) - 1) / 2)
        ax.hlines(place, low, high, color=PALETTE[0], linewidth=1.6)
        ax.plot(value, place, linestyle="none", marker=MARKERS[0], color=PALETTE[0])
    if ceiling is not None:
        name, value, low, high = ceiling
        ax.axvspan(low, high, color=PALETTE[1], alpha=0.18, linewidth=0)
        ax.axvline(value, color=PALETTE[1], linewidth=1.4, linestyle=DASHES[1], label=name)
        legend(ax, ncols=1)
    ax.set(xlabel=xlabel, ylim=(len(rows) - 0.4, -0.6))
    ax.set_yticks(range(len(rows)), list(rows))
    ax.tick_params(axis="y", length=0)
    grid(ax)
    return fig


@styled
def plot_calibration(models, *, height=3.6):
    """Draw the observed share of ones against the predicted one; right predictions lie on the line.

    Parameters
    ----------
    models : dict of str to Bins
        Bins of each model by name, at most four; bars are two standard errors of the share.
    height : float, default=3.6
        Inches.

    Returns
    -------
    fig : matplotlib.figure.Figure
        The figure, for `show`.

    Raises
    ------
    ValueError
        If there are more models than colours.
    """
    if len(models) > len(PALETTE):
        raise ValueError(f"at most {len(PALETTE)} models can be told apart, got {len(models)}")
    fig, ax = figure(WIDTH, height)
    top = max(max(b.predicted.max(), b.observed.max()) for b in models.values())
    ax.plot([0, top], [0, top], color=INK, linewidth=1.2, linestyle=DASHES[2], label="right")
    for k, (name, bins) in enumerate(models.items()):
        error = 2 * np.sqrt(bins.observed * (1 - bins.observed) / bins.count)
        style = {"color": PALETTE[k], "marker": MARKERS[k], "linestyle": DASHES[k], "capsize": 3}
        ax.errorbar(bins.predicted, bins.observed, error, label=name, **style)
    ax.set(xlabel="predicted share of buyers", ylabel="observed share")
    legend(ax)
    grid(ax)
    return fig
