r"""What a state shows: categorical, Gaussian and Poisson emissions.

Letters: N batch, T time, K states, V symbols, D features.
"""

from dataclasses import dataclass
from math import lgamma

import numpy as np

from course_lib._checks import (
    check_distribution,
    check_finite,
    check_shape,
    check_symbols,
)


@dataclass(frozen=True, slots=True)
class Categorical:
    """Symbols: ``B[k, v]`` is the probability that state k shows symbol v.

    Parameters
    ----------
    B : ndarray of shape (K, V)
        Emission probabilities, rows sum to 1.
    """

    B: np.ndarray  # (K, V)

    def __post_init__(self):
        B = check_distribution("B", check_shape("B", self.B, (None, None)))
        object.__setattr__(self, "B", B)

    @property
    def n_states(self):
        """Number of states K."""
        return len(self.B)


@dataclass(frozen=True, slots=True)
class Gaussian:
    """Real values with independent features: state k has mean and variance per feature.

    Parameters
    ----------
    mean : ndarray of shape (K, D) or (K,)
        Means; (K,) is read as D = 1.
    var : ndarray of shape (K, D) or (K,)
        Variances, positive.
    """

    mean: np.ndarray  # (K, D)
    var: np.ndarray  # (K, D)

    def __post_init__(self):
        mean, var = check_finite("mean", self.mean), check_finite("var", self.var)
        mean = mean[:, None] if mean.ndim == 1 else check_shape("mean", mean, (None, None))
        var = var[:, None] if var.ndim == 1 else var
        check_shape("var", var, mean.shape)
        if np.any(var <= 0):
            k, d = np.argwhere(var <= 0)[0]
            raise ValueError(
                f"var must be positive, got {var[k, d]} for state {k}, feature {d}; "
                "use a variance floor"
            )
        object.__setattr__(self, "mean", mean)
        object.__setattr__(self, "var", var)

    @property
    def n_states(self):
        """Number of states K."""
        return len(self.mean)


@dataclass(frozen=True, slots=True)
class Poisson:
    """Counts: state k shows a Poisson number with mean ``rate[k]``.

    Parameters
    ----------
    rate : ndarray of shape (K,)
        Expected counts per step, positive.
    """

    rate: np.ndarray  # (K,)

    def __post_init__(self):
        rate = check_finite("rate", check_shape("rate", self.rate, (None,)))
        if np.any(rate <= 0):
            k = int(np.argmax(rate <= 0))
            raise ValueError(
                f"rate must be positive, got {rate[k]} for state {k}; "
                "use a small rate for a state that shows only zeros"
            )
        object.__setattr__(self, "rate", rate)

    @property
    def n_states(self):
        """Number of states K."""
        return len(self.rate)


def as_emission(B):
    """Return an emission: an array (K, V) means :class:`Categorical`, others pass through."""
    return B if isinstance(B, Categorical | Gaussian | Poisson) else Categorical(B)


def check_observations(name, y, emission):
    """Return the observations in the kind of number that the emission wants.

    Parameters
    ----------
    name : str
        Name of the argument, for the message.
    y : ndarray of shape (T,), (N, T), (T, D) or (N, T, D)
        Observations.
    emission : Categorical, Gaussian or Poisson
        What each state shows.

    Returns
    -------
    y : ndarray of shape (T,), (N, T), (T, D) or (N, T, D)
        Integers for symbols, else float64.

    Raises
    ------
    ValueError
        If an observation is out of range, not finite or of another kind, or there is none.
    """
    if isinstance(emission, Categorical):
        return check_symbols(name, y, emission.B.shape[1])
    y = check_finite(name, y)
    if y.size == 0:
        raise ValueError(f"{name} is empty; a sequence has at least one time step")
    if isinstance(emission, Poisson) and np.any((y < 0) | (y != np.round(y))):
        index = tuple(int(i) for i in np.argwhere((y < 0) | (y != np.round(y)))[0])
        where = f"t={index[0]}" if len(index) == 1 else f"sequence {index[0]}, t={index[1]}"
        raise ValueError(
            f"{name} must hold counts (0, 1, 2, ...), got {y[index]} at {where}; "
            "use Gaussian for other numbers"
        )
    return y


def log_likelihood(y, emission):
    r"""Return the log probability (density) of each observation under each state.

    Parameters
    ----------
    y : ndarray of shape (T,), (N, T), (T, D) or (N, T, D)
        Observations; with D > 1 the last axis holds the features.
    emission : Categorical, Gaussian, Poisson or ndarray of shape (K, V)
        What each state shows.

    Returns
    -------
    log_b : ndarray of shape (T, K) or (N, T, K)
        Nats; ``-inf`` where a state cannot show the observation.

    Raises
    ------
    ValueError
        If an observation is out of range, not finite or of another kind.
    """
    emission = as_emission(emission)
    y = check_observations("y", y, emission)
    if isinstance(emission, Categorical):
        with np.errstate(divide="ignore"):
            return np.log(emission.B.T)[y]
    if isinstance(emission, Poisson):
        log_factorial = np.vectorize(lgamma, otypes=[float])(y + 1.0)
        return y[..., None] * np.log(emission.rate) - emission.rate - log_factorial[..., None]
    D = emission.mean.shape[1]
    y = y[..., None] if y.shape[-1] != D or y.ndim == 1 else y  # (..., D)
    if y.shape[-1] != D:
        raise ValueError(f"y must have {D} features in its last axis, got shape {y.shape}")
    z2 = (y[..., None, :] - emission.mean) ** 2 / emission.var  # (..., K, D)
    return -0.5 * (z2 + np.log(2 * np.pi * emission.var)).sum(axis=-1)


def sample_emission(state, emission, rng):
    """Draw one observation of ``state``: an int, a float, or an array (D,).

    Parameters
    ----------
    state : int
        From 0 to K - 1.
    emission : Categorical, Gaussian, Poisson or ndarray of shape (K, V)
        What each state shows.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    y : int, float or ndarray of shape (D,)
        The observation.
    """
    emission = as_emission(emission)
    if isinstance(emission, Categorical):
        return int(rng.choice(emission.B.shape[1], p=emission.B[state] / emission.B[state].sum()))
    if isinstance(emission, Poisson):
        return int(rng.poisson(emission.rate[state]))
    draw = rng.normal(emission.mean[state], np.sqrt(emission.var[state]))
    return float(draw[0]) if len(draw) == 1 else draw
