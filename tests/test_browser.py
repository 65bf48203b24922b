"""Windows that tests share: what one test did to its window, the next does not see."""

import pytest

from tests.browser import StaticServer, Windows, visit_page

# On leaving, as the theme does with the place of its sidebar.
PAGE = """<!doctype html><title>A</title><script>
    addEventListener("beforeunload", () => { sessionStorage.place = 1; localStorage.place = 1; });
</script>"""
STATE = """() => [innerWidth, matchMedia("print").matches, localStorage.length,
    sessionStorage.length, document.cookie, typeof window.told]"""
BLANK = [700, False, 0, 0, "", "undefined"]


@pytest.fixture
def shared(browser):
    kept = Windows(browser)
    yield kept
    kept.close()


@pytest.fixture
def url(tmp_path):
    (tmp_path / "a.html").write_text(PAGE, encoding="utf-8")
    with StaticServer(tmp_path) as server:
        yield f"{server.url}/a.html"


def test_what_pages_keep_is_forgotten_in_the_same_window(shared, url):
    first = visit_page(shared.take(width=700), url, settle_ms=0)
    first.page.evaluate(
        "() => { localStorage.a = sessionStorage.a = 1; document.cookie = 'a=1'; window.told = 1 }"
    )
    first.page.set_default_timeout(1)
    first.page.reload(timeout=30_000)
    shared.give_back(first, width=700)
    second = visit_page(shared.take(width=700), url, settle_ms=0)
    assert second.page is first.page
    assert second.page.evaluate(STATE) == BLANK
    second.page.evaluate("setTimeout(() => document.body.append(document.createElement('b')), 50)")
    second.page.locator("b").wait_for(state="attached")
    shared.give_back(second, width=700)


@pytest.mark.parametrize(
    "change",
    [
        lambda page, heard: page.set_viewport_size({"width": 900, "height": 900}),
        lambda page, heard: page.emulate_media(media="print"),
        lambda page, heard: page.on("response", lambda r: heard.append(r.url)),
        lambda page, heard: page.context.on("response", lambda r: heard.append(r.url)),
        lambda page, heard: page.add_init_script("window.told = 1"),
        lambda page, heard: page.context.add_init_script("window.told = 1"),
        lambda page, heard: page.route("**/a.html", lambda route: route.abort()),
        lambda page, heard: page.close(),
    ],
    ids=["width", "print", "hear", "hear all", "script", "script for all", "route", "close"],
)
def test_what_a_test_changed_is_not_there_for_the_next(shared, url, change):
    heard = []
    first = visit_page(shared.take(width=700), url, settle_ms=0)
    change(first.page, heard)
    shared.give_back(first, width=700)
    heard.clear()
    second = visit_page(shared.take(width=700), url, settle_ms=0)
    assert second.page.evaluate(STATE) == BLANK
    assert (second.complaints, heard) == ([], [])
    shared.give_back(second, width=700)
