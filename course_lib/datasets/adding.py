"""The adding task: two of T numbers are marked, and their sum is asked at the end.

Each step shows a number, uniform in [0, 1], and a marker that is 1 at exactly two steps, one in
each half. The best constant answer is the mean, 1; its mean squared error is the variance of the
sum of two uniform numbers, 1/12 + 1/12 = 1/6. A model that stores both numbers makes no error.

From Hochreiter and Schmidhuber (1997), doi:10.1162/neco.1997.9.8.1735, experiment 4, in the simpler
form that later papers use: numbers from [0, 1] instead of [-1, 1], fixed length, no end markers.

Letters: n sequences, T time.
"""

import numpy as np

from course_lib.datasets.task import Task, at_least


def adding_task(n, T, rng):
    """Draw sequences of numbers of which two are marked; the target is the sum of the two.

    Parameters
    ----------
    n : int
        Number of sequences.
    T : int
        Steps, at least 2; the first mark is in the first T // 2 steps, the second after them.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    task : Task
        ``x`` (n, T, 2): number in [0, 1] and marker; ``target`` (n,) in [0, 2]; measure ``mse``,
        chance 1/6, ceiling 0.

    Raises
    ------
    ValueError
        If a number is too small.
    """
    n, T = at_least("n", n, 1), at_least("T", T, 2)
    x = np.zeros((n, T, 2))
    x[:, :, 0] = rng.random((n, T))
    rows = np.arange(n)
    x[rows, rng.integers(0, T // 2, size=n), 1] = 1.0
    x[rows, rng.integers(T // 2, T, size=n), 1] = 1.0
    return Task(
        name=f"adding, {T} steps",
        x=x,
        target=(x[:, :, 0] * x[:, :, 1]).sum(axis=1),
        n_out=1,
        chance=1 / 6,
        ceiling=0.0,
        measure="mse",
    )
