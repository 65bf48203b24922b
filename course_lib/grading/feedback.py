"""One page a student: points, what each check said, and what to do next.

A page is a single file without scripts, for phones, screen readers and printers, light and dark.
Nothing of a hidden check is on it but its result.
"""

from course_lib.grading import _reasons, files, gradebook, results
from course_lib.grading._next_steps import counts, next_steps
from course_lib.grading._own_cells import answered, links_of, shown_cells
from course_lib.grading._page import document, moment, number, text

_STYLE = """
.score { font-size: 1.25rem; margin: .25rem 0; }
.next { border-left: 4px solid var(--link); background: var(--box); border-radius: 6px;
  padding: .25rem 1rem .75rem; margin: 1.5rem 0; }
.next h2 { margin-top: .75rem; }
.next ul { padding-left: 1.25rem; }
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
summary + h3 { margin-top: 0; }
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
    links = links_of(result["cells"], manifest)
    found = {question["name"]: question for question in result["questions"]}
    parts = [_head(manifest, row), "<main>", next_steps(result, manifest, row)]
    for i, question in enumerate(manifest.questions, 1):
        if question.manual:
            written = answered(manifest, question.name, result["written"])
            points, inside = _manual(question, written, row)
        else:
            points, inside = _automatic(question, found.get(question.name), links)
        parts.append(_question(f"question-{i}", question, points, inside))
    parts += [_flags(result["flags"]), shown_cells(result["cells"]), "</main>"]
    parts.append(_foot(result))
    return document(f"Feedback: {manifest.title}", _STYLE, "\n".join(filter(None, parts)))


def write(workspace, name, only=(), progress=None):
    """Write a page for each student whose submission has been graded.

    A page that is no longer true, because a newer submission waits, is taken away.

    Parameters
    ----------
    workspace : Workspace
    name : str
        Of the assignment.
    only : tuple of str
        Students; by default all.
    progress : callable or None
        Called as progress(done, total).

    Returns
    -------
    paths : list of Path
        ``feedback/STUDENT.html``, in the order of the roster.

    Raises
    ------
    ValueError
        If a student is unknown, or asked for and not graded.
    """
    wanted = {workspace.student(student).student for student in only}
    manifest, folder = workspace.manifest(name), workspace.path(name, "feedback")
    digest = gradebook.digest(workspace, name)
    rows = [r for r in gradebook.rows(workspace, name) if not wanted or r.student in wanted]
    paths = []
    for done, row in enumerate(rows, 1):
        path = folder / f"{row.student}.html"
        if row.auto is not None:
            result = results.load(workspace, name, row.submission, digest)
            files.write_file(path, render(result, manifest, row))
            paths.append(path)
        elif wanted:
            raise ValueError(f"{row.student}: {row.state}; use `course-grade run {name}` first")
        else:
            path.unlink(missing_ok=True)
        if progress:
            progress(done, len(rows))
    return paths


def _head(manifest, row):
    """Whose page it is, and the points."""
    marks = {q: counts(row, q.name) for q in manifest.questions if q.manual}
    waiting = [q.name for q, mark in marks.items() if mark is None]
    lines, so_far = [], ""
    total, most = row.total, row.max
    if waiting or row.late_percent is None:
        total = row.auto + sum(mark.points for mark in marks.values() if mark)
        most = row.auto_max + sum(q.points for q, mark in marks.items() if mark)
        so_far = " so far"
    if waiting:
        lines.append(f"Still to be marked by a person: {text(', '.join(waiting))}.")
    if row.late_percent is None:
        lines.append("It came late; what is taken off for that has not been settled yet.")
    elif row.late_percent and so_far:
        lines.append(f"It came late: {number(row.late_percent)} % will be taken off.")
    elif row.late_percent:
        lines.append(f"It came late: {number(row.late_percent)} % has been taken off.")
    if row.submitted:
        when = moment(row.submitted)
        lines.append(f"This is about the notebook that you handed in on {when}.")
    return (
        f'<header><p class="soft">{text(manifest.title)}</p>\n'
        f"<h1>Feedback for <bdi>{text(row.name or row.student)}</bdi></h1>\n"
        f'<p class="score"><strong>{number(total)}</strong> of {number(most)} points{so_far}</p>\n'
        + "".join(f"<p>{line}</p>\n" for line in lines)
        + "</header>"
    )


def _question(place, question, points, inside):
    """A question's heading with its points, and what is under it."""
    most, note = number(question.points), ""
    if points is None:
        note = '<span class="soft"> (not marked yet)</span>'
    got = "?" if points is None else number(points)
    return (
        f'<section><div class="head"><h2 id="{place}">{text(question.name)}</h2>'
        f"<p>{got} of {most} points{note}</p></div>\n{inside}</section>"
    )


def _automatic(question, found, links):
    """Points, and one line a check."""
    if found is None:
        return 0, "<p>It was not checked.</p>"
    hidden, lines = 0, []
    for check in found["checks"]:
        hidden += check["hidden"]
        title = f"Hidden check {hidden} of {question.name}" if check["hidden"] else check["title"]
        lines.append(_check(check, title))
    inside = '<ul class="checks">\n' + "\n".join(lines) + "\n</ul>"
    if question.name in links:
        inside += f"\n<p>Your code: {', '.join(links[question.name])}</p>"
    return found["points"], inside


def _check(check, title):
    reason = _reasons.reason_of(check)
    kind, sign = {"passed": ("good", "✓"), "partial": ("some", "◐")}.get(reason, ("bad", "✗"))
    title = (title or check["name"]).rstrip(".")
    message = "" if reason in ("passed", _reasons.UNANSWERED) else check["message"]
    shown = f'<p class="message">{text(message)}</p>' if message else ""
    points = f"{number(check['points'])} of {number(check['max'])}"
    return (
        f'<li><span class="sign {kind}" aria-hidden="true">{sign}</span>'
        f'<span class="{kind}">{text(_reasons.label(reason))}</span>: '
        f'{text(title)} <span class="soft">({points})</span>{shown}</li>'
    )


def _manual(question, written, row):
    """Points or None, and what the person said."""
    mark, parts = counts(row, question.name), []
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
        if written
        else "<p>You left this answer empty.</p>"
    )
    return (mark.points if mark else None), "\n".join(parts)


def _flags(flags):
    if not flags:
        return ""
    items = "\n".join(f"<li>{text(flag)}</li>" for flag in flags)
    return f"<section><h2>Remarks on your notebook</h2>\n<ul>\n{items}\n</ul></section>"


def _foot(result):
    return (
        '<footer class="soft"><p>The same notebook gets the same points whenever it is checked. '
        "When you ask about your mark, give this number: "
        f"<code>{text(result['submission'][:12])}</code>.</p></footer>"
    )
