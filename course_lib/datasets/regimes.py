r"""A series that switches between regimes: calm and turbulent days, seen only by their returns.

Each day the market is in a hidden regime; the day's return is Gaussian with the mean and the
variance of the regime. The numbers are chosen, not fitted: calm spells last 100 days on average,
turbulent ones 20, and a turbulent day moves about three times as far. Because the regimes differ in
spread and hardly in mean, a small return proves little and a large one much.

What is observed is a real number, so the belief cannot be followed on a grid as for symbols
(:mod:`course_lib.belief_bounds`), and the levels are measured on a long run, with their errors. The
*differential* entropy rate may be negative and depends on the unit of the returns: a model's mean
-log density per day cannot be below it.

Regime switching in this sense is from Hamilton (1989), doi:10.2307/1912559; his growth rates also
depend on their own past, ours do not.

Letters: n sequences, T time, K states.
"""

from dataclasses import dataclass

import numpy as np

from course_lib._checks import check_finite, check_hmm, check_shape
from course_lib.datasets.task import at_least
from course_lib.emissions import Gaussian, log_likelihood
from course_lib.hmm_batch import filter_batch, smooth_batch
from course_lib.markov import sample_chain
from course_lib.stationary import stationary_distribution


@dataclass(frozen=True, slots=True, eq=False)
class Regimes:
    """A hidden Markov model that shows one real number a step; it starts stationary.

    Parameters
    ----------
    A : ndarray of shape (K, K)
        Transition table, from i to j, rows sum to 1; with one closed class.
    emission : Gaussian
        Mean and variance of each of the K states, one feature.
    states : tuple of str
        Names of the K states.

    Raises
    ------
    ValueError
        If shapes do not fit, or A has no single stationary distribution.
    """

    A: np.ndarray  # (K, K)
    emission: Gaussian
    states: tuple[str, ...]

    def __post_init__(self):
        A = np.array(self.A, dtype=float)
        check_hmm(stationary_distribution(A), A, self.emission)
        if not isinstance(self.emission, Gaussian) or self.emission.mean.shape[1] != 1:
            raise ValueError("emission must be Gaussian with one feature; see emissions.Gaussian")
        if len(self.states) != len(A):
            raise ValueError(f"states must hold {len(A)} names, got {self.states}")
        A.setflags(write=False)  # shared by everybody
        object.__setattr__(self, "A", A)

    @property
    def pi(self):
        """Share of time in each state (K,), which is the start distribution too."""
        return stationary_distribution(self.A)

    @property
    def model(self):
        """The three parts (pi, A, emission), as the functions of the library take them."""
        return self.pi, self.A, self.emission


MARKET = Regimes(
    A=np.array([[0.99, 0.01], [0.05, 0.95]]),
    emission=Gaussian(mean=np.array([0.05, -0.1]), var=np.array([0.7, 2.0]) ** 2),  # per cent
    states=("calm", "turbulent"),
)


def sample_regimes(regimes, n, T, rng):
    """Draw sequences of hidden regimes and the numbers they show.

    Parameters
    ----------
    regimes : Regimes
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
        Numbers, in the unit of the means; for ``MARKET`` per cent.

    Raises
    ------
    ValueError
        If a number is too small.
    """
    n, T = at_least("n", n, 1), at_least("T", T, 1)
    z = np.stack([sample_chain(T, regimes.pi, regimes.A, rng) for _ in range(n)])
    mean, var = regimes.emission.mean[:, 0], regimes.emission.var[:, 0]
    return z, rng.normal(mean[z], np.sqrt(var[z]))


def regime_beliefs(regimes, ys):
    """Return the belief after every number, by the exact filter.

    Parameters
    ----------
    regimes : Regimes
        Where the numbers come from.
    ys : ndarray of shape (n, T)
        Numbers, finite.

    Returns
    -------
    beliefs : ndarray of shape (n, T, K)
        p(z_t | y_1, ..., y_t), rows sum to 1.

    Raises
    ------
    ValueError
        If ``ys`` is no such array.
    """
    ys = check_finite("ys", check_shape("ys", ys, (None, None)))
    return filter_batch(ys, *regimes.model)[0]


def regime_levels(regimes, T, rng, batches=100):
    r"""Measure how well the regime can be guessed and the next number predicted, on a long run.

    The accuracies are means of the guesser's own probability of being right,
    max_k p(z_t = k | seen), which has the mean of counting right guesses and less noise. The
    entropy rate is the mean of :math:`-\log p(y_t \mid y_1, \ldots, y_{t-1})`, measured as the
    entropy of :math:`y_t` for one who knows :math:`z_t`, which is exact, plus the mean of
    :math:`\log p(y_t \mid z_t) - \log p(y_t \mid y_1, \ldots, y_{t-1})`: the same number with less
    noise, for how long the run is in which regime no longer counts.

    Neighbouring steps depend on each other, so the standard errors are those of *batch means*: the
    run is cut into batches, whose means are nearly independent if a batch is much longer than a
    regime lasts, and the spread of these means gives the error. Regimes that last about as long as
    T / batches make it too small.

    Parameters
    ----------
    regimes : Regimes
        Where the numbers come from.
    T : int
        Steps of the run; a multiple of ``batches``.
    rng : numpy.random.Generator
        Source of randomness.
    batches : int, default=100
        Number of batches, at least 2.

    Returns
    -------
    levels : dict of str to tuple of float
        (mean, standard error) of "majority" (share of steps right if the most frequent state is
        always named; exact), "one step" (from y_t alone), "filter" (y_1 to y_t), "smoother" (all),
        and of "entropy rate" (differential, nats per step).

    Raises
    ------
    ValueError
        If there are not at least two batches of equal length.
    """
    batches = at_least("batches", batches, 2)
    T = at_least("T", T, batches)
    if T % batches:
        raise ValueError(f"T must be a multiple of batches = {batches}, got {T}")
    pi, A, emission = regimes.model
    z, y = sample_regimes(regimes, 1, T, rng)
    log_b = log_likelihood(y[0], emission)  # (T, K)
    alpha = filter_batch(y, pi, A, emission)[0][0]
    prior = np.vstack([pi, alpha[:-1] @ A])  # p(z_t | y_1, ..., y_{t-1})
    known = float(pi @ (0.5 * np.log(2 * np.pi * np.e * emission.var[:, 0])))  # h(y_t | z_t)
    steps = {
        "one step": _posterior(np.broadcast_to(pi, log_b.shape), log_b)[0].max(axis=1),
        "filter": alpha.max(axis=1),
        "smoother": smooth_batch(y, pi, A, emission)[0].max(axis=1),
        "entropy rate": known + log_b[np.arange(T), z[0]] - _posterior(prior, log_b)[1],
    }
    levels = {"majority": (float(pi.max()), 0.0)}
    for name, each in steps.items():
        means = each.reshape(batches, -1).mean(axis=1)
        levels[name] = (float(means.mean()), float(means.std(ddof=1) / np.sqrt(batches)))
    return levels


def _posterior(prior, log_b):
    """Bayes' rule at every step: posterior (T, K) and log density of what was seen (T,)."""
    with np.errstate(divide="ignore"):  # log(0) = -inf is the right answer
        log_joint = np.log(prior) + log_b
    log_c = np.logaddexp.reduce(log_joint, axis=1)
    return np.exp(log_joint - log_c[:, None]), log_c
