r"""RWKV's weighted mean of the past: an attention without queries, carried in three numbers a unit.

Every unit h keeps a mean of the values so far. A value counts by its key and fades with its age;
the newest one has a bonus u instead:

.. math::
    \mathrm{wkv}_t = \frac{\sum_{s<t} e^{-(t-1-s)\,w + k_s}\, v_s + e^{u + k_t}\, v_t}
                         {\sum_{s<t} e^{-(t-1-s)\,w + k_s} + e^{u + k_t}}, \qquad
    y_t = \sigma(r_t) \odot \mathrm{wkv}_t.

Exponentials of keys overflow, so the two sums are carried as (num, den) times :math:`e^{top}`,
where ``top`` is the largest exponent so far. Two stretches of the past combine by bringing both to
the larger top, which is associative: the scan runs it, as it runs the scaled forward algorithm.

This is the time mixing of RWKV-4 without its token shift (which mixes each input with the one
before) and without the output matrix.

Letters: N batch, T time, D input, H hidden.

References
----------
Peng et al. (2023), doi:10.48550/arXiv.2305.13048: w, u, r, k, v are theirs; num, den and top are
a', b' and p of their appendix on stability.
"""

from dataclasses import dataclass

import numpy as np

from course_lib._checks import check_finite, check_shape
from course_lib._recurrent import read_kind, read_sizes, set_weights, sigmoid
from course_lib.scan import associative_scan

NOTHING = -1e300  # exponent of an empty sum; finite, so that differences of two of them are


@dataclass(frozen=True, slots=True, eq=False)
class RWKVParams:
    """Weights of one layer of RWKV's time mixing."""

    W_r: np.ndarray  # (D, H) receptance: how much of the mean is let out
    W_k: np.ndarray  # (D, H)
    W_v: np.ndarray  # (D, H)
    w: np.ndarray  # (H,) at least 0: the logarithm of a value's weight falls by w a step
    u: np.ndarray  # (H,) bonus of the newest value

    def __post_init__(self):
        set_weights(self, W_r=(None, None))
        D, H = self.W_r.shape
        set_weights(self, W_k=(D, H), W_v=(D, H), w=(H,), u=(H,))
        if self.w.min() < 0:
            raise ValueError(f"w must not be negative, got {self.w.min()}; the past would grow")


@dataclass(frozen=True, slots=True, eq=False)
class RWKVState:
    """Two sums over the past, both divided by the exponential of ``top``."""

    num: np.ndarray  # (N, H)
    den: np.ndarray  # (N, H)
    top: np.ndarray  # (N, H)

    @property
    def nbytes(self):
        """Bytes of the three arrays."""
        return self.num.nbytes + self.den.nbytes + self.top.nbytes


def init_rwkv(D, H, rng):
    """Return random weights; the decays are spread from slow to fast over the units.

    Parameters
    ----------
    D, H : int
        Sizes of input and state.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    params : RWKVParams
        Matrices normal with variance 1/D; log w evenly from -5 to 3, u = log 0.3, the ranges of
        RWKV-4's published start.

    Raises
    ------
    ValueError
        If a size is below 1.
    """
    read_sizes(D, H)
    matrices = rng.normal(size=(3, D, H)) / np.sqrt(D)
    return RWKVParams(*matrices, np.exp(np.linspace(-5, 3, H)), np.full(H, np.log(0.3)))


def combine_faded(left, right):
    """Return two stretches of the past as one.

    Parameters
    ----------
    left : tuple of ndarray
        (fade, num, den, top) of the earlier stretch: the exponent by which anything before it
        fades while it passes, and its two sums as in RWKVState.
    right : tuple of ndarray
        Those of the later stretch.

    Returns
    -------
    both : tuple of ndarray
        Of the two together.
    """
    fade, num, den, top = left
    aged = top + right[0]
    new = np.maximum(aged, right[3])
    old_part, new_part = np.exp(aged - new), np.exp(right[3] - new)
    return (
        fade + right[0],
        num * old_part + right[1] * new_part,
        den * old_part + right[2] * new_part,
        new,
    )


def rwkv_step(x_t, state, params):
    """Read one input: answer from the past and the newest value, then let the past take it in.

    Parameters
    ----------
    x_t : ndarray of shape (N, D)
        Input at time t.
    state : RWKVState or None
        The past; None for no past.
    params : RWKVParams
        Weights.

    Returns
    -------
    y_t : ndarray of shape (N, H)
        Output.
    state : RWKVState
        After time t.

    Raises
    ------
    ValueError
        If a shape does not fit the weights, or a number is not finite.
    """
    read_kind("params", params, RWKVParams)
    x_t = check_finite("x_t", check_shape("x_t", x_t, (None, len(params.W_r))))
    state = _read_state(state, len(x_t), params)
    past = (0.0, state.num, state.den, state.top)
    k, v = x_t @ params.W_k, x_t @ params.W_v
    y_t = _answer(x_t, past, k, v, params)
    return y_t, RWKVState(*combine_faded(past, (-params.w, v, np.ones_like(v), k))[1:])


def rwkv_loop(x, params, state=None):
    """Run RWKV's time mixing over whole sequences, step by step.

    Parameters
    ----------
    x : ndarray of shape (N, T, D)
        Inputs.
    params : RWKVParams
        Weights.
    state : RWKVState, optional
        What came before; nothing if left out.

    Returns
    -------
    y : ndarray of shape (N, T, H)
        Output of every step.
    state : RWKVState
        After the last step.

    Raises
    ------
    ValueError
        If a shape does not fit the weights, or a number is not finite.
    """
    x, state = _read(x, params, state)
    y = np.empty((*x.shape[:2], len(params.w)))
    for t in range(x.shape[1]):
        y[:, t], state = rwkv_step(x[:, t], state, params)
    return y, state


def rwkv_scan(x, params, state=None):
    """Run RWKV's time mixing over whole sequences in rounds.

    Parameters
    ----------
    x : ndarray of shape (N, T, D)
        Inputs.
    params : RWKVParams
        Weights.
    state : RWKVState, optional
        What came before; nothing if left out.

    Returns
    -------
    y : ndarray of shape (N, T, H)
        Output of every step.
    state : RWKVState
        After the last step.

    Raises
    ------
    ValueError
        If a shape does not fit the weights, or a number is not finite.
    """
    x, state = _read(x, params, state)
    k, v = x @ params.W_k, x @ params.W_v
    first = (np.zeros_like(state.top), state.num, state.den, state.top)
    steps = (np.broadcast_to(-params.w, k.shape), v, np.ones_like(v), k)
    elements = tuple(
        np.concatenate([start[:, None], step], axis=1)
        for start, step in zip(first, steps, strict=True)
    )
    scanned = associative_scan(combine_faded, elements, axis=1)  # T + 1 slots, as a trace has
    y = _answer(x, [part[:, :-1] for part in scanned], k, v, params)
    return y, RWKVState(*(part[:, -1] for part in scanned[1:]))


def _answer(x, past, k, v, params):
    """Return the output for a past that does not hold the newest value yet."""
    _, num, den, _ = combine_faded(past, (0.0, v, 1.0, params.u + k))
    return sigmoid(x @ params.W_r) * num / den


def _read(x, params, state):
    read_kind("params", params, RWKVParams)
    x = check_finite("x", check_shape("x", x, (None, None, len(params.W_r))))
    if 0 in x.shape:
        raise ValueError(f"x must hold at least one sequence of one step, got shape {x.shape}")
    return x, _read_state(state, len(x), params)


def _read_state(state, N, params):
    shape = (N, len(params.w))
    if state is None:
        return RWKVState(np.zeros(shape), np.zeros(shape), np.full(shape, NOTHING))
    read_kind("state", state, RWKVState)
    for name in ("num", "den", "top"):
        check_finite(f"state.{name}", check_shape(f"state.{name}", getattr(state, name), shape))
    return state
