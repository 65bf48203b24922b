"""Sphinx extension of the book: a page that needs no other host, no kernel and no framework.

``assets`` builds what goes into ``_static``: local KaTeX, the icon font cut to size, the theme's
scripts made silent, the demo bundles. ``mathematics`` renders formulas at build time and turns
mistakes into warnings with file and line. ``pages`` mends the HTML of every page.
"""

from pathlib import Path

from . import assets, mathematics, pages

HERE = Path(__file__).parent


def use_own_templates(app, config):
    """Put our templates before the theme's."""
    config.templates_path.insert(0, str(HERE / "templates"))


def setup(app):
    # After the themes, which add their own folders in the same event.
    app.connect("config-inited", use_own_templates, priority=900)
    # Jupyter Book sets this for an extension that we leave out.
    app.add_config_value("comments_config", {}, "")
    mathematics.setup(app)
    assets.setup(app)
    pages.setup(app)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
