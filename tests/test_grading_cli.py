"""The command: help, JSON, and what each verb says to bad input, without touching a file."""

import json
import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from course_lib.grading import cli, doctor, executor, files, gradebook, results, terminal
from course_lib.grading.doctor import Finding
from course_lib.grading.sandbox import Probe, SandboxMissing
from course_lib.grading.workspace import Workspace
from tests import grading_course as normalize
from tests.grading_course import HALF, NAME, RIGHT, SOURCE

pytest_plugins = "tests.grading_support"

VERBS = (
    *("doctor", "new", "rehearse", "release", "collect", "run"),
    *("status", "review", "feedback", "export", "stats"),
)


@pytest.fixture(scope="module")
def graded(tmp_path_factory, sandbox_kind):
    """A course with three submissions, graded; not to be changed."""
    root = tmp_path_factory.mktemp("graded") / "grading"
    workspace = normalize.build(root)
    release = normalize.release(workspace)
    half = normalize.answered(release, HALF)
    hand_in = {"ada": normalize.answered(release, RIGHT), "bob": half, "cyd": b'{"nbformat": 4'}
    normalize.hand_in(workspace, hand_in)
    executor.run(workspace, NAME, kind=sandbox_kind)
    return root


@pytest.fixture
def course(graded, tmp_path):
    """A copy that may be changed."""
    shutil.copytree(graded, tmp_path / "grading")
    return Workspace(tmp_path / "grading")


@pytest.fixture
def command(capfd):
    """Run the command; gives exit code, stdout and stderr."""

    def run(*arguments):
        code = cli.main([str(one) for one in arguments])
        return code, *capfd.readouterr()

    return run


def contents(root):
    """Every file below a folder with its bytes."""
    return {path: path.read_bytes() for path in Path(root).rglob("*") if path.is_file()}


class TestHelp:
    @pytest.mark.parametrize("verb", VERBS)
    def test_each_verb_explains_itself(self, command, verb):
        code, out, err = command(verb, "--help")
        assert code == 0 and err == "" and out.startswith(f"Usage: course-grade {verb} ")

    def test_verbs_are_listed_in_the_order_of_a_course(self, command):
        code, out, _ = command("-h")
        listed = [line.split()[0] for line in out.split("Commands:\n")[1].splitlines()]
        assert code == 0 and listed == list(VERBS)
        assert "..." not in out.split("Commands:\n")[1]  # no explanation is cut short

    def test_answers_without_importing_what_is_slow(self):
        program = (
            "import sys; from course_lib.grading import cli\n"
            f"for verb in {VERBS}: cli.main([verb, '--help'])\n"
            "print({'numpy', 'IPython', 'dask', 'nbformat', 'jupytext'} & set(sys.modules))"
        )
        ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        assert ran.stdout.endswith("set()\n") and ran.stderr == ""

    def test_version(self, command):
        assert command("--version")[:2] == (0, "course-grade, version 0.1.0\n")


class TestJson:
    """One object on stdout, nothing on stderr."""

    @pytest.fixture
    def table(self, command, course):
        def ask(*arguments, code=0):
            got, out, err = command(*arguments, "--work", course.root, "--json")
            assert (got, err) == (code, "")
            return json.loads(out)

        return ask

    def test_status(self, table):
        found = table("status", NAME)
        assert found["counts"] == {"awaiting review": 3}
        ada, bob, cyd = (row["auto"] for row in found["students"])
        assert ada == 4 and 0 < bob < 4 and cyd == 0

    def test_run(self, table):
        found = table("run", NAME)
        assert (found["graded"], found["skipped"], found["infrastructure"]) == (0, 3, [])

    def test_feedback(self, table, course):
        (path,) = table("feedback", NAME, "--only", "bob")["files"]
        assert Path(path) == course.path(NAME, "feedback", "bob.html") and Path(path).is_file()

    def test_export(self, table, tmp_path):
        out = tmp_path / "new" / "grades.json"
        found = table("export", NAME, "--to", "json", "--allow-unreviewed", "--out", out)
        assert Path(found["file"]) == out
        ada, _, cyd = json.loads(out.read_text())["rows"]
        assert (ada["total"], cyd["total"]) == (4, 0)

    def test_stats(self, table):
        found = table("stats", NAME)
        assert Path(found["file"]).is_file() and len(found) > 1

    def test_collect(self, table, tmp_path):
        for student in ("ada", "zoe"):
            files.write_file(tmp_path / "in" / student / "a.ipynb", "{}")
        found = table("collect", NAME, tmp_path / "in", "--from", "folder", code=1)
        assert [student for student, _ in found["taken"]] == ["ada"]
        assert "no student zoe" in found["unknown"][0][1]

    def test_new(self, command, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        code, out, err = command("new", "rnn", "--json")
        assert (code, err) == (0, "")
        assert json.loads(out) == {"folder": "assignments/rnn", "todo": []}
        assert (tmp_path / "assignments" / "rnn" / "checks.py").is_file()

    def test_doctor(self, command, monkeypatch):
        probes = {
            "bubblewrap": Probe("bubblewrap", True, "fine"),
            "landlock": Probe("landlock", False, "old", "new"),
        }
        monkeypatch.setattr(doctor.sandbox, "probe", probes.get)
        finding = Finding("network", True, "refused")
        monkeypatch.setattr(doctor, "attack", lambda kind: iter([finding]))
        code, out, err = command("doctor", "--json")
        assert (code, err, json.loads(out)["ready"]) == (0, "", True)
        finding = Finding("network", False, "a socket\x1b[2J was opened")
        monkeypatch.setattr(doctor, "attack", lambda kind: iter([finding]))
        code, out, err = command("doctor")
        assert (code, err) == (1, "") and "network: a socket?[2J was opened" in out
        assert "landlock: does not work (old)" in out and out.endswith("Not ready to grade.\n")


def broken_zip(course):
    return files.write_file(course.root / "broken.zip", b"PK no zip") or course.root / "broken.zip"


def result_of(course, student):
    index = files.read_lines(course.path(NAME, "inbox", student, "index.jsonl"))
    (path,) = course.path(NAME, "results", index[0]["hash"]).iterdir()
    return path


NEEDS_NAME = [verb for verb in VERBS if verb not in ("doctor", "new", "rehearse", "release")]
EXTRA = {"collect": ("SOURCE", "--from", "folder"), "export": ("--to", "csv")}


class TestBadInput:
    """One line on stderr that names what is wrong, exit code 2, no file touched."""

    @pytest.fixture
    def refused(self, command, course):
        def ask(*arguments, part, code=2, work=None):
            before = contents(course.root)
            got, out, err = command(*arguments, "--work", work or course.root)
            assert (got, out) == (code, ""), err
            assert err.startswith("course-grade: ") and err.count("\n") == 1, err
            assert part in err
            assert contents(course.root) == before

        return ask

    @pytest.mark.parametrize("verb", NEEDS_NAME)
    def test_no_assignment_named(self, refused, verb):
        options = EXTRA.get(verb, ())[-2:]
        refused(verb, *options, part="Which assignment?")
        refused(verb, *options, part=f": {NAME}. See `course-grade {verb} --help`")

    @pytest.mark.parametrize("verb", NEEDS_NAME)
    def test_assignment_that_is_not_released(self, refused, course, verb):
        source = [course.root if one == "SOURCE" else one for one in EXTRA.get(verb, ())]
        refused(verb, "normalise", *source, part="normalise is not released in")

    @pytest.mark.parametrize("verb", NEEDS_NAME)
    def test_bundle_of_another_assignment(self, refused, course, verb):
        os.rename(course.path(NAME), course.path("rnn"))
        source = [course.root if one == "SOURCE" else one for one in EXTRA.get(verb, ())]
        refused(verb, "rnn", *source, part=f"bundle of {NAME}, not of rnn; release rnn again")

    @pytest.mark.parametrize("verb", NEEDS_NAME)
    def test_roster_is_missing(self, refused, course, verb):
        os.remove(course.root / "roster.csv")
        source = [course.root if one == "SOURCE" else one for one in EXTRA.get(verb, ())]
        if verb == "run":
            source = ["--only", "ada"]
        refused(verb, NAME, *source, part="roster.csv is missing")

    @pytest.mark.parametrize("verb", ["run", "feedback"])
    def test_unknown_student(self, refused, verb):
        refused(verb, NAME, "--only", "boob", part="did you mean bob?")

    @pytest.mark.parametrize("verb", ["status", "feedback", "export", "stats", "run", "review"])
    def test_result_of_an_older_version(self, refused, course, verb):
        path = result_of(course, "bob")
        path.write_text(path.read_text().replace('"v": 1', '"v": 0'))
        refused(verb, NAME, *EXTRA.get(verb, ()), part=str(path))

    def test_changed_bundle(self, refused, course):
        with open(course.path(NAME, "bundle", "checks.py"), "a") as file:
            file.write("# eased\n")
        refused("run", NAME, part="not those that were released")

    @pytest.mark.parametrize("verb", ["status", "export", "feedback", "stats"])
    def test_column_of_manual_marks(self, refused, course, verb):
        files.write_file(course.path(NAME, "manual.csv"), "student,punkte\nada,1\n")
        refused(verb, NAME, *EXTRA.get(verb, ()), part="manual.csv")

    @pytest.mark.parametrize(
        "arguments, part",
        [
            (["status", NAME, "--foo"], "No such option '--foo'. See `course-grade status --help`"),
            (["status", NAME, "more"], "unexpected extra argument"),
            (["collect", NAME, "--from", "folder"], "Which zip or folder"),
            (["collect", NAME, "no.zip", "--from", "canvas"], "'no.zip' does not exist"),
            (["collect", NAME, "."], "Missing option '--from'"),
            (["collect", NAME, ".", "--from", "ilias"], "'ilias' is not one of"),
            (["run", NAME, "--jobs", "0"], "0 is not in the range x>=1"),
            (["run", NAME, "--jobs", "2", "--dask", "tcp://127.0.0.1:1"], "not both"),
            (["run", NAME, "--tls-ca", __file__], "TLS needs"),
            (["run", NAME, "--sandbox", "docker"], "'docker' is not one of"),
            (["review", NAME, "--port", "70000"], "70000 is not in the range"),
            (["export", NAME], "Missing option '--to'"),
            (["export", NAME, "--to", "excel"], "'excel' is not one of"),
            (["release", "nowhere"], "'nowhere' does not exist"),
            (["release"], "Missing argument 'FOLDER'"),
        ],
    )
    def test_options_and_arguments(self, refused, arguments, part):
        refused(*arguments, part=part)

    def test_work_is_a_file(self, refused):
        refused("status", NAME, work=__file__, part="is a file")

    def test_zip_that_is_none(self, refused, course):
        refused("collect", NAME, broken_zip(course), "--from", "canvas", part="broken.zip")

    def test_out_in_a_file(self, refused):
        out = Path(__file__, "grades.csv")
        arguments = ("export", NAME, "--to", "csv", "--allow-unreviewed", "--out", out)
        refused(*arguments, part=__file__)

    @pytest.mark.parametrize(
        "file, old, new, part",
        [
            ("config.toml", "title =", "tittle =", "tittle"),
            ("config.toml", "call_s", "calls_s", "calls_s"),
            ("config.toml", "title =", "title", "config.toml"),
            ("assignment.md", "grade_id: normalize", "grade_id: norm alize", "norm alize"),
            ("checks.py", "@check(", "@check(((", "checks.py"),
        ],
    )
    def test_assignment_with_a_mistake(self, refused, tmp_path, file, old, new, part):
        folder = tmp_path / "normalize"
        shutil.copytree(SOURCE, folder)
        text = (folder / file).read_text()
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1))
        refused("release", folder, part=part)
        refused("release", folder, part=str(folder))

    @pytest.mark.parametrize("verb", [(), ("frob",), ("--frob",)])
    def test_no_verb_or_none_of_ours(self, command, verb):
        code, out, err = command(*verb)
        assert (code, out) == (2, "") and err.count("\n") == 1
        assert "See `course-grade --help`" in err and len(err) < 100

    @pytest.mark.parametrize("name", ["../x", "a b", ""])
    def test_new_with_a_bad_name(self, command, tmp_path, name):
        code, out, err = command("new", name, "--in", tmp_path)
        assert (code, out) == (2, "") and err.count("\n") == 1
        assert list(tmp_path.iterdir()) == []

    def test_new_never_replaces(self, command, tmp_path):
        files.write_file(tmp_path / "rnn" / "mine.md", "mine")
        code, out, err = command("new", "rnn", "--in", tmp_path)
        assert (code, out) == (2, "") and str(tmp_path / "rnn") in err
        assert contents(tmp_path) == {tmp_path / "rnn" / "mine.md": b"mine"}

    def test_import_of_what_is_no_notebook(self, command, tmp_path):
        files.write_file(tmp_path / "a.ipynb", '{"cells": [')
        arguments = ("new", "rnn", "--in", tmp_path / "new", "--from-nbgrader")
        for path in (tmp_path / "a.ipynb", tmp_path / "missing.ipynb"):
            code, out, err = command(*arguments, path)
            assert (code, out) == (2, "") and err.count("\n") == 1 and str(path) in err
        assert not (tmp_path / "new").exists()


class TestAttention:
    """Exit code 1: used rightly, but a person must look."""

    def test_export_before_review_names_the_students(self, command, course):
        code, out, err = command("export", NAME, "--to", "csv", "--work", course.root)
        assert (code, out) == (1, "") and "awaiting review: ada, bob, cyd" in err
        assert not course.path(NAME, "grades.csv").exists()

    def test_fault_of_the_machine_is_no_zero(self, command, course, monkeypatch):
        path = result_of(course, "bob")
        result = json.loads(path.read_text()) | {"points": None, "infrastructure": "disk full"}
        path.unlink()
        results.store(course, NAME, result)
        code, out, _ = command("status", NAME, "--work", course.root)
        assert code == 1 and "infrastructure error" in out and "Next: mend" in out
        code, _, err = command(
            *("export", NAME, "--to", "csv", "--allow-unreviewed", "--work", course.root)
        )
        assert code == 1 and "infrastructure error: bob" in err
        summary = executor.Summary(0, 2, [("bob", "disk full")], 1.0)
        monkeypatch.setattr(executor, "run", lambda *_: summary)
        code, out, _ = command("run", NAME, "--work", course.root)
        assert code == 1 and "Infrastructure error: bob: disk full" in out

    @pytest.mark.parametrize(
        "error, code, part",
        [
            (SandboxMissing("no sandbox\nbubblewrap: no"), 1, "no sandbox bubblewrap: no"),
            (OSError(28, "No space left on device", "/x/y"), 1, "/x/y: No space left on device; m"),
            (PermissionError(13, "Permission denied", "/x/y"), 2, "/x/y: Permission denied"),
            (OSError("cannot write"), 1, "cannot write"),
            (MemoryError(), 1, "not enough memory"),
            (KeyboardInterrupt(), 130, "the same command goes on"),
            (ValueError("a\nb"), 2, "course-grade: a b\n"),
            (click.ClickException("c"), 2, "c"),
        ],
    )
    def test_what_goes_wrong_is_one_line(self, command, course, monkeypatch, error, code, part):
        def fail(*_):
            raise error

        monkeypatch.setattr(gradebook, "rows", fail)
        got, out, err = command("status", NAME, "--work", course.root)
        assert (got, out) == (code, "") and part in err and err.strip().count("\n") == 0

    def test_no_sandbox_is_said_aloud(self, command, course, monkeypatch):
        monkeypatch.setattr(executor, "run", lambda *_: executor.Summary(0, 0))
        code, _, err = command("run", NAME, "--sandbox", "none", "--work", course.root)
        assert code == 0 and "no sandbox" in err

    def test_release_names_what_to_mend(self, command, tmp_path):
        folder = tmp_path / "normalize"
        shutil.copytree(SOURCE, folder)
        shutil.rmtree(folder / "wrong")
        code, out, err = command("release", folder, "--work", tmp_path / "grading")
        assert (code, err) == (1, "") and out.startswith("Not released, ")
        assert not (tmp_path / "grading" / NAME).exists()


class TestTerminal:
    def test_names_of_strangers_do_not_steer_it(self):
        assert terminal.printable("a\x1b[2J\rb\u202e ä") == "a?[2J?b? ä"

    def test_work_comes_from_the_environment_too(self, command, course, monkeypatch):
        monkeypatch.setenv("COURSE_GRADE_WORK", str(course.root))
        assert command("status", NAME)[0] == 0

    def test_reader_that_goes_away_is_no_error(self, graded):
        command = [sys.executable, "-m", "course_lib.grading.cli", "status", NAME]
        with subprocess.Popen(
            [*command, "--work", graded], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        ) as ran:
            ran.stdout.close()
            assert ran.stderr.read() == b""
        assert ran.returncode == 1

    def test_bar_only_on_a_terminal(self, graded, tmp_path):
        root = tmp_path / "grading"
        shutil.copytree(graded, root)
        command = [sys.executable, "-m", "course_lib.grading.cli", "feedback", NAME]
        quiet = subprocess.run([*command, "--work", root], capture_output=True, text=True)
        assert (quiet.returncode, quiet.stderr) == (0, "")
        ours, theirs = pty.openpty()
        ran = subprocess.run([*command, "--work", root], stdout=subprocess.PIPE, stderr=theirs)
        os.close(theirs)
        with open(ours, "rb", 0) as stream:
            drawn = stream.read(10_000).decode()
        assert ran.returncode == 0 and "Feedback" in drawn and "100%" in drawn
        assert ran.stdout.decode() == quiet.stdout

    def test_columns_stand_below_each_other(self):
        assert terminal.columns([("a", "bcd", "e"), ("fgh", 1, "")]) == ["a    bcd  e", "fgh  1"]
