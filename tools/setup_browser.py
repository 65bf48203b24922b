"""Find or install what `make test` needs from the system: Chromium, and bubblewrap on Linux.

Order: what is there; the system's package manager (as root, or by sudo without a password); for
Chromium also the browser driver's own download. Exit status 2, with one line, where none works.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import quietly

ROOT = Path(__file__).resolve().parents[1]
LOG = str(ROOT / ".stamps" / "browser.log")
# The driver's own Node wants a library (libatomic) that a bare system lacks; the one we use runs.
if shutil.which("node"):
    os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", shutil.which("node"))
CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")

# What to run before (or nothing), and how to install packages.
PACKAGE_MANAGERS = {
    "apt-get": (["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends"]),
    "dnf": (None, ["dnf", "install", "-y"]),
    "yum": (None, ["yum", "install", "-y"]),
    "zypper": (None, ["zypper", "--non-interactive", "install"]),
    "pacman": (None, ["pacman", "-Sy", "--noconfirm"]),
    "apk": (None, ["apk", "add"]),
}


def runs(program):
    """Some systems have a `chromium` that only tells you to install another package."""
    try:
        answer = subprocess.run([program, "--version"], capture_output=True, timeout=60)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return answer.returncode == 0


def find_browser():
    """Return the path of a Chromium that starts, or None. CHROMIUM in the environment wins."""
    wished = os.environ.get("CHROMIUM")
    for name in (wished,) if wished else CHROMIUM_NAMES:
        path = shutil.which(name)
        if path and runs(path):
            return Path(path)
    path = driver_browser()
    return path if path and runs(path) else None


def driver_browser():
    """Path where the browser driver keeps its own Chromium, whether it is there or not."""
    # In a process of its own: a test may have the driver open already.
    code = (
        "from playwright.sync_api import sync_playwright as s\n"
        "with s() as p: print(p.chromium.executable_path)"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    return Path(answer.stdout.strip()) if answer.returncode == 0 else None


def may_sudo():
    if not shutil.which("sudo"):
        return False
    return subprocess.call(["sudo", "-n", "true"], stderr=subprocess.DEVNULL) == 0


def system_install(package):
    """Try the system's package manager; return whether it says that it worked."""
    manager = next((name for name in PACKAGE_MANAGERS if shutil.which(name)), None)
    if manager is None:
        return False
    if os.geteuid() == 0:
        rights = []
    elif may_sudo():
        rights = ["sudo", "-n"]
    else:
        return False
    first, install = PACKAGE_MANAGERS[manager]
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    if first and quietly.run(LOG, f"{manager}: list of packages", rights + first, env=env):
        return False
    return quietly.run(LOG, f"{manager}: {package}", [*rights, *install, package], env=env) == 0


def set_up_browser():
    if find_browser():
        return True
    if system_install("chromium") and find_browser():
        return True
    command = [sys.executable, "-m", "playwright", "install", "chromium"]
    return quietly.run(LOG, "Chromium by the browser driver", command) == 0 and bool(find_browser())


def set_up_bubblewrap():
    if not sys.platform.startswith("linux"):
        print("bubblewrap: exists on Linux only, not needed for the book's tests here")
        return True
    if shutil.which("bwrap"):
        return True
    return system_install("bubblewrap") and bool(shutil.which("bwrap"))


def main():
    if not set_up_browser():
        print(
            "`make test` needs Chromium, and neither the system's package manager nor the browser"
            " driver could install it: install it, or name it as in CHROMIUM=/path/to/chromium.",
            file=sys.stderr,
        )
        return 2
    print(f"Chromium: {find_browser()}")
    if not set_up_bubblewrap():
        print(
            "`make test` needs bubblewrap (the program bwrap), and the system's package manager"
            " could not install it: install the package `bubblewrap`.",
            file=sys.stderr,
        )
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
