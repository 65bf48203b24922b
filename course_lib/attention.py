r"""Attention: every query looks at all keys, and takes a weighted mean of the values.

.. math::
    w_{ts} = \frac{\exp e_{ts}}{\sum_{s'} \exp e_{ts'}}, \qquad c_t = \sum_s w_{ts} v_s

Three scores :math:`e_{ts}` of a query :math:`q_t` and a key :math:`k_s` were published:

- additive: :math:`\tanh(q_t W_q + k_s W_k) \cdot v`, a small network (Bahdanau et al., 2015);
- dot: :math:`q_t \cdot k_s` (Luong et al., 2015);
- scaled: :math:`q_t \cdot k_s / \sqrt E` (Vaswani et al., 2017), whose variance does not grow
  with E if the entries of q and k are independent with mean 0 and variance 1.

A mask is True where a query **may look**, as in PyTorch's ``scaled_dot_product_attention``; the
boolean masks of its ``nn.MultiheadAttention`` mean the opposite.

Letters: N batch, T target (query) time, S source (key) time, E head width, E_q, E_k and E_v widths
of queries, keys and values where they may differ, A width of the additive score.

References
----------
Bahdanau, Cho and Bengio (2015), doi:10.48550/arXiv.1409.0473: their s is our q, their h both our k
and v, their W_a and U_a our ``W_q`` and ``W_k``, their v_a our ``params.v``, their alpha our
weights. Luong, Pham and Manning (2015), doi:10.18653/v1/D15-1166. Vaswani et al. (2017),
doi:10.48550/arXiv.1706.03762: their Q, K, V are our q, k, v, their d_k our E.
"""

from dataclasses import dataclass

import numpy as np

from course_lib._checks import check_finite, check_lengths, check_shape
from course_lib._recurrent import mask_series, read_kind, read_params, read_row, set_weights
from course_lib.trace import Series, Trace


def softmax(scores, axis=-1):
    r"""Return weights that are positive and sum to 1: :math:`\exp(e_s) / \sum_{s'} \exp(e_{s'})`.

    The largest score is subtracted first, which changes nothing but lets no exponential overflow.

    Parameters
    ----------
    scores : ndarray of shape (..., S)
        Any numbers; minus infinity gives the weight 0.
    axis : int, default=-1
        The axis along which the weights sum to 1.

    Returns
    -------
    weights : ndarray of shape (..., S)
        Entries in [0, 1].

    Raises
    ------
    ValueError
        If a score is NaN or plus infinity, or a row holds only minus infinity.

    References
    ----------
    Bridle (1990), doi:10.1007/978-3-642-76153-9_28, who named it.
    """
    scores = np.array(scores, dtype=float)
    if scores.ndim == 0 or scores.size == 0:
        raise ValueError(f"scores must hold at least one row, got shape {scores.shape}")
    if not np.isfinite(scores.max(axis=axis)).all():  # NaN wins every maximum
        raise ValueError(
            "every row of scores needs a finite largest score, got NaN, plus infinity, or a row "
            "of minus infinity only"
        )
    return _softmax_inplace(scores, axis)


def _softmax_inplace(scores, axis=-1):
    scores -= scores.max(axis=axis, keepdims=True)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=axis, keepdims=True)
    return scores


@dataclass(frozen=True, slots=True, eq=False)
class AdditiveParams:
    """Weights of the additive score, a network with one hidden layer; also their gradient."""

    W_q: np.ndarray  # (E_q, A)
    W_k: np.ndarray  # (E_k, A)
    v: np.ndarray  # (A,)

    def __post_init__(self):
        set_weights(self, v=(None,))
        set_weights(self, W_q=(None, len(self.v)), W_k=(None, len(self.v)))


def init_additive(E_q, E_k, A, rng):
    r"""Draw starting weights, uniform in :math:`(-1/\sqrt{n}, 1/\sqrt{n})` with n inputs each.

    Parameters
    ----------
    E_q, E_k : int
        Width of queries and of keys, at least 1.
    A : int
        Width of the hidden layer, at least 1.
    rng : numpy.random.Generator
        Source of the random numbers.

    Returns
    -------
    params : AdditiveParams
        Starting weights, as PyTorch's linear layers have them.

    Raises
    ------
    ValueError
        If a size is below 1.
    """
    if min(E_q, E_k, A) < 1:
        raise ValueError(f"E_q, E_k and A must be at least 1, got {E_q}, {E_k} and {A}")
    shapes = (E_q, A), (E_k, A), (A,)
    return AdditiveParams(*(rng.uniform(-1, 1, shape) / np.sqrt(shape[0]) for shape in shapes))


def additive_scores(q, k, params):
    r"""Return :math:`\tanh(q_t W_q + k_s W_k) \cdot v` for every query and key.

    Parameters
    ----------
    q : ndarray of shape (N, T, E_q)
        Queries.
    k : ndarray of shape (N, S, E_k)
        Keys.
    params : AdditiveParams
        Weights of the score.

    Returns
    -------
    scores : ndarray of shape (N, T, S)
        Entries in [-a, a], where a is the sum of the absolute entries of v.

    Raises
    ------
    ValueError
        If shapes do not fit or numbers are not finite.

    References
    ----------
    Bahdanau, Cho and Bengio (2015), doi:10.48550/arXiv.1409.0473, appendix A.1.2.
    """
    q, k = _read_pair(q, k, params)
    return _hidden(q, k, params) @ params.v


def _hidden(q, k, params):
    """Hidden layer (N, T, S, A): every query with every key."""
    return np.tanh((q @ params.W_q)[:, :, None] + (k @ params.W_k)[:, None])


def dot_scores(q, k):
    r"""Return :math:`q_t \cdot k_s` for every query and key.

    Parameters
    ----------
    q : ndarray of shape (N, T, E)
        Queries.
    k : ndarray of shape (N, S, E)
        Keys.

    Returns
    -------
    scores : ndarray of shape (N, T, S)
        Their variance grows with E.

    Raises
    ------
    ValueError
        If shapes do not fit or numbers are not finite.

    References
    ----------
    Luong, Pham and Manning (2015), doi:10.18653/v1/D15-1166, section 3.1, "dot".
    """
    q, k = _read_pair(q, k, "dot")
    return q @ k.swapaxes(1, 2)


def scaled_scores(q, k):
    r"""Return :math:`q_t \cdot k_s / \sqrt E` for every query and key.

    Parameters
    ----------
    q : ndarray of shape (N, T, E)
        Queries.
    k : ndarray of shape (N, S, E)
        Keys.

    Returns
    -------
    scores : ndarray of shape (N, T, S)
        Variance 1 whatever E is, if entries of q and k are independent with variance 1, mean 0.

    Raises
    ------
    ValueError
        If shapes do not fit or numbers are not finite.

    References
    ----------
    Vaswani et al. (2017), doi:10.48550/arXiv.1706.03762, section 3.2.1.
    """
    q, k = _read_pair(q, k, "scaled")
    return q @ k.swapaxes(1, 2) * _scale(q, "scaled")


def _scale(q, score):
    return 1.0 / np.sqrt(q.shape[-1]) if score == "scaled" else 1.0


def _read_pair(q, k, score):
    """Return q (N, T, E_q) and k (N, S, E_k) as float64; refuse a score that does not exist."""
    q = check_finite("q", check_shape("q", q, (None, None, None)))
    if 0 in q.shape:
        raise ValueError(f"q must hold at least one query, got shape {q.shape}")
    E_k = q.shape[2]
    if isinstance(score, AdditiveParams):
        read_params(score, AdditiveParams, "score")
        check_shape("q", q, (None, None, len(score.W_q)))
        E_k = len(score.W_k)
    elif score not in ("scaled", "dot"):
        raise ValueError(f"score must be 'scaled', 'dot' or AdditiveParams, got {score!r:.40}")
    k = check_finite("k", check_shape("k", k, (len(q), None, E_k)))
    if k.shape[1] == 0:
        raise ValueError(f"k must hold at least one key, got shape {k.shape}")
    return q, k


def causal_mask(T, S=None):
    """Return the mask of a model that writes from left to right: no look at what comes later.

    Parameters
    ----------
    T : int
        Number of queries, at least 1.
    S : int, optional
        Number of keys, at least T; the queries are the last T of these places. T if not given.

    Returns
    -------
    mask : ndarray of shape (T, S)
        True where a query may look: at its own place and at those before.

    Raises
    ------
    ValueError
        If ``T`` is below 1 or ``S`` below T.
    """
    S = T if S is None else S
    if T < 1 or S < T:
        raise ValueError(f"T must be from 1 to S, got T = {T} and S = {S}")
    return np.arange(S) <= np.arange(S - T, S)[:, None]


def padding_mask(lengths, S):
    """Return the mask that hides what only fills short sequences up.

    Parameters
    ----------
    lengths : ndarray of shape (N,)
        Number of true steps of each source, from 1 to S.
    S : int
        Number of steps after padding.

    Returns
    -------
    mask : ndarray of shape (N, 1, S)
        True where any query of this sequence may look; ``&`` joins it with a causal mask.

    Raises
    ------
    ValueError
        If a length is not from 1 to S.
    """
    lengths = np.asarray(lengths)
    return np.arange(S) < check_lengths("lengths", lengths, lengths.size, S)[:, None, None]


@dataclass(frozen=True, slots=True, eq=False)
class AttentionTrace:
    """What the backward pass and the plots need from one forward pass."""

    q: np.ndarray  # (N, T, E_q)
    k: np.ndarray  # (N, S, E_k)
    v: np.ndarray  # (N, S, E_v)
    scores: np.ndarray  # (N, T, S), as if there were no mask
    weights: np.ndarray  # (N, T, S), 0 where the mask is False
    context: np.ndarray  # (N, T, E_v)
    mask: np.ndarray | None  # True where a query may look; its axes broadcast to (N, T, S)
    score: str | AdditiveParams

    def to_trace(self, n=0):
        """Return sequence n over target time: q, scores, weights, context, and the mask."""
        read_row(n, len(self.q))
        series = (
            Series("q", self.q[n]),
            Series("scores", self.scores[n]),
            Series("weights", self.weights[n], low=0.0, high=1.0),
            Series("context", self.context[n]),
            *mask_series(self._every_mask(), n),
        )
        return Trace("attention", series)

    def _every_mask(self):
        """Mask (N, T, S), or None."""
        return None if self.mask is None else np.broadcast_to(self.mask, self.scores.shape)


@dataclass(frozen=True, slots=True, eq=False)
class AttentionGrads:
    """Gradient of a loss with respect to everything that went into attention."""

    q: np.ndarray  # (N, T, E_q)
    k: np.ndarray  # (N, S, E_k)
    v: np.ndarray  # (N, S, E_v)
    params: AdditiveParams | None  # of the additive score


def attend(q, k, v, score="scaled", mask=None):
    """Look every query up among the keys, and mix the values by the weights.

    Parameters
    ----------
    q : ndarray of shape (N, T, E_q)
        Queries: what each target step looks for.
    k : ndarray of shape (N, S, E_k)
        Keys: by what each source step is found; E_k = E_q unless the score is additive.
    v : ndarray of shape (N, S, E_v)
        Values: what each source step hands over.
    score : {"scaled", "dot"} or AdditiveParams
        How well a query fits a key.
    mask : ndarray of shape (T, S), (N, 1, S) or (N, T, S), optional
        True where a query may look, somewhere for every query.

    Returns
    -------
    trace : AttentionTrace
        Scores, weights, and the context vectors (N, T, E_v).

    Raises
    ------
    ValueError
        If shapes do not fit, numbers are not finite, or a query may look nowhere.

    References
    ----------
    Vaswani et al. (2017), doi:10.48550/arXiv.1706.03762, equation 1; Bahdanau, Cho and Bengio
    (2015), doi:10.48550/arXiv.1409.0473, equations 5 and 6.
    """
    q, k = _read_pair(q, k, score)
    v = check_finite("v", check_shape("v", v, (*k.shape[:2], None)))
    if isinstance(score, AdditiveParams):
        scores = _hidden(q, k, score) @ score.v
    else:
        scores = q @ k.swapaxes(1, 2)  # (N, T, S)
        scores *= _scale(q, score)
    mask = _read_mask(mask, scores.shape)
    weights = scores.copy() if mask is None else np.where(mask, scores, -np.inf)
    weights = _softmax_inplace(weights)
    return AttentionTrace(q, k, v, scores, weights, weights @ v, mask, score)


def _read_mask(mask, shape):
    """Return a mask of bools that fits (N, T, S) and lets every query look somewhere, or None."""
    if mask is None:
        return None
    mask = np.asarray(mask)
    try:
        fits = np.broadcast_shapes(mask.shape, shape) == shape
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(
            f"mask must have shape (T, S), (N, 1, S) or (N, T, S) with N, T, S = {shape}, "
            f"got {mask.shape}"
        )
    if mask.dtype != bool and (mask.dtype.kind not in "iuf" or not np.isin(mask, (0, 1)).all()):
        raise ValueError(
            f"mask must hold True (may look) and False, got {mask.dtype}; a mask of numbers that "
            "is added to scores is True where it is 0"
        )
    mask = mask.astype(bool)
    blind = np.argwhere(~mask.any(axis=-1))
    if len(blind):
        raise ValueError(
            f"every query must be allowed to look somewhere, got none in row "
            f"{tuple(map(int, blind[0]))} of mask; leave out empty sequences"
        )
    return mask


def attend_backward(dcontext, trace):
    r"""Go back from the gradient at the contexts to those at queries, keys, values and weights.

    Through the softmax, with :math:`\delta w_{ts} = \delta c_t \cdot v_s`:

    .. math:: \delta e_{ts} = w_{ts} \left(\delta w_{ts} - \sum_{s'} w_{ts'} \delta w_{ts'}\right)

    which is 0 where the weight is 0, so nothing flows through a mask.

    Parameters
    ----------
    dcontext : ndarray of shape (N, T, E_v)
        Gradient of the loss with respect to ``trace.context``.
    trace : AttentionTrace
        What :func:`attend` left behind.

    Returns
    -------
    grads : AttentionGrads
        Gradients with respect to ``q``, ``k``, ``v`` and, for an additive score, its weights.

    Raises
    ------
    ValueError
        If shapes do not fit the trace, or numbers are not finite.

    References
    ----------
    Bridle (1990), doi:10.1007/978-3-642-76153-9_28, for the derivative of the softmax.
    """
    read_kind("trace", trace, AttentionTrace)
    q, k, v, weights, score = trace.q, trace.k, trace.v, trace.weights, trace.score
    dcontext = check_finite("dcontext", check_shape("dcontext", dcontext, trace.context.shape))
    dv = weights.swapaxes(1, 2) @ dcontext
    dscores = dcontext @ v.swapaxes(1, 2)  # (N, T, S), still the gradient at the weights
    # sum_s w dw = sum_s w (dc . v) = dc . c: no sum over keys is needed.
    dscores -= (dcontext * trace.context).sum(axis=-1, keepdims=True)
    dscores *= weights
    if isinstance(score, AdditiveParams):
        dq, dk, dparams = _additive_backward(dscores, q, k, score)
        return AttentionGrads(dq, dk, dv, dparams)
    dscores *= _scale(q, score)
    return AttentionGrads(dscores @ k, dscores.swapaxes(1, 2) @ q, dv, None)


def _additive_backward(dscores, q, k, params):
    """Gradients at q, k and the weights of the additive score."""
    hidden = _hidden(q, k, params)  # (N, T, S, A), made again: the trace would be A times larger
    dv = np.tensordot(dscores, hidden, axes=3)
    da = dscores[..., None] * params.v * (1.0 - hidden**2)  # through tanh
    da_q, da_k = da.sum(axis=2), da.sum(axis=1)  # (N, T, A), (N, S, A)
    first_two = ((0, 1), (0, 1))
    dW_q, dW_k = np.tensordot(q, da_q, first_two), np.tensordot(k, da_k, first_two)
    return da_q @ params.W_q.T, da_k @ params.W_k.T, AdditiveParams(dW_q, dW_k, dv)
