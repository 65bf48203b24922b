"""The compact check of a transformer block: PyTorch's layer, a loop by hand, the cache, the bridge.

Its parts take the modules they check, so that the mutants of :mod:`transformer_mutants` go through
the same lines.
"""

from itertools import product
from math import cos, erf, exp, sin, sqrt

import numpy as np
import torch
from oracles import central_differences

N, T, M, HEADS, F = 3, 5, 8, 2, 7
E = M // HEADS
NORMS, ACTIVATIONS = ("pre", "post"), ("relu", "gelu")
PARITY = {"rtol": 0, "atol": 1e-10}
LENGTHS = np.array([5, 2, 3])


def random_block(modules, rng, width=F):
    """A block no number of which is special: not even the gains are 1."""
    params = modules.transformer.init_block(M, width, rng)
    vectors = ("gain_1", "bias_1", "gain_2", "bias_2", "b_2")
    values = {name: getattr(params, name) + rng.normal(0, 0.5, M) for name in vectors}
    attention = modules.multi_head.init_multi_head(M, rng)
    biases = ("b_q", "b_k", "b_v", "b_o")
    attention = modules.multi_head.MultiHeadParams(
        *(2.0 * getattr(attention, f"W_{a}") for a in "qkvo"), *rng.normal(size=(len(biases), M))
    )
    kept = {name: getattr(params, name) for name in ("W_1", "b_1", "W_2")}
    return modules.transformer.BlockParams(attention=attention, **values, **kept)


def masks():
    """Masks (T, T) and (N, 1 or T, T), True where a row may look."""
    causal = np.tri(T, dtype=bool)
    padding = (np.arange(T) < LENGTHS[:, None])[:, None]
    return {"none": None, "causal": causal, "padding": padding, "both": causal & padding}


def leaves_of(params):
    """Every array of weights, by name."""
    attention = {
        f"{kind}_{a}": getattr(params.attention, f"{kind}_{a}") for kind in "Wb" for a in "qkvo"
    }
    own = ("gain_1", "bias_1", "gain_2", "bias_2", "W_1", "b_1", "W_2", "b_2")
    return attention | {name: getattr(params, name) for name in own}


def torch_grads(layer):
    """The gradients of PyTorch's layer under our names and in our shapes."""
    attention = layer.self_attn
    grads = {}
    weights, biases = attention.in_proj_weight.grad.chunk(3), attention.in_proj_bias.grad.chunk(3)
    for letter, weight, bias in zip("qkv", weights, biases, strict=True):
        grads |= {f"W_{letter}": weight.T, f"b_{letter}": bias}
    out = attention.out_proj
    grads |= {"W_o": out.weight.grad.T, "b_o": out.bias.grad}
    for number, norm, linear in ((1, layer.norm1, layer.linear1), (2, layer.norm2, layer.linear2)):
        grads |= {f"gain_{number}": norm.weight.grad, f"bias_{number}": norm.bias.grad}
        grads |= {f"W_{number}": linear.weight.grad.T, f"b_{number}": linear.bias.grad}
    return {name: grad.numpy() for name, grad in grads.items()}


def check_parity(modules, rng, norm, activation, mask_name):
    """Outputs and every gradient against nn.TransformerEncoderLayer; there True forbids."""
    params, mask = random_block(modules, rng), masks()[mask_name]
    x, dy = rng.normal(size=(2, N, T, M))
    trace = modules.transformer.block_forward(x, params, HEADS, norm, activation, mask)
    grads = modules.transformer.block_backward(dy, trace, params)

    layer = modules.block_bridge.block_to_torch(params, HEADS, norm, activation)
    theirs_x = torch.from_numpy(x).requires_grad_()
    forbidden = None
    if mask is not None:
        forbidden = np.repeat(np.broadcast_to(~mask, (N, T, T)), HEADS, axis=0)
        forbidden = torch.from_numpy(forbidden.copy())
    theirs = layer(theirs_x, src_mask=forbidden)
    theirs.backward(torch.from_numpy(dy))
    np.testing.assert_allclose(trace.y, theirs.detach().numpy(), **PARITY)
    np.testing.assert_allclose(grads.x, theirs_x.grad.numpy(), **PARITY)
    wanted = torch_grads(layer)
    for name, grad in leaves_of(grads.params).items():
        np.testing.assert_allclose(grad, wanted[name], **PARITY, err_msg=name)


def by_hand(x, p, norm, activation, mask, rotary):
    """The block one vector and one head at a time, (T, M) of one sequence."""

    def normed(v, gain, bias):
        return (v - v.mean()) / sqrt(((v - v.mean()) ** 2).mean() + 1e-5) * gain + bias

    def turned(v, t):
        pairs = [complex(*v[i : i + 2]) for i in range(0, E, 2)]
        angles = [t / 10000.0 ** (2 * i / E) for i in range(E // 2)]
        pairs = [z * complex(cos(a), sin(a)) for z, a in zip(pairs, angles, strict=True)]
        return np.array([part for z in pairs for part in (z.real, z.imag)])

    def attended(rows):
        a, out = p.attention, np.empty((T, M))
        for h, t in product(range(HEADS), range(T)):
            columns = slice(h * E, (h + 1) * E)
            q = (rows[t] @ a.W_q + a.b_q)[columns]
            keys = [(rows[s] @ a.W_k + a.b_k)[columns] for s in range(T)]
            if rotary:
                q, keys = turned(q, t), [turned(keys[s], s) for s in range(T)]
            seen = [s for s in range(T) if mask is None or mask[min(t, len(mask) - 1), s]]
            shares = [exp(q @ keys[s] / sqrt(E)) for s in seen]
            values = [(rows[s] @ a.W_v + a.b_v)[columns] for s in seen]
            out[t, columns] = sum(w * v for w, v in zip(shares, values, strict=True)) / sum(shares)
        return out @ a.W_o + a.b_o

    def fed(v):
        hidden = v @ p.W_1 + p.b_1
        if activation == "relu":
            hidden = np.array([max(a, 0.0) for a in hidden])
        else:
            hidden = np.array([a * (1 + erf(a / sqrt(2))) / 2 for a in hidden])
        return hidden @ p.W_2 + p.b_2

    first, second = (p.gain_1, p.bias_1), (p.gain_2, p.bias_2)
    if norm == "pre":
        m = x + attended(np.array([normed(v, *first) for v in x]))
        return np.array([v + fed(normed(v, *second)) for v in m])
    m = np.array([normed(v, *first) for v in x + attended(x)])
    return np.array([normed(v + fed(v), *second) for v in m])


def check_by_hand(modules, rng, norm, activation, mask_name, rotary):
    """The result against loops over vectors and heads."""
    params, mask = random_block(modules, rng), masks()[mask_name]
    x = rng.normal(size=(N, T, M))
    y = modules.transformer.block_forward(x, params, HEADS, norm, activation, mask, rotary).y
    for n in range(N):
        own = mask if mask is None or mask.ndim == 2 else mask[n]
        wanted = by_hand(x[n], params, norm, activation, own, rotary)
        np.testing.assert_allclose(y[n], wanted, **PARITY)


def check_cache(modules, rng, norm, activation, rotary):
    """Step after step against the whole sequence under a causal mask."""
    params, x = random_block(modules, rng), rng.normal(size=(N, T, M))
    causal = np.tri(T, dtype=bool)
    whole = modules.transformer.block_forward(x, params, HEADS, norm, activation, causal, rotary)
    cache, rows = None, []
    for t in range(T):
        y_t, cache = modules.key_value_cache.block_step(
            x[:, t], cache, params, HEADS, norm, activation, rotary
        )
        rows.append(y_t)
        assert cache.length == t + 1
        assert cache.nbytes == 2 * N * M * (t + 1) * 8
    np.testing.assert_allclose(np.stack(rows, axis=1), whole.y, **PARITY)


def check_bridge(modules, rng, norm, activation):
    """To PyTorch and back: every weight is where it was."""
    params = random_block(modules, rng)
    layer = modules.block_bridge.block_to_torch(params, HEADS, norm, activation)
    back, options = modules.block_bridge.block_from_torch(layer)
    assert options == {"n_heads": HEADS, "norm": norm, "activation": activation}
    for name, ours in leaves_of(params).items():
        np.testing.assert_array_equal(leaves_of(back)[name], ours, err_msg=name)


def check_rotary_gradient(modules, rng):
    """With rotary positions against central differences, PyTorch's layer has none."""
    params, x = random_block(modules, rng), rng.normal(size=(1, T, M))
    dy, causal = rng.normal(size=x.shape), np.tri(T, dtype=bool)

    def result(x, params):
        return modules.transformer.block_forward(x, params, HEADS, mask=causal, rotary=True)

    grads = modules.transformer.block_backward(dy, result(x, params), params)
    differences = central_differences(lambda v: (result(v, params).y * dy).sum(), x)
    np.testing.assert_allclose(grads.x, differences, rtol=0, atol=1e-7)


def check(modules, rng):
    """All of it once, cheap enough to run for every mutant."""
    for norm, activation in zip(NORMS, ACTIVATIONS, strict=True):
        check_parity(modules, rng, norm, activation, "both")
        check_parity(modules, rng, norm, ACTIVATIONS[norm == "pre"], "none")
        check_by_hand(modules, rng, norm, activation, "both", rotary=True)
        check_cache(modules, rng, norm, activation, rotary=True)
        check_bridge(modules, rng, norm, activation)
    check_rotary_gradient(modules, rng)
