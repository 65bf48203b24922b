"""One demo: a checked state, its reference trace, and how Jupyter and the built page show it."""

import base64
import copy
import html
import json
import os

from course_lib.demos._state import check_state


class Demo:
    """An interactive demo; made by :func:`trellis`, :func:`state_trace` and the others here.

    Put it last in a cell to show it. What the reader drags comes back to Python:
    ``demo.state`` is the state now, ``demo.trace()`` the reference result for it.

    Parameters
    ----------
    state : dict
        State that fits ``schema.json``.
    view : module
        The Python side of the view: ``check(state)``, ``trace(state)``, ``summary(state)``,
        ``fallback(state)``; and ``live(state)`` where Python computes what the page draws.
    """

    def __init__(self, state, view):
        check_state(state)
        view.check(state)
        self._initial = copy.deepcopy(state)
        self._state = copy.deepcopy(state)
        self._view = view
        self._widget = None

    def __repr__(self):
        return f"{self._initial['view']} demo {self._initial['name']!r}: " + self._view.summary(
            self._initial
        )

    @property
    def name(self):
        """Name of the demo, unique on its page; links in the prose use it."""
        return self._initial["name"]

    @property
    def state(self):
        """A copy of the state now, with everything that the reader changed."""
        return copy.deepcopy(self._state)

    @state.setter
    def state(self, state):
        check_state(state)
        for key in ("v", "view", "name", "fixed"):
            if state[key] != self._initial[key]:
                raise ValueError(f"state: {key} of a demo cannot change; make a new demo")
        self._view.check(state)
        self._state = copy.deepcopy(state)
        if self._widget is not None:
            if self._widget.state != state:
                self._widget.state = copy.deepcopy(state)
            self._widget.computed = self._computed()

    def _computed(self):
        """Return what the kernel computes for the page: nothing, but for a reader's own cell."""
        live = getattr(self._view, "live", None)
        return {} if live is None else live(self.state)

    @property
    def t(self):
        """Step that the demo shows now."""
        return self._state["t"]

    def reset(self):
        """Set the state back to what the author wrote."""
        self.state = self._initial

    def trace(self):
        """Return the reference :class:`~course_lib.trace.Trace` of the state now."""
        return self._view.trace(self.state)

    def _repr_mimebundle_(self, include=None, exclude=None):
        bundle = {"text/plain": repr(self), "text/html": self._html()}
        widget = self._open_widget()
        if widget is not None:
            bundle["application/vnd.jupyter.widget-view+json"] = {
                "version_major": 2,
                "version_minor": 0,
                "model_id": widget.model_id,
            }
        return bundle

    def _html(self):
        name, view = html.escape(self.name), self._initial["view"]
        # "<" and "&" never reach the HTML parser: no label can end the script element.
        data = json.dumps(self._initial, separators=(",", ":"), ensure_ascii=False)
        for char in "<>&\u2028\u2029":
            data = data.replace(char, f"\\u{ord(char):04x}")
        return (
            f'<div class="sbs-demo sbs-{view}" data-demo="{name}">'
            f'<script type="application/json">{data}</script>'
            f'<div class="sbs-fallback">{self._view.fallback(self._initial)}</div></div>'
            "<script>window.sbs&&sbs.mount(document.currentScript.previousElementSibling)</script>"
        )

    def _open_widget(self):
        """Return the widget, opened on first display, or None where no kernel talks to a page."""
        if self._widget is None and _has_comm():
            from course_lib.demos._widget import make_widget  # anywidget only where it can work

            self._widget = make_widget(self)
        return self._widget


def picture(svg, alt):
    """Return ``svg`` as an image element: JupyterLab strips inline SVG from untrusted output."""
    data = base64.b64encode(svg.encode()).decode()
    return f'<img src="data:image/svg+xml;base64,{data}" alt="{html.escape(alt)}">'


def _has_comm():
    """Tell whether a front end can answer; the static build sets COURSE_LIB_STATIC=1."""
    if os.environ.get("COURSE_LIB_STATIC") == "1":
        return False
    try:
        from IPython import get_ipython

        return getattr(get_ipython(), "kernel", None) is not None
    except ImportError:
        return False
