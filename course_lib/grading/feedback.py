"""One page a student: points, what each check said, and what to do next.

A page is a single file without scripts, for phones, screen readers and printers, light and dark.
Nothing of a hidden check is on it but its result.
"""

from datetime import datetime

from course_lib.grading import _reasons
from course_lib.grading._page import document, number, picture, text

_STYLE = """
.score { font-size: 1.25rem; margin: .25rem 0; }
.next { border-left: 4px solid var(--link); background: var(--box); border-radius: 6px;
  padding: .25rem 1rem .75rem; margin: 1.5rem 0; }
.next h2 { margin-top: .75rem; }
.next li { margin: .5rem 0; }
.head { display: flex; flex-wrap: wrap; gap: 0 1rem; justify-content: space-between;
  align-items: baseline; border-bottom: 1px solid var(--line); padding-bottom: .25rem; }
.checks, .rubric { list-style: none; margin: .5rem 0; padding: 0; }
.checks li, .rubric li { padding: .5rem 0 .5rem 1.75rem; position: relative; }
.checks li + li { border-top: 1px solid var(--line); }
.sign { position: absolute; left: .2rem; font-weight: 700; }
.message { white-space: pre-wrap; margin: .25rem 0 0; }
blockquote { margin: .5rem 0; padding: .1rem 1rem; border-left: 4px solid var(--line);
  white-space: pre-wrap; }
details { border: 1px solid var(--line); border-radius: 6px; margin: .5rem 0; padding: 0 .75rem; }
summary { padding: .6rem 0; cursor: pointer; }
footer { margin-top: 3rem; border-top: 1px solid var(--line); font-size: .875rem; }
"""


def render(result, manifest, row):
    """Return the page of one submission.

    Parameters
    ----------
    result : dict
        What :func:`grader.grade` returned.
    manifest : Manifest
        Of the bundle that it was graded with.
    row : gradebook.Row
        The student's line of the gradebook.

    Returns
    -------
    page : str
        HTML.
    """
    links = _links(result["cells"], manifest)
    found = {question["name"]: question for question in result["questions"]}
    parts = [_head(manifest, row), "<main>", _next_steps(result, manifest, row)]
    for question in manifest.questions:
        if question.manual:
            parts.append(_manual(question, result["written"].get(question.name), row))
        else:
            parts.append(_automatic(question, found.get(question.name), links))
    parts += [_flags(result["flags"]), _cells(result["cells"]), "</main>"]
    parts.append(_foot(result))
    return document(f"Feedback: {manifest.title}", _STYLE, "\n".join(filter(None, parts)))


def _head(manifest, row):
    """Whose page it is, and the points."""
    waiting = [q.name for q in manifest.questions if q.manual and not _marked(row, q.name)]
    if row.total is None:
        score = f"<strong>{number(row.auto or 0)}</strong> of {number(row.auto_max)} points so far"
    else:
        score = f"<strong>{number(row.total)}</strong> of {number(row.max)} points"
    lines = []
    if waiting:
        lines.append(f"Still to be marked by a person: {text(', '.join(waiting))}.")
    if row.late_percent:
        lines.append(f"Handed in late: {number(row.late_percent)} % of the points are taken off.")
    if row.submitted:
        when = _time(row.submitted)
        lines.append(f"This is about the notebook that you handed in on {when}.")
    return (
        f'<header><p class="soft">{text(manifest.title)}</p>\n'
        f"<h1>Feedback for <bdi>{text(row.name or row.student)}</bdi></h1>\n"
        f'<p class="score">{score}'
        "</p>\n" + "".join(f"<p>{line}</p>\n" for line in lines) + "</header>"
    )


def _time(stamp):
    """The time for people, or the text as it is."""
    try:
        when = datetime.fromisoformat(stamp)
    except ValueError:
        return text(stamp)
    shown = f"{when.day} {when:%B %Y, %H:%M}" + (f" {when.tzname()}" if when.tzinfo else "")
    return f'<time datetime="{text(stamp)}">{text(shown)}</time>'


def _next_steps(result, manifest, row):
    """What to mend, most urgent first, each reason with the questions that it concerns."""
    where = {}
    for question in result["questions"]:
        for check in question["checks"]:
            if check["reason"] != "passed":
                names = where.setdefault(check["reason"], {})
                names[question["name"]] = names.get(question["name"], 0) + 1
    for cell in result["cells"]:
        if cell["status"] in _reasons.ORDER and cell["status"] != "error":
            where.setdefault(cell["status"], {})
    stopped = [c["id"] for c in result["cells"] if c["status"] == "error"]
    steps = []
    if stopped:
        steps.append(
            f"Your notebook stopped with an error in {_listed(stopped)}. Mend that first: open "
            f'{"it" if len(stopped) == 1 else "them"} under <a href="#cells">your cells</a> below.'
        )
    for reason in _reasons.ORDER:
        if reason in where:
            at = [f"{text(name)} ({_count(n, 'check')})" for name, n in where[reason].items()]
            steps.append(
                f"<strong>{text(_reasons.label(reason))}"
                + (f": {', '.join(at)}." if at else ".")
                + f"</strong> {text(_reasons.advice(reason, manifest.limits))}"
            )
    if not steps:
        steps.append("Every check passed. There is nothing to mend in your code.")
    if any(q.manual and _marked(row, q.name) for q in manifest.questions):
        steps.append("Read the comments on what you wrote.")
    due = f" The assignment is due on {_time(manifest.due)}." if manifest.due else ""
    steps.append(f"If you hand in again, the newest notebook counts.{due}")
    items = "\n".join(f"<li>{step}</li>" for step in steps)
    head = '<section class="next" aria-labelledby="next"><h2 id="next">What to do next</h2>'
    return f"{head}\n<ul>\n{items}\n</ul></section>"


def _listed(names):
    shown = [f"<q>{text(name)}</q>" for name in names[:4]]
    more = [_count(len(names) - 4, "more cell")] if len(names) > 4 else []
    return ("cell " if len(names) == 1 else "the cells ") + ", ".join(shown + more)


def _count(n, noun):
    return f"{n} {noun}" + ("" if n == 1 else "s")


def _question(name, points, most, inside):
    """A question's heading with its points, and what is under it."""
    got = f"{number(points)} of {number(most)}" if points is not None else f"? of {number(most)}"
    spoken = "" if points is not None else '<span class="soft"> (not marked yet)</span>'
    return (
        f'<section><div class="head"><h2>{text(name)}</h2><p>{got} points{spoken}</p></div>\n'
        f"{inside}</section>"
    )


def _links(cells, manifest):
    """For each question, links to the cells that answer it."""
    asked = {cell.id: cell.question for cell in manifest.cells if cell.role == "answer"}
    links = {}
    for i, cell in enumerate(cells, 1):
        if cell["id"] in asked:
            link = f'<a href="#cell-{i}">{text(cell["id"])}</a>'
            links.setdefault(asked[cell["id"]], []).append(link)
    return links


def _automatic(question, found, links):
    if found is None:
        return _question(question.name, 0, question.points, "<p>It was not checked.</p>")
    hidden, lines = 0, []
    for check in found["checks"]:
        hidden += check["hidden"]
        title = f"Hidden check {hidden} of {question.name}" if check["hidden"] else check["title"]
        lines.append(_check(check, title))
    inside = '<ul class="checks">\n' + "\n".join(lines) + "\n</ul>"
    if question.name in links:
        inside += f"\n<p>Your code: {', '.join(links[question.name])}</p>"
    return _question(question.name, found["points"], found["max"], inside)


def _check(check, title):
    kind, sign = {"passed": ("good", "✓"), "partial": ("some", "◐")}.get(
        check["reason"], ("bad", "✗")
    )
    message = check["message"] if check["reason"] != "passed" else ""
    shown = f'<p class="message">{text(message)}</p>' if message else ""
    points = f"{number(check['points'])} of {number(check['max'])}"
    return (
        f'<li><span class="sign {kind}" aria-hidden="true">{sign}</span>'
        f'<span class="{kind}">{text(_reasons.label(check["reason"]))}</span>: '
        f'{text(title or check["name"])} <span class="soft">({points})</span>{shown}</li>'
    )


def _marked(row, name):
    """The mark of a person that counts for this submission, or None."""
    mark = row.manual.get(name)
    return mark if mark and mark.points is not None and not mark.stale else None


def _manual(question, written, row):
    mark, parts = _marked(row, question.name), []
    if mark:
        earned = mark.rubric.split(" | ")
        lines = []
        for line in question.rubric:
            has = line.text in earned
            said = "earned" if has else "not earned"
            lines.append(
                f'<li><span class="sign {"good" if has else "soft"}" aria-hidden="true">'
                f"{'✓' if has else '○'}</span>{text(line.text)} "
                f'<span class="soft">({number(line.points)}, {said})</span></li>'
            )
        if lines:
            parts.append('<ul class="rubric">\n' + "\n".join(lines) + "\n</ul>")
        if mark.comment:
            parts.append(f"<h3>Comment</h3><blockquote>{text(mark.comment)}</blockquote>")
    else:
        parts.append("<p>A person marks this answer; that has not been done yet.</p>")
    parts.append(
        f'<h3>What you wrote</h3><pre dir="auto">{text(written)}</pre>'
        if written and written.strip()
        else "<p>You left this answer empty.</p>"
    )
    points = mark.points if mark else None
    return _question(question.name, points, question.points, "\n".join(parts))


def _flags(flags):
    if not flags:
        return ""
    items = "\n".join(f"<li>{text(flag)}</li>" for flag in flags)
    return f"<section><h2>Remarks on your notebook</h2>\n<ul>\n{items}\n</ul></section>"


def _cells(cells):
    """The student's cells as they ran; given ones only where they failed."""
    shown = [
        _cell(cell, f"cell-{i}")
        for i, cell in enumerate(cells, 1)
        if cell["role"] != "locked" or cell["status"] != "ok"
    ]
    if not shown:
        return ""
    head = '<section><h2 id="cells">Your cells, as they ran here</h2>\n'
    return head + "\n".join(shown) + "</section>"


def _cell(cell, place):
    """One cell, folded; its place is inside, so that a link to it unfolds it."""
    ok = cell["status"] == "ok"
    said = "ran" if ok else _reasons.LABELS.get(cell["status"], cell["status"])
    if cell["status"] == "error":
        said = "stopped with an error"
    body = [f'<h3 id="{place}">Code</h3><pre>{text(cell["source"])}</pre>']
    if cell["message"]:
        body.append(f"<h3>Error</h3><pre>{text(cell['message'])}</pre>")
    if cell["outputs"]:
        body.append("<h3>Output</h3>" + "\n".join(map(_output, cell["outputs"])))
    return (
        f"<details><summary>{text(cell['id'])}: "
        f'<span class="{"good" if ok else "bad"}">{text(said)}</span></summary>\n'
        + "\n".join(body)
        + "</details>"
    )


def _output(output):
    kind, data = output
    if kind == "text":
        return f"<pre>{text(data)}</pre>"
    shown = picture(data)
    if shown is None:
        return '<p class="soft">A picture was left out: no PNG of a size that can be shown.</p>'
    width, height, data = shown
    return (
        f'<img src="data:image/png;base64,{data}" width="{width}" height="{height}" '
        'alt="Picture that this cell drew">'
    )


def _foot(result):
    return (
        '<footer class="soft"><p>The same notebook gets the same points whenever it is checked. '
        "When you ask about your mark, give this number: "
        f"<code>{text(result['submission'][:12])}</code>.</p></footer>"
    )
