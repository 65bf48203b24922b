"""Memory at a growing lag: the first symbol decides, everything after it distracts.

The first input is one of ``n_classes`` symbols; then come ``lag`` symbols of another kind, drawn
without regard to the first. After the last one the model must name the first. Nothing but memory
can do it: the distractors are independent of the answer, so whoever has lost the first symbol
scores exactly 1 / n_classes on average, and whoever has kept it is always right.

This is the latching problem of Bengio, Simard and Frasconi (1994), doi:10.1109/72.279181, in
symbols: their ``L`` inputs that decide are our one, their noise is our distractors.

Letters: n sequences, T time, D input.
"""

import numpy as np

from course_lib.datasets.task import Task, at_least


def memory_task(n, lag, rng, n_classes=2, n_distractors=2):
    """Draw sequences whose first symbol must be named after ``lag`` distractors.

    Parameters
    ----------
    n : int
        Number of sequences.
    lag : int
        Steps between the symbol and the answer, at least 1; T = lag + 1.
    rng : numpy.random.Generator
        Source of randomness.
    n_classes : int, default=2
        Symbols that can come first, at least 2.
    n_distractors : int, default=2
        Symbols that can come later, at least 1.

    Returns
    -------
    task : Task
        ``x`` (n, lag + 1, n_classes + n_distractors) one-hot, ``target`` (n,) the first symbol;
        chance 1 / n_classes, ceiling 1.

    Raises
    ------
    ValueError
        If a number is too small.
    """
    n, lag = at_least("n", n, 1), at_least("lag", lag, 1)
    n_classes = at_least("n_classes", n_classes, 2)
    n_distractors = at_least("n_distractors", n_distractors, 1)
    first = rng.integers(n_classes, size=n)
    later = n_classes + rng.integers(n_distractors, size=(n, lag))
    symbols = np.column_stack([first, later])
    return Task(
        name=f"memory, lag {lag}",
        x=np.eye(n_classes + n_distractors)[symbols],
        target=first,
        n_out=n_classes,
        chance=1 / n_classes,
        ceiling=1.0,
    )
