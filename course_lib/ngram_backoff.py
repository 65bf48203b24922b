r"""N-grams of every length at once: a long context where it was seen often, else a shorter one.

The table of :mod:`course_lib.ngram` has a row for every context that could be; of a real text most
rows stay empty, and smoothing fills them all alike. Here only what was seen is stored, and each
length borrows from the next shorter one (Witten and Bell's interpolation):

.. math::

    p_k(v \mid c) = \frac{N(c v) + U(c) \, p_{k-1}(v \mid c')}{N(c) + U(c)}

where N counts, U(c) is the number of *different* symbols seen after the context c, and c' is c
without its oldest symbol. A context that many different symbols followed is likely to be followed
by one more, so it borrows more. The shortest, k = 0, is uniform.

Letters: N sequences, T time, V symbols, G different n-grams of one length.
"""

from dataclasses import dataclass

import numpy as np

from course_lib._checks import check_shape, check_symbols
from course_lib._sequences import as_sequences


@dataclass(frozen=True, eq=False)
class BackoffNGram:
    """Counts of all k-grams with k = 1 to n that occur.

    A k-gram is kept as a number with k digits in base V, oldest symbol first, as in
    :class:`course_lib.ngram.NGram`; ``grams[k - 1]`` and ``contexts[k - 1]`` are sorted.
    """

    n: int
    V: int
    grams: tuple  # n arrays (G,): the k-grams seen
    counts: tuple  # n arrays (G,): how often
    contexts: tuple  # n arrays: the contexts of k - 1 symbols seen
    totals: tuple  # n arrays: how often something followed the context
    kinds: tuple  # n arrays: how many different symbols followed it

    @property
    def stored(self):
        """Number of counts that the model keeps, over all lengths."""
        return sum(len(codes) for codes in self.grams)


def fit_backoff(sequences, n, V):
    """Count the k-grams of every length up to n.

    Parameters
    ----------
    sequences : list of ndarray of shape (T,), or ndarray of shape (N, T) or (T,)
        Symbols from 0 to V - 1.
    n : int
        Longest n-gram, at least 1: the context has n - 1 symbols.
    V : int
        Number of symbols.

    Returns
    -------
    model : BackoffNGram
        What was counted.

    Raises
    ------
    ValueError
        If n is below 1, or n-grams are too many to be numbered in 63 bits.

    References
    ----------
    Witten and Bell (1991), doi:10.1109/18.87000, method C; interpolated as in Chen and Goodman
    (1999), doi:10.1006/csla.1999.0128.
    """
    if n < 1 or n != int(n):
        raise ValueError(f"n must be a whole number, 1 or more, got {n}")
    if float(V) ** n >= 2.0**63:
        raise ValueError(f"V^n = {V}^{n} n-grams cannot be numbered in 63 bits: use a smaller n")
    ys, columns = as_sequences(sequences, V), [[] for _ in range(5)]
    for k in range(1, int(n) + 1):
        codes = np.concatenate([_codes(y, k, V) for y in ys])
        grams, counts = np.unique(codes, return_counts=True)
        contexts, where = np.unique(grams // V, return_inverse=True)
        totals = np.bincount(where, weights=counts, minlength=len(contexts))
        kinds = np.bincount(where, minlength=len(contexts))
        parts = (grams, counts.astype(float), contexts, totals, kinds.astype(float))
        for column, part in zip(columns, parts, strict=True):
            column.append(part)
    return BackoffNGram(int(n), int(V), *map(tuple, columns))


def backoff_log_prob(model, y):
    r"""Return :math:`\log p(y_t \mid y_{t-n+1:t-1})` at every position.

    Parameters
    ----------
    model : BackoffNGram
        Counts of k-grams.
    y : ndarray of shape (T,)
        Symbols from 0 to V - 1; the first ones have a shorter context, the very first none.

    Returns
    -------
    log_prob : ndarray of shape (T,)
        In nats, finite: no symbol has probability 0.

    Raises
    ------
    ValueError
        If a symbol is out of range.
    """
    y = _as_symbols("y", y, model.V)
    probs = np.full(len(y), 1 / model.V)
    for k in range(1, min(model.n, len(y)) + 1):
        probs[k - 1 :] = _longer(model, k, _codes(y, k, model.V), probs[k - 1 :])
    return np.log(probs)


def backoff_next(model, past):
    """Return the probabilities of the next symbol.

    Parameters
    ----------
    model : BackoffNGram
        Counts of k-grams.
    past : ndarray of shape (T,)
        Symbols so far, from 0 to V - 1; the last n - 1 count. It may be empty.

    Returns
    -------
    probs : ndarray of shape (V,)
        Positive, they sum to 1.

    Raises
    ------
    ValueError
        If a symbol is out of range.
    """
    past = _as_symbols("past", past, model.V)
    probs, context = np.full(model.V, 1 / model.V), 0
    for k in range(1, min(model.n, len(past) + 1) + 1):
        if k > 1:  # one more symbol, older than those so far, in front of the number
            context += int(past[-(k - 1)]) * model.V ** (k - 2)
        probs = _longer(model, k, context * model.V + np.arange(model.V), probs)
    return probs


def _as_symbols(name, y, V):
    """Symbols (T,), which may be none at all."""
    y = check_shape(name, y, (None,))
    return check_symbols(name, y, V) if len(y) else y.astype(int)


def _longer(model, k, codes, shorter):
    """p_k of the k-grams ``codes``, given p_{k-1} of the same symbols."""
    count = _look_up(codes, model.grams[k - 1], model.counts[k - 1])
    total = _look_up(codes // model.V, model.contexts[k - 1], model.totals[k - 1])
    kinds = _look_up(codes // model.V, model.contexts[k - 1], model.kinds[k - 1])
    seen = total + kinds
    mixed = count + kinds * shorter
    return np.divide(mixed, seen, out=np.array(shorter, dtype=float), where=seen > 0)


def _look_up(codes, keys, values):
    """values[i] where keys[i] == code, 0 where the code is not among the sorted keys."""
    if len(keys) == 0:
        return np.zeros(len(codes))
    place = np.minimum(np.searchsorted(keys, codes), len(keys) - 1)
    return np.where(keys[place] == codes, values[place], 0.0)


def _codes(y, k, V):
    """Number of the k-gram that starts at each position, shape (T - k + 1,)."""
    codes = np.zeros(max(len(y) - k + 1, 0), dtype=np.int64)
    for j in range(k):
        codes = codes * V + y[j : len(y) - k + 1 + j]
    return codes
