"""Weights go to PyTorch and come back; its modules and ours then give the same numbers.

Here the modules of one step (nn.RNNCell and so on) are compared with every gradient, under a
mask, and the conversions are held against transposes written out. Layers are in test_parity.py.
"""

from dataclasses import fields, replace

import numpy as np
import pytest
import torch
from cell_checks import LENGTHS, MASK
from torch import nn

from course_lib.gru import GRUParams, gru_backward, gru_cell, gru_forward, init_gru
from course_lib.lstm import LSTMParams, init_lstm, lstm_backward, lstm_cell, lstm_forward
from course_lib.recurrent_layers import init_stack, stack_forward
from course_lib.rnn import RNNParams, init_rnn, rnn_backward, rnn_cell, rnn_forward
from course_lib.torch_bridge import from_torch, to_torch

N, T, D, H = 3, 6, 4, 5
CLOSE = {"rtol": 0, "atol": 1e-10}
INITS = {"rnn": init_rnn, "lstm": init_lstm, "gru": init_gru}
LAYERS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
CELLS = {"rnn": nn.RNNCell, "lstm": nn.LSTMCell, "gru": nn.GRUCell}
RUN = {
    "rnn": (rnn_forward, rnn_backward, rnn_cell),
    "lstm": (lstm_forward, lstm_backward, lstm_cell),
    "gru": (gru_forward, gru_backward, gru_cell),
}


def arrays(params):
    return [v for f in fields(params) if isinstance(v := getattr(params, f.name), np.ndarray)]


def transposed(tensor):
    return tensor.detach().numpy().T


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("mask", [None, MASK], ids=["whole", "mask"])
@pytest.mark.parametrize("kind, activation", [("rnn", "tanh"), ("rnn", "relu"), ("lstm", None),
                                              ("gru", None)])  # fmt: skip
def test_cells_of_pytorch_give_the_same_states_and_gradients(kind, activation, mask, seed):
    rng = np.random.default_rng(seed)
    params, (forward, backward, cell) = INITS[kind](D, H, rng), RUN[kind]
    options = {"activation": activation} if activation else {}
    names = ("h0", "c0") if kind == "lstm" else ("h0",)
    x, dh = rng.normal(size=(N, T, D)), rng.normal(size=(N, T, H))
    starts, ends = ({name: rng.normal(size=(N, H)) for name in names} for _ in range(2))
    trace = forward(x, params, **starts, mask=mask, **options)
    grads = backward(dh, trace, params, **{f"d{k[0]}_final": v for k, v in ends.items()})

    module = to_torch(params, cell=True, **options)
    leaves = {name: torch.from_numpy(v.copy()).requires_grad_() for name, v in
              {"x": x, **starts}.items()}  # fmt: skip
    now = tuple(leaves[name] for name in names)
    total = torch.zeros(())
    for t in range(T):
        new = module(leaves["x"][:, t], now if kind == "lstm" else now[0])
        new = new if isinstance(new, tuple) else (new,)
        if mask is not None:
            keep = torch.from_numpy(mask[:, t, None])
            new = tuple(torch.where(keep, a, b) for a, b in zip(new, now, strict=True))
        now = new
        np.testing.assert_allclose(trace.h[:, t + 1], now[0].detach().numpy(), **CLOSE)
        total = total + (now[0] * torch.from_numpy(dh[:, t])).sum()
    for name, state in zip(names, now, strict=True):
        total = total + (state * torch.from_numpy(ends[name])).sum()
        ours = getattr(trace, f"{name[0]}_final")
        np.testing.assert_allclose(ours, state.detach().numpy(), **CLOSE)
    total.backward()

    for name, leaf in leaves.items():
        np.testing.assert_allclose(getattr(grads, name), leaf.grad.numpy(), **CLOSE)
    W_x, W_h, *biases = arrays(grads.params)
    np.testing.assert_allclose(W_x, module.weight_ih.grad.numpy().T, **CLOSE)
    np.testing.assert_allclose(W_h, module.weight_hh.grad.numpy().T, **CLOSE)
    np.testing.assert_allclose(biases[0], module.bias_ih.grad.numpy(), **CLOSE)
    np.testing.assert_allclose(biases[-1], module.bias_hh.grad.numpy(), **CLOSE)

    one = cell(x[:, 0], *starts.values(), params, **options)
    one = one if isinstance(one, tuple) else (one,)
    state = tuple(torch.from_numpy(start) for start in starts.values())
    theirs = module(torch.from_numpy(x[:, 0]), state if kind == "lstm" else state[0])
    theirs = theirs if isinstance(theirs, tuple) else (theirs,)
    for a, b in zip(one, theirs, strict=True):
        np.testing.assert_allclose(a, b.detach().numpy(), **CLOSE)


class TestFromTorch:
    def test_rnn_is_transposed_and_its_biases_added(self):
        module = nn.RNN(D, H)
        params = from_torch(module)
        assert type(params) is RNNParams and params.W_xh.dtype == np.float64
        np.testing.assert_array_equal(params.W_xh, transposed(module.weight_ih_l0))
        np.testing.assert_array_equal(params.W_hh, transposed(module.weight_hh_l0))
        both = module.bias_ih_l0.double() + module.bias_hh_l0.double()
        np.testing.assert_array_equal(params.b_h, both.detach().numpy())

    def test_lstm_keeps_the_order_of_its_blocks(self):
        module = nn.LSTM(D, H).double()
        params = from_torch(module)
        for k, name in enumerate("ifgo"):
            rows = slice(k * H, (k + 1) * H)
            W_x, W_h, b = params.gate(name)
            np.testing.assert_array_equal(W_x, transposed(module.weight_ih_l0[rows]))
            np.testing.assert_array_equal(W_h, transposed(module.weight_hh_l0[rows]))
            both = module.bias_ih_l0[rows] + module.bias_hh_l0[rows]
            np.testing.assert_array_equal(b, both.detach().numpy())

    def test_gru_keeps_both_biases_apart(self):
        module = nn.GRU(D, H).double()
        params = from_torch(module)
        assert (params.reset, params.update) == ("after", "keep")
        for k, name in enumerate("rzn"):
            rows = slice(k * H, (k + 1) * H)
            _, _, b_x, b_h = params.gate(name)
            np.testing.assert_array_equal(b_x, module.bias_ih_l0[rows].detach().numpy())
            np.testing.assert_array_equal(b_h, module.bias_hh_l0[rows].detach().numpy())

    @pytest.mark.parametrize("kind", LAYERS)
    @pytest.mark.parametrize("options", [
        {}, {"bias": False}, {"num_layers": 3}, {"bidirectional": True},
        {"num_layers": 2, "bidirectional": True, "batch_first": True, "dropout": 0.5},
    ], ids=str)  # fmt: skip
    def test_any_module_gives_the_same_states_here(self, kind, options, rng):
        module = LAYERS[kind](D, H, **options).double().eval()  # eval: no dropout
        layers = from_torch(module)
        layers = layers if isinstance(layers, tuple) else ((layers,),)
        x = rng.normal(size=(N, T, D))
        first = options.get("batch_first", False)
        theirs, _ = module(torch.from_numpy(x if first else x.swapaxes(0, 1).copy()))
        theirs = theirs.detach().numpy() if first else theirs.detach().numpy().swapaxes(0, 1)
        np.testing.assert_allclose(stack_forward(x, layers).h, theirs, **CLOSE)

    @pytest.mark.parametrize("kind", CELLS)
    @pytest.mark.parametrize("bias", [True, False])
    def test_cells(self, kind, bias, rng):
        module = CELLS[kind](D, H, bias=bias).double()
        x, state = rng.normal(size=(N, D)), np.zeros((2 if kind == "lstm" else 1, N, H))
        ours = RUN[kind][2](x, *state, from_torch(module))
        theirs = module(torch.from_numpy(x))
        ours, theirs = (v[0] if isinstance(v, tuple) else v for v in (ours, theirs))
        np.testing.assert_allclose(ours, theirs.detach().numpy(), **CLOSE)

    def test_weights_are_copies(self):
        module = nn.GRU(D, H).double()
        params = from_torch(module)
        before = params.W_ha.copy()
        with torch.no_grad():
            for tensor in module.parameters():
                tensor.zero_()
        np.testing.assert_array_equal(params.W_ha, before)

    @pytest.mark.parametrize(
        "module, got",
        [
            (nn.Linear(2, 3), "Linear"),
            (nn.Sequential(nn.RNN(2, 3)), "Sequential"),
            (nn.MultiheadAttention(4, 2), "MultiheadAttention"),
            (torch.zeros(3), "Tensor"),
            (None, "NoneType"),
            (nn.LSTM, "type"),
        ],
    )
    def test_modules_of_another_kind(self, module, got):
        message = f"module must be one of nn.RNN, nn.LSTM, nn.GRU, nn.RNNCell, .* got {got}"
        with pytest.raises(ValueError, match=message):
            from_torch(module)

    def test_a_projection_of_the_state(self):
        with pytest.raises(ValueError, match="module must have proj_size = 0, got 2"):
            from_torch(nn.LSTM(D, H, proj_size=2))


class TestToTorch:
    @pytest.mark.parametrize("kind", LAYERS)
    @pytest.mark.parametrize("cell", [False, True])
    def test_kind_and_precision(self, kind, cell, rng):
        module = to_torch(INITS[kind](D, H, rng), cell=cell)
        assert type(module) is (CELLS if cell else LAYERS)[kind]
        assert {p.dtype for p in module.parameters()} == {torch.float64}
        assert (module.input_size, module.hidden_size) == (D, H)
        assert cell or module.batch_first

    @pytest.mark.parametrize("kind", LAYERS)
    def test_there_and_back_keeps_every_bit(self, kind, rng):
        params = INITS[kind](D, H, rng)
        for back in (from_torch(to_torch(params)), from_torch(to_torch(params, cell=True))):
            assert type(back) is type(params)
            for a, b in zip(arrays(params), arrays(back), strict=True):
                np.testing.assert_array_equal(a, b)

    @pytest.mark.parametrize("kind", LAYERS)
    def test_layers_there_and_back(self, kind, rng):
        layers = init_stack(INITS[kind], D, H, rng, n_layers=3, bidirectional=True)
        back = from_torch(to_torch(layers))
        assert [len(row) for row in back] == [2, 2, 2]
        for row, back_row in zip(layers, back, strict=True):
            for params, other in zip(row, back_row, strict=True):
                for a, b in zip(arrays(params), arrays(other), strict=True):
                    np.testing.assert_array_equal(a, b)

    def test_gru_that_writes_is_turned_into_pytorchs(self, rng):
        params = init_gru(D, H, rng, update="write")
        x = rng.normal(size=(N, T, D))
        theirs, _ = to_torch(params)(torch.from_numpy(x))
        ours = gru_forward(x, params).h[:, 1:]
        np.testing.assert_allclose(ours, theirs.detach().numpy(), **CLOSE)

    def test_weights_are_copies(self, rng):
        params = init_rnn(D, H, rng)
        before = params.W_hh.copy()
        with torch.no_grad():
            to_torch(params).weight_hh_l0.zero_()
        np.testing.assert_array_equal(params.W_hh, before)

    @pytest.mark.parametrize(
        "make, options, message",
        [
            (lambda g: init_gru(D, H, g, "before"), {}, "reset must be 'after'.*got 'before'"),
            (lambda g: init_lstm(D, H, g, peepholes=True), {}, "must have no peepholes"),
            (lambda g: init_rnn(D, H, g), {"activation": "linear"}, "'tanh' or 'relu'.*'linear'"),
            (lambda g: init_stack(init_gru, D, H, g, 2), {"cell": True}, "one cell, got 2 x 1"),
            (lambda g: "weights", {}, "layers must hold RNNParams, .* got str"),
            (lambda g: ((init_gru(D, H, g),), (init_gru(D, H, g),)), {}, "layer 1 must have"),
        ],
    )
    def test_what_pytorch_has_not(self, rng, make, options, message):
        with pytest.raises(ValueError, match=message):
            to_torch(make(rng), **options)


def test_weights_trained_there_run_here(rng):
    """What the chapters do: a trained float32 layer, read in float64."""
    module = nn.LSTM(D, H, batch_first=True)
    x = rng.normal(size=(N, T, D))
    trace = lstm_forward(x, from_torch(module), lengths=LENGTHS)
    theirs, _ = module(torch.from_numpy(x).float())
    for n, length in enumerate(LENGTHS):
        ours = trace.h[n, 1 : length + 1]
        # float32 keeps 7 digits; six steps lose one of them.
        np.testing.assert_allclose(ours, theirs[n, :length].detach().numpy(), rtol=0, atol=1e-6)


def test_other_forms_of_params_need_no_torch():
    """An update rule or gradient step keeps the class, so it converts too."""
    params = GRUParams(np.ones((D, 15)), np.ones((H, 15)), np.ones(15), np.ones(15))
    changed = replace(params, W_xa=params.W_xa - 0.5)
    assert from_torch(to_torch(changed)).W_xa.tolist() == np.full((D, 15), 0.5).tolist()
    assert isinstance(from_torch(to_torch(init_lstm(1, 1, np.random.default_rng(0)))), LSTMParams)
