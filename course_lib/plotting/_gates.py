"""Figures of chapter 07: what the gates of one unit do over time, and which lags are solved.

Letters: T time steps, S seeds.
"""

import numpy as np

from course_lib.plotting._frame import (
    DASHES,
    INK,
    PALETTE,
    WIDTH,
    figure,
    grid,
    legend,
    styled,
)


@styled
def plot_gates(lanes, *, xlabel="step", row_height=0.8):
    """Draw gates and states of one unit over time, one lane a quantity, several runs in each lane.

    Parameters
    ----------
    lanes : dict of str to dict of str to ndarray of shape (T,)
        Values by name of the quantity, then by name of the run; every lane has the same runs, at
        most 4.
    xlabel : str, default="step"
        Name of the horizontal axis.
    row_height : float, default=0.8
        Inches for each lane.

    Returns
    -------
    fig : matplotlib.figure.Figure
        The figure, for `show`.
    """
    fig, axes = figure(WIDTH, 0.9 + row_height * len(lanes), rows=len(lanes), sharex=True)
    axes = np.atleast_1d(axes)
    for ax, (name, runs) in zip(axes, lanes.items(), strict=True):
        for k, (run, values) in enumerate(runs.items()):
            ax.plot(values, color=PALETTE[k % 4], linestyle=DASHES[k % 4], label=run)
        values = np.concatenate([np.asarray(v, dtype=float) for v in runs.values()])
        low, high = min(0.0, values.min()), max(0.0, values.max())
        room = 0.08 * (high - low or 1.0)
        ax.axhline(0, color=INK, linewidth=0.8, alpha=0.5)
        ax.set(ylim=(low - room, high + room))
        ax.set_ylabel(name, rotation=0, ha="right", va="center")
        grid(ax)
    axes[-1].set(xlabel=xlabel)
    legend(axes[0])
    return fig
