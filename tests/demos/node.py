"""The demos' JavaScript core, called from Python."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest


def run_in_node(script, calls):
    """Results of the calls, a list of plain data, by a script of this folder."""
    node = shutil.which("node")
    if node is None:
        pytest.fail("no node: run `make setup` first", pytrace=False)
    run = subprocess.run(
        [node, Path(__file__).with_name(script)],
        input=json.dumps(calls),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)
