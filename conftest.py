"""Notebooks are compared by their text: pictures and HTML are redrawn by the site build."""

import os

os.environ["TQDM_DISABLE"] = "1"  # notebooks are stored without progress bars

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


def pytest_collectstart(collector):
    if hasattr(collector, "skip_compare"):  # nbval's notebook collector
        collector.skip_compare += SKIPPED_MIME_TYPES
