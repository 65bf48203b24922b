"""What every figure shares: style, colours, and the way from a figure to inline SVG."""

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
from matplotlib.ticker import FixedLocator

# Blue, orange, green, pink. Any two are at least 23 apart in CIELAB, also as seen without one kind
# of cone; contrast at least 3.1 on white and on the dark page (tests/test_plotting.py).
PALETTE = ("#2064f9", "#de5f27", "#0ba18a", "#d652bc")
MARKERS = ("o", "s", "^", "D")
DASHES = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (6, 2, 1, 2)))
HATCHES = ("", "////", "....", "xxxx")
WIDTH = 4.8  # inches: text of 11.5 points is 11 pixels high on a phone 375 pixels wide
SCALE = 1.4  # CSS pixels a point, where there is room
BACKGROUNDS = {"light": "#ffffff", "dark": "#14181e", "dark, theme": "#121212"}

INK = "#000000"  # becomes the colour of the page's text when the SVG is written
STYLE = {
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
TABLE_COLOURS = LinearSegmentedColormap.from_list("table", ["#eef3ff", "#7ea4f6", "#1c3f94"])
CELL_INKS = ("#ffffff", "#020408")  # not quite black: black follows the page, a cell does not
_shown = Counter()  # content of figures on show, to number one that is shown again


def styled(plot):
    """Run a function in the style of the course; text and legends read it when they are made."""

    @functools.wraps(plot)
    def in_style(*args, **kwargs):
        with matplotlib.rc_context(STYLE):
            return plot(*args, **kwargs)

    return in_style


@styled
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
    with matplotlib.rc_context(STYLE):
        freeze_ticks(fig)
        fig.savefig(
            buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None}
        )
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"\s*<metadata>.*?</metadata>", "", svg, flags=re.S)
    svg = svg.replace(INK, "currentColor")
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
    a, b = sorted((luminance(colour), luminance(other)))
    return (b + 0.05) / (a + 0.05)


def luminance(colour):
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


# ---- parts of axes ------------------------------------------------------------------------


def freeze_ticks(fig):
    """Fix the ticks of a first layout: other ticks after it could be wider and cut the name."""
    fig.draw_without_rendering()
    for ax in fig.axes:
        for axis in (ax.xaxis, ax.yaxis):
            axis.set_major_locator(FixedLocator(axis.get_majorticklocs()))


def log_axis(ax, axis):
    """Logarithmic axis whose powers of ten are plain text, as large as the rest."""
    ax.set(**{f"{axis}scale": "log"})
    ax.minorticks_off()
    getattr(ax, f"{axis}axis").set_major_formatter(lambda value, _: tick_text(value))


def tick_text(value):
    """A tick of a logarithmic axis: 0.0001, 100, 10⁻³⁰⁰."""
    if 1e-4 <= value < 1e5:
        return f"{value:g}"
    factor, power = f"{value:.0e}".split("e")
    raised = str(int(power)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"10{raised}" if factor == "1" else f"{factor}·10{raised}"


def grid(ax):
    ax.grid(color=INK, alpha=0.15, linewidth=0.7)
    ax.set_axisbelow(True)


def legend(ax, ncols=2):
    """Legend above the axes, data first; Matplotlib lists bars after lines."""
    entries = sorted(
        zip(*ax.get_legend_handles_labels(), strict=True), key=lambda e: e[1] != "data"
    )
    if entries:
        ax.figure.legend(*zip(*entries, strict=True), loc="outside upper left", ncols=ncols)
