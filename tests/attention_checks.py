"""One compact check of attention against its oracles; tests and mutants both use it.

A check is given the modules to look at, so that a mutant can be looked at in their place.
"""

import importlib
from types import SimpleNamespace

import attention_oracles as oracles
import numpy as np

# Each may import from those before it, so a mutant is loaded with all that follow.
MODULES = ("attention", "multi_head", "attention_bridge", "attention_parity")
N, T, S, E_q, E_k, E_v, A, M, N_HEADS = 2, 4, 5, 3, 7, 6, 8, 12, 3
CLOSE = {"rtol": 0, "atol": 1e-10}  # numbers of order 1 to 10; float64 leaves about 1e-14
SCORES = ("dot", "scaled", "additive")
# Written by hand, not by the functions that are under test.
CAUSAL = np.array([[1, 1, 0, 0, 0], [1, 1, 1, 0, 0], [1, 1, 1, 1, 0], [1] * 5], dtype=bool)
SQUARE = np.array([[1, 0, 0, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1] * 4], dtype=bool)
PADDING = np.array([[[1, 1, 0, 0, 0]], [[1, 1, 1, 1, 0]]], dtype=bool)
MASKS = {"every key": None, "causal": CAUSAL, "padding": PADDING, "both": CAUSAL & PADDING}


def real_modules():
    """The modules as they are, under their short names."""
    return SimpleNamespace(
        **{name: importlib.import_module(f"course_lib.{name}") for name in MODULES}
    )


def random_case(modules, score, rng):
    """Arguments of attend, and a loss: queries and keys of different widths where they may be."""
    width = E_k if score == "additive" else E_q
    q, k, v = (rng.normal(size=shape) for shape in ((N, T, E_q), (N, S, width), (N, S, E_v)))
    if score == "additive":
        score = modules.attention.init_additive(E_q, E_k, A, rng)
    return (2 * q, 2 * k, v, score), rng.normal(size=(N, T, E_v))


def check_score(modules, score, rng, mask="both"):
    """Scores, weights and contexts are those by hand; every gradient is that of autograd."""
    arguments, dcontext = random_case(modules, score, rng)
    trace = modules.attention.attend(*arguments, mask=MASKS[mask])
    slow = oracles.attend_by_hand(*arguments, MASKS[mask])
    for name, expected in zip(("scores", "weights", "context"), slow, strict=True):
        np.testing.assert_allclose(getattr(trace, name), expected, **CLOSE, err_msg=name)
    grads = modules.attention.attend_backward(dcontext, trace)
    ours = {name: getattr(grads, name) for name in "qkv"}
    if score == "additive":
        ours |= {f"params.{name}": getattr(grads.params, name) for name in ("W_q", "W_k", "v")}
    theirs = oracles.attend_gradients(*arguments, MASKS[mask], dcontext)
    assert set(ours) == set(theirs)
    for name, value in theirs.items():
        np.testing.assert_allclose(ours[name], value, **CLOSE, err_msg=f"d{name}")


def check_functions(modules, rng):
    """Masks are those written out, scores alone those by hand, softmax goes along its axis."""
    attention = modules.attention
    np.testing.assert_array_equal(attention.causal_mask(T, S), CAUSAL)
    np.testing.assert_array_equal(attention.causal_mask(T), SQUARE)
    np.testing.assert_array_equal(attention.padding_mask([2, 4], S), PADDING)
    for score in SCORES:
        (q, k, v, which), _ = random_case(modules, score, rng)
        more = (which,) if score == "additive" else ()
        scores = getattr(attention, f"{score}_scores")(q, k, *more)
        np.testing.assert_allclose(scores, oracles.attend_by_hand(q, k, v, which)[0], **CLOSE)
    for axis in (0, 1):
        scores = rng.normal(size=(3, 4))
        exps = np.exp(scores)
        expected = exps / exps.sum(axis=axis, keepdims=True)
        np.testing.assert_allclose(attention.softmax(scores, axis=axis), expected, **CLOSE)
    large = attention.softmax(np.array([1000.0, 1001.0, -np.inf]))
    np.testing.assert_allclose(large, [1 / (1 + np.e), np.e / (1 + np.e), 0.0], **CLOSE)


def check_heads(modules, rng, mask="both", rotary=False):
    """Several heads are those computed one after the other, outputs and every gradient."""
    mask = {"causal": SQUARE, "padding": PADDING[:, :, :T], "both": SQUARE & PADDING[:, :, :T]}.get(
        mask
    )
    matrices, biases = 0.5 * rng.normal(size=(4, M, M)), 0.5 * rng.normal(size=(4, M))
    params = modules.multi_head.MultiHeadParams(*matrices, *biases)
    x, dy = rng.normal(size=(2, N, T, M))
    trace = modules.multi_head.multi_head_forward(x, params, N_HEADS, mask=mask, rotary=rotary)
    grads = modules.multi_head.multi_head_backward(dy, trace, params)
    y, theirs = oracles.multi_head_by_autograd(x, params, N_HEADS, mask, dy, rotary)
    np.testing.assert_allclose(trace.y, y, **CLOSE, err_msg="y")
    for name, value in theirs.items():
        ours = grads.x if name == "x" else getattr(grads.params, name)
        np.testing.assert_allclose(ours, value, **CLOSE, err_msg=f"d{name}")


def check_parity(modules, rng):
    """Everything agrees with PyTorch's own attention, and weights come back from there."""
    for row in modules.attention_parity.attention_parity(int(rng.integers(1000))):
        assert row.difference <= CLOSE["atol"], f"{row.quantity} of {row.cell}: {row.difference}"
    matrices, biases = rng.normal(size=(4, M, M)), rng.normal(size=(4, M))
    params = modules.multi_head.MultiHeadParams(*matrices, *biases)
    bridge = modules.attention_bridge
    back = bridge.from_torch(bridge.to_torch(params, N_HEADS))
    for kind in "Wb":
        for part in "qkvo":
            name = f"{kind}_{part}"
            np.testing.assert_array_equal(getattr(back, name), getattr(params, name))


CHECKS = {
    **{score: lambda m, rng, score=score: check_score(m, score, rng) for score in SCORES},
    "functions": check_functions,
    "heads": check_heads,
    "rotary": lambda m, rng: check_heads(m, rng, rotary=True),
    "parity": check_parity,
}
