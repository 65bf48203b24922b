r"""minGRU and minLSTM: gated cells whose gates look at the input only, so that a scan can run them.

Cut every arrow from the state to a gate and to the candidate, and what is left is linear in the
state:

.. math:: h_t = k_t \odot h_{t-1} + w_t \odot \tilde h_t, \qquad \tilde h_t = x_t W_n + b_n.

The minGRU has one gate :math:`z_t = \sigma(x_t W_z + b_z)`, with k = 1 - z and w = z where
``update="write"``, with k = z and w = 1 - z where ``update="keep"``.
Feng et al. write (z is how much is written); our GRU of chapter 8 keeps (z is how much is kept).
The two are the same cell with the signs of W_z and b_z turned. The minLSTM has two gates f and i,
divided by their sum so that what is kept and what is written add up to 1 here as well:

.. math:: h_t = \frac{f_t}{f_t + i_t} \odot h_{t-1} + \frac{i_t}{f_t + i_t} \odot \tilde h_t.

The paper's cells have no bias; ours have one, which at 0 is theirs. Its candidate is linear, as
here, or made positive for a scan in logarithms; nothing here needs logarithms, because k and w are
between 0 and 1 and their products only fade.

Letters: N batch, T time, D input, H hidden.

References
----------
Feng et al. (2024), "Were RNNs all we needed?", doi:10.48550/arXiv.2410.01201. Their Linear_z and
Linear_h are our W_z and W_n; their f and i with a prime are the divided gates.
"""

from dataclasses import dataclass

import numpy as np

from course_lib._checks import check_finite, check_shape
from course_lib._recurrent import read_kind, read_sizes, read_state, set_weights, sigmoid
from course_lib.scan import linear_scan

UPDATES = ("write", "keep")


@dataclass(frozen=True, slots=True, eq=False)
class MinGRUParams:
    """Weights of a minGRU, and what its gate means."""

    W_z: np.ndarray  # (D, H) gate
    W_n: np.ndarray  # (D, H) candidate
    b_z: np.ndarray  # (H,)
    b_n: np.ndarray  # (H,)
    update: str = "write"  # or "keep"

    def __post_init__(self):
        set_weights(self, W_z=(None, None))
        D, H = self.W_z.shape
        set_weights(self, W_n=(D, H), b_z=(H,), b_n=(H,))
        if self.update not in UPDATES:
            raise ValueError(f"update must be 'write' or 'keep', got {self.update!r}")


@dataclass(frozen=True, slots=True, eq=False)
class MinLSTMParams:
    """Weights of a minLSTM: forget gate, input gate, candidate."""

    W_f: np.ndarray  # (D, H)
    W_i: np.ndarray  # (D, H)
    W_n: np.ndarray  # (D, H)
    b_f: np.ndarray  # (H,)
    b_i: np.ndarray  # (H,)
    b_n: np.ndarray  # (H,)

    def __post_init__(self):
        set_weights(self, W_f=(None, None))
        D, H = self.W_f.shape
        set_weights(self, W_i=(D, H), W_n=(D, H), b_f=(H,), b_i=(H,), b_n=(H,))


def init_min_gru(D, H, rng, update="write"):
    """Return random weights of a minGRU; the gates start near one half.

    Parameters
    ----------
    D, H : int
        Sizes of input and state.
    rng : numpy.random.Generator
        Source of randomness.
    update : {"write", "keep"}
        What the gate means.

    Returns
    -------
    params : MinGRUParams
        Uniform in (-1/sqrt(D), 1/sqrt(D)), biases 0.

    Raises
    ------
    ValueError
        If a size is below 1, or the convention is unknown.
    """
    read_sizes(D, H)
    W_z, W_n = rng.uniform(-1, 1, size=(2, D, H)) / np.sqrt(D)
    return MinGRUParams(W_z, W_n, np.zeros(H), np.zeros(H), update)


def init_min_lstm(D, H, rng):
    """Return random weights of a minLSTM; what is kept and what is written start near one half.

    Parameters
    ----------
    D, H : int
        Sizes of input and state.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    params : MinLSTMParams
        Uniform in (-1/sqrt(D), 1/sqrt(D)), biases 0.

    Raises
    ------
    ValueError
        If a size is below 1.
    """
    read_sizes(D, H)
    weights = rng.uniform(-1, 1, size=(3, D, H)) / np.sqrt(D)
    return MinLSTMParams(*weights, *np.zeros((3, H)))


def min_gates(x, params):
    r"""Return what a minimal cell does with its state, for all steps at once.

    .. math:: h_t = k_t \odot h_{t-1} + w_t \odot \tilde h_t

    Parameters
    ----------
    x : ndarray of shape (..., D)
        Inputs.
    params : MinGRUParams or MinLSTMParams
        Weights.

    Returns
    -------
    keep, write, candidate : ndarray of shape (..., H)
        k and w, both in [0, 1] with sum 1, and the candidate.
    """
    candidate = x @ params.W_n + params.b_n
    if isinstance(params, MinGRUParams):
        toward_keep = x @ params.W_z + params.b_z
        if params.update == "write":
            toward_keep = -toward_keep
    else:
        # log f - log i: f / (f + i) would be 0 / 0 where both gates are shut.
        toward_keep = np.logaddexp(0.0, -(x @ params.W_i + params.b_i)) - np.logaddexp(
            0.0, -(x @ params.W_f + params.b_f)
        )
    return sigmoid(toward_keep), sigmoid(-toward_keep), candidate


def min_gru_step(x_t, h_prev, params):
    """Advance a minGRU by one step.

    Parameters
    ----------
    x_t : ndarray of shape (N, D)
        Input at time t.
    h_prev : ndarray of shape (N, H)
        State after time t - 1.
    params : MinGRUParams
        Weights.

    Returns
    -------
    y_t, h_t : ndarray of shape (N, H)
        Output and state, the same array: a minGRU shows its state.

    Raises
    ------
    ValueError
        If a shape does not fit the weights, or a number is not finite.
    """
    read_kind("params", params, MinGRUParams)
    return _step(x_t, h_prev, params)


def min_gru_loop(x, params, h0=None):
    """Run a minGRU over whole sequences, step by step.

    Parameters
    ----------
    x : ndarray of shape (N, T, D)
        Inputs.
    params : MinGRUParams
        Weights.
    h0 : ndarray of shape (N, H), optional
        State before the first step; zeros if left out.

    Returns
    -------
    y : ndarray of shape (N, T, H)
        State after every step.
    h : ndarray of shape (N, H)
        The last of them.

    Raises
    ------
    ValueError
        If a shape does not fit the weights, or a number is not finite.
    """
    read_kind("params", params, MinGRUParams)
    return _loop(x, params, h0)


def min_gru_scan(x, params, h0=None):
    """Run a minGRU over whole sequences in rounds; arguments and results as `min_gru_loop`.

    Parameters
    ----------
    x : ndarray of shape (N, T, D)
        Inputs.
    params : MinGRUParams
        Weights.
    h0 : ndarray of shape (N, H), optional
        State before the first step; zeros if left out.

    Returns
    -------
    y : ndarray of shape (N, T, H)
        State after every step.
    h : ndarray of shape (N, H)
        The last of them.

    Raises
    ------
    ValueError
        If a shape does not fit the weights, or a number is not finite.
    """
    read_kind("params", params, MinGRUParams)
    return _scan(x, params, h0)


def min_lstm_step(x_t, h_prev, params):
    """Advance a minLSTM by one step.

    Parameters
    ----------
    x_t : ndarray of shape (N, D)
        Input at time t.
    h_prev : ndarray of shape (N, H)
        State after time t - 1.
    params : MinLSTMParams
        Weights.

    Returns
    -------
    y_t, h_t : ndarray of shape (N, H)
        Output and state, the same array: the output gate went with the state's arrows.

    Raises
    ------
    ValueError
        If a shape does not fit the weights, or a number is not finite.
    """
    read_kind("params", params, MinLSTMParams)
    return _step(x_t, h_prev, params)


def min_lstm_loop(x, params, h0=None):
    """Run a minLSTM over whole sequences, step by step.

    Parameters
    ----------
    x : ndarray of shape (N, T, D)
        Inputs.
    params : MinLSTMParams
        Weights.
    h0 : ndarray of shape (N, H), optional
        State before the first step; zeros if left out.

    Returns
    -------
    y : ndarray of shape (N, T, H)
        State after every step.
    h : ndarray of shape (N, H)
        The last of them.

    Raises
    ------
    ValueError
        If a shape does not fit the weights, or a number is not finite.
    """
    read_kind("params", params, MinLSTMParams)
    return _loop(x, params, h0)


def min_lstm_scan(x, params, h0=None):
    """Run a minLSTM over whole sequences in rounds; arguments and results as `min_lstm_loop`.

    Parameters
    ----------
    x : ndarray of shape (N, T, D)
        Inputs.
    params : MinLSTMParams
        Weights.
    h0 : ndarray of shape (N, H), optional
        State before the first step; zeros if left out.

    Returns
    -------
    y : ndarray of shape (N, T, H)
        State after every step.
    h : ndarray of shape (N, H)
        The last of them.

    Raises
    ------
    ValueError
        If a shape does not fit the weights, or a number is not finite.
    """
    read_kind("params", params, MinLSTMParams)
    return _scan(x, params, h0)


def _step(x_t, h_prev, params):
    D, H = params.W_n.shape
    x_t = check_finite("x_t", check_shape("x_t", x_t, (None, D)))
    h_prev = check_finite("h_prev", check_shape("h_prev", h_prev, (len(x_t), H)))
    keep, write, candidate = min_gates(x_t, params)
    h_t = keep * h_prev + write * candidate
    return h_t, h_t


def _loop(x, params, h0):
    x, h = _read(x, params, h0)
    y = np.empty((*x.shape[:2], h.shape[1]))
    for t in range(x.shape[1]):
        y[:, t], h = _step(x[:, t], h, params)
    return y, h


def _scan(x, params, h0):
    x, h0 = _read(x, params, h0)
    keep, write, candidate = min_gates(x, params)
    y = linear_scan(keep, write * candidate, h0)
    return y, y[:, -1]


def _read(x, params, h0):
    D, H = params.W_n.shape
    x = check_finite("x", check_shape("x", x, (None, None, D)))
    if 0 in x.shape:
        raise ValueError(f"x must hold at least one sequence of one step, got shape {x.shape}")
    return x, read_state("h0", h0, len(x), H)
