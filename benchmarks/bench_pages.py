"""Pages of the built book: bytes, time until a demo answers, cost of a drag, layout shift.

Times are the median of a few loads in Chromium, with a clean cache, from a local server with gzip:
at full speed, with the processor slowed down 4 times, and on a phone's line too ("slow 4G": 1.6
Mbit/s, 150 ms there and back). "Ready" is the moment at which the first demo of the page has its
controls. A drag moves the first handle of the first demo; counted is script and DOM work for one
event, from the event to the frame that shows it, without the wait for that frame.
"""

import os
import statistics
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

from playwright.sync_api import sync_playwright  # noqa: E402  (the tests' helpers need the path)
from setup_browser import find_browser  # noqa: E402

from tests.browser import CHROMIUM_ARGS, StaticServer, watch  # noqa: E402

LOADS = 3
SLOW_4G = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 200_000,
    "uploadThroughput": 93_750,
}
SETTINGS = {"desktop": (1, None), "4x slower": (4, None), "4x, slow 4G": (4, SLOW_4G)}
READY_GOAL_MS = {"desktop": 400, "4x slower": 1000, "4x, slow 4G": 2000}
DRAG_GOAL_MS = {"desktop": 3, "4x slower": 10}
SHIFT_GOAL, TEXT_GOAL_KB, DEMO_GOAL_KB = 0.02, 250, 300
MOVES = 60

WATCH = """
window.shift = 0;
new PerformanceObserver(list => {
    for (const e of list.getEntries()) if (!e.hadRecentInput) window.shift += e.value;
}).observe({type: "layout-shift", buffered: true});
new MutationObserver((_, observer) => {
    if (document.querySelector(".sbs-demo :is(button, [role=slider])")) {
        window.ready = performance.now();
        observer.disconnect();
    }
}).observe(document, {childList: true, subtree: true});
"""
# Each move runs the handlers and the frame callbacks that they ask for, then forces style and
# layout. Requests for frames are caught, so the clock does not count the wait for the screen.
DRAG = """async (moves) => {
    const handle = document.querySelector(".sbs-demo [role=slider]");
    if (!handle) return [];
    handle.scrollIntoView({block: "center"});
    await new Promise(done => setTimeout(done, 200));
    const realFrame = window.requestAnimationFrame;
    let waiting = [];
    window.requestAnimationFrame = callback => waiting.push(callback);
    handle.setPointerCapture = () => {};
    const box = handle.getBoundingClientRect();
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const swing = k => 40 * Math.sin(k / 5);
    const at = (type, k) => new PointerEvent(type, {
        bubbles: true, cancelable: true, pointerId: 1, isPrimary: true, button: 0, buttons: 1,
        clientX: x + swing(k), clientY: y + swing(k),
    });
    handle.dispatchEvent(at("pointerdown", 0));
    const times = [];
    for (let k = 1; k <= moves; k++) {
        const start = performance.now();
        handle.dispatchEvent(at("pointermove", k));
        const now = waiting;
        waiting = [];
        for (const callback of now) callback(start);
        document.body.offsetHeight;
        times.push(performance.now() - start);
        await new Promise(done => setTimeout(done, 5));
    }
    handle.dispatchEvent(at("pointerup", moves));
    window.requestAnimationFrame = realFrame;
    return times;
}"""


def load(browser, server, path, slowdown, network):
    """Open a page once; return its visit, after it has settled."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.add_init_script(WATCH)
    session = context.new_cdp_session(page)
    session.send("Emulation.setCPUThrottlingRate", {"rate": slowdown})
    if network:
        session.send("Network.enable")
        session.send("Network.emulateNetworkConditions", network)
    visit = watch(page, f"{server.url}/{path}")
    page.goto(visit.url, wait_until="load")
    page.wait_for_timeout(400)
    return visit


def measure(browser, server, path):
    """Return {setting: {"kb", "ready_ms", "drag_ms", "shift"}} of a page; None: it has no demo."""
    found = {}
    for setting, (slowdown, network) in SETTINGS.items():
        ready, drags, shifts, kb = [], [], [], 0.0
        for _ in range(LOADS):
            visit = load(browser, server, path, slowdown, network)
            page = visit.page
            kb = sum(server.wire_bytes(url) for url, _ in visit.responses) / 1000
            ready.append(page.evaluate("window.ready ?? null"))
            shifts.append(page.evaluate("window.shift"))
            if ready[-1] is not None and setting in DRAG_GOAL_MS:
                drags += page.evaluate(DRAG, MOVES)
            page.context.close()
        has_demo = None not in ready
        found[setting] = {
            "kb": kb,
            "ready_ms": statistics.median(ready) if has_demo else None,
            "drag_ms": statistics.quantiles(drags, n=20)[-1] if drags else None,
            "shift": max(shifts),
        }
    return found


def cell(value, goal, form):
    """One number with a mark where it misses its goal."""
    if value is None:
        return "-"
    return f"{value:{form}}" + ("" if goal is None or value <= goal else " !")


def report(path, found):
    has_demo = found["desktop"]["ready_ms"] is not None
    for setting, one in found.items():
        print(
            f"{path if setting == 'desktop' else '':38}{setting:13}"
            f"{cell(one['kb'], DEMO_GOAL_KB if has_demo else TEXT_GOAL_KB, '.0f'):>8}"
            f"{cell(one['ready_ms'], READY_GOAL_MS[setting], '.0f'):>10}"
            f"{cell(one['drag_ms'], DRAG_GOAL_MS.get(setting), '.1f'):>10}"
            f"{cell(one['shift'], SHIFT_GOAL, '.4f'):>10}",
            flush=True,
        )


def main():
    html = Path(os.environ.get("BOOK_HTML", ROOT / "_build" / "html"))
    if not (html / "index.html").is_file():
        sys.exit(f"no built book in {html}: run `make book` first")
    paths = ["index.html", *sorted(str(p.relative_to(html)) for p in html.glob("notebooks/*.html"))]
    paths += ["back/notation.html"]
    print(
        f"goals: {TEXT_GOAL_KB} KB text page, {DEMO_GOAL_KB} KB with demos, gzip; "
        f"layout shift {SHIFT_GOAL}"
    )
    print(f"       ready {READY_GOAL_MS} ms; drag, 95th percentile, {DRAG_GOAL_MS} ms; ! misses\n")
    print(f"{'page':38}{'setting':13}{'KB':>8}{'ready ms':>10}{'drag ms':>10}{'shift':>10}")
    with StaticServer(html) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=str(find_browser()), args=list(CHROMIUM_ARGS)
        )
        for path in paths:
            report(path, measure(browser, server, path))
        browser.close()


if __name__ == "__main__":
    main()
