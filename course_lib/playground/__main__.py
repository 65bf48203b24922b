"""Train the playground's readers: `make playground`, or `python -m course_lib.playground`."""

import argparse
import sys

from course_lib.playground.results import read_results
from course_lib.playground.run import LENGTHS, UPDATES, all_keys, compute, missing


def main(arguments=None):
    """Compute what is missing; return 0, 1 if interrupted, 2 if a file is broken or closed."""
    parser = argparse.ArgumentParser(
        prog="python -m course_lib.playground",
        description="Train every reader of sentences that has no result or no weights yet. It can "
        "be stopped at any time and goes on after the last training that was done. To have one "
        "done again, delete its line in results.jsonl.",
    )
    parser.add_argument("--list", action="store_true", help="say what is there and what is missing")
    options = parser.parse_args(arguments)
    try:
        if not options.list:
            compute(report=_show)
        results = read_results()
        todo = missing(results)
    except (ValueError, OSError) as error:
        print(f"playground: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped; what is done is kept", file=sys.stderr)
        return 1
    if options.list:
        print("accuracy by number of words:", *LENGTHS)
        for result in results:
            _show(result)
    print(f"{len(all_keys()) - len(todo)} of {len(all_keys())} trainings are there")
    return 0


def _show(result):
    for updates in (n for n in UPDATES if str(n) in result.accuracy):  # old lines may lack some
        row = " ".join(f"{score:.3f}" for score in result.accuracy[str(updates)])
        print(f"{result.model:<15} seed {result.seed}  {updates:>4} updates  {row}")


if __name__ == "__main__":
    sys.exit(main())
