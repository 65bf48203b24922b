r"""Learning a hidden Markov model: counting, Baum-Welch, and the gradient of the log evidence.

Letters: N batch, T time, K states, V symbols, D features. Data are one sequence or a padded batch
with ``lengths``, as in :mod:`course_lib.hmm_batch`.

References
----------
Baum, Petrie, Soules and Weiss (1970), doi:10.1214/aoms/1177697196.
Rabiner (1989), doi:10.1109/5.18626: our expected counts are his sums of gamma and xi.
Akaike (1974), doi:10.1109/TAC.1974.1100705, and Schwarz (1978), doi:10.1214/aos/1176344136.
"""

import itertools
from dataclasses import dataclass

import numpy as np

from course_lib._checks import check_hmm, check_shape, check_symbols
from course_lib.emissions import Categorical, Gaussian, Poisson, as_emission
from course_lib.hmm_batch import expected_counts, log_evidence

SMALLEST_RATE = 1e-10  # a Poisson state that owns only zeros has its maximum at rate 0
FALL_TOLERANCE = 1e-9  # relative; rounding of a sum over all time steps
LARGEST_TO_ALIGN = 8  # 8! permutations are tried


@dataclass(frozen=True, slots=True)
class EMStep:
    """New parameters, and the log evidence (nats, all sequences) of the old ones."""

    pi: np.ndarray
    A: np.ndarray
    B: object
    log_evidence_before: float


@dataclass(frozen=True, slots=True)
class Fit:
    """Where Baum-Welch ended; ``history[n]`` is the log evidence in nats after n iterations."""

    pi: np.ndarray
    A: np.ndarray
    B: object
    history: np.ndarray  # (iterations + 1,)
    converged: bool


def _rows(counts, old, pseudocount=0.0):
    """Normalise rows; a row without any count keeps its old values."""
    counts = counts + pseudocount
    total = counts.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        return np.where(total > 0, counts / total, old)


def count_supervised(z, y, K, V, pseudocount=0.0):
    """Estimate (pi, A, B) by counting where the states were seen.

    Parameters
    ----------
    z : ndarray of shape (T,) or (N, T), or list of ndarray
        States, from 0 to K - 1; a list holds sequences of different lengths.
    y : ndarray of the shape of z, or list of ndarray
        Symbols, from 0 to V - 1.
    K : int
        Number of states.
    V : int
        Number of symbols.
    pseudocount : float
        Added to every count, at least 0.

    Returns
    -------
    pi : ndarray of shape (K,)
        Share of sequences that start in each state.
    A : ndarray of shape (K, K)
        Transition table; a state that is never left gets a uniform row.
    B : ndarray of shape (K, V)
        Emission table; a state that never occurs gets a uniform row.

    Raises
    ------
    ValueError
        If states and symbols do not pair up or are out of range.
    """
    if not pseudocount >= 0:
        raise ValueError(f"pseudocount must be at least 0, got {pseudocount}")
    if not isinstance(z, list):
        z, y = np.atleast_2d(np.asarray(z)), np.atleast_2d(np.asarray(y))
    if len(z) != len(y):
        raise ValueError(f"z and y must hold the same number of sequences, got {len(z)}, {len(y)}")
    start, moves, shows = np.zeros(K), np.zeros((K, K)), np.zeros((K, V))
    for n, (states, symbols) in enumerate(zip(z, y, strict=True)):
        states = check_symbols(f"z[{n}]", states, K)
        symbols = check_symbols(f"y[{n}]", check_shape(f"y[{n}]", symbols, states.shape), V)
        start[states[0]] += 1
        np.add.at(moves, (states[:-1], states[1:]), 1)
        np.add.at(shows, (states, symbols), 1)
    return (
        _rows(start, 1 / K, pseudocount),
        _rows(moves, 1 / K, pseudocount),
        _rows(shows, 1 / V, pseudocount),
    )


def em_step(ys, pi, A, B, lengths=None, var_floor=0.0):
    """Take one step of Baum-Welch: expected counts, then new parameters from them.

    A state that is never visited keeps its rows. A Gaussian variance that falls to 0 is refused,
    as its likelihood is without bound; ``var_floor`` is the cure.

    Parameters
    ----------
    ys : ndarray of shape (T,), (N, T) or (N, T, D)
        Observations, padded at the end.
    pi : ndarray of shape (K,)
        Start distribution.
    A : ndarray of shape (K, K)
        Transition table, rows sum to 1.
    B : ndarray of shape (K, V), Gaussian or Poisson
        Emissions; the new ones are of the same kind.
    lengths : ndarray of shape (N,), optional
        Steps of each sequence.
    var_floor : float
        Smallest variance that a Gaussian state may get, in squared units of y.

    Returns
    -------
    step : EMStep
        New parameters and the log evidence of the old ones.

    Raises
    ------
    ValueError
        If an argument does not fit, an observation is impossible, or a variance collapses.
    """
    counts = expected_counts(ys, pi, A, B, lengths)
    pi, A, emission = check_hmm(pi, A, B)
    new = _new_emission(emission, counts, var_floor)
    return EMStep(
        _rows(counts.start, pi),
        _rows(counts.transitions, A),
        new.B if isinstance(new, Categorical) else new,
        float(counts.log_evidence.sum()),
    )


def _new_emission(emission, counts, var_floor):
    seen = counts.visits > 0
    visits = np.where(seen, counts.visits, 1.0)
    if isinstance(emission, Categorical):
        return Categorical(_rows(counts.emissions, emission.B))
    if isinstance(emission, Poisson):
        rate = np.maximum(counts.emissions / visits, SMALLEST_RATE)
        return Poisson(np.where(seen, rate, emission.rate))
    first, second = counts.emissions / visits[:, None]  # moments about the old mean
    var = np.where(seen[:, None], np.maximum(second - first**2, var_floor), emission.var)
    if np.any(var <= 0):
        k, d = np.argwhere(var <= 0)[0]
        raise ValueError(
            f"the variance of state {k}, feature {d} fell to 0: the state sits on equal values, "
            "and its likelihood has no bound; give var_floor, or fewer states"
        )
    return Gaussian(emission.mean + np.where(seen[:, None], first, 0.0), var)


def baum_welch(ys, pi, A, B, lengths=None, n_iter=100, tol=1e-6, var_floor=0.0):
    """Raise the log evidence by Baum-Welch until a step gains less than ``tol`` nats.

    Parameters
    ----------
    ys, pi, A, B, lengths, var_floor
        As in :func:`em_step`; pi, A and B are where to start.
    n_iter : int
        Largest number of steps, at least 1.
    tol : float
        Stop after a step whose gain, in nats over all data, is smaller; 0 never stops early.

    Returns
    -------
    fit : Fit
        Parameters and history, which never falls.

    Raises
    ------
    ValueError
        As in :func:`em_step`.
    """
    if n_iter < 1:
        raise ValueError(f"n_iter must be at least 1, got {n_iter}")
    history, converged = [], False
    if isinstance(B, Gaussian):  # a start below the floor would have to fall
        B = Gaussian(B.mean, np.maximum(B.var, var_floor))
    for _ in range(n_iter):
        step = em_step(ys, pi, A, B, lengths, var_floor)
        _assert_not_fallen(history, step.log_evidence_before)
        history.append(step.log_evidence_before)
        pi, A, B = step.pi, step.A, step.B
        if len(history) > 1 and history[-1] - history[-2] < tol:
            converged = True
            break
    last = float(log_evidence(ys, pi, A, B, lengths).sum())
    _assert_not_fallen(history, last)
    return Fit(pi, A, B, np.array([*history, last]), converged)


def _assert_not_fallen(history, value):
    fall = history[-1] - value if history else 0.0
    assert fall <= FALL_TOLERANCE * (1 + abs(value)), f"the log evidence fell by {fall} nats"


def random_start(ys, K, kind, rng, lengths=None):
    """Draw (pi, A, B) to start from: flat Dirichlet rows; means and rates at random data."""
    ys = np.asarray(ys)
    pi, A = rng.dirichlet(np.ones(K)), rng.dirichlet(np.ones(K), K)
    if kind == "categorical":
        V = int(_inside(ys, lengths, 0).max()) + 1
        return pi, A, rng.dirichlet(np.ones(V), K)
    if kind == "poisson":
        rates = rng.choice(_inside(ys, lengths, 0), K) + rng.uniform(0.1, 0.9, K)
        return pi, A, Poisson(rates)
    if kind == "gaussian":
        data = _inside(ys, lengths, 1 if ys.ndim == 3 else 0)
        data = data.reshape(len(data), -1)
        var = np.tile(data.var(axis=0), (K, 1))
        return pi, A, Gaussian(rng.choice(data, K) + 0.01 * rng.normal(size=var.shape), var)
    raise ValueError(f"kind must be categorical, gaussian or poisson, got {kind!r}")


def _inside(ys, lengths, feature_axes):
    """All observations that are not padding, time and batch in one axis."""
    if ys.ndim == 1:
        return ys
    steps = ys.shape[1]
    keep = np.arange(steps) < np.reshape(steps if lengths is None else lengths, (-1, 1))
    return ys[np.broadcast_to(keep, ys.shape[: ys.ndim - feature_axes])]


def baum_welch_restarts(
    ys, K, kind, n_starts, rng, lengths=None, n_iter=100, tol=1e-6, var_floor=0.0
):
    """Run Baum-Welch from random starts and return every :class:`Fit`, best first.

    Parameters
    ----------
    ys, lengths, n_iter, tol, var_floor
        As in :func:`baum_welch`.
    K : int
        Number of states.
    kind : {"categorical", "gaussian", "poisson"}
        What the states show.
    n_starts : int
        Number of starts, at least 1.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    fits : tuple of Fit
        Sorted by their last log evidence, largest first.

    Raises
    ------
    ValueError
        If an argument does not fit. A start that collapses is left out; if all do, the last
        reason is raised.
    """
    fits, reason = [], None
    if n_starts < 1:
        raise ValueError(f"n_starts must be at least 1, got {n_starts}")
    for _ in range(n_starts):
        start = random_start(ys, K, kind, rng, lengths)
        try:
            fits.append(baum_welch(ys, *start, lengths, n_iter, tol, var_floor))
        except ValueError as error:
            reason = error
    if not fits:
        raise ValueError(f"no start of {n_starts} ended well; the last one: {reason}") from reason
    return tuple(sorted(fits, key=lambda fit: -fit.history[-1]))


def log_evidence_gradient(ys, pi, A, B, lengths=None):
    r"""Return the gradient of the log evidence with respect to log pi, log A and log B.

    .. math:: \partial \log p(y) / \partial \log A_{ij} = \sum_t \xi_t(i, j)

    The entries are treated as free numbers, not as rows that sum to 1: the gradient is the table
    of expected counts.

    Parameters
    ----------
    ys, pi, A, lengths
        As in :func:`em_step`.
    B : ndarray of shape (K, V)
        Categorical emissions.

    Returns
    -------
    dlog_pi : ndarray of shape (K,)
        Expected starts.
    dlog_A : ndarray of shape (K, K)
        Expected transitions.
    dlog_B : ndarray of shape (K, V)
        Expected emissions.

    Raises
    ------
    ValueError
        If an argument does not fit or the emissions are not categorical.
    """
    if not isinstance(as_emission(B), Categorical):
        raise ValueError(f"B must be categorical, got {type(B).__name__}")
    counts = expected_counts(ys, pi, A, B, lengths)
    return counts.start, counts.transitions, counts.emissions


def n_parameters(K, B):
    """Return the number of free numbers in a model of K states with emissions like ``B``."""
    emission = as_emission(B)
    if isinstance(emission, Categorical):
        free = K * (emission.B.shape[1] - 1)
    else:
        free = K if isinstance(emission, Poisson) else 2 * K * emission.mean.shape[1]
    return (K - 1) + K * (K - 1) + free


def aic(log_evidence, n_params):
    """Return Akaike's criterion; smaller is better."""
    return 2 * n_params - 2 * log_evidence


def bic(log_evidence, n_params, n_obs):
    """Return the Bayesian (Schwarz) criterion for ``n_obs`` time steps; smaller is better."""
    return n_params * np.log(n_obs) - 2 * log_evidence


def align_states(reference, other):
    """Return the order (K,) that makes the rows of ``other[order]`` closest to ``reference``."""
    reference, other = (np.asarray(x, dtype=float).reshape(len(x), -1) for x in (reference, other))
    if reference.shape != other.shape or len(reference) > LARGEST_TO_ALIGN:
        raise ValueError(
            f"reference and other must have the same shape with at most {LARGEST_TO_ALIGN} rows, "
            f"got {reference.shape} and {other.shape}"
        )
    cost = ((reference[:, None] - other[None]) ** 2).sum(axis=2)
    rows = np.arange(len(cost))
    orders = map(np.array, itertools.permutations(rows))
    return min(orders, key=lambda order: cost[rows, order].sum())
