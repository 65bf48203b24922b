"""Figures of the course: one function a kind of picture, legible on light and on dark pages.

Text, axes and grid take the colour of the page's text (``currentColor``); data take the colours of
``PALETTE``, which keep a contrast of at least 3 to 1 on white and on the dark theme and stay apart
for readers who see fewer colours. No colour stands alone: a marker, a dash or a name says the same.

Letters: T time, K states or rows, V symbols or columns.

Each ``plot_*`` function returns a figure; ``show(figure, alt="...")`` puts it on the page::

    show(plot_table(A, labels), alt="Table of weather tomorrow given today; 7 in 10 sunny.")
"""

import functools
import hashlib
import html
import io
import re
from collections import Counter

import matplotlib
import numpy as np
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator

# Blue, orange, green, pink. Any two are at least 23 apart in CIELAB, also as seen without one kind
# of cone; contrast at least 3.1 on white and on the dark page (tests/test_plotting.py).
PALETTE = ("#2064f9", "#de5f27", "#0ba18a", "#d652bc")
MARKERS = ("o", "s", "^", "D")
DASHES = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))
HATCHES = ("", "////", "....", "xxxx")
WIDTH = 4.8  # inches: text of 11.5 points is 11 pixels high on a phone 375 pixels wide
SCALE = 1.4  # CSS pixels a point, where there is room
BACKGROUNDS = {"light": "#ffffff", "dark": "#14181e", "dark, theme": "#121212"}

_INK = "#000000"  # becomes the colour of the page's text when the SVG is written
_STYLE = {
    "svg.fonttype": "none",  # text stays text: it can be read aloud, searched and scaled
    "svg.hashsalt": "state by state",
    "font.family": "sans-serif",
    "font.size": 11.5,
    "axes.titlesize": 12,
    "axes.labelsize": 11.5,
    "legend.fontsize": 11,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "path.simplify": True,
}
_TABLE_COLOURS = LinearSegmentedColormap.from_list("table", ["#eef3ff", "#7ea4f6", "#1c3f94"])
_CELL_INKS = ("#ffffff", "#020408")  # not quite black: black follows the page, a cell does not
_shown = Counter()  # content of figures on show, to number one that is shown again


def _styled(plot):
    """Run a function in the style of the course; text and legends read it when they are made."""

    @functools.wraps(plot)
    def styled(*args, **kwargs):
        with matplotlib.rc_context(_STYLE):
            return plot(*args, **kwargs)

    return styled


@_styled
def figure(width=WIDTH, height=2.9, rows=1, **subplots):
    """Return an empty figure of that size in inches and its axes, in the style of the course."""
    fig = Figure(figsize=(width, height), layout="constrained")
    return fig, fig.subplots(rows, **subplots)


def show(fig, alt):
    """Put a figure into the notebook and on the page, with a sentence for those who cannot see it.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        What a ``plot_*`` function or `figure` returned.
    alt : str
        What the picture shows, with the numbers that matter; one or two sentences.
    """
    from IPython.display import display

    text = " ".join(alt.split())
    svg = to_svg(fig, alt)
    _shown[svg] += 1
    if _shown[svg] > 1:
        svg = to_svg(fig, alt, copy=_shown[svg])
    display({"text/html": svg, "text/plain": f"Figure: {text}"}, raw=True)


def to_svg(fig, alt, copy=1):
    """Return the figure as inline SVG text that follows the page's theme.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        The figure.
    alt : str
        What the picture shows; must not be empty.
    copy : int, default=1
        Number of times this figure is on the page already, plus one.

    Returns
    -------
    svg : str
        One ``<svg>`` element without outside references; its ids begin with a hash of its content.

    Raises
    ------
    ValueError
        If ``alt`` is empty.
    """
    alt = " ".join(alt.split())
    if not alt:
        raise ValueError("alt must say in words what the figure shows, got an empty text")
    for legend in (*fig.legends, *(ax.get_legend() for ax in fig.axes)):
        if legend is not None:
            legend.set_frame_on(False)
    buffer = io.StringIO()
    with matplotlib.rc_context(_STYLE):
        _freeze_ticks(fig)
        fig.savefig(
            buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None}
        )
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg, flags=re.S)
    svg = svg.replace(_INK, "currentColor")
    svg = svg.replace("<style", '<style data-of="figure"').replace(">*{", ">.sbs-figure *{")
    svg = re.sub(r" ?font-family: [^;\"]*;?", "", svg)  # that of the page
    svg = re.sub(r"<!--.*?-->\s*", "", svg, flags=re.S)
    svg = re.sub(r'(?<= )(d|points|transform|x|y|width|height)="[^"]*"', _rounded, svg)
    return _unique_ids(_head(svg, alt), copy)


def _rounded(attribute):
    """An attribute with coordinates, to a hundredth of a point."""
    return re.sub(r"\d+\.\d{3,}", lambda number: f"{float(number[0]):.2f}", attribute[0])


def _head(svg, alt):
    """Replace the opening tag: size that shrinks with the page, role and name."""
    opening = svg[: svg.index(">") + 1]
    x, y, width, height = (float(v) for v in re.search(r'viewBox="([^"]+)"', opening)[1].split())
    name, box = html.escape(alt, quote=True), f"{x:g} {y:g} {width:g} {height:g}"
    css = (
        f"display:block;width:100%;max-width:{width * SCALE:.0f}px;height:auto;margin:0.5rem auto;"
    )
    css += "font-family:system-ui,sans-serif"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'class="sbs-figure" role="img" aria-label="{name}" viewBox="{box}" '
        f'width="{width * SCALE:.0f}" fill="currentColor" style="{css}">'
        + svg[len(opening) :].strip()
    )


def _unique_ids(svg, copy):
    """Prefix every id with a hash of the content; a figure shown twice gets a number as well."""
    key = hashlib.sha256(svg.encode()).hexdigest()[:8]
    prefix = f"fig-{key}-" if copy == 1 else f"fig-{key}-{copy}-"
    svg = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}\1"', svg)
    svg = re.sub(r'href="#([^"]+)"', rf'href="#{prefix}\1"', svg)
    return re.sub(r"url\(#([^)]+)\)", rf"url(#{prefix}\1)", svg)


def contrast(colour, other):
    """Return the WCAG contrast of two colours, from 1 to 21."""
    a, b = sorted((_luminance(colour), _luminance(other)))
    return (b + 0.05) / (a + 0.05)


def _luminance(colour):
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


# ---- pictures --------------------------------------------------------------------------------


@_styled
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
    fig, ax = figure(WIDTH, height or 1.1 + 0.42 * len(rows))
    top = table.max() if table.max() > 0 else 1.0
    for i, j in np.ndindex(*table.shape):
        colour = _TABLE_COLOURS(table[i, j] / top)
        ink = max(_CELL_INKS, key=lambda c, cell=colour: contrast(c, cell[:3]))
        ax.add_patch(
            matplotlib.patches.Rectangle((j, i), 0.97, 0.95, facecolor=colour, linewidth=0)
        )
        text = f"{table[i, j]:.{decimals}f}"
        ax.text(j + 0.485, i + 0.475, text, color=ink, ha="center", va="center")
    ax.set(xlim=(0, table.shape[1]), ylim=(table.shape[0], 0), xlabel=xlabel, ylabel=ylabel)
    ax.set_xticks(np.arange(len(columns)) + 0.485, columns)
    ax.set_yticks(np.arange(len(rows)) + 0.475, rows)
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return fig


@_styled
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
        _grid(top)
    _state_bars(bars, z, states)
    bars.set_xlabel(xlabel)
    return fig


@_styled
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
    _legend(axes[0])
    _grid(axes[0])
    for row, (name, value) in enumerate(bars.items()):
        colour, hatch = (_INK, "") if name == "truth" else (PALETTE[2], "////")
        _runs(axes[1], value == 1, row, colour, hatch)
    axes[1].set(ylim=(len(bars) - 0.5, -0.5), xlabel=xlabel)
    axes[1].set_yticks(range(len(bars)), list(bars))
    axes[1].tick_params(axis="y", length=0)
    axes[1].spines["left"].set_visible(False)
    return fig


@_styled
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
            ax.plot([low, right], [row, row], color=_INK, linewidth=1.6, marker="|", markersize=8)
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
        _legend(ax, ncols=1)
    ax.set(xlim=(start, 100), ylim=(len(names) - 0.5, -0.5), xlabel=xlabel)
    ax.set_yticks(range(len(names)), names)
    ax.xaxis.set_major_locator(MaxNLocator(6))
    ax.tick_params(axis="y", length=0)
    return fig


@_styled
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
    _legend(ax)
    _grid(ax)
    return fig


@_styled
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
        ax.bar(grid, share, width=0.9, color=_INK, alpha=0.25, label="data")
    else:
        margin = 0.05 * (x.max() - x.min())
        grid = np.linspace(x.min() - margin, x.max() + margin, 200)
        ax.hist(x, bins=bins or 30, density=True, color=_INK, alpha=0.25, label="data")
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
        ax.plot(grid, total, color=_INK, linewidth=1.2, label="all together")
    ax.set(xlabel=xlabel, ylabel="share of the data" if discrete else "density")
    _legend(ax)
    return fig


@_styled
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
    ax.plot(time, values, color=_INK, linewidth=0.9, marker="o", markersize=2.8, alpha=0.75)
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
        _legend(ax, ncols=1 if len(names) > 3 else 2)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    _grid(ax)
    return fig


@_styled
def plot_curves(
    x,
    curves,
    *,
    bands=None,
    floors=None,
    xlabel="",
    ylabel="",
    logx=False,
    logy=False,
    integer=False,
    height=3.0,
):
    """Draw several measured curves against one axis, with named floors or ceilings as lines.

    For cross-entropy against the order of an n-gram, accuracy against length, error against the
    amount of data, beliefs that settle, and the like.

    Parameters
    ----------
    x : ndarray of shape (T,)
        Values on the horizontal axis.
    curves : dict of str to ndarray of shape (T,)
        Values of each curve by name; NaN and infinity leave a gap.
    bands : dict of str to ndarray of shape (T, 2), default=None
        Intervals as middle and half width, by name of the curve; drawn as bars with caps.
    floors : dict of str to float, default=None
        Levels that no model can pass, by name.
    xlabel : str, default=""
        Name of the horizontal axis, with its unit.
    ylabel : str, default=""
        Name of the vertical axis, with its unit.
    logx : bool, default=False
        Logarithmic horizontal axis.
    logy : bool, default=False
        Logarithmic vertical axis.
    integer : bool, default=False
        Whole numbers only on the horizontal axis.
    height : float, default=3.0
        Inches.

    Returns
    -------
    fig : matplotlib.figure.Figure
        The figure, for `show`.
    """
    fig, ax = figure(WIDTH, height)
    few = len(x) <= 25
    for k, (name, values) in enumerate(curves.items()):
        values = np.where(np.isfinite(np.asarray(values, dtype=float)), values, np.nan)
        ax.plot(
            x,
            values,
            color=PALETTE[k % 4],
            linestyle=DASHES[k % 4],
            marker=MARKERS[k % 4] if few else None,
            label=name,
        )
        if bands is not None and name in bands:
            middle, half = np.asarray(bands[name], dtype=float).T
            ax.errorbar(x, middle, half, fmt="none", ecolor=PALETTE[k % 4], capsize=4)
    for k, (name, level) in enumerate((floors or {}).items()):
        ax.axhline(level, color=_INK, linewidth=1.2, linestyle=DASHES[(2, 3, 1)[k % 3]], label=name)
    for axis, logarithmic in (("x", logx), ("y", logy)):
        if logarithmic:
            _log_axis(ax, axis)
    if integer:
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set(xlabel=xlabel, ylabel=ylabel)
    if len(curves) + len(floors or {}) > 1:
        _legend(ax)
    _grid(ax)
    return fig


@_styled
def plot_table_growth(n, sizes, *, lines=None):
    """Draw how the number of entries of an n-gram table grows, V to the power n.

    Parameters
    ----------
    n : ndarray of shape (T,)
        Lengths of the n-gram.
    sizes : dict of str to int
        Number of symbols V of each alphabet, by name.
    lines : dict of str to float, default=None
        Numbers to compare with, by name: days of data, entries that fit in memory.

    Returns
    -------
    fig : matplotlib.figure.Figure
        The figure, for `show`.
    """
    n = np.asarray(n)
    curves = {f"{name}, V = {V}": float(V) ** n for name, V in sizes.items()}
    return plot_curves(
        n, curves, floors=lines, xlabel="n", ylabel="entries in the table", logy=True, integer=True
    )


@_styled
def plot_underflow(probability, log_probability):
    """Draw a product of probabilities that runs into 0, and its logarithm that does not.

    Parameters
    ----------
    probability : ndarray of shape (T,)
        The product after each step, in float64.
    log_probability : ndarray of shape (T,)
        The sum of logs after each step, in nats.

    Returns
    -------
    fig : matplotlib.figure.Figure
        The figure, for `show`.
    """
    probability, log_probability = np.asarray(probability), np.asarray(log_probability)
    fig, (top, bottom) = figure(WIDTH, 3.8, rows=2, sharex=True)
    alive = np.flatnonzero(probability > 0)
    top.plot(alive, probability[alive], color=PALETTE[1])
    _log_axis(top, "y")
    top.set(ylabel="product", yticks=10.0 ** np.arange(-300, 1, 100))
    if len(alive) < len(probability):
        first = len(alive)
        top.axvline(first, color=_INK, linestyle=DASHES[1], linewidth=1.2)
        text, left = f"exactly 0.0\nfrom step {first} on", first > 0.55 * len(probability)
        top.annotate(
            text,
            (first, 0.94),
            xytext=(-6 if left else 6, 0),
            ha="right" if left else "left",
            va="top",
            textcoords="offset points",
            xycoords=("data", "axes fraction"),
        )
    bottom.plot(log_probability, color=PALETTE[0])
    bottom.set(xlabel="number of observations", ylabel="sum of logs, nats")
    _grid(top)
    _grid(bottom)
    return fig


# ---- parts -----------------------------------------------------------------------------------


def _freeze_ticks(fig):
    """Fix the ticks of a first layout: other ticks after it could be wider and cut the name."""
    fig.draw_without_rendering()
    for ax in fig.axes:
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_locator(FixedLocator(axis.get_majorticklocs()))


def _log_axis(ax, axis):
    """Logarithmic axis whose powers of ten are plain text, as large as the rest."""
    ax.set(**{f"{axis}scale": "log"})
    ax.minorticks_off()
    getattr(ax, f"{axis}axis").set_major_formatter(lambda value, _: _number(value))


def _number(value):
    """A tick of a logarithmic axis: 0.0001, 100, 10⁻³⁰⁰."""
    if 1e-4 <= value < 1e5:
        return f"{value:g}"
    factor, power = f"{value:.0e}".split("e")
    raised = str(int(power)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"10{raised}" if factor == "1" else f"{factor}·10{raised}"


def _grid(ax):
    ax.grid(color=_INK, alpha=0.15, linewidth=0.7)
    ax.set_axisbelow(True)


def _legend(ax, ncols=2):
    """Legend above the axes, data first; Matplotlib lists bars after lines."""
    entries = sorted(
        zip(*ax.get_legend_handles_labels(), strict=True), key=lambda e: e[1] != "data"
    )
    if entries:
        ax.figure.legend(*zip(*entries, strict=True), loc="outside upper left", ncols=ncols)


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
