"""Figures of chapter 05: the map of one unit, its hysteresis, and the plane of two units.

Letters: T steps, G points of a grid or of an axis.
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
    styled,
)


@styled
def plot_unit_maps(h, maps, *, xlabel="h before the step", ylabel="h after the step", height=3.4):
    """Draw the state of one unit after a step against the state before it, and where it rests.

    Where a curve crosses the diagonal the state stays as it is: a filled marker where states near
    by come closer, a hollow one where they move away.

    Parameters
    ----------
    h : ndarray of shape (G,)
        States before the step, increasing.
    maps : dict of str to ndarray of shape (G,)
        States after the step, by name of the unit; at most 4.
    xlabel : str, default="h before the step"
        Name of the horizontal axis.
    ylabel : str, default="h after the step"
        Name of the vertical axis.
    height : float, default=3.4
        Inches.

    Returns
    -------
    fig : matplotlib.figure.Figure
        The figure, for `show`.
    """
    h = np.asarray(h, dtype=float)
    fig, ax = figure(WIDTH, height)
    ax.plot(h, h, color=INK, linewidth=1.2, linestyle=DASHES[2], label="stays as it is")
    for k, (name, after) in enumerate(maps.items()):
        after, colour = np.asarray(after, dtype=float), PALETTE[k % 4]
        ax.plot(h, after, color=colour, linestyle=DASHES[k % 4], label=name)
        for at, stable in crossings(h, after):
            face = colour if stable else "none"
            size = 8 if stable else 12
            ax.plot(
                at,
                at,
                marker=MARKERS[k % 4],
                color=colour,
                markerfacecolor=face,
                markersize=size,
                markeredgewidth=1.8,
            )
    ax.set(xlabel=xlabel, ylabel=ylabel)
    legend(ax)
    grid(ax)
    return fig


def crossings(h, after):
    """Return where a curve crosses the diagonal, and whether it is flatter than the diagonal there.

    Parameters
    ----------
    h : ndarray of shape (G,)
        States before a step, increasing.
    after : ndarray of shape (G,)
        States after it.

    Returns
    -------
    found : list of (float, bool)
        Each crossing, by linear interpolation, and True if the slope there is between -1 and 1.
    """
    gap = np.asarray(after, dtype=float) - h
    found = []
    for i in np.flatnonzero((gap[:-1] > 0) != (gap[1:] > 0)):
        share = gap[i] / (gap[i] - gap[i + 1])
        slope = (after[i + 1] - after[i]) / (h[i + 1] - h[i])
        found.append((float(h[i] + share * (h[i + 1] - h[i])), bool(abs(slope) < 1)))
    return found


@styled
def plot_hysteresis(push, up, down, *, thresholds=(), xlabel="input", ylabel="state", height=3.0):
    """Draw the state of a unit while its input is raised slowly and then lowered again.

    Parameters
    ----------
    push : ndarray of shape (G,)
        Inputs, increasing.
    up : ndarray of shape (G,)
        State at each input on the way up.
    down : ndarray of shape (G,)
        State at each input on the way down.
    thresholds : sequence of float, default=()
        Inputs at which the state is expected to jump.
    xlabel : str, default="input"
        Name of the horizontal axis.
    ylabel : str, default="state"
        Name of the vertical axis.
    height : float, default=3.0
        Inches.

    Returns
    -------
    fig : matplotlib.figure.Figure
        The figure, for `show`.
    """
    fig, ax = figure(WIDTH, height)
    every = max(1, len(push) // 8)
    for k, (name, values) in enumerate({"input rising": up, "input falling": down}.items()):
        ax.plot(
            push,
            values,
            color=PALETTE[k],
            linestyle=DASHES[k],
            marker=(">", "<")[k],
            markevery=(k * every // 2, every),
            label=name,
        )
    for k, level in enumerate(thresholds):
        label = "threshold, by formula" if k == 0 else None
        ax.axvline(level, color=INK, linewidth=1.2, linestyle=DASHES[2], label=label)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    legend(ax)
    grid(ax)
    return fig


@styled
def plot_plane(points, moved, paths, *, resting=None, xlabel="unit 1", ylabel="unit 2", height=4.2):
    """Draw where two units go: an arrow from each point of a grid, and paths of sequences.

    Parameters
    ----------
    points : ndarray of shape (G, 2)
        States before a step.
    moved : ndarray of shape (G, 2)
        States after it.
    paths : dict of str to list of ndarray of shape (T, 2)
        States over time by name of their class; each path ends in its marker. At most 4 classes.
    resting : ndarray of shape (G, 2), default=None
        Points that a step leaves where they are.
    xlabel : str, default="unit 1"
        Name of the horizontal axis.
    ylabel : str, default="unit 2"
        Name of the vertical axis.
    height : float, default=4.2
        Inches.

    Returns
    -------
    fig : matplotlib.figure.Figure
        The figure, for `show`.
    """
    points, move = np.asarray(points), np.asarray(moved) - np.asarray(points)
    fig, ax = figure(WIDTH, height)
    ax.quiver(
        *points.T, *move.T, angles="xy", scale_units="xy", scale=2.5, color=INK, alpha=0.45,
        width=0.004, headwidth=4.5,
    )  # fmt: skip
    for k, (name, tracks) in enumerate(paths.items()):
        for n, track in enumerate(tracks):
            ax.plot(*np.asarray(track).T, color=PALETTE[k], linestyle=DASHES[k], linewidth=1.2)
            ax.plot(
                *np.asarray(track)[-1],
                marker=MARKERS[k],
                color=PALETTE[k],
                linestyle="none",
                label=name if n == 0 else None,
            )
    if resting is not None and len(resting):
        ax.plot(
            *np.asarray(resting).T,
            marker="*",
            markersize=13,
            linestyle="none",
            color=INK,
            markerfacecolor="none",
            label="resting point",
        )
    ax.set(xlabel=xlabel, ylabel=ylabel, aspect="equal")
    legend(ax)
    grid(ax)
    return fig
