r"""Multi-head attention: several small attentions side by side, each with its own question.

.. math::
    q = x W_q + b_q, \quad k = m W_k + b_k, \quad v = m W_v + b_v, \qquad
    y = [c^{(1)}; \dots; c^{(heads)}]\, W_o + b_o

``m`` is the memory that is looked at: ``x`` itself (self-attention) or another sequence (cross
attention). Head number i works on columns i E to (i + 1) E of q, k and v, with E = M / n_heads: it
is one more sequence of the batch for :func:`~course_lib.attention.attend`, nothing else.

Letters: N batch, T target (query) time, S source (key) time, M model width, E head width.

References
----------
Vaswani et al. (2017), doi:10.48550/arXiv.1706.03762, section 3.2.2: their W_i^Q is our columns of
head i in ``W_q``, their W^O our ``W_o``, their d_model our M; they have no biases, PyTorch has.
"""

from dataclasses import dataclass

import numpy as np

from course_lib._checks import check_finite, check_shape
from course_lib._recurrent import read_kind, read_params, read_row, set_weights
from course_lib.attention import AttentionTrace, attend, attend_backward
from course_lib.positions import rotate, rotate_backward
from course_lib.trace import Series, Trace


@dataclass(frozen=True, slots=True, eq=False)
class MultiHeadParams:
    """Weights of all heads side by side, and of what joins them; also the form of a gradient."""

    W_q: np.ndarray  # (M, M)
    W_k: np.ndarray  # (M, M)
    W_v: np.ndarray  # (M, M)
    W_o: np.ndarray  # (M, M)
    b_q: np.ndarray  # (M,)
    b_k: np.ndarray  # (M,), moves all scores of a query by the same: its gradient is 0
    b_v: np.ndarray  # (M,)
    b_o: np.ndarray  # (M,)

    def __post_init__(self):
        set_weights(self, b_o=(None,))
        M = len(self.b_o)
        set_weights(self, **{f"W_{name}": (M, M) for name in "qkvo"})
        set_weights(self, **{f"b_{name}": (M,) for name in "qkv"})


@dataclass(frozen=True, slots=True, eq=False)
class MultiHeadTrace:
    """What the backward pass and the plots need from one forward pass."""

    x: np.ndarray  # (N, T, M)
    memory: np.ndarray | None  # (N, S, M), None for self-attention
    attention: AttentionTrace  # of N n_heads sequences; the heads of a sequence are neighbours
    joined: np.ndarray  # (N, T, M), contexts of all heads side by side
    y: np.ndarray  # (N, T, M)
    n_heads: int
    rotary: bool

    @property
    def weights(self):
        """Attention weights (N, n_heads, T, S), a view."""
        weights = self.attention.weights
        return weights.reshape(-1, self.n_heads, *weights.shape[1:])

    def to_trace(self, n=0):
        """Return sequence n over target time: x, weights (T, n_heads, S), joined contexts, y."""
        read_row(n, len(self.x))
        series = (
            Series("x", self.x[n]),
            Series("weights", self.weights[n].swapaxes(0, 1), low=0.0, high=1.0),
            Series("joined", self.joined[n]),
            Series("y", self.y[n]),
        )
        return Trace("multi-head attention", series)


@dataclass(frozen=True, slots=True, eq=False)
class MultiHeadGrads:
    """Gradient of a loss with respect to everything that went into multi-head attention."""

    params: MultiHeadParams
    x: np.ndarray  # (N, T, M)
    memory: np.ndarray | None  # (N, S, M)


def init_multi_head(M, rng):
    r"""Draw starting weights as PyTorch does: biases 0, everything else uniform.

    W_q, W_k and W_v lie in :math:`\pm\sqrt{6 / 4M}`, Glorot's bound for the three as one matrix,
    and W_o in :math:`\pm 1 / \sqrt M`.

    Parameters
    ----------
    M : int
        Model width, at least 1.
    rng : numpy.random.Generator
        Source of the random numbers.

    Returns
    -------
    params : MultiHeadParams
        Starting weights; the number of heads is no weight.

    Raises
    ------
    ValueError
        If ``M`` is below 1.

    References
    ----------
    Glorot and Bengio (2010), https://proceedings.mlr.press/v9/glorot10a.html, equation 16.
    """
    if M < 1:
        raise ValueError(f"M must be at least 1, got {M}")
    bounds = np.sqrt((1.5 / M, 1.5 / M, 1.5 / M, 1.0 / M))
    weights = (rng.uniform(-bound, bound, (M, M)) for bound in bounds)
    return MultiHeadParams(*weights, *np.zeros((4, M)))


def split_heads(x, n_heads):
    """Turn (N, T, M) into (N n_heads, T, M / n_heads): every head a sequence of the batch."""
    N, T, M = x.shape
    heads = x.reshape(N, T, n_heads, M // n_heads).swapaxes(1, 2)
    return heads.reshape(N * n_heads, T, M // n_heads)


def merge_heads(y, n_heads):
    """Turn (N n_heads, T, E) into (N, T, n_heads E): the heads side by side again."""
    NH, T, E = y.shape
    heads = y.reshape(NH // n_heads, n_heads, T, E).swapaxes(1, 2)
    return heads.reshape(NH // n_heads, T, n_heads * E)


def multi_head_forward(x, params, n_heads, memory=None, mask=None, rotary=False):
    """Let every step of x look at the memory, or at x itself, with several heads.

    Parameters
    ----------
    x : ndarray of shape (N, T, M)
        Where the queries come from.
    params : MultiHeadParams
        Weights.
    n_heads : int
        Number of heads, a divisor of M.
    memory : ndarray of shape (N, S, M), optional
        Where keys and values come from; ``x`` if not given.
    mask : ndarray of shape (T, S), (N, 1, S) or (N, T, S), optional
        True where a query may look, the same for every head.
    rotary : bool, default=False
        Turn queries and keys by their places (:func:`~course_lib.positions.rotate`).

    Returns
    -------
    trace : MultiHeadTrace
        Weights (N, n_heads, T, S) and outputs ``y`` (N, T, M).

    Raises
    ------
    ValueError
        If shapes do not fit, numbers are not finite, a query may look nowhere, ``n_heads`` does
        not divide M, or rotary places are asked for between two sequences.

    References
    ----------
    Vaswani et al. (2017), doi:10.48550/arXiv.1706.03762, section 3.2.2.
    """
    read_params(params, MultiHeadParams)
    M = len(params.b_o)
    x = check_finite("x", check_shape("x", x, (None, None, M)))
    if n_heads < 1 or M % n_heads:
        raise ValueError(f"n_heads must divide the width M = {M}, got {n_heads}")
    if memory is not None:
        memory = check_finite("memory", check_shape("memory", memory, (len(x), None, M)))
        if rotary:
            raise ValueError("rotary places need one sequence, got a memory; leave one of them out")
    source = x if memory is None else memory
    q = split_heads(x @ params.W_q + params.b_q, n_heads)
    k = split_heads(source @ params.W_k + params.b_k, n_heads)
    v = split_heads(source @ params.W_v + params.b_v, n_heads)
    if rotary:
        q, k = rotate(q), rotate(k)
    if mask is not None and np.ndim(mask) == 3:
        mask = np.repeat(mask, n_heads, axis=0)
    attention = attend(q, k, v, "scaled", mask)
    joined = merge_heads(attention.context, n_heads)
    y = joined @ params.W_o + params.b_o
    return MultiHeadTrace(x, memory, attention, joined, y, n_heads, rotary)


def multi_head_backward(dy, trace, params):
    """Go back from the gradient at the outputs to those at the weights, x and the memory.

    Parameters
    ----------
    dy : ndarray of shape (N, T, M)
        Gradient of the loss with respect to ``trace.y``.
    trace : MultiHeadTrace
        What :func:`multi_head_forward` left behind.
    params : MultiHeadParams
        The weights it used.

    Returns
    -------
    grads : MultiHeadGrads
        Gradients; without a memory, ``x`` has what came through queries, keys and values.

    Raises
    ------
    ValueError
        If shapes do not fit the trace, or numbers are not finite.

    References
    ----------
    Vaswani et al. (2017), doi:10.48550/arXiv.1706.03762, for the forward pass.
    """
    read_params(params, MultiHeadParams)
    read_kind("trace", trace, MultiHeadTrace)
    x, n_heads = trace.x, trace.n_heads
    source = x if trace.memory is None else trace.memory
    dy = check_finite("dy", check_shape("dy", dy, trace.y.shape))

    heads = attend_backward(split_heads(dy @ params.W_o.T, n_heads), trace.attention)
    dq, dk = (rotate_backward(d) if trace.rotary else d for d in (heads.q, heads.k))
    dq, dk, dv = (merge_heads(d, n_heads) for d in (dq, dk, heads.v))

    dx = dq @ params.W_q.T
    dsource = dk @ params.W_k.T + dv @ params.W_v.T
    weights = (_outer(x, dq), _outer(source, dk), _outer(source, dv), _outer(trace.joined, dy))
    biases = (d.sum(axis=(0, 1)) for d in (dq, dk, dv, dy))
    grads = MultiHeadParams(*weights, *biases)
    if trace.memory is None:
        return MultiHeadGrads(grads, dx + dsource, None)
    return MultiHeadGrads(grads, dx, dsource)


def _outer(x, da):
    """Gradient of a weight matrix: x transposed times da, summed over batch and time."""
    return x.reshape(-1, x.shape[-1]).T @ da.reshape(-1, da.shape[-1])
