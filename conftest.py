"""Notebooks are compared by their text, and run once: the site build takes what they drew.

Also how the suite is shared among the processes of ``pytest -n``.
"""

import gc
import os
import re
from pathlib import Path

import pytest

os.environ["TQDM_DISABLE"] = "1"  # notebooks are stored without progress bars

ROOT = Path(__file__).resolve().parent
# On both sides of the comparison. The notebooks store text only (tools/build_notebooks.py
# drops the rest), while a fresh run also produces these.
SKIPPED_MIME_TYPES = (
    "text/html",
    "image/svg+xml",
    "image/png",
    "image/jpeg",
    "application/javascript",
    "application/vnd.jupyter.widget-view+json",
)
# Tests that look at one page of the site share its loads and its tree.
ON_A_PAGE = re.compile(r"tests/book/test_.*\[(\S+\.html)\]$")
# Files that may take half a minute or more.
LONG = ("tests/test_build_book.py", "tests/demos/", "tests/test_grading_", "tests/book/")


def pytest_collectstart(collector):
    if hasattr(collector, "skip_compare"):  # nbval's notebook collector
        collector.skip_compare += SKIPPED_MIME_TYPES


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Let the garbage collector pass over what lasts as long as the run: a million objects."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def is_chapter(item):
    """Whether an item is a cell that nbval runs of a notebook of the book."""
    return hasattr(item, "test_outputs") and item.path.parent == ROOT / "book" / "notebooks"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item):
    """Start the kernel of a chapter as the site build does."""
    if not is_chapter(item) or item.parent.kernel:
        return (yield)
    from build_book import KERNEL_ENVIRONMENT, chapter_key

    item.parent.key, item.parent.ran = chapter_key(item.parent.nb), []
    with pytest.MonkeyPatch.context() as patch:
        for name, value in KERNEL_ENVIRONMENT.items():
            patch.setenv(name, value)
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    """Leave the outputs of a chapter to the site build, if nbval found every cell right."""
    report = yield
    if is_chapter(item) and report.when == "call" and report.passed:
        from build_book import keep_outputs

        chapter = item.parent
        chapter.ran.append((item.test_outputs, report.duration))
        if len(chapter.ran) == sum(cell.cell_type == "code" for cell in chapter.nb.cells):
            outputs, seconds = zip(*chapter.ran, strict=True)
            keep_outputs(item.path.stem, chapter.key, outputs, sum(seconds))
    return report


def unit_of(nodeid):
    """What one process does in one go: a page of the site, else a file."""
    page = ON_A_PAGE.match(nodeid)
    return page[1] if page else nodeid.split("::")[0]


def start_order(item):
    """Long units first, so that no process is left alone with one at the end."""
    unit = unit_of(item.nodeid)
    if unit.endswith(".ipynb"):
        number = re.match(r"\d+", Path(unit).name)
        return 0, -int(number[0]) if number else 0  # later chapters train more
    if unit.startswith(LONG):
        return 1, LONG.index(next(name for name in LONG if unit.startswith(name)))
    if unit.endswith(".html"):
        page = ROOT / "_build" / "html" / unit
        return 2, -page.stat().st_size if page.is_file() else 0
    return 3, 0


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    items.sort(key=start_order)  # stable: within a unit the order stays


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """For `--dist loadfile`: by units instead of files, in the order in which they come."""
    if config.getvalue("dist") != "loadfile":
        return None
    from xdist.scheduler import LoadFileScheduling

    class UnitScheduling(LoadFileScheduling):
        def _split_scope(self, nodeid):
            return unit_of(nodeid)

    config.option.loadscopereorder = False
    return UnitScheduling(config, log)
