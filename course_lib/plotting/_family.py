"""Figures of chapter 04: one belief as several models see it, and scores along the spectrum.

Letters: T time steps, S seeds.
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
def plot_walk(beliefs, exact, *, truth=None, reference="exact filter", xlabel="time step"):
    """Draw one probability over time, a panel a model, each beside the exact one.

    Parameters
    ----------
    beliefs : dict of str to ndarray of shape (T,)
        Probability of the same state from each model, by its name, top to bottom.
    exact : ndarray of shape (T,)
        The exact probability, drawn as a thin line in every panel.
    truth : ndarray of shape (T,), default=None
        1 where the state was really there, else 0; shaded.
    reference : str, default="exact filter"
        Name of the exact one.
    xlabel : str, default="time step"
        What the horizontal axis is.

    Returns
    -------
    fig : matplotlib.figure.Figure
        The figure, for `show`.
    """
    steps = np.arange(len(exact))
    fig, axes = figure(WIDTH, 0.8 + 1.05 * len(beliefs), rows=len(beliefs), sharex=True)
    for k, (ax, (name, values)) in enumerate(
        zip(np.atleast_1d(axes), beliefs.items(), strict=True)
    ):
        if truth is not None:
            inside = np.asarray(truth) == 1
            ax.fill_between(steps, 0, 1, where=inside, step="mid", color=INK, alpha=0.12, lw=0)
        ax.plot(steps, exact, color=INK, linewidth=1.1, linestyle=DASHES[2])
        ax.plot(steps, values, color=PALETTE[k % 4])
        ax.set(ylim=(-0.05, 1.05), yticks=(0, 1))
        ax.set_title(name, loc="left", pad=2)
        grid(ax)
    np.atleast_1d(axes)[-1].set_xlabel(f"{xlabel} (dotted: {reference})")
    return fig


@styled
def plot_spectrum(scores, *, levels=None, xlabel="log loss, nats"):
    """Draw the score of every seed as a point, a row a model, with named lines to compare with.

    Parameters
    ----------
    scores : dict of str to ndarray of shape (S,)
        Scores by name of the model, top to bottom; one number, or one a seed.
    levels : dict of str to float, default=None
        Chance, ceiling and the like, by name; drawn as vertical lines.
    xlabel : str, default="log loss, nats"
        What is scored, with its unit.

    Returns
    -------
    fig : matplotlib.figure.Figure
        The figure, for `show`.
    """
    levels = levels or {}
    fig, ax = figure(WIDTH, 0.9 + 0.34 * len(scores) + 0.22 * len(levels))
    for row, values in enumerate(scores.values()):
        values = np.atleast_1d(np.asarray(values, dtype=float))
        few = len(values) == 1
        ax.plot(
            values,
            np.full(len(values), row),
            linestyle="none",
            marker=MARKERS[1] if few else MARKERS[0],
            color=PALETTE[1] if few else PALETTE[0],
            markersize=7,
            alpha=0.8,
        )
    for k, (name, level) in enumerate(levels.items()):
        dash = DASHES[(1, 2, 3)[k % 3]]
        label = f"{name}: {level:.3f}"
        ax.axvline(level, color=INK, linewidth=1.2, linestyle=dash, label=label)
    every = np.concatenate([np.ravel(v) for v in (*scores.values(), *levels.values())]).astype(
        float
    )
    room = 0.04 * np.ptp(every)
    ax.set(xlim=(every.min() - room, every.max() + room), ylim=(len(scores) - 0.5, -0.5))
    ax.set_xlabel(xlabel)
    ax.set_yticks(range(len(scores)), list(scores))
    ax.tick_params(axis="y", length=0)
    if levels:
        legend(ax, ncols=1)
    grid(ax)
    return fig
