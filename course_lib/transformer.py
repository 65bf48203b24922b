r"""One block of a transformer: every vector looks around, then thinks for itself.

With norm before each part (``"pre"``, as in GPT-2 and all that came after) or after each sum
(``"post"``, as published in 2017 and in BERT):

.. math::
    \text{pre:}\quad & m = x + \mathrm{attention}(\mathrm{norm}_1(x)), &\quad
                     & y = m + \mathrm{feed}(\mathrm{norm}_2(m)) \\
    \text{post:}\quad & m = \mathrm{norm}_1(x + \mathrm{attention}(x)), &\quad
                     & y = \mathrm{norm}_2(m + \mathrm{feed}(m))

where :math:`\mathrm{feed}(a) = \phi(a W_1 + b_1) W_2 + b_2` reads every time step by itself. Only
attention carries anything from one step to another; a stack of blocks is a loop over them.

With a :func:`~course_lib.attention.causal_mask` the block is one of GPT's, without it one of
BERT's. :mod:`course_lib.key_value_cache` runs the causal one step by step.

Letters: N batch, T time, M model width, F width inside the feed-forward part.

References
----------
Vaswani et al. (2017), doi:10.48550/arXiv.1706.03762: their d_model is M, d_ff is F, h is
``n_heads``. Xiong et al. (2020), doi:10.48550/arXiv.2002.04745, on where the norm stands. Hendrycks
and Gimpel (2016), doi:10.48550/arXiv.1606.08415, on gelu.
"""

import math
from dataclasses import dataclass

import numpy as np

from course_lib._checks import check_finite, check_shape
from course_lib._recurrent import read_kind, read_params, set_weights
from course_lib.layer_norm import LayerNormTrace, layer_norm_backward, layer_norm_forward
from course_lib.multi_head import (
    MultiHeadParams,
    MultiHeadTrace,
    init_multi_head,
    multi_head_backward,
    multi_head_forward,
)

_ERF = np.frompyfunc(math.erf, 1, 1)  # NumPy has none; slow, but exact


def _normal_cdf(a):
    """Probability that a standard normal number is below a."""
    return 0.5 + 0.5 * _ERF(a / math.sqrt(2.0)).astype(float)


def _gelu_slope(a):
    return _normal_cdf(a) + a * np.exp(-0.5 * a**2) / math.sqrt(2.0 * math.pi)


# Function and slope; gelu is the exact one, not its approximation by tanh.
_ACTIVATIONS = {
    "relu": (lambda a: np.maximum(a, 0.0), lambda a: (a > 0.0).astype(float)),
    "gelu": (lambda a: a * _normal_cdf(a), _gelu_slope),
}


@dataclass(frozen=True, slots=True, eq=False)
class BlockParams:
    """Weights of one block; also the form of a gradient. With F = 0 it has no feed-forward part."""

    attention: MultiHeadParams
    gain_1: np.ndarray  # (M,)
    bias_1: np.ndarray  # (M,)
    gain_2: np.ndarray  # (M,)
    bias_2: np.ndarray  # (M,)
    W_1: np.ndarray  # (M, F)
    b_1: np.ndarray  # (F,)
    W_2: np.ndarray  # (F, M)
    b_2: np.ndarray  # (M,)

    def __post_init__(self):
        read_kind("attention", self.attention, MultiHeadParams)
        M = len(self.attention.W_q)
        set_weights(self, W_1=(M, None))
        F = self.W_1.shape[1]
        set_weights(self, b_1=(F,), W_2=(F, M), b_2=(M,))
        set_weights(self, gain_1=(M,), bias_1=(M,), gain_2=(M,), bias_2=(M,))


@dataclass(frozen=True, slots=True, eq=False)
class BlockTrace:
    """What the backward pass and the plots need from one forward pass."""

    x: np.ndarray  # (N, T, M)
    attention: MultiHeadTrace
    norm_1: LayerNormTrace
    middle: np.ndarray  # (N, T, M) what leaves the first part
    norm_2: LayerNormTrace
    fed: np.ndarray  # (N, T, M) what the feed-forward part reads
    hidden: np.ndarray  # (N, T, F) before its activation
    y: np.ndarray  # (N, T, M)
    norm: str
    activation: str

    @property
    def weights(self):
        """Attention weights (N, n_heads, T, T), rows sum to 1."""
        return self.attention.weights


@dataclass(frozen=True, slots=True, eq=False)
class BlockGrads:
    """Gradient of a loss with respect to everything that went into a forward pass."""

    params: BlockParams
    x: np.ndarray  # (N, T, M)


def init_block(M, F, rng):
    r"""Draw starting weights as PyTorch does: gains 1, all else small.

    Attention starts as :func:`~course_lib.multi_head.init_multi_head` does, the two matrices and
    biases of the feed-forward part are uniform in :math:`\pm 1 / \sqrt M` and
    :math:`\pm 1 / \sqrt F`.

    Parameters
    ----------
    M : int
        Width of the model, at least 1.
    F : int
        Width inside the feed-forward part, 4 M in the paper; 0 leaves the part out.
    rng : numpy.random.Generator
        Source of the random numbers.

    Returns
    -------
    params : BlockParams
        Starting weights.

    Raises
    ------
    ValueError
        If a size is too small.
    """
    if M < 1 or F < 0:
        raise ValueError(f"M must be at least 1 and F not negative, got {M} and {F}")
    attention = init_multi_head(M, rng)
    near, far = 1.0 / math.sqrt(M), 1.0 / math.sqrt(max(F, 1))
    return BlockParams(
        attention,
        *(np.ones(M), np.zeros(M), np.ones(M), np.zeros(M)),
        W_1=rng.uniform(-near, near, (M, F)),
        b_1=rng.uniform(-near, near, F),
        W_2=rng.uniform(-far, far, (F, M)),
        b_2=rng.uniform(-far, far, M) if F else np.zeros(M),
    )


def read_options(norm, activation):
    """Refuse an unknown place of the norm, or an unknown activation."""
    if norm not in ("pre", "post"):
        raise ValueError(f"norm must be 'pre' or 'post', got {norm!r}")
    if activation not in _ACTIVATIONS:
        raise ValueError(f"activation must be 'relu' or 'gelu', got {activation!r}")


def feed_forward(x, params, activation="relu"):
    r"""Read every time step by itself: :math:`\phi(x W_1 + b_1) W_2 + b_2`.

    Parameters
    ----------
    x : ndarray of shape (..., M)
        Vectors.
    params : BlockParams
        Of its weights, W_1, b_1, W_2 and b_2 are used.
    activation : {"relu", "gelu"}
        The function :math:`\phi`; gelu is a times the probability that a standard normal number
        is below a.

    Returns
    -------
    y : ndarray of shape (..., M)
        What the part adds to its input.
    hidden : ndarray of shape (..., F)
        Before the activation.
    """
    hidden = x @ params.W_1 + params.b_1
    return _ACTIVATIONS[activation][0](hidden) @ params.W_2 + params.b_2, hidden


def block_forward(x, params, n_heads, norm="pre", activation="relu", mask=None, rotary=False):
    """Let every vector look at the others, then go through the feed-forward part.

    Parameters
    ----------
    x : ndarray of shape (N, T, M)
        Inputs; positions that are added stand in them already.
    params : BlockParams
        Weights.
    n_heads : int
        Number of heads; it divides M.
    norm : {"pre", "post"}
        Layer norm before each part, or after each sum.
    activation : {"relu", "gelu"}
        Function inside the feed-forward part.
    mask : ndarray of shape (T, T), (N, 1, T) or (N, T, T), optional
        True where row t may look at column s; all of them if not given.
    rotary : bool, default=False
        Turn queries and keys by their place, as :func:`~course_lib.positions.rotate` does.

    Returns
    -------
    trace : BlockTrace
        ``trace.y`` (N, T, M) is the result.

    Raises
    ------
    ValueError
        If shapes do not fit, numbers are not finite, or an option is unknown.

    References
    ----------
    Vaswani et al. (2017), doi:10.48550/arXiv.1706.03762; Xiong et al. (2020),
    doi:10.48550/arXiv.2002.04745, figure 1: (a) is "post", (b) "pre".
    """
    read_params(params, BlockParams)
    read_options(norm, activation)
    x = check_finite("x", check_shape("x", x, (None, None, len(params.W_1))))
    norm_1, norm_2 = (params.gain_1, params.bias_1), (params.gain_2, params.bias_2)
    if norm == "pre":
        normed, trace_1 = layer_norm_forward(x, *norm_1)
        attention = multi_head_forward(normed, params.attention, n_heads, None, mask, rotary)
        middle = x + attention.y
        fed, trace_2 = layer_norm_forward(middle, *norm_2)
        added, hidden = feed_forward(fed, params, activation)
        y = middle + added
    else:
        attention = multi_head_forward(x, params.attention, n_heads, None, mask, rotary)
        middle, trace_1 = layer_norm_forward(x + attention.y, *norm_1)
        added, hidden = feed_forward(middle, params, activation)
        fed, (y, trace_2) = middle, layer_norm_forward(middle + added, *norm_2)
    return BlockTrace(x, attention, trace_1, middle, trace_2, fed, hidden, y, norm, activation)


def block_backward(dy, trace, params):
    r"""Go back from the gradient at the result to those at the weights and inputs.

    A residual hands the gradient on unchanged and adds what comes through its part. With norm
    before each part there is so a way from ``dy`` to ``x`` that no weight and no norm stands in;
    with norm after each sum every gradient goes through two of them.

    Parameters
    ----------
    dy : ndarray of shape (N, T, M)
        Gradient of the loss at ``trace.y``.
    trace : BlockTrace
        What :func:`block_forward` left behind.
    params : BlockParams
        The weights it used.

    Returns
    -------
    grads : BlockGrads
        Gradients with respect to the weights (summed over batch and time) and ``x``.

    Raises
    ------
    ValueError
        If shapes do not fit the trace, or numbers are not finite.

    References
    ----------
    Xiong et al. (2020), doi:10.48550/arXiv.2002.04745, theorem 1, on the size of what arrives.
    """
    read_params(params, BlockParams)
    read_kind("trace", trace, BlockTrace)
    dy = check_finite("dy", check_shape("dy", dy, trace.x.shape))
    if trace.norm == "pre":
        dfed, feed = _feed_backward(dy, trace, params)
        ln_2 = layer_norm_backward(dfed, trace.norm_2, params.gain_2)
        dmiddle = dy + ln_2.x
        attention = multi_head_backward(dmiddle, trace.attention, params.attention)
        ln_1 = layer_norm_backward(attention.x, trace.norm_1, params.gain_1)
        dx = dmiddle + ln_1.x
    else:
        ln_2 = layer_norm_backward(dy, trace.norm_2, params.gain_2)
        dfed, feed = _feed_backward(ln_2.x, trace, params)
        ln_1 = layer_norm_backward(ln_2.x + dfed, trace.norm_1, params.gain_1)
        attention = multi_head_backward(ln_1.x, trace.attention, params.attention)
        dx = ln_1.x + attention.x
    norms = (ln_1.gain, ln_1.bias, ln_2.gain, ln_2.bias)
    return BlockGrads(BlockParams(attention.params, *norms, **feed), dx)


def _feed_backward(dout, trace, params):
    """Return the gradient at what the feed-forward part read, and those of its weights by name."""
    phi, slope = _ACTIVATIONS[trace.activation]
    M, F = params.W_1.shape
    dhidden = (dout @ params.W_2.T) * slope(trace.hidden)
    steps = dout.size // M  # of all sequences
    flat_out, flat_hidden = dout.reshape(steps, M), dhidden.reshape(steps, F)
    weights = {
        "W_1": trace.fed.reshape(steps, M).T @ flat_hidden,
        "b_1": flat_hidden.sum(axis=0),
        "W_2": phi(trace.hidden).reshape(steps, F).T @ flat_out,
        "b_2": flat_out.sum(axis=0),
    }
    return dhidden @ params.W_1.T, weights
