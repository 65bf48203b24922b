"""A demo in JupyterLab: what the reader drags is what the next cell's trace is about."""

import json

import numpy as np
import pytest

from course_lib import hmm
from tests import jupyter_lab

NOTEBOOKS = {
    "trellis": [
        """from course_lib import demos
demo = demos.trellis(
    name="casino", obs=[2, 5, 5, 0], pi=[2/3, 1/3], A=[[0.95, 0.05], [0.1, 0.9]],
    B=[[1/6] * 6, [0.1] * 5 + [0.5]], states=["fair", "loaded"],
)
demo""",
        """import json
print("RESULT" + json.dumps([demo.state, demo.t, demo.trace()["alpha"].tolist()]))""",
        "demo.state = {**demo.state, 't': 3}",
    ],
    "own": [
        """import numpy as np
from course_lib import demos

def my_cell(x_t, h_prev):
    if x_t[0, 0] > 1.5:
        raise OverflowError("too loud")
    return np.tanh(x_t @ np.array([[0.7, -0.2]]) + h_prev @ np.array([[0.5, 0.1], [0.0, 0.9]]))

demo = demos.state_trace("mine", [[1.0], [0.0], [0.0], [2.0]], h0=[0, 0], cell=my_cell)
demo""",
        """import json
print("RESULT" + json.dumps([demo.state, demo._widget.computed, None]))""",
        """import json
steps = demo.trace()["h"]
print("RESULT" + json.dumps([demo.state, steps.tolist(), None]))""",
    ],
    "belief": [
        """from tests.demos.belief_demos import belief
demo = belief()
demo""",
        """import json
print("RESULT" + json.dumps([demo.state, demo.trace()["belief"].tolist(), None]))""",
        "1",
    ],
    "part_three": [
        """from course_lib import demos
from tests.demos.forecast_demos import forecast
from tests.demos.session_demos import shop
shown = [shop(t=1), demos.shape_explorer("shapes", bidirectional=True), forecast(t=24)]
display(*shown)""",
        """import json
session = shown[0].state, shown[0].trace()["network"].tolist()
shapes = shown[1].state, shown[1].trace()["output"].tolist()
days = shown[2].state["xs"], shown[2].trace()["network"][24:].tolist()
print("RESULT" + json.dumps([*session, shapes, days]))""",
        "1",
    ],
    "part_four": [
        """from tests.demos.alignment_demos import grow
from tests.demos.attention_demos import look
from tests.demos.bottleneck_demos import squeeze
from tests.demos.head_demos import one_head
from tests.demos.scan_demos import scan_tree
shown = [
    scan_tree(t=1),
    one_head(t=7, row=2),
    squeeze(t=0),
    look(t=1),
    grow(t=6),
]
display(*shown)""",
        """import json
scan = shown[0].state, shown[0].trace()["scan"].tolist()
head = shown[1].state, shown[1].trace()["output"].tolist()
said = shown[2].state["tokens"], shown[2].trace()["recovered"][-1, :, 0].tolist()
look = shown[3].state["params"]["q"], shown[3].trace()["context"].tolist()
grow = shown[4].state["tokens"], shown[4].trace().steps
print("RESULT" + json.dumps([*scan, [head, said, look, grow]]))""",
        "1",
    ],
    "sentences": [
        """from tests.demos.sentence_demos import playground
demo = playground()
demo""",
        """import json
print("RESULT" + json.dumps([demo.state, demo.t, demo.trace()["p"].tolist()]))""",
        "demo.state = {**demo.state, 't': 1}",
    ],
}


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A JupyterLab that has the notebooks; its files stay in a temporary folder."""
    folder = tmp_path_factory.mktemp("lab")
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}}
    for name, sources in NOTEBOOKS.items():
        cells = [
            {"cell_type": "code", "id": f"c{i}", "metadata": {}, "outputs": [],
             "execution_count": None, "source": source}
            for i, source in enumerate(sources)
        ]  # fmt: skip
        (folder / f"{name}.ipynb").write_text(json.dumps({**notebook, "cells": cells}))
    with jupyter_lab.running(folder) as url:
        yield url


class Notebook(jupyter_lab.Notebook):
    """A notebook whose first cell shows a demo."""

    def result(self, number=1):
        """Run a cell and return what it prints behind RESULT."""
        self.run(number)
        output = self.cells.nth(number).locator(".jp-OutputArea-output")
        output.wait_for()
        return json.loads(output.text_content().split("RESULT", 1)[1])

    def demo(self):
        """Run the first cell; return the live demo below it, not the picture."""
        self.run(0)
        cell = self.cells.nth(0)
        cell.locator(".jp-OutputArea-output").first.wait_for()
        assert "Traceback" not in cell.inner_text()
        demo = cell.locator(".sbs")
        demo.wait_for()
        assert cell.locator("img").count() == 0
        return demo


@pytest.fixture
def open_notebook(lab, browser):
    opened = []

    def open_(name):
        opened.append(Notebook(lab, browser, name))
        return opened[-1]

    yield open_
    for notebook in opened:
        notebook.context.close()


def test_drag_then_trace(open_notebook):
    notebook = open_notebook("trellis")
    page, result = notebook.page, notebook.result
    demo = notebook.demo()
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

    notebook.run(2)  # and back: Python sets the step
    page.wait_for_function("document.querySelector('.sbs-count input').value === '3'")
    assert notebook.errors == []


def test_own_cell_runs_in_the_kernel_and_its_error_stands_in_the_demo(open_notebook):
    notebook = open_notebook("own")
    page, demo = notebook.page, notebook.demo()

    def wait_for_alert(text):
        page.wait_for_function(
            "text => [...document.querySelectorAll('.sbs [role=alert]')].at(-1).innerText === text",
            arg=text,
        )

    wait_for_alert("OverflowError at t = 3: too loud")
    lane = demo.get_by_role("slider", name="input 0, t =")
    for _ in range(3):
        lane.press("ArrowRight")
    lane.press("Home")  # -2: quiet enough
    wait_for_alert("")
    lane.press("ArrowLeft")
    lane.press("PageUp")

    state, steps, _ = notebook.result(2)
    x = np.array(state["xs"])
    assert x[3, 0] == -2 and x[2, 0] == 0.5
    h, expected = np.zeros((1, 2)), []
    for t in range(4):
        h = np.tanh(x[t] @ np.array([[0.7, -0.2]]) + h @ np.array([[0.5, 0.1], [0.0, 0.9]]))
        expected.append(h[0])
    np.testing.assert_allclose(steps, expected, rtol=0, atol=1e-12)  # the same products
    shown = demo.locator(".sbs-gutter small").all_inner_texts()[1:]  # below the input's
    assert shown == [f"{v:.3f}".replace("-", "−") for v in expected[2]]
    _, computed, _ = notebook.result(1)
    assert computed["error"] == "" and computed["of"][0] == state["xs"]
    lane.press("End")  # 2 at t = 2: the cell refuses again, from there on
    wait_for_alert("OverflowError at t = 2: too loud")
    assert notebook.errors == []


def test_demo_that_measures_its_room_mounts_before_there_is_any(open_notebook):
    notebook = open_notebook("belief")  # Jupyter draws a view before it is part of the page
    demo = notebook.demo()
    demo.get_by_role("button", name="add D at the end").click()
    notebook.page.wait_for_function("document.querySelectorAll('.sbs .sbs-tile').length === 10")
    assert demo.locator(".sbs-picture").first.bounding_box()["width"] > 200
    state, beliefs, _ = notebook.result()
    assert state["obs"][-1] == 3 and len(beliefs) == 10
    assert notebook.errors == []


def test_demos_of_part_three_send_back_what_the_reader_did(open_notebook):
    notebook = open_notebook("part_three")
    page = notebook.page
    notebook.run(0)
    cell = notebook.cells.nth(0)
    session = cell.locator(".sbs-session .sbs").first
    session.wait_for()
    tiles = session.locator(".sbs-tile")
    boxes = [tiles.nth(i).bounding_box() for i in (1, 3)]
    for number, box in enumerate(boxes):
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 40, steps=4)
        (page.mouse.up if number else page.mouse.down)()
    tiles.nth(3).press("Delete")  # a key of Jupyter's too
    page.wait_for_function("document.querySelectorAll('.sbs-tile').length === 6")
    shapes = cell.locator(".sbs-shape_explorer .sbs").first
    shapes.get_by_role("radio", name="GRU").check()
    shapes.get_by_role("group", name="output (").press("ArrowUp")  # a key of Jupyter's too
    days = cell.locator(".sbs-forecast .sbs").first
    days.get_by_role("slider", name="demand").press("End")  # a key of Jupyter's too
    page.wait_for_timeout(800)
    state, network, (explored, output), (xs, quantiles) = notebook.result()
    low, median, high = (f"{v:.2f}" for v in quantiles[0])
    assert xs[23] == 9
    said = days.locator(".sbs-say").inner_text()
    assert f"GRU {median} GW (80 %: {low} to {high})" in said
    assert explored["opts"]["cell"] == "GRU" and explored["pick"]["index"] == [0, 3, 0]
    value = shapes.locator(".sbs-chosen").inner_text().replace("−", "-")
    assert value == f"output[0, 3, 0] = {output[3][0][0]:.4f}"  # the trace has time first
    assert state["obs"] == [0, 4, 1, 5, 3, 5] and len(network) == 6
    said = session.locator(".sbs-observers .sbs-num").nth(1).inner_text()
    assert said == f"{network[state['t']]:.3f}"
    assert notebook.errors == []


def test_demos_of_part_four_send_back_what_the_reader_did(open_notebook):
    notebook = open_notebook("part_four")
    page = notebook.page
    notebook.run(0)
    cell = notebook.cells.nth(0)
    tree = cell.locator(".sbs-scan_tree .sbs").first
    tree.wait_for()
    tree.get_by_role("slider", name="input x").press("PageUp")  # keys of Jupyter's too
    tree.get_by_role("slider", name="input x").press("ArrowLeft")
    tree.get_by_role("button", name="one step on").click()
    head = cell.locator(".sbs-one_head .sbs").first
    head.get_by_role("textbox", name="sentence").fill("a dog saw the zebra")
    head.get_by_role("button", name="saw → one place later").click()
    head.locator(".sbs-cell[tabindex='0']").press("ArrowUp")  # a key of Jupyter's too
    neck = cell.locator(".sbs-bottleneck .sbs").first
    neck.locator(".sbs-tile").nth(1).press("ArrowUp")  # a key of Jupyter's too
    neck.locator(".sbs-tile").nth(5).press("Delete")  # and another
    look = cell.locator(".sbs-attention_map .sbs").first
    look.get_by_role("slider", name="query chat").press("ArrowUp")  # a key of Jupyter's too
    look.get_by_role("slider", name="query chat").press("Home")
    grow = cell.locator(".sbs-alignment .sbs").first
    grow.locator(".sbs-tile").nth(1).press("ArrowUp")  # a key of Jupyter's too
    grow.locator(".sbs-tile").nth(5).press("Delete")  # and another
    page.wait_for_timeout(800)
    state, scan, (*rest, (queries, contexts), (source, written)) = notebook.result()
    (typed, output), (tokens, recovered) = rest
    assert queries[1] == [-1.5, 1.9] and source == [0, 2, 2, 3, 0]
    shown = look.locator(".sbs-gutter small").nth(1).inner_text().replace("−", "-")
    assert shown == f"→ ({contexts[1][0]:.2f}, {contexts[1][1]:.2f})"
    tokens_of = grow.locator(".sbs-gutter b").all_inner_texts()
    assert [name.removeprefix("✗ ") for name in tokens_of if name != "–"] == written
    assert tokens == [0, 2, 2, 3, 0]
    assert neck.locator(".sbs-gutter small").first.inner_text() == f"P {recovered[4]:.2f}"
    assert (state["t"], state["opts"]["cell"]) == (2, 6) and state["xs"][7] == 0.6
    said = tree.locator(".sbs-say").inner_text()
    assert f"By itself it says state {scan[6][2]:.3f}" in said.replace("−", "-")
    assert typed["text"] == "a dog the saw zebra" and typed["opts"]["row"] == 2
    value = head.locator(".sbs-cell[tabindex='0']").inner_text().replace("−", "-")
    assert value == f"{output[2][0]:.2f}"
    assert notebook.errors == []


def test_typed_sentence_then_trace(open_notebook):
    notebook = open_notebook("sentences")
    page, demo = notebook.page, notebook.demo()
    field = demo.get_by_role("textbox", name="sentence")
    field.press("End")
    field.press_sequentially(" Zebras, a & m")  # letters that are shortcuts elsewhere
    page.wait_for_function(
        "[...document.querySelectorAll('.sbs-words .sbs-word')].some(e => e.innerText === 'zebras')"
    )
    state, t, p = notebook.result()
    assert state["text"].endswith("mocked Zebras, a & m") and t == 9 and len(p) == 13
    numbers = demo.locator(".sbs-mind .sbs-num").all_inner_texts()
    assert numbers[::2] == [f"{value:.2f}" for value in p[9]]
    notebook.run(2)  # and back: Python sets the step
    page.wait_for_function("document.querySelector('.sbs-count input').value === '1'")
    assert notebook.errors == []
