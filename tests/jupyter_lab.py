"""A JupyterLab of its own, and a notebook that is open in the browser."""

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
START_S = 90  # a cold JupyterLab on a busy machine
STOP_S = 20
TRIES, TRY_S = 6, 15


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextlib.contextmanager
def running(folder):
    """Start a JupyterLab that has the notebooks of a folder; gives its address."""
    port = free_port()
    places = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")
    env = {
        **os.environ,
        **{f"JUPYTER_{place}": str(folder / place.lower()) for place in places},
        "JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(folder / "workspaces"),
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "PYTHONPATH": str(ROOT),
    }
    env.pop("COURSE_LIB_STATIC", None)
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}", "--IdentityProvider.token=", f"--ServerApp.root_dir={folder}",
        "--LabApp.news_url=None", "--LabApp.extension_manager=readonly",
    ]  # fmt: skip
    log = (folder / "lab.log").open("w")
    server = subprocess.Popen(command, env=env, cwd=folder, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + START_S
        while True:
            try:
                urllib.request.urlopen(f"{url}/api/status", timeout=5).close()
                break
            except OSError:
                if time.monotonic() > deadline or server.poll() is not None:
                    pytest.fail((folder / "lab.log").read_text()[-2000:], pytrace=False)
                time.sleep(0.3)
        yield url
    finally:
        server.terminate()
        try:
            server.wait(STOP_S)
        except subprocess.TimeoutExpired:  # it still waits for a kernel, and nobody for it
            server.kill()
            server.wait()
        log.close()


class Notebook:
    """A notebook that is open in the browser; ``cells`` are those of code."""

    def __init__(self, lab, browser, name):
        self.context = browser.new_context(viewport={"width": 1300, "height": 1400})
        self.context.route(re.compile(r"^https?://(?!127\.0\.0\.1)"), lambda route: route.abort())
        self.page = self.context.new_page()
        self.page.set_default_timeout(60_000)
        # On a busy machine JupyterLab asks which kernel to take before it has heard from its own.
        dialog = self.page.locator(".jp-Dialog")
        self.page.add_locator_handler(dialog, lambda d: d.locator(".jp-mod-accept").click())
        self.errors = []
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.goto(f"{lab}/lab/workspaces/{name}/tree/{name}.ipynb")
        self.cells = self.page.locator(".jp-Notebook .jp-CodeCell")
        self.cells.nth(2).wait_for()
        idle = self.page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")
        idle.first.wait_for(state="attached")

    def run(self, number):
        """Run a cell and wait for its new number; a key pressed too early is lost, so try again."""
        prompt = self.cells.nth(number).locator(".jp-InputPrompt")
        before = prompt.inner_text()
        for _ in range(TRIES):
            self.cells.nth(number).locator(".cm-content").click()
            self.page.keyboard.press("Control+Enter")
            deadline = time.monotonic() + TRY_S
            while time.monotonic() < deadline:
                now = prompt.inner_text()
                if now != before and re.search(r"\d", now):
                    return
                self.page.wait_for_timeout(100)
        pytest.fail(f"cell {number} did not run: its prompt is still {prompt.inner_text()!r}")
