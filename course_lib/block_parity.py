"""How far this book's transformer block is from PyTorch's: the largest absolute differences.

The same weights, inputs, mask and loss here and in ``nn.TransformerEncoderLayer``, in float64;
outputs and every gradient are compared.

Letters: N batch, T time, M model width, F width inside the feed-forward part.

References
----------
Vaswani et al. (2017), doi:10.48550/arXiv.1706.03762, for norm "post"; Xiong et al. (2020),
doi:10.48550/arXiv.2002.04745, for norm "pre".
"""

from dataclasses import fields

import numpy as np
import torch

from course_lib.attention import causal_mask
from course_lib.block_bridge import block_from_torch, block_to_torch
from course_lib.multi_head import init_multi_head
from course_lib.parity import ParityRow, max_difference
from course_lib.transformer import BlockParams, block_backward, block_forward

N, T, M, F, N_HEADS = 3, 7, 6, 10, 2
BLOCKS = [(norm, act) for norm in ("pre", "post") for act in ("relu", "gelu")]


def block_parity(seed=0):
    """Compare the block with PyTorch's: norm before or after, both activations, both masks.

    Parameters
    ----------
    seed : int, default=0
        Seed of weights, data and loss.

    Returns
    -------
    rows : list of ParityRow
        One for each block and quantity: "outputs", "dx" and "d" with the name of every weight;
        the larger of the differences without a mask and with the causal one.
    """
    rows = []
    for norm, activation in BLOCKS:
        both = [
            compare(norm, activation, mask, np.random.default_rng(seed))
            for mask in (None, causal_mask(T))
        ]
        for key in both[0][0]:
            gap = max(max_difference([ours[key]], [theirs[key]]) for ours, theirs in both)
            rows.append(ParityRow(f"{norm}-norm, {activation}", key, float(gap)))
    return rows


def compare(norm, activation, mask, rng):
    """Run one block here and in PyTorch, forward and backward.

    Parameters
    ----------
    norm : {"pre", "post"}
        Layer norm before each part, or after each sum.
    activation : {"relu", "gelu"}
        Function inside the feed-forward part.
    mask : ndarray of shape (T, T), bool, or None
        True where a row may look.
    rng : numpy.random.Generator
        Source of weights, data and loss.

    Returns
    -------
    ours, theirs : dict of str to ndarray
        The same quantities under the same names.
    """
    shapes = [(M,)] * 4 + [(M, F), (F,), (F, M), (M,)]
    params = BlockParams(init_multi_head(M, rng), *(0.5 * rng.normal(size=s) for s in shapes))
    x, dy = rng.normal(size=(N, T, M)), rng.normal(size=(N, T, M))
    trace = block_forward(x, params, N_HEADS, norm=norm, activation=activation, mask=mask)
    grads = block_backward(dy, trace, params)
    ours = {"outputs": trace.y, "dx": grads.x} | named(grads.params)

    module = block_to_torch(params, N_HEADS, norm, activation)
    leaf = torch.from_numpy(x).requires_grad_()
    y = module(leaf, src_mask=None if mask is None else torch.from_numpy(~mask))  # True hides there
    y.backward(torch.from_numpy(dy))
    with torch.no_grad():  # the bridge that reads weights reads gradients as well
        for weight in module.parameters():
            weight.copy_(weight.grad)
    theirs = {"outputs": y.detach().numpy(), "dx": leaf.grad.numpy()}
    return ours, theirs | named(block_from_torch(module)[0])


def named(params):
    """Return the arrays of a block, or of its gradient, by name with a d before it.

    Parameters
    ----------
    params : BlockParams
        Weights, or gradients with their names.

    Returns
    -------
    arrays : dict of str to ndarray
        Those of attention first.
    """
    parts = (params.attention, params)
    arrays = {f"d{f.name}": getattr(part, f.name) for part in parts for f in fields(part)}
    del arrays["dattention"]
    return arrays
