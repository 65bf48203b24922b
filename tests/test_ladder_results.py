"""The results file of the ladder: what is written is read back, what is broken is named."""

import dataclasses
import json

import pytest

from course_lib.ladder.results import Cell, read_results, skill, write_results

ONE = Cell(
    **{"task": "parity", "model": "gru", "seed": 2, "score": 0.75, "chance": 0.5, "ceiling": 1.0},
    **{"measure": "accuracy", "parameters": 35, "seconds": 1.25, "updates": 7, "solved": False},
    **{"settings": "0123abcd", "versions": "python 3.11.2"},
)
TWO = dataclasses.replace(ONE, model="rnn", seed=0)


def line(**changes):
    return json.dumps(dataclasses.asdict(ONE) | changes)


class TestReadResults:
    def test_gives_back_what_was_written_in_the_same_order(self, tmp_path):
        path = tmp_path / "results.jsonl"
        write_results([TWO, ONE], path)
        assert read_results(path) == [TWO, ONE]
        assert path.read_text().splitlines()[1] == line()

    def test_a_file_that_is_not_there_holds_no_cells(self, tmp_path):
        assert read_results(tmp_path / "none.jsonl") == []

    def test_empty_lines_are_passed_over(self, tmp_path):
        path = tmp_path / "results.jsonl"
        path.write_text("\n" + line() + "\n\n")
        assert read_results(str(path)) == [ONE]

    def test_a_whole_number_is_a_score_too(self, tmp_path):
        path = tmp_path / "results.jsonl"
        path.write_text(line(score=1))
        (cell,) = read_results(path)
        assert cell.score == 1.0 and type(cell.score) is float

    @pytest.mark.parametrize(
        "second, reason",
        [
            (line()[:-9], "is not JSON"),
            ("<<<<<<< HEAD", "is not JSON"),
            ("[1, 2]", "must have the keys task, model"),
            (line(extra=1), "must have the keys"),
            (line(seed="2"), "seed must be of type int, got '2'"),
            (line(seed=True), "seed must be of type int, got True"),
            (line(solved=1), "solved must be of type bool, got 1"),
            (line(score=None), "score must be of type float, got None"),
            (line(score=float("nan")), "holds NaN"),
            (line(measure="mae"), "measure must be accuracy or mse, got 'mae'"),
            (line(seed=0, model="rnn"), "repeats the cell of line 1"),
        ],
    )
    def test_a_line_that_is_no_cell_is_named(self, tmp_path, second, reason):
        path = tmp_path / "results.jsonl"
        write_results([TWO], path)
        path.write_text(path.read_text() + "\n" + second + "\n")
        with pytest.raises(ValueError, match="line 3: ") as caught:
            read_results(path)
        assert reason in str(caught.value) and "delete the line" in str(caught.value)


class TestWriteResults:
    def test_leaves_the_old_file_whole_when_a_cell_cannot_be_written(self, tmp_path):
        path = tmp_path / "results.jsonl"
        write_results([ONE], path)
        with pytest.raises(ValueError):
            write_results([TWO, dataclasses.replace(ONE, score=float("nan"))], path)
        assert read_results(path) == [ONE]

    def test_a_reader_never_sees_half_a_file(self, tmp_path, monkeypatch):
        path, seen = tmp_path / "results.jsonl", []
        write_results([ONE], path)
        import os

        def killed(source, target):
            seen.append(read_results(target))
            raise KeyboardInterrupt  # as if the process ended just before the rename

        monkeypatch.setattr(os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            write_results([ONE, TWO], path)
        assert seen == [[ONE]] and read_results(path) == [ONE]
        assert list(tmp_path.iterdir()) == [path], "a temporary file was left behind"


class TestSkill:
    def test_is_0_at_chance_and_1_at_the_ceiling_whichever_way_is_up(self):
        assert skill(0.5, 0.5, 1.0) == 0 and skill(1.0, 0.5, 1.0) == 1
        assert skill(1 / 6, 1 / 6, 0.0) == 0 and skill(0.0, 1 / 6, 0.0) == 1
        assert skill(0.25, 0.2, 0.4) == pytest.approx(0.25) and ONE.skill == 0.5

    def test_is_negative_below_chance(self):
        assert skill(0.5, 1 / 6, 0.0) < 0
