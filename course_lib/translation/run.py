"""Train the translators one after the other, and keep each as soon as it is done.

All follow one recipe: Adam with a step size that falls on a straight line from 0.01 to 0, 2000
updates, each on 32 fresh sentences of 1 to 16 words, all lengths equally probable; gradients
clipped at norm 1. ``plain`` models have nothing but the encoder's last state between reader and
writer; the others look back at all its states. The number is that of the units. ``plain-37`` has as
many weights as ``additive-32``; ``-long`` means three times the updates, ``-slow`` and ``-fast``
half and twice the step size at the start; ``plain-32-fast-long`` has both.

The recipe was chosen on seed 0 by the model with additive attention: it was the shortest of those
tried with which nearly every sentence of 16 words was right. For the plain models two other step
sizes are tried, and the larger one with three times the updates, too; all are reported.

Weights are rounded to float16 before they are tested, and kept so.
"""

import hashlib
import json
import time
import zipfile
from pathlib import Path
from types import MappingProxyType

import numpy as np
import torch

from course_lib.datasets.translation import ENGLISH, translation_pairs
from course_lib.ladder.results import write_results
from course_lib.seq2seq_training import (
    Translator,
    accuracy_by_length,
    bits_paid,
    train_translator,
)
from course_lib.translation.results import RESULTS, Result, read_results

WEIGHTS = Path(__file__).with_name("weights")
MODELS = MappingProxyType(
    {
        "plain-32": {"H": 32},
        "additive-32": {"H": 32, "attention": "additive"},
        "plain-16": {"H": 16},
        "plain-8": {"H": 8},
        "plain-64": {"H": 64},
        "plain-37": {"H": 37},
        "dot-32": {"H": 32, "attention": "dot"},
        "scaled-32": {"H": 32, "attention": "scaled"},
        "projected-32": {"H": 32, "attention": "projected"},
        "additive-16": {"H": 16, "attention": "additive"},
        "plain-32-long": {"H": 32},
        "plain-32-slow": {"H": 32},
        "plain-32-fast": {"H": 32},
        "plain-32-fast-long": {"H": 32},
    }
)
SEEDS = (0, 1, 2)
LENGTHS = (*range(1, 17), 20, 24)  # words of the test sentences; the last two were never trained
EARLY = (500, 1000)  # updates after which words and sentences are counted, too
UPDATES, LR, BATCH, LONGEST = 2000, 0.01, 32, 16
TEST_SENTENCES, TEST_SEED = 500, 990_014  # of each length; far from every seed of a training


def updates(model):
    """Return the number of updates of a model's training."""
    return 3 * UPDATES if "long" in model.split("-") else UPDATES


def rate(model):
    """Return the step size that a model's training starts with."""
    parts = model.split("-")
    return LR * (0.5 if "slow" in parts else 2.0 if "fast" in parts else 1.0)


def all_keys():
    """Return (model, seed) of every training, in the order of the file."""
    return [(model, seed) for seed in SEEDS for model in MODELS]


def settings(model):
    """Return a digest of the settings of this file that decide the results of a model.

    What other files decide (the width of the embeddings, the largest norm of a gradient, the
    optimiser) is not in it: who changes that must delete the results.

    Parameters
    ----------
    model : str
        A key of ``MODELS``.

    Returns
    -------
    digest : str
        Ten hexadecimal digits.
    """
    recipe = [
        updates(model),
        EARLY,
        rate(model),
        BATCH,
        LONGEST,
        LENGTHS,
        TEST_SENTENCES,
        TEST_SEED,
    ]
    text = json.dumps([ENGLISH, recipe, MODELS[model]], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def missing(results, weights=WEIGHTS):
    """Return the trainings without a result by these settings, or without weights.

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
    """
    there = {
        (r.model, r.seed)
        for r in results
        if r.model in MODELS and r.settings == settings(r.model) and len(r.words) == len(LENGTHS)
    }
    return [
        key for key in all_keys() if key not in there or not weights_file(*key, weights).exists()
    ]


def weights_file(model, seed, weights=WEIGHTS):
    """Return where the weights of a training lie."""
    return Path(weights) / f"{model}-seed-{seed}.npz"


def run_training(model, seed):
    """Train a model, round its weights, and test it.

    Parameters
    ----------
    model : str
        A name in ``MODELS``.
    seed : int
        Seed of the starting weights and of the sentences.

    Returns
    -------
    result : Result
        What it scored.
    row : ndarray of float16
        All weights in one row.
    """
    torch.set_num_threads(1)
    network, early, testing = Translator(seed=seed, **MODELS[model]), {}, 0.0

    def watch(done, network):
        nonlocal testing
        if done in EARLY:
            start = time.process_time()
            early[str(done)] = [_rounded(row) for row in _scores(network)]
            testing += time.process_time() - start

    start = time.process_time()
    history = train_translator(
        network,
        updates=updates(model),
        seed=seed,
        lr=rate(model),
        batch=BATCH,
        longest=LONGEST,
        watch=watch,
        progress=False,
    )
    seconds = round(time.process_time() - start - testing, 1)
    row = torch.nn.utils.parameters_to_vector(network.parameters()).detach().numpy()
    row = row.astype(np.float16)
    _fill(network, row)
    words, sentences = _scores(network)
    forced, _ = accuracy_by_length(network, LENGTHS, TEST_SENTENCES, TEST_SEED, forced=True)
    paid = [
        bits_paid(
            network, translation_pairs(TEST_SENTENCES, np.random.default_rng((TEST_SEED, S)), S, S)
        ).mean()
        for S in LENGTHS
    ]
    loss = [history.loss[n : n + 100].mean() for n in range(0, history.steps, 100)]
    rows = [_rounded(x) for x in (words, sentences, forced, paid, loss)]
    return Result(model, seed, *rows, early, len(row), seconds, settings(model)), row


def _scores(network):
    """Return the shares of right words and of right sentences, by length, written freely."""
    return accuracy_by_length(network, LENGTHS, TEST_SENTENCES, TEST_SEED)


def _rounded(row):
    return [round(float(x), 4) for x in row]


def _fill(network, row):
    """Set all weights of a network from one row."""
    row = torch.as_tensor(row.astype(np.float32))
    torch.nn.utils.vector_to_parameters(row, network.parameters())


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
        If a line of the results is broken; the message names it.
    OSError
        If a file or the folder cannot be read or written.
    """
    Path(weights).mkdir(exist_ok=True)
    for model, seed in missing(read_results(path), weights):
        result, row = run_training(model, seed)
        file = weights_file(model, seed, weights)
        beside = file.with_name(f".{file.stem}.new.npz")  # an interruption leaves no half file
        np.savez(beside, row=row)
        beside.replace(file)
        done = {(r.model, r.seed): r for r in read_results(path)} | {(model, seed): result}
        write_results([done[key] for key in all_keys() if key in done], path)
        if report is not None:
            report(result)


def load(model, seed=0, weights=WEIGHTS):
    """Return a trained translator.

    Parameters
    ----------
    model : str
        A name in ``MODELS``.
    seed : int, default=0
        One of ``SEEDS``.
    weights : str or Path
        Folder of the weights.

    Returns
    -------
    translator : Translator
        Ready to translate.

    Raises
    ------
    ValueError
        If there is no such training, or the file of its weights is not whole.
    FileNotFoundError
        If the weights are not there.
    """
    if model not in MODELS or seed not in SEEDS:
        raise ValueError(
            f"model must be one of {', '.join(MODELS)} and seed one of {SEEDS}, "
            f"got {model!r} and {seed!r}"
        )
    path = weights_file(model, seed, weights)
    network = Translator(seed=seed, **MODELS[model])
    try:
        with open(path, "rb") as file, np.load(file) as kept:  # closed, also if broken
            _fill(network, kept["row"])
    except FileNotFoundError:
        raise FileNotFoundError(
            f"{path} is not there; python -m course_lib.translation trains it"
        ) from None
    except (zipfile.BadZipFile, EOFError, ValueError, KeyError, RuntimeError) as error:
        raise ValueError(
            f"{path} does not hold all weights ({error}); delete it, and python -m "
            "course_lib.translation trains it anew"
        ) from None
    return network
