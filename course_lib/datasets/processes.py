r"""Processes with known truth: hidden Markov models whose every probability is written down.

A model that is trained on their symbols alone can be compared with the best that is possible: the
exact belief after every symbol, the entropy rate (:mod:`course_lib.belief_bounds`), and the
accuracy of the filter and of the smoother.

*Mess3* has three states and three symbols. A state stays with probability 1 - 2x and goes to each
other one with x; it shows its own symbol with probability a and each other one with (1 - a) / 2.
The beliefs that its sequences lead to form a fractal in the triangle of all beliefs. It is from
Marzen and Crutchfield (2017), doi:10.1103/PhysRevE.95.051301; with x = 0.05 and a = 0.85 Shai,
Marzen, Teixeira, Oldenziel and Riechers (2024), arXiv:2405.15943, found that fractal in a
transformer. Their tables for "symbol and next state" are our ``A[i, j] * B[j, v]``.

Letters: n sequences, T time, K states, V symbols.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from course_lib._checks import check_hmm, check_shape
from course_lib.belief_bounds import bounds_by_step
from course_lib.datasets.casino import (
    CASINO_A,
    CASINO_B,
    CASINO_PI,
    CASINO_STATES,
    CASINO_SYMBOLS,
)
from course_lib.datasets.task import Task, at_least
from course_lib.emissions import Categorical
from course_lib.hmm_batch import filter_batch, smooth_batch


@dataclass(frozen=True, slots=True, eq=False)
class Process:
    """A hidden Markov model over symbols, with names.

    Parameters
    ----------
    name : str
        What it is called.
    pi : ndarray of shape (K,)
        Distribution of the first state, sum 1.
    A : ndarray of shape (K, K)
        Transition table, from i to j, rows sum to 1.
    B : ndarray of shape (K, V)
        ``B[k, v]`` is the probability that state k shows symbol v; rows sum to 1.
    states : tuple of str
        Names of the K states.
    symbols : tuple of str
        Names of the V symbols.

    Raises
    ------
    ValueError
        If tables are no probabilities, or shapes and numbers of names do not fit together.
    """

    name: str
    pi: np.ndarray  # (K,)
    A: np.ndarray  # (K, K)
    B: np.ndarray  # (K, V)
    states: tuple[str, ...]
    symbols: tuple[str, ...]

    def __post_init__(self):
        pi, A, emission = check_hmm(self.pi, self.A, self.B)
        if not isinstance(emission, Categorical):
            raise ValueError(f"B must be a table (K, V) of symbols, got {type(self.B).__name__}")
        for name, table in (("pi", pi), ("A", A), ("B", emission.B)):
            table = table.copy()
            table.setflags(write=False)  # a process is shared, and its ceilings are remembered
            object.__setattr__(self, name, table)
        for name, size in (("states", self.K), ("symbols", self.V)):
            names = tuple(getattr(self, name))
            if len(names) != size or len(set(names)) != size:
                raise ValueError(f"{name} must hold {size} different names, got {names}")
            object.__setattr__(self, name, names)

    @property
    def K(self):
        """Number of states."""
        return self.B.shape[0]

    @property
    def V(self):
        """Number of symbols."""
        return self.B.shape[1]

    @property
    def tables(self):
        """The three tables (pi, A, B), as the functions of the library take them."""
        return self.pi, self.A, self.B


def mess3(x=0.05, a=0.85):
    """Return the Mess3 process.

    Parameters
    ----------
    x : float, default=0.05
        Probability of going to each of the two other states, from 0 to 1/2.
    a : float, default=0.85
        Probability of showing the state's own symbol, from 0 to 1.

    Returns
    -------
    process : Process
        Three states, three symbols; the start is uniform, which is stationary.

    Raises
    ------
    ValueError
        If x or a is out of range.
    """
    if not 0 <= x <= 0.5:
        raise ValueError(f"x must be from 0 to 1/2, got {x}; 1 - 2x is the probability of staying")
    if not 0 <= a <= 1:
        raise ValueError(f"a must be from 0 to 1, got {a}")
    same = np.eye(3, dtype=bool)
    return Process(
        name="Mess3",
        pi=np.full(3, 1 / 3),
        A=np.where(same, 1 - 2 * x, x),
        B=np.where(same, a, (1 - a) / 2),
        states=("1", "2", "3"),
        symbols=("A", "B", "C"),
    )


CASINO = Process("casino", CASINO_PI, CASINO_A, CASINO_B, CASINO_STATES, CASINO_SYMBOLS)
MESS3 = mess3()


def sample_process(process, n, T, rng):
    """Draw sequences of hidden states and the symbols they show.

    Parameters
    ----------
    process : Process
        Where they come from.
    n : int
        Number of sequences, at least 1.
    T : int
        Steps of each, at least 1.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    z : ndarray of shape (n, T)
        States from 0 to K - 1.
    y : ndarray of shape (n, T)
        Symbols from 0 to V - 1.

    Raises
    ------
    ValueError
        If a number is too small.
    """
    n, T = at_least("n", n, 1), at_least("T", T, 1)
    z = np.empty((n, T), dtype=int)
    z[:, 0] = _draw(np.broadcast_to(process.pi, (n, process.K)), rng)
    for t in range(1, T):
        z[:, t] = _draw(process.A[z[:, t - 1]], rng)
    return z, _draw(process.B[z], rng)


def exact_beliefs(process, ys):
    """Return the belief after every symbol, by the exact filter.

    Parameters
    ----------
    process : Process
        Where the symbols come from.
    ys : ndarray of shape (n, T)
        Symbols from 0 to V - 1.

    Returns
    -------
    beliefs : ndarray of shape (n, T, K)
        p(z_t | y_1, ..., y_t), rows sum to 1.

    Raises
    ------
    ValueError
        If ``ys`` is no such array, or a sequence is impossible.
    """
    return filter_batch(check_shape("ys", ys, (None, None)), *process.tables)[0]


def next_symbol_probs(process, beliefs):
    r"""Return the exact distribution of the next symbol, :math:`b A B`.

    Parameters
    ----------
    process : Process
        Where the symbols come from.
    beliefs : ndarray of shape (..., K)
        Beliefs in the present state.

    Returns
    -------
    probs : ndarray of shape (..., V)
        Rows sum to 1.

    Raises
    ------
    ValueError
        If the last axis of ``beliefs`` does not hold one number a state.
    """
    beliefs = np.asarray(beliefs)
    if beliefs.shape[-1:] != (process.K,):
        raise ValueError(
            f"beliefs must have shape (..., {process.K}), one number a state, got {beliefs.shape}"
        )
    return beliefs @ process.A @ process.B


def next_symbol_task(process, n, T, rng):
    """Draw sequences in which every next symbol is to be named.

    Parameters
    ----------
    process : Process
        Where the sequences come from.
    n : int
        Number of sequences.
    T : int
        Steps, at least 1.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    task : Task
        ``x`` (n, T, V) the symbols one-hot, ``target`` (n, T) the symbol one step later; chance is
        that of the most frequent symbol, the ceiling that of the exact filter over these T steps:
        the middle of two bounds, which are less than 1e-5 apart for the casino and for Mess3.

    Raises
    ------
    ValueError
        If a number is too small.
    """
    n, T = at_least("n", n, 1), at_least("T", T, 1)
    _, y = sample_process(process, n, T + 1, rng)
    chance, ceiling = _next_symbol_levels(process, T)
    return Task(
        name=f"next symbol, {process.name}",
        x=np.eye(process.V)[y[:, :-1]],
        target=y[:, 1:],
        n_out=process.V,
        chance=chance,
        ceiling=ceiling,
    )


def filtering_task(process, n, T, rng):
    """Draw sequences in which every hidden state is to be named, from the symbols so far.

    Parameters
    ----------
    process : Process
        Where the sequences come from.
    n : int
        Number of sequences.
    T : int
        Steps, at least 1.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    task : Task
        ``x`` (n, T, V) the symbols one-hot, ``target`` (n, T) the states; chance is that of the
        most frequent state, the ceiling that of the exact filter over these T steps: the middle of
        two bounds, which are less than 1e-5 apart for the casino and for Mess3.

    Raises
    ------
    ValueError
        If a number is too small.
    """
    n, T = at_least("n", n, 1), at_least("T", T, 1)
    z, y = sample_process(process, n, T, rng)
    chance, ceiling = _filtering_levels(process, T)
    return Task(
        name=f"filtering, {process.name}",
        x=np.eye(process.V)[y],
        target=z,
        n_out=process.K,
        chance=chance,
        ceiling=ceiling,
    )


def smoothing_task(process, n, T, rng):
    """Draw sequences in which every hidden state is to be named, from the whole sequence.

    The same question as in `filtering_task`; what differs is the ceiling, that of a model which may
    also look at what comes later.

    Parameters
    ----------
    process : Process
        Where the sequences come from.
    n : int
        Number of sequences.
    T : int
        Steps, at least 1.
    rng : numpy.random.Generator
        Source of randomness; the sequences are those of `filtering_task`.

    Returns
    -------
    task : Task
        ``x`` (n, T, V) the symbols one-hot, ``target`` (n, T) the states; chance is that of the
        most frequent state, the ceiling what the exact smoother expects to reach on *these*
        sequences: its own probability of being right, averaged.

    Raises
    ------
    ValueError
        If a number is too small.
    """
    task = filtering_task(process, n, T, rng)
    smoothed = smooth_batch(task.x.argmax(axis=-1), *process.tables)
    return replace(
        task,
        name=f"smoothing, {process.name}",
        ceiling=float(smoothed.max(axis=-1).mean()),
    )


def smoother_accuracy(process, n, T, rng):
    """Measure how often the best guess of a state is right that sees the whole sequence.

    The smoother's own probability of being right, max_k p(z_t = k | y_1, ..., y_T), is averaged. It
    has the same mean as counting right guesses and less noise.

    Parameters
    ----------
    process : Process
        Where the sequences come from.
    n : int
        Number of sequences to draw, at least 2.
    T : int
        Steps of each; the first and the last ones see less around them.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    mean : float
        Share of states guessed right, over all T steps.
    standard_error : float
        Of the mean, from the spread over the n independent sequences.

    Raises
    ------
    ValueError
        If a number is too small.
    """
    _, y = sample_process(process, at_least("n", n, 2), T, rng)
    each = smooth_batch(y, *process.tables).max(axis=2).mean(axis=1)  # (n,)
    return float(each.mean()), float(each.std(ddof=1) / np.sqrt(n))


@lru_cache(maxsize=64)
def _next_symbol_levels(process, T):
    """Chance and ceiling of naming y_2, ..., y_{T + 1}."""
    chance = (_state_shares(process, T + 1)[1:] @ process.B).mean(axis=0).max()
    ceiling = bounds_by_step("next symbol accuracy", *process.tables, T + 1).mid[1:].mean()
    return float(chance), float(ceiling)


@lru_cache(maxsize=64)
def _filtering_levels(process, T):
    """Chance and ceiling of naming z_1, ..., z_T."""
    chance = _state_shares(process, T).mean(axis=0).max()
    ceiling = bounds_by_step("filter accuracy", *process.tables, T).mid.mean()
    return float(chance), float(ceiling)


def _state_shares(process, T):
    """Distribution of the state at each step, with nothing seen (T, K)."""
    shares = [process.pi]
    for _ in range(T - 1):
        shares.append(shares[-1] @ process.A)
    return np.array(shares)


def _draw(probs, rng):
    """Draw one index a row of probabilities (..., K); one of probability 0 is never drawn."""
    cdf = np.cumsum(probs, axis=-1)
    u = rng.random(probs.shape[:-1])[..., None]
    return (u >= cdf[..., :-1] / cdf[..., -1:]).sum(axis=-1)
