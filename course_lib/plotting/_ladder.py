"""The ladder of tasks: what several models reach on each, seed by seed, and after how many steps.

Letters: S seeds, L lags.
"""

import numpy as np
from matplotlib.lines import Line2D

from course_lib.plotting._frame import (
    DASHES,
    INK,
    MARKERS,
    PALETTE,
    WIDTH,
    figure,
    grid,
    log_axis,
    styled,
)

LOWEST = -0.15  # skill at the left edge; what is worse is drawn there as an arrow
LEVELS = ((0.0, "chance", DASHES[2]), (1.0, "ceiling", DASHES[1]))


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
    for level, name, dash in LEVELS:
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


@styled
def plot_ladder(skill, families=None, *, columns=2):
    """Draw one panel a task: a row a model, a mark a seed, between chance and ceiling.

    Parameters
    ----------
    skill : dict of str to dict of str to ndarray of shape (S,)
        By task and by model: 0 at chance, 1 at the ceiling. A model that is missing from a task
        keeps its row there, empty; skill below -0.15 is an arrow at the left edge.
    families : dict of str to str, default=None
        By model, what kind it is; a family shares a colour and a marker. None draws all alike.
    columns : int, default=2
        Panels side by side.

    Returns
    -------
    fig : matplotlib.figure.Figure
        The figure, for `show`.

    Raises
    ------
    ValueError
        If there is no task, a task has no model, or a skill is not finite.
    """
    models = list(dict.fromkeys(model for of_task in skill.values() for model in of_task))
    if not skill or not all(skill.values()):
        raise ValueError("skill must have at least one task, and every task at least one model")
    styles = _family_styles(models, families)
    fig, panels = _panels(len(skill), columns, 0.55 + 0.2 * len(models), xlabel="skill")
    for ax, (task, of_task) in zip(panels, skill.items(), strict=True):
        for level, name, dash in LEVELS:
            ax.axvline(level, color=INK, linewidth=1.2, linestyle=dash, label=name)
        for row, model in enumerate(models):
            if model in of_task:
                _draw_seeds(ax, row, of_task[model], styles[model], f"{model} on {task}")
            else:
                ax.text(0.5, row, "not run", ha="center", va="center")
        ax.set(title=task, xlim=(LOWEST - 0.05, 1.15), xticks=(0, 0.5, 1))
        ax.set(yticks=range(len(models)), yticklabels=models, ylim=(len(models) - 0.4, -0.6))
        grid(ax)
    _legend(fig, panels[0], styles)
    return fig


@styled
def plot_reach(lags, skill, families=None, *, columns=2):
    """Draw how far back every model remembers: a panel a model, skill against the lag.

    Parameters
    ----------
    lags : ndarray of shape (L,)
        Steps between a symbol and the question about it.
    skill : dict of str to ndarray of shape (L, S)
        By model: 0 at chance, 1 at the ceiling; NaN where nothing was measured.
    families : dict of str to str, default=None
        As in `plot_ladder`.
    columns : int, default=2
        Panels side by side.

    Returns
    -------
    fig : matplotlib.figure.Figure
        The figure, for `show`. A mark is a seed, a little beside its lag so that equal ones all
        show; the line joins the medians over seeds.

    Raises
    ------
    ValueError
        If there is no model, or a skill has another number of rows than there are lags.
    """
    lags = np.asarray(lags)
    if not skill:
        raise ValueError("skill must have at least one model")
    styles = _family_styles(list(skill), families)
    fig, panels = _panels(len(skill), columns, 1.25, xlabel="lag")
    for ax, (model, values) in zip(panels, skill.items(), strict=True):
        values = np.asarray(values, dtype=float)
        if values.ndim != 2 or len(values) != len(lags):
            raise ValueError(
                f"skill of {model!r} must have shape ({len(lags)}, S), a row a lag, "
                f"got {values.shape}"
            )
        for level, name, dash in LEVELS:
            ax.axhline(level, color=INK, linewidth=1.2, linestyle=dash, label=name)
        style = styles[model] | {"label": None}
        for beside, seed in zip(_beside(values.shape[1]), values.T, strict=True):
            ax.plot(lags * 1.6**beside, np.maximum(seed, LOWEST), **style)
        measured = ~np.isnan(values).all(axis=1)
        middle = np.nanmedian(values[measured], axis=1)
        ax.plot(lags[measured], np.maximum(middle, LOWEST), color=style["color"], linewidth=1.2)
        log_axis(ax, "x")
        ax.set(title=model, xticks=lags, ylim=(LOWEST - 0.05, 1.15), yticks=(0, 0.5, 1))
        grid(ax)
    fig.supylabel("skill", fontsize="medium")
    _legend(fig, panels[0], styles)
    return fig


def _panels(n, columns, height, *, xlabel):
    """A grid of n axes, each so many inches high, with one name for all horizontal axes."""
    columns = min(columns, n)
    rows = -(-n // columns)
    fig, axes = figure(WIDTH, 0.8 + rows * height, rows, ncols=columns, squeeze=False, sharey=True)
    for ax in axes.flat[n:]:
        ax.remove()
    fig.supxlabel(xlabel, fontsize="medium")
    return fig, list(axes.flat[:n])


def _family_styles(models, families):
    """Style of the marks of every model: colour and marker tell its family."""
    families, styles = families or {}, {}
    for model in models:
        kind = families.get(model)
        k = len(styles)
        styles.setdefault(
            kind,
            {
                "marker": MARKERS[k % 4],
                "color": PALETTE[k % 4],
                "fillstyle": "full" if k < 4 else "none",  # there are four colours
                "linestyle": "none",
                "label": kind,
            },
        )
    return {model: styles[families.get(model)] for model in models}


def _beside(n):
    """Small shifts for n marks that may lie on each other."""
    return 0.13 * (np.arange(n) - (n - 1) / 2)


def _draw_seeds(ax, row, values, style, where):
    """Marks of one row, a little apart so that equal ones all show; too low ones as arrows."""
    values = np.asarray(values, dtype=float)
    if not np.isfinite(values).all():
        raise ValueError(f"skill must be finite, {where} has {values}")
    y = row + _beside(len(values))
    style = style | {"label": None}
    inside = values >= LOWEST
    ax.plot(values[inside], y[inside], **style)
    ax.plot(np.full((~inside).sum(), LOWEST), y[~inside], **style | {"marker": "<"})


def _legend(fig, ax, styles):
    """Lines of one panel and the marks of all families, above the panels."""
    lines, names = ax.get_legend_handles_labels()
    marks = {style["label"]: Line2D([], [], **style) for style in styles.values()}
    marks.pop(None, None)  # models of no family
    columns = 3 if max(map(len, [*names, *marks])) < 15 else 2  # what is as wide as the figure
    fig.legend([*lines, *marks.values()], [*names, *marks], loc="outside upper left", ncols=columns)
