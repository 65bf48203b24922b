"""Curves: any number of them over one axis, with bands and floors; growth and underflow.

Letters: T points along the axis, V symbols.
"""

import numpy as np
from matplotlib.ticker import MaxNLocator

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
def plot_curves(
    x,
    curves,
    *,
    bands=None,
    floors=None,
    xlabel="",
    ylabel="",
    logx=False,
    logy=False,
    integer=False,
    height=3.0,
):
    """Draw several measured curves against one axis, with named floors or ceilings as lines.

    For cross-entropy against the order of an n-gram, accuracy against length, error against the
    amount of data, beliefs that settle, and the like.

    Parameters
    ----------
    x : ndarray of shape (T,)
        Values on the horizontal axis.
    curves : dict of str to ndarray of shape (T,)
        Values of each curve by name; NaN and infinity leave a gap.
    bands : dict of str to ndarray of shape (T, 2), default=None
        Intervals as middle and half width, by name of the curve; drawn as bars with caps.
    floors : dict of str to float, default=None
        Levels that no model can pass, by name.
    xlabel : str, default=""
        Name of the horizontal axis, with its unit.
    ylabel : str, default=""
        Name of the vertical axis, with its unit.
    logx : bool, default=False
        Logarithmic horizontal axis.
    logy : bool, default=False
        Logarithmic vertical axis.
    integer : bool, default=False
        Whole numbers only on the horizontal axis.
    height : float, default=3.0
        Inches.

    Returns
    -------
    fig : matplotlib.figure.Figure
        The figure, for `show`.
    """
    fig, ax = figure(WIDTH, height)
    few = len(x) <= 25
    for k, (name, values) in enumerate(curves.items()):
        values = np.where(np.isfinite(np.asarray(values, dtype=float)), values, np.nan)
        ax.plot(
            x,
            values,
            color=PALETTE[k % 4],
            linestyle=DASHES[k % 4],
            marker=MARKERS[k % 4] if few else None,
            label=name,
        )
        if bands is not None and name in bands:
            middle, half = np.asarray(bands[name], dtype=float).T
            ax.errorbar(x, middle, half, fmt="none", ecolor=PALETTE[k % 4], capsize=4)
    for k, (name, level) in enumerate((floors or {}).items()):
        ax.axhline(level, color=INK, linewidth=1.2, linestyle=DASHES[(2, 3, 1)[k % 3]], label=name)
    for axis, logarithmic in (("x", logx), ("y", logy)):
        if logarithmic:
            log_axis(ax, axis)
    if integer:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if len(curves) + len(floors or {}) > 1:
        legend(ax)
    grid(ax)
    return fig


@styled
def plot_table_growth(n, sizes, *, lines=None):
    """Draw how the number of entries of an n-gram table grows, V to the power n.

    Parameters
    ----------
    n : ndarray of shape (T,)
        Lengths of the n-gram.
    sizes : dict of str to int
        Number of symbols V of each alphabet, by name.
    lines : dict of str to float, default=None
        Numbers to compare with, by name: days of data, entries that fit in memory.

    Returns
    -------
    fig : matplotlib.figure.Figure
        The figure, for `show`.
    """
    n = np.asarray(n)
    curves = {f"{name}, V = {V}": float(V) ** n for name, V in sizes.items()}
    return plot_curves(
        n, curves, floors=lines, xlabel="n", ylabel="entries in the table", logy=True, integer=True
    )


@styled
def plot_underflow(probability, log_probability):
    """Draw a product of probabilities that runs into 0, and its logarithm that does not.

    Parameters
    ----------
    probability : ndarray of shape (T,)
        The product after each step, in float64.
    log_probability : ndarray of shape (T,)
        The sum of logs after each step, in nats.

    Returns
    -------
    fig : matplotlib.figure.Figure
        The figure, for `show`.
    """
    probability, log_probability = np.asarray(probability), np.asarray(log_probability)
    fig, (top, bottom) = figure(WIDTH, 3.8, rows=2, sharex=True)
    alive = np.flatnonzero(probability > 0)
    top.plot(alive, probability[alive], color=PALETTE[1])
    log_axis(top, "y")
    top.set(ylabel="product", yticks=10.0 ** np.arange(-300, 1, 100))
    if len(alive) < len(probability):
        first = len(alive)
        top.axvline(first, color=INK, linestyle=DASHES[1], linewidth=1.2)
        text, left = f"exactly 0.0\nfrom step {first} on", first > 0.55 * len(probability)
        top.annotate(
            text,
            (first, 0.94),
            xytext=(-6 if left else 6, 0),
            ha="right" if left else "left",
            va="top",
            textcoords="offset points",
            xycoords=("data", "axes fraction"),
        )
    bottom.plot(log_probability, color=PALETTE[0])
    bottom.set(xlabel="number of observations", ylabel="sum of logs, nats")
    grid(top)
    grid(bottom)
    return fig
