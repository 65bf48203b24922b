r"""The Kalman filter in one dimension: a hidden Markov model whose state is a number.

.. math:: z_t = a z_{t-1} + \epsilon_t, \quad \epsilon_t \sim N(0, q), \qquad
          y_t = z_t + \eta_t, \quad \eta_t \sim N(0, r)

Everything stays Gaussian, so a belief is two numbers, a mean and a variance, and the forward
algorithm's predict, weigh and normalise become predict and correct.

Letter: T time.

References
----------
Kalman (1960), doi:10.1115/1.3662552. Our ``a`` is his transition matrix Phi, ``gain`` his Delta*
up to the factor Phi (he predicts one step ahead), ``process_var`` his Q.
"""

from dataclasses import dataclass

import numpy as np

from course_lib._checks import check_finite, check_shape
from course_lib.trace import Series, Trace


@dataclass(frozen=True, slots=True)
class KalmanParams:
    """A number that drifts and is seen through noise.

    Parameters
    ----------
    a : float
        What is left of the state after one step.
    process_var : float
        Variance q of the step, not negative, squared units of the state.
    observation_var : float
        Variance r of an observation, positive, squared units of the state.
    mean0 : float
        Mean of the first state before any observation.
    var0 : float
        Its variance, positive.

    Raises
    ------
    ValueError
        If a number is not finite, or a variance is out of range.
    """

    a: float
    process_var: float
    observation_var: float
    mean0: float = 0.0
    var0: float = 1.0

    def __post_init__(self):
        for name in self.__slots__:
            check_finite(name, check_shape(name, getattr(self, name), ()))
        if self.process_var < 0:
            raise ValueError(f"process_var must not be negative, got {self.process_var}")
        for name in ("observation_var", "var0"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} must be positive, got {getattr(self, name)}")


@dataclass(frozen=True, slots=True, eq=False)
class KalmanTrace:
    """What the filter leaves behind."""

    mean: np.ndarray  # (T,) of the state given y_{1:t}
    var: np.ndarray  # (T,)
    gain: np.ndarray  # (T,) in (0, 1): how far the mean moves towards the observation
    log_c: np.ndarray  # (T,) log density of y_t given y_{<t}, nats

    @property
    def log_evidence(self):
        """Log evidence in nats, the sum of ``log_c``."""
        return float(self.log_c.sum())

    def to_trace(self):
        """Return a :class:`~course_lib.trace.Trace` of mean, variance, gain and log density."""
        series = (
            Series("mean", self.mean),
            Series("var", self.var, low=0.0),
            Series("gain", self.gain, low=0.0, high=1.0),
            Series("log_c", self.log_c, unit="nats"),
        )
        return Trace("kalman_filter", series)


def sample_kalman(T, params, rng):
    """Draw a drifting number and its noisy observations.

    Parameters
    ----------
    T : int
        Steps, at least 1.
    params : KalmanParams
        The process.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    z : ndarray of shape (T,)
        The state.
    y : ndarray of shape (T,)
        What is seen of it.

    Raises
    ------
    ValueError
        If there is no step to draw.
    """
    if T < 1:
        raise ValueError(f"T must be at least 1, got {T}")
    steps = rng.normal(scale=np.sqrt(params.process_var), size=T)
    z = np.empty(T)
    z[0] = rng.normal(params.mean0, np.sqrt(params.var0))
    for t in range(1, T):
        z[t] = params.a * z[t - 1] + steps[t]
    return z, z + rng.normal(scale=np.sqrt(params.observation_var), size=T)


def kalman_predict(mean, var, params):
    """Return mean and variance of the next state before it is seen; floats or arrays."""
    return params.a * mean, params.a**2 * var + params.process_var


def kalman_correct(mean, var, y_t, params):
    r"""Move a prediction towards an observation.

    .. math:: k = \frac{v}{v + r}, \qquad m' = m + k (y_t - m), \qquad v' = (1 - k) v

    Parameters
    ----------
    mean, var : float or ndarray
        The prediction: mean m and variance v of the state before y_t.
    y_t : float or ndarray
        The observation.
    params : KalmanParams
        The process; r is its ``observation_var``.

    Returns
    -------
    mean, var : float or ndarray
        Of the state after y_t.
    gain : float or ndarray
        k, in [0, 1).
    """
    gain = var / (var + params.observation_var)
    return mean + gain * (y_t - mean), (1.0 - gain) * var, gain


def kalman_cell(mean, var, y_t, params):
    """Advance the belief by one observation: predict, then correct.

    Parameters
    ----------
    mean, var : float or ndarray
        Belief after time t - 1.
    y_t : float or ndarray
        Observation at time t.
    params : KalmanParams
        The process.

    Returns
    -------
    mean, var : float or ndarray
        Belief after time t.
    gain : float or ndarray
        How far the mean moved towards the observation, in [0, 1).
    """
    return kalman_correct(*kalman_predict(mean, var, params), y_t, params)


def kalman_filter(y, params):
    """Run the filter over one sequence.

    Parameters
    ----------
    y : ndarray of shape (T,)
        Observations.
    params : KalmanParams
        The process; the first state has mean ``mean0`` and variance ``var0``.

    Returns
    -------
    trace : KalmanTrace
        Mean, variance and gain after every step, and the log density of every observation.

    Raises
    ------
    ValueError
        If ``y`` is not a sequence of finite numbers.
    """
    y = check_finite("y", check_shape("y", y, (None,)))
    if len(y) == 0:
        raise ValueError("y is empty; a sequence has at least one time step")
    mean, var, gain, log_c = (np.empty(len(y)) for _ in range(4))
    predicted_mean, predicted_var = params.mean0, params.var0
    for t, y_t in enumerate(y):
        seen_var = predicted_var + params.observation_var
        log_c[t] = -0.5 * (np.log(2 * np.pi * seen_var) + (y_t - predicted_mean) ** 2 / seen_var)
        mean[t], var[t], gain[t] = kalman_correct(predicted_mean, predicted_var, y_t, params)
        predicted_mean, predicted_var = kalman_predict(mean[t], var[t], params)
    return KalmanTrace(mean, var, gain, log_c)


def steady_gain(params):
    r"""Return the gain that the filter settles at: from then on it is a linear RNN with one unit.

    The predicted variance v repeats itself, :math:`v = a^2 v r / (v + r) + q`; its positive
    solution gives :math:`k = v / (v + r)` and :math:`m_t = a (1 - k)\, m_{t-1} + k\, y_t`.

    Parameters
    ----------
    params : KalmanParams
        The process. With ``process_var`` 0 and \|a\| at most 1 the gain falls to 0.

    Returns
    -------
    gain : float
        In [0, 1).
    """
    q, r, a = params.process_var, params.observation_var, params.a
    linear = r * (1 - a**2) - q  # v^2 + linear * v - q * r = 0
    v = (-linear + np.sqrt(linear**2 + 4 * q * r)) / 2
    return float(v / (v + r))
