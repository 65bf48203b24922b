"""Checks of chapter 07, LSTM.

Letters: N batch, T time, D input, H hidden. Sizes are pairwise distinct wherever that is possible.
"""

import numpy as np

from course_lib.exercises.kit import exercise, wrong_claim, wrong_function, wrong_value
from course_lib.lstm import LSTMParams, lstm_forward

_RNG = np.random.default_rng(707)
STEP = (  # x_t (N, D), h_prev, c_prev (N, H), W_xa (D, 4H), W_ha (H, 4H), b_a (4H,)
    _RNG.normal(size=(5, 2)),
    0.5 * _RNG.normal(size=(5, 3)),
    _RNG.normal(size=(5, 3)),
    _RNG.normal(size=(2, 12)),
    _RNG.normal(size=(3, 12)),
    _RNG.normal(size=12),
)
FORGET = _RNG.uniform(0.2, 0.95, (6, 3))  # (T, H)


def _sigmoid(a):
    return 1 / (1 + np.exp(-a))


# ---- 7.1 ------------------------------------------------------------------------------------

GATES = {"i": 0.9, "f": 0.5, "g": -0.6, "o": 0.25, "c_prev": 2.0}


@exercise("7.1 Four gates, two numbers")
def check_states(answer):
    """Cell state and hidden state from four gates and the old cell state."""
    i, f, g, o, c_prev = GATES.values()

    def states(c):
        return c, o * np.tanh(c)

    c = f * c_prev + i * g
    return wrong_value(
        answer,
        states(c),
        parts=("c", "h"),
        likely=[
            (states(i * c_prev + f * g), "f keeps the old cell state and i writes the new value"),
            (states(c_prev + i * g), "the old cell state passes the forget gate first"),
            (states(f * c_prev + g), "the new value passes the input gate first"),
            (states(i * g), "what was in the cell before is gone; f keeps half of it"),
            ((c, o * c), "the cell state passes a tanh on its way out"),
            ((c, np.tanh(o * c)), "the tanh comes first, the output gate after it"),
            ((c, np.tanh(c)), "the output gate shows a quarter of it"),
            ((o * np.tanh(c), c), "the other way round: first c, then h"),
        ],
    )


# ---- 7.2 ------------------------------------------------------------------------------------


def forget_bias(half_life):
    f = 0.5 ** (1.0 / half_life)
    return float(np.log(f / (1 - f)))


@exercise("7.2 A bias for a half-life")
def check_forget_bias(function):
    """Forget bias at which half of the cell state is left after so many steps."""
    return wrong_function(
        function,
        [1.5, 7.0, 40.0],
        want=forget_bias,
        likely=[
            (lambda n: 0.5 ** (1 / n), "this is the gate; which bias opens a sigmoid that far?"),
            (lambda n: np.log(0.5) / n, "this is the logarithm of the gate, not a bias"),
            (lambda n: -forget_bias(n), "the sign: a positive bias keeps, a negative one forgets"),
            (
                lambda n: -np.log(np.exp(1 / n) - 1),
                "this leaves 1 / e of the state, about 37 %, not one half",
            ),
            (
                lambda n: np.log(0.5**n / (1 - 0.5**n)),
                "a root is wanted, not a power: f times itself n times is one half",
            ),
            (
                lambda n: np.log(np.log(0.5) / np.log(n)) if n > 1 else np.nan,
                "solve f ** n = 0.5 for f first, then the sigmoid for its bias",
            ),
            (np.log, "log n is a good guess for long half-lives; here the exact bias is asked"),
        ],
    )


# ---- 7.3 ------------------------------------------------------------------------------------


def parameters(D, H):
    return 4 * (D * H + H * H + 2 * H)


@exercise("7.3 Count the parameters")
def check_parameters(function):
    """Number of parameters of one layer of nn.LSTM."""
    return wrong_function(
        function,
        [(3, 7), (1, 1), (50, 20)],
        want=parameters,
        likely=[
            (lambda D, H: 4 * (D * H + H * H + H), "PyTorch has two biases a gate"),
            (lambda D, H: D * H + H * H + 2 * H, "this is one gate; how many are there?"),
            (lambda D, H: D * H + H * H + H, "this is a vanilla RNN with one bias"),
            (lambda D, H: 3 * (D * H + H * H + 2 * H), "g has weights of its own: four, not three"),
            (lambda D, H: 4 * (D * H + H + 2 * H), "W_hh is a square: every unit hears all units"),
            (lambda D, H: 4 * (D * H + H * H), "the biases are missing"),
            (
                lambda D, H: 4 * (D * H + H * H + 2 * H) + 3 * H,
                "nn.LSTM has no peepholes",
            ),
        ],
    )


# ---- 7.4 ------------------------------------------------------------------------------------


def lstm_step(x_t, h_prev, c_prev, W_xa, W_ha, b_a, order="ifgo", new=np.tanh, coupled=False):
    a = dict(zip(order, np.split(x_t @ W_xa + h_prev @ W_ha + b_a, 4, axis=-1), strict=True))
    f, o = _sigmoid(a["f"]), _sigmoid(a["o"])
    i = 1 - f if coupled else _sigmoid(a["i"])
    c_t = f * c_prev + i * new(a["g"])
    return o * np.tanh(c_t), c_t


@exercise("7.4 The cell")
def check_step(function):
    """One step of the LSTM: h_t and c_t."""
    single = tuple(part[:1] for part in STEP[:3]) + STEP[3:]

    def shown_raw(*args):
        h_t, c_t = lstm_step(*args)
        return h_t / np.tanh(c_t) * c_t, c_t

    return wrong_function(
        function,
        [STEP, single],
        want=lstm_step,
        parts=("h_t", "c_t"),
        likely=[
            (lambda *args: lstm_step(*args)[::-1], "return h_t first, then c_t"),
            (
                lambda *args: lstm_step(*args, order="figo"),
                "the blocks are i, f, g, o in this order; f and i are swapped",
            ),
            (
                lambda *args: lstm_step(*args, order="ifog"),
                "the blocks are i, f, g, o in this order; g and o are swapped",
            ),
            (
                lambda *args: lstm_step(*args, new=_sigmoid),
                "g is no gate: it passes a tanh, so that the cell can also go down",
            ),
            (lambda *args: lstm_step(*args, new=lambda a: a), "g passes a tanh"),
            (
                lambda *args: lstm_step(*args, coupled=True),
                "the input gate has weights of its own: it is not 1 - f",
            ),
            (shown_raw, "h_t = o * tanh(c_t): the tanh is missing"),
            (
                lambda x, h, c, *weights: lstm_step(x, np.zeros_like(h), c, *weights),
                "h_prev is not used: the gates hear the last hidden state too",
            ),
            (
                lambda x, h, c, *weights: lstm_step(x, c, c, *weights),
                "the gates hear h_prev, not c_prev",
            ),
        ],
    )


# ---- 7.5 ------------------------------------------------------------------------------------


def direct_path(f):
    ones = np.ones((1, f.shape[1]))
    return np.vstack([np.cumprod(f[::-1], axis=0)[::-1], ones])


@exercise("7.5 Along the highway")
def check_direct_path(function):
    """Product of the forget gates between every slot and the last one."""
    return wrong_function(
        function,
        [FORGET, FORGET[:1]],
        want=direct_path,
        axes=("slot", "unit"),
        likely=[
            (lambda f: direct_path(f)[:-1], "T steps have T + 1 slots; the last one is 1"),
            (lambda f: direct_path(f)[1:], "slot 0 comes first: every gate lies after it"),
            (
                lambda f: np.vstack([np.ones((1, f.shape[1])), np.cumprod(f, axis=0)]),
                "this multiplies from the start; the gates *after* a slot stand on its way",
            ),
            (lambda f: direct_path(f)[::-1], "the slots run backwards; slot T, the last, is 1"),
            (
                lambda f: np.vstack([np.cumsum(f[::-1], axis=0)[::-1], np.zeros(f.shape[1])]),
                "gates in a row multiply, they do not add",
            ),
            (
                lambda f: f.mean(axis=0) ** np.arange(len(f), -1, -1)[:, None],
                "a power of the mean is not the product of the gates",
            ),
            (
                lambda f: np.log(direct_path(f)),
                "this is its logarithm",
            ),
        ],
    )


# ---- 7.6 ------------------------------------------------------------------------------------


def step_back(dh_t, dc_next, i, f, g, o, c_prev, c_t):
    """One step of the backward pass; the wrong ones below are this with one thing changed."""
    tanh_c = np.tanh(c_t)
    dc_t = dc_next + dh_t * o * (1 - tanh_c**2)
    da = [dc_t * g * i * (1 - i), dc_t * c_prev * f * (1 - f)]
    da += [dc_t * i * (1 - g**2), dh_t * tanh_c * o * (1 - o)]
    return np.concatenate(da, axis=-1), dc_t * f


def _back_case(n):
    rng = np.random.default_rng(76 + n)
    i, f, o = rng.uniform(0.1, 0.9, (3, n, 3))
    g = rng.uniform(-0.9, 0.9, (n, 3))
    c_prev = rng.normal(size=(n, 3))
    return (*rng.normal(size=(2, n, 3)), i, f, g, o, c_prev, f * c_prev + i * g)


@exercise("7.6 One step back")
def check_step_back(function):
    """Gradient at the pre-activations and at the cell state before."""

    def no_tanh_slope(dh, dc, i, f, g, o, c_prev, c_t):
        dc_t = dc + dh * o
        da, _ = step_back(dh, dc_t - dh * o * (1 - np.tanh(c_t) ** 2), i, f, g, o, c_prev, c_t)
        return da, dc_t * f

    def no_slopes(dh, dc, i, f, g, o, c_prev, c_t):
        dc_t = dc + dh * o * (1 - np.tanh(c_t) ** 2)
        return np.hstack([dc_t * g, dc_t * c_prev, dc_t * i, dh * np.tanh(c_t)]), dc_t * f

    def g_as_gate(dh, dc, i, f, g, o, c_prev, c_t):
        da, dc_prev = step_back(dh, dc, i, f, g, o, c_prev, c_t)
        a = np.split(da, 4, axis=-1)
        return np.hstack([*a[:2], a[2] / (1 - g**2) * g * (1 - g), a[3]]), dc_prev

    def f_sees_now(dh, dc, i, f, g, o, c_prev, c_t):
        da, dc_prev = step_back(dh, dc, i, f, g, o, c_prev, c_t)
        a = np.split(da, 4, axis=-1)
        return np.hstack([a[0], a[1] / c_prev * c_t, *a[2:]]), dc_prev

    def not_gated(dh, dc, i, f, g, o, c_prev, c_t):
        da, dc_prev = step_back(dh, dc, i, f, g, o, c_prev, c_t)
        return da, dc_prev / f

    return wrong_function(
        function,
        [_back_case(2), _back_case(1)],
        want=step_back,
        parts=("da", "dc_prev"),
        likely=[
            (
                lambda dh, dc, *rest: step_back(dh, 0 * dc, *rest),
                "dc_next is lost: the later steps speak through the cell state as well",
            ),
            (
                lambda dh, dc, *rest: step_back(0 * dh, dc, *rest),
                "dh_t is lost: h_t depends on c_t, so it adds to the gradient of c_t",
            ),
            (no_tanh_slope, "on its way from h_t to c_t the gradient passes a tanh"),
            (no_slopes, "these are gradients at the gates; each still passes its own slope"),
            (g_as_gate, "g is a tanh: its slope is 1 - g**2"),
            (f_sees_now, "f multiplied the cell state *before* the step"),
            (not_gated, "on its way to c_prev the gradient passes the forget gate"),
            (
                lambda *args: step_back(*args)[::-1],
                "return da first, then dc_prev",
            ),
        ],
    )


# ---- 7.7 ------------------------------------------------------------------------------------


def _inputs(values, writes):
    return np.column_stack([values, writes]).astype(float)[None]  # (1, T, 2)


def _distracted(first, T=101, seed=77):
    """One value written at step 0, then values that nobody asks to be written."""
    rng = np.random.default_rng(seed)
    values = np.concatenate([[first], rng.choice([-1.0, 1.0], T - 1)])
    return values, np.arange(T) == 0


def _shown(params, values, writes):
    return lstm_forward(_inputs(values, writes), params).h[0, 1:, 0]


def _unit_claims(n_inputs):
    return [
        (
            lambda p: isinstance(p, LSTMParams),
            "expected an LSTMParams; build one with LSTMParams(W_xa, W_ha, b_a)",
        ),
        (
            lambda p: p.W_xa.shape == (n_inputs, 4),
            f"one unit with {n_inputs} inputs has W_xa of shape ({n_inputs}, 4), "
            "W_ha (1, 4) and b_a (4,)",
        ),
    ]


@exercise("7.7 A unit that keeps a bit")
def check_memory_unit(params):
    """Weights of one unit that keeps the written value through a hundred distractors."""

    def writes_at_once(p):
        h = [_shown(p, [value], [1])[0] for value in (1.0, -1.0)]
        return h[0] > 0.5 and h[1] < -0.5

    def constant(p):
        silent = [_shown(p, [value] + 100 * [0.0], [1] + 100 * [0])[-1] for value in (1.0, -1.0)]
        return silent[0] > 0.5 and silent[1] < -0.5

    def distracted(p):
        return all(
            first * _shown(p, *_distracted(first, seed=seed))[-1] > 0.5
            for first in (1.0, -1.0)
            for seed in (77, 78, 79)
        )

    def one_sided(p):
        steady = [
            np.concatenate([[first], np.full(100, later)])
            for first in (1.0, -1.0)
            for later in (1.0, -1.0)
        ]
        return all(v[0] * _shown(p, v, np.arange(101) == 0)[-1] > 0.5 for v in steady)

    def overwrites(p):
        for first in (1.0, -1.0):
            values, writes = _distracted(first, T=121)
            values[60], writes[60] = -first, True
            if not -first * _shown(p, values, writes)[-1] > 0.5:
                return False
        return True

    return wrong_claim(
        params,
        [
            *_unit_claims(2),
            (
                writes_at_once,
                "right after a write h must be above 0.5 for the value 1 and below -0.5 for -1: "
                "do i and o open, and does g follow the value?",
            ),
            (
                constant,
                "a hundred silent steps later the bit has leaked away: the forget gate must stay "
                "closer to 1 while nothing is written",
            ),
            (
                distracted,
                "distractors push the bit out: the input gate must be nearly 0 without a write",
            ),
            (
                one_sided,
                "a hundred equal distractors add up and push the bit out: close the input gate "
                "further",
            ),
            (
                overwrites,
                "a second write must replace the first: as it is, the two add up to about 0; "
                "what should the forget gate do while writing?",
            ),
        ],
    )


# ---- 7.8 ------------------------------------------------------------------------------------


def _count(params, text):
    symbols = np.array(["abc".index(letter) for letter in text])
    return lstm_forward(np.eye(3)[symbols][None], params)


@exercise("7.8 A unit that counts")
def check_counter(params):
    """Weights of one unit whose cell state counts a minus b."""

    def cell(p, text):
        return float(_count(p, text).c_final[0, 0])

    def linear(p):
        one = cell(p, "a")
        return all(abs(cell(p, n * "a") / one - n) < 0.05 * n for n in (2, 10, 100))

    def difference(p):
        h = [_count(p, text).h_final[0, 0] for text in (200 * "a" + 199 * "b", 199 * "ab" + "b")]
        return h[0] > 0.1 and h[1] < -0.1

    return wrong_claim(
        params,
        [
            *_unit_claims(3),
            (
                lambda p: cell(p, "a") > 0.1,
                "one a must raise the cell state: do i open and g go up for a?",
            ),
            (
                linear,
                "a hundred times a must raise the cell a hundred times as far as one a: is the "
                "forget gate at 1, and is the hidden state kept out of the gates?",
            ),
            (
                lambda p: abs(cell(p, 100 * "a" + 100 * "b") / cell(p, "a")) < 0.05,
                "a b must take back exactly what an a has added: mirror the weight of g",
            ),
            (
                lambda p: abs(cell(p, "a" + 300 * "c") / cell(p, "a") - 1) < 0.05,
                "c is neither: it must neither count nor make the cell forget",
            ),
            (
                difference,
                "200 a and 199 b must end with h above 0.1, one b too many below -0.1: is the "
                "output gate open?",
            ),
        ],
    )
