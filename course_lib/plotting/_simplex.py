"""Beliefs over three states as points in a triangle: exact ones and those a network holds.

Letters: n beliefs.
"""

import matplotlib
import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.transforms import offset_copy

from course_lib._checks import check_finite, check_shape
from course_lib.plotting._frame import INK, MARKERS, PALETTE, WIDTH, figure, styled

CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(0.75)]])  # left, right, top
SHADES = 6  # steps of colour from corner to corner: few colours make a small image
PIXELS = 160  # per inch, inside the rasterised part


@styled
def plot_simplex(panels, corners, *, colour_by=None, columns=2):
    """Draw beliefs over three states as points in triangles, one triangle a source of beliefs.

    A corner is certainty of one state, the centre is no idea. A point has the same colour in every
    panel, that of its exact belief; so colours that are mixed show beliefs that are mixed up.
    The points are an image inside the figure: ten thousand of them stay small.

    Parameters
    ----------
    panels : dict of str to ndarray of shape (n, 3)
        Beliefs by name of the source. Decoded ones may lie outside the triangle, and are drawn
        where they lie.
    corners : list of str
        Names of the three states: left, right, top.
    colour_by : ndarray of shape (n, 3), default=None
        The exact belief behind each point; the first panel if not given.
    columns : int, default=2
        Triangles in a row; three need short names of states.

    Returns
    -------
    fig : matplotlib.figure.Figure
        The figure, for `show`.

    Raises
    ------
    ValueError
        If there is no panel, a panel has another shape, or there are not three corners.
    """
    if not panels:
        raise ValueError("panels must hold at least one set of beliefs, got none")
    if len(corners) != 3:
        raise ValueError(
            f"corners must name three states, got {len(corners)}: a triangle has three"
        )
    first = next(iter(panels.values()))
    exact = check_shape("colour_by", first if colour_by is None else colour_by, (None, 3))
    colours = simplex_colours(check_finite("colour_by", exact))
    places = {}
    for name, beliefs in panels.items():
        beliefs = check_finite(name, check_shape(name, beliefs, (len(exact), 3)))
        places[name] = beliefs @ CORNERS
    low, high = _frame_of(np.concatenate([CORNERS, *places.values()]))

    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    across, up = high - low
    height = rows * (WIDTH / columns * up / across + 0.85)  # and three lines of text
    with matplotlib.rc_context({"figure.dpi": PIXELS}):
        fig, axes = figure(WIDTH, height, rows, ncols=columns, squeeze=False)
    fig.get_layout_engine().set(wspace=0.08)  # between the names of two corners
    for ax in axes.flat[len(panels) :]:
        ax.remove()
    for ax, (name, xy) in zip(axes.flat, places.items(), strict=False):
        ax.scatter(
            *xy.T, c=colours, s=4, marker="s", linewidths=0, antialiased=False, rasterized=True
        )
        ax.plot(*CORNERS[[0, 1, 2, 0]].T, color=INK, linewidth=1.0)
        _name_corners(ax, corners, low, high)
        ax.set_title(name, pad=33)
        ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), aspect="equal")
        ax.set_axis_off()
    return fig


def simplex_colours(beliefs):
    """Return the colour of each belief, a mixture of one colour a state, as numbers from 0 to 1.

    Parameters
    ----------
    beliefs : ndarray of shape (n, 3)
        Rows sum to 1.

    Returns
    -------
    rgb : ndarray of shape (n, 3)
        Mixed as light mixes, so that the brightness, and with it the contrast on light and dark
        pages, lies between those of the three colours.
    """
    weights = np.round(SHADES * np.clip(beliefs, 0, None))
    weights /= weights.sum(axis=1, keepdims=True)
    pure = np.array([to_rgb(colour) for colour in PALETTE[:3]])
    light = weights @ np.where(pure <= 0.04045, pure / 12.92, ((pure + 0.055) / 1.055) ** 2.4)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def _name_corners(ax, corners, low, high):
    """Name each corner, with its mark and colour, outside the frame: there is no point to cover."""
    below, above = -10, 5  # points of text between the frame and the marks
    places = (
        ((low[0], low[1]), (4, below), (11, below), "left"),
        ((high[0], low[1]), (-4, below), (-11, below), "right"),
        ((0.5, high[1]), (0, above), (0, above + 11), "center"),
    )
    for k, (corner, mark, name, side) in enumerate(places):
        x, y = mark
        shifted = offset_copy(ax.transData, ax.figure, x, y, units="points")
        style = {"marker": MARKERS[k], "color": PALETTE[k], "clip_on": False}
        ax.plot(*corner, transform=shifted, markersize=6, **style)
        ax.annotate(
            corners[k], corner, xytext=name, textcoords="offset points", ha=side, va="center"
        )


def _frame_of(xy):
    """Lower left and upper right corner of a frame around all points, with room for marks."""
    low, high = xy.min(axis=0), xy.max(axis=0)
    return low - 0.05, high + 0.05
