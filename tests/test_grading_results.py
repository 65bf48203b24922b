"""Results: one file each, whole or not there; the first stays; strange files are named."""

import errno
import json
import os

import pytest

from course_lib.grading import results
from course_lib.grading.workspace import Workspace

HASH, DIGEST = "a" * 64, "d" * 64
RESULT = {"v": results.VERSION, "submission": HASH, "digest": DIGEST, "infrastructure": None}


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path)


@pytest.fixture
def file(workspace):
    return workspace.path("hmm", "results", HASH, f"{DIGEST}.json")


def load(workspace):
    return results.load(workspace, "hmm", HASH, DIGEST)


class TestStore:
    def test_the_first_stays_unless_forced(self, workspace, file):
        assert load(workspace) is None
        assert results.store(workspace, "hmm", RESULT | {"points": 1}) == file
        results.store(workspace, "hmm", RESULT | {"points": 2})
        assert load(workspace)["points"] == 1
        results.store(workspace, "hmm", RESULT | {"points": 3}, force=True)
        assert load(workspace)["points"] == 3
        assert os.listdir(file.parent) == [file.name]

    def test_a_failure_of_the_machine_gives_way_to_a_mark(self, workspace, file):
        results.store(workspace, "hmm", RESULT | {"infrastructure": "no room", "points": None})
        assert not results.is_final(load(workspace)) and not file.exists()
        results.store(workspace, "hmm", RESULT | {"infrastructure": "no time", "points": None})
        assert load(workspace)["infrastructure"] == "no time"
        results.store(workspace, "hmm", RESULT | {"points": 1})
        assert results.is_final(load(workspace))
        assert os.listdir(file.parent) == [file.name]

    def test_where_no_file_can_be_without_a_name(self, workspace, file, monkeypatch):
        """As on NFS; nothing else differs."""
        opened = os.open

        def refuse(path, flags, *mode, **more):
            if flags & os.O_TMPFILE == os.O_TMPFILE:
                raise OSError(errno.EOPNOTSUPP, "not supported")
            return opened(path, flags, *mode, **more)

        monkeypatch.setattr(os, "open", refuse)
        self.test_the_first_stays_unless_forced(workspace, file)

    def test_disk_that_is_full_half_way(self, workspace, file, monkeypatch):
        """Also with a named temporary file nothing of it stays."""
        written, write = [], os.write

        def half(fd, data):
            if written:
                raise OSError(errno.ENOSPC, "No space left on device")
            written.append(write(fd, data[:10]))
            return written[0]

        for name in (results._temporary, named):
            written.clear()
            with monkeypatch.context() as patch:
                patch.setattr(results, "_temporary", name)
                patch.setattr(os, "write", half)
                with pytest.raises(OSError, match="No space left"):
                    results.store(workspace, "hmm", RESULT)
            assert os.listdir(file.parent) == []


def named(folder):
    """A temporary file with a name, as where others cannot be."""
    name = os.path.join(folder, ".x.part")
    return os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL), name


class TestLoad:
    @pytest.mark.parametrize(
        "text, words",
        [
            (json.dumps(RESULT | {"v": 0}), "result of version 0, this program reads version 1"),
            (json.dumps(RESULT | {"digest": "e" * 64}), "of another submission or bundle"),
            ("{}", "not a result"),
            ("[]", "not a result"),
            ('{"v": 1', "not a result"),
        ],
    )
    def test_strange_file_is_named_with_the_remedy(self, workspace, file, text, words):
        file.parent.mkdir(parents=True)
        file.write_text(text)
        with pytest.raises(ValueError) as caught:
            load(workspace)
        line = str(caught.value)
        assert line.startswith(f"{file}: ") and words in line and "\n" not in line
        assert line.endswith("grade again: course-grade run hmm --force")
        assert file.read_text() == text
