"""Who can see whom: which outputs of a sequence model depend on which inputs.

Letters: n_out output steps, n_in input steps.
"""

import numpy as np
from matplotlib.patches import Rectangle

from course_lib._checks import check_shape
from course_lib.plotting._frame import HATCHES, INK, PALETTE, WIDTH, figure, styled

KINDS = ("depends, as it should", "depends, and must not", "should depend, does not")
NOTHING = -1


@styled
def plot_dependence(panels, *, columns=2, xlabel="input", ylabel="output"):
    """Draw maps of dependence: a row an output step, a column an input step, filled if it depends.

    Parameters
    ----------
    panels : dict of str to (ndarray of shape (n_out, n_in), ndarray of shape (n_out, n_in))
        By name: which output depends on which input, and which one should; both of bool.
        What depends and should not is hatched in another colour, what should and does not is
        an empty dashed box.
    columns : int, default=2
        Maps in a row.
    xlabel, ylabel : str
        What columns and rows are.

    Returns
    -------
    fig : matplotlib.figure.Figure
        The figure, for `show`.

    Raises
    ------
    ValueError
        If there is no panel, or the two maps of a panel differ in shape.
    """
    if not panels:
        raise ValueError("panels must hold at least one pair of maps, got none")
    kinds = {}
    for name, (depends, wanted) in panels.items():
        depends = np.asarray(depends, bool)
        wanted = check_shape(name, np.asarray(wanted, bool), depends.shape)
        kinds[name] = np.select([depends & wanted, depends, wanted], [0, 1, 2], default=NOTHING)

    columns = min(columns, len(kinds))
    rows = -(-len(kinds) // columns)
    tallest = max(np.divide(*table.shape) for table in kinds.values())
    height = rows * (WIDTH / columns * tallest + 0.35) + 0.9
    fig, axes = figure(WIDTH, height, rows, ncols=columns, squeeze=False)
    for ax in axes.flat[len(kinds) :]:
        ax.remove()
    for ax, (name, table) in zip(axes.flat, kinds.items(), strict=False):
        n_out, n_in = table.shape
        for (row, column), kind in np.ndenumerate(table):
            if kind != NOTHING:
                ax.add_patch(_box(column, row, kind))
        ax.set(xlim=(-0.5, n_in - 0.5), ylim=(n_out - 0.5, -0.5), title=name, aspect="equal")
        ax.set(xticks=[0, n_in - 1], yticks=[0, n_out - 1])
        ax.set_xlabel(xlabel, labelpad=2)
        ax.set_ylabel(ylabel, labelpad=2)
        for side in ("top", "right"):
            ax.spines[side].set_visible(True)
    used = sorted(set(np.concatenate([table.ravel() for table in kinds.values()])) - {NOTHING})
    handles = [_box(0, 0, kind, label=KINDS[kind]) for kind in used]
    fig.legend(handles=handles, loc="outside lower center", ncols=1)
    return fig


def _box(column, row, kind, **options):
    """A cell of a map: full, hatched or empty."""
    place = (column - 0.42, row - 0.42), 0.84, 0.84
    if kind == 2:
        return Rectangle(*place, fill=False, edgecolor=INK, linestyle=(0, (2, 1.5)), **options)
    hatch = {0: "", 1: HATCHES[1]}[kind]
    return Rectangle(*place, facecolor=PALETTE[kind], edgecolor="#ffffff", hatch=hatch,
                     linewidth=0, **options)  # fmt: skip
