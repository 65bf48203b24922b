"""The ladder's runner: it computes what is missing, keeps what is done, and says what is wrong."""

import dataclasses
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from course_lib.ladder import run
from course_lib.ladder.__main__ import chosen, main
from course_lib.ladder.models import MODELS, ModelSpec
from course_lib.ladder.neural import fit_network
from course_lib.ladder.results import SOLVED, read_results, write_results
from course_lib.ladder.tasks import SEEDS, TASKS, Recipe

ROOT = Path(__file__).resolve().parents[1]
QUICK = ("--only", "memory-5/markov", "--jobs", "1")  # three cells without PyTorch


def ladder(path, *options):
    return main(["--results", str(path), *options])


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """Text of a results file with the three quick cells."""
    path = tmp_path_factory.mktemp("ladder") / "results.jsonl"
    assert ladder(path, *QUICK) == 0
    return path.read_text()


@pytest.fixture
def results(tmp_path, done):
    path = tmp_path / "results.jsonl"
    path.write_text(done)
    return path


@pytest.fixture
def computed(monkeypatch):
    """Keys that climb computes; instead of training, in this process, at once."""
    keys = []

    class Pool:
        def __init__(self, *_, **__):
            pass

        def submit(self, _, *key):
            from concurrent.futures import Future

            keys.append(key)
            future = Future()
            future.set_result(run.run_cell(*key))
            return future

        def shutdown(self, **_):
            pass

    monkeypatch.setattr(run, "ProcessPoolExecutor", Pool)
    return keys


class TestNothingMissing:
    def test_says_so_and_leaves_the_file_as_it_is(self, results, computed, capsys):
        before = results.read_bytes(), results.stat().st_mtime_ns
        assert ladder(results, *QUICK) == 0
        assert "nothing is missing" in capsys.readouterr().out
        assert computed == [] and before == (results.read_bytes(), results.stat().st_mtime_ns)

    def test_does_not_load_pytorch(self, results):
        code = (
            "import sys; from course_lib.ladder.__main__ import main; "
            f"status = main({['--results', str(results), *QUICK]}); "
            "sys.exit(status or 'torch' in sys.modules)"
        )
        subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, stdout=subprocess.PIPE)


class TestResume:
    def test_a_deleted_line_is_computed_again_and_no_other(self, results, computed):
        lines = results.read_text().splitlines(keepends=True)
        results.write_text(lines[0] + lines[2])
        assert ladder(results, *QUICK) == 0
        assert computed == [("memory-5", "markov", 1)]
        again = results.read_text().splitlines(keepends=True)
        assert [again[0], again[2]] == [lines[0], lines[2]]
        seconds = re.compile(r'"seconds": [\d.]+')
        assert seconds.sub("", again[1]) == seconds.sub("", lines[1])

    def test_a_cell_of_other_settings_is_computed_again(self, results, computed):
        cells = read_results(results)
        old = dataclasses.replace(cells[2], settings="0" * 10, score=0.0)
        write_results([*cells[:2], old], results)
        assert ladder(results, *QUICK) == 0
        assert computed == [cells[2].key]
        assert read_results(results)[2].score == cells[2].score

    def test_what_was_not_asked_for_stays_and_the_order_is_the_ladders(self, results, computed):
        assert ladder(results, "--only", "parity/markov") == 0
        assert ladder(results, "--only", "memory-20/markov") == 0
        tasks = [cell.task for cell in read_results(results)]
        assert tasks == ["memory-5"] * 3 + ["memory-20"] * 3 + ["parity"] * 3

    def test_a_line_of_no_cell_of_the_ladder_goes(self, results, computed):
        cells = read_results(results)
        write_results([dataclasses.replace(cells[0], task="juggling"), *cells[1:]], results)
        assert ladder(results, *QUICK) == 0
        assert [cell.task for cell in read_results(results)] == ["memory-5"] * 3

    def test_each_cell_is_in_the_file_before_the_next_one_is_told(self, tmp_path, computed):
        path, seen = tmp_path / "results.jsonl", []
        keys = [("parity", "markov", seed) for seed in SEEDS]
        run.climb(path, keys, 1, lambda cell, error: seen.append(len(read_results(path))))
        assert seen == [1, 2, 3]

    def test_a_cell_that_fails_is_named_and_the_others_are_kept(self, tmp_path):
        path, told = tmp_path / "results.jsonl", []
        keys = [("parity", "markov", -1), ("parity", "markov", 0)]  # no generator has seed -1
        failed = run.climb(path, keys, 2, lambda cell, error: told.append((cell, error)))
        assert failed == keys[:1] and [cell.key for cell in read_results(path)] == keys[1:]
        ((key, error),) = [entry for entry in told if entry[1]]
        assert key == keys[0] and isinstance(error, ValueError)


class TestSettings:
    def change(self, monkeypatch, task=None, model=None):
        if task:
            monkeypatch.setitem(TASKS, "parity", dataclasses.replace(TASKS["parity"], **task))
        if model:
            spec = MODELS["gru"]
            monkeypatch.setitem(MODELS, "gru", ModelSpec(spec.fit, {**spec.options, **model}))
        return run.settings("parity", "gru"), run.settings("parity", "markov")

    @pytest.mark.parametrize(
        "change",
        [
            {"task": {"options": {"T": 13}}},
            {"task": {"draw": TASKS["copy"].draw}},
            {"task": {"recipe": Recipe(999)}},
            {"task": {"test_sequences": 4001}},
            {"task": {"recipe": dataclasses.replace(TASKS["parity"].recipe, lr=0.001)}},
            {"model": {"H": 31}},
            {"model": {"recurrent": None}},
        ],
    )
    def test_a_change_shows(self, monkeypatch, change):
        before = run.settings("parity", "gru")
        assert self.change(monkeypatch, **change)[0] != before

    def test_of_a_recipe_is_no_business_of_a_model_that_counts(self, monkeypatch):
        before = run.settings("parity", "markov")
        assert self.change(monkeypatch, task={"recipe": Recipe(999)})[1] == before

    def test_of_the_process_behind_the_filtering_task_shows(self, monkeypatch):
        from course_lib.datasets.processes import mess3

        before = run.settings("filtering", "hmm")
        changed = {"process": mess3(), "T": TASKS["filtering"].options["T"]}
        spec = dataclasses.replace(TASKS["filtering"], options=changed)
        monkeypatch.setitem(TASKS, "filtering", spec)
        third = run.settings("filtering", "hmm")
        changed["process"] = mess3(x=0.06)
        monkeypatch.setitem(TASKS, "filtering", dataclasses.replace(spec, options=changed))
        assert len({before, third, run.settings("filtering", "hmm")}) == 3

    def test_are_the_same_in_every_process(self):
        code = "from course_lib.ladder.run import settings; print(settings('filtering', 'lstm'))"
        other = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": "7"},
            check=True,
            capture_output=True,
            text=True,
        )
        assert other.stdout.strip() == run.settings("filtering", "lstm")


class TestCommandLine:
    def test_a_broken_line_is_named_and_nothing_is_written(self, results, capsys):
        text = results.read_text().replace('"seed": 1', '"seed": "one"')
        results.write_text(text)
        assert ladder(results, *QUICK) == 2
        assert f"{results}, line 2: seed must be of type int" in capsys.readouterr().err
        assert results.read_text() == text

    def test_a_second_run_at_once_is_refused(self, results, capsys):
        text = results.read_text()
        with run.only_writer(results):
            assert ladder(results, "--only", "parity/markov") == 2
        assert "another run is writing" in capsys.readouterr().err
        assert results.read_text() == text
        with run.only_writer(results):
            pass  # free again

    def test_a_folder_that_is_not_there_is_named(self, tmp_path, capsys):
        assert ladder(tmp_path / "none" / "results.jsonl", *QUICK) == 2
        assert f"cannot write in {tmp_path / 'none'}" in capsys.readouterr().err

    @pytest.mark.parametrize(
        "only, tasks, models",
        [
            (["parity"], {"parity"}, set(MODELS)),
            (["parity/gru"], {"parity"}, {"gru"}),
            (["memory-*/hmm"], {name for name in TASKS if name.startswith("memory")}, {"hmm"}),
            (["*/rnn", "copy/lstm"], set(TASKS), {"rnn", "lstm"}),
        ],
    )
    def test_only_picks(self, only, tasks, models):
        keys = chosen(only)
        assert {key[0] for key in keys} == tasks and {key[1] for key in keys} == models
        assert len(keys) == len(set(keys)) and len(keys) % len(SEEDS) == 0

    def test_without_only_it_is_all(self):
        assert len(chosen(None)) == len(TASKS) * len(MODELS) * len(SEEDS)

    def test_only_what_nobody_knows_lists_what_there_is(self, results, capsys):
        assert ladder(results, "--only", "parity/perceptron") == 2
        assert "nothing on the ladder is called 'parity/perceptron'" in (
            error := capsys.readouterr().err
        )
        assert "reversal" in error and "lstm" in error

    def test_list_tells_scores_and_gaps(self, results, capsys):
        lines = results.read_text().splitlines(keepends=True)
        results.write_text(lines[0] + lines[1])
        assert ladder(results, "--list", *QUICK[:2]) == 0
        shown = capsys.readouterr().out
        scores = [f"{cell.score:.4f}" for cell in read_results(results)]
        assert re.search(rf"memory-5 +markov +{scores[0]} +{scores[1]} +missing\n", shown)
        assert "2 of 3 cells are there" in shown

    def test_help_says_how_to_repeat_a_cell(self, capsys):
        with pytest.raises(SystemExit) as caught:
            main(["--help"])
        assert caught.value.code == 0 and "delete its line" in capsys.readouterr().out

    def test_no_jobs_is_refused(self, capsys):
        with pytest.raises(SystemExit) as caught:
            main(["--jobs", "0"])
        assert caught.value.code == 2 and "at least 1, got 0" in capsys.readouterr().err


class TestStopped:
    """A run that ends in the middle: the file is whole, and nobody stays behind."""

    WORK = ("--only", "*/markov", "--only", "parity/hmm", "--jobs", "2")

    def start(self, path):
        """A run in a process group of its own, once its first cell is in the file."""
        command = [sys.executable, "-m", "course_lib.ladder", "--results", str(path), *self.WORK]
        process = subprocess.Popen(
            command, cwd=ROOT, start_new_session=True, stderr=subprocess.PIPE, text=True
        )
        while not path.exists() and process.poll() is None:
            time.sleep(0.002)
        return process

    def ends(self, process):
        """Standard error of the run, once no process of its group is left."""
        error = process.communicate(timeout=60)[1]
        for _ in range(600):
            try:
                os.killpg(process.pid, 0)
            except ProcessLookupError:
                return error
            time.sleep(0.1)
        os.killpg(process.pid, signal.SIGKILL)
        pytest.fail("a worker outlived the run")

    @pytest.mark.parametrize("how", ["kill -9", "ctrl-c", "interrupt of the parent alone"])
    def test_keeps_what_is_done_and_goes_on_from_there(self, tmp_path, computed, how):
        path = tmp_path / "results.jsonl"
        process = self.start(path)
        if how == "kill -9":
            process.kill()
        elif how == "ctrl-c":  # a terminal sends it to the whole group
            os.killpg(process.pid, signal.SIGINT)
        else:
            process.send_signal(signal.SIGINT)
        error = self.ends(process)
        if how != "kill -9":
            assert process.returncode == 130 and "Traceback" not in error, error
            assert "what is done is kept" in error
        kept = read_results(path)
        assert 1 <= len(kept) < 33, "it was to be stopped in the middle"
        assert [entry.name for entry in tmp_path.iterdir() if entry != path] == [] or (
            how == "kill -9"
        )
        assert ladder(path, "--only", "parity/markov", "--only", "adding/markov") == 0
        asked = {(task, "markov", seed) for task in ("parity", "adding") for seed in SEEDS}
        assert set(computed) == asked - {cell.key for cell in kept}
        assert [cell for cell in read_results(path) if cell.key not in computed] == kept


class TestCommittedResults:
    def test_have_every_cell_of_the_ladder_as_it_is_set_today(self):
        assert run.missing(read_results(), run.all_keys()) == [], "run `make ladder`, and commit"

    def test_the_two_quickest_cells_come_out_again(self):
        """Counting gives the same table everywhere; six digits of the score are stored."""
        for old in sorted(read_results(), key=lambda cell: (cell.seconds, cell.key))[:2]:
            new = run.run_cell(*old.key)
            assert (new.parameters, new.updates, new.settings) == (
                *(old.parameters, old.updates, old.settings),
            )
            assert new.score == pytest.approx(old.score, abs=2e-6)
            assert (new.chance, new.ceiling) == pytest.approx((old.chance, old.ceiling), abs=2e-6)
            assert (new.measure, new.solved) == (old.measure, old.solved)

    def test_the_quickest_network_is_as_good_again(self):
        """Sums in float32 differ between processors, and the difference grows with each update.

        So the number of updates may differ; a task that is solved with a margin stays solved.
        """
        networks = [cell for cell in read_results() if MODELS[cell.model].fit is fit_network]
        old = min((c for c in networks if c.solved), key=lambda cell: (cell.seconds, cell.key))
        new = run.run_cell(*old.key)
        assert (new.parameters, new.settings) == (old.parameters, old.settings)
        assert new.solved and new.score == pytest.approx(old.score, abs=0.03)
        assert new.updates <= TASKS[old.task].recipe.updates

    def test_say_for_themselves_what_the_record_promises(self):
        for cell in read_results():
            assert cell.solved == (cell.skill >= SOLVED), cell
            assert cell.seed in SEEDS and cell.seconds >= 0 and cell.updates >= 0, cell
            assert cell.ceiling != cell.chance and cell.skill < 1.05, cell
            assert re.fullmatch(r"python 3\.\d+, numpy \S+, torch \S+, \w+", cell.versions), cell
