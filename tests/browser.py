"""Open pages of the built book in Chromium, with everything but localhost cut off.

Fixtures: tests/conftest.py imports ``browser`` and ``windows``, once; import ``server`` and
``open_page`` in a conftest. A :class:`Visit` collects what a page must not do: console messages,
errors, failed requests, requests to other hosts.
"""

import functools
import gzip
import http.server
import mimetypes
import threading
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Error, sync_playwright

CHROMIUM_ARGS = (
    "--headless=new",
    "--no-sandbox",  # containers run tests as root; only our own pages are opened
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
GZIPPED = {".html", ".css", ".js", ".json", ".svg", ".xml", ".txt", ".ipynb", ".inv"}
LOCAL_SCHEMES = {"file", "data", "blob", "about"}
SETTLE_MS = 200  # after the load event: timers and idle callbacks of the theme
# Now, and again after what the page itself writes as it is left (the theme: where its sidebar was).
# No page keeps anything at addresses such as about:blank, where asking is an error.
FORGET = """() => {
    const forget = () => { try { localStorage.clear(); sessionStorage.clear(); } catch {} };
    forget();
    addEventListener("pagehide", forget);
}"""
# What a page or its context is told with these stays when another address is opened.
LASTING = (
    *("on", "once", "set_viewport_size", "emulate_media", "set_extra_http_headers"),
    *("add_init_script", "expose_function", "expose_binding", "add_locator_handler"),
    *("set_default_navigation_timeout", "grant_permissions", "set_geolocation", "set_offline"),
)
TIMEOUT_MS = 30_000  # that of Playwright
# Colours that fade are measured by axe as they are, so it waits for their end.
STILL = """async () => {
    const frame = () => new Promise(done => requestAnimationFrame(done));
    await frame();
    await frame();
    const ends = a => a.effect.getComputedTiming().endTime < Infinity;
    await Promise.allSettled(document.getAnimations().filter(ends).map(a => a.finished));
    await frame();
}"""


@dataclass
class Visit:
    """One page in one browser context, and everything it was heard or seen to do."""

    page: object  # playwright Page
    url: str
    console: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    external: list[str] = field(default_factory=list)
    responses: list = field(default_factory=list)
    handlers: dict = field(default_factory=dict)  # what `watch` has the page call
    changed: bool = False  # in a way that lasts (LASTING), by its test

    @property
    def complaints(self):
        """All that must be empty on a healthy page, one line each."""
        return [
            f"{kind}: {text}"
            for kind in ("console", "errors", "failed", "external")
            for text in getattr(self, kind)
        ]

    def settle(self, wait_ms=SETTLE_MS):
        self.page.wait_for_load_state("load")
        self.page.wait_for_timeout(wait_ms)

    def leave(self):
        """Leave the page blank, heard by `watch` no more and with the pointer up in its corner."""
        self.page.evaluate(FORGET)
        for event, handler in self.handlers.items():
            self.page.remove_listener(event, handler)
        self.page.unroute_all()
        self.page.context.unroute_all()
        self.page.set_default_timeout(TIMEOUT_MS)
        self.page.mouse.up()
        self.page.goto("about:blank")
        self.page.mouse.move(0, 0)
        self.page.context.clear_cookies()

    def note_changes(self):
        """From now on, have `changed` say whether the window can be as it was before."""

        def noting(method):
            @functools.wraps(method)
            def noted(*args, **kwargs):
                self.changed = True
                return method(*args, **kwargs)

            return noted

        for of in (self.page, self.page.context):
            for name in LASTING:
                if method := getattr(type(of), name, None):
                    setattr(of, name, noting(method.__get__(of)))


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    """A static server that speaks gzip, as a host of static pages does."""

    def log_message(self, *args):
        pass

    def do_GET(self):
        path = Path(self.translate_path(self.path))
        if path.is_dir():
            path = path / "index.html"
        if not path.is_file():
            self.send_error(404)
            return
        body, encoding = self.server.body_of(path)
        self.send_response(200)
        self.send_header(
            "Content-Type", mimetypes.guess_type(path)[0] or "application/octet-stream"
        )
        self.send_header("Content-Length", str(len(body)))
        if encoding:
            self.send_header("Content-Encoding", encoding)
        self.end_headers()
        try:
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the browser left the page while it was loading


class StaticServer(http.server.ThreadingHTTPServer):
    """Serve a folder on localhost; text is sent gzipped, and each answer's bytes are remembered."""

    daemon_threads = True

    def __init__(self, folder):
        handler = functools.partial(_QuietHandler, directory=str(folder))
        super().__init__(("127.0.0.1", 0), handler)
        self.folder = Path(folder)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self._bodies = {}

    def body_of(self, path):
        """Return (bytes, content encoding or None) as they go over the wire."""
        stamp = path.stat().st_mtime_ns
        if self._bodies.get(path, (None,))[0] != stamp:
            raw = path.read_bytes()
            is_text = path.suffix in GZIPPED
            body = gzip.compress(raw, 6, mtime=0) if is_text else raw
            self._bodies[path] = (stamp, body, "gzip" if is_text else None)
        return self._bodies[path][1:]

    def wire_bytes(self, url):
        """Bytes of the body that this server sends for ``url``; 0 for what is not its own."""
        if not url.startswith(self.url):
            return 0
        path = Path(self.folder, urlsplit(url).path.lstrip("/"))
        path = path / "index.html" if path.is_dir() else path
        return len(self.body_of(path)[0]) if path.is_file() else 0

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exc):
        self.shutdown()
        self.server_close()


def be_still(page):
    """Wait until what was changed is drawn and no animation or transition runs."""
    page.evaluate(STILL)


def is_local(url):
    parts = urlsplit(url)
    return parts.scheme in LOCAL_SCHEMES or parts.hostname in ("127.0.0.1", "localhost")


def watch(page, url):
    """Cut off all hosts but localhost and start to collect; return the Visit."""
    visit = Visit(page, url)

    def on_request(request):
        if not is_local(request.url):
            visit.external.append(request.url)

    def on_response(response):
        visit.responses.append((response.url, response.status))
        if response.status >= 400:
            visit.failed.append(f"{response.status} {response.url}")

    visit.handlers = {
        "request": on_request,
        "response": on_response,
        "requestfailed": lambda r: visit.failed.append(f"{r.failure} {r.url}"),
        "console": lambda m: visit.console.append(f"{m.type}: {m.text}"),
        "pageerror": lambda e: visit.errors.append(str(e)),
    }
    for event, handler in visit.handlers.items():
        page.on(event, handler)
    page.context.route(
        lambda url: not is_local(url), lambda route: route.abort("internetdisconnected")
    )
    visit.note_changes()
    return visit


@pytest.fixture(scope="session")
def browser(chromium_path):
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=chromium_path, args=list(CHROMIUM_ARGS)
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def windows(browser):
    kept = Windows(browser)
    yield kept
    kept.close()


@pytest.fixture(scope="session")
def server(built_book):
    with StaticServer(built_book) as running:
        yield running


def new_page(browser, *, theme="light", width=1280, height=900, **options):
    """A page in a context of its own."""
    viewport = {"width": width, "height": height}
    return browser.new_context(viewport=viewport, color_scheme=theme, **options).new_page()


class Windows:
    """Pages that tests gave back as they got them, by their options.

    A new one takes half a second of processor time, and is slow with the first that it shows.
    One that its test changed for good, or that cannot be left, is closed.
    """

    def __init__(self, browser):
        self.browser, self.free = browser, {}

    def take(self, **options):
        free = self.free.setdefault(repr(sorted(options.items())), [])
        return free.pop() if free else new_page(self.browser, **options)

    def give_back(self, visit, **options):
        """Take the page of a Visit back; the options are those of `take`."""
        try:
            if not visit.changed:
                visit.leave()
                self.free[repr(sorted(options.items()))].append(visit.page)
                return
        except Error:  # it crashed, or its test closed it
            pass
        visit.page.context.close()

    def close(self):
        for page in (page for pages in self.free.values() for page in pages):
            page.context.close()


def visit_page(page, url, *, settle_ms=SETTLE_MS):
    visit = watch(page, url)
    page.goto(url, wait_until="load")
    page.wait_for_timeout(settle_ms)
    return visit


@pytest.fixture
def open_page(browser, server, built_book):
    """Return ``open_page(path, over="http", theme="light", width=1280, ...) -> Visit``."""
    visits = []

    def open_(path, *, over="http", settle_ms=SETTLE_MS, **options):
        base = server.url if over == "http" else built_book.resolve().as_uri()
        page = new_page(browser, **options)
        visits.append(visit_page(page, f"{base}/{path}", settle_ms=settle_ms))
        return visits[-1]

    yield open_
    for visit in visits:
        visit.page.context.close()
