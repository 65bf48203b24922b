r"""How well a hidden Markov model can be predicted: bounds from both sides, by a grid of beliefs.

How well the next symbol or the hidden state can be guessed from the past is an average over all
pasts, of which there are V**T. But a past matters only through the *predicted belief*
q = p(state | past), a point of the simplex, and every measure here is the mean of some f(q):

=====================  ============================================  =======
measure                f(q)                                          shape
=====================  ============================================  =======
entropy                entropy of q B, the next symbol, nats         concave
next symbol accuracy   max_v (q B)_v                                 convex
filter accuracy        sum_v max_k q_k B_kv: best guess of the       convex
                       state once its symbol v is seen
=====================  ============================================  =======

So we follow the distribution of q, and keep it small by a grid of cells on the simplex:

- *Knowing less.* After each step all beliefs inside a cell are merged into their mean.
- *Knowing more.* After each step every belief is split onto the corners of its cell, in the shares
  that keep its mean (its barycentric weights).

*Why these are bounds.* One step turns the mean of f into the mean of
(P f)(q) = sum_v p_v f(q^v), with p_v = (q B)_v and q^v the belief after symbol v. Extend f to
unnormalised beliefs by f(c q) = c f(q). Then P f is a sum of f after linear maps,
q -> (q * B[:, v]) A, so P f is concave where f is, and by induction so is every P^n f. Merging
replaces beliefs by their mean, so by Jensen's inequality it cannot lower the mean of a concave
function, and splitting cannot raise it. Every step therefore errs to the known side, and so does
their sum. For convex f the two sides change places.

*The long run.* Let pi be stationary. Knowing the first state Z_1 besides the past tells more the
fewer steps have passed, and a longer past tells more, so for every n

H(Y_n | Y_1, ..., Y_{n-1}, Z_1) <= entropy rate <= H(Y_n | Y_1, ..., Y_{n-1}),

which is section 4.5 of Cover and Thomas. The left side starts at the corners of the simplex with
shares pi and is split, the right side starts at pi and is merged. All bounds hold up to the
rounding of double precision, about 1e-13.

*How tight.* With the default grid the error of the entropy rate is below 1e-6 nats for two and
three states, below 1e-4 for five and about 1e-3 for eight, each in less than a second [measured on
random tables]. A chain that changes once in 1000 steps needs 1000 steps for an error of 1e-6.

Letters: K states, V symbols, T time, P points (beliefs) that stand for the distribution.

References
----------
Cover and Thomas (2006), Elements of Information Theory, doi:10.1002/047174882X, section 4.5; their
X is our Z. Lovejoy (1991), doi:10.1287/opre.39.1.162: the same grid, triangulated after
Freudenthal, bounds the value of a partially observed decision process; his value is our P^n f.
"""

from dataclasses import dataclass
from itertools import combinations_with_replacement
from math import comb

import numpy as np

from course_lib._checks import check_hmm
from course_lib.emissions import Categorical

MAX_CELLS = 1000  # along an edge; with two states the error is then far below 1e-6
MAX_CORNERS = 12_000  # of the grid; 153 cells along an edge for three states
MAX_EXACT = 5_000  # beliefs in the exact first steps of bounds_by_step
MAX_AHEAD = 500_000  # beliefs in the exact last steps of the long run


@dataclass(frozen=True, slots=True)
class Bounds:
    """Two numbers, or two arrays, with the true value between them.

    Parameters
    ----------
    low : float or ndarray of shape (T,)
        Not above the true value.
    high : float or ndarray of shape (T,)
        Not below the true value.
    """

    low: float | np.ndarray
    high: float | np.ndarray

    @property
    def mid(self):
        """Middle of the two."""
        return (self.low + self.high) / 2

    @property
    def error(self):
        """Largest distance of the true value from the middle."""
        return (self.high - self.low) / 2


def entropy_rate_bounds(pi, A, B, *, cells=None, steps=100):
    """Bound the entropy rate: the floor of every model's loss on the next symbol.

    Parameters
    ----------
    pi : ndarray of shape (K,)
        Start distribution; must be stationary.
    A : ndarray of shape (K, K)
        Transition table, from i to j, rows sum to 1.
    B : ndarray of shape (K, V)
        Emission table, rows sum to 1.
    cells : int, optional
        Cells along an edge of the simplex; more are tighter and slower. Chosen by K if left out.
    steps : int, default=100
        Steps to follow, at least 1; a chain that changes rarely needs more.

    Returns
    -------
    bounds : Bounds
        Nats per symbol.

    Raises
    ------
    ValueError
        If an argument does not fit, or ``pi`` is not stationary.
    """
    return _long_run("entropy", pi, A, B, cells, steps)


def filter_accuracy_bounds(pi, A, B, *, cells=None, steps=100):
    """Bound how often the best guess of the present state, from all symbols so far, is right.

    Parameters
    ----------
    pi : ndarray of shape (K,)
        Start distribution; must be stationary.
    A : ndarray of shape (K, K)
        Transition table, from i to j, rows sum to 1.
    B : ndarray of shape (K, V)
        Emission table, rows sum to 1.
    cells : int, optional
        Cells along an edge of the simplex; more are tighter and slower. Chosen by K if left out.
    steps : int, default=100
        Steps to follow, at least 1; a chain that changes rarely needs more.

    Returns
    -------
    bounds : Bounds
        Share of right guesses in the long run, from 1 / K to 1.

    Raises
    ------
    ValueError
        If an argument does not fit, or ``pi`` is not stationary.
    """
    return _long_run("filter accuracy", pi, A, B, cells, steps)


def next_symbol_accuracy_bounds(pi, A, B, *, cells=None, steps=100):
    """Bound how often the best guess of the next symbol, from all symbols so far, is right.

    Parameters
    ----------
    pi : ndarray of shape (K,)
        Start distribution; must be stationary.
    A : ndarray of shape (K, K)
        Transition table, from i to j, rows sum to 1.
    B : ndarray of shape (K, V)
        Emission table, rows sum to 1.
    cells : int, optional
        Cells along an edge of the simplex; more are tighter and slower. Chosen by K if left out.
    steps : int, default=100
        Steps to follow, at least 1; a chain that changes rarely needs more.

    Returns
    -------
    bounds : Bounds
        Share of right guesses in the long run, from 1 / V to 1.

    Raises
    ------
    ValueError
        If an argument does not fit, or ``pi`` is not stationary.
    """
    return _long_run("next symbol accuracy", pi, A, B, cells, steps)


def bounds_by_step(measure, pi, A, B, T, *, cells=None):
    """Bound a measure at each of the first T steps, from any start.

    Parameters
    ----------
    measure : {"entropy", "filter accuracy", "next symbol accuracy"}
        What to bound at step t: the entropy H(Y_t | Y_1, ..., Y_{t-1}) in nats; the share of right
        guesses of the state Z_t from Y_1, ..., Y_t; of the symbol Y_t from Y_1, ..., Y_{t-1}.
    pi : ndarray of shape (K,)
        Distribution of Z_1; any.
    A : ndarray of shape (K, K)
        Transition table, from i to j, rows sum to 1.
    B : ndarray of shape (K, V)
        Emission table, rows sum to 1.
    T : int
        Number of steps, at least 1.
    cells : int, optional
        Cells along an edge of the simplex; more are tighter and slower. Chosen by K if left out.

    Returns
    -------
    bounds : Bounds
        ``low`` and ``high`` have shape (T,); entry 0 is for t = 1. The first steps are exact, as
        long as there are few sequences.

    Raises
    ------
    ValueError
        If an argument does not fit.
    """
    value, pi, A, B, cells = _read(measure, pi, A, B, cells)
    T = _whole("T", T)
    exact, masses = [], pi[None]
    while len(exact) < T - 1 and len(masses) * B.shape[1] <= MAX_EXACT:
        exact.append(value(masses, B).sum())
        masses = _step(masses, A, B)
    rest = masses, A, B, cells, T - len(exact)
    less = [value(masses, B).sum() for masses in _knowing_less(*rest)]
    more = [value(masses, B).sum() for masses in _knowing_more(*rest)]
    return _ordered(np.array(exact + less), np.array(exact + more))


def _long_run(measure, pi, A, B, cells, steps):
    """Bounds of the stationary value of a measure."""
    value, pi, A, B, cells = _read(measure, pi, A, B, cells)
    steps = _whole("steps", steps)
    if np.abs(pi @ A - pi).max() > 1e-6:
        raise ValueError(
            "pi must be stationary (pi @ A equal to pi), for the long run is not that of another "
            "start; pass stationary_distribution(A), or use bounds_by_step"
        )
    *_, less = _knowing_less(pi[None], A, B, cells, steps)
    *_, more = _knowing_more(np.diag(pi), A, B, cells, steps)
    return _ordered(*(_look_ahead(value, masses, A, B) for masses in (less, more)))


def _look_ahead(value, masses, A, B):
    """Mean of the value after as many exact steps as are affordable: their cells cost nothing."""
    while len(masses) * B.shape[1] <= MAX_AHEAD and B.shape[1] > 1:
        masses = _step(masses, A, B)
    return value(masses, B).sum()


def _entropy(masses, B):
    p = masses @ B  # (P, V), each row adds up to the weight of its belief
    share = np.divide(p, p.sum(axis=1, keepdims=True), out=np.ones_like(p), where=p > 0)
    return -(p * np.log(share)).sum(axis=1)


def _filter_accuracy(masses, B):
    return sum((masses * column).max(axis=1) for column in B.T)


def _next_symbol_accuracy(masses, B):
    return (masses @ B).max(axis=1)


MEASURES = {
    "entropy": _entropy,
    "filter accuracy": _filter_accuracy,
    "next symbol accuracy": _next_symbol_accuracy,
}


def _step(masses, A, B):
    """See each symbol in turn and predict: (P, K) to (P * V, K)."""
    return ((masses[:, None, :] * B.T) @ A).reshape(-1, len(A))


def _knowing_less(masses, A, B, cells, steps):
    """Yield beliefs times their weights (P, K) at each step, merged in cubes of side 1 / cells."""
    radix = (cells + 1) ** np.arange(len(A) - 1)
    for _ in range(steps):
        yield masses
        masses = _step(masses, A, B)
        weight = masses.sum(axis=1)
        masses, weight = masses[weight > 0], weight[weight > 0]
        cell = (masses[:, :-1] * (cells / weight)[:, None]).astype(int) @ radix
        cell = np.unique(cell, return_inverse=True)[1]
        masses = np.stack([np.bincount(cell, column) for column in masses.T], axis=1)


def _knowing_more(masses, A, B, cells, steps):
    """Yield beliefs times their weights (P, K) at each step, all on the corners of the grid."""
    # A corner is written as the sums of its first 1, ..., K - 1 entries, in units of 1 / cells.
    sums = np.array([*combinations_with_replacement(range(cells + 1), len(A) - 1)])
    ends = np.zeros((len(sums), 1), dtype=int)
    corners = np.diff(np.hstack([ends, sums, ends + cells]), axis=1) / cells  # (P, K)
    radix = (cells + 2) ** np.arange(len(A) - 1)[::-1]
    keys = sums @ radix  # ascending

    def onto_corners(masses):
        """Numbers of the K corners around each belief, and the weight that each gets."""
        weight = masses.sum(axis=1, keepdims=True)
        beliefs = np.divide(masses, weight, out=np.zeros_like(masses), where=weight > 0)
        place = np.clip(cells * np.cumsum(beliefs[:, :-1], axis=1), 0, cells)
        fraction = place % 1
        # Ties go to the later coordinate first, so that the sums stay in ascending order.
        order = np.argsort(fraction, axis=1, kind="stable")[:, ::-1]
        walk = np.cumsum(radix[order], axis=1)  # from corner to corner, one coordinate at a time
        key = (np.floor(place).astype(int) @ radix)[:, None] + np.hstack([0 * walk[:, :1], walk])
        bound = np.hstack(
            [weight, weight * np.take_along_axis(fraction, order, axis=1), 0 * weight]
        )
        # A corner outside the simplex has weight 0, so it does not matter where it is put.
        return np.minimum(np.searchsorted(keys, key), len(keys) - 1), -np.diff(bound, axis=1)

    number, share = onto_corners(_step(corners, A, B))
    number, share = (x.reshape(len(corners), -1) for x in (number, share))  # (P, V * K)
    yield masses
    weight = np.bincount(*map(np.ravel, onto_corners(_step(masses, A, B))), len(corners))
    for _ in range(steps - 1):
        yield (weight[:, None] * corners)[weight > 0]
        weight = np.bincount(number.ravel(), (weight[:, None] * share).ravel(), len(corners))


def _read(measure, pi, A, B, cells):
    """Checked arguments: function to average, float tables that sum to 1, number of cells."""
    if measure not in MEASURES:
        raise ValueError(f"measure must be one of {tuple(MEASURES)}, got {measure!r}")
    pi, A, emission = check_hmm(pi, A, B)
    if not isinstance(emission, Categorical):
        raise ValueError(f"B must be a table (K, V) of symbols, got {type(B).__name__}")
    pi, A, B = (p / p.sum(axis=-1, keepdims=True) for p in (pi, A, emission.B))
    K = len(pi)
    if K < 2:
        raise ValueError("pi must have at least 2 states; with one state nothing is hidden")
    if cells is None:
        cells = 1
        while cells < MAX_CELLS and comb(cells + K, K - 1) <= MAX_CORNERS:
            cells += 1
    cells = _whole("cells", cells)
    if (cells + 2) ** (K - 1) > np.iinfo(np.int64).max:  # corners are numbered by integers
        raise ValueError(f"a grid of {cells} cells for {K} states is too large; use fewer cells")
    return MEASURES[measure], pi, A, B, cells


def _whole(name, value):
    """Return a count as an int of at least 1."""
    if isinstance(value, bool) or int(value) != value or value < 1:
        raise ValueError(f"{name} must be a whole number of at least 1, got {value!r}")
    return int(value)


def _ordered(one, other):
    """Bounds in their order; convex measures come the other way round, and equal ones by chance."""
    low, high = np.minimum(one, other), np.maximum(one, other)
    return Bounds(low, high) if low.ndim else Bounds(float(low), float(high))
