"""The HTML of every page, read without a browser: links, headings, pictures, formulas, icons."""

import itertools
import re
from urllib.parse import unquote, urlsplit

import pytest
from fontTools.ttLib import TTFont

# KaTeX prints in this colour what it could not read; see its option errorColor.
KATEX_ERROR = re.compile(r"katex-error|#cc0000", re.IGNORECASE)


@pytest.fixture(scope="module")
def glyphs(built_book):
    icons = built_book / "_static/vendor/fontawesome/webfonts/fa-solid-900.woff2"
    with TTFont(icons) as font:
        return set(font.getBestCmap())


def test_language_title_and_one_main(soup):
    assert soup.html["lang"] == "en"
    assert len(soup.title.get_text(strip=True)) > 5
    assert len(soup.select("main")) == 1


def test_one_h1_and_no_level_skipped(soup):
    levels = [int(h.name[1]) for h in soup.select("h1, h2, h3, h4, h5, h6")]
    assert levels.count(1) == 1
    assert levels[0] == 1
    for before, after in itertools.pairwise(levels):
        assert after <= before + 1, f"h{after} follows h{before}"


def test_ids_are_unique(soup):
    ids = [tag["id"] for tag in soup.select("[id]")]
    assert sorted(ids) == sorted(set(ids))


def test_internal_links_resolve(soups, page_path, built_book):
    here = built_book / page_path
    broken = []
    for tag in soups[page_path].select("[href], [src]"):
        link = tag.get("href") or tag.get("src")
        parts = urlsplit(link)
        if parts.scheme or parts.netloc or link.startswith("#demo="):
            continue
        target = (here.parent / unquote(parts.path)).resolve() if parts.path else here.resolve()
        if not target.is_file():
            broken.append(link)
        elif parts.fragment and target.suffix == ".html":
            ids = soups.ids(str(target.relative_to(built_book.resolve())))
            if unquote(parts.fragment) not in ids:
                broken.append(link)
    assert broken == []


def test_demo_links_name_a_demo_on_the_page(soup):
    demos = [host["data-demo"] for host in soup.select(".sbs-demo")]
    assert len(demos) == len(set(demos)), "two demos of one name"
    for link in soup.select("a.demo-link, a[href^='#demo=']"):
        name = re.match(r"#demo=([^&]+)", link["href"])
        assert name and unquote(name[1]) in demos, link["href"]


def test_nothing_is_loaded_from_elsewhere(soup):
    loading = soup.select("script[src], link[href], img[src], iframe, object, embed, source")
    for tag in loading:
        link = tag.get("src") or tag.get("href") or tag.get("data") or ""
        assert urlsplit(link).scheme in ("", "data"), str(tag)[:200]
    for style in soup.select("style"):
        assert "http" not in style.get_text()


def test_style_sheets_load_nothing_from_elsewhere(built_book):
    sheets = list(built_book.rglob("*.css"))
    assert sheets
    for sheet in sheets:
        text = sheet.read_text(encoding="utf-8")
        for link in re.findall(r"url\(\s*['\"]?([^'\")]+)", text):
            if link.startswith(("data:", "#")):
                continue
            assert not urlsplit(link).scheme, f"{sheet.name}: {link}"
            target = (sheet.parent / link.split("?")[0].split("#")[0]).resolve()
            is_cut = re.search(r"fa-(brands|regular)|\.ttf|\.woff$", link)
            assert target.is_file() or is_cut, f"{sheet.name}: {link}"


def test_scripts_of_demo_pages_only(soup):
    scripts = [tag["src"].split("/")[-1].split("?")[0] for tag in soup.select("script[src]")]
    has_demo = bool(soup.select(".sbs-demo"))
    assert ("sbs.js" in scripts) == has_demo
    views = sorted({demo["class"][1] for demo in soup.select(".sbs-demo[data-demo]")})
    in_head = soup.head.select("script[src*='/sbs']")
    expected = ["sbs.js", *(f"{view}.js" for view in views)] if has_demo else []
    assert [tag["src"].split("/")[-1].split("?")[0] for tag in in_head] == expected  # kit first
    for tag in in_head:  # must run before the first demo is parsed
        assert not tag.has_attr("defer") and not tag.has_attr("async")
    assert not [name for name in scripts if re.search("mathjax|thebe|require|widgets", name, re.I)]


def test_pictures_have_words(soup):
    for picture in soup.select("img"):
        assert picture.has_attr("alt"), str(picture)[:200]
    for figure in soup.select("article svg"):
        if figure.find_parent(class_="katex") or figure.get("aria-hidden") == "true":
            continue
        assert figure.get("role") == "img", str(figure)[:200]
        title = figure.find("title")
        words = figure.get("aria-label") or (title and title.get_text())
        assert words and len(words) > 5, str(figure)[:200]


def test_formulas_are_rendered_and_none_in_red(soup):
    for formula in soup.select(".math"):
        assert formula.select_one(".katex"), formula.get_text()[:80]
        assert not KATEX_ERROR.search(str(formula)), formula.get_text()[:200]
    assert "MathJax" not in str(soup.head)


def test_each_icon_has_its_glyph(soup, built_book, glyphs):
    css = (built_book / "_static/styles/pydata-sphinx-theme.css").read_text(encoding="utf-8")
    sizes = {"fa-solid", "fa-lg", "fa-sm", "fa-fw", "fa-xs", "fa-xl"}
    used = {c for tag in soup.select("[class*=fa-]") for c in tag["class"] if c.startswith("fa-")}
    assert used
    for name in used - sizes:
        rule = re.search(rf'\.{name}:before[^{{]*\{{content:"\\([0-9a-f]+)"', css)
        assert rule, f"the style sheet has lost .{name}"
        assert int(rule[1], 16) in glyphs, f"the font has no glyph for .{name}"
    assert not {c for tag in soup.select("i, span") for c in tag.get("class", ())} & {
        "fab",
        "far",
        "fa-brands",
        "fa-regular",
    }


def test_download_link_gives_the_notebook(soup, page_path):
    link = soup.select_one(".article-header-buttons a[download]")
    assert (link is not None) == page_path.startswith("notebooks/")
    if link is not None:
        assert link["href"].endswith(".ipynb")


def test_outputs_show_no_path_of_a_machine(soup):
    for output in soup.select(".cell_output"):
        assert not re.search(r"/(home|root|tmp|Users|work)/", output.get_text())


def test_quiz_and_demo_text_is_in_the_page(soup):
    for fallback in soup.select(".sbs-fallback"):
        picture = fallback.find("img")
        words = (picture or {}).get("alt") or fallback.get_text(" ", strip=True)
        assert len(words) > 20, str(fallback)[:200]
