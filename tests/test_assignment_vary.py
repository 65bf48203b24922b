"""Another year's numbers: the copies differ in what hangs on the seed, and are marked as before."""

import filecmp
import functools
import importlib
import subprocess
import sys

import numpy as np
import pytest

from assignments import vary
from course_lib.grading import assignment
from tests.grading_case import NAMES, ROOT, Case, case

another_summer = importlib.import_module("assignments.01_markov_hmm.another_summer")
FIRST, SEED = "01_markov_hmm", 2031


def files(folder):
    """Names of all files below, without what Python leaves there."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {path.as_posix() for path in found if "__pycache__" not in path.parts}


@pytest.fixture(scope="module")
def term(tmp_path_factory):
    """All assignments of another year."""
    folder = tmp_path_factory.mktemp("term")
    for name in NAMES:
        assert vary.vary(name, SEED, folder) == folder / name
    return folder


@functools.cache
def summer(folder):
    """The varied first assignment, its cells run as in the tests of the original."""
    return Case(assignment.read(folder))


class TestVary:
    @pytest.mark.parametrize("name", NAMES)
    def test_only_what_hangs_on_the_seed_changes(self, term, name):
        old, new = ROOT / "assignments" / name, term / name
        assert files(old) == files(new)
        changed = {file for file in files(old) if not filecmp.cmp(old / file, new / file, False)}
        assert "assignment.md" in changed and not changed & {"checks.py"}
        if name == FIRST:
            return  # its letter speaks of the numbers: see below
        assert all(file == "assignment.md" or file.startswith("data/") for file in changed)
        lines = [(folder / "assignment.md").read_text().splitlines() for folder in (old, new)]
        different = [pair for pair in zip(*lines, strict=True) if pair[0] != pair[1]]
        assert [(a.replace("2026", str(SEED)), b[:6]) for a, b in different] == [
            (different[0][1], "SEED =")
        ]

    def test_data_are_drawn_from_the_seed(self, term, tmp_path):
        """The committed file is that of the notebook's own seed, up to how it is packed."""
        for name in NAMES:
            for path in sorted((ROOT / "assignments" / name).glob("data/*.npz")):
                new = np.load(term / name / "data" / path.name)
                vary.vary(name, 2026, tmp_path)
                old, again = np.load(path), np.load(tmp_path / name / "data" / path.name)
                assert all(np.array_equal(old[key], again[key]) for key in old)
                assert any(not np.array_equal(old[key], new[key]) for key in old)

    def test_the_command_says_where_the_copy_is_and_refuses_to_write_twice(self, tmp_path):
        command = [sys.executable, ROOT / "assignments" / "vary.py", NAMES[-1], "2033", tmp_path]
        first, again = (
            subprocess.run(command, capture_output=True, text=True, cwd=tmp_path) for _ in range(2)
        )
        assert (first.returncode, first.stdout) == (0, f"Made {tmp_path / NAMES[-1]}\n")
        assert again.returncode == 2 and "exists; name a new folder" in again.stderr
        assert "SEED = 2033" in (tmp_path / NAMES[-1] / "assignment.md").read_text()

    def test_what_is_not_there_is_named(self, tmp_path):
        with pytest.raises(ValueError, match=f"no assignment 6; there are {FIRST}, "):
            vary.vary("6", 2031, tmp_path)

    def test_half_a_copy_is_taken_away(self, tmp_path, monkeypatch):
        folder = tmp_path / "all" / "small"
        folder.mkdir(parents=True)
        (folder / "assignment.md").write_text("SEED = 2026\n")
        (folder / "another_try.py").write_text("raise SystemExit('no such year')\n")
        monkeypatch.setattr(vary, "HERE", tmp_path / "all")
        with pytest.raises(ValueError, match=r"(?s)another_try.py 7 failed:.*no such year"):
            vary.vary("small", 7, tmp_path)
        (folder / "another_try.py").unlink()
        (folder / "assignment.md").write_text("SEED = 1\nSEED = 2\n")
        with pytest.raises(ValueError, match="has 2 lines SEED"):
            vary.vary("small", 7, tmp_path)
        assert not (tmp_path / "small").exists()


class TestAnotherSummer:
    def test_another_log_and_the_same_hive(self, term):
        old, new = case(FIRST).space, summer(term / FIRST).space
        assert not np.array_equal(old["SEASON"], new["SEASON"])
        assert [len(new[month]) for month in ("MAY", "JUNE", "JULY")] == [31, 30, 31]
        assert np.flatnonzero(new["OPENED"] >= 0).tolist() == [13, 34, 55, 76]
        assert np.array_equal(old["HIVE_A"], new["HIVE_A"])

    def test_letter_answer_and_rubric_speak_of_this_summer(self, term):
        one = summer(term / FIRST)
        new, season = one.space, one.space["season"]
        states = new["season_gamma"].argmax(axis=1)
        gap = new["season_best"] - new["season_second"]
        answer = next(cell.source for cell in one.source.cells if cell.role == "written")
        rubric = " ".join(line.text for line in one.source.config.manual[0].rubric)
        day = next(t for t in range(30) if (states[t], states[t + 1]) == (0, 2))
        assert f"{day + 1} and {day + 2} May (days {day} and {day + 1})" in one.text
        for text in (answer, rubric):
            assert f"ettled on {day + 1} May and swarming on {day + 2} May" in text
            assert f"{gap:.1f} nats behind" in text
        assert "more than half as probable" in answer and np.exp(-gap) > 0.5
        assert f"({np.exp(-gap):.2f} times as probable)" in rubric
        few, told = int(season["expected_days"][2]), (new["season_path"] == 2).sum()
        number = another_summer.NUMBERS
        assert f"{number[few]} to {number[few + 1]} days of swarming, while" in answer
        assert f"the story has {number[told]}." in answer and told + 3 < few + 1
        share = {"a thousandth": 1e-3, "a millionth": 1e-6}
        (said,) = [text for text in share if f"less than {text} of the evidence" in answer]
        assert np.exp(new["season_best"] - new["season_evidence"]) < share[said]
        assert (states[:31] != new["season_path"][:31]).any() and season["swarms"] >= 2

    def test_marks_are_as_stated(self, term):
        one = summer(term / FIRST)
        assert one.lost(None, 0) == ({}, set())
        for name in ("alarm_by_the_smoother", *changed_wrong(term / FIRST)):
            losses, _ = one.lost(one.wrong[name].answers, 0)
            assert losses == pytest.approx(one.wrong[name].loses), name

    def test_a_seed_has_one_summer(self, term):
        texts = another_summer.new_year(ROOT / "assignments" / FIRST, SEED)
        assert {name for name in texts if name.startswith("wrong/")}
        for name, text in texts.items():
            assert (term / FIRST / name).read_text(encoding="utf-8") == text

    def test_a_varied_copy_can_be_varied(self, term):
        """The patterns hold for every summer, not only for the one that is committed."""
        texts = another_summer.new_year(term / FIRST, SEED + 1)
        assert texts["assignment.md"] != (term / FIRST / "assignment.md").read_text()

    def test_a_text_that_was_rewritten_is_refused(self):
        with pytest.raises(ValueError, match="stands 0 times"):
            another_summer.once(r"\d+ May", "1 May", "the first of May")


def changed_wrong(folder):
    """Names of the wrong answers whose first line is not that of the original."""
    original = ROOT / "assignments" / folder.name
    pairs = ((path, original / "wrong" / path.name) for path in folder.glob("wrong/*.py"))
    return sorted(new.stem for new, old in pairs if new.read_text() != old.read_text())
