"""A page talks to nobody and complains about nothing, from a server and from a folder."""

import pytest


def test_page_from_a_server_is_local_and_silent(desktop):
    assert desktop.complaints == []


def test_page_from_a_folder_is_local_and_silent(folder):
    assert folder.complaints == []


@pytest.mark.parametrize("over", ["http", "file"])
def test_theme_switch_and_search_box_are_silent(open_page, over):
    visit = open_page("index.html", over=over)
    page = visit.page
    before = page.evaluate("document.documentElement.dataset.mode")
    seen = [before]
    for _ in range(3):
        page.locator(".theme-switch-button:visible").first.click()
        seen.append(page.evaluate("document.documentElement.dataset.mode"))
    assert set(seen) == {"auto", "light", "dark"}
    assert seen[-1] == before
    page.locator(".search-button:visible").first.click()
    assert page.locator("#pst-search-dialog input").is_visible()
    assert visit.complaints == []


def test_the_chosen_theme_is_kept_and_set_before_the_first_paint(open_page):
    visit = open_page("index.html", theme="dark")
    page = visit.page
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.evaluate("localStorage.setItem('mode', 'light')")
    page.add_init_script(
        "addEventListener('DOMContentLoaded', () => {"
        " window.atFirst = document.documentElement.dataset.theme; }, {once: true, capture: true})"
    )
    page.reload(wait_until="load")
    assert page.evaluate("window.atFirst") == "light"


@pytest.mark.parametrize("over", ["http", "file"])
def test_search_finds_the_forward_algorithm(open_page, over):
    visit = open_page("search.html?q=forward+algorithm", over=over, settle_ms=0)
    result = visit.page.locator("#search-results .search li a").first
    result.wait_for(state="visible", timeout=10_000)
    visit.page.wait_for_timeout(500)
    assert visit.complaints == []
    target = result.get_attribute("href").split("?")[0]
    assert target.endswith(".html") or "#" in target
    # Over http a summary with the words stands below the title; a file page lists titles only.
    summaries = visit.page.locator("#search-results .search li .context").count()
    assert (summaries > 0) == (over == "http")
