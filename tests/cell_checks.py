"""One compact check of a recurrent cell against its oracles; tests and mutants both use it.

A check is given the modules to look at, so that a mutant can be looked at in their place.
"""

import importlib
from dataclasses import dataclass, field, replace
from types import SimpleNamespace

import cell_oracles as oracles
import numpy as np
import torch
from oracles import central_differences

N, T, D, H = 3, 6, 4, 5
CLOSE = {"rtol": 0, "atol": 1e-10}  # numbers of order 1 to 10; float64 leaves about 1e-14
LENGTHS = np.array([4, 6, 1])
MASK = np.array([[1, 0, 1, 1, 0, 1], [0, 0, 1, 0, 1, 0], [1, 1, 0, 1, 1, 1]], dtype=bool)
MODULES = (
    *("rnn", "lstm", "gru", "layer_norm", "layer_norm_lstm", "layer_norm_gru"),
    *("recurrent_layers", "torch_bridge", "parity"),
)
PADDINGS = {"none": {}, "lengths": {"lengths": LENGTHS}, "mask": {"mask": MASK}}


@dataclass(frozen=True)
class Variant:
    """One form of a cell: how to build its weights, and how the oracles run it."""

    module: str
    init: object  # modules, rng -> params
    autograd: object  # params, options -> function of the leaves that returns a step
    by_hand: object = None  # params, options -> step on plain numbers
    states: tuple = ("h0",)
    options: dict = field(default_factory=dict)  # of forward


def _rnn(activation, recurrent="uniform"):
    options = {"activation": activation}
    return Variant(
        "rnn",
        lambda m, rng: m.rnn.init_rnn(D, H, rng, recurrent),
        lambda p, o: lambda w: oracles.rnn_step(w, o["activation"]),
        lambda p, o: lambda x, h: [oracles.rnn_by_hand(x, h, p, o["activation"])],
        options=options,
    )


def _lstm(peepholes=False, clamp=None):
    return Variant(
        "lstm",
        lambda m, rng: m.lstm.init_lstm(D, H, rng, peepholes=peepholes),
        lambda p, o: lambda w: oracles.lstm_step(w, o["clamp"] or {}),
        lambda p, o: lambda x, h, c: oracles.lstm_by_hand(x, h, c, p, o["clamp"] or {}),
        ("h0", "c0"),
        {"clamp": clamp},
    )


def _gru(reset, update):
    return Variant(
        "gru",
        lambda m, rng: m.gru.init_gru(D, H, rng, reset, update),
        lambda p, o: lambda w: oracles.gru_step(w, p.reset, p.update),
        lambda p, o: lambda x, h: [oracles.gru_by_hand(x, h, p)],
    )


def _gain(rng, size):
    return rng.uniform(0.5, 1.5, size)


def _layer_norm_rnn(activation):
    return Variant(
        "layer_norm",
        lambda m, rng: m.layer_norm.LayerNormRNNParams(m.rnn.init_rnn(D, H, rng), _gain(rng, H)),
        lambda p, o: lambda w: oracles.layer_norm_rnn_step(w, o["activation"]),
        options={"activation": activation},
    )


LAYER_NORM_LSTM = Variant(
    "layer_norm_lstm",
    lambda m, rng: m.layer_norm_lstm.LayerNormLSTMParams(
        m.lstm.init_lstm(D, H, rng), *(_gain(rng, size) for size in (4 * H, 4 * H, H, H))
    ),
    lambda p, o: lambda w: oracles.layer_norm_lstm_step(w),
    states=("h0", "c0"),
)


def _layer_norm_gru(update):
    return Variant(
        "layer_norm_gru",
        lambda m, rng: m.layer_norm_gru.LayerNormGRUParams(
            m.gru.init_gru(D, H, rng, update=update), _gain(rng, 3 * H), _gain(rng, 3 * H)
        ),
        lambda p, o: lambda w: oracles.layer_norm_gru_step(w, p.cell.update),
    )


VARIANTS = {
    "rnn tanh": _rnn("tanh"),
    "rnn relu": _rnn("relu"),
    "rnn linear": _rnn("linear", "orthogonal"),
    "lstm": _lstm(),
    "lstm peepholes": _lstm(peepholes=True),
    "lstm f, o held": _lstm(peepholes=True, clamp={"f": 0.75, "o": 0.5}),
    "lstm i, g held": _lstm(clamp={"i": 0.25, "g": -0.5}),
    "gru after keep": _gru("after", "keep"),
    "gru after write": _gru("after", "write"),
    "gru before keep": _gru("before", "keep"),
    "gru before write": _gru("before", "write"),
    "layer norm rnn": _layer_norm_rnn("tanh"),
    "layer norm rnn relu": _layer_norm_rnn("relu"),
    "layer norm lstm": LAYER_NORM_LSTM,
    "layer norm gru keep": _layer_norm_gru("keep"),
    "layer norm gru write": _layer_norm_gru("write"),
}
# Names of forward and backward of each module.
PREFIX = {"layer_norm": "layer_norm_rnn"}


@dataclass(frozen=True)
class Case:
    """Weights, data and loss of one check."""

    params: object
    x: np.ndarray
    states: tuple
    dh: np.ndarray
    ends: tuple


def random_case(modules, variant, rng, T=T):
    """Random everything; states beyond (-1, 1) and a bias at every gate."""
    return Case(
        variant.init(modules, rng),
        rng.normal(size=(N, T, D)),
        tuple(rng.normal(size=(N, H)) for _ in variant.states),
        rng.normal(size=(N, T, H)),
        tuple(rng.normal(size=(N, H)) for _ in variant.states),
    )


def functions(modules, variant):
    """Forward, backward and the cell (None for layer normalisation)."""
    module = getattr(modules, variant.module)
    prefix = PREFIX.get(variant.module, variant.module)
    cell = getattr(module, f"{prefix}_cell", None)
    return getattr(module, f"{prefix}_forward"), getattr(module, f"{prefix}_backward"), cell


def run(modules, variant, case, padding):
    """Our states [h (, c)], and every gradient by name, as oracles.by_autograd returns them."""
    forward, backward, _ = functions(modules, variant)
    starts = dict(zip(variant.states, case.states, strict=True))
    trace = forward(case.x, case.params, **starts, **PADDINGS[padding], **variant.options)
    names = ("dh_final", "dc_final")[: len(case.ends)]
    ends = dict(zip(names, case.ends, strict=True))
    grads = backward(case.dh, trace, case.params, **ends)
    seen = getattr(trace, "cell", trace)
    states = [getattr(seen, name[0]) for name in variant.states]
    gradients = {**oracles.arrays_of(grads.params), "x": grads.x}
    gradients |= {str(k): getattr(grads, name) for k, name in enumerate(variant.states)}
    return states, gradients


def steps_read(padding):
    """Mask (N, T) of a padding, or None."""
    if padding == "none":
        return None
    if padding == "mask":
        return MASK
    return np.array([[t < length for t in range(T)] for length in LENGTHS])


def check_variant(modules, name, rng, padding="mask"):
    """States and every gradient agree with autograd; states agree with sums by hand."""
    variant = VARIANTS[name]
    case, mask = random_case(modules, variant, rng), steps_read(padding)
    states, gradients = run(modules, variant, case, padding)
    expected, expected_gradients = oracles.by_autograd(
        variant.autograd(case.params, variant.options),
        *(case.params, case.x, case.states, mask, case.dh, case.ends),
    )
    for ours, theirs in zip(states, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, **CLOSE, err_msg=f"states of {name}")
    assert set(gradients) == set(expected_gradients)
    for key, theirs in expected_gradients.items():
        np.testing.assert_allclose(gradients[key], theirs, **CLOSE, err_msg=f"d{key} of {name}")
    if variant.by_hand is None:
        return
    slow = oracles.by_hand(variant.by_hand(case.params, variant.options), case.x, case.states, mask)
    for ours, theirs in zip(states, slow, strict=True):
        np.testing.assert_allclose(ours, theirs, **CLOSE, err_msg=f"{name} by hand")
    if "clamp" not in variant.options or variant.options["clamp"] is None:
        check_cell(modules, variant, case)


def check_cell(modules, variant, case):
    """One step by the cell function is the first step of the sum by hand."""
    cell = functions(modules, variant)[2]
    options = variant.options if variant.module == "rnn" else {}
    new = cell(case.x[:, 0], *case.states, case.params, **options)
    new = new if isinstance(new, tuple) else (new,)
    first = oracles.by_hand(
        variant.by_hand(case.params, variant.options), case.x[:, :1], case.states, None
    )
    for ours, theirs in zip(new, first, strict=True):
        np.testing.assert_allclose(ours, theirs[:, 1], **CLOSE, err_msg="cell")


def check_layers(modules, rng):
    """Two layers in both directions, with lengths, are PyTorch's; weights come back from there."""
    inits = (modules.rnn.init_rnn, modules.lstm.init_lstm, modules.gru.init_gru)
    for init in inits:
        layers = modules.recurrent_layers.init_stack(init, D, H, rng, 2, True)
        ours, theirs = modules.parity.compare(layers, rng, lengths=LENGTHS)
        assert set(ours) == set(theirs)
        for quantity, values in ours.items():
            for a, b in zip(values, theirs[quantity], strict=True):
                np.testing.assert_allclose(a, b, **CLOSE, err_msg=f"{quantity} of {init.__name__}")
        module = modules.torch_bridge.to_torch(layers)
        for tensor in module.parameters():  # now with two biases that are not 0
            tensor.data += torch.from_numpy(rng.normal(size=tuple(tensor.shape)))
        x = rng.normal(size=(N, T, D))
        outputs, _ = module(torch.from_numpy(x))
        back = modules.torch_bridge.from_torch(module)
        h = modules.recurrent_layers.stack_forward(x, back).h
        np.testing.assert_allclose(h, outputs.detach().numpy(), **CLOSE, err_msg="from_torch")


def check(modules, name, rng, padding="mask"):
    """Check a variant of a cell, or the layers under the name "layers"."""
    if name == "layers":
        check_layers(modules, rng)
    else:
        check_variant(modules, name, rng, padding)


def real_modules():
    """The modules as they are, under their short names."""
    return SimpleNamespace(
        **{name: importlib.import_module(f"course_lib.{name}") for name in MODULES}
    )


def loss(modules, variant, case, padding):
    """The number of which backward gives the gradient: a random weight for everything."""
    forward, _, _ = functions(modules, variant)
    starts = dict(zip(variant.states, case.states, strict=True))
    trace = forward(case.x, case.params, **starts, **PADDINGS[padding], **variant.options)
    seen = getattr(trace, "cell", trace)
    finals = (seen.h_final, seen.c_final) if len(case.ends) == 2 else (seen.h_final,)
    total = (seen.h[:, 1:] * case.dh).sum()
    return total + sum((a * b).sum() for a, b in zip(finals, case.ends, strict=True))


def check_differences(modules, name, rng, padding):
    """Every gradient of backward is that of central differences of forward, entry by entry."""
    variant = VARIANTS[name]
    case = random_case(modules, variant, rng)
    _, gradients = run(modules, variant, case, padding)

    def moved(key, value):
        if key == "x":
            return replace(case, x=value)
        if key in ("0", "1"):
            states = list(case.states)
            states[int(key)] = value
            return replace(case, states=tuple(states))
        return replace(case, params=oracles.with_array(case.params, key, value))

    places = {**oracles.arrays_of(case.params), "x": case.x}
    places |= {str(k): state for k, state in enumerate(case.states)}
    for key, value in places.items():
        differences = central_differences(
            lambda v, key=key: loss(modules, variant, moved(key, v), padding), value
        )
        # Central differences with steps of 1e-5 leave errors of about 1e-9 here.
        np.testing.assert_allclose(
            gradients[key], differences, rtol=0, atol=1e-7, err_msg=f"d{key} of {name}"
        )
