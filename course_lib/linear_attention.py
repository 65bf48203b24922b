r"""Linear attention: attention without the softmax, a recurrence whose state is a matrix.

Softmax attention weighs value s for query t by :math:`e^{q_t \cdot k_s}`. Put a product of features
in its place, :math:`\phi(q_t) \cdot \phi(k_s)` with :math:`\phi > 0`, and the sum over the past
can be carried instead of done again:

.. math::
    y_t = \frac{\sum_{s \le t} (\phi(q_t) \cdot \phi(k_s))\, v_s}
               {\sum_{s \le t} \phi(q_t) \cdot \phi(k_s)}
        = \frac{\phi(q_t)\, S_t}{\phi(q_t) \cdot z_t}, \qquad
    S_t = S_{t-1} + \phi(k_t)^\top v_t, \quad z_t = z_{t-1} + \phi(k_t).

The state (S, z) has E (E_v + 1) numbers however long the past is. With a decay below 1, which the
paper does not have, S and z are multiplied by it before each step, and the past fades.

Letters: N batch, T time, D input, E width of queries and keys, E_v width of values.

References
----------
Katharopoulos et al. (2020), "Transformers are RNNs", doi:10.48550/arXiv.2006.16236: their s is our
S, their z and phi (elu + 1) are ours. The decay: Sun et al. (2023), doi:10.48550/arXiv.2307.08621.
"""

from dataclasses import dataclass

import numpy as np

from course_lib._checks import check_finite, check_shape
from course_lib._recurrent import read_kind, set_weights
from course_lib.scan import linear_scan

SMALLEST = np.finfo(float).tiny  # a sum below it has underflowed: the answer fades to 0


@dataclass(frozen=True, slots=True, eq=False)
class LinearAttentionParams:
    """Weights of one head of linear attention."""

    W_q: np.ndarray  # (D, E)
    W_k: np.ndarray  # (D, E)
    W_v: np.ndarray  # (D, E_v)
    decay: float = 1.0  # in (0, 1]: what a step leaves of the past

    def __post_init__(self):
        set_weights(self, W_q=(None, None), W_v=(None, None))
        D, E = self.W_q.shape
        set_weights(self, W_k=(D, E), W_v=(D, None))
        if not 0 < self.decay <= 1:
            raise ValueError(f"decay must be above 0 and at most 1, got {self.decay}")


@dataclass(frozen=True, slots=True, eq=False)
class LinearAttentionState:
    """All that is carried about the past: two sums over it."""

    S: np.ndarray  # (N, E, E_v) sum of features of keys times values
    z: np.ndarray  # (N, E) sum of features of keys

    @property
    def nbytes(self):
        """Bytes of the two arrays."""
        return self.S.nbytes + self.z.nbytes


def init_linear_attention(D, E, E_v, rng):
    """Return random weights of one head.

    Parameters
    ----------
    D, E, E_v : int
        Sizes of the input, of queries and keys, and of values.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    params : LinearAttentionParams
        Normal with variance 1/D, no decay.

    Raises
    ------
    ValueError
        If a size is below 1.
    """
    if min(D, E, E_v) < 1:
        raise ValueError(f"D, E and E_v must be at least 1, got {D}, {E} and {E_v}")
    W_q, W_k = rng.normal(size=(2, D, E)) / np.sqrt(D)
    return LinearAttentionParams(W_q, W_k, rng.normal(size=(D, E_v)) / np.sqrt(D))


def positive_features(x):
    """Return elu(x) + 1: x + 1 where x is positive, exp(x) elsewhere; always above 0.

    Parameters
    ----------
    x : ndarray of any shape
        Queries or keys.

    Returns
    -------
    features : ndarray of the same shape
        At least 0; exactly 0 only where exp(x) underflows.
    """
    x = np.asarray(x, dtype=float)
    return np.where(x > 0, x + 1.0, np.exp(np.minimum(x, 0.0)))


def linear_attention_step(x_t, state, params):
    """Read one input, and answer its query from the state.

    Parameters
    ----------
    x_t : ndarray of shape (N, D)
        Input at time t.
    state : LinearAttentionState or None
        The past; None for no past.
    params : LinearAttentionParams
        Weights.

    Returns
    -------
    y_t : ndarray of shape (N, E_v)
        Weighted mean of the values so far, the newest included.
    state : LinearAttentionState
        After time t.

    Raises
    ------
    ValueError
        If a shape does not fit the weights, or a number is not finite.
    """
    read_kind("params", params, LinearAttentionParams)
    x_t = check_finite("x_t", check_shape("x_t", x_t, (None, len(params.W_q))))
    state = _read_state(state, len(x_t), params)
    query, key, v = _features(x_t, params)
    S = params.decay * state.S + key[:, :, None] * v[:, None, :]  # (N, E, E_v)
    z = params.decay * state.z + key
    return _answer(query, S, z), LinearAttentionState(S, z)


def linear_attention_loop(x, params, state=None):
    """Run linear attention over whole sequences as a recurrence, step by step.

    Parameters
    ----------
    x : ndarray of shape (N, T, D)
        Inputs.
    params : LinearAttentionParams
        Weights.
    state : LinearAttentionState, optional
        What came before; nothing if left out.

    Returns
    -------
    y : ndarray of shape (N, T, E_v)
        Output of every step.
    state : LinearAttentionState
        After the last step.

    Raises
    ------
    ValueError
        If a shape does not fit the weights, or a number is not finite.
    """
    x, state = _read(x, params, state)
    y = np.empty((*x.shape[:2], params.W_v.shape[1]))
    for t in range(x.shape[1]):
        y[:, t], state = linear_attention_step(x[:, t], state, params)
    return y, state


def linear_attention_scan(x, params, state=None):
    """Run linear attention over whole sequences in rounds: the sums S and z by the scan.

    Needs memory for T matrices (E, E_v + 1); the loop needs one, `linear_attention_masked` none.

    Parameters
    ----------
    x : ndarray of shape (N, T, D)
        Inputs.
    params : LinearAttentionParams
        Weights.
    state : LinearAttentionState, optional
        What came before; nothing if left out.

    Returns
    -------
    y : ndarray of shape (N, T, E_v)
        Output of every step.
    state : LinearAttentionState
        After the last step.

    Raises
    ------
    ValueError
        If a shape does not fit the weights, or a number is not finite.
    """
    x, state = _read(x, params, state)
    query, key, v = _features(x, params)
    S = linear_scan(params.decay, key[..., :, None] * v[..., None, :], state.S)  # (N, T, E, E_v)
    z = linear_scan(params.decay, key, state.z)
    return _answer(query, S, z), LinearAttentionState(S[:, -1], z[:, -1])


def linear_attention_masked(x, params):
    """Run linear attention as attention: all T times T weights, those of the future masked.

    Parameters
    ----------
    x : ndarray of shape (N, T, D)
        Inputs.
    params : LinearAttentionParams
        Weights.

    Returns
    -------
    y : ndarray of shape (N, T, E_v)
        Output of every step; the same numbers as from the recurrence.
    weights : ndarray of shape (N, T, T)
        How much each step looks at each: rows sum to 1, 0 above the diagonal.

    Raises
    ------
    ValueError
        If a shape does not fit the weights, or a number is not finite.
    """
    x, _ = _read(x, params, None)
    query, key, v = _features(x, params)
    T = x.shape[1]
    age = np.arange(T)[:, None] - np.arange(T)  # (T, T) how long ago
    faded = np.where(age >= 0, params.decay ** np.maximum(age, 0), 0.0)
    weights = query @ key.swapaxes(1, 2) * faded
    weights /= np.maximum(weights.sum(axis=2, keepdims=True), SMALLEST)
    return weights @ v, weights


def _features(x, params):
    return positive_features(x @ params.W_q), positive_features(x @ params.W_k), x @ params.W_v


def _answer(query, S, z):
    """Return query S / (query . z) for queries (..., E), S (..., E, E_v), z (..., E)."""
    total = np.maximum((query * z).sum(axis=-1, keepdims=True), SMALLEST)
    return (query[..., None, :] @ S)[..., 0, :] / total


def _read(x, params, state):
    read_kind("params", params, LinearAttentionParams)
    x = check_finite("x", check_shape("x", x, (None, None, len(params.W_q))))
    if 0 in x.shape:
        raise ValueError(f"x must hold at least one sequence of one step, got shape {x.shape}")
    return x, _read_state(state, len(x), params)


def _read_state(state, N, params):
    E, E_v = params.W_q.shape[1], params.W_v.shape[1]
    if state is None:
        return LinearAttentionState(np.zeros((N, E, E_v)), np.zeros((N, E)))
    read_kind("state", state, LinearAttentionState)
    check_finite("state.S", check_shape("state.S", state.S, (N, E, E_v)))
    check_finite("state.z", check_shape("state.z", state.z, (N, E)))
    return state
