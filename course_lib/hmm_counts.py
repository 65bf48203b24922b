r"""Expected counts: the E-step of Baum-Welch, and the gradient of the log evidence.

Letters: N batch, T time, K states, V symbols, D features. Data as in :mod:`course_lib.hmm_batch`.

References
----------
Rabiner (1989), doi:10.1109/5.18626: sums over t of his gamma and xi.
"""

from dataclasses import dataclass

import numpy as np

from course_lib._hmm_data import read_batch
from course_lib._hmm_passes import both_passes
from course_lib.emissions import Categorical, Gaussian


@dataclass(frozen=True, slots=True, eq=False)
class Counts:
    """Expected counts of one pass over the data.

    ``emissions`` holds for categorical states the expected symbol counts (K, V), for Poisson the
    weighted sums of counts (K,), for Gaussian the weighted sums (2, K, D) of y - mean and of
    (y - mean)^2, with the mean of the parameters that were used.
    """

    start: np.ndarray  # (K,) expected starts; their sum is N
    transitions: np.ndarray  # (K, K) expected moves from i to j
    visits: np.ndarray  # (K,) expected steps in each state; their sum is the number of steps
    emissions: np.ndarray
    log_evidence: np.ndarray  # (N,) nats


def expected_counts(ys, pi, A, B, lengths=None):
    """Return the expected counts under the posterior of all sequences.

    Parameters
    ----------
    ys : ndarray of shape (N, T), (N, T, D) or (T,)
        Observations, padded at the end with anything.
    pi : ndarray of shape (K,)
        Start distribution.
    A : ndarray of shape (K, K)
        Transition table, from i to j, rows sum to 1.
    B : ndarray of shape (K, V), Gaussian or Poisson
        Emissions.
    lengths : ndarray of shape (N,), optional
        Steps of each sequence, from 1 to T; T for all if left out.

    Returns
    -------
    counts : Counts
        Starts, transitions, visits and emission statistics, summed over the sequences, and the
        log evidence (N,) in nats.

    Raises
    ------
    ValueError
        If an argument does not fit, or an observation is impossible (sequence and time named).
    """
    batch = read_batch(ys, pi, A, B, lengths)
    done = both_passes(batch, count_moves=True)
    gamma = done.gamma
    if batch.inside is not None:
        np.copyto(gamma, 0.0, where=~batch.inside[:, None])
    return Counts(
        start=gamma[0].sum(axis=1),
        transitions=batch.A * done.moves,
        visits=gamma.sum(axis=(0, 2)),
        emissions=_emission_sums(batch, gamma),
        log_evidence=done.log_evidence,
    )


def _emission_sums(batch, gamma):
    K = len(batch.pi)
    weights = gamma.transpose(1, 0, 2).reshape(K, -1)  # (K, T * N)
    y = batch.ys.swapaxes(0, 1).reshape(weights.shape[1], -1)  # (T * N, 1) or (T * N, D)
    if isinstance(batch.emission, Categorical):
        V = batch.emission.B.shape[1]
        return np.stack([np.bincount(y[:, 0], row, minlength=V) for row in weights])
    if isinstance(batch.emission, Gaussian):
        centred = y - batch.emission.mean[:, None]  # (K, T * N, D)
        first = np.einsum("kn,knd->kd", weights, centred)
        return np.stack([first, np.einsum("kn,knd->kd", weights, centred**2)])
    return weights @ y[:, 0]
