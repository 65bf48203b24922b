"""Figures of chapters 01 to 03: tables, states, beliefs, accuracy, EM.

Letters: T time, K states or rows, V symbols or columns.
"""

import numpy as np
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from course_lib.plotting._frame import (
    CELL_INKS,
    DASHES,
    INK,
    MARKERS,
    PALETTE,
    TABLE_COLOURS,
    WIDTH,
    contrast,
    figure,
    grid,
    legend,
    styled,
)


@styled
def plot_table(table, rows, columns=None, *, xlabel="to", ylabel="from", decimals=2, height=None):
    """Draw a table of probabilities or counts as a heat map with its numbers.

    Parameters
    ----------
    table : ndarray of shape (K, V)
        Numbers, not negative; the darkest cell is the largest.
    rows : list of str
        Names of the rows, top to bottom.
    columns : list of str, default=None
        Names of the columns; those of the rows if not given.
    xlabel : str, default="to"
        What the columns are.
    ylabel : str, default="from"
        What the rows are.
    decimals : int, default=2
        Digits behind the point.
    height : float, default=None
        Inches; grows with the number of rows if not given.

    Returns
    -------
    fig : matplotlib.figure.Figure
        The figure, for `show`.
    """
    table = np.asarray(table, dtype=float)
    columns = rows if columns is None else columns
    # A column is about 3.8 inches / V wide, a letter 0.09; names that would meet are slanted.
    slanted = max(map(len, columns)) * 0.09 > 3.8 / len(columns)
    fig, ax = figure(WIDTH, height or 1.1 + 0.42 * len(rows) + (0.4 if slanted else 0.0))
    top = table.max() if table.max() > 0 else 1.0
    for i, j in np.ndindex(*table.shape):
        colour = TABLE_COLOURS(table[i, j] / top)
        ink = max(CELL_INKS, key=lambda c, cell=colour: contrast(c, cell[:3]))
        ax.add_patch(Rectangle((j, i), 0.97, 0.95, facecolor=colour, linewidth=0))
        text = f"{table[i, j]:.{decimals}f}"
        ax.text(j + 0.485, i + 0.475, text, color=ink, ha="center", va="center")
    ax.set(xlim=(0, table.shape[1]), ylim=(table.shape[0], 0), xlabel=xlabel, ylabel=ylabel)
    slant = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"} if slanted else {}
    ax.set_xticks(np.arange(len(columns)) + 0.485, columns, **slant)
    ax.set_yticks(np.arange(len(rows)) + 0.475, rows)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return fig


@styled
def plot_states(z, states, y=None, *, symbols=None, xlabel="time step", ylabel="observation"):
    """Draw hidden states as bars in rows of their own, and the observations above them.

    Parameters
    ----------
    z : ndarray of shape (T,)
        States from 0 to K - 1.
    states : list of str
        Names of the states.
    y : ndarray of shape (T,), default=None
        Observations: numbers, or symbols if ``symbols`` names them.
    symbols : list of str, default=None
        Names of the symbols.
    xlabel : str, default="time step"
        What the horizontal axis is.
    ylabel : str, default="observation"
        What is observed.

    Returns
    -------
    fig : matplotlib.figure.Figure
        The figure, for `show`.
    """
    z = np.asarray(z)
    if y is None:
        fig, bars = figure(WIDTH, 0.8 + 0.3 * len(states))
    else:
        ratios = (3, 0.7 * len(states))
        fig, (top, bars) = figure(
            WIDTH, 2.2 + 0.35 * len(states), rows=2, sharex=True, height_ratios=ratios
        )
        top.plot(np.arange(len(y)), y, linestyle="none", marker="o", markersize=4, color=PALETTE[0])
        top.set_ylabel(ylabel)
        if symbols is not None:
            top.set_yticks(np.arange(len(symbols)), symbols)
        grid(top)
    _state_bars(bars, z, states)
    bars.set_xlabel(xlabel)
    return fig


@styled
def plot_beliefs(traces, *, truth=None, path=None, ylabel="belief", xlabel="time step"):
    """Draw the belief in one state over time, from several algorithms, against the truth.

    Parameters
    ----------
    traces : dict of str to ndarray of shape (T,)
        Probabilities of that state, by name of the algorithm ("filter", "smoother").
    truth : ndarray of shape (T,), default=None
        1 where the state was really there, else 0; drawn as a bar below.
    path : ndarray of shape (T,), default=None
        The same for the most probable path (Viterbi); a second bar.
    ylabel : str, default="belief"
        Which probability this is.
    xlabel : str, default="time step"
        What the horizontal axis is.

    Returns
    -------
    fig : matplotlib.figure.Figure
        The figure, for `show`.
    """
    bars = {"truth": truth, "Viterbi": path}
    bars = {name: np.asarray(value) for name, value in bars.items() if value is not None}
    fig, axes = figure(
        WIDTH, 2.6 + 0.3 * len(bars), rows=2, sharex=True, height_ratios=(4, 0.1 + 0.55 * len(bars))
    )
    for k, (name, values) in enumerate(traces.items()):
        axes[0].plot(values, color=PALETTE[k % 4], linestyle=DASHES[k % 4], label=name)
    axes[0].set(ylim=(-0.03, 1.03), ylabel=ylabel)
    legend(axes[0])
    grid(axes[0])
    for row, (name, value) in enumerate(bars.items()):
        colour, hatch = (INK, "") if name == "truth" else (PALETTE[2], "////")
        _runs(axes[1], value == 1, row, colour, hatch)
    axes[1].set(ylim=(len(bars) - 0.5, -0.5), xlabel=xlabel)
    axes[1].set_yticks(range(len(bars)), list(bars))
    axes[1].tick_params(axis="y", length=0)
    axes[1].spines["left"].set_visible(False)
    return fig


@styled
def plot_accuracy(accuracy, *, interval=None, ceilings=None, xlabel="right guesses, %", start=0):
    """Draw accuracies as bars with their numbers, and ceilings as lines.

    Parameters
    ----------
    accuracy : dict of str to float
        Share of right guesses, from 0 to 1, by name; drawn from top to bottom.
    interval : dict of str to (float, float), default=None
        Lower and upper end of the interval of each, from 0 to 1.
    ceilings : dict of str to float, default=None
        Best possible shares, drawn as named lines.
    xlabel : str, default="right guesses, %"
        Name of the horizontal axis.
    start : float, default=0
        Left end of the axis in percent.

    Returns
    -------
    fig : matplotlib.figure.Figure
        The figure, for `show`.
    """
    names, ceilings = list(accuracy), ceilings or {}
    fig, ax = figure(WIDTH, 0.9 + 0.36 * len(names) + 0.22 * len(ceilings))
    for row, name in enumerate(names):
        share = 100 * accuracy[name]
        ax.barh(row, share - start, left=start, height=0.62, color=PALETTE[0])
        right = share
        if interval is not None and name in interval:
            low, right = 100 * interval[name][0], 100 * interval[name][1]
            ax.plot([low, right], [row, row], color=INK, linewidth=1.6, marker="|", markersize=8)
        if share - start > 0.2 * (100 - start):
            ax.text(
                start + 0.015 * (100 - start), row, f"{share:.1f}", color="#ffffff", va="center"
            )
        else:
            ax.text(max(share, right) + 0.015 * (100 - start), row, f"{share:.1f}", va="center")
    for k, (name, share) in enumerate(ceilings.items()):
        ax.axvline(
            100 * share,
            color=PALETTE[1 + k % 3],
            linestyle=DASHES[1 + k % 3],
            label=f"{name}: {100 * share:.1f}",
        )
    if ceilings:
        legend(ax, ncols=1)
    ax.set(xlim=(start, 100), ylim=(len(names) - 0.5, -0.5), xlabel=xlabel)
    ax.set_yticks(range(len(names)), names)
    ax.xaxis.set_major_locator(MaxNLocator(6))
    ax.tick_params(axis="y", length=0)
    return fig


@styled
def plot_em(histories, *, best=None, ylabel="log evidence, nats", xlabel="EM step"):
    """Draw the log evidence after every step of EM, one curve a start; the best one stands out.

    Parameters
    ----------
    histories : list of ndarray of shape (T,)
        Log evidence before each step and at the end, in nats.
    best : int, default=None
        Number of the curve to stress; the one that ends highest if not given.
    ylabel : str, default="log evidence, nats"
        Name of the vertical axis.
    xlabel : str, default="EM step"
        Name of the horizontal axis.

    Returns
    -------
    fig : matplotlib.figure.Figure
        The figure, for `show`.
    """
    best = int(np.argmax([h[-1] for h in histories])) if best is None else best
    fig, ax = figure(WIDTH, 3.0)
    others = "other starts"
    for k, history in enumerate(histories):
        if k == best:
            continue
        ax.plot(history, color=PALETTE[1], linestyle=DASHES[1], linewidth=1.1, label=others)
        ax.plot(len(history) - 1, history[-1], marker="s", markersize=4, color=PALETTE[1])
        others = None
    ax.plot(histories[best], color=PALETTE[0], linewidth=2.4, label="best start")
    ax.plot(len(histories[best]) - 1, histories[best][-1], marker="o", color=PALETTE[0])
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    legend(ax)
    grid(ax)
    return fig


@styled
def plot_mixture(x, densities, *, discrete=False, names=None, xlabel="observation", bins=None):
    """Draw a histogram of the observations and the density of each state on top of it.

    Parameters
    ----------
    x : ndarray of shape (T,)
        Observations: counts or real numbers.
    densities : list of callable
        One function a state: its share times its probability (or density) at an array of values.
    discrete : bool, default=False
        True for counts: bars at whole numbers, densities as points joined by lines.
    names : list of str, default=None
        Names of the states.
    xlabel : str, default="observation"
        What is observed.
    bins : int, default=None
        Number of bars for real numbers.

    Returns
    -------
    fig : matplotlib.figure.Figure
        The figure, for `show`.
    """
    x = np.asarray(x)
    names = names or [f"state {k}" for k in range(len(densities))]
    fig, ax = figure(WIDTH, 3.0)
    if discrete:
        grid = np.arange(max(0, x.min() - 2), x.max() + 3)
        share = np.array([(x == value).mean() for value in grid])
        ax.bar(grid, share, width=0.9, color=INK, alpha=0.25, label="data")
    else:
        margin = 0.05 * (x.max() - x.min())
        grid = np.linspace(x.min() - margin, x.max() + margin, 200)
        ax.hist(x, bins=bins or 30, density=True, color=INK, alpha=0.25, label="data")
    total = np.zeros(len(grid))
    for k, (density, name) in enumerate(zip(densities, names, strict=True)):
        values = density(grid)
        total += values
        marker = MARKERS[k % 4] if discrete else None
        ax.plot(
            grid,
            values,
            color=PALETTE[k % 4],
            linestyle=DASHES[k % 4],
            marker=marker,
            markersize=3.5,
            markevery=2,
            label=name,
        )
    if len(densities) > 1:
        ax.plot(grid, total, color=INK, linewidth=1.2, label="all together")
    ax.set(xlabel=xlabel, ylabel="share of the data" if discrete else "density")
    legend(ax)
    return fig


@styled
def plot_series(time, values, *, path=None, means=None, states=None, xlabel="year", ylabel="count"):
    """Draw a series and, on top of it, the mean of the state it is taken to be in.

    Parameters
    ----------
    time : ndarray of shape (T,)
        Years, days or steps.
    values : ndarray of shape (T,)
        The series.
    path : ndarray of shape (T,), default=None
        State at each time, from 0 to K - 1.
    means : ndarray of shape (K,), default=None
        Mean of each state.
    states : list of str, default=None
        Names of the states.
    xlabel : str, default="year"
        What the horizontal axis is.
    ylabel : str, default="count"
        What the series is.

    Returns
    -------
    fig : matplotlib.figure.Figure
        The figure, for `show`.
    """
    fig, ax = figure(WIDTH, 3.0)
    ax.plot(time, values, color=INK, linewidth=0.9, marker="o", markersize=2.8, alpha=0.75)
    if path is not None:
        time, path, means = np.asarray(time), np.asarray(path), np.asarray(means)
        half = 0.5 * (time[1] - time[0]) if len(time) > 1 else 0.5
        names = states or [f"state {k}" for k in range(len(means))]
        for k, name in enumerate(names):
            runs = _edges(path == k)
            if len(runs):
                start, end = time[runs[:, 0]] - half, time[runs[:, 1] - 1] + half
                label = f"{name}: mean {means[k]:.1f}"
                ax.hlines(
                    np.full(len(runs), means[k]), start, end, PALETTE[k % 4], lw=4, label=label
                )
        legend(ax, ncols=1 if len(names) > 3 else 2)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    grid(ax)
    return fig


def _runs(ax, on, row, colour, hatch):
    """Bars in one row wherever ``on`` is true."""
    spans = [(a - 0.5, b - a) for a, b in _edges(on)]
    if hatch:
        ax.broken_barh(spans, (row - 0.32, 0.64), facecolor="none", edgecolor=colour, hatch=hatch)
    else:
        ax.broken_barh(spans, (row - 0.32, 0.64), facecolor=colour, linewidth=0)


def _edges(on):
    """First step of each run of true values, and the step after its last; shape (runs, 2)."""
    steps = np.diff(np.concatenate([[0], np.asarray(on, dtype=int), [0]]))
    return np.flatnonzero(steps).reshape(-1, 2)


def _state_bars(ax, z, states):
    for k in range(len(states)):
        _runs(ax, z == k, k, PALETTE[k % 4], "")
    ax.set(ylim=(len(states) - 0.5, -0.5), xlim=(-1, len(z)))
    ax.set_yticks(range(len(states)), states)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
