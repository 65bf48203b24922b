"""Mend the HTML of every page: native boxes, boxes that scroll, scripts only where needed."""

from bs4 import BeautifulSoup
from docutils import nodes

# Loaded by extensions on every page, used by none.
UNUSED_SCRIPTS = ("design-tabs.js",)


def dropdowns(soup):
    """Turn dropdown admonitions into details/summary, which need no script and cannot shift."""
    for box in soup.select("div.admonition.dropdown"):
        title = box.find("p", class_="admonition-title", recursive=False)
        box.name, title.name = "details", "summary"
        for link in title.find_all("a"):  # a click on the title opens the box
            link.unwrap()
        box["class"] = [c for c in box["class"] if c != "dropdown"]
        body = soup.new_tag("div", attrs={"class": "details-body"})
        for child in list(title.next_siblings):
            body.append(child.extract())
        box.append(body)


def hidden_cells(soup):
    """Hidden code: one label that says what is hidden, in place of an aria-label that does not."""
    for summary in soup.select("details.hide > summary"):
        box = summary.parent
        what = "code" if "above-input" in box.get("class", ()) else "output"
        if "above-code" in box.get("class", ()):
            what = "code and output"
        del summary["aria-label"]
        summary.clear()
        summary.string = f"Show the {what}"
        box["class"] = ["hide"]


def wide_things(soup):
    """Tables and figures scroll in their own box, never the page."""
    for table in soup.select("table"):
        if table.find_parent(class_="sbs-demo"):
            continue
        box = table.parent
        if "pst-scrollable-table-container" not in box.get("class", ()):
            box = table.wrap(soup.new_tag("div"))
        box["class"] = ["table-box"]
    for figure in soup.select(".cell_output svg[role=img]"):
        if not figure.find_parent(class_="sbs-demo"):
            figure.wrap(soup.new_tag("div", attrs={"class": "figure-box"}))


def empty_header_cells(soup):
    """An empty corner of a table is no header."""
    for cell in soup.select("th"):
        if not cell.get_text(strip=True) and not cell.find(["img", "svg"]):
            cell.name = "td"


def repeated_ids(soup):
    """The boxes of all exercises carry the same id."""
    for section in soup.select("#exercise-content, #solution-content"):
        section["class"] = [*section.get("class", ()), section["id"]]
        del section["id"]


def roles(soup):
    """Entries of the bibliography get the role of their list's items, not a deprecated one."""
    for entry in soup.select("div.citation[role=doc-biblioentry]"):
        entry["role"] = "listitem"


def description(doctree):
    """Return the first real sentence of a page, for search engines."""
    for paragraph in doctree.findall(nodes.paragraph):
        text = " ".join(paragraph.astext().split())
        if len(text) > 40 and not text.startswith("Time:"):
            return text if len(text) <= 160 else text[:157].rsplit(" ", 1)[0] + " …"
    return ""


def demo_views(soup):
    """Return the kinds of demo on the page, as ``trellis`` for a host of class ``sbs-trellis``."""
    hosts = soup.select(".sbs-demo[data-demo]")
    names = {name for host in hosts for name in host["class"] if name != "sbs-demo"}
    return sorted(name.removeprefix("sbs-") for name in names)


def mend(app, pagename, templatename, context, doctree):
    context["demo_views"], context["has_math"] = [], False
    context["script_files"] = [
        script
        for script in context.get("script_files", ())
        if not str(getattr(script, "filename", script)).endswith(UNUSED_SCRIPTS)
    ]
    if doctree is None or "body" not in context:
        return
    source = app.env.doc2path(pagename, base=False)
    context["notebook_source"] = source if source.endswith(".ipynb") else ""
    context["description"] = description(doctree)
    soup = BeautifulSoup(context["body"], "html.parser")
    context["demo_views"] = demo_views(soup)
    context["has_math"] = soup.find(class_="katex") is not None
    for change in (dropdowns, hidden_cells, wide_things, empty_header_cells, repeated_ids, roles):
        change(soup)
    context["body"] = soup.decode(formatter="minimal")


def setup(app):
    app.connect("html-page-context", mend, priority=900)
