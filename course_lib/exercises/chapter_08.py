"""Checks of chapter 08, GRU.

Letters: N batch, T time, D input, H hidden. Sizes are pairwise distinct, and every gate is used at
several values, so that a mixed-up block, sign or order gives a wrong number.
"""

from math import comb

import numpy as np

from course_lib.exercises.kit import OPEN, exercise, wrong_claim, wrong_function, wrong_value


def _sigmoid(a):
    return 1.0 / (1.0 + np.exp(-a))


def _step(x_t, h_prev, W_xa, W_ha, b_x, b_h, order="rzn", reset="after", write=False):
    """One step of a GRU, with the ways to get it wrong as options."""
    a_x = dict(zip(order, np.split(x_t @ W_xa + b_x, 3, axis=-1), strict=True))
    W_h = dict(zip(order, np.split(W_ha, 3, axis=1), strict=True))
    b = dict(zip(order, np.split(b_h, 3), strict=True))
    r = _sigmoid(a_x["r"] + h_prev @ W_h["r"] + b["r"])
    z = _sigmoid(a_x["z"] + h_prev @ W_h["z"] + b["z"])
    past = {
        "after": lambda: r * (h_prev @ W_h["n"] + b["n"]),
        "before": lambda: (r * h_prev) @ W_h["n"] + b["n"],
        "outside": lambda: r * (h_prev @ W_h["n"]) + b["n"],
        "none": lambda: h_prev @ W_h["n"] + b["n"],
    }[reset]()
    n = np.tanh(a_x["n"] + past)
    keep = 1.0 - z if write else z
    return keep * h_prev + (1.0 - keep) * n


def _cases(seed, *sizes):
    cases = []
    rng = np.random.default_rng(seed)
    for N, D, H in sizes:
        weights = (rng.normal(size=(D, 3 * H)), rng.normal(size=(H, 3 * H)))
        biases = (rng.normal(size=3 * H), rng.normal(size=3 * H))
        cases.append((rng.normal(size=(N, D)), np.tanh(rng.normal(size=(N, H))), *weights, *biases))
    return cases


# The cell of exercise 8.1: one input, one unit.
X, H_PREV = -1.0, 0.6
A_R, A_Z, W_XN, W_HN, B_HN = np.log(3.0), np.log(4.0), 0.5, 2.0, 0.4


@exercise("8.1 One step by hand")
def check_one_step(answer):
    """New state of a single unit from its gates."""
    r, z = _sigmoid(A_R), _sigmoid(A_Z)
    n = np.tanh(W_XN * X + r * (W_HN * H_PREV + B_HN))
    n_before = np.tanh(W_XN * X + r * H_PREV * W_HN + B_HN)
    return wrong_value(
        answer,
        z * H_PREV + (1 - z) * n,
        likely=[
            ((1 - z) * H_PREV + z * n, "here z is the share that is kept, not the share written"),
            (z * H_PREV + (1 - z) * n_before, "the bias b_hn stands inside: r multiplies it too"),
            (n, "this is the candidate; how much of the old state is kept?"),
            (
                z * H_PREV + (1 - z) * np.tanh(W_XN * X + W_HN * H_PREV + B_HN),
                "the reset gate is missing: it multiplies what the old state says",
            ),
            (
                A_Z * H_PREV + (1 - A_Z) * np.tanh(W_XN * X + A_R * (W_HN * H_PREV + B_HN)),
                "a gate is the logistic function of its number, not the number itself",
            ),
            (
                z * H_PREV + (1 - z) * (W_XN * X + r * (W_HN * H_PREV + B_HN)),
                "the candidate goes through tanh",
            ),
        ],
    )


BLOCKS = {"rnn": 1, "gru": 3, "lstm": 4}


def _count(cell, D, H):
    return BLOCKS[cell] * H * (D + H + 2)


@exercise("8.2 Count the parameters")
def check_count(function):
    """Number of parameters of a PyTorch layer."""
    cases = [("rnn", 3, 5), ("gru", 3, 5), ("lstm", 2, 7), ("gru", 11, 4)]
    return wrong_function(
        function,
        cases,
        want=_count,
        likely=[
            (
                lambda cell, D, H: BLOCKS[cell] * H * (D + H + 1),
                "one bias a block; PyTorch keeps two, one beside each matrix",
            ),
            (lambda cell, D, H: BLOCKS[cell] * H * (D + H), "the biases are missing"),
            (
                lambda cell, D, H: {"rnn": 1, "gru": 2, "lstm": 3}[cell] * H * (D + H + 2),
                "only the gates are counted; the candidate has weights as well",
            ),
            (
                lambda cell, D, H: H * (D + H + 2),
                "this is one block; a GRU has three, an LSTM four",
            ),
            (
                lambda cell, D, H: BLOCKS[cell] * H * (2 * D + 2),
                "the recurrent matrix is H by H, not D by H",
            ),
        ],
    )


def _half_life(z):
    return float(np.log(0.5) / np.log(z))


@exercise("8.3 How long does it remember?")
def check_half_life(function):
    """Steps after which half of the old state is left."""
    return wrong_function(
        function,
        [0.5, 0.9, 0.99],
        want=_half_life,
        likely=[
            (lambda z: -1 / np.log(z), "this is the time to 1/e; half of it is asked"),
            (lambda z: 1 / (1 - z), "this is the mean age of what is kept; half is asked"),
            (lambda z: _half_life(1 - z) if z != 0.5 else 1.0, "z is what is kept at each step"),
            (lambda z: 0.5 / (1 - z), "the loss is a share of what is left, not of the start"),
            (lambda z: np.ceil(_half_life(z)), "give the exact number, not rounded up to a step"),
        ],
    )


def _flip(weights, block=1, sign=-1.0, parts=(0, 1, 2, 3)):
    """Change the sign of one block of the chosen arrays."""
    flipped = []
    for k, w in enumerate(weights):
        w = np.array(w, dtype=float)
        H = w.shape[-1] // 3
        if k in parts:
            w[..., block * H : (block + 1) * H] *= sign
        flipped.append(w)
    return tuple(flipped)


@exercise("8.4 From one z to the other")
def check_flip(function):
    """The same GRU in the convention in which z writes."""
    cases = [case[2:] for case in _cases(84, (1, 3, 2), (1, 2, 5))]

    def one_minus(*weights):
        out = [np.array(w) for w in weights]
        for w in out:
            H = w.shape[-1] // 3
            w[..., H : 2 * H] = 1 - w[..., H : 2 * H]
        return tuple(out)

    return wrong_function(
        function,
        cases,
        want=lambda *w: _flip(w),
        parts=("W_xa", "W_ha", "b_x", "b_h"),
        likely=[
            (
                lambda *w: _flip(w, parts=(0, 1)),
                "the biases feed z as well: change their sign too",
            ),
            (
                lambda *w: _flip(w, parts=(0, 2)),
                "the old state feeds z as well: W_ha and b_h are still as they were",
            ),
            (lambda *w: _flip(w, block=0), "this is block r; the blocks are r, z, n in this order"),
            (lambda *w: _flip(w, block=2), "this is block n; the blocks are r, z, n in this order"),
            (
                one_minus,
                "1 minus the weight is not 1 minus the gate; what turns a sigmoid round?",
            ),
            (
                lambda *w: tuple(-np.asarray(a) for a in w),
                "all blocks were turned; only what feeds z may change",
            ),
        ],
    )


@exercise("8.5 Make the two candidates part")
def check_part(h, W_hn, r):
    """A state, a matrix and gates for which the place of r matters as much as it can."""
    h, W_hn, r = (np.asarray(a, dtype=float) for a in (h, W_hn, r))
    H = h.size

    def gap(_=None):
        return np.abs(np.tanh(r * (h @ W_hn)) - np.tanh((r * h) @ W_hn)).max()

    def diagonal(_):
        return np.array_equal(W_hn, np.diag(np.diag(W_hn)))

    return wrong_claim(
        (h, W_hn, r),
        [
            (
                lambda _: h.shape == r.shape == (H,) and W_hn.shape == (H, H),
                "shapes must be (H,), (H, H), (H,) with one H for all three",
            ),
            (lambda _: np.isfinite(W_hn).all(), "the weights must be finite numbers"),
            (lambda _: (np.abs(h) < 1).all(), "a state of a GRU lies strictly between -1 and 1"),
            (lambda _: ((r >= 0) & (r <= 1)).all(), "a gate lies between 0 and 1"),
            (lambda _: H > 1, "with one unit the two candidates are the same number; take two"),
            (
                lambda _: not diagonal(None),
                "with a diagonal matrix the two candidates are equal; let units talk",
            ),
            (
                lambda _: not np.allclose(r, r[0]),
                "with equal gates r is one factor, and the order does not matter; part them",
            ),
            (
                lambda _: gap() > 1.9,
                "they differ, but by less than 1.9: let one unit's silence turn a sign, "
                "and make the weights large",
            ),
        ],
    )


@exercise("8.6 A GRU of your own")
def check_cell(function):
    """One step of a GRU for a batch, as PyTorch does it."""
    wrong = [
        ({"reset": "before"}, "here r multiplies the product h W_hn + b_hn, not h"),
        ({"reset": "outside"}, "b_hn belongs inside the brackets: r multiplies it too"),
        ({"reset": "none"}, "the reset gate is not used"),
        ({"write": True}, "in this convention z is the share that is kept"),
        ({"order": "zrn"}, "the blocks stand in the order r, z, n"),
        ({"order": "nzr"}, "the blocks stand in the order r, z, n"),
    ]
    return wrong_function(
        function,
        _cases(85, (2, 3, 5), (1, 4, 2)),
        want=_step,
        axes=("sequence", "unit"),
        likely=[
            *(
                (lambda *c, options=options: _step(*c, **options), message)
                for options, message in wrong
            ),
            (
                lambda x, h, W_x, W_h, b_x, b_h: _step(x, h, W_x, W_h, b_x, np.zeros_like(b_h)),
                "b_h is missing",
            ),
        ],
    )


def _back(dh, r, z, n, h_prev, W_ha, b_h, ways=("keep", "z", "r", "n")):
    """Gradient at h_prev of one step, along the chosen ways."""
    W_hr, W_hz, W_hn = np.split(W_ha, 3, axis=1)
    past = h_prev @ W_hn + np.split(b_h, 3)[2]
    da_n = dh * (1 - z) * (1 - n**2)
    parts = {
        "keep": dh * z,
        "z": (dh * (h_prev - n) * z * (1 - z)) @ W_hz.T,
        "r": (da_n * past * r * (1 - r)) @ W_hr.T,
        "n": (da_n * r) @ W_hn.T,
    }
    return sum(parts[way] for way in ways)


def _back_cases():
    cases = []
    for x_t, h_prev, W_xa, W_ha, b_x, b_h in _cases(86, (2, 3, 5), (3, 4, 2)):
        x_r, x_z, x_n = np.split(x_t @ W_xa + b_x, 3, axis=1)
        h_r, h_z, h_n = np.split(h_prev @ W_ha + b_h, 3, axis=1)
        r, z = _sigmoid(x_r + h_r), _sigmoid(x_z + h_z)
        dh = np.random.default_rng(len(cases)).normal(size=h_prev.shape)
        cases.append((dh, r, z, np.tanh(x_n + r * h_n), h_prev, W_ha, b_h))
    return cases


@exercise("8.7 Four ways back")
def check_backward(function):
    """Gradient of a loss at h_prev from its gradient at h_t."""
    every = ("keep", "z", "r", "n")
    missing = {
        "keep": "the straight way is missing: z times dh goes back unchanged",
        "z": "the way through the update gate is missing: z depends on the old state too",
        "r": "the way through the reset gate is missing: r depends on the old state too",
        "n": "the way through the candidate is missing",
    }

    def turned(dh, r, z, n, h_prev, W_ha, b_h):
        return (
            dh * z
            + _back(-dh, r, z, n, h_prev, W_ha, b_h, ("z",))
            + rest(dh, r, z, n, h_prev, W_ha, b_h)
        )

    def rest(*case):
        return _back(*case, ways=("r", "n"))

    def without_tanh(dh, r, z, n, h_prev, W_ha, b_h):
        factor = dh / (1 - n**2)  # undoes the slope of tanh in the two ways through n
        return _back(dh, r, z, n, h_prev, W_ha, b_h, ("keep", "z")) + _back(
            factor, r, z, n, h_prev, W_ha, b_h, ("r", "n")
        )

    return wrong_function(
        function,
        _back_cases(),
        want=_back,
        axes=("sequence", "unit"),
        likely=[
            *(
                (
                    lambda *c, way=way: _back(*c, ways=tuple(w for w in every if w != way)),
                    message,
                )
                for way, message in missing.items()
            ),
            (lambda *c: _back(*c, ways=("keep",)), "only the straight way; three more go back"),
            (turned, "the derivative with respect to z is h_prev - n, not n - h_prev"),
            (without_tanh, "the slope of tanh, 1 - n**2, is missing"),
        ],
    )


def _run_switch(weights, x):
    """States (T,) of one unit with two inputs."""
    h, states = np.zeros((1, 1)), []
    for x_t in x:
        h = _step(x_t[None], h, *weights)
        states.append(h[0, 0])
    return np.array(states)


@exercise("8.8 A switch by hand")
def check_switch(W_xa, W_ha, b_x, b_h):
    """Weights of one unit that input 0 switches on, input 1 switches off, and silence leaves."""
    weights = tuple(np.asarray(w, dtype=float) for w in (W_xa, W_ha, b_x, b_h))
    if [w.shape for w in weights] != [(2, 3), (1, 3), (3,), (3,)]:
        return (
            "shapes must be (2, 3), (1, 3), (3,), (3,): two inputs, one unit, blocks r, z, n; got "
            + ", ".join(str(w.shape) for w in weights)
        )
    x = np.zeros((120, 2))
    x[1, 0] = x[51, 1] = x[56, 0] = x[61, 0] = x[66, 1] = 1.0

    def runs(_):
        return np.isfinite(_run_switch(weights, x)).all()

    def h(_=None):
        return _run_switch(weights, x)

    return wrong_claim(
        weights,
        [
            (runs, "the state is not a finite number; keep the weights moderate, 20 is plenty"),
            (lambda _: abs(h()[0]) < 0.1, "without any pulse the state must stay near 0"),
            (lambda _: h()[1] > 0.9, "a pulse on input 0 must bring the state above 0.9 at once"),
            (
                lambda _: h()[50] > 0.9,
                "the state leaks away in the silence: z must be nearer to 1 there",
            ),
            (
                lambda _: h()[51] < 0.1,
                "a pulse on input 1 must bring the state below 0.1: open z for it too",
            ),
            (lambda _: h()[56] > 0.9, "it does not switch on a second time"),
            (lambda _: h()[61] > 0.9, "a second pulse on input 0 must leave it on"),
            (
                lambda _: np.abs(h()[66:]).max() < 0.1,
                "off means near 0, not at -1, and it must stay there",
            ),
        ],
    )


def _exact_p(k_a, k_b, n):
    """Two-sided exact test for solved seeds, n seeds each: Fisher (1934)."""
    total = k_a + k_b
    ways = [comb(n, k) * comb(n, total - k) for k in range(n + 1) if 0 <= total - k <= n]
    here = comb(n, k_a) * comb(n, k_b)
    return sum(w for w in ways if w <= here) / comb(2 * n, total)


def _one_sided(k_a, k_b, n):
    total, k_a = k_a + k_b, max(k_a, k_b)
    ways = [comb(n, k) * comb(n, total - k) for k in range(k_a, n + 1) if 0 <= total - k <= n]
    return sum(ways) / comb(2 * n, total)


@exercise("8.9 What can so few seeds say?")
def check_seeds(function):
    """Probability of a difference at least as unlikely when the labels mean nothing."""
    return wrong_function(
        function,
        [(3, 0, 3), (4, 1, 5), (5, 0, 5), (2, 2, 3)],
        want=_exact_p,
        likely=[
            (_one_sided, "only one side is counted; the other cell could have won as well"),
            (
                lambda a, b, n: comb(n, a) * comb(n, b) / comb(2 * n, a + b),
                "this is the probability of exactly this table; add those at least as unlikely",
            ),
            (
                lambda a, b, n: 2 * 0.5 ** (a + b),
                "that is a coin for each solved run; here the labels are shuffled over all runs",
            ),
            (lambda a, b, n: 1 - _exact_p(a, b, n), "this is one minus the probability asked for"),
        ],
    )


@exercise("8.10 A patient start")
def check_patient(function):
    """Biases of the update gate whose time constants cover 2 to t_max."""
    if not callable(function):
        return "expected a function patient_bias(H, t_max, rng)"
    H, t_max = 4000, 50.0
    bias = function(H, t_max, np.random.default_rng(810))
    if bias is None or bias is Ellipsis:
        return OPEN
    bias = np.asarray(bias, dtype=float)
    if bias.shape != (H,):
        return f"expected one bias a unit, shape {(H,)}, got {bias.shape}"
    again = np.asarray(function(H, t_max, np.random.default_rng(811)), dtype=float)
    if np.array_equal(bias, again):
        return "another generator gives the same biases; draw them with rng"
    memory = 1.0 / (1.0 - _sigmoid(bias))  # steps, 1 / (1 - z)
    if np.allclose(bias, bias[0]):
        return "all units have one time constant; draw them so that they differ"
    if memory.mean() < 2.5:
        return "these units forget at once: with `keep` a long memory needs a positive bias"
    if np.abs(np.sort(np.log(memory)) - np.log(t_max) * (np.arange(H) + 0.5) / H).max() < 0.2:
        return "log time constants are uniform here; draw the time constants themselves uniformly"
    quantiles = np.quantile(memory, (0.25, 0.5, 0.75))
    want = 2.0 + (t_max - 2.0) * np.array([0.25, 0.5, 0.75])
    if (np.abs(quantiles / want - 1) < 0.12).all() and memory.max() < 1.05 * t_max:
        return None
    if memory.max() > 1.05 * t_max:
        return f"some units remember for longer than t_max: {memory.max():.0f} steps"
    return (
        "the time constants 1 / (1 - z) are not uniform from 2 to t_max: "
        f"their quartiles are {quantiles.round(1)}"
    )
