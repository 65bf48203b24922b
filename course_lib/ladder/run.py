"""Compute the cells that are missing, several at a time, and keep every one as soon as it is done.

A cell is missing if the results file has no line for it, or one that other settings made. The
settings are all numbers and names in ``TASKS`` and ``MODELS`` that decide the cell; a change in the
code of a model does not show in them, so whoever makes one deletes the lines of that model.
"""

import fcntl
import hashlib
import json
import multiprocessing
import os
import platform
import signal
import threading
import time
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import fields, is_dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np

from course_lib.datasets.task import score_task
from course_lib.ladder.models import MODELS
from course_lib.ladder.neural import fit_network
from course_lib.ladder.results import SOLVED, Cell, read_results, skill, write_results
from course_lib.ladder.tasks import SEEDS, TASKS, TEST_SEED, Recipe

DIGITS = 6  # of a score; the test set resolves less


def all_keys():
    """Return (task, model, seed) of every cell of the ladder, in the order of the file."""
    return [(task, model, seed) for task in TASKS for model in MODELS for seed in SEEDS]


def settings(task, model):
    """Return a digest of everything that decides the cells of a task and a model.

    Parameters
    ----------
    task, model : str
        Names in ``TASKS`` and ``MODELS``.

    Returns
    -------
    digest : str
        Ten hexadecimal digits.
    """
    a, b = TASKS[task], MODELS[model]
    everything = {
        "task": [a.draw, a.options, a.symbols, a.V, a.answers_are_states],
        "model": [b.fit, b.options],
        "recipe": a.recipe if b.fit is fit_network else None,  # nobody else follows it
        "test": [TEST_SEED, a.test_sequences, SOLVED],
    }
    text = json.dumps(everything, default=_plain, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def _plain(value):
    """Stand-in that JSON can write; functions count by their name."""
    if callable(value):
        return f"{value.__module__}.{value.__qualname__}"
    if is_dataclass(value):
        return {entry.name: getattr(value, entry.name) for entry in fields(value)}
    return value.tolist() if isinstance(value, np.ndarray) else dict(value)


def versions():
    """Return what computes here: Python, NumPy, PyTorch and processor."""
    python = ".".join(platform.python_version_tuple()[:2])
    libraries = ", ".join(f"{name} {version(name)}" for name in ("numpy", "torch"))
    return f"python {python}, {libraries}, {platform.machine()}"


def run_cell(task, model, seed):
    """Train one model on one task with one seed, and score it on sequences it has not seen.

    Parameters
    ----------
    task, model : str
        Names in ``TASKS`` and ``MODELS``.
    seed : int
        Seed of everything random but the test sequences, which are the same for all.

    Returns
    -------
    cell : Cell
        The result.
    """
    spec, chosen = TASKS[task], MODELS[model]
    if chosen.fit is fit_network:
        # The first update of a process also loads and prepares PyTorch; that is not training.
        chosen.fit(replace(spec, recipe=Recipe(updates=1)), seed, **chosen.options)
    start = time.process_time()
    fitted = chosen.fit(spec, seed, **chosen.options)
    seconds = time.process_time() - start
    test = spec.sample(spec.test_sequences, np.random.default_rng(TEST_SEED))
    score = round(score_task(test, fitted.outputs(test.x)), DIGITS)
    chance, ceiling = (round(float(level), DIGITS) for level in (test.chance, test.ceiling))
    return Cell(
        *(task, model, seed, score, chance, ceiling, test.measure, fitted.parameters),
        *(round(seconds, 2), fitted.updates, bool(skill(score, chance, ceiling) >= SOLVED)),
        *(settings(task, model), versions()),
    )


def missing(cells, keys):
    """Return those of the keys that have no cell, or one of other settings."""
    valid = {cell.key for cell in cells if cell.settings == _settings_now(cell)}
    return [key for key in keys if key not in valid]


def _settings_now(cell):
    """Digest that the cell would get today; None if it is no longer on the ladder."""
    known = cell.task in TASKS and cell.model in MODELS
    return settings(cell.task, cell.model) if known else None


def climb(path, keys, jobs, report=lambda cell, error: None):
    """Compute the missing ones of the keys; after each, the file is written anew.

    Parameters
    ----------
    path : str or Path
        Results file; lines that are not asked for stay, lines of no cell of the ladder go.
    keys : list of tuple
        Cells to have: (task, model, seed).
    jobs : int
        Processes at a time, at least 1.
    report : callable
        Called after each cell with (cell, None), or with (key, error) if it failed.

    Returns
    -------
    failed : list of tuple
        Keys whose training ended with an error; their cells stay missing.

    Raises
    ------
    ValueError
        If the file has a broken line, or another run is writing it.
    """
    order = {key: place for place, key in enumerate(all_keys())}
    failed = []
    with only_writer(path):
        cells = {cell.key: cell for cell in read_results(path) if cell.key in order}
        todo = missing(cells.values(), keys)
        if not todo:
            return []
        context = multiprocessing.get_context("spawn")
        pool = ProcessPoolExecutor(min(jobs, len(todo)), context, initializer=_start_worker)
        try:
            with _ctrl_c_held_back():
                running = {pool.submit(run_cell, *key): key for key in todo}
            for future in as_completed(running):
                key, error = running[future], future.exception()
                if error is None:
                    cells[key] = future.result()
                    write_results(sorted(cells.values(), key=lambda c: order[c.key]), path)
                else:
                    failed.append(key)
                report(key if error else cells[key], error)
        except BaseException:
            for child in multiprocessing.active_children():  # what they have begun is lost
                child.terminate()
            raise
        finally:
            pool.shutdown(cancel_futures=True)
    return failed


@contextmanager
def _ctrl_c_held_back():
    """Start workers that never get a Ctrl-C, which a terminal sends to all: the parent ends them.

    A blocked signal stays blocked in the processes that are started meanwhile, from their first
    instant on; here it waits until the block is over.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _start_worker():
    """Let a worker end with its parent, however that ends."""

    def follow():
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=follow, daemon=True).start()


@contextmanager
def only_writer(path):
    """Hold the folder of the results file; a second run there is refused.

    The lock is the system's, on the open folder: it ends with the process, however that ends, and
    leaves no file behind.

    Parameters
    ----------
    path : str or Path
        Results file.

    Yields
    ------
    nothing : None
        While the block runs, no other process gets the lock.

    Raises
    ------
    ValueError
        If another run holds the folder, or there is none.
    """
    folder = Path(path).absolute().parent
    try:
        lock = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise ValueError(f"cannot write in {folder}: {error.strerror}") from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(
                f"another run is writing in {folder}; wait for it, or end it"
            ) from None
        yield
    finally:
        os.close(lock)
