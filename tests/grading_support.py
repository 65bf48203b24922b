"""Fixtures of the grader's tests: a sandbox, or a red test that says why there is none.

A machine that forbids sandboxes must not make these tests pass unseen; only
STATE_BY_STATE_NO_SANDBOX=1 turns them into skips.
"""

import os

import pytest

from course_lib.grading import sandbox


def working(kind):
    """The kind, if it works on this machine (None: the first that does)."""
    try:
        return sandbox.choose(kind)
    except sandbox.SandboxMissing as error:
        if os.environ.get("STATE_BY_STATE_NO_SANDBOX") == "1":
            pytest.skip(f"STATE_BY_STATE_NO_SANDBOX=1: {error}")
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="session")
def sandbox_kind():
    return working(None)


@pytest.fixture(scope="session", params=sandbox.KINDS[:2])
def each_kind(request):
    return working(request.param)
