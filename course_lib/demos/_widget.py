"""The demo as an anywidget: ``state`` and ``t`` are synced in both directions."""

from pathlib import Path

import anywidget
import traitlets

STATIC = Path(__file__).with_name("static")


class DemoWidget(anywidget.AnyWidget):
    """Front-end side of one :class:`~course_lib.demos.Demo`."""

    _esm = STATIC / "widget.js" if (STATIC / "widget.js").is_file() else "export default {}"
    _css = STATIC / "sbs.css" if (STATIC / "sbs.css").is_file() else ""
    initial = traitlets.Dict().tag(sync=True)  # what reset and the share link compare with
    state = traitlets.Dict().tag(sync=True)
    t = traitlets.Int(0).tag(sync=True)


def make_widget(demo):
    """Return a widget for ``demo``, or None where the bundles are not built."""
    if not (STATIC / "widget.js").is_file():
        return None
    widget = DemoWidget(initial=demo._initial, state=demo.state, t=demo.t)

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
