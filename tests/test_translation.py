"""The committed translators: results and weights belong together, and training resumes."""

import numpy as np
import pytest
import torch

from course_lib import seq2seq_training as training
from course_lib.translation import LENGTHS, MODELS, SEEDS, load, read_results, run
from course_lib.translation.__main__ import main


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def scores(model, length, what="words"):
    """Committed scores of the three seeds."""
    return [getattr(r, what)[LENGTHS.index(length)] for r in read_results() if r.model == model]


def test_every_training_has_results_and_weights_by_the_present_settings():
    assert run.missing(read_results()) == []
    assert [(r.model, r.seed) for r in read_results()] == run.all_keys()
    for r in read_results():
        assert len(r.words) == len(r.paid) == len(LENGTHS) and set(r.early) == {"500", "1000"}
        assert len(r.loss) == run.updates(r.model) / 100


def test_weights_are_small():
    files = list(run.WEIGHTS.glob("*"))
    assert len(files) == len(MODELS) * len(SEEDS)
    assert sum(file.stat().st_size for file in files) <= 800_000


@pytest.mark.parametrize("model, seed", [("plain-16", 1), ("additive-32", 2)])
def test_committed_weights_score_what_the_results_say(model, seed):
    result = next(r for r in read_results() if (r.model, r.seed) == (model, seed))
    network = load(model, seed)
    assert sum(weights.numel() for weights in network.parameters()) == result.parameters
    for S in (4, 16):
        k = LENGTHS.index(S)
        words, sentences = training.accuracy_by_length(network, [S])
        assert words[0] == pytest.approx(result.words[k], abs=0.002)  # of 500 sentences
        assert sentences[0] == pytest.approx(result.sentences[k], abs=0.005)
        forced, _ = training.accuracy_by_length(network, [S], forced=True)
        assert forced[0] == pytest.approx(result.forced_words[k], abs=0.002)
        pairs = run.translation_pairs(500, np.random.default_rng((run.TEST_SEED, S)), S, S)
        paid = training.bits_paid(network, pairs).mean()
        assert paid == pytest.approx(result.paid[k], abs=0.01)  # bits, of up to 48


def test_what_the_chapter_says_of_the_results():
    contest = [f"plain-32{end}" for end in ("", "-slow", "-fast", "-long", "-fast-long")]
    for model in ("plain-8", "plain-16", "plain-37", *contest):
        for short, long in ((4, 8), (8, 12), (12, 16)):
            assert max(scores(model, long)) < min(scores(model, short)) + 0.005  # near 1 at 8
        assert max(scores(model, 16)) < 0.9 and max(scores(model, 16, "sentences")) < 0.6
    slow, plain, fast, longer, both = (
        scores(f"plain-32{end}", 16) for end in ("-slow", "", "-fast", "-long", "-fast-long")
    )
    for worse, better in ((slow, plain), (plain, fast), (fast, longer), (longer, both)):
        assert max(worse) < min(better)
    assert min(scores("additive-32", 16)) > 0.99
    assert min(scores("additive-32", 16, "sentences")) > 0.95
    for smaller, larger in (("plain-8", "plain-16"), ("plain-16", "plain-32")):
        assert max(scores(smaller, 8)) < min(scores(larger, 8))


@pytest.fixture
def small(monkeypatch, tmp_path):
    """Trainings of four updates, in a folder of their own; returns what is computed anew."""
    settings = {
        **{"MODELS": {"plain-3": {"H": 3}, "dot-4": {"H": 4, "attention": "dot"}}},
        **{"SEEDS": (0, 1), "UPDATES": 4, "EARLY": (2,), "BATCH": 4, "LONGEST": 3},
        **{"LENGTHS": (1, 3), "TEST_SENTENCES": 10},
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
    assert compute(stop_after=1) == [("plain-3", 0)]
    assert compute() == [("dot-4", 0), ("plain-3", 1), ("dot-4", 1)]
    assert compute() == []
    results = read_results(folder / "results.jsonl")
    assert [(r.model, r.seed) for r in results] == run.all_keys()
    assert list(results[0].early) == ["2"] and len(results[0].words) == 2


def test_what_is_missing_or_set_otherwise_is_computed_anew(small, monkeypatch):
    compute, folder = small
    compute()
    path = folder / "results.jsonl"
    lines = path.read_text().splitlines()
    path.write_text("\n".join(lines[1:]) + "\n")
    run.weights_file("dot-4", 1, folder / "weights").unlink()
    assert compute() == [("plain-3", 0), ("dot-4", 1)]
    again = path.read_text().splitlines()
    score = [line.split('"seconds"')[0] for line in (lines[0], again[0])]
    assert score[0] == score[1]  # the same seed gives the same numbers
    monkeypatch.setattr(run, "LR", 0.02)
    assert len(compute()) == 4


def test_weights_are_those_that_were_tested(small):
    compute, folder = small
    compute(stop_after=2)
    result = read_results(folder / "results.jsonl")[1]
    network = run.load("dot-4", 0, folder / "weights")
    words, _ = training.accuracy_by_length(network, (1, 3), n=10)
    np.testing.assert_allclose(words, result.words, atol=1e-4)
    assert not [file for file in (folder / "weights").iterdir() if file.name.startswith(".")]


def test_a_model_with_three_times_the_updates_says_so():
    assert run.updates("plain-32-long") == 3 * run.updates("plain-32")
    assert MODELS["plain-32-long"] == MODELS["plain-32"] == MODELS["plain-32-slow"]
    assert run.rate("plain-32-slow") == 0.005 and run.rate("plain-32-fast") == 0.02
    assert run.updates("plain-32-fast-long") == run.updates("plain-32-long")
    assert run.rate("plain-32-fast-long") == run.rate("plain-32-fast")
    assert run.rate("plain-32") == run.rate("additive-32") == 0.01
    weights = {r.model: r.parameters for r in read_results()}
    assert abs(weights["plain-37"] / weights["additive-32"] - 1) < 0.01


@pytest.mark.parametrize("model, seed", [("plain-7", 0), ("plain-8", 9)])
def test_trainings_that_are_not_there_are_refused(model, seed):
    with pytest.raises(ValueError, match="must be one of"):
        load(model, seed)


def test_half_a_file_of_weights_and_none_are_named(small):
    compute, folder = small
    compute(stop_after=1)
    path = run.weights_file("plain-3", 0, folder / "weights")
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ValueError, match="does not hold all weights"):
        run.load("plain-3", 0, folder / "weights")
    path.unlink()
    with pytest.raises(FileNotFoundError, match="is not there"):
        run.load("plain-3", 0, folder / "weights")


@pytest.mark.parametrize("row", ["[]", '{"words": null}', '{"model": 3}'])
def test_a_broken_line_is_named(tmp_path, row):
    path = tmp_path / "results.jsonl"
    path.write_text(row + "\n")
    with pytest.raises(ValueError, match="line 1"):
        read_results(path)


@pytest.mark.parametrize(
    "part, value, told",
    [
        ("words", [1], "words must be a row"),
        ("words", [0.5], "same length"),
        ("paid", [0.5], "same length"),
        ("seed", "0", "seed a whole number"),
        ("early", [], "early must hold"),
    ],
)
def test_a_line_with_a_wrong_part_is_named(tmp_path, part, value, told):
    import json

    line = json.loads(run.RESULTS.read_text().splitlines()[0]) | {part: value}
    path = tmp_path / "results.jsonl"
    path.write_text(json.dumps(line) + "\n")
    with pytest.raises(ValueError, match=f"line 1: .*{told}"):
        read_results(path)


@pytest.mark.parametrize("arguments", [[], ["--list"]])
def test_command_says_what_is_wrong_in_one_line(monkeypatch, capsys, arguments):
    def fail(*_, **__):
        raise PermissionError(13, "Permission denied", "weights")

    for name in ("read_results", "compute"):
        monkeypatch.setattr(f"course_lib.translation.__main__.{name}", fail)
    assert main(arguments) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and "Permission denied: 'weights'" in lines[0]


def test_command_lists_what_is_there(capsys):
    assert main(["--list"]) == 0
    told = capsys.readouterr().out
    n = len(MODELS) * len(SEEDS)
    assert f"{n} of {n} trainings are there" in told and "plain-32-long      seed 2" in told
