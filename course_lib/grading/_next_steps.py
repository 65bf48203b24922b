"""The first thing on a student's page: what to mend, most urgent first."""

from course_lib.grading import _reasons
from course_lib.grading._page import moment, text


def counts(row, name):
    """Return the mark of a person that counts for this submission, or None."""
    mark = row.manual.get(name)
    return mark if mark and mark.points is not None and not mark.stale else None


def next_steps(result, manifest, row):
    """What to mend, most urgent first, each reason with the questions that it concerns."""
    where = {}
    for question in result["questions"]:
        for check in question["checks"]:
            if check["reason"] != "passed":
                names = where.setdefault(_reasons.reason_of(check), {})
                names[question["name"]] = names.get(question["name"], 0) + 1
    for cell in result["cells"]:
        if cell["status"] in _reasons.ORDER and cell["status"] != "error":
            where.setdefault(cell["status"], {})
    stopped = [c["id"] for c in result["cells"] if c["status"] == "error"]
    steps = []
    if stopped:
        steps.append(
            f"<strong>An error in {_listed(stopped)}.</strong> Mend that first: the error stands "
            'under <a href="#cells">your cells</a> below.'
        )
    places = {q.name: f"question-{i}" for i, q in enumerate(manifest.questions, 1)}
    for reason in _reasons.ORDER:
        if reason in where:
            at = [
                f'<a href="#{places[name]}">{text(name)}</a> ({_count(n, "check")})'
                for name, n in where[reason].items()
            ]
            steps.append(
                f"<strong>{text(_reasons.label(reason))}"
                + (f": {', '.join(at)}." if at else ".")
                + f"</strong> {text(_reasons.advice(reason, manifest.limits))}"
            )
    if not steps:
        steps.append("Every check passed. There is nothing to mend in your code.")
    if any(q.manual and counts(row, q.name) for q in manifest.questions):
        steps.append("Read the comments on what you wrote.")
    due = f" The assignment is due on {moment(manifest.due)}." if manifest.due else ""
    steps.append(f"If you hand in again, the newest notebook counts.{due}")
    items = "\n".join(f"<li>{step}</li>" for step in steps)
    head = '<section class="next" aria-labelledby="next"><h2 id="next">What to do next</h2>'
    return f"{head}\n<ul>\n{items}\n</ul></section>"


def _listed(names):
    """The first few cells by name; names of added cells may be anything."""
    short = [name if len(name) <= 40 else name[:39] + "…" for name in names[:3]]
    more = [_count(len(names) - 3, "more cell")] if len(names) > 3 else []
    shown = [f"<q>{text(name)}</q>" for name in short] + more
    return ("the cell " if len(names) == 1 else "the cells ") + ", ".join(shown)


def _count(n, noun):
    return f"{n} {noun}" + ("" if n == 1 else "s")
