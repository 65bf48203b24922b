"""Attention written out: one number at a time on plain floats, and once more for autograd."""

from math import exp, sqrt, tanh

import numpy as np
import torch


def score_by_hand(q, k, score):
    """One score of a query and a key, given as lists."""
    if score in ("dot", "scaled"):
        total = sum(a * b for a, b in zip(q, k, strict=True))
        return total / sqrt(len(q)) if score == "scaled" else total
    total = 0.0
    for j in range(len(score.v)):
        a = sum(q[i] * score.W_q[i, j] for i in range(len(q)))
        a += sum(k[i] * score.W_k[i, j] for i in range(len(k)))
        total += score.v[j] * tanh(a)
    return total


def attend_by_hand(q, k, v, score, mask=None):
    """Scores, weights and contexts of a batch, one query after the other."""
    (N, T, _), S, E_v = q.shape, k.shape[1], v.shape[2]
    scores, weights, context = np.zeros((N, T, S)), np.zeros((N, T, S)), np.zeros((N, T, E_v))
    may_look = np.broadcast_to(True if mask is None else mask, (N, T, S))
    for n in range(N):
        for t in range(T):
            for s in range(S):
                scores[n, t, s] = score_by_hand(q[n, t], k[n, s], score)
            total = sum(exp(scores[n, t, s]) for s in range(S) if may_look[n, t, s])
            for s in range(S):
                if may_look[n, t, s]:
                    weights[n, t, s] = exp(scores[n, t, s]) / total
                    context[n, t] += weights[n, t, s] * v[n, s]
    return scores, weights, context


def _scores_in_torch(q, k, score):
    if isinstance(score, dict):
        hidden = torch.tanh((q @ score["W_q"])[:, :, None] + (k @ score["W_k"])[:, None])
        return (hidden * score["v"]).sum(-1)
    scores = torch.einsum("nte,nse->nts", q, k)
    return scores / sqrt(q.shape[-1]) if score == "scaled" else scores


def _attend_in_torch(q, k, v, score, mask):
    scores = _scores_in_torch(q, k, score)
    if mask is not None:
        hidden = torch.from_numpy(~np.broadcast_to(mask, tuple(scores.shape)))
        scores = scores.masked_fill(hidden, -float("inf"))
    return torch.softmax(scores, dim=-1) @ v


def attend_gradients(q, k, v, score, mask, dcontext):
    """Gradients by name: q, k, v, and W_q, W_k, params.v of an additive score."""
    leaves = {"q": q, "k": k, "v": v}
    additive = score not in ("dot", "scaled")
    if additive:
        leaves |= {f"params.{name}": getattr(score, name) for name in ("W_q", "W_k", "v")}
    leaves = {name: torch.tensor(value, requires_grad=True) for name, value in leaves.items()}
    if additive:
        score = {name[7:]: leaf for name, leaf in leaves.items() if name.startswith("params.")}
    context = _attend_in_torch(leaves["q"], leaves["k"], leaves["v"], score, mask)
    context.backward(torch.from_numpy(dcontext))
    return {name: leaf.grad.numpy() for name, leaf in leaves.items()}


def _turned(x):
    """Rotary places: pairs (0, 1), (2, 3) as complex numbers, times e^(i t omega)."""
    T, E = x.shape[-2:]
    pairs = torch.view_as_complex(x.reshape(*x.shape[:-1], E // 2, 2))
    speeds = 10000.0 ** (-torch.arange(0, E, 2, dtype=torch.float64) / E)
    angles = torch.arange(T, dtype=torch.float64)[:, None] * speeds
    return torch.view_as_real(pairs * torch.polar(torch.ones_like(angles), angles)).flatten(-2)


def multi_head_by_autograd(x, params, n_heads, mask, dy, rotary):
    """Outputs and gradients by name (x and the weights) of self-attention, head after head."""
    names = [f"{kind}_{part}" for kind in "Wb" for part in "qkvo"]
    leaves = {"x": x} | {name: getattr(params, name) for name in names}
    w = {name: torch.tensor(value, requires_grad=True) for name, value in leaves.items()}
    E, heads = x.shape[2] // n_heads, []
    for i in range(n_heads):
        mine = slice(i * E, (i + 1) * E)
        q, k, v = (w["x"] @ w[f"W_{p}"][:, mine] + w[f"b_{p}"][mine] for p in "qkv")
        if rotary:
            q, k = _turned(q), _turned(k)
        heads.append(_attend_in_torch(q, k, v, "scaled", mask))
    y = torch.cat(heads, dim=-1) @ w["W_o"] + w["b_o"]
    y.backward(torch.from_numpy(dy))
    return y.detach().numpy(), {name: leaf.grad.numpy() for name, leaf in w.items()}
