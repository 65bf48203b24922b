"""A demo in JupyterLab: what the reader drags is what the next cell's trace is about."""

import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import numpy as np
import pytest

from course_lib import hmm

ROOT = Path(__file__).resolve().parents[2]
START_S = 90  # a cold JupyterLab on a busy machine
TRIES, TRY_S = 6, 15
CELLS = [
    """from course_lib import demos
demo = demos.trellis(
    name="casino", obs=[2, 5, 5, 0], pi=[2/3, 1/3], A=[[0.95, 0.05], [0.1, 0.9]],
    B=[[1/6] * 6, [0.1] * 5 + [0.5]], states=["fair", "loaded"],
)
demo""",
    """import json
print("RESULT" + json.dumps([demo.state, demo.t, demo.trace()["alpha"].tolist()]))""",
    "demo.state = {**demo.state, 't': 3}",
]


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@pytest.fixture
def lab(tmp_path):
    """Address of a JupyterLab with the notebook ``demo.ipynb``; its files stay in tmp_path."""
    cells = [
        {"cell_type": "code", "id": f"c{i}", "metadata": {}, "outputs": [],
         "execution_count": None, "source": source}
        for i, source in enumerate(CELLS)
    ]  # fmt: skip
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}}
    (tmp_path / "demo.ipynb").write_text(json.dumps({**notebook, "cells": cells}))
    port = free_port()
    places = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")
    env = {
        **os.environ,
        **{f"JUPYTER_{place}": str(tmp_path / place.lower()) for place in places},
        "JUPYTERLAB_SETTINGS_DIR": str(tmp_path / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(tmp_path / "workspaces"),
        "IPYTHONDIR": str(tmp_path / "ipython"),
        "JUPYTER_PREFER_ENV_PATH": "1",
        "PYTHONPATH": str(ROOT),
    }
    env.pop("COURSE_LIB_STATIC", None)
    command = [
        sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root",
        "--ServerApp.ip=127.0.0.1",
        f"--ServerApp.port={port}", "--IdentityProvider.token=", f"--ServerApp.root_dir={tmp_path}",
        "--LabApp.news_url=None", "--LabApp.extension_manager=readonly",
    ]  # fmt: skip
    log = (tmp_path / "lab.log").open("w")
    server = subprocess.Popen(command, env=env, cwd=tmp_path, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + START_S
        while True:
            try:
                urllib.request.urlopen(f"{url}/api/status", timeout=5).close()
                break
            except OSError:
                if time.monotonic() > deadline or server.poll() is not None:
                    pytest.fail((tmp_path / "lab.log").read_text()[-2000:], pytrace=False)
                time.sleep(0.3)
        yield url
    finally:
        server.terminate()
        server.wait(20)
        log.close()


def test_drag_then_trace(lab, browser):
    context = browser.new_context(viewport={"width": 1300, "height": 1400})
    context.route(re.compile(r"^https?://(?!127\.0\.0\.1)"), lambda route: route.abort())
    page = context.new_page()
    page.set_default_timeout(60_000)
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(f"{lab}/lab/tree/demo.ipynb")
    cells = page.locator(".jp-Notebook .jp-CodeCell")
    cells.nth(2).wait_for()
    idle = page.locator(".jp-Notebook-ExecutionIndicator[data-status=idle]")
    idle.first.wait_for(state="attached")

    def run(number):
        """Run a cell and wait for its new number; a key pressed too early is lost, so try again."""
        prompt = cells.nth(number).locator(".jp-InputPrompt")
        before = prompt.inner_text()
        for _ in range(TRIES):
            cells.nth(number).locator(".cm-content").click()
            page.keyboard.press("Control+Enter")
            deadline = time.monotonic() + TRY_S
            while time.monotonic() < deadline:
                now = prompt.inner_text()
                if now != before and re.search(r"\d", now):
                    return
                page.wait_for_timeout(100)
        pytest.fail(f"cell {number} did not run: its prompt is still {prompt.inner_text()!r}")

    def result():
        run(1)
        output = cells.nth(1).locator(".jp-OutputArea-output")
        output.wait_for()
        text = output.inner_text()
        return json.loads(text.split("RESULT", 1)[1])

    run(0)
    demo = cells.nth(0).locator(".sbs")
    cells.nth(0).locator(".jp-OutputArea-output").first.wait_for()
    assert "Traceback" not in cells.nth(0).inner_text()
    demo.wait_for()
    assert cells.nth(0).locator("img").count() == 0  # the widget, not the picture
    bar = demo.get_by_role("slider", name="from fair to: loaded")
    bar.scroll_into_view_if_needed()
    box = bar.bounding_box()
    x = box["x"] + box["width"] / 2
    page.mouse.move(x, box["y"] + box["height"] - 2)
    page.mouse.down()
    page.mouse.move(x, box["y"] + box["height"] * 0.5, steps=5)
    page.mouse.up()
    demo.get_by_role("button", name="one step on").click()
    demo.locator(".sbs-tile").nth(1).press("ArrowUp")
    page.wait_for_timeout(800)

    state, t, alpha = result()
    assert 0.4 < state["params"]["A"][0][1] < 0.6 and state["obs"] == [2, 0, 5, 0] and t == 1
    shown = demo.locator(".sbs-sum").last.inner_text()
    model = [np.array(state["params"][key]) for key in ("pi", "A", "B")]
    expected = hmm.forward_filter(np.array(state["obs"]), *model).alpha
    np.testing.assert_allclose(alpha, expected, rtol=0, atol=1e-12)  # the same library, over JSON
    assert shown.endswith(f"{alpha[1][1]:.3f}")  # what the page writes out is what Python computes

    run(2)  # and back: Python sets the step
    page.wait_for_function("document.querySelector('.sbs-count input').value === '3'")
    assert errors == []
    context.close()
