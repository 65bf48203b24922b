"""Figure of chapter 15: several maps of who looks where, side by side.

Letters: T rows (queries, target words), S columns (keys, source words).
"""

import numpy as np
from matplotlib.patches import Rectangle

from course_lib._checks import check_finite, check_shape
from course_lib.plotting._frame import INK, TABLE_COLOURS, WIDTH, figure, styled

MOST = 4  # maps side by side would be too small to read otherwise


@styled
def plot_alignments(maps, columns, rows=None, *, truth=None, xlabel="", ylabel="", scale=None):
    """Draw maps of weights in panels, two beside each other; dark is a large weight.

    Parameters
    ----------
    maps : dict of str to ndarray of shape (T, S)
        Weights from 0 to 1 by name, at most four; a row is one query.
    columns : list of str
        Names of the S keys.
    rows : list of str, default=None
        Names of the T queries, top to bottom; their numbers if not given.
    truth : ndarray of shape (T,), default=None
        The right key of each query, from 0; its cell is framed in every map.
    xlabel : str, default=""
        What the columns are.
    ylabel : str, default=""
        What the rows are.
    scale : float, default=None
        The weight of the darkest shade; the largest of all maps if not given.

    Returns
    -------
    fig : matplotlib.figure.Figure
        The figure, for `show`.

    Raises
    ------
    ValueError
        If there is no map or too many, or their shapes do not fit the names.
    """
    if not 1 <= len(maps) <= MOST:
        raise ValueError(f"maps must hold from 1 to {MOST} maps, got {len(maps)}")
    S, first = len(columns), next(iter(maps.values()))
    rows = [str(t + 1) for t in range(len(first))] if rows is None else rows
    tables = {n: check_finite(n, check_shape(n, m, (len(rows), S))) for n, m in maps.items()}
    scale = scale or max(table.max() for table in tables.values()) or 1.0
    across = min(2, len(maps))
    down = -(-len(maps) // 2)
    letters = 0.09 * max(map(len, columns))
    # Square cells: a panel is about 2 inches wide beside another, 4 alone.
    height = down * (0.25 + len(rows) * (2.0 if across == 2 else 3.6) / S) + letters + 0.35
    fig, axes = figure(WIDTH, height, down, ncols=across, squeeze=False, sharex=True, sharey=True)
    for ax in axes.flat[len(maps) :]:
        ax.set_visible(False)
    for ax, (name, table) in zip(axes.flat, tables.items(), strict=False):
        for t, s in np.ndindex(*table.shape):
            share = min(table[t, s] / scale, 1.0)
            ax.add_patch(Rectangle((s, t), 0.95, 0.93, facecolor=TABLE_COLOURS(share), linewidth=0))
        for t in range(len(rows) if truth is not None else 0):
            frame = Rectangle((truth[t], t), 0.95, 0.93, fill=False, edgecolor=INK, linewidth=1.6)
            ax.add_patch(frame)
        ax.set_title(name)
        ax.set(xlim=(0, S), ylim=(len(rows), 0))
        ax.set_xticks(np.arange(S) + 0.48, columns, rotation=60, ha="right", rotation_mode="anchor")
        ax.set_yticks(np.arange(len(rows)) + 0.47, rows)
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
    axes[-1, 0].set_xlabel(xlabel)
    for ax in axes[:, 0]:
        ax.set_ylabel(ylabel)
    return fig
