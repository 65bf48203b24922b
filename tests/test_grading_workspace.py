"""The folder of a course: who is in it, what lies in it, and what can go wrong with its files."""

import errno
import fcntl
import json
import os
import re
import stat
import subprocess
import sys
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_lib.grading import files
from course_lib.grading.manifest import Manifest, to_json
from course_lib.grading.workspace import Student, Workspace, submissions


@pytest.fixture
def course(tmp_path):
    write(tmp_path / "roster.csv", "student,name\nada,Ada L.\nbob,Bob\n")
    return Workspace(tmp_path)


def write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def release(course, name, inside=None):
    text = to_json(Manifest(inside or name, "Title", (), (), ()))
    return write(course.path(name, "bundle", "manifest.json"), text)


def refusal(call, *args):
    with pytest.raises(ValueError) as caught:
        call(*args)
    assert "\n" not in str(caught.value)
    return str(caught.value)


class TestRoster:
    def test_has_everyone_in_order(self, tmp_path):
        write(
            tmp_path / "roster.csv",
            "\ufeffname,student,canvas_id,email\n"
            '"Lovelace, Ada",ada.l,12,ada@x.org\n\nBob,b-2,,\nZoë,z_é\n'.replace("z_é", "z,,"),
        )
        assert Workspace(tmp_path).roster() == (
            Student("ada.l", "Lovelace, Ada", "ada@x.org", "12"),
            Student("b-2", "Bob"),
            Student("z", "Zoë"),
        )

    def test_missing_file_says_what_to_write(self, tmp_path):
        line = refusal(Workspace(tmp_path).roster)
        assert "roster.csv is missing" in line and "student,name" in line

    @pytest.mark.parametrize(
        "text, part",
        [
            ("", "has none"),
            ("student;name\nada;Ada", "separated by commas"),
            ("student,name,mail\nada,Ada,x", "columns student,name and may have email"),
            ("student,name,name\nada,Ada,x", "must have the columns"),
            ("student\nada", "must have the columns"),
            ("student,name\nada", "row 2: 2 cells wanted, got 1"),
            ("student,name\n../ada,Ada", "cannot name a student"),
            ("student,name\n.ada,Ada", "cannot name a student"),
            ("student,name\n,Ada", "cannot name a student"),
            ("student,name\nada, ", "ada has no name"),
            ("student,name\nada,Ada\nADA,Other", "student ADA stands there twice"),
            ("student,name,canvas_id\nada,Ada,7\nbob,Bob,7", "canvas_id 7 stands there twice"),
            ('student,name\nada,"Ada', "no CSV file"),
        ],
    )
    def test_mistakes_are_named_with_the_file(self, tmp_path, text, part):
        write(tmp_path / "roster.csv", text)
        line = refusal(Workspace(tmp_path).roster)
        assert part in line and "roster.csv" in line

    def test_another_encoding_gets_advice(self, tmp_path):
        (tmp_path / "roster.csv").write_bytes("student,name\nzoe,Zoë".encode("latin-1"))
        assert "save it as UTF-8" in refusal(Workspace(tmp_path).roster)

    def test_unknown_student_gets_the_nearest(self, course):
        assert course.student("ada").name == "Ada L."
        assert "did you mean ada?" in refusal(course.student, "adda")
        assert "did you mean" not in refusal(course.student, "zzz")


class TestPath:
    @pytest.mark.parametrize("name", ["", "..", "a/b", "a b", ".hidden", "secret", "a\n", "x" * 65])
    def test_no_assignment_leads_elsewhere(self, course, name):
        assert "cannot name an assignment" in refusal(course.path, name)

    @pytest.mark.parametrize("part", ["", "..", "a/b", ".x", "a\0", "a\n"])
    def test_no_part_leads_elsewhere(self, course, part):
        assert "cannot name a file" in refusal(course.path, "hmm", part)

    def test_stays_inside(self, course):
        path = course.path("01_hmm", "inbox", "ada@x.org", "a.ipynb")
        assert path == course.root / "01_hmm" / "inbox" / "ada@x.org" / "a.ipynb"


class TestManifest:
    def test_is_that_of_the_release(self, course):
        release(course, "hmm")
        release(course, "a1")
        assert course.names() == ("a1", "hmm")
        assert course.manifest("hmm").name == "hmm"

    def test_what_is_not_released_is_named_with_what_is(self, course):
        release(course, "hmm")
        line = refusal(course.manifest, "hm")
        assert "hm is not released" in line and "(released: hmm)" in line

    def test_bundle_of_another_assignment(self, course):
        release(course, "hmm", inside="rnn")
        line = refusal(course.manifest, "hmm")
        assert "bundle of rnn, not of hmm" in line and str(course.path("hmm", "bundle")) in line

    def test_bundle_of_an_older_version(self, course):
        path = release(course, "hmm")
        path.write_text(path.read_text().replace('"version": 1', '"version": 0'))
        assert "release the assignment again" in refusal(course.manifest, "hmm")


class TestSecret:
    def test_is_made_once_and_for_the_owner_alone(self, course):
        secret = course.secret()
        assert len(secret) == 32 and course.secret() == secret
        assert stat.S_IMODE((course.root / "secret").stat().st_mode) == 0o600

    def test_all_that_ask_at_once_get_the_same(self, course):
        got, gate = [], threading.Barrier(8)

        def ask():
            gate.wait()
            got.append(course.secret())

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(got) == 8 and len(set(got)) == 1
        assert sorted(p.name for p in course.root.iterdir()) == ["roster.csv", "secret"]

    def test_half_a_secret_is_not_used_nor_replaced(self, course):
        (course.root / "secret").write_bytes(b"short")
        assert "restore it from a copy" in refusal(course.secret)
        assert (course.root / "secret").read_bytes() == b"short"


ENTRY = {"file": "a.ipynb", "hash": "0" * 64, "submitted": "2030-01-02T00:00:00+00:00"}


class TestSubmissions:
    def test_newest_last_and_everyone_is_there(self, course):
        path = course.path("hmm", "inbox", "ada", "index.jsonl")
        files.append_line(path, ENTRY)
        files.append_line(path, ENTRY | {"submitted": "2030-01-01T00:00:00+00:00"})
        found = submissions(course, "hmm")
        assert [entry["submitted"][:10] for entry in found["ada"]] == ["2030-01-01", "2030-01-02"]
        assert found["bob"] == []

    @pytest.mark.parametrize(
        "change", [{"file": "../x"}, {"file": 1}, {"hash": "../../x"}, {"submitted": None}]
    )
    def test_entry_that_leads_elsewhere_is_refused(self, course, change):
        files.append_line(course.path("hmm", "inbox", "ada", "index.jsonl"), ENTRY | change)
        line = refusal(submissions, course, "hmm")
        assert "line 1" in line and "index.jsonl" in line


class TestWriteFile:
    def test_writes_whole_and_leaves_nothing_else(self, tmp_path):
        path = tmp_path / "new" / "a.txt"
        files.write_file(path, "ä")
        files.write_file(path, b"b")
        assert path.read_bytes() == b"b" and list(path.parent.iterdir()) == [path]

    def test_mode_follows_the_umask(self, tmp_path):
        old = os.umask(0o027)
        try:
            files.write_file(tmp_path / "a", b"")
        finally:
            os.umask(old)
        assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o640

    @pytest.mark.parametrize("call", ["fsync", "replace"])
    def test_failure_keeps_the_old_and_no_temporary_file(self, tmp_path, monkeypatch, call):
        path = write(tmp_path / "a.txt", "old")

        def full(*_):
            raise OSError(errno.ENOSPC, "full")

        monkeypatch.setattr(os, call, full)
        with pytest.raises(OSError):
            files.write_file(path, "new")
        assert path.read_text() == "old" and list(tmp_path.iterdir()) == [path]

    def test_create_file_keeps_the_first(self, tmp_path):
        path = tmp_path / "a"
        assert files.create_file(path, "1") is True
        assert files.create_file(path, "2") is False
        assert path.read_text() == "1" and list(tmp_path.iterdir()) == [path]


class TestCsv:
    @pytest.mark.parametrize(
        "value, cell",
        [
            ("=cmd()", "'=cmd()"),
            ("+1+cmd()", "'+1+cmd()"),
            ("-x", "'-x"),
            ("@sum", "'@sum"),
            ("\tx", "'\tx"),
            ("＝x", "'＝x"),
            ("a\r\n\rb", '"a\n\nb"'),
            ("'=x", "''=x"),
            ("'tis", "'tis"),
            ("a=b", "a=b"),
            ("-1.5", "-1.5"),
            ("-1.5\n=x", "\"'-1.5\n'=x\""),
            (" =x", "' =x"),
            ("a;=cmd()", "a;'=cmd()"),
            ('a; "=cmd()', '"a;\' ""=cmd()"'),
            ("a\t+x", "a\t'+x"),
            ("a;b-c", "a;b-c"),
            (-1.5, "-1.5"),
            (0.1 + 0.2, "0.3"),
            (2.0, "2"),
            (None, ""),
        ],
    )
    def test_no_cell_starts_a_formula_and_numbers_stay_numbers(self, tmp_path, value, cell):
        files.write_csv(tmp_path / "t.csv", [{"a": 1, "b": value}])
        assert (tmp_path / "t.csv").read_text(encoding="utf-8") == f"a,b\n1,{cell}\n"

    @settings(max_examples=50, deadline=None)
    @given(st.lists(st.tuples(st.text(), st.text())))
    def test_property_texts_come_back(self, tmp_path_factory, pairs):
        path = tmp_path_factory.getbasetemp() / "property.csv"
        rows = [{"a": _kept(a), "b": f"x{_kept(b)}"} for a, b in pairs]
        files.write_csv(path, rows, ("a", "b"))
        assert files.read_csv(path, ("a", "b")) == rows

    @settings(max_examples=100, deadline=None)
    @given(st.text(alphabet="a=-;\n\t'\" ,＝"))
    def test_property_no_formula_for_other_separators(self, tmp_path_factory, text):
        path = tmp_path_factory.getbasetemp() / "other.csv"
        files.write_csv(path, [{"name": f"x{text}", "b": "y"}])
        assert files.read_csv(path, ("name", "b")) == [{"name": f"x{text}", "b": "y"}]
        for cell in re.split("[;\t\n]", path.read_text(encoding="utf-8")):
            assert not cell.strip(" '\"").startswith(("=", "-", "＝")) or cell.startswith("'")

    def test_appended_rows_are_below_each_other(self, tmp_path):
        path = tmp_path / "new" / "m.csv"
        files.append_csv(path, {"a": "=x", "b": 1})
        with open(path, "a", encoding="utf-8") as file:
            file.write("typed,2")  # a spreadsheet without a last line end
        files.append_csv(path, {"a": "y", "b": None})
        assert path.read_text() == "a,b\n'=x,1\ntyped,2\ny,\n"
        assert [row["a"] for row in files.read_csv(path, ("a", "b"))] == ["=x", "typed", "y"]

    def test_columns_that_may_be_missing_are_empty(self, tmp_path):
        path = write(tmp_path / "t.csv", "a\n1\n")
        assert files.read_csv(path, ("a",), ("b",)) == [{"a": "1", "b": ""}]


def _kept(text):
    """UTF-8 has no lone surrogates, and line ends become one kind."""
    text = text.encode(errors="replace").decode()
    return text.replace("\r\n", "\n").replace("\r", "\n")


class TestLines:
    def test_come_back_in_order(self, tmp_path):
        path = tmp_path / "new" / "i.jsonl"
        assert files.read_lines(path) == []
        for number in range(3):
            files.append_line(path, {"n": number, "text": "ä\n\ud800\u2028"})
        assert [entry["n"] for entry in files.read_lines(path)] == [0, 1, 2]

    def test_half_a_line_is_as_if_never_written(self, tmp_path):
        path = tmp_path / "i.jsonl"
        files.append_line(path, {"n": 1})
        with open(path, "ab") as file:
            file.write(b'{"n": 2, "te')
        assert files.read_lines(path) == [{"n": 1}]
        files.append_line(path, {"n": 3})
        assert files.read_lines(path) == [{"n": 1}, {"n": 3}]

    def test_broken_line_is_named(self, tmp_path):
        path = write(tmp_path / "i.jsonl", '{"n": 1}\n[2]\n')
        assert f"{path}, line 2" in refusal(files.read_lines, path)

    def test_short_write_leaves_the_file_as_it_was(self, tmp_path, monkeypatch):
        path = tmp_path / "i.jsonl"
        files.append_line(path, {"n": 1})
        real = os.write
        monkeypatch.setattr(os, "write", lambda fd, data: real(fd, data[:3]))
        with pytest.raises(OSError) as caught:
            files.append_line(path, {"n": 2})
        assert caught.value.errno == errno.ENOSPC and caught.value.filename == str(path)
        assert path.read_text() == '{"n": 1}\n'

    def test_a_writer_waits_for_another(self, tmp_path):
        path = tmp_path / "i.jsonl"
        files.append_line(path, {"n": 1})
        with open(path) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            writer = threading.Thread(target=files.append_line, args=(path, {"n": 2}))
            writer.start()
            writer.join(0.2)
            assert writer.is_alive() and files.read_lines(path) == [{"n": 1}]
        writer.join()
        assert files.read_lines(path) == [{"n": 1}, {"n": 2}]

    def test_writers_in_several_processes_lose_nothing(self, tmp_path):
        path = tmp_path / "i.jsonl"
        program = (
            "import sys\nfrom course_lib.grading import files\n"
            "for n in range(20): files.append_line(sys.argv[1], {'who': sys.argv[2], 'n': n})\n"
        )
        command = [sys.executable, "-c", program, path]
        writers = [subprocess.Popen([*command, str(who)]) for who in range(3)]
        assert [writer.wait() for writer in writers] == [0, 0, 0]
        lines = [json.loads(line) for line in path.read_text().splitlines()]
        assert sorted((line["who"], line["n"]) for line in lines) == sorted(
            (str(who), n) for who in range(3) for n in range(20)
        )
