"""The sentence playground: committed results and weights belong together, training resumes."""

import numpy as np
import pytest

from course_lib.datasets.sentences import VOCABULARY, encode, sentences_task
from course_lib.gru import gru_forward
from course_lib.lstm import lstm_forward
from course_lib.playground import (
    LENGTHS,
    MODELS,
    SEEDS,
    SentenceModel,
    arrays,
    load,
    margins,
    read_results,
    run,
    signal_left,
)
from course_lib.playground.__main__ import main
from course_lib.rnn import rnn_forward
from course_lib.training import evaluate, train

FORWARD = {"rnn": rnn_forward, "lstm": lstm_forward, "gru": gru_forward}
SENTENCE = "we loved the zebra that critics hated but i hated the ending".split()


def accuracy(model, length, updates=400):
    """Committed accuracies of the three seeds."""
    return [
        result.accuracy[str(updates)][LENGTHS.index(length)]
        for result in read_results()
        if result.model == model
    ]


def test_every_training_has_results_and_weights_by_the_present_settings():
    assert run.missing(read_results()) == []
    assert [(r.model, r.seed) for r in read_results()] == run.all_keys()


def test_weights_are_small():
    files = list(run.WEIGHTS.glob("*"))
    assert len(files) == len(run.KEPT) * len(SEEDS)
    assert sum(file.stat().st_size for file in files) <= 200_000


@pytest.mark.parametrize("model, updates", [("rnn", 400), ("lstm", 400), ("gru", 1200)])
def test_committed_weights_score_what_the_results_say(model, updates):
    result = next(r for r in read_results() if (r.model, r.seed) == (model, 1))
    for k in (1, 3):
        test = sentences_task(
            run.TEST_SENTENCES, LENGTHS[k], np.random.default_rng((run.TEST_SEED, LENGTHS[k]))
        )
        got = evaluate(load(model, 1, updates), test)
        assert got == pytest.approx(result.accuracy[str(updates)][k], abs=0.003)  # 3 sentences


def test_what_the_chapter_says_of_the_results():
    for length in LENGTHS:
        assert min(accuracy("lstm", length) + accuracy("gru", length)) >= 0.95
    assert min(accuracy("rnn", 5)) >= 0.95
    assert sorted(accuracy("rnn", 40))[1] <= 0.6  # one seed of three makes no mistake
    for length in (14, 20, 40, 80, 160):
        assert min(accuracy("lstm-long", length, 1200)) >= 0.95
        assert max(accuracy("rnn-long", length, 1200)) <= 0.6


@pytest.mark.parametrize("cell", FORWARD)
def test_arrays_read_as_the_model_does(cell):
    model = SentenceModel(cell, seed=3)
    table, params, (W, b) = arrays(model)
    assert table.shape == (len(VOCABULARY), 8) and W.shape == (12, 2)
    h = FORWARD[cell](table[encode(SENTENCE)][None], params).h[0, 1:]
    scores = h @ W + b
    np.testing.assert_allclose(margins(model, SENTENCE), scores[:, 1] - scores[:, 0], atol=1e-6)


def test_margin_needs_no_later_word_and_the_signal_starts_at_the_first_verb():
    model = load("gru", 0)
    whole = margins(model, SENTENCE)
    np.testing.assert_allclose(margins(model, SENTENCE[:5]), whole[:5], atol=1e-5)
    signal = signal_left(model, SENTENCE)
    assert signal[0] == 0 and signal[1] > 0.1
    other = ["we", "hated", *SENTENCE[2:6], "loved", *SENTENCE[7:]]  # only the opening turned
    np.testing.assert_allclose(signal, np.abs(whole - margins(model, other)), atol=1e-12)
    assert signal_left(model, ["no", "verb"]).tolist() == [0.0, 0.0]
    with pytest.raises(ValueError, match="at least one word"):
        margins(model, [])


def test_seed_alone_decides_the_start_and_pytorchs_generator_is_left_alone():
    import torch

    before = torch.get_rng_state()
    one, two, other = (SentenceModel("rnn", seed) for seed in (4, 4, 5))
    assert torch.equal(one.embedding.weight, two.embedding.weight)
    assert not torch.equal(one.embedding.weight, other.embedding.weight)
    assert torch.equal(before, torch.get_rng_state())


@pytest.fixture
def small(monkeypatch, tmp_path):
    """Trainings of two updates, in a folder of their own; returns what is computed anew."""
    settings = {
        **{"MODELS": {"rnn": {"cell": "rnn"}, "gru": {"cell": "gru"}}, "SEEDS": (0, 1)},
        **{"TESTED": (1, 2), "UPDATES": (2,), "LENGTHS": (5,), "TEST_SENTENCES": 20, "BATCH": 4},
        **{"MIXED": ((4, 7), (8, 9))},
    }
    for name, value in settings.items():
        monkeypatch.setattr(run, name, value)

    def compute(stop_after=None):
        done = []

        def report(result):
            done.append((result.model, result.seed))
            if len(done) == stop_after:
                raise KeyboardInterrupt

        try:
            run.compute(tmp_path / "results.jsonl", tmp_path / "weights", report)
        except KeyboardInterrupt:
            pass
        return done

    return compute, tmp_path


def test_training_goes_on_where_it_stopped(small):
    compute, folder = small
    assert compute(stop_after=1) == [("rnn", 0)]
    assert compute() == [("rnn", 1), ("gru", 0), ("gru", 1)]
    assert compute() == []
    results = read_results(folder / "results.jsonl")
    assert [(r.model, r.seed) for r in results] == run.all_keys()
    assert set(results[0].accuracy) == {"1", "2"}


def test_a_missing_line_or_weight_file_or_another_setting_is_computed_anew(small, monkeypatch):
    compute, folder = small
    compute()
    path = folder / "results.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[1:]) + "\n")
    (folder / "weights" / "gru-1.npz").unlink()
    assert compute() == [("rnn", 0), ("gru", 1)]
    again = path.read_text().splitlines()
    score = [line.split('"seconds"')[0] for line in (lines[0], again[0])]
    assert score[0] == score[1]  # the same seed gives the same numbers
    monkeypatch.setattr(run, "DROP", 0.1)
    assert len(compute()) == 4


def test_kept_weights_are_those_of_the_update(small):
    _, folder = small
    result, kept = run.run_training("gru", 1)
    assert list(kept) == ["2"]
    np.savez(folder / "gru-1.npz", **kept)
    model = run.load("gru", 1, updates=2, weights=folder)
    test = sentences_task(20, 5, np.random.default_rng((run.TEST_SEED, 5)))
    assert evaluate(model, test) == result.accuracy["2"][0]
    other = SentenceModel("gru", seed=1)
    recipe = {"lr": run.LR, "batch": run.BATCH, "seed": 1, "progress": False}
    train(other, run.sampler("gru"), steps=2, **recipe)
    np.testing.assert_array_equal(margins(model, SENTENCE), margins(other, SENTENCE))


@pytest.mark.parametrize(
    "model, seed, updates", [("rnn-identity", 0, 400), ("rnn", 9, 400), ("rnn", 0, 401)]
)
def test_weights_that_were_not_kept_are_refused(model, seed, updates):
    with pytest.raises(ValueError, match="must be one of"):
        load(model, seed, updates)


def test_a_broken_line_is_named(tmp_path):
    path = tmp_path / "results.jsonl"
    path.write_text('{"model": "rnn"}\n')
    with pytest.raises(ValueError, match="line 1"):
        read_results(path)


@pytest.mark.parametrize(
    "accuracy", ["[]", '{"2": null}', '{"2": ["1.0"]}'], ids=["a list", "no row", "text"]
)
def test_a_line_whose_accuracy_is_no_table_is_named(tmp_path, accuracy):
    path = tmp_path / "results.jsonl"
    line = '{"model": "rnn", "seed": 0, "accuracy": %s, "parameters": 1, "seconds": 1.0, '
    path.write_text(line % accuracy + '"settings": ""}\n')
    with pytest.raises(ValueError, match="line 1: accuracy must hold"):
        read_results(path)


def test_half_a_file_of_weights_and_none_are_named(small):
    compute, folder = small
    compute()
    path = folder / "weights" / "gru-1.npz"
    assert [file.name for file in path.parent.iterdir() if file.name.startswith(".")] == []
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ValueError, match=r"gru-1\.npz does not hold all weights"):
        run.load("gru", 1, updates=2, weights=folder / "weights")
    with pytest.raises(ValueError, match=r"gru-1\.npz does not hold all weights"):
        compute()
    path.unlink()
    with pytest.raises(FileNotFoundError, match=r"gru-1\.npz is not there; make playground"):
        run.load("gru", 1, updates=2, weights=folder / "weights")
    assert compute() == [("gru", 1)]


@pytest.mark.parametrize(
    "problem, told",
    [
        (ValueError("results.jsonl, line 3: broken"), "playground: results.jsonl, line 3"),
        (PermissionError(13, "Permission denied", "weights"), "Permission denied: 'weights'"),
    ],
)
@pytest.mark.parametrize("arguments", [[], ["--list"]])
def test_command_says_what_is_wrong_in_one_line(monkeypatch, capsys, problem, told, arguments):
    def fail(*_, **__):
        raise problem

    for name in ("read_results", "compute"):
        monkeypatch.setattr(f"course_lib.playground.__main__.{name}", fail)
    assert main(arguments) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and told in lines[0]


def test_an_incomplete_result_is_named_and_one_of_another_model_passed_over(small):
    compute, folder = small
    compute()
    path = folder / "results.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0].replace('"rnn"', '"elman"'), *lines]) + "\n")
    assert compute() == []
    path.write_text(lines[0].replace('"2": ', '"3": ') + "\n")
    with pytest.raises(ValueError, match="rnn, seed 0, is not complete"):
        compute()


def test_command_lists_what_is_there(capsys):
    assert main(["--list"]) == 0
    told = capsys.readouterr().out
    n = len(MODELS) * len(SEEDS)
    assert f"{n} of {n} trainings are there" in told
    assert "lstm            seed 2   400 updates  1.000" in told
