r"""Baum-Welch: learning a hidden Markov model when the states are not seen.

Letters: N batch, T time, K states, V symbols, D features. Data are one sequence or a padded batch
with ``lengths``, as in :mod:`course_lib.hmm_batch`.

References
----------
Baum, Petrie, Soules and Weiss (1970), doi:10.1214/aoms/1177697196.
Rabiner (1989), doi:10.1109/5.18626: our expected counts are his sums of gamma and xi.
"""

from dataclasses import dataclass

import numpy as np

from course_lib._checks import check_hmm
from course_lib.emissions import Categorical, Gaussian, Poisson
from course_lib.hmm_batch import expected_counts, log_evidence

SMALLEST_RATE = 1e-10  # a Poisson state that owns only zeros has its maximum at rate 0
FALL_TOLERANCE = 1e-9  # relative; rounding of a sum over all time steps


@dataclass(frozen=True, slots=True, eq=False)
class EMStep:
    """New parameters, and the log evidence (nats, all sequences) of the old ones."""

    pi: np.ndarray  # (K,)
    A: np.ndarray  # (K, K)
    B: object  # (K, V), Gaussian or Poisson
    log_evidence_before: float


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """Where Baum-Welch ended; ``history[n]`` is the log evidence in nats after n iterations."""

    pi: np.ndarray  # (K,)
    A: np.ndarray  # (K, K)
    B: object  # (K, V), Gaussian or Poisson
    history: np.ndarray  # (iterations + 1,)
    converged: bool


def normalised_rows(counts, old, pseudocount=0.0):
    """Return rows that sum to 1; a row without any count keeps its old values."""
    counts = counts + pseudocount
    total = counts.sum(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore"):
        return np.where(total > 0, counts / total, old)


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
        normalised_rows(counts.start, pi),
        normalised_rows(counts.transitions, A),
        new.B if isinstance(new, Categorical) else new,
        float(counts.log_evidence.sum()),
    )


def _new_emission(emission, counts, var_floor):
    """Return the emission that maximises the expected log likelihood."""
    seen = counts.visits > 0
    visits = np.where(seen, counts.visits, 1.0)
    if isinstance(emission, Categorical):
        return Categorical(normalised_rows(counts.emissions, emission.B))
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
    ys, pi, A, B, lengths : as in :func:`em_step`
        Data, and where to start.
    n_iter : int
        Largest number of steps, at least 1.
    tol : float
        Stop after a step whose gain, in nats over all data, is smaller; 0 stops only when
        nothing is gained.
    var_floor : float
        Smallest variance that a Gaussian state may get, in squared units of y. A start below it
        may lose log evidence in the first step; later steps do not.

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
        _check_monotone(history, step.log_evidence_before, var_floor)
        history.append(step.log_evidence_before)
        pi, A, B = step.pi, step.A, step.B
        if len(history) > 1 and history[-1] - history[-2] < tol:
            converged = True
            break
    last = float(log_evidence(ys, pi, A, B, lengths).sum())
    _check_monotone(history, last, var_floor)
    return Fit(pi, A, B, np.array([*history, last]), converged)


def _check_monotone(history, value, var_floor):
    """Hold Baum-Welch to its promise; only raising the start to the floor is outside of it."""
    fall = history[-1] - value if history else 0.0
    raised = var_floor > 0 and len(history) == 1
    assert raised or fall <= FALL_TOLERANCE * (1 + abs(value)), f"fell by {fall} nats"
