"""Climb the ladder: `make ladder`, or `python -m course_lib.ladder --help`."""

import argparse
import os
import sys
from fnmatch import fnmatch

from tqdm import tqdm

from course_lib.ladder.models import MODELS
from course_lib.ladder.results import RESULTS, read_results
from course_lib.ladder.run import all_keys, climb, missing
from course_lib.ladder.tasks import SEEDS, TASKS

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


def main(arguments=None):
    """Compute the cells that are missing; return 0, 1 if one failed, 2 if nothing could start."""
    options = _parser().parse_args(arguments)
    for name in THREADS:
        os.environ[name] = "1"  # read by the workers: CPU seconds are those of one thread
    try:
        keys = chosen(options.only)
        cells = read_results(options.results)
        if options.list:
            return _list(cells, keys)
        todo = missing(cells, keys)
        if not todo:
            print(f"nothing is missing: {options.results} has all {len(keys)} cells")
            return 0
        with tqdm(
            total=len(todo), unit="cell", disable=bool(os.environ.get("TQDM_DISABLE"))
        ) as bar:
            failed = climb(options.results, keys, options.jobs, _reporter(bar))
    except ValueError as error:
        print(f"ladder: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped; what is done is kept, the next run goes on from there", file=sys.stderr)
        return 130
    print(f"{len(todo) - len(failed)} cells computed, in {options.results}")
    return 1 if failed else 0


def _parser():
    parser = argparse.ArgumentParser(
        prog="python -m course_lib.ladder",
        description="Train every model of the ladder on every task, with every seed, where the "
        "results file has no cell for it yet. It can be stopped at any time and goes on where it "
        "stopped. To have a cell computed again, delete its line.",
    )
    parser.add_argument("--jobs", type=_positive, default=2, help="processes at a time (2)")
    parser.add_argument(
        "--only",
        metavar="TASK/MODEL",
        action="append",
        help='some of it: "parity", "parity/gru", "memory-*/hmm" or "*/rnn"; may be repeated',
    )
    parser.add_argument("--list", action="store_true", help="say what is there and what is missing")
    parser.add_argument(
        "--results", metavar="FILE", default=RESULTS, help="results file (%(default)s)"
    )
    return parser


def _positive(text):
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {number}")
    return number


def chosen(only):
    """Return the keys of the cells that ``--only`` asks for, of all without it.

    Parameters
    ----------
    only : list of str or None
        TASK or TASK/MODEL, each with * for any text.

    Returns
    -------
    keys : list of tuple
        (task, model, seed) in the order of the file.

    Raises
    ------
    ValueError
        If a pattern fits no cell.
    """
    if only is None:
        return all_keys()
    patterns = [text if "/" in text else f"{text}/*" for text in only]
    for text, pattern in zip(only, patterns, strict=True):
        if not any(fnmatch(f"{task}/{model}", pattern) for task in TASKS for model in MODELS):
            raise ValueError(
                f"nothing on the ladder is called {text!r}; tasks are {', '.join(TASKS)}; "
                f"models are {', '.join(MODELS)}"
            )
    return [
        key for key in all_keys() if any(fnmatch(f"{key[0]}/{key[1]}", one) for one in patterns)
    ]


def _list(cells, keys):
    """Print one line for each task and model: the scores that are there, the seeds that are not."""
    gaps, scores = set(missing(cells, keys)), {cell.key: cell.score for cell in cells}
    print(f"{'task':<12} {'model':<12} {'score of seeds ' + ', '.join(map(str, SEEDS))}")
    for task, model in dict.fromkeys(key[:2] for key in keys):
        row = [(task, model, seed) for seed in SEEDS]
        shown = ["missing" if key in gaps else f"{scores[key]:.4f}" for key in row]
        print(f"{task:<12} {model:<12} " + " ".join(f"{text:>8}" for text in shown))
    print(f"{len(keys) - len(gaps)} of {len(keys)} cells are there")
    return 0


def _reporter(bar):
    def report(cell, error):
        bar.update()
        if error is not None:
            bar.write(f"{'/'.join(map(str, cell))} failed: {error!r}", file=sys.stderr)
        else:
            bar.set_postfix_str(f"{cell.task}/{cell.model}/{cell.seed} {cell.score:.3f}")

    return report


if __name__ == "__main__":
    sys.exit(main())
