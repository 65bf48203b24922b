"""The reversal task: symbols are shown, a signal comes, and they must be named last first.

``length`` symbols, then one step with the signal to begin, then ``length`` blank steps in which the
symbols must be named in reverse order. Only these last steps count. It is the copy task without
delay, but for the order: the lag from a symbol to its answer is not the same for all; it is 2 for
the last one and 2 * length for the first. A stack solves it: what was put on last comes off first.
The symbols are independent and uniform, so a model without memory is right once in ``n_symbols``.

From Grefenstette, Hermann, Suleyman and Blunsom (2015), arXiv:1506.02516, whose sequences have
lengths that vary and whose separation symbol is our signal.

Letters: n sequences, T time, D input.
"""

from dataclasses import replace

from course_lib.datasets.copying import copy_task


def reversal_task(n, n_symbols, length, rng):
    """Draw sequences whose symbols must be named in reverse order after a signal.

    Parameters
    ----------
    n : int
        Number of sequences.
    n_symbols : int
        Symbols to choose from, at least 2.
    length : int
        Symbols to name, at least 1; T = 2 * length + 1.
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
    task = copy_task(n, n_symbols, length, 1, rng)  # the same inputs
    target = task.target.copy()
    target[:, -length:] = target[:, : -length - 1 : -1]
    return replace(task, name=f"reversal, {length} symbols", target=target)
