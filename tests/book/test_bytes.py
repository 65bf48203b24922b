"""Byte budgets, counted as a server sends them with gzip: what a reader on a slow line waits for.

The goals stand in the design: 250 KB for a page of text, 300 KB with demos, 25 KB for the code of
all demos of one page, 15 KB for the inline state of one. 1 KB = 1000 bytes.
"""

import gzip

import pytest

TEXT_PAGE, DEMO_PAGE, DEMO_CODE, DEMO_STATE = 250_000, 300_000, 25_000, 15_000


def gzipped(data):
    return len(gzip.compress(data, 6, mtime=0))


def test_page_transfer(desktop, server):
    """With all boxes open and the page scrolled to its end."""
    sizes = {url: server.wire_bytes(url) for url in desktop.responses}
    assert sizes, "nothing was counted"
    total, budget = sum(sizes.values()), DEMO_PAGE if desktop.demos else TEXT_PAGE
    largest = sorted(sizes.items(), key=lambda item: -item[1])[:5]
    assert total <= budget, f"{total} bytes, allowed {budget}; largest: {largest}"


def test_demo_code(built_book, soup, page_path):
    """The kit and the views that one page loads; a page loads those of its own demos only."""
    links = [tag["src"] for tag in soup.select("script[src*='_static/sbs']")]
    links += [tag["href"] for tag in soup.select("link[href*='_static/sbs']")]
    names = [link.split("/")[-1].split("?")[0] for link in links]
    views = {demo["class"][1].removeprefix("sbs-") for demo in soup.select(".sbs-demo[data-demo]")}
    kit = {"sbs.js", "sbs.css"} if views else set()
    assert set(names) == kit | {f"sbs-{view}.{end}" for view in views for end in ("js", "css")}
    sizes = {name: gzipped((built_book / "_static" / name).read_bytes()) for name in names}
    print(f"{page_path}: {sum(sizes.values())} bytes of demo code, {sizes}")
    assert sum(sizes.values()) <= DEMO_CODE, sizes


def test_inline_state_of_each_demo(soup):
    for demo in soup.select(".sbs-demo"):
        state = demo.find("script", type="application/json").string.encode()
        assert len(state) <= DEMO_STATE, f"{demo.get('data-demo')}: {len(state)} bytes"


@pytest.mark.parametrize("name", ["fontawesome.js", "bootstrap.js"])
def test_scripts_that_nothing_needs_are_gone(built_book, name):
    assert not list(built_book.rglob(f"{name}*"))
