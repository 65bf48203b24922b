"""Pages keep still while they load, fit a phone, print, and make sense without JavaScript."""


def test_nothing_shifts_on_a_desktop(desktop):
    assert desktop.shift <= 0.02


def test_nothing_shifts_on_a_phone(phone):
    assert phone.shift <= 0.02


def test_phone_has_no_sideways_scroll(phone):
    assert phone.width <= 375, f"{phone.width} px wide because of {phone.overflowing}"


def test_text_is_readable_on_a_phone(phone):
    assert phone.small_text == []


def test_without_javascript_pictures_and_text_remain(open_page, server, pages, built_book):
    with_demo = [p for p in pages if "sbs-demo" in (built_book / p).read_text(encoding="utf-8")]
    assert "index.html" in with_demo, "the landing page has a demo"
    page = open_page("index.html", java_script_enabled=False).page
    for path in with_demo:
        page.goto(f"{server.url}/{path}")
        for demo in page.locator(".sbs-demo").all():
            fallback = demo.locator(".sbs-fallback")
            picture = fallback.locator("img").first
            if picture.count():
                assert picture.bounding_box()["height"] > 20, f"{path}: picture does not show"
                assert len(picture.get_attribute("alt") or "") > 20
            else:
                assert len(fallback.inner_text().strip()) > 20, f"{path}: an empty demo"


def test_demos_are_mounted_where_javascript_runs(desktop, soup):
    assert len(desktop.demos) == len(soup.select(".sbs-demo"))
    for demo in desktop.demos:
        assert demo["error"] is None
        assert demo["controls"] > 0, "the demo did not mount"


def test_landing_page_shows_its_demo_above_the_fold(open_page):
    page = open_page("index.html", width=1280, height=900).page
    box = page.locator(".sbs-demo").first.bounding_box()
    assert box["y"] < 900 * 0.6, f"the demo begins {box['y']:.0f} px down"


def test_print_shows_what_was_closed(open_page, pages, built_book):
    with_box = [p for p in pages if "<details" in (built_book / p).read_text(encoding="utf-8")]
    page = open_page(with_box[0]).page
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".bd-article details:not([open])").count() == 0
    for hidden in (".bd-sidebar-primary", ".bd-header-article", ".prev-next-footer"):
        for element in page.locator(hidden).all():
            assert not element.is_visible(), f"{hidden} must not be printed"
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator(".bd-article details[open]").count() == 0
