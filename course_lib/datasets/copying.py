"""The copy task: symbols are shown, time passes, a signal comes, and the symbols must be repeated.

``length`` symbols, then ``delay`` blank steps the last of which is the signal to begin, then
``length`` steps in which the symbols must be named in their order. Only these last steps count.
The symbols are independent and uniform, so a model without memory is right once in ``n_symbols``.

From Hochreiter and Schmidhuber (1997), doi:10.1162/neco.1997.9.8.1735; in this form in Arjovsky,
Shah and Bengio (2016), arXiv:1511.06464, whose ``T`` is our ``delay`` and whose 10 is our
``length``.

Letters: n sequences, T time, D input.
"""

import numpy as np

from course_lib.datasets.task import Task, at_least


def copy_task(n, n_symbols, length, delay, rng):
    """Draw sequences whose first symbols must be repeated, in order, after a delay.

    Parameters
    ----------
    n : int
        Number of sequences.
    n_symbols : int
        Symbols to choose from, at least 2.
    length : int
        Symbols to repeat, at least 1.
    delay : int
        Steps from the last symbol to the signal, at least 1; T = 2 * length + delay.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    task : Task
        ``x`` (n, T, n_symbols + 2) one-hot: symbols, blank, signal; ``target`` (n, T), 0 where
        nothing is asked; ``weight`` (n, T) 1 in the last ``length`` steps; chance 1 / n_symbols,
        ceiling 1.

    Raises
    ------
    ValueError
        If a number is too small.
    """
    n, n_symbols = at_least("n", n, 1), at_least("n_symbols", n_symbols, 2)
    length, delay = at_least("length", length, 1), at_least("delay", delay, 1)
    T, blank, signal = 2 * length + delay, n_symbols, n_symbols + 1
    shown = rng.integers(n_symbols, size=(n, length))
    symbols = np.full((n, T), blank)
    symbols[:, :length] = shown
    symbols[:, length + delay - 1] = signal
    target, weight = np.zeros((n, T), dtype=int), np.zeros((n, T))
    target[:, -length:] = shown
    weight[:, -length:] = 1.0
    return Task(
        name=f"copy, {length} symbols, delay {delay}",
        x=np.eye(n_symbols + 2)[symbols],
        target=target,
        n_out=n_symbols,
        chance=1 / n_symbols,
        ceiling=1.0,
        weight=weight,
    )
