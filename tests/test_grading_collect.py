"""What may come in a download, and where it goes: Canvas, Moodle, folders, and hostile zips."""

import copy
import fcntl
import json
import os
import stat
import struct
import threading
import zipfile
from datetime import UTC, datetime

import pytest
from grading_lms import at, course, notebook, packed

from course_lib.grading import archive, collect
from course_lib.grading.workspace import submissions

ADA = "lovelaceada_12345_900_hmm.ipynb"


@pytest.fixture
def work(tmp_path):
    return course(tmp_path / "work")


def take(work, tmp_path, *entries, from_="canvas", when=(2024, 10, 1, 12, 0, 0)):
    """Collect a zip of these members."""
    entries = [one if isinstance(one, tuple) else (one, notebook()) for one in entries]
    source = packed(tmp_path / "download.zip", *entries, when=when)
    return collect.collect(work, "hmm", source, from_=from_)


def reasons(report):
    return " ".join(reason for _, reason in [*report.rejected, *report.unknown])


def files(work):
    """All files of the workspace below the assignment, as posix paths."""
    root = work.path("hmm")
    return {p.relative_to(root).as_posix() for p in root.rglob("*") if not p.is_dir()}


class TestCanvas:
    def test_takes_a_submission_and_writes_its_line(self, work, tmp_path):
        report = take(work, tmp_path, ADA)
        assert [student for student, _ in report.taken] == ["ada"]
        (entry,) = submissions(work, "hmm")["ada"]
        assert (entry["source"], entry["time"], entry["flags"]) == ("canvas", "download", [])
        path = work.path("hmm", "inbox", "ada", entry["file"])
        assert path.read_bytes() == notebook()
        assert not path.stat().st_mode & stat.S_IWUSR
        assert not report.rejected and not report.unknown and not report.notes

    @pytest.mark.parametrize(
        "name",
        [
            "lovelaceada_LATE_12345_900_hmm.ipynb",
            "lovelaceada_late_12345_900_hmm-1.ipynb",
            "LATE_12345_900_hmm.ipynb",
        ],
    )
    def test_late_mark_is_kept(self, work, tmp_path, name):
        take(work, tmp_path, name)
        assert submissions(work, "hmm")["ada"][0]["flags"] == ["late"]

    @pytest.mark.parametrize(
        "name", ["12345_900_hmm.ipynb", "_12345_900_hmm.ipynb", "lovelaceada_12345_900_2_hmm.ipynb"]
    )
    def test_names_without_a_person_or_with_numbers_in_the_file(self, work, tmp_path, name):
        assert take(work, tmp_path, name).taken[0][0] == "ada"

    @pytest.mark.parametrize(
        "name",
        [
            "x_12345_666_777_hmm.ipynb",  # Bob calls himself x_12345
            "12345_666_777_hmm.ipynb",  # or 12345
            "obrienbob_666_777_a_12345_1_hmm.ipynb",  # or calls his file so
            "12345_6_LATE_666_777_hmm.ipynb",
        ],
    )
    def test_name_that_fits_two_students_is_given_to_neither(self, work, tmp_path, name):
        report = take(work, tmp_path, name)
        assert not report.taken
        assert "could belong to Canvas users 12345 and 666" in reasons(report)
        assert "--from folder" in reasons(report)

    def test_file_of_a_dropped_student_cannot_point_at_another(self, work, tmp_path):
        report = take(work, tmp_path, "gone_999_1_a_12345_1_hmm.ipynb")
        assert not report.taken and "no student with canvas_id 999" in reasons(report)

    def test_folder_in_a_name_cannot_point_at_another(self, work, tmp_path):
        report = take(work, tmp_path, "gone_999_1_x/lovelaceada_12345_1_hmm.ipynb")
        assert not report.taken and len(report.unknown) == 1

    def test_name_below_a_folder_is_none_that_canvas_gives(self, work, tmp_path):
        report = take(work, tmp_path, "gone/" + ADA)
        assert not report.taken and "not a name that Canvas gives" in reasons(report)

    def test_other_name_than_in_the_roster_is_noted(self, work, tmp_path):
        report = take(work, tmp_path, "somebodyelse_12345_900_hmm.ipynb")
        assert report.notes == [("ada", "Canvas writes the name as somebodyelse")]

    def test_name_in_other_letters_and_order_is_no_note(self, work, tmp_path):
        assert take(work, tmp_path, "lẽchó_77_900_hmm.ipynb").notes == []

    def test_of_several_notebooks_the_one_named_like_the_assignment_counts(self, work, tmp_path):
        report = take(
            work,
            tmp_path,
            ("lovelaceada_12345_900_hmm.ipynb", notebook("right")),
            ("lovelaceada_12345_901_Untitled.ipynb", notebook("scratch")),
        )
        assert "Untitled" in report.rejected[0][0] and "hmm.ipynb was taken" in reasons(report)
        path = work.path("hmm", "inbox", "ada", report.taken[0][1])
        assert path.read_bytes() == notebook("right")

    def test_of_two_with_the_right_name_the_later_upload_counts(self, work, tmp_path):
        report = take(
            work,
            tmp_path,
            ("lovelaceada_12345_1000_hmm-1.ipynb", notebook("new")),
            ("lovelaceada_12345_999_hmm.ipynb", notebook("old")),
        )
        path = work.path("hmm", "inbox", "ada", report.taken[0][1])
        assert path.read_bytes() == notebook("new")

    def test_folder_that_the_zip_unpacks_to(self, work, tmp_path):
        folder = tmp_path / "download"
        folder.mkdir()
        (folder / ADA).write_bytes(notebook())
        assert collect.collect(work, "hmm", folder, from_="canvas").taken[0][0] == "ada"
        # Time of the unpacking, not of the submission.
        assert submissions(work, "hmm")["ada"][0]["time"] == "download"

    def test_zip_packed_again_with_the_folder_round_it(self, work, tmp_path):
        assert take(work, tmp_path, "download/" + ADA, "__MACOSX/download/._x.ipynb").taken


class TestTwice:
    def test_same_download_again_changes_nothing(self, work, tmp_path):
        take(work, tmp_path, ADA, "gone_999_1_hmm.ipynb")
        before = files(work)
        report = take(work, tmp_path, ADA, "gone_999_1_hmm.ipynb")
        assert (report.taken, report.unchanged) == ([], ["ada"])
        assert files(work) == before
        assert len(submissions(work, "hmm")["ada"]) == 1
        lines = work.path("hmm", "quarantine", "index.jsonl").read_text().splitlines()
        assert len(lines) == 1

    def test_resubmission_is_added_and_counts(self, work, tmp_path):
        take(work, tmp_path, (ADA, notebook("one")))
        take(work, tmp_path, (ADA, notebook("two")), when=(2024, 10, 2, 9, 0, 0))
        entries = submissions(work, "hmm")["ada"]
        texts = [work.path("hmm", "inbox", "ada", e["file"]).read_bytes() for e in entries]
        assert texts == [notebook("one"), notebook("two")]

    def test_back_to_an_earlier_version_counts_again(self, work, tmp_path):
        for day, text in ((1, "one"), (2, "two"), (3, "one")):
            take(work, tmp_path, (ADA, notebook(text)), when=(2024, 10, day, 9, 0, 0))
        entries = submissions(work, "hmm")["ada"]
        assert len(entries) == 3 and entries[-1]["hash"] == entries[0]["hash"]

    def test_old_download_after_the_new_one_does_not_win(self, work, tmp_path):
        take(work, tmp_path, (ADA, notebook("new")), when=(2024, 10, 3, 9, 0, 0))
        report = take(work, tmp_path, (ADA, notebook("old")), when=(2024, 10, 1, 9, 0, 0))
        assert "which still counts" in report.notes[0][1]
        newest = submissions(work, "hmm")["ada"][-1]
        assert work.path("hmm", "inbox", "ada", newest["file"]).read_bytes() == notebook("new")

    def test_every_old_download_again_changes_nothing(self, work, tmp_path):
        for day, text in ((1, "one"), (2, "two"), (1, "one"), (2, "two")):
            report = take(work, tmp_path, (ADA, notebook(text)), when=(2024, 10, day, 9, 0, 0))
        assert report.unchanged == ["ada"] and len(submissions(work, "hmm")["ada"]) == 2

    def test_extension_given_in_canvas_takes_the_late_mark_away(self, work, tmp_path):
        take(work, tmp_path, "lovelaceada_LATE_12345_900_hmm.ipynb", when=(2024, 10, 4, 9, 0, 0))
        take(work, tmp_path, ADA, when=(2024, 10, 5, 9, 0, 0))
        assert submissions(work, "hmm")["ada"][-1]["flags"] == []

    def test_crash_before_the_line_was_written(self, work, tmp_path):
        take(work, tmp_path, ADA)
        (work.path("hmm", "inbox", "ada") / "index.jsonl").unlink()
        assert take(work, tmp_path, ADA).taken
        assert len(submissions(work, "hmm")["ada"]) == 1

    def test_stopped_in_the_middle_and_run_again(self, work, tmp_path):
        source = packed(tmp_path / "a.zip", (ADA, notebook()), ("x_77_1_a.ipynb", notebook("c")))

        def stop(done, total):
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            collect.collect(work, "hmm", source, progress=stop)
        report = collect.collect(work, "hmm", source)
        assert (report.unchanged, [student for student, _ in report.taken]) == (["ada"], ["cho"])

    def test_second_collection_waits_for_the_first(self, work, tmp_path):
        inbox = work.path("hmm", "inbox")
        inbox.mkdir()
        first = os.open(inbox, os.O_RDONLY)
        fcntl.flock(first, fcntl.LOCK_EX)
        second = threading.Thread(target=take, args=(work, tmp_path, ADA))
        second.start()
        second.join(0.3)
        assert second.is_alive() and not (inbox / "ada").exists()
        os.close(first)
        second.join(10)
        assert len(submissions(work, "hmm")["ada"]) == 1


class TestMoodle:
    ADA = "Ada Lovelace_4711_assignsubmission_file_/hmm.ipynb"

    @pytest.mark.parametrize(
        "name",
        [
            ADA,
            "Ada Lovelace_4711_assignsubmission_file/hmm.ipynb",
            "Ada Lovelace_4711_assignsubmission_file_hmm.ipynb",
            "lovelace, ADA_4711_assignsubmission_file_/part/hmm.ipynb",
        ],
    )
    def test_layouts_of_old_and_new_versions(self, work, tmp_path, name):
        assert take(work, tmp_path, name, from_="moodle").taken[0][0] == "ada"
        assert submissions(work, "hmm")["ada"][0]["number"] == "4711"

    def test_signs_that_moodle_leaves_out(self, work, tmp_path):
        name = "Bob OBrien_5_assignsubmission_file_/hmm.ipynb"
        assert take(work, tmp_path, name, from_="moodle").taken[0][0] == "bob"

    def test_two_students_of_one_name_need_their_numbers(self, tmp_path):
        roster = "student,name,moodle_id\na1,Ada Lovelace,\na2,Ada Lovelace,\n"
        work = course(tmp_path / "work", roster)
        report = take(work, tmp_path, self.ADA, from_="moodle")
        assert not report.taken
        assert "a1 and a2 have this name; put 4711 into the column moodle_id" in reasons(report)
        (tmp_path / "work" / "roster.csv").write_text(
            roster.replace("\na2,Ada Lovelace,", "\na2,Ada Lovelace,4711")
        )
        assert take(work, tmp_path, self.ADA, from_="moodle").taken[0][0] == "a2"

    def test_who_takes_anothers_name_is_not_taken_for_them(self, work, tmp_path):
        report = take(work, tmp_path, self.ADA, self.ADA.replace("4711", "666"), from_="moodle")
        assert not report.taken and len(report.rejected) == 2
        assert "participants 4711 and 666" in reasons(report)

    def test_and_not_in_a_later_download(self, work, tmp_path):
        take(work, tmp_path, self.ADA, from_="moodle")
        report = take(work, tmp_path, self.ADA.replace("4711", "666"), from_="moodle")
        assert not report.taken and "participants 4711 and 666" in reasons(report)

    def test_worksheet_tells_who_and_when(self, work, tmp_path):
        work.path("hmm", "moodle.csv").write_text(
            'Identifier,"Full name","Email address",Grade,"Last modified (submission)"\n'
            '"Participant 4711",Somebody,ADA@example.org,,"Wednesday, 2 October 2024, 11:59 PM"\n'
        )
        name = "Participant_4711_assignsubmission_file_/hmm.ipynb"
        for _ in range(2):
            take(work, tmp_path, name, from_="moodle")
        (entry,) = submissions(work, "hmm")["ada"]
        # The worksheet's times are those of the due date's offset.
        assert (entry["time"], entry["submitted"]) == ("worksheet", "2024-10-02T21:59:00+00:00")

    def test_worksheet_that_is_none(self, work, tmp_path):
        work.path("hmm", "moodle.csv").write_text("a,b\n1,2\n")
        with pytest.raises(ValueError, match=r"moodle\.csv has no column Identifier"):
            take(work, tmp_path, self.ADA, from_="moodle")


class TestFolder:
    def collect(self, work, folder):
        return collect.collect(work, "hmm", folder, from_="folder")

    def test_both_layouts(self, work, tmp_path):
        (tmp_path / "in" / "ada").mkdir(parents=True)
        (tmp_path / "in" / "ada" / "any name.ipynb").write_bytes(notebook())
        (tmp_path / "in" / "bob.ipynb").write_bytes(notebook())
        os.utime(tmp_path / "in" / "bob.ipynb", (1_727_000_000, 1_727_000_000))
        report = self.collect(work, tmp_path / "in")
        assert [student for student, _ in report.taken] == ["ada", "bob"]
        (entry,) = submissions(work, "hmm")["bob"]
        when = datetime.fromtimestamp(1_727_000_000, UTC).isoformat()
        assert (entry["time"], entry["submitted"]) == ("file", when)

    def test_unknown_student_with_the_nearest_one(self, work, tmp_path):
        (tmp_path / "in").mkdir()
        (tmp_path / "in" / "Ada.ipynb").write_bytes(notebook("x"))
        report = self.collect(work, tmp_path / "in")
        assert "is it ada? Then rename it" in report.unknown[0][1]
        line = json.loads(work.path("hmm", "quarantine", "index.jsonl").read_text())
        kept = work.path("hmm", "quarantine", line["file"])
        assert kept.read_bytes() == notebook("x") and line["reason"] == report.unknown[0][1]

    def test_links_pipes_and_hidden_files(self, work, tmp_path):
        folder = tmp_path / "in"
        (folder / "ada" / ".ipynb_checkpoints").mkdir(parents=True)
        (folder / "ada" / ".ipynb_checkpoints" / "hmm.ipynb").write_bytes(notebook())
        (tmp_path / "secret.ipynb").write_bytes(b"secret")
        (folder / "ada" / "hmm.ipynb").symlink_to(tmp_path / "secret.ipynb")
        os.mkfifo(folder / "bob.ipynb")
        (folder / "cho").symlink_to(tmp_path)
        report = self.collect(work, folder)
        assert not report.taken and len(report.rejected) == 3
        # Refused by the listing, before anything is opened.
        wanted = "a link or a device, no file; put the notebook itself there"
        assert {reason for _, reason in report.rejected} == {wanted}

    def test_link_put_there_after_the_listing(self, work, tmp_path, monkeypatch):
        (tmp_path / "in").mkdir()
        path = tmp_path / "in" / "ada.ipynb"
        path.write_bytes(notebook())
        with archive.members(tmp_path / "in") as ((member,), _):
            path.unlink()
            path.symlink_to("/etc/passwd")
            with pytest.raises(archive.Refused, match="cannot be read"):
                member.read(10_000)

    def test_clock_that_runs_ahead(self, work, tmp_path):
        (tmp_path / "in").mkdir()
        (tmp_path / "in" / "ada.ipynb").write_bytes(notebook())
        os.utime(tmp_path / "in" / "ada.ipynb", (4_000_000_000, 4_000_000_000))
        now = at("2024-10-01T08:00")
        collect.collect(work, "hmm", tmp_path / "in", from_="folder", now=now)
        (entry,) = submissions(work, "hmm")["ada"]
        assert (entry["time"], entry["submitted"]) == ("download", "2024-10-01T08:00:00+00:00")

    def test_late_by_the_time_of_the_file_is_said(self, work, tmp_path):
        (tmp_path / "in").mkdir()
        (tmp_path / "in" / "ada.ipynb").write_bytes(notebook())
        os.utime(tmp_path / "in" / "ada.ipynb", (1_730_000_000, 1_730_000_000))
        assert "put that into late.csv" in self.collect(work, tmp_path / "in").notes[0][1]


class TestHostileZips:
    @pytest.mark.parametrize(
        "name",
        [
            "../../roster.ipynb",
            "/etc/x_12345_1_a.ipynb",
            "a/../../x_12345_1_a.ipynb",
            "C:/x_12345_1_a.ipynb",
            "lovelaceada_12345_1_..\\..\\a.ipynb",
            "lovelaceada_12345_1_a\x1b[2J.ipynb",
            "lovelaceada_12345_1_" + "a" * 2000 + ".ipynb",
        ],
    )
    def test_names_that_lead_elsewhere(self, work, tmp_path, name):
        report = take(work, tmp_path, name, ADA)
        assert [student for student, _ in report.taken] == ["ada"]
        assert len(report.rejected) == 1 and "its name" in reasons(report)
        assert report.rejected[0][0].isprintable() and len(report.rejected[0][0]) < 200
        assert {p.split("/")[0] for p in files(work)} == {"bundle", "inbox", "quarantine"}

    def test_zero_byte_in_a_name(self, work, tmp_path):
        path = packed(tmp_path / "a.zip", ("lovelaceada_12345_1_a.ipynbX.txt", notebook()))
        path.write_bytes(path.read_bytes().replace(b"ipynbX", b"ipynb\0"))
        assert "control characters" in reasons(collect.collect(work, "hmm", path))

    def test_link(self, work, tmp_path):
        info = zipfile.ZipInfo(ADA)
        info.external_attr = (stat.S_IFLNK | 0o777) << 16
        report = take(work, tmp_path, (info, b"/etc/passwd"))
        assert not report.taken and "a link or a device" in reasons(report)

    @pytest.mark.filterwarnings("ignore:Duplicate name")
    def test_one_name_twice(self, work, tmp_path):
        report = take(work, tmp_path, (ADA, notebook("a")), (ADA, notebook("b")))
        assert not report.taken and "more than once" in reasons(report)

    def test_bomb_of_one_member(self, work, tmp_path):
        report = take(work, tmp_path, (ADA, bytes(5 * 2**20)), "lẽchó_77_900_hmm.ipynb")
        assert [student for student, _ in report.taken] == ["cho"]
        assert "unpacks to 5,242,880 bytes" in reasons(report)

    def test_bomb_that_understates_its_size(self, work, tmp_path):
        path = packed(tmp_path / "a.zip", (ADA, bytes(5 * 2**20)))
        path.write_bytes(path.read_bytes().replace(struct.pack("<I", 5 * 2**20), b"\x10\0\0\0"))
        report = collect.collect(work, "hmm", path)
        assert not report.taken and "damaged in the zip" in reasons(report)

    def test_bomb_in_the_archive_costs_only_itself(self, work, tmp_path, monkeypatch):
        monkeypatch.setattr(archive, "MAX_QUIET", 2**20)
        report = take(work, tmp_path, (ADA, bytes(5 * 2**20)), "lẽchó_77_900_hmm.ipynb")
        assert [student for student, _ in report.taken] == ["cho"]
        assert "a zip bomb" in reasons(report)

    def test_whole_archive_that_is_a_bomb(self, work, tmp_path, monkeypatch):
        """Many members that are the same bytes of the file; none alone is packed too well."""
        monkeypatch.setattr(archive, "MAX_QUIET", 2**20)
        path = tmp_path / "download.zip"
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
            made.writestr(ADA, os.urandom(2**14) * 2**6)
            for i in range(20):
                made.filelist.append(copy.copy(made.filelist[0]))
                made.filelist[-1].filename = f"x_{i}_1_a.ipynb"
        with pytest.raises(ValueError, match=r"download\.zip: .* a zip bomb; nothing was read"):
            collect.collect(work, "hmm", path)
        assert files(work) == {"bundle/manifest.json", "bundle/digest"}

    def test_too_large_for_the_limit_is_taken_so_that_the_student_learns_it(self, work, tmp_path):
        assert take(work, tmp_path, (ADA, os.urandom(2**20 + 2**19))).taken

    def test_encrypted(self, work, tmp_path):
        path = packed(tmp_path / "a.zip", (ADA, notebook()))
        data = bytearray(path.read_bytes())
        data[6] |= 1
        data[data.index(b"PK\x01\x02") + 8] |= 1
        path.write_bytes(data)
        report = collect.collect(work, "hmm", path)
        assert not report.taken and "encrypted; unpack it" in reasons(report)

    @pytest.mark.parametrize("kind", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
    def test_packing_whose_memory_has_no_bound(self, work, tmp_path, kind):
        info = zipfile.ZipInfo(ADA)
        info.compress_type = kind
        report = take(work, tmp_path, (info, notebook()))
        assert not report.taken and "packed in a way" in reasons(report)

    def test_damaged_member_does_not_stop_the_others(self, work, tmp_path):
        path = packed(tmp_path / "a.zip", (ADA, os.urandom(500)), ("x_77_1_hmm.ipynb", notebook()))
        data = bytearray(path.read_bytes())
        data[200] ^= 255
        path.write_bytes(data)
        report = collect.collect(work, "hmm", path)
        assert [student for student, _ in report.taken] == ["cho"]
        assert "damaged in the zip" in reasons(report)

    def test_archive_of_a_version_from_the_future(self, work, tmp_path):
        path = packed(tmp_path / "a.zip", (ADA, notebook()))
        data = bytearray(path.read_bytes())
        data[data.index(b"PK\x01\x02") + 6] = 99
        path.write_bytes(data)
        with pytest.raises(ValueError, match="not a readable zip file"):
            collect.collect(work, "hmm", path)

    def test_many_entries(self, work, tmp_path, monkeypatch):
        monkeypatch.setattr(archive, "MAX_MEMBERS", 50)
        with pytest.raises(ValueError, match="51 files, at most 50 are read"):
            take(work, tmp_path, *(f"a_{i}_1_x.ipynb" for i in range(51)))

    def test_formula_in_a_name_is_only_text(self, work, tmp_path):
        report = take(work, tmp_path, "=cmd('x')_5_6_=1+1.ipynb", from_="canvas")
        assert report.unknown[0][0] == "=cmd('x')_5_6_=1+1.ipynb"

    def test_other_files_are_named(self, work, tmp_path):
        report = take(work, tmp_path, "lovelaceada_12345_1_text.html", ADA)
        assert report.taken and "no notebook (.ipynb)" in reasons(report)


class TestUsedWrongly:
    def test_missing_file(self, work, tmp_path):
        with pytest.raises(ValueError, match=r"none\.zip: no such file or folder"):
            collect.collect(work, "hmm", tmp_path / "none.zip")

    def test_no_zip(self, work, tmp_path):
        (tmp_path / "a.zip").write_text("<html>")
        with pytest.raises(ValueError, match=r"a\.zip: not a readable zip file .* download it"):
            collect.collect(work, "hmm", tmp_path / "a.zip")

    def test_empty_zip(self, work, tmp_path):
        with pytest.raises(ValueError, match=r"no file in it"):
            take(work, tmp_path)

    def test_unknown_source(self, work, tmp_path):
        with pytest.raises(ValueError, match="known are canvas, moodle, folder"):
            take(work, tmp_path, ADA, from_="blackboard")

    def test_not_released(self, work, tmp_path):
        with pytest.raises(ValueError, match="rnn is not released"):
            collect.collect(work, "rnn", packed(tmp_path / "a.zip", (ADA, notebook())))

    def test_wrong_system_takes_nothing_and_says_why(self, work, tmp_path):
        report = take(work, tmp_path, ADA, from_="moodle")
        assert not report.taken and "not a name that Moodle gives" in reasons(report)

    def test_progress(self, work, tmp_path):
        seen = []
        source = packed(tmp_path / "a.zip", (ADA, notebook()), ("x_77_1_a.ipynb", notebook()))
        now = at("2024-10-02T08:00")
        collect.collect(work, "hmm", source, now=now, progress=lambda *pair: seen.append(pair))
        assert seen == [(1, 2), (2, 2)]
        assert submissions(work, "hmm")["ada"][0]["collected"] == "2024-10-02T08:00:00+00:00"
