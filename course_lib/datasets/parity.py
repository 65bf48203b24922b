"""The parity task: is the number of ones so far odd? One bit of memory, but every input flips it.

Memory at a lag asks for a bit to be *kept*; parity asks for it to be *changed* by each input.
Whoever misses one bit knows nothing: the parity of T fair bits is independent of any T - 1 of
them, so every answer that leaves out one bit is right half of the time, exactly.

Letters: n sequences, T time.
"""

from course_lib.datasets.task import Task, at_least


def parity_task(n, T, rng):
    """Draw sequences of fair bits; the target is the parity of all of them.

    Parameters
    ----------
    n : int
        Number of sequences.
    T : int
        Bits, at least 2.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    task : Task
        ``x`` (n, T, 1) of zeros and ones; ``target`` (n,) 1 where their number is odd; chance 1/2,
        ceiling 1.

    Raises
    ------
    ValueError
        If a number is too small.
    """
    n, T = at_least("n", n, 1), at_least("T", T, 2)
    bits = rng.integers(2, size=(n, T))
    return Task(
        name=f"parity, {T} bits",
        x=bits[:, :, None].astype(float),
        target=bits.sum(axis=1) % 2,
        n_out=2,
        chance=0.5,
        ceiling=1.0,
    )
