"""Recurrent cells twice more, slow and obvious: one number at a time, and by PyTorch's autograd.

``by_hand`` computes every unit of every sequence by a sum over plain numbers. ``by_autograd`` runs
the text-book formulas of one step in PyTorch, gate by gate, and lets autograd find all gradients.
Neither uses a layer of PyTorch: those are compared in test_torch_bridge.py and test_parity.py.
"""

from dataclasses import fields, is_dataclass, replace
from math import exp, sqrt, tanh

import numpy as np
import torch

EPSILON = 1e-5  # of layer normalisation


def logistic(a):
    return 1.0 / (1.0 + exp(-a))


def total(x, W, k, bias):
    """The k-th entry of x @ W + bias, added up."""
    return sum(x[j] * W[j, k] for j in range(len(x))) + bias[k]


def rnn_by_hand(x, h, p, activation):
    phi = {"tanh": tanh, "relu": lambda a: a if a > 0 else 0.0, "linear": lambda a: a}[activation]
    H = len(h)
    return [phi(total(x, p.W_xh, k, p.b_h) + total(h, p.W_hh, k, np.zeros(H))) for k in range(H)]


def lstm_by_hand(x, h, c, p, clamp):
    H = len(h)
    peephole = np.zeros((3, H)) if p.w_ca is None else p.w_ca
    new_h, new_c = [], []
    for k in range(H):
        a = [
            total(x, p.W_xa, q * H + k, p.b_a) + total(h, p.W_ha, q * H + k, np.zeros(4 * H))
            for q in range(4)
        ]
        i = clamp.get("i", logistic(a[0] + peephole[0, k] * c[k]))
        f = clamp.get("f", logistic(a[1] + peephole[1, k] * c[k]))
        g = clamp.get("g", tanh(a[2]))
        c_k = f * c[k] + i * g
        o = clamp.get("o", logistic(a[3] + peephole[2, k] * c_k))
        new_c.append(c_k)
        new_h.append(o * tanh(c_k))
    return new_h, new_c


def gru_by_hand(x, h, p):
    H = len(h)
    r, z = (
        [
            logistic(total(x, p.W_xa, q * H + k, p.b_x) + total(h, p.W_ha, q * H + k, p.b_h))
            for k in range(H)
        ]
        for q in range(2)
    )
    new_h = []
    for k in range(H):
        column = 2 * H + k
        if p.reset == "after":
            back = r[k] * total(h, p.W_ha, column, p.b_h)
        else:
            back = total([r[j] * h[j] for j in range(H)], p.W_ha, column, p.b_h)
        n = tanh(total(x, p.W_xa, column, p.b_x) + back)
        keep = z[k] if p.update == "keep" else 1.0 - z[k]
        new_h.append(keep * h[k] + (1.0 - keep) * n)
    return new_h


def by_hand(step, x, states, mask):
    """States (N, T + 1, H) of all sequences; ``step(x, *states)`` returns a list of new states."""
    N, T, _ = x.shape
    seen = [np.empty((N, T + 1, state.shape[1])) for state in states]
    for n in range(N):
        now = [list(state[n]) for state in states]
        for t in range(T + 1):
            for array, values in zip(seen, now, strict=True):
                array[n, t] = values
            if t < T and (mask is None or mask[n, t]):
                now = step(x[n, t], *now)
    return seen


def arrays_of(params, prefix=""):
    """Every array of a dataclass of weights by its name; those of an inner cell as cell.NAME."""
    found = {}
    for field in fields(params):
        value = getattr(params, field.name)
        if is_dataclass(value):
            found |= arrays_of(value, f"{prefix}{field.name}.")
        elif isinstance(value, np.ndarray):
            found[prefix + field.name] = value
    return found


def with_array(params, name, value):
    """The same weights with another array under this name."""
    if "." in name:
        outer, inner = name.split(".", 1)
        return replace(params, **{outer: with_array(getattr(params, outer), inner, value)})
    return replace(params, **{name: value})


def norm(a, gain, bias):
    """Layer normalisation by its definition."""
    mean = a.mean(dim=-1, keepdim=True)
    variance = ((a - mean) ** 2).mean(dim=-1, keepdim=True)
    return (a - mean) / torch.sqrt(variance + EPSILON) * gain + bias


def rnn_step(w, activation):
    phi = {"tanh": torch.tanh, "relu": torch.relu, "linear": lambda a: a}[activation]
    return lambda x, h: (phi(x @ w["W_xh"] + h @ w["W_hh"] + w["b_h"]),)


def lstm_step(w, clamp):
    def step(x, h, c):
        H = h.shape[1]
        a = x @ w["W_xa"] + h @ w["W_ha"] + w["b_a"]
        peephole = w.get("w_ca", torch.zeros(3, H))
        held = {name: torch.full_like(h, value) for name, value in clamp.items()}
        i = held.get("i", torch.sigmoid(a[:, 0:H] + peephole[0] * c))
        f = held.get("f", torch.sigmoid(a[:, H : 2 * H] + peephole[1] * c))
        g = held.get("g", torch.tanh(a[:, 2 * H : 3 * H]))
        c = f * c + i * g
        o = held.get("o", torch.sigmoid(a[:, 3 * H : 4 * H] + peephole[2] * c))
        return o * torch.tanh(c), c

    return step


def gru_step(w, reset, update):
    def step(x, h):
        H = h.shape[1]
        r, z = (
            torch.sigmoid(
                x @ w["W_xa"][:, q * H : (q + 1) * H]
                + w["b_x"][q * H : (q + 1) * H]
                + h @ w["W_ha"][:, q * H : (q + 1) * H]
                + w["b_h"][q * H : (q + 1) * H]
            )
            for q in range(2)
        )
        W_hn, b_hn = w["W_ha"][:, 2 * H :], w["b_h"][2 * H :]
        back = r * (h @ W_hn + b_hn) if reset == "after" else (r * h) @ W_hn + b_hn
        n = torch.tanh(x @ w["W_xa"][:, 2 * H :] + w["b_x"][2 * H :] + back)
        return (z * h + (1 - z) * n,) if update == "keep" else ((1 - z) * h + z * n,)

    return step


def layer_norm_rnn_step(w, activation):
    phi = {"tanh": torch.tanh, "relu": torch.relu, "linear": lambda a: a}[activation]
    return lambda x, h: (
        phi(norm(x @ w["cell.W_xh"] + h @ w["cell.W_hh"], w["gain"], w["cell.b_h"])),
    )


def layer_norm_lstm_step(w):
    def step(x, h, c):
        a = norm(x @ w["cell.W_xa"], w["gain_x"], 0.0) + w["cell.b_a"]
        a = a + norm(h @ w["cell.W_ha"], w["gain_h"], 0.0)
        i, f, g, o = a.chunk(4, dim=1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(norm(c, w["gain_c"], w["b_c"])), c

    return step


def layer_norm_gru_step(w, update):
    def step(x, h):
        H = h.shape[1]
        parts = []
        for columns in (slice(0, 2 * H), slice(2 * H, 3 * H)):
            for source, W, b in ((x, "cell.W_xa", "cell.b_x"), (h, "cell.W_ha", "cell.b_h")):
                gain = w["gain_x" if source is x else "gain_h"][columns]
                parts.append(norm(source @ w[W][:, columns], gain, w[b][columns]))
        r, z = torch.sigmoid(parts[0] + parts[1]).chunk(2, dim=1)
        n = torch.tanh(parts[2] + r * parts[3])
        return (z * h + (1 - z) * n,) if update == "keep" else ((1 - z) * h + z * n,)

    return step


def by_autograd(make_step, params, x, states, mask, dh, ends):
    """States, and the gradient of sum(h * dh) + sum(final state * end) for everything.

    Returns
    -------
    seen : list of ndarray (N, T + 1, H), one for each state
    gradients : dict of name to ndarray: every array of params, "x", and "0", "1" for the states
    """
    leaves = {name: torch.from_numpy(a.copy()).requires_grad_() for name, a in
              arrays_of(params).items()}  # fmt: skip
    inputs = torch.from_numpy(x.copy()).requires_grad_()
    starts = [torch.from_numpy(state.copy()).requires_grad_() for state in states]
    step, now, seen = make_step(leaves), tuple(starts), [tuple(starts)]
    for t in range(x.shape[1]):
        new = step(inputs[:, t], *now)
        if mask is not None:
            keep = torch.from_numpy(mask[:, t, None])
            new = tuple(torch.where(keep, a, b) for a, b in zip(new, now, strict=True))
        now = new
        seen.append(now)
    loss = sum((h[0] * torch.from_numpy(dh[:, t])).sum() for t, h in enumerate(seen[1:]))
    loss = loss + sum(
        (state * torch.from_numpy(end)).sum() for state, end in zip(now, ends, strict=True)
    )
    wanted = {**leaves, "x": inputs, **{str(k): start for k, start in enumerate(starts)}}
    found = torch.autograd.grad(loss, list(wanted.values()), allow_unused=True)
    gradients = {
        name: np.zeros(tuple(leaf.shape)) if gradient is None else gradient.numpy()
        for (name, leaf), gradient in zip(wanted.items(), found, strict=True)
    }
    arrays = [np.stack([s[k].detach().numpy() for s in seen], axis=1) for k in range(len(now))]
    return arrays, gradients


def layer_norm_by_hand(x, gain, bias):
    """One vector, one number at a time."""
    mean = sum(x) / len(x)
    variance = sum((value - mean) ** 2 for value in x) / len(x)
    return [(v - mean) / sqrt(variance + EPSILON) * g + b for v, g, b in
            zip(x, gain, bias, strict=True)]  # fmt: skip
