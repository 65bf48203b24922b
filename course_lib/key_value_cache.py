"""A causal block step by step: its state is every key and value so far, so it grows.

A recurrent cell carries H numbers from one step to the next, however long the past. Attention
carries the past itself. What it need not do is to compute it again: keys and values of old steps
never change under a causal mask, since no step looks ahead. They are kept, and a new step costs
one row of the score matrix instead of all of them.

Letters: N batch, T time, S steps so far, M model width, E head width.

References
----------
Shazeer (2019), doi:10.48550/arXiv.1911.02150, section 2.4.1, "incremental" attention: his K and V
are the cache's ``k`` and ``v``; Pope et al. (2022), doi:10.48550/arXiv.2211.05102, on what the
cache costs large models.
"""

from dataclasses import dataclass

import numpy as np

from course_lib._checks import check_finite, check_shape
from course_lib._recurrent import read_kind, read_params
from course_lib.attention import attend
from course_lib.layer_norm import layer_norm_forward
from course_lib.multi_head import merge_heads, split_heads
from course_lib.positions import rotate
from course_lib.transformer import BlockParams, feed_forward, read_options


@dataclass(frozen=True, slots=True, eq=False)
class KeyValueCache:
    """Keys and values of all steps so far, of one block."""

    k: np.ndarray  # (N * n_heads, S, E), turned by their place if the block is rotary
    v: np.ndarray  # (N * n_heads, S, E)

    @property
    def length(self):
        """Number of steps S that were read."""
        return self.k.shape[1]

    @property
    def nbytes(self):
        """Bytes that the next step must still have, 2 N M S numbers."""
        return self.k.nbytes + self.v.nbytes


def block_step(x_t, cache, params, n_heads, norm="pre", activation="relu", rotary=False):
    """Advance a causal block by one time step.

    Step after step this gives what :func:`~course_lib.transformer.block_forward` gives with a
    causal mask.

    Parameters
    ----------
    x_t : ndarray of shape (N, M)
        Input at the next time; a position that is added stands in it already.
    cache : KeyValueCache or None
        What the step before returned; None at the first step.
    params : BlockParams
        Weights.
    n_heads : int
        Number of heads; it divides M.
    norm : {"pre", "post"}
        Layer norm before each part, or after each sum.
    activation : {"relu", "gelu"}
        Function inside the feed-forward part.
    rotary : bool, default=False
        Turn query and key by their place.

    Returns
    -------
    y_t : ndarray of shape (N, M)
        Result at this time.
    cache : KeyValueCache
        One step longer. The arrays are new ones: simple, and as slow as copying all of them; a
        server writes into room it set aside.

    Raises
    ------
    ValueError
        If shapes do not fit the weights or the cache, numbers are not finite, or an option is
        unknown.

    References
    ----------
    Shazeer (2019), doi:10.48550/arXiv.1911.02150, section 2.4.1.
    """
    read_params(params, BlockParams)
    read_options(norm, activation)
    M = len(params.W_1)
    x_t = check_finite("x_t", check_shape("x_t", x_t, (None, M)))
    cache = _read_cache(cache, len(x_t), n_heads, M)

    def attend(a):
        return _attend_step(a, cache, params.attention, n_heads, rotary)

    def norm_1(a):
        return layer_norm_forward(a, params.gain_1, params.bias_1)[0]

    def norm_2(a):
        return layer_norm_forward(a, params.gain_2, params.bias_2)[0]

    if norm == "pre":
        added, cache = attend(norm_1(x_t))
        middle = x_t + added
        return middle + feed_forward(norm_2(middle), params, activation)[0], cache
    added, cache = attend(x_t)
    middle = norm_1(x_t + added)
    return norm_2(middle + feed_forward(middle, params, activation)[0]), cache


def _read_cache(cache, N, n_heads, M):
    """Return a cache that fits N sequences; None becomes an empty one."""
    if n_heads < 1 or M % n_heads:
        raise ValueError(f"n_heads must divide M = {M}, got {n_heads}")
    if cache is None:
        empty = np.empty((N * n_heads, 0, M // n_heads))
        return KeyValueCache(empty, empty)
    read_kind("cache", cache, KeyValueCache)
    for name in ("k", "v"):
        shape = (N * n_heads, cache.length, M // n_heads)
        check_finite(f"cache.{name}", check_shape(f"cache.{name}", getattr(cache, name), shape))
    return cache


def _attend_step(x_t, cache, params, n_heads, rotary):
    """What attention gives to the newest step (N, M), and the cache with that step in it."""
    p, now = params, x_t[:, None]  # (N, 1, M)
    q, k, v = (
        split_heads(now @ W + b, n_heads)  # (N * n_heads, 1, E)
        for W, b in ((p.W_q, p.b_q), (p.W_k, p.b_k), (p.W_v, p.b_v))
    )
    if rotary:
        q, k = rotate(q, cache.length), rotate(k, cache.length)
    k, v = np.concatenate([cache.k, k], axis=1), np.concatenate([cache.v, v], axis=1)
    context = merge_heads(attend(q, k, v).context, n_heads)[:, 0]
    return context @ p.W_o + p.b_o, KeyValueCache(k, v)
