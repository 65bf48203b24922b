r"""N-gram models: the next symbol depends on the n - 1 symbols before it.

Letters: N sequences, T time, V symbols. The table of an n-gram model has V^(n - 1) rows, one for
each context, and V columns: that growth is the price of a longer memory.
"""

from dataclasses import dataclass

import numpy as np

from course_lib._checks import check_shape, check_symbols
from course_lib._sequences import as_sequences

MAX_TABLE = 50_000_000  # numbers; 400 MB in float64


@dataclass(frozen=True)
class NGram:
    """Counts of an n-gram model.

    ``counts[c, v]`` says how often symbol v followed context c. A context is read as a number with
    n - 1 digits in base V, oldest symbol first: for V = 3, the context (2, 1) is row 2 * 3 + 1 = 7.
    """

    n: int
    V: int
    counts: np.ndarray  # (V^(n - 1), V)
    pseudocount: float = 0.0

    @property
    def probs(self):
        """Table of shape (V^(n - 1), V); a context never seen has a row of zeros if unsmoothed."""
        smoothed = self.counts + self.pseudocount
        totals = smoothed.sum(axis=1, keepdims=True)
        return np.divide(smoothed, totals, out=np.zeros_like(smoothed), where=totals > 0)

    @property
    def contexts_seen(self):
        """Number of rows of the table that have at least one count."""
        return int(np.count_nonzero(self.counts.sum(axis=1)))


def fit_ngram(sequences, n, V, pseudocount=0.0):
    """Count the n-grams of a data set.

    Parameters
    ----------
    sequences : list of ndarray of shape (T,), or ndarray of shape (N, T) or (T,)
        Symbols from 0 to V - 1. Sequences shorter than n have nothing to count.
    n : int
        Length of the n-gram: 1 ignores the past, 2 is a Markov chain.
    V : int
        Number of symbols.
    pseudocount : float, default=0.0
        Added to every count when probabilities are taken, not negative.

    Returns
    -------
    model : NGram
        Counts of shape (V^(n - 1), V).

    Raises
    ------
    ValueError
        If n is below 1, or if the table would have more than 50 million entries.

    References
    ----------
    Shannon (1948), doi:10.1002/j.1538-7305.1948.tb01338.x, section 3, draws such sequences. The
    pseudocount and better ways to smooth: Chen and Goodman (1999), doi:10.1006/csla.1999.0128.
    """
    if n < 1 or n != int(n):
        raise ValueError(f"n must be a whole number, 1 or more, got {n}")
    if not pseudocount >= 0:
        raise ValueError(f"pseudocount must not be negative, got {pseudocount}")
    if V**n > MAX_TABLE:
        raise ValueError(
            f"a table of V^n = {V}^{n} = {float(V) ** n:.2g} numbers does not fit "
            f"(at most {MAX_TABLE:,}): use a smaller n"
        )
    counts = np.zeros(V**n)
    for y in as_sequences(sequences, V):
        if len(y) >= n:
            counts += np.bincount(_codes(y, n, V), minlength=V**n)
    return NGram(n=int(n), V=V, counts=counts.reshape(-1, V), pseudocount=float(pseudocount))


def ngram_log_prob(model, y, skip=None):
    r"""Return :math:`\log p(y_t \mid y_{t-n+1:t-1})` for every position that has a full context.

    Parameters
    ----------
    model : NGram
        Counts of n-grams.
    y : ndarray of shape (T,)
        Symbols from 0 to V - 1.
    skip : int, default=None
        Number of leading positions to leave out, at least n - 1 (the default). Give the same
        ``skip`` to models of different n to compare them on the same positions.

    Returns
    -------
    log_prob : ndarray of shape (T - skip,)
        In nats; ``-inf`` where the model has never seen the n-gram and does not smooth.

    Raises
    ------
    ValueError
        If ``skip`` is smaller than the context, or a symbol is out of range.
    """
    y = check_symbols("y", check_shape("y", y, (None,)), model.V)
    skip = model.n - 1 if skip is None else skip
    if skip < model.n - 1:
        raise ValueError(
            f"skip must be at least n - 1 = {model.n - 1}, because earlier positions have no full "
            f"context, got {skip}"
        )
    if len(y) <= skip:
        return np.zeros(0)
    codes = _codes(y[skip - model.n + 1 :], model.n, model.V)
    counts = model.counts.reshape(-1)[codes] + model.pseudocount
    totals = model.counts.sum(axis=1)[codes // model.V] + model.V * model.pseudocount
    with np.errstate(divide="ignore"):  # log(0) = -inf is the right answer
        return np.log(np.divide(counts, totals, out=np.zeros_like(counts), where=totals > 0))


def ngram_cross_entropy(model, sequences, skip=None):
    """Return the mean surprise of a model at the symbols of a data set, in nats per symbol.

    Parameters
    ----------
    model : NGram
        Counts of n-grams.
    sequences : list of ndarray of shape (T,), or ndarray of shape (N, T) or (T,)
        Symbols from 0 to V - 1; held out from the counting if the result is to mean anything.
    skip : int, default=None
        Leading positions of each sequence to leave out, at least n - 1 (the default).

    Returns
    -------
    cross_entropy : float
        In nats per symbol; ``inf`` if one n-gram has probability 0.

    Raises
    ------
    ValueError
        If no sequence is longer than the positions left out.
    """
    parts = [ngram_log_prob(model, y, skip) for y in as_sequences(sequences, model.V)]
    surprise = -np.concatenate(parts)
    if len(surprise) == 0:
        raise ValueError("no sequence is longer than the positions left out: nothing to average")
    return float(surprise.mean())


def sample_ngram(T, model, rng):
    """Draw one sequence: the first context as often as it was seen, then symbol by symbol.

    Parameters
    ----------
    T : int
        Number of symbols, at least n - 1 and at least 1.
    model : NGram
        Counts of n-grams.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    y : ndarray of shape (T,)
        Symbols from 0 to V - 1. A context that has no counts is followed by a uniform symbol.

    Raises
    ------
    ValueError
        If T is smaller than the context, or below 1.
    """
    n, V = model.n, model.V
    if T < max(1, n - 1):
        raise ValueError(f"T must be at least {max(1, n - 1)}, got {T}")
    seen = model.counts.sum(axis=1)
    context = int(rng.choice(len(seen), p=seen / seen.sum()))
    y = [context // V**k % V for k in reversed(range(n - 1))]
    while len(y) < T:
        weights = model.counts[context] + model.pseudocount
        total = weights.sum()
        y.append(int(rng.choice(V, p=weights / total if total > 0 else None)))
        context = (context * V + y[-1]) % V ** (n - 1)
    return np.array(y)


def _codes(y, n, V):
    """Number of the n-gram that starts at each position, shape (T - n + 1,)."""
    codes = np.zeros(len(y) - n + 1, dtype=np.int64)
    for k in range(n):
        codes = codes * V + y[k : len(y) - n + 1 + k]
    return codes
