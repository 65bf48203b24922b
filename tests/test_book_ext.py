"""Our Sphinx extension: style sheets cut down, formulas checked, HTML mended."""

import doctest

import pytest
from bs4 import BeautifulSoup
from sphinx.errors import ExtensionError

from course_lib.book_ext import assets, mathematics, pages


class TestPrune:
    def test_examples_in_the_docstrings(self):
        failed, tried = doctest.testmod(assets)
        assert tried >= 2 and failed == 0

    @pytest.mark.parametrize(
        "css, kept",
        [
            ('@charset "UTF-8";.a{x:1}', '@charset "UTF-8";.a{x:1}'),
            (".gone .a{x:1}p{y:2}", "p{y:2}"),
            (".a:not(.gone){x:1}", ".a:not(.gone){x:1}"),
            ('.a:before{content:"}"}.gone{x:1}', '.a:before{content:"}"}'),
            ("@font-face{src:url(f)}.gone{x:1}", "@font-face{src:url(f)}"),
            ("@media print{.a{x:1}.gone{y:2}}", "@media print{.a{x:1}}"),
            ("/*! licence */.gone{x:1}", "/*! licence */"),
            ("#gone,[data-x='.gone']{x:1}", "[data-x='.gone']{x:1}"),
        ],
    )
    def test_keeps_what_can_match(self, css, kept):
        assert assets.prune(css, {"a"}) == kept

    def test_open_brace_is_an_error(self):
        with pytest.raises(ExtensionError, match="open brace"):
            assets.prune(".a{x:1", {"a"})


class TestIcons:
    def test_every_named_icon_is_in_the_font(self, tmp_path):
        from fontTools.ttLib import TTFont

        css = (assets.PYDATA / "styles/pydata-sphinx-theme.css").read_text(encoding="utf-8")
        assets.cut_icon_font(tmp_path / "icons.woff2")
        with TTFont(tmp_path / "icons.woff2") as font:
            glyphs = font.getBestCmap()
        assert assets.codepoints(css, assets.ICONS) <= set(glyphs)
        assert (tmp_path / "icons.woff2").stat().st_size < 6000

    def test_unknown_icon_is_named(self):
        with pytest.raises(ExtensionError, match=r"no icons named \['no-such-icon'\]"):
            assets.codepoints('.fa-bars:before{content:"\\f0c9"}', ["bars", "no-such-icon"])


class TestMathematics:
    def test_formula_becomes_html_and_mathml(self):
        html, complaints = mathematics.render(r"\alpha_t \sum_i A_{ij}", True)
        assert complaints == []
        assert 'class="katex-display"' in html and "<math" in html

    @pytest.mark.parametrize("latex", [r"\frac{1}{", r"\nosuchcommand", r"a_b_c", "ä"])
    def test_mistakes_are_complaints(self, latex):
        html, complaints = mathematics.render(latex, False)
        assert len(complaints) >= 1
        assert "katex" in html

    def test_it_goes_on_after_a_mistake(self):
        mathematics.render(r"\frac{", False)
        assert mathematics.render("x + 1", False)[1] == []


class TestPages:
    def test_dropdown_becomes_details(self):
        soup = BeautifulSoup(
            '<div class="admonition dropdown tip" id="i"><p class="admonition-title">Hint '
            '<a href="#x">1.1</a></p><p>one</p><pre>a\n  b</pre></div>',
            "html.parser",
        )
        pages.dropdowns(soup)
        box = soup.details
        assert box["id"] == "i" and box["class"] == ["admonition", "tip"]
        assert box.summary.get_text() == "Hint 1.1"
        assert box.summary.a is None, "a link in a summary takes the click"
        assert str(box.pre) == "<pre>a\n  b</pre>"
        assert box.div.find_all(["p", "pre"], recursive=False) == [box.div.p, box.pre]

    def test_table_gets_a_box_once(self):
        soup = BeautifulSoup(
            '<div class="pst-scrollable-table-container"><table></table></div><table></table>'
            '<div class="sbs-demo"><table></table></div>',
            "html.parser",
        )
        pages.wide_things(soup)
        parents = [" ".join(t.parent["class"]) for t in soup.find_all("table")]
        assert parents == ["table-box", "table-box", "sbs-demo"]
        assert len(soup.find_all("div")) == 3

    def test_script_and_json_of_a_demo_survive(self):
        html = (
            '<div class="sbs-demo"><script type="application/json">{"a": "<b> & \\u003c"}</script>'
            "</div><script>window.sbs&&sbs.mount(1)</script>"
        )
        assert BeautifulSoup(html, "html.parser").decode(formatter="minimal") == html
