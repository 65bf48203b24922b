"""Train the readers of the playground, one after the other, and keep each as soon as it is done.

All follow one recipe: Adam with step size 0.005, fresh batches of 64 sentences, gradients clipped
at norm 1. The sentences of a batch have one length; half of the batches are short (4 to 7 words,
at most an opening), half are long (60 to 100 words). One word in twenty is
replaced by ``<unknown>``. The loss is that of the last word.

A start is part of a model. RNN and GRU have PyTorch's own; the LSTM's forget bias starts at 1, as
Jozefowicz, Zaremba and Sutskever (2015) propose; ``lstm-plain`` has PyTorch's start, and two RNNs
have better ones, an orthogonal and an identity matrix of recurrent weights.

The recipe and its 400 updates were chosen on the seeds 100, 101 and 102, which are not in the
results: at 300 updates all LSTMs and all GRUs had learned every length, at 200 not all. Each
training goes on to 1200 updates, so that it is seen what the others do with three times as much.

The lengths matter as much as the cell. The models whose names end in ``-long`` read sentences of 12
to 60 words, all lengths equally often, and no short ones. (With lengths from 4 to 80 words,
spread evenly on a logarithmic scale, the RNN of each of the seeds 100, 101 and 102 had learned all
of them by 450 updates, and LSTM and GRU by 300.)
"""

import hashlib
import json
import time
import zipfile
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch

from course_lib.datasets import sentences
from course_lib.datasets.sentences import sentences_task
from course_lib.ladder.results import write_results
from course_lib.playground.model import SentenceModel
from course_lib.playground.results import RESULTS, Result, read_results
from course_lib.training import evaluate, train

WEIGHTS = Path(__file__).with_name("weights")
MODELS = MappingProxyType(
    {
        "rnn": {"cell": "rnn"},
        "lstm": {"cell": "lstm", "forget_bias": 1.0},
        "gru": {"cell": "gru"},
        "lstm-plain": {"cell": "lstm"},
        "rnn-orthogonal": {"cell": "rnn", "recurrent": "orthogonal"},
        "rnn-identity": {"cell": "rnn", "recurrent": "identity"},
        "rnn-long": {"cell": "rnn"},
        "lstm-long": {"cell": "lstm", "forget_bias": 1.0},
        "gru-long": {"cell": "gru"},
        "rnn-orthogonal-long": {"cell": "rnn", "recurrent": "orthogonal"},
        "rnn-identity-long": {"cell": "rnn", "recurrent": "identity"},
    }
)
KEPT = ("rnn", "lstm", "gru", "rnn-long", "lstm-long", "gru-long")  # whose weights are kept
SEEDS = (0, 1, 2)
UPDATES = (400, 1200)  # after which the weights are kept
TESTED = (100, 200, 300, 400, 600, 800, 1200)  # after which the accuracy is measured
LENGTHS = (5, 9, 14, 20, 30, 40, 60, 80, 160)  # words of the test sentences
MIXED = ((4, 7), (60, 100))  # words of the training sentences: half from each range
LONG = ((12, 60), (12, 60))  # for the models whose name says so
DROP, LR, BATCH = 0.05, 0.005, 64
TEST_SENTENCES, TEST_SEED = 1000, 990_001  # of each length; far from every seed of a training


def lengths(model):
    """Return the two ranges of lengths, in words, of a model's training sentences."""
    return LONG if model.endswith("-long") else MIXED


def sampler(model):
    """Return how to draw a batch for a model: one length, words dropped now and then."""
    first, second = lengths(model)

    def sample(n, rng):
        low, high = first if rng.random() < 0.5 else second
        return sentences_task(n, int(rng.integers(low, high + 1)), rng, drop=DROP)

    return sample


def all_keys():
    """Return (model, seed) of every training, in the order of the file."""
    return [(model, seed) for model in MODELS for seed in SEEDS]


def settings(model):
    """Return a digest of what decides the results of a model: grammar, recipe, tests.

    Parameters
    ----------
    model : str
        A key of ``MODELS``.

    Returns
    -------
    digest : str
        Ten hexadecimal digits.
    """
    grammar = [sentences.CLASSES, sentences.OPENINGS, sentences.CLAUSES]
    recipe = [
        *lengths(model),
        DROP,
        LR,
        BATCH,
        UPDATES,
        TESTED,
        LENGTHS,
        TEST_SENTENCES,
        TEST_SEED,
    ]
    text = json.dumps([grammar, recipe, MODELS[model]], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def missing(results, weights=WEIGHTS):
    """Return the trainings without a result by these settings, or without weights to be kept.

    Parameters
    ----------
    results : list of Result
        What there is.
    weights : Path, default=WEIGHTS
        Folder of the weights.

    Returns
    -------
    todo : list of (str, int)
        Model and seed of each missing training.

    Raises
    ------
    ValueError
        If a result lacks a row or a number, or a file of weights is not whole.
    """
    there = set()
    for r in results:
        if r.model in MODELS and r.settings == settings(r.model):
            if [len(r.accuracy.get(str(n), ())) for n in TESTED] != [len(LENGTHS)] * len(TESTED):
                raise ValueError(
                    f"the result of {r.model}, seed {r.seed}, is not complete; delete its line in "
                    "results.jsonl"
                )
            there.add((r.model, r.seed))
    todo = []
    for model, seed in all_keys():
        path = weights_file(model, seed, weights)
        if (model, seed) not in there or (model in KEPT and not path.exists()):
            todo.append((model, seed))
        elif model in KEPT:
            _read_weights(path)
    return todo


def weights_file(model, seed, weights=WEIGHTS):
    """Return where the weights of a training lie."""
    return Path(weights) / f"{model}-{seed}.npz"


def _read_weights(path):
    """Return the rows of weights of a file, by number of updates; all that UPDATES names."""
    try:
        with open(path, "rb") as file, np.load(file) as kept:  # closed, also if broken
            return {str(n): kept[str(n)] for n in UPDATES}
    except FileNotFoundError:
        raise FileNotFoundError(f"{path} is not there; make playground trains it") from None
    except (zipfile.BadZipFile, EOFError, ValueError, KeyError) as error:
        raise ValueError(
            f"{path} does not hold all weights ({error}); delete it, and make playground trains "
            "it anew"
        ) from None


def _write_weights(path, kept):
    """Write weights at one stroke: an interruption leaves no half file behind."""
    beside = path.with_name(f".{path.stem}.new.npz")
    np.savez(beside, **kept)
    beside.replace(path)


def run_training(model, seed):
    """Train a model, and test it on the way.

    Parameters
    ----------
    model : str
        A name in ``MODELS``.
    seed : int
        Seed of the starting weights and of the sentences.

    Returns
    -------
    result : Result
        Accuracy for each length after each of ``TESTED`` updates.
    kept : dict of str to ndarray
        By number of updates, as text: all weights in one row, float32.
    """
    torch.set_num_threads(1)
    tests = [
        sentences_task(TEST_SENTENCES, T, np.random.default_rng((TEST_SEED, T))) for T in LENGTHS
    ]
    accuracy, kept, testing = {}, {}, 0.0

    def watch(updates, network):
        nonlocal testing
        start = time.process_time()
        if updates in TESTED:
            accuracy[str(updates)] = [evaluate(network, test) for test in tests]
        if updates in UPDATES:
            row = torch.nn.utils.parameters_to_vector(network.parameters())
            kept[str(updates)] = row.detach().numpy()
        testing += time.process_time() - start

    network, start = SentenceModel(seed=seed, **MODELS[model]), time.process_time()
    train(
        network,
        sampler(model),
        steps=max(TESTED),
        seed=seed,
        lr=LR,
        batch=BATCH,
        watch=watch,
        progress=False,
    )
    seconds = round(time.process_time() - start - testing, 1)
    parameters = sum(weights.numel() for weights in network.parameters())
    return Result(model, seed, accuracy, parameters, seconds, settings(model)), kept


def compute(path=RESULTS, weights=WEIGHTS, report=None):
    """Run every training that is missing; each is written before the next one starts.

    Parameters
    ----------
    path, weights : str or Path
        Results file, and folder of the weights.
    report : callable, optional
        ``report(result)`` is called after each training.

    Raises
    ------
    ValueError
        If a line of the results or a file of weights is broken; the message names it.
    OSError
        If a file or the folder cannot be read or written.
    """
    Path(weights).mkdir(exist_ok=True)
    for model, seed in missing(read_results(path), weights):
        result, kept = run_training(model, seed)
        if model in KEPT:
            _write_weights(weights_file(model, seed, weights), kept)
        done = {(r.model, r.seed): r for r in read_results(path)} | {(model, seed): result}
        write_results([done[key] for key in all_keys() if key in done], path)
        if report is not None:
            report(result)


def load(model, seed=0, updates=UPDATES[0], weights=WEIGHTS):
    """Return a reader with the weights that its training kept.

    Parameters
    ----------
    model : str
        A name in ``KEPT``.
    seed : int, default=0
        One of ``SEEDS``.
    updates : int, default=400
        One of ``UPDATES``.
    weights : str or Path
        Folder of the weights.

    Returns
    -------
    reader : SentenceModel
        Ready to read.

    Raises
    ------
    ValueError
        If there is no such training, its weights were not kept then, or their file is not whole.
    FileNotFoundError
        If the weights are not there.
    """
    if model not in KEPT or seed not in SEEDS or updates not in UPDATES:
        raise ValueError(
            f"model must be one of {', '.join(KEPT)}, seed one of {SEEDS} and updates one of "
            f"{UPDATES}, got {model!r}, {seed!r} and {updates!r}"
        )
    network = SentenceModel(seed=seed, **MODELS[model])
    row = _read_weights(weights_file(model, seed, weights))[str(updates)]
    torch.nn.utils.vector_to_parameters(torch.as_tensor(row), network.parameters())
    return network
