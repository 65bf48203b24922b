"""Everything that the pages load: taken from installed packages, cut down, served from the book.

When the pages are written the files go over the theme's, what no page loads goes away, and the
style sheets lose the rules that no page can match.
"""

import base64
import logging
import re
import shutil
from pathlib import Path

import pydata_sphinx_theme
import sphinx_book_theme
from bs4 import BeautifulSoup, SoupStrainer
from fontTools import subset
from sphinx.errors import ExtensionError

logging.getLogger("fontTools").setLevel(logging.WARNING)  # a line a table, otherwise
HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PYDATA = Path(pydata_sphinx_theme.__file__).parent / "theme/pydata_sphinx_theme/static"
BOOK_THEME = Path(sphinx_book_theme.__file__).parent / "theme/sphinx_book_theme/static"
KATEX = ROOT / "node_modules/katex/dist"
DEMOS = ROOT / "course_lib/demos/static"

# In nearly every formula: letters, digits and signs, large brackets and sums.
INLINE_FONTS = {
    f"KaTeX_{x}" for x in "Main-Regular Math-Italic Size1-Regular Size2-Regular".split()
}

# Every icon that a template, the theme's scripts or its style sheets can show. A test compares
# the built pages with the glyphs in the font.
ICONS = """
    angle-left angle-right arrow-up bars check chevron-down chevron-right chevron-up circle-check
    circle-half-stroke circle-info copy download lightbulb link list magnifying-glass moon sun
    triangle-exclamation xmark bell circle-xmark fire pencil circle-exclamation
""".split()


def codepoints(css, names):
    """Return the code point of each icon, read from the theme's style sheet."""
    found = {}
    for selectors, code in re.findall(r'([^{}]+)\{content:"\\([0-9a-f]+)"\}', css):
        for name in re.findall(r"\.fa-([a-z0-9-]+):before", selectors):
            found[name] = int(code, 16)
    missing = [name for name in names if name not in found]
    if missing:
        raise ExtensionError(f"the theme's style sheet has no icons named {missing}")
    return {found[name] for name in names}


def cut_font(source, target, wanted):
    """Write a font with only the glyphs of the wanted code points, as woff2."""
    options = subset.Options(flavor="woff2", layout_features=[], name_IDs=[0, 1, 2, 13, 14])
    with subset.load_font(str(source), options) as loaded:
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=wanted)
        cutter.subset(loaded)
        target.parent.mkdir(parents=True, exist_ok=True)
        subset.save_font(loaded, str(target), options)


def cut_icon_font(target):
    """Write the icon font with the glyphs in ICONS and those that the theme's rules name."""
    css = (PYDATA / "styles/pydata-sphinx-theme.css").read_text(encoding="utf-8")
    wanted = codepoints(css, ICONS)
    wanted |= {int(c, 16) for c in re.findall(r'--pst-icon-[a-z-]+:\s*"\\([0-9a-f]+)"', css)}
    cut_font(PYDATA / "vendor/fontawesome/webfonts/fa-solid-900.woff2", target, wanted)


def silence(source, target):
    """Copy a script without its messages to the console."""
    target.parent.mkdir(parents=True, exist_ok=True)
    text = source.read_text(encoding="utf-8").replace("console.log(", "void(")
    target.write_text(re.sub(r"\n?//# sourceMappingURL=.*", "", text), encoding="utf-8")


def used_in_formulas(html):
    """Return the code points of all characters in the formulas of the book."""
    formulas = SoupStrainer("span", class_="katex-html")
    text = set()
    for page in html.rglob("*.html"):
        source = page.read_text(encoding="utf-8")
        text.update(BeautifulSoup(source, "html.parser", parse_only=formulas).get_text())
    return {ord(character) for character in text}


def local_katex(target, wanted):
    """Write KaTeX's style sheet and its fonts, with the glyphs that the book's formulas use.

    The fonts of ordinary formulas stand in the style sheet itself: a font that arrives after the
    text moves the lines. Only woff2: the other formats serve browsers of before 2016.
    """
    if not KATEX.is_dir():
        raise ExtensionError(f"{KATEX} is missing: run `make book`, or `npm install` in {ROOT}")
    css = (KATEX / "katex.min.css").read_text(encoding="utf-8")
    css = re.sub(r',url\([^)]*\.(?:woff|ttf)\) format\("[^"]*"\)', "", css)
    for font in sorted((KATEX / "fonts").glob("*.woff2")):
        cut_font(font, target / "fonts" / font.name, wanted)
        if font.stem in INLINE_FONTS:
            data = base64.b64encode((target / "fonts" / font.name).read_bytes()).decode()
            css = css.replace(f"fonts/{font.name}", f"data:font/woff2;base64,{data}")
    (target / "katex.css").write_text(css, encoding="utf-8")


def fill_static(static):
    """Put our files over those that the themes and extensions have brought."""
    local_katex(static / "katex", used_in_formulas(static.parent))
    cut_icon_font(static / "vendor/fontawesome/webfonts/fa-solid-900.woff2")
    silence(PYDATA / "scripts/pydata-sphinx-theme.js", static / "scripts/pydata-sphinx-theme.js")
    silence(BOOK_THEME / "scripts/sphinx-book-theme.js", static / "scripts/sphinx-book-theme.js")
    for file in sorted((HERE / "assets").iterdir()):
        shutil.copyfile(file, static / file.name)
    for file in sorted(DEMOS.glob("sbs*")):
        shutil.copyfile(file, static / file.name)


def finish(app, exception):
    """Complete ``_static`` after the last page is written."""
    static = Path(app.outdir) / "_static"
    if exception or app.builder.name != "html":
        return
    fill_static(static)
    for pattern in ("**/*.map", "**/*.ttf", "**/fontawesome.js*", "**/bootstrap.js*"):
        for file in static.glob(pattern):
            file.unlink()
    for name in ("fa-brands-400", "fa-regular-400"):
        (static / f"vendor/fontawesome/webfonts/{name}.woff2").unlink(missing_ok=True)
    words = used_words(Path(app.outdir))
    for sheet in static.rglob("*.css"):
        if not sheet.name.startswith(("sbs", "book")):
            sheet.write_text(prune(sheet.read_text(encoding="utf-8"), words), encoding="utf-8")


def used_words(html):
    """Return every word of the pages and scripts: anything that could be a class name."""
    words = set()
    for pattern in ("*.html", "_static/**/*.js"):
        for file in html.rglob(pattern) if pattern == "*.html" else html.glob(pattern):
            words.update(re.findall(r"[\w-]+", file.read_text(encoding="utf-8")))
    return words


def prune(css, words):
    """Drop each rule all of whose selectors need a class or id that is not among ``words``.

    >>> prune("/* note */.a{x:1}.b,.a .c{y:2}@media print{.c{z:3}}", {"a", "b"})
    '.a{x:1}.b{y:2}'
    """
    licences = re.findall(r"/\*!.*?\*/", css, re.DOTALL)
    css = re.sub(r"/\*.*?\*/", "", css, flags=re.DOTALL)
    return "".join(licences) + "".join(kept_rules(css, words))


def kept_rules(css, words):
    position = 0
    while (opening := css.find("{", position)) >= 0:
        closing = matching_brace(css, opening)
        *statements, head = css[position:opening].split(";")  # @charset "..."; then a rule
        yield from (f"{statement.strip()};" for statement in statements)
        head, body = head.strip(), css[opening + 1 : closing].strip()
        position = closing + 1
        if head.startswith(("@media", "@supports")):
            body = "".join(kept_rules(body, words))
        elif not head.startswith("@"):
            head = ",".join(s for s in split_selectors(head) if matchable(s, words))
        if head and body:
            yield f"{head}{{{body}}}"


def matching_brace(css, opening):
    depth, quote = 0, ""
    for i in range(opening, len(css)):
        c = css[i]
        if quote:
            quote = "" if c == quote and css[i - 1] != "\\" else quote
        elif c in "\"'":
            quote = c
        elif c == "{":
            depth += 1
        elif c == "}":
            depth -= 1
            if depth == 0:
                return i
    raise ExtensionError(f"style sheet with an open brace: {css[opening : opening + 80]!r}")


def split_selectors(head):
    """Split at commas outside of brackets.

    >>> split_selectors(".a,.b:is(p,q),c")
    ['.a', '.b:is(p,q)', 'c']
    """
    parts, depth, start = [], 0, 0
    for i, c in enumerate(head):
        depth += (c in "([") - (c in ")]")
        if c == "," and depth == 0:
            parts.append(head[start:i])
            start = i + 1
    return [*(p.strip() for p in parts), head[start:].strip()]


def matchable(selector, words):
    """Whether a page could match: all classes and ids outside of :not() and :is() are known."""
    plain = re.sub(r":(?:not|is|where|has)\((?:[^()]|\([^()]*\))*\)|\[[^\]]*\]", "", selector)
    names = re.findall(r"[.#]((?:[\w-]|\\.)+)", plain)
    return all(name.replace("\\", "") in words for name in names)


def setup(app):
    app.connect("build-finished", finish, priority=900)
