"""How far this book's attention is from PyTorch's: the largest absolute differences, in float64.

Scaled attention is held against ``scaled_dot_product_attention``, several heads against
``nn.MultiheadAttention``; outputs, weights and every gradient of a random loss are compared.

Letters: N batch, T target time, S source time, M model width, E head width.
"""

import numpy as np
import torch
from torch.nn.functional import scaled_dot_product_attention

from course_lib.attention import attend, attend_backward, causal_mask, padding_mask
from course_lib.attention_bridge import to_torch
from course_lib.multi_head import MultiHeadParams, multi_head_backward, multi_head_forward
from course_lib.parity import ParityRow, max_difference

N, T, S, E, M, N_HEADS = 3, 5, 7, 4, 6, 2
LENGTHS = np.array([7, 2, 4])
MASKS = {
    "every key": None,
    "causal": causal_mask(T, S),
    "padding": padding_mask(LENGTHS, S),
}
SELF_MASKS = {
    "every key": None,
    "causal": causal_mask(T),
    "padding": padding_mask(np.minimum(LENGTHS, T), T),
}


def attention_parity(seed=0):
    """Compare attention with PyTorch's on the same weights, data, masks and loss.

    Parameters
    ----------
    seed : int, default=0
        Seed of weights, data and loss.

    Returns
    -------
    rows : list of ParityRow
        Scaled attention, several heads on one sequence, and on a memory; under each mask; the
        quantities are "outputs", "weights" and "d" with the name of all that has a gradient.
    """
    rows = []
    for kind, compare, masks in (
        ("scaled attention", compare_scaled, MASKS),
        ("multi-head, self", compare_self, SELF_MASKS),
        ("multi-head, cross", compare_cross, MASKS),
    ):
        for name, mask in masks.items():
            ours, theirs = compare(mask, np.random.default_rng(seed))
            rows += [
                ParityRow(f"{kind}, {name}", key, float(max_difference([value], [theirs[key]])))
                for key, value in ours.items()
            ]
    return rows


def compare_scaled(mask, rng):
    """Run scaled attention here and in PyTorch, forward and backward.

    Parameters
    ----------
    mask : ndarray of shape (T, S), (N, 1, S) or (N, T, S), or None
        True where a query may look, in both.
    rng : numpy.random.Generator
        Source of data and loss.

    Returns
    -------
    ours, theirs : dict of str to ndarray
        The same quantities under the same names.
    """
    arrays = {"q": (N, T, E), "k": (N, S, E), "v": (N, S, E + 1)}
    arrays = {name: rng.normal(size=shape) for name, shape in arrays.items()}
    dcontext = rng.normal(size=(N, T, E + 1))
    trace = attend(**arrays, mask=mask)
    grads = attend_backward(dcontext, trace)
    ours = {"outputs": trace.context} | {f"d{name}": getattr(grads, name) for name in arrays}

    leaves = {name: torch.from_numpy(array).requires_grad_() for name, array in arrays.items()}
    theirs = scaled_dot_product_attention(
        *leaves.values(), attn_mask=None if mask is None else torch.from_numpy(mask)
    )
    theirs.backward(torch.from_numpy(dcontext))
    gradients = {f"d{name}": leaf.grad.numpy() for name, leaf in leaves.items()}
    return ours, {"outputs": theirs.detach().numpy()} | gradients


def compare_self(mask, rng):
    """Run several heads on one sequence here and in PyTorch, as :func:`compare_scaled` does.

    Parameters
    ----------
    mask : ndarray of shape (T, T), (N, 1, T) or (N, T, T), or None
        True where a query may look.
    rng : numpy.random.Generator
        Source of weights, data and loss.

    Returns
    -------
    ours, theirs : dict of str to ndarray
        The same quantities under the same names.
    """
    return _compare_heads({"x": rng.normal(size=(N, T, M))}, mask, rng)


def compare_cross(mask, rng):
    """Run several heads that look at a memory here and in PyTorch.

    Parameters
    ----------
    mask : ndarray of shape (T, S), (N, 1, S) or (N, T, S), or None
        True where a query may look.
    rng : numpy.random.Generator
        Source of weights, data and loss.

    Returns
    -------
    ours, theirs : dict of str to ndarray
        The same quantities under the same names.
    """
    data = {"x": rng.normal(size=(N, T, M)), "memory": rng.normal(size=(N, S, M))}
    return _compare_heads(data, mask, rng)


def _compare_heads(data, mask, rng):
    matrices, biases = 0.5 * rng.normal(size=(4, M, M)), 0.5 * rng.normal(size=(4, M))
    params, dy = MultiHeadParams(*matrices, *biases), rng.normal(size=(N, T, M))
    trace = multi_head_forward(**data, params=params, n_heads=N_HEADS, mask=mask)
    grads = multi_head_backward(dy, trace, params)
    ours = {"outputs": trace.y, "weights": trace.weights}
    ours |= {f"d{name}": getattr(grads, name) for name in data}
    ours |= {f"dW_{name}": getattr(grads.params, f"W_{name}") for name in "qkvo"}
    ours |= {f"db_{name}": getattr(grads.params, f"b_{name}") for name in "qkvo"}

    module = to_torch(params, N_HEADS)
    leaves = {name: torch.from_numpy(array).requires_grad_() for name, array in data.items()}
    source = leaves.get("memory", leaves["x"])
    hidden = None
    if mask is not None:  # (N heads, T, S), and True hides
        every = np.broadcast_to(~mask, (N, T, source.shape[1]))
        hidden = torch.from_numpy(np.repeat(every, N_HEADS, axis=0))
    y, weights = module(leaves["x"], source, source, attn_mask=hidden, average_attn_weights=False)
    y.backward(torch.from_numpy(dy))
    theirs = {"outputs": y.detach().numpy(), "weights": weights.detach().numpy()}
    theirs |= {f"d{name}": leaf.grad.numpy() for name, leaf in leaves.items()}
    in_matrix, in_bias = module.in_proj_weight.grad.numpy(), module.in_proj_bias.grad.numpy()
    theirs |= {f"dW_{n}": g.T for n, g in zip("qkv", np.split(in_matrix, 3), strict=True)}
    theirs |= {f"db_{n}": g for n, g in zip("qkv", np.split(in_bias, 3), strict=True)}
    theirs |= {"dW_o": module.out_proj.weight.grad.numpy().T}
    return ours, theirs | {"db_o": module.out_proj.bias.grad.numpy()}
