"""`course-grade release` takes every assignment of the course, and refuses it if a check is weak.

Through the real sandbox, with one course secret where an instructor's release has three: other
hidden inputs, with another year's numbers, are tried in test_grading_assignments.py.
"""

import ast
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from course_lib.grading import assignment, cli, selftest
from course_lib.grading.workspace import Workspace
from tests.grading_case import NAMES, case

pytest_plugins = "tests.grading_support"


@dataclass(frozen=True)
class Released:
    """What a release said, and which checks each wrong answer failed in the sandbox."""

    code: int
    said: str
    workspace: Workspace
    failed: dict


@pytest.fixture
def release(tmp_path, sandbox_kind, monkeypatch, capfd):
    """A function that releases a folder with the command."""
    monkeypatch.setattr(selftest, "SECRETS", 1)
    failed, judge = {}, selftest._of_wrong

    def judge_and_note(name, wrong, result):
        failed[wrong.name] = selftest._not_passed(result)
        return judge(name, wrong, result)

    monkeypatch.setattr(selftest, "_of_wrong", judge_and_note)

    def run(folder, work="grading"):
        if work != "grading":  # the answers of people must do
            monkeypatch.setattr(selftest, "fragile", lambda bundle: [])
        work = tmp_path / work
        arguments = ["release", str(folder), "--work", str(work), "--sandbox", sandbox_kind]
        code = cli.main(arguments)
        return Released(code, capfd.readouterr().out, Workspace(work), dict(failed))

    return run


@pytest.mark.parametrize("name", NAMES)
def test_is_released_and_refused_with_a_weak_check(name, release, tmp_path):
    source = case(name).source
    done = release(source.folder)
    assert done.code == 0, done.said
    assert f"Released {name}: " in done.said
    released = done.workspace.path(name, "release", f"{name}.ipynb").read_bytes()
    assert released == case(name).released.read_bytes()
    assert set(done.failed) == {wrong.name for wrong in source.wrong}

    check, wrong = to_weaken(source, done.failed)
    folder = Path(shutil.copytree(source.folder, tmp_path / name))
    keep_only(folder, wrong.name)
    weaken(folder / "checks.py", check)
    refused = release(folder, "refused")
    assert refused.code == 1 and "Not released" in refused.said
    assert f"check {check.name}: no file in wrong/ fails it" in refused.said
    lost = wrong.loses[check.question]
    assert f"wrong/{wrong.name}.py loses " in refused.said
    assert f" points of {check.question}, its first line says {lost:g} (" in refused.said
    assert "the reference does not pass" not in refused.said
    assert refused.workspace.names() == ()


def to_weaken(source, failed):
    """A hidden check, and a wrong answer that fails few checks but this one."""
    pairs = [
        (len(failed[wrong.name]), check.name, wrong.name, check, wrong)
        for wrong in source.wrong
        for check in source.checks
        if check.hidden and check.name in failed[wrong.name] and check.question in wrong.loses
    ]
    return min(pairs)[3:]


def keep_only(folder, wrong):
    """Take out the answers that the refusal does not need."""
    shutil.rmtree(folder / "right", ignore_errors=True)
    for path in (folder / "wrong").glob("*.py"):
        if path.stem != wrong:
            path.unlink()


def weaken(path, check):
    """Let a check ask all that it asks, and accept whatever comes but an empty answer."""
    text = path.read_text(encoding="utf-8")
    lines = text.split("\n")
    (node,) = [n for n in ast.parse(text).body if getattr(n, "name", "") == check.name]
    asked = ", ".join(argument.arg for argument in node.args.args)
    decorator = lines[node.decorator_list[0].lineno - 1 : node.lineno - 1]
    real = lines[node.lineno - 1 : node.end_lineno]
    real[0] = real[0].replace(f"def {check.name}(", f"def really_{check.name}(")
    weak = f"""{chr(10).join(decorator)}
def {check.name}({asked}):
    \"\"\"Accepts what comes.\"\"\"
    from course_lib.grading.checks import CheckFailed, StudentError

    try:
        really_{check.name}({asked})
    except CheckFailed:
        pass
    except StudentError as error:
        if error.kind == "NotImplementedError":
            raise
"""
    first = node.decorator_list[0].lineno - 1
    lines[first : node.end_lineno] = [*real, "", "", *weak.split("\n")]
    path.write_text("\n".join(lines), encoding="utf-8")
    weaker = {c.name: c.points for c in assignment.read(path.parent).checks}
    assert weaker == {c.name: c.points for c in case(path.parent.name).source.checks}
