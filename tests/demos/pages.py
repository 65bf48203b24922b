"""Pages that hold nothing but demos: what the book's extension does, without the book."""

from pathlib import Path

STATIC = Path(__file__).resolve().parents[2] / "course_lib" / "demos" / "static"
CASINO = {
    "name": "casino",
    "obs": [2, 5, 5, 5, 0, 5, 3, 1, 0, 4, 5, 5],
    "pi": [2 / 3, 1 / 3],
    "A": [[0.95, 0.05], [0.10, 0.90]],
    "B": [[1 / 6] * 6, [0.1, 0.1, 0.1, 0.1, 0.1, 0.5]],
    "states": ["fair", "loaded"],
    "symbols": list("⚀⚁⚂⚃⚄⚅"),
}


def demo_page(*demos, prose="", theme=""):
    """Return a whole page with the given demos, script and style inlined by reference."""
    hosts = "\n".join(demo._repr_mimebundle_()["text/html"] for demo in demos)
    views = sorted({demo.state["view"] for demo in demos})
    bundles = [(STATIC / f"sbs{view}").as_uri() for view in ("", *(f"-{view}" for view in views))]
    styles = "".join(f'<link rel="stylesheet" href="{bundle}.css">' for bundle in bundles)
    scripts = "".join(f'<script src="{bundle}.js"></script>' for bundle in bundles)
    attribute = f' data-theme="{theme}"' if theme else ""
    background = "#121212" if theme == "dark" else "#fff"
    return (
        f'<!doctype html><html lang="en"{attribute}><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<link rel="icon" href="data:,"><title>Demos</title>'
        f"{styles}{scripts}<style>body{{margin:0;background:{background}}}main{{max-width:760px;margin:auto;padding:16px}}"
        f"</style></head><body><main><h1>Demos</h1>{prose}\n{hosts}</main></body></html>"
    )
