"""The statistics as one page with a picture: no scripts, nothing loaded, no student named."""

from course_lib.grading import _reasons
from course_lib.grading._page import document, number, text

ENOUGH = 10  # submissions from which on a remark about a check is worth making
CONTRARY = -0.2  # a discrimination below this is hardly chance
BINS = 10
_STYLE = """
svg { display: block; width: 100%; overflow: visible; margin: .75rem 0; }
svg text { fill: var(--ink); font: 14px system-ui, sans-serif; }
svg .soft { fill: var(--soft); font-size: 13px; }
rect { fill: var(--link); } .full { fill: var(--good); } .part { fill: var(--some); }
.none { fill: var(--line); } .key { display: inline-block; width: .9rem; height: .9rem;
  margin: 0 .3rem 0 0; vertical-align: -.1rem; }
.legend { display: flex; flex-wrap: wrap; gap: .25rem 1.25rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; }
caption { text-align: left; color: var(--soft); padding-bottom: .25rem; }
th, td { text-align: left; padding: .4rem .5rem .4rem 0; border-top: 1px solid var(--line);
  vertical-align: top; font-weight: 400; }
thead th { font-weight: 600; border-top: 0; }
th + th, td { text-align: right; white-space: nowrap; width: 1%; }
tbody tr:first-child th, tbody tr:first-child td { font-weight: 600; }
.wrong { padding-left: 1.25rem; }
"""


def percent(fraction):
    """Return 0.5 as 50 %; a dash for what is not known."""
    return "–" if fraction is None else f"{100 * fraction:.0f} %"


def decimal(value):
    """Return two decimals; a dash for what is not known."""
    return "–" if value is None else f"{value:.2f}"


def render(found):
    """Return the page of what :func:`stats.table` found."""
    mean = sum(found["auto"]) / len(found["auto"])
    body = [
        f'<header><p class="soft">Statistics for instructors: hidden checks are named here</p>\n'
        f"<h1>{text(found['title'])}</h1>\n"
        f"<p>{found['graded']} of {found['students']} students graded. Automatic points: "
        f"{number(mean)} of {number(found['auto_max'])} on average.</p></header>\n<main>",
        _remarks(found),
        "<section><h2>How many points</h2>",
        _histogram(found),
        "</section>\n<section><h2>Questions and checks</h2>",
        _bars(found),
        "</section>",
        *map(_question, found["questions"]),
        '<p class="soft">Success is the mean part of the points. Discrimination is the correlation '
        "with the rest of the automatic points: near 0 an item says nothing about the others, "
        "below 0 it says the contrary.</p></main>",
    ]
    return document(f"Statistics: {found['title']}", _STYLE, "\n".join(body))


def _remarks(found):
    """What deserves a look, if there are enough submissions to say so."""
    lines = []
    for item, name in _items(found):
        if item["count"] < ENOUGH:
            continue
        if item["discrimination"] is not None and item["discrimination"] < CONTRARY:
            lines.append(
                f"<strong>{text(name)}</strong>: those who do well elsewhere lose points here. "
                "Is the task, or the check, what you meant?"
            )
        if item["success"] < 0.2:
            lines.append(
                f"<strong>{text(name)}</strong>: only {percent(item['success'])} of the points "
                "were reached. Look at the common failures below."
            )
    if not lines:
        return ""
    items = "\n".join(f"<li>{line}</li>" for line in lines)
    return f"<section><h2>Worth a look</h2>\n<ul>\n{items}\n</ul></section>"


def _items(found):
    """Questions and checks in order, each with the name to show."""
    for question in found["questions"]:
        yield question, question["name"]
        for check in question["checks"]:
            yield check, f"{question['name']}: {check['name']}"


def _histogram(found):
    """Columns of equal width over the automatic points."""
    most, counts = found["auto_max"] or 1, [0] * BINS
    for points in found["auto"]:
        counts[min(int(BINS * points / most + 1e-9), BINS - 1)] += 1
    shapes, high = [], max(counts)
    for i, count in enumerate(counts):
        height = round(110 * count / high, 1)
        shapes.append(f'<rect x="{10 * i + 1}%" y="{140 - height}" width="8%" height="{height}"/>')
        if count:
            shapes.append(_words(f"{10 * i + 5}%", 134 - height, str(count), "middle"))
    for at, anchor in ((0, "start"), (0.5, "middle"), (1, "end")):
        shapes.append(_words(f"{100 * at:.0f}%", 160, number(at * most), anchor))
    said = f"Histogram of the automatic points from 0 to {number(most)}: "
    said += ", ".join(map(str, counts)) + " submissions in ten equal steps"
    return _svg(said, 166, shapes)


def _bars(found):
    """For each question and check who got all, some and none of the points."""
    shapes, y = [], 0
    for item, name in _items(found):
        question = "checks" in item
        y += 34 if question else 26
        shapes.append(_words("0", y, name if question else f"· {item['name']}"))
        shapes.append(_words("100%", y, percent(item["success"]), "end"))
        y += 6
        if item["count"]:
            some = 1 - item["full"] - item["none"]
            at = 0.0
            for kind, share in (("full", item["full"]), ("part", some), ("none", item["none"])):
                if share > 1e-9:
                    shapes.append(
                        f'<rect class="{kind}" x="{100 * at:.2f}%" y="{y}" '
                        f'width="{100 * share:.2f}%" height="{10 if question else 6}"/>'
                    )
                at += share
        y += 10 if question else 6
    keys = (("full", "all points"), ("part", "some"), ("none", "none"))
    legend = "".join(
        f'<span><svg class="key" aria-hidden="true"><rect class="{kind}" width="100%" '
        f'height="100%"/></svg>{words}</span>'
        for kind, words in keys
    )
    said = "Bars of the shares of submissions with all, some and none of the points; "
    said += "the tables below have the same numbers"
    return f'<p class="legend">{legend}</p>\n{_svg(said, y + 4, shapes)}'


def _svg(said, height, shapes):
    return f'<svg role="img" aria-label="{text(said)}" height="{height}">{"".join(shapes)}</svg>'


def _words(x, y, words, anchor="start"):
    return f'<text x="{x}" y="{round(y, 1)}" text-anchor="{anchor}">{text(words)}</text>'


def _question(question):
    rows = [_row(text(question["name"]), question)]
    failures = []
    for check in question["checks"]:
        kind = "hidden" if check["hidden"] else "visible"
        rows.append(_row(f'{text(check["name"])} <span class="soft">({kind})</span>', check))
        reasons = [f"{text(_reasons.label(r))}: {n}" for r, n in check["reasons"].items()]
        said = "".join(f"<li>{n} times: {text(message)}</li>" for message, n in check["messages"])
        if reasons:
            listed = f'<ul class="wrong">{said}</ul>' if said else ""
            failures.append(f"<h3>{text(check['name'])}</h3><p>{'; '.join(reasons)}</p>{listed}")
    about = "marked by people" if question["manual"] else "automatic"
    head = "<th>Item</th><th>All</th><th>None</th><th>Success</th>"
    head += '<th><abbr title="Discrimination">Discr.</abbr></th>'
    return (
        f"<section><h2>{text(question['name'])}</h2><table>"
        f"<caption>{number(question['max'])} points, {about}, {question['count']} marked</caption>"
        f"<thead><tr>{head.replace('<th>', '<th scope=col>')}</tr></thead>\n<tbody>"
        + "\n".join(rows)
        + "</tbody></table>\n"
        + "\n".join(failures)
        + "</section>"
    )


def _row(name, item):
    cells = (percent(item["full"]), percent(item["none"]), percent(item["success"]))
    cells = "".join(f"<td>{cell}</td>" for cell in (*cells, decimal(item["discrimination"])))
    return f'<tr><th scope="row">{name}</th>{cells}</tr>'
