r"""Choosing a hidden Markov model: restarts, the price of parameters, names of states.

Letters: N batch, T time, K states, V symbols, D features. Data are one sequence or a padded batch
with ``lengths``, as in :mod:`course_lib.hmm_batch`.

References
----------
Akaike (1974), doi:10.1109/TAC.1974.1100705: our ``n_params`` is his k.
Schwarz (1978), doi:10.1214/aos/1176344136: his criterion times -2.
"""

import itertools

import numpy as np

from course_lib.emissions import Categorical, Gaussian, Poisson, as_emission
from course_lib.hmm_em import baum_welch

LARGEST_TO_ALIGN = 8  # 8! permutations are tried


def random_start(ys, K, kind, rng, lengths=None):
    """Draw parameters to start from: flat Dirichlet rows, means and rates at random data.

    Parameters
    ----------
    ys : ndarray of shape (T,), (N, T) or (N, T, D)
        Observations, padded at the end.
    K : int
        Number of states, at least 1.
    kind : {"categorical", "gaussian", "poisson"}
        What the states show.
    rng : numpy.random.Generator
        Source of randomness.
    lengths : ndarray of shape (N,), optional
        Steps of each sequence.

    Returns
    -------
    pi : ndarray of shape (K,)
        Start distribution.
    A : ndarray of shape (K, K)
        Transition table.
    B : ndarray of shape (K, V), Gaussian or Poisson
        Emissions; V is the largest symbol that occurs, plus 1.

    Raises
    ------
    ValueError
        If the kind is not known, or K is below 1.
    """
    if K < 1:
        raise ValueError(f"K must be at least 1, got {K}")
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
        var = data.var(axis=0)
        var = np.tile(np.where(var > 0, var, 1.0), (K, 1))  # constant data have none
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
    """Run Baum-Welch from random starts, as it finds only the nearest top.

    Parameters
    ----------
    ys : ndarray of shape (T,), (N, T) or (N, T, D)
        Observations, padded at the end.
    K : int
        Number of states.
    kind : {"categorical", "gaussian", "poisson"}
        What the states show.
    n_starts : int
        Number of starts, at least 1.
    rng : numpy.random.Generator
        Source of randomness.
    lengths, n_iter, tol, var_floor : as in :func:`~course_lib.hmm_learning.baum_welch`
        Passed on.

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
    """Find which state of one model is which state of another.

    Parameters
    ----------
    reference : ndarray of shape (K,) or (K, V)
        What the states of one model show: a table B, means or rates.
    other : ndarray of shape (K,) or (K, V)
        The same of another model.

    Returns
    -------
    order : ndarray of shape (K,)
        The order that brings ``other[order]`` closest to ``reference``, in squared distance.

    Raises
    ------
    ValueError
        If the shapes differ, or there are more than 8 states.
    """
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
