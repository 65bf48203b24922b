"""Small pictures for readers without JavaScript: stacked bars and curves as SVG text."""

import html

STATE_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#a0559e", "#8a6d00")
INK, FAINT, PAPER = "#1f2933", "#d5dbe1", "#ffffff"


def svg(width, height, body, title):
    """Wrap ``body`` in an SVG element on a light card, legible on light and dark pages."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" font-family="system-ui,sans-serif" font-size="13" '
        f'fill="{INK}"><title>{html.escape(title)}</title>'
        f'<rect width="{width}" height="{height}" rx="8" fill="{PAPER}"/>{body}</svg>'
    )


def text(x, y, words, anchor="start", extra=""):
    """Return one text element."""
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}"{extra}>{html.escape(words)}</text>'


def rect(x, y, width, height, fill):
    """Return one rectangle; numbers are rounded so that pictures stay small."""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" '
        f'height="{max(height, 0):.1f}" fill="{fill}"/>'
    )


def stacked(x, y, width, height, rows):
    """Return one stacked bar a step; ``rows`` are lists of probabilities."""
    out, step = [], width / len(rows)
    for t, row in enumerate(rows):
        top = y + height
        for k, p in enumerate(row):
            top -= p * height
            colour = STATE_COLOURS[k % len(STATE_COLOURS)]
            out.append(rect(x + t * step + 1, top, step - 2, p * height, colour))
    return "".join(out)


def polyline(points, colour, width=2):
    """Return a curve through ``points``."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="{width}"/>'


def legend(x, y, labels):
    """Return coloured squares with labels, in one line."""
    out = []
    for k, label in enumerate(labels):
        out.append(rect(x, y - 10, 12, 12, STATE_COLOURS[k % len(STATE_COLOURS)]))
        out.append(text(x + 17, y, label))
        x += 34 + 7.5 * len(label)
    return "".join(out)


def lane(x, y, width, height, label, values, scale=None):
    """Return a label and one bar a step, up or down from a line; ``scale`` is the longest bar."""
    left = x + 130
    step = (width - 130) / len(values)
    scale = max(1.0, *(abs(float(v)) for v in values)) if scale is None else scale
    middle = y + height / 2 if min(values) < 0 else y + height
    reach = (height / 2 if min(values) < 0 else height) / scale
    out = [text(x, y + height / 2 + 5, label), rect(left, middle - 0.5, width - 130, 1, FAINT)]
    for t, v in enumerate(values):
        top, tall = (middle - v * reach, v * reach) if v > 0 else (middle, -v * reach)
        out.append(rect(left + t * step + 1, top, step - 2, tall, STATE_COLOURS[0 if v > 0 else 1]))
    return "".join(out)
