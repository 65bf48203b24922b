"""Figure of chapter 13: a text, each character shaded by a number.

Letters: T characters.
"""

from itertools import groupby

import numpy as np
from matplotlib.patches import Rectangle

from course_lib._checks import check_finite, check_shape
from course_lib.plotting._frame import CELL_INKS, TABLE_COLOURS, WIDTH, contrast, figure, styled

SHADES = 8  # neighbours of one shade share a rectangle
SIGNS = {"\n": "↵", " ": ""}
MOST = 240  # characters; more would make a large file and a small figure


@styled
def plot_letters(text, values, *, columns=34, xlabel="light: lowest, dark: highest"):
    """Draw a text in rows of equal length, with each character's background shaded by its number.

    Parameters
    ----------
    text : str
        T characters, at most 240; a line break is drawn as ↵ and breaks no row.
    values : ndarray of shape (T,)
        One number a character, finite; the lightest shade is the lowest, the darkest the highest.
    columns : int, default=34
        Characters in a row.
    xlabel : str, default="light: lowest, dark: highest"
        What the shades mean.

    Returns
    -------
    fig : matplotlib.figure.Figure
        The figure, for `show`.

    Raises
    ------
    ValueError
        If there is not one number a character, or the text is empty or too long.
    """
    if not 1 <= len(text) <= MOST:
        raise ValueError(f"text must have from 1 to {MOST} characters, got {len(text)}")
    values = check_finite("values", check_shape("values", values, (len(text),)))
    spread = values.max() - values.min()
    share = (values - values.min()) / (spread if spread > 0 else 1.0)
    shades = np.minimum((share * SHADES).astype(int), SHADES - 1)
    rows = -(-len(text) // columns)
    fig, ax = figure(WIDTH, 0.5 + 0.3 * rows)
    for row in range(rows):
        first = row * columns
        line = shades[first : first + columns]
        for shade, run in groupby(range(len(line)), key=line.__getitem__):
            places = list(run)
            colour = TABLE_COLOURS(int(shade) / (SHADES - 1))
            ink = max(CELL_INKS, key=lambda c, cell=colour: contrast(c, cell[:3]))
            box = Rectangle((places[0], row), len(places), 0.94, facecolor=colour, linewidth=0)
            ax.add_patch(box)
            for place in places:
                sign = SIGNS.get(text[first + place], text[first + place])
                if sign:
                    sign = sign.replace("$", r"\$")  # a lone $ is fine, two would be mathematics
                    ax.text(place + 0.5, row + 0.47, sign, color=ink, ha="center", va="center")
    ax.set(xlim=(0, columns), ylim=(rows, 0), xlabel=xlabel, xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    return fig
