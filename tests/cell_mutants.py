"""Wrong cells that the compact check must reject: small edits of the source, each a likely mistake.

An entry is (module, what is wrong, text, text that takes its place, variants that must notice),
and then the padding they are run with, if it is not a mask. The text must occur exactly once in
the module, so that an edit of the module cannot quietly turn a mutant into the module itself.
"""

import importlib
import sys
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace

LIBRARY = Path(__file__).resolve().parents[1] / "course_lib"
# Each may import from those before it, so a mutant is loaded with all that follow.
ORDER = (
    *("_recurrent", "rnn", "lstm", "gru"),
    *("layer_norm", "layer_norm_lstm", "layer_norm_gru"),
)
RNN = ("rnn tanh", "rnn relu", "rnn linear")
LSTM = ("lstm", "lstm peepholes")
GRU = ("gru after keep", "gru after write", "gru before keep", "gru before write")
AFTER, BEFORE = GRU[:2], GRU[2:]
HELD = ("lstm f, o held", "lstm i, g held")
LN_GRU = ("layer norm gru keep", "layer norm gru write")

MUTANTS = [
    # What all cells share.
    ("_recurrent", "lengths are one step too long", "np.arange(T) < check", "np.arange(T) <= check",
     RNN, "lengths"),
    ("_recurrent", "lengths are one step too short", "np.arange(T) < check",
     "np.arange(1, T + 1) < check", RNN, "lengths"),
    ("_recurrent", "mask turned round", "    mask = mask.astype(bool)\n",
     "    mask = ~mask.astype(bool)\n", RNN),
    ("_recurrent", "logistic of twice its argument", "np.tanh(0.5 * a)", "np.tanh(a)", GRU),
    ("_recurrent", "start state ignored",
     "return check_finite(name, check_shape(name, state, (N, H)))", "return np.zeros((N, H))", RNN),
    # Vanilla cell.
    ("rnn", "recurrent weights transposed", "from_input[t] + h[t] @ params.W_hh)",
     "from_input[t] + h[t] @ params.W_hh.T)", RNN),
    ("rnn", "bias forgotten", "from_input = x @ params.W_xh + params.b_h",
     "from_input = x @ params.W_xh", RNN),
    ("rnn", "carry missing: every step starts from the first state",
     "h_t = phi(from_input[t] + h[t] @", "h_t = phi(from_input[t] + h[0] @", RNN),
    ("rnn", "input of the step before", "phi(from_input[t] + h", "phi(from_input[t - 1] + h", RNN),
    ("rnn", "mask forgotten in the forward pass",
     "h_t if kept is None else np.where(kept[t], h_t, h[t])", "h_t", RNN),
    ("rnn", "a masked step clears the state", "np.where(kept[t], h_t, h[t])",
     "np.where(kept[t], h_t, 0.0)", RNN),
    ("rnn", "cell without its bias", "h_prev @ params.W_hh + params.b_h)", "h_prev @ params.W_hh)",
     RNN),
    ("rnn", "cell: recurrent weights transposed", "h_prev @ params.W_hh + ",
     "h_prev @ params.W_hh.T + ", RNN),
    ("rnn", "slope of tanh without the square", "1.0 - h**2", "1.0 - h", RNN[:1]),
    ("rnn", "slope of relu everywhere 1", "(h > 0.0).astype(float)", "np.ones_like(h)", RNN[1:2]),
    ("rnn", "slope at the state before", "slope(h[t + 1])", "slope(h[t])", RNN[:2]),
    ("rnn", "slope forgotten", "da[t] = dh_t * slope(h[t + 1])", "da[t] = dh_t", RNN[:2]),
    ("rnn", "gradient from the step after forgotten", "dh_t = dh[t] + dh_next", "dh_t = dh[t]",
     RNN),
    ("rnn", "gradient at the outputs forgotten", "dh_t = dh[t] + dh_next", "dh_t = dh_next", RNN),
    ("rnn", "recurrent weights not transposed on the way back",
     "            dh_next = da[t] @ params.W_hh.T\n", "            dh_next = da[t] @ params.W_hh\n",
     RNN, "none"),
    ("rnn", "mask forgotten in the backward pass", "da[t] *= kept[t]", "pass", RNN),
    ("rnn", "masked step does not hand the gradient back",
     "np.where(kept[t], da[t] @ params.W_hh.T, dh_t)", "kept[t] * (da[t] @ params.W_hh.T)", RNN),
    ("rnn", "gradient of W_hh with the state after the step", "dW_hh = h[:-1].reshape",
     "dW_hh = h[1:].reshape", RNN),
    ("rnn", "gradient of W_xh from the last step only", "dW_xh = x.reshape(T * N, D).T @ flat",
     "dW_xh = x[-1].T @ da[-1]", RNN),
    ("rnn", "gradient of the bias is a mean", "flat.sum(axis=0)", "flat.mean(axis=0)", RNN),
    ("rnn", "gradient at the final state forgotten", 'read_state("dh_final", dh_final, N, H)',
     "np.zeros((N, H))", RNN),
    # LSTM.
    ("lstm", "blocks of i and f swapped", 'GATES = "ifgo"', 'GATES = "figo"', LSTM),
    ("lstm", "blocks of g and o swapped", 'GATES = "ifgo"', 'GATES = "ifog"', LSTM),
    ("lstm", "recurrent weights transposed block by block", "W_ha = k * params.W_ha",
     "W_ha = k * np.hstack([B.T for B in np.split(params.W_ha, 4, axis=1)])", LSTM),
    ("lstm", "bias forgotten", "gates += k * params.b_a", "pass", LSTM),
    ("lstm", "gates of twice the pre-activation", "k = np.full(4 * H, 0.5)",
     "k = np.full(4 * H, 1.0)", LSTM),
    ("lstm", "g is a logistic", "    k[block(\"g\", GATES, H)] = 1.0\n", "", LSTM),
    ("lstm", "input gate forgotten", "c[t + 1] = f * c[t] + i * g", "c[t + 1] = f * c[t] + g",
     LSTM),
    ("lstm", "forget gate forgotten", "c[t + 1] = f * c[t] + i * g", "c[t + 1] = c[t] + i * g",
     LSTM),
    ("lstm", "forget gate tied to the input gate", "c[t + 1] = f * c[t] + i * g",
     "c[t + 1] = (1 - i) * c[t] + i * g", LSTM),
    ("lstm", "cell not carried", "c[t + 1] = f * c[t] + i * g", "c[t + 1] = f * c[0] + i * g",
     LSTM),
    ("lstm", "state not carried", "a += h[t] @ W_ha", "a += h[0] @ W_ha", LSTM),
    ("lstm", "tanh of the cell forgotten", "h[t + 1] = o * np.tanh(c[t + 1])",
     "h[t + 1] = o * c[t + 1]", LSTM),
    ("lstm", "cell of the step before is shown", "h[t + 1] = o * np.tanh(c[t + 1])",
     "h[t + 1] = o * np.tanh(c[t])", LSTM),
    ("lstm", "mask forgotten for h", "np.copyto(h[t + 1], h[t], where=~kept[t])", "pass", LSTM),
    ("lstm", "mask forgotten for c", "np.copyto(c[t + 1], c[t], where=~kept[t])", "pass", LSTM),
    ("lstm", "peephole of o sees the cell before", "o += w_ca[2] * c[t + 1]", "o += w_ca[2] * c[t]",
     LSTM[1:]),
    ("lstm", "peepholes of i and f swapped", "i += w_ca[0] * c[t]", "i += w_ca[1] * c[t]",
     LSTM[1:]),
    ("lstm", "peephole of f forgotten", "f += w_ca[1] * c[t]", "pass", LSTM[1:]),
    ("lstm", "held gate is let go of after the peephole",
     "            _squash_inplace(o, 0.5)\n            _hold_inplace(a, held)\n",
     "            _squash_inplace(o, 0.5)\n", HELD[:1]),
    ("lstm", "cell: blocks of f and g swapped", "a_i, a_f, a_g, a_o = np.split",
     "a_i, a_g, a_f, a_o = np.split", LSTM),
    ("lstm", "cell: peephole of o sees the cell before", "sigmoid(a_o + w_co * c_t)",
     "sigmoid(a_o + w_co * c_prev)", LSTM[1:]),
    ("lstm", "cell: tanh of the cell forgotten", "return o * np.tanh(c_t), c_t",
     "return o * c_t, c_t", LSTM),
    ("lstm", "gradient of o without its slope", "dh_t * tanh_c * o[t] * (1.0 - o[t])",
     "dh_t * tanh_c", LSTM),
    ("lstm", "gradient of i without the factor 1 - i", "dc_t * g[t] * i[t] * (1.0 - i[t])",
     "dc_t * g[t] * i[t]", LSTM),
    ("lstm", "gradient of f with the new cell", "dc_t * c[t] * f[t] * (1.0 - f[t])",
     "dc_t * c[t + 1] * f[t] * (1.0 - f[t])", LSTM),
    ("lstm", "gradient of g without the square", "dc_t * i[t] * (1.0 - g[t] ** 2)",
     "dc_t * i[t] * (1.0 - g[t])", LSTM),
    ("lstm", "gradient of the cell without the slope of tanh", "dh_t * o[t] * (1.0 - tanh_c**2)",
     "dh_t * o[t]", LSTM),
    ("lstm", "gradient of the cell from the step after forgotten", "dc_t = dc_next + dh_t",
     "dc_t = dh_t", LSTM),
    ("lstm", "forget gate missing on the way back", "da[t] @ params.W_ha.T, dc_t * f[t]",
     "da[t] @ params.W_ha.T, dc_t", LSTM),
    ("lstm", "gradient from the step after forgotten", "dh_t, tanh_c = dh[t] + dh_next",
     "dh_t, tanh_c = dh[t]", LSTM),
    ("lstm", "mask forgotten in the backward pass", "da[t] *= kept[t]", "pass", LSTM),
    ("lstm", "masked step does not hand dh back", "np.where(kept[t], dh_prev, dh_t)",
     "np.where(kept[t], dh_prev, 0.0)", LSTM),
    ("lstm", "masked step does not hand dc back", "np.where(kept[t], dc_prev, dc_next)",
     "np.where(kept[t], dc_prev, 0.0)", LSTM),
    ("lstm", "masked step hands back too much", "np.where(kept[t], dc_prev, dc_next)",
     "np.where(kept[t], dc_prev, dc_t)", LSTM),
    ("lstm", "held gates still learn", "        for name in trace.clamp:\n",
     "        for name in ():\n", HELD),
    ("lstm", "a held o still sends a gradient through its peephole", 'if "o" in trace.clamp:',
     'if "o" in "":', HELD[:1]),
    ("lstm", "peephole of o missing on the way back", "dc_t += da_o * params.w_ca[2]", "pass",
     LSTM[1:]),
    ("lstm", "peephole of f missing on the way back",
     "dc_prev += da_i * params.w_ca[0] + da_f * params.w_ca[1]",
     "dc_prev += da_i * params.w_ca[0]", LSTM[1:]),
    ("lstm", "gradient of the peephole of o with the cell before", '(c[1:], "o")', '(c[:-1], "o")',
     LSTM[1:]),
    ("lstm", "gradient of W_ha with the state after the step", "dW_ha = h[:-1].reshape",
     "dW_ha = h[1:].reshape", LSTM),
    ("lstm", "gradient at the final cell forgotten", 'read_state("dc_final", dc_final, N, H)',
     "np.zeros((N, H))", LSTM),
    ("lstm", "h0 and c0 swapped in the gradient", "        h0=dh_next,\n        c0=dc_next,\n",
     "        h0=dc_next,\n        c0=dh_next,\n", LSTM),
    # GRU.
    ("gru", "blocks of r and z swapped", 'GATES = "rzn"', 'GATES = "zrn"', GRU),
    ("gru", "keep and write swapped in the forward pass",
     '(h[t], n) if params.update == "keep"', '(n, h[t]) if params.update == "keep"', GRU[::2]),
    ("gru", "state not carried", "a_h = h[t] @ W_h + b_h", "a_h = h[0] @ W_h + b_h", GRU),
    ("gru", "bias of the state forgotten", "a_h = h[t] @ W_h + b_h", "a_h = h[t] @ W_h", GRU),
    ("gru", "bias of the input forgotten", "gates += params.b_x", "pass", GRU),
    ("gru", "the two biases swapped", "gates += params.b_x", "gates += params.b_h", AFTER),
    ("gru", "reset before instead of after the bias", "n += r * past[t]",
     "n += r * (past[t] - b_hn) + b_hn", AFTER),
    ("gru", "reset after instead of before the product", "n += (r * h[t]) @ W_hn + b_hn",
     "n += r * (h[t] @ W_hn) + b_hn", BEFORE),
    ("gru", "reset also of the bias", "n += (r * h[t]) @ W_hn + b_hn",
     "n += r * (h[t] @ W_hn + b_hn)", BEFORE),
    ("gru", "reset forgotten (after)", "n += r * past[t]", "n += past[t]", AFTER),
    ("gru", "reset forgotten (before)", "n += (r * h[t]) @ W_hn", "n += h[t] @ W_hn", BEFORE),
    ("gru", "recurrent weights of n transposed", "n += (r * h[t]) @ W_hn",
     "n += (r * h[t]) @ W_hn.T", BEFORE),
    ("gru", "candidate without tanh", "np.tanh(n, out=n)", "pass", GRU),
    ("gru", "mask forgotten", "np.copyto(h[t + 1], h[t], where=~kept[t])", "pass", GRU),
    ("gru", "cell: reset before the product", "r * (h_prev @ W_hn + b_hn)",
     "(r * h_prev) @ W_hn + b_hn", AFTER),
    ("gru", "cell: reset after the product", "(r * h_prev) @ W_hn + b_hn",
     "r * (h_prev @ W_hn) + b_hn", BEFORE),
    ("gru", "cell: update turned round",
     'keep = z if params.update == "keep" else 1.0 - z\n    return',
     'keep = 1.0 - z if params.update == "keep" else z\n    return', GRU),
    ("gru", "keep and write swapped in the backward pass",
     'keep = z[t] if params.update == "keep" else 1.0 - z[t]',
     'keep = 1.0 - z[t] if params.update == "keep" else z[t]', GRU),
    ("gru", "sign of dz", 'h[t] - n[t] if params.update == "keep" else n[t] - h[t]',
     'n[t] - h[t] if params.update == "keep" else h[t] - n[t]', GRU),
    ("gru", "gradient of z with the state after the step", "h[t] - n[t] if", "h[t + 1] - n[t] if",
     GRU[::2]),
    ("gru", "gradient of z without its slope", "dz * z[t] * (1.0 - z[t])", "dz", GRU),
    ("gru", "gradient of n without the factor 1 - keep", "dh_t * (1.0 - keep) * (1.0 - n[t] ** 2)",
     "dh_t * (1.0 - n[t] ** 2)", GRU),
    ("gru", "gradient of n without the square", "(1.0 - n[t] ** 2)", "(1.0 - n[t])", GRU),
    ("gru", "gradient of r without the factor 1 - r", "past[t] * r[t] * (1.0 - r[t])",
     "past[t] * r[t]", GRU),
    ("gru", "gradient of r without what it multiplies", "drh * past[t] * r[t]", "drh * r[t]", GRU),
    ("gru", "reset missing on the way back (after)", "= da_n * r[t]", "= da_n", AFTER),
    ("gru", "reset missing on the way back (before)", "dh_prev += drh * r[t]", "dh_prev += drh",
     BEFORE),
    ("gru", "way through the reset product forgotten", "dh_prev += drh * r[t]", "pass", BEFORE),
    ("gru", "straight way back forgotten", "dh_prev = dh_t * keep + da_h", "dh_prev = da_h", GRU),
    ("gru", "gradient from the step after forgotten", "dh_t = dh[t] + dh_next", "dh_t = dh[t]",
     GRU),
    ("gru", "mask forgotten in the backward pass", "da[t] *= kept[t]", "pass", GRU),
    ("gru", "masked step does not hand the gradient back", "np.where(kept[t], dh_prev, dh_t)",
     "np.where(kept[t], dh_prev, 0.0)", GRU),
    ("gru", "gradient of W_ha with the state after the step", "dW_ha = h[:-1].reshape",
     "dW_ha = h[1:].reshape", GRU),
    ("gru", "gradient of W_hn without the reset", "(r * h[:-1]).reshape", "(1.0 * h[:-1]).reshape",
     BEFORE),
    ("gru", "gradients of the two biases swapped",
     "db_x, db_h = flat.sum(axis=0), flat_h.sum(axis=0)",
     "db_h, db_x = flat.sum(axis=0), flat_h.sum(axis=0)", AFTER),
    ("gru", "gradient at the final state forgotten", 'read_state("dh_final", dh_final, N, H)',
     "np.zeros((N, H))", GRU),
    # Layer normalisation.
    ("layer_norm", "variance with N - 1", "(centred**2).mean(axis=-1, keepdims=True)",
     "x.var(axis=-1, keepdims=True, ddof=1)", ("layer norm rnn",)),
    ("layer_norm", "statistics over the batch", "x - x.mean(axis=-1, keepdims=True)",
     "x - x.mean(axis=0, keepdims=True)", ("layer norm rnn",)),
    ("layer_norm", "epsilon outside the root",
     "np.sqrt((centred**2).mean(axis=-1, keepdims=True) + EPSILON)",
     "(np.sqrt((centred**2).mean(axis=-1, keepdims=True)) + EPSILON)", ("layer norm rnn",)),
    ("layer_norm", "the mean is a constant on the way back", "dnormed - mean - normed * along",
     "dnormed - normed * along", ("layer norm rnn",)),
    ("layer_norm", "the variance is a constant on the way back", "dnormed - mean - normed * along",
     "dnormed - mean", ("layer norm rnn",)),
    ("layer_norm", "gain missing on the way back", "normalise_backward(dy[t] * params.gain, ",
     "normalise_backward(dy[t], ", ("layer norm rnn",)),
    ("layer_norm", "bias under the norm", "normed[t] * params.gain + cell.b_h",
     "(normed[t] + cell.b_h) * params.gain", ("layer norm rnn",)),
    ("layer_norm", "gradient of the gain at the wrong place",
     "gain=(dy * norm.normed).sum(axis=(0, 1))",
     "gain=(da * norm.normed).sum(axis=(0, 1))", ("layer norm rnn",)),
    ("layer_norm", "mask forgotten in the backward pass", "dy[t] *= kept[t]", "pass",
     ("layer norm rnn",)),
    ("layer_norm_lstm", "the cell itself is normalised", "normalise(c[t + 1])\n",
     "normalise(c[t + 1])\n        c[t + 1] = norm_c.normed[t]\n", ("layer norm lstm",)),
    ("layer_norm_lstm", "one norm of the sum instead of two",
     "normalise(h[t] @ cell.W_ha)", "normalise(h[t] @ cell.W_ha + x[t] @ cell.W_xa)",
     ("layer norm lstm",)),
    ("layer_norm_lstm", "norm of the cell is not gone back through",
     "dc_t = dc_next + normalise_backward(\n", "dc_t = dc_next + (lambda dm_t, *norm: dm_t)(\n",
     ("layer norm lstm",)),
    ("layer_norm_lstm", "gain_x and gain_h swapped", "da * params.gain_x, norm_x",
     "da * params.gain_h, norm_x", ("layer norm lstm",)),
    ("layer_norm_lstm", "mask forgotten for the shown cell", "dm[t] *= kept[t]", "pass",
     ("layer norm lstm",)),
    ("layer_norm_gru", "all three blocks normalised together",
     "return slice(0, 2 * H), slice(2 * H, 3 * H)", "return (slice(0, 3 * H),)", LN_GRU),
    ("layer_norm_gru", "r and z normalised apart", "return slice(0, 2 * H), slice(2 * H, 3 * H)",
     "return slice(0, H), slice(H, 2 * H), slice(2 * H, 3 * H)", LN_GRU),
    ("layer_norm_gru", "reset forgotten on the way back", "dy_h[t][:, 2 * H :] *= r[t]", "pass",
     LN_GRU),
    ("layer_norm_gru", "gradient of gain_h from the input's side",
     "gain_h=(dy_h * norm_h.normed)", "gain_h=(da * norm_h.normed)", LN_GRU),
]  # fmt: skip


def source_of(module):
    return (LIBRARY / f"{module}.py").read_text(encoding="utf-8")


def mutated(module, old, new):
    """Source of a module with one edit; an assertion fails if the text is not there once."""
    source = source_of(module)
    assert source.count(old) == 1, f"{module}.py has {source.count(old)} times: {old!r}"
    return source.replace(old, new)


@contextmanager
def loaded(module, source):
    """All modules with this source for one of them; afterwards everything is as before."""
    for name in ORDER:
        importlib.import_module(f"course_lib.{name}")
    before = {name: sys.modules[f"course_lib.{name}"] for name in ORDER}
    fresh = {}
    try:
        for name in ORDER[ORDER.index(module) :]:
            full = f"course_lib.{name}"
            fresh[name] = ModuleType(full)
            sys.modules[full] = fresh[name]
            text = source if name == module else source_of(name)
            exec(compile(text, f"mutant of {name}.py", "exec"), fresh[name].__dict__)
        yield SimpleNamespace(**{**before, **fresh})
    finally:
        for name, original in before.items():
            sys.modules[f"course_lib.{name}"] = original
