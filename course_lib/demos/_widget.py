"""The demo as an anywidget: ``state`` and ``t`` are synced in both directions."""

import functools
from pathlib import Path

import anywidget
import traitlets

STATIC = Path(__file__).with_name("static")


class DemoWidget(anywidget.AnyWidget):
    """Front-end side of one :class:`~course_lib.demos.Demo`; its subclasses bring the drawing."""

    initial = traitlets.Dict().tag(sync=True)  # what reset and the share link compare with
    state = traitlets.Dict().tag(sync=True)
    t = traitlets.Int(0).tag(sync=True)
    computed = traitlets.Dict().tag(sync=True)  # by Python for a state: a reader's own cell


@functools.cache
def _widget_class(view):
    """Return the class with the bundle of one view; anywidget reads the files by class."""
    files = {"_esm": STATIC / f"widget-{view}.js", "_css": STATIC / f"widget-{view}.css"}
    return type(f"{view}_demo", (DemoWidget,), files)


def make_widget(demo):
    """Return a widget for ``demo``, or None where the bundles are not built."""
    view = demo.state["view"]
    if not (STATIC / f"widget-{view}.js").is_file():
        return None
    widget = _widget_class(view)(
        initial=demo._initial, state=demo.state, t=demo.t, computed=demo._computed()
    )

    def from_page(change):
        demo.state = change["new"]  # a state that does not fit is refused here, with its reason
        if widget.t != demo.t:
            widget.t = demo.t

    def from_t(change):
        if change["new"] != demo.t:
            demo.state = {**demo.state, "t": change["new"]}

    widget.observe(from_page, "state")
    widget.observe(from_t, "t")
    return widget
