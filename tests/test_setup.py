"""Set-up on machines that lack something: one clear line and exit status 2, never a traceback."""

import importlib.metadata
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import ClassVar

import pytest
import quietly
import setup_browser
import setup_node
from packaging.specifiers import SpecifierSet

TOOLS = Path(quietly.__file__).parent


@pytest.fixture
def bare(tmp_path):
    """A clone on a machine with a few programs; add(name, script) adds one more."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "cat", "dirname", "tail", "rm", "env", "pwd"):
        (programs / name).symlink_to(shutil.which(name))
    shutil.copytree(TOOLS, tmp_path / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / ".stamps").mkdir()

    class Machine:
        root = tmp_path

        def add(self, name, script):
            (programs / name).write_text(f"#!/bin/sh\n{script}\n")
            (programs / name).chmod(0o755)

        def set_up_python(self):
            return subprocess.run(
                ["sh", str(tmp_path / "tools" / "setup_python.sh")],
                env={"PATH": str(programs)},
                capture_output=True,
                text=True,
            )

    return Machine()


class TestPython:
    def test_none_at_all(self, bare):
        done = bare.set_up_python()
        assert done.returncode == 2
        assert (
            done.stderr.startswith("Python 3.11 or newer is needed") and "Trace" not in done.stderr
        )

    def test_too_old_ones_only(self, bare):
        bare.add("python3", 'exit 1  # what "is it 3.11 or newer?" answers')
        assert bare.set_up_python().returncode == 2

    def test_newer_one_under_another_name_is_found(self, bare):
        bare.add("python3", "exit 1")
        bare.add("python3.12", '[ "$1" = -m ] && echo "no ensurepip" && exit 1; echo Python 3.12.1')
        done = bare.set_up_python()
        assert done.returncode == 2
        assert "Python 3.12.1" in done.stdout
        assert "no ensurepip" in done.stderr and "python3-venv" in done.stderr

    def test_pip_that_fails_shows_its_last_lines(self, bare):
        stub = f"""
            case "$*" in
            "-m venv .venv") mkdir -p .venv/bin; cp "$0" .venv/bin/python;;
            *quietly*) exec "{sys.executable}" "$@";;
            *pip*) echo "no matching distribution"; exit 1;;
            esac"""
        (bare.root / "bin" / "mkdir").symlink_to(shutil.which("mkdir"))
        (bare.root / "bin" / "cp").symlink_to(shutil.which("cp"))
        bare.add("python3", stub)
        done = bare.set_up_python()
        assert done.returncode == 2
        assert "no matching distribution" in done.stderr
        assert "pip could not install the packages" in done.stderr


class TestNode:
    @pytest.mark.parametrize(
        "script, major",
        [("echo v20.1.0", 20), ("echo v8.0.0", 8), ("exit 127", 0), ("echo what", 0)],
    )
    def test_reads_the_version(self, bare, script, major):
        bare.add("node", script)
        assert setup_node.major_version(bare.root / "bin" / "node") == major

    def test_none_that_runs(self, monkeypatch, capsys):
        monkeypatch.setattr(setup_node, "major_version", lambda node: 0)
        monkeypatch.setattr(setup_node, "use_node_from_pip", lambda: None)
        assert setup_node.main() == 2
        assert "Node 18 or newer is needed" in capsys.readouterr().err

    def test_old_one_on_the_path_is_passed_over(self, monkeypatch):
        taken = []
        versions = iter([12, 24])
        monkeypatch.setattr(setup_node, "major_version", lambda node: next(versions))
        monkeypatch.setattr(setup_node, "use_node_from_pip", lambda: taken.append(True))
        monkeypatch.setattr(setup_node.quietly, "run", lambda *args, **more: 0)
        assert setup_node.main() == 0 and taken == [True]

    def test_npm_that_fails(self, monkeypatch):
        monkeypatch.setattr(setup_node.quietly, "run", lambda *args, **more: 1)
        assert setup_node.main() == 2


class TestBrowser:
    def test_neither_package_manager_nor_driver(self, monkeypatch, capsys):
        monkeypatch.setattr(setup_browser, "find_browser", lambda: None)
        monkeypatch.setattr(setup_browser.shutil, "which", lambda name: None)
        monkeypatch.setattr(setup_browser.quietly, "run", lambda *args, **more: 1)
        assert setup_browser.main() == 2
        error = capsys.readouterr().err
        assert error.startswith("`make test` needs Chromium") and error.count("\n") == 1

    def test_no_bubblewrap(self, monkeypatch, capsys):
        monkeypatch.setattr(setup_browser, "find_browser", lambda: Path("/a/chromium"))
        monkeypatch.setattr(setup_browser.sys, "platform", "linux")
        monkeypatch.setattr(setup_browser.shutil, "which", lambda name: None)
        assert setup_browser.main() == 2
        assert "needs bubblewrap" in capsys.readouterr().err

    @pytest.mark.parametrize("euid, sudo, command", [(0, False, "apt-get"), (7, True, "sudo")])
    def test_package_manager_with_the_rights_there_are(self, monkeypatch, euid, sudo, command):
        ran = []
        monkeypatch.setattr(setup_browser.shutil, "which", lambda name: f"/usr/bin/{name}")
        monkeypatch.setattr(setup_browser.os, "geteuid", lambda: euid)
        monkeypatch.setattr(setup_browser, "may_sudo", lambda: sudo)
        monkeypatch.setattr(
            setup_browser.quietly, "run", lambda log, title, line, env: ran.append(line) or 0
        )
        assert setup_browser.system_install("chromium")
        assert ran[0][0] == command and ran[1][-1] == "chromium"

    def test_without_rights_nothing_is_tried(self, monkeypatch):
        monkeypatch.setattr(setup_browser.os, "geteuid", lambda: 7)
        monkeypatch.setattr(setup_browser, "may_sudo", lambda: False)
        monkeypatch.setattr(setup_browser.quietly, "run", None)
        assert not setup_browser.system_install("chromium")

    def test_program_that_only_advertises_is_no_browser(self, bare, monkeypatch):
        bare.add("chromium", 'echo "install the snap"; exit 1')
        monkeypatch.setenv("CHROMIUM", str(bare.root / "bin" / "chromium"))
        monkeypatch.setattr(setup_browser, "driver_browser", lambda: None)
        assert setup_browser.find_browser() is None


class TestQuietly:
    def run(self, tmp_path, script):
        command = [sys.executable, str(TOOLS / "quietly.py"), str(tmp_path / "new" / "log"), "Work"]
        command += ["sh", "-c", script]
        return subprocess.run(command, capture_output=True, text=True)

    def test_shows_nothing_of_what_went_well(self, tmp_path):
        done = self.run(tmp_path, "echo chatter")
        assert done.returncode == 0
        assert "chatter" not in done.stdout and "Work: done in" in done.stdout
        assert (tmp_path / "new" / "log").read_text() == "chatter\n"

    def test_shows_the_last_lines_and_passes_the_status_on(self, tmp_path):
        done = self.run(tmp_path, "seq 100; echo broken >&2; exit 3")
        assert done.returncode == 3
        lines = done.stderr.splitlines()
        assert lines[-1].strip() == "broken" and lines[-2].strip() == "100"
        assert len(lines) == quietly.LAST_LINES + 1

    def test_command_that_does_not_exist(self, tmp_path, capsys):
        assert quietly.run(str(tmp_path / "log"), "Work", ["no-such-program"]) == 2
        assert "cannot run no-such-program" in capsys.readouterr().err


def test_help_lists_every_target():
    root = TOOLS.parent
    env = {**os.environ, "MAKEFLAGS": "", "MAKELEVEL": ""}
    done = subprocess.run(["make", "-C", str(root)], env=env, capture_output=True, text=True)
    for target in ("book", "test", "serve", "lab", "notebooks", "bench", "clean"):
        assert f"make {target} " in done.stdout


def test_unknown_benchmark_exits_with_2_and_names_those_there_are():
    command = [sys.executable, "-m", "benchmarks", "nonsense"]
    done = subprocess.run(command, cwd=TOOLS.parent, capture_output=True, text=True)
    assert done.returncode == 2
    assert "there are: attention, build, cells, class, grading" in done.stderr


def unfit(distributions, oldest):
    """Names of the distributions that refuse the oldest Python that the project promises."""
    promised = [(d.metadata["Name"], d.metadata.get("Requires-Python")) for d in distributions]
    return sorted(name for name, wants in promised if wants and oldest not in SpecifierSet(wants))


class TestPins:
    def test_install_on_the_oldest_python_that_is_promised(self):
        """Debian 12 has 3.11.2; a pin that wants 3.11.5 stopped the whole set-up there."""
        promise = tomllib.loads((TOOLS.parent / "pyproject.toml").read_text(encoding="utf-8"))
        oldest = promise["project"]["requires-python"].removeprefix(">=") + ".0"
        assert unfit(importlib.metadata.distributions(), oldest) == []

    def test_a_pin_that_wants_more_is_told(self):
        class Picky:
            metadata: ClassVar = {"Name": "picky", "Requires-Python": ">=3.11.5"}

        assert unfit([Picky], "3.11.0") == ["picky"]
        assert unfit([Picky], "3.11.5") == []
