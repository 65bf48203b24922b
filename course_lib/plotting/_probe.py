"""Figures of chapter 09: what probes leave unexplained, and losses above the entropy rate.

Letters: S seeds, T points along the axis.
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
    log_axis,
    styled,
)


@styled
def plot_probe(rows, *, levels=None, xlabel="unexplained share of the belief, 1 - R²"):
    """Draw what each probe leaves unexplained, one mark a seed, on a logarithmic axis.

    An R² of 0.97 and one of 0.998 look alike; shares of 0.03 and 0.002 do not.

    Parameters
    ----------
    rows : dict of str to ndarray of shape (S,)
        Shares of the variance that is not explained, positive, by name; drawn from top to bottom.
    levels : dict of str to float, default=None
        Named shares to compare with, drawn as vertical lines.
    xlabel : str, default="unexplained share of the belief, 1 - R²"
        Name of the horizontal axis.

    Returns
    -------
    fig : matplotlib.figure.Figure
        The figure, for `show`.

    Raises
    ------
    ValueError
        If a share is not positive: a logarithmic axis has no zero.
    """
    levels = levels or {}
    fig, ax = figure(WIDTH, 0.9 + 0.36 * len(rows) + 0.22 * len(levels))
    for row, (name, shares) in enumerate(rows.items()):
        shares = check_finite(name, check_shape(name, np.atleast_1d(shares), (None,)))
        if not (shares > 0).all():
            raise ValueError(f"shares must be positive, got {shares.min()} in {name!r}")
        aside = 0.14 * (np.arange(len(shares)) - (len(shares) - 1) / 2)  # equal seeds stay visible
        ax.plot(shares, row + aside, linestyle="none", marker=MARKERS[0], color=PALETTE[0])
    for k, (name, share) in enumerate(levels.items()):
        ax.axvline(share, color=INK, linewidth=1.2, linestyle=DASHES[1 + k % 3], label=name)
    log_axis(ax, "x")
    if levels:
        legend(ax, ncols=1)
    ax.set(xlabel=xlabel, ylim=(len(rows) - 0.4, -0.6))
    ax.set_yticks(range(len(rows)), list(rows))
    ax.tick_params(axis="y", length=0)
    grid(ax)
    return fig


@styled
def plot_losses(
    updates,
    losses,
    floor,
    *,
    levels=None,
    xlabel="updates",
    ylabel="excess loss, nats",
    logx=False,
    height=3.1,
):
    """Draw how far held-out losses stay above the floor that nobody can pass, on a log axis.

    Parameters
    ----------
    updates : ndarray of shape (T,)
        Values on the horizontal axis.
    losses : dict of str to ndarray of shape (S, T)
        Losses by name of the model, one row a seed, in nats; the median is drawn as a line and
        the range over the seeds as a band. Where a seed is not above the floor, by chance of the
        held-out sample, there is a gap.
    floor : float
        The entropy rate in nats; 0 if the losses are excess losses already.
    levels : dict of str to float, default=None
        Named distances from the floor, drawn as horizontal lines.
    xlabel : str, default="updates"
        Name of the horizontal axis.
    ylabel : str, default="excess loss, nats"
        Name of the vertical axis.
    logx : bool, default=False
        Logarithmic horizontal axis; the updates are then positive.
    height : float, default=3.1
        Inches.

    Returns
    -------
    fig : matplotlib.figure.Figure
        The figure, for `show`.

    Raises
    ------
    ValueError
        If a model has another number of points than ``updates``, or an update cannot be drawn.
    """
    updates = check_finite("updates", check_shape("updates", updates, (None,)))
    if logx and not (updates > 0).all():
        raise ValueError(
            f"updates must be positive on a logarithmic axis, got {updates.min():g}; "
            "leave out the untrained model or set logx=False"
        )
    fig, ax = figure(WIDTH, height)
    for k, (name, values) in enumerate(losses.items()):
        values = check_shape(name, np.atleast_2d(values), (None, len(updates))) - floor
        above = (values > 0).all(axis=0)
        middle = np.where(above, np.median(values, axis=0), np.nan)
        colour = PALETTE[k % 4]
        if len(values) > 1:
            low, high = values.min(axis=0), values.max(axis=0)
            ax.fill_between(updates, low, high, where=above, color=colour, alpha=0.2, linewidth=0)
        ax.plot(
            updates,
            middle,
            color=colour,
            linestyle=DASHES[k % 4],
            marker=MARKERS[k % 4],
            markevery=max(1, len(updates) // 8),
            label=name,
        )
    for k, (name, level) in enumerate((levels or {}).items()):
        ax.axhline(level, color=INK, linewidth=1.2, linestyle=DASHES[(2, 3, 1)[k % 3]], label=name)
    log_axis(ax, "y")
    if logx:
        log_axis(ax, "x")
    ax.set(xlabel=xlabel, ylabel=ylabel)
    legend(ax)
    grid(ax)
    return fig
