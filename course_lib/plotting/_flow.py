"""Figures of chapter 06: how much of a gradient arrives, and scores of several seeds.

Letters: T values on the horizontal axis, S seeds.
"""

import numpy as np

from course_lib.plotting._frame import (
    DASHES,
    INK,
    MARKERS,
    PALETTE,
    WIDTH,
    figure,
    grid,
    legend,
    log_axis,
    styled,
)


@styled
def plot_flow(
    lag,
    flows,
    *,
    low=1e-12,
    levels=None,
    xlabel="steps back in time",
    ylabel="norm of the Jacobian",
    height=3.2,
):
    """Draw how a gradient shrinks or grows on its way back, on a logarithmic axis.

    Parameters
    ----------
    lag : ndarray of shape (T,)
        Steps back from the end.
    flows : dict of str to ndarray of shape (S, T)
        Positive numbers, one row a seed, by name of the network; the median is drawn as a line
        and the range over the seeds as a band.
    low : float, default=1e-12
        Lower end of the vertical axis; smaller numbers leave the picture.
    levels : dict of str to float, default=None
        Named horizontal lines.
    xlabel : str, default="steps back in time"
        Name of the horizontal axis.
    ylabel : str, default="norm of the Jacobian"
        Name of the vertical axis.
    height : float, default=3.2
        Inches.

    Returns
    -------
    fig : matplotlib.figure.Figure
        The figure, for `show`.
    """
    fig, ax = figure(WIDTH, height)
    top = 1.0
    for k, (name, values) in enumerate(flows.items()):
        values = np.atleast_2d(np.asarray(values, dtype=float))
        values = np.where(values >= low, values, np.nan)
        seen = np.isfinite(values).all(axis=0)  # where no seed has left the picture
        middle = np.where(seen, np.median(values, axis=0), np.nan)
        top = max(top, np.nanmax(values))
        colour, dash = PALETTE[k % 4], DASHES[k % 4]
        if len(values) > 1:
            edges = values[:, seen].min(axis=0), values[:, seen].max(axis=0)
            ax.fill_between(np.asarray(lag)[seen], *edges, color=colour, alpha=0.2, linewidth=0)
        ax.plot(
            lag,
            middle,
            color=colour,
            linestyle=dash,
            marker=MARKERS[k % 4],
            markevery=max(1, len(lag) // 8),
            label=name,
        )
    for k, (name, level) in enumerate((levels or {}).items()):
        ax.axhline(level, color=INK, linewidth=1.2, linestyle=DASHES[(2, 3, 1)[k % 3]], label=name)
    log_axis(ax, "y")
    ax.set(xlabel=xlabel, ylabel=ylabel, ylim=(low, 3 * top))
    legend(ax)
    grid(ax)
    return fig


@styled
def plot_seeds(
    x, scores, *, chance=None, ceiling=None, xlabel="lag, steps", ylabel="accuracy", height=3.1
):
    """Draw scores of several seeds as points, their mean as a line, chance and ceiling as lines.

    Parameters
    ----------
    x : ndarray of shape (T,)
        Values on the horizontal axis.
    scores : dict of str to ndarray of shape (S, T)
        Scores by name of the model, one row a seed.
    chance : float, default=None
        Score of a guess that ignores the input.
    ceiling : float, default=None
        Best possible score.
    xlabel : str, default="lag, steps"
        Name of the horizontal axis.
    ylabel : str, default="accuracy"
        Name of the vertical axis.
    height : float, default=3.1
        Inches.

    Returns
    -------
    fig : matplotlib.figure.Figure
        The figure, for `show`.
    """
    x = np.asarray(x, dtype=float)
    fig, ax = figure(WIDTH, height)
    apart = 0.012 * (x.max() - x.min())  # points of two models at one place stay visible
    for k, (name, values) in enumerate(scores.items()):
        values, colour = np.atleast_2d(np.asarray(values, dtype=float)), PALETTE[k % 4]
        ax.plot(x, values.mean(axis=0), color=colour, linestyle=DASHES[k % 4], label=name)
        for row in values:
            aside = x + apart * (k - (len(scores) - 1) / 2)
            ax.plot(aside, row, linestyle="none", marker=MARKERS[k % 4], color=colour, alpha=0.75)
    for level, name, dash in ((ceiling, "ceiling", 3), (chance, "chance", 2)):
        if level is not None:
            label = f"{name}: {level:.3g}"
            ax.axhline(level, color=INK, linewidth=1.2, linestyle=DASHES[dash], label=label)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    legend(ax)
    grid(ax)
    return fig
