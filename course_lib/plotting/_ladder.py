"""The ladder of tasks: what several cells reach on each, seed by seed, and after how many steps.

Letters: S seeds.
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
    styled,
)


@styled
def plot_tasks(skill, steps, *, height=None):
    """Draw what every cell reaches on every task, one mark a seed, and the steps it took.

    Parameters
    ----------
    skill : dict of str to dict of str to ndarray of shape (S,)
        By task and by cell: 0 at chance, 1 at the ceiling.
    steps : dict of str to dict of str to ndarray of shape (S,)
        By task and by cell: updates until the task was solved; NaN where it was not.
    height : float, default=None
        Inches; grows with the number of tasks if not given.

    Returns
    -------
    fig : matplotlib.figure.Figure
        The figure, for `show`.

    Raises
    ------
    ValueError
        If ``skill`` and ``steps`` differ in their tasks or cells.
    """
    cells = list(next(iter(skill.values())))
    for task in (*skill, *steps):
        if task not in skill or task not in steps:
            raise ValueError(f"skill and steps must have the same tasks, {task!r} is in one only")
        if not list(skill[task]) == list(steps[task]) == cells:
            raise ValueError(f"every task must have the cells {cells}, {task!r} has others")
    fig, (left, right) = figure(
        WIDTH, height or 1.2 + 0.62 * len(skill), ncols=2, sharey=True, width_ratios=(3, 2)
    )
    for level, name, dash in ((0.0, "chance", DASHES[2]), (1.0, "ceiling", DASHES[1])):
        left.axvline(level, color=INK, linewidth=1.2, linestyle=dash, label=name)
    for row, task in enumerate(skill):
        for k, cell in enumerate(cells):
            y = row + 0.26 * (k - (len(cells) - 1) / 2)
            style = {
                "marker": MARKERS[k % 4],
                "color": PALETTE[k % 4],
                "linestyle": "none",
                "label": cell if row == 0 else None,
            }
            left.plot(skill[task][cell], np.full(len(skill[task][cell]), y), **style)
            right.plot(steps[task][cell], np.full(len(steps[task][cell]), y), **style)
            if np.isnan(steps[task][cell]).all():
                right.text(
                    0.03, y, "not solved", transform=right.get_yaxis_transform(), va="center"
                )
    left.set(xlabel="skill", xlim=(-0.15, 1.1), xticks=(0, 0.5, 1), yticks=range(len(skill)))
    left.set_yticklabels([task.replace(", ", ",\n") for task in skill])
    left.invert_yaxis()
    right.set(xlabel="steps until solved")
    right.set_xlim(left=0.0)
    fig.legend(*left.get_legend_handles_labels(), loc="outside upper left", ncols=3)
    for ax in (left, right):
        grid(ax)
    return fig
