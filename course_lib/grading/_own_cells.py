"""What the student handed in, as the feedback page shows it: text, code, errors, outputs."""

from course_lib.grading import _reasons
from course_lib.grading._page import picture, text


def answered(manifest, question, written):
    """Return the written answer, empty if it is as it was handed out."""
    answer = written.get(question, "").strip()
    given = {c.source.strip() for c in manifest.cells if c.role == "written"}
    return "" if answer in given else answer


def links_of(cells, manifest):
    """Return for each question links to the cells that answer it."""
    asked = {cell.id: cell.question for cell in manifest.cells if cell.role == "answer"}
    links = {}
    for i, cell in enumerate(cells, 1):
        if cell["id"] in asked:
            link = f'<a href="#cell-{i}">{text(cell["id"])}</a>'
            links.setdefault(asked[cell["id"]], []).append(link)
    return links


def shown_cells(cells):
    """Return the student's cells as they ran; given ones only where they failed."""
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
    body = [f'<h3 id="{place}">Code</h3><pre>{text(cell["source"])}</pre>']
    if cell["message"]:
        body.append(f"<h3>Error</h3><pre>{text(cell['message'])}</pre>")
    if cell["outputs"]:
        body.append("<h3>Output</h3>" + "\n".join(map(_output, cell["outputs"])))
    said = (
        f'<span class="{"good" if ok else "bad"}">{text(_reasons.of_cell(cell["status"]))}</span>'
    )
    head = f"<details><summary>{text(cell['id'])}: {said}</summary>\n"
    return head + "\n".join(body) + "</details>"


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
