"""Train what is missing of the translators: ``python -m course_lib.translation``."""

import argparse
import sys

from course_lib.translation.results import read_results
from course_lib.translation.run import LENGTHS, all_keys, compute, missing


def main(arguments=None):
    """Compute what is missing; return 0, 1 if interrupted, 2 if a file is broken or closed."""
    parser = argparse.ArgumentParser(
        prog="python -m course_lib.translation",
        description="Train every translator that has no result or no weights yet. It can be "
        "stopped at any time and goes on after the last training that was done. To have one done "
        "again, delete its line in results.jsonl.",
    )
    parser.add_argument("--list", action="store_true", help="say what is there and what is missing")
    options = parser.parse_args(arguments)
    try:
        if not options.list:
            compute(report=_show)
        results = read_results()
        todo = missing(results)
    except (ValueError, OSError) as error:
        print(f"translation: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped; what is done is kept", file=sys.stderr)
        return 1
    if options.list:
        print("right words by number of words:", *LENGTHS)
        for result in results:
            _show(result)
    print(f"{len(all_keys()) - len(todo)} of {len(all_keys())} trainings are there")
    return 0


def _show(result):
    row = " ".join(f"{score:.3f}" for score in result.words)
    print(f"{result.model:<18} seed {result.seed}  {result.seconds:>5} s  {row}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
