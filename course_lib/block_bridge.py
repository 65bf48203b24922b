"""Weights of a transformer block as PyTorch's ``nn.TransformerEncoderLayer``, and back, exactly.

PyTorch stores every matrix the other way round: its ``linear1.weight`` is our ``W_1.T``. Its masks
of True and False mean the opposite too: there True forbids, here True allows.

Letters: M model width, F width inside the feed-forward part.
"""

import torch
from torch import nn

from course_lib.attention_bridge import from_torch, to_torch
from course_lib.transformer import BlockParams, read_options


def block_from_torch(module):
    """Return the weights of an encoder layer as those of this book, in float64, and its options.

    Dropout is no weight and is left behind.

    Parameters
    ----------
    module : nn.TransformerEncoderLayer
        With biases, on any device, in any precision; a subclass that computes the same is welcome.

    Returns
    -------
    params : BlockParams
        Its weights.
    options : dict
        ``n_heads``, ``norm`` and ``activation``, as
        :func:`~course_lib.transformer.block_forward` and
        :func:`~course_lib.key_value_cache.block_step` take them.

    Raises
    ------
    ValueError
        If the module is of another kind, or its activation is neither relu nor the exact gelu.
    """
    if not isinstance(module, nn.TransformerEncoderLayer):
        raise ValueError(f"module must be nn.TransformerEncoderLayer, got {type(module).__name__}")
    options = {
        "n_heads": module.self_attn.num_heads,
        "norm": "pre" if module.norm_first else "post",
        "activation": _name_of(module.activation),
    }
    params = BlockParams(
        from_torch(module.self_attn),
        *map(_array, (module.norm1.weight, module.norm1.bias)),
        *map(_array, (module.norm2.weight, module.norm2.bias)),
        *map(_array, (module.linear1.weight.T, module.linear1.bias)),
        *map(_array, (module.linear2.weight.T, module.linear2.bias)),
    )
    return params, options


def _name_of(activation):
    """Name of PyTorch's function, or module, in this book."""
    if activation is nn.functional.relu or isinstance(activation, nn.ReLU):
        return "relu"
    exact = isinstance(activation, nn.GELU) and activation.approximate == "none"
    if activation is nn.functional.gelu or exact:
        return "gelu"
    raise ValueError(f"module.activation must be relu or gelu by erf, got {activation}")


def _array(tensor):
    return tensor.detach().cpu().double().numpy().copy()


def block_to_torch(params, n_heads, norm="pre", activation="relu"):
    """Return the encoder layer of PyTorch with these weights, in float64, batch first, no dropout.

    Parameters
    ----------
    params : BlockParams
        Weights of one block, F at least 1.
    n_heads : int
        Number of heads; it divides M.
    norm : {"pre", "post"}
        Layer norm before each part, or after each sum.
    activation : {"relu", "gelu"}
        Function inside the feed-forward part.

    Returns
    -------
    module : nn.TransformerEncoderLayer
        Its dtype is torch.float64.

    Raises
    ------
    ValueError
        If the block has no feed-forward part, or an option is unknown.
    """
    read_options(norm, activation)
    M, F = params.W_1.shape
    if F == 0:
        raise ValueError("params must have a feed-forward part, PyTorch always has; got F = 0")
    module = nn.TransformerEncoderLayer(
        *(M, n_heads, F),
        dropout=0.0,
        activation=activation,
        batch_first=True,
        norm_first=norm == "pre",
        dtype=torch.float64,
    )
    module.self_attn = to_torch(params.attention, n_heads)
    pairs = (
        (module.norm1, params.gain_1, params.bias_1),
        (module.norm2, params.gain_2, params.bias_2),
        (module.linear1, params.W_1.T, params.b_1),
        (module.linear2, params.W_2.T, params.b_2),
    )
    with torch.no_grad():
        for part, weight, bias in pairs:
            part.weight.copy_(torch.from_numpy(weight.copy()))
            part.bias.copy_(torch.from_numpy(bias.copy()))
    return module
