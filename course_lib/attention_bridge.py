"""Weights of multi-head attention as a PyTorch module, and back, without rounding in float64.

``nn.MultiheadAttention`` stores the three input matrices as one, ``in_proj_weight`` (3M, M): W_q.T
above W_k.T above W_v.T; its ``out_proj.weight`` is our ``W_o.T``.

Its boolean masks mean the opposite of ours: **True hides**. Pass ``attn_mask=~mask`` for a mask
(T, S), and ``key_padding_mask=~padding_mask(lengths, S)[:, 0]``. The masks of
``torch.nn.functional.scaled_dot_product_attention`` mean the same as ours: True may look.

Letters: N batch, T target time, S source time, M model width.
"""

import numpy as np
import torch
from torch import nn

from course_lib.multi_head import MultiHeadParams


def from_torch(module):
    """Return the weights of a multi-head attention of PyTorch as those of this book, in float64.

    The number of heads is no weight: it is ``module.num_heads``. Dropout is left behind.

    Parameters
    ----------
    module : nn.MultiheadAttention
        With or without biases, on any device, in any precision.

    Returns
    -------
    params : MultiHeadParams
        Copies of its weights.

    Raises
    ------
    ValueError
        If the module is of another kind, or has options that this book leaves out.
    """
    if type(module) is not nn.MultiheadAttention:
        raise ValueError(f"module must be nn.MultiheadAttention, got {type(module).__name__}")
    if module.in_proj_weight is None:
        raise ValueError("module must have kdim = vdim = embed_dim, got other widths of the memory")
    if module.bias_k is not None or module.add_zero_attn:
        raise ValueError("module must have no extra keys, got add_bias_kv or add_zero_attn")
    M = module.embed_dim
    W_in, W_o = _array(module.in_proj_weight), _array(module.out_proj.weight)
    b_in, b_o = np.zeros(3 * M), np.zeros(M)
    if module.in_proj_bias is not None:
        b_in, b_o = _array(module.in_proj_bias), _array(module.out_proj.bias)
    matrices = (W.T.copy() for W in (*np.split(W_in, 3), W_o))
    return MultiHeadParams(*matrices, *(b.copy() for b in np.split(b_in, 3)), b_o)


def _array(tensor):
    return tensor.detach().cpu().double().numpy().copy()


def to_torch(params, n_heads):
    """Return the PyTorch module with these weights, in float64, batch first, without dropout.

    Parameters
    ----------
    params : MultiHeadParams
        Weights.
    n_heads : int
        Number of heads, a divisor of M.

    Returns
    -------
    module : nn.MultiheadAttention
        Its dtype is torch.float64.

    Raises
    ------
    ValueError
        If ``params`` are other weights, or ``n_heads`` does not divide M.
    """
    if not isinstance(params, MultiHeadParams):
        raise ValueError(f"params must be MultiHeadParams, got {type(params).__name__}")
    M = len(params.b_o)
    if n_heads < 1 or M % n_heads:
        raise ValueError(f"n_heads must divide the width M = {M}, got {n_heads}")
    module = nn.MultiheadAttention(M, n_heads, batch_first=True, dtype=torch.float64)
    arrays = {
        "in_proj_weight": np.concatenate([params.W_q.T, params.W_k.T, params.W_v.T]),
        "in_proj_bias": np.concatenate([params.b_q, params.b_k, params.b_v]),
        "out_proj.weight": np.ascontiguousarray(params.W_o.T),
        "out_proj.bias": params.b_o.copy(),
    }
    module.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})
    return module
