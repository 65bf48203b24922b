"""Run every benchmark in turn: `make bench`, or `python -m benchmarks hmm` for one of them."""

import runpy
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def main(names):
    """Run the named benchmarks, all if none is named; return the exit status."""
    every = sorted(path.stem.removeprefix("bench_") for path in FOLDER.glob("bench_*.py"))
    unknown = [name for name in names if name not in every]
    if unknown:
        print(f"no benchmark {unknown[0]!r}; there are: {', '.join(every)}", file=sys.stderr)
        return 2
    for name in names or every:
        print(f"\n== {name} ==", flush=True)
        # A process-like start for each: none sees what another imported as __main__.
        runpy.run_path(str(FOLDER / f"bench_{name}.py"), run_name="__main__")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
