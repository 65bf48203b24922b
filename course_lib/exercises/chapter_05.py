"""Checks of chapter 05, The recurrent cell.

Letters: N batch, T time, D input, H hidden. Sizes differ from each other, except where H = D or
T = H would turn a wrong axis into a wrong number instead of an error; no matrix is symmetric.
"""

import numpy as np

from course_lib.exercises.kit import exercise, wrong_claim, wrong_function, wrong_value

# Three units and three inputs: a weight table read the wrong way round still fits.
RNG = np.random.default_rng(5)
CASES = [
    (
        RNG.normal(size=(T, D)),
        RNG.uniform(-0.9, 0.9, size=H),
        RNG.normal(size=(D, H)),
        RNG.normal(size=(H, H)),
        RNG.normal(size=H),
    )
    for T, D, H in ((6, 2, 3), (4, 3, 3), (1, 1, 2))
]


def _run(x, h0, W_xh, W_hh, b_h, activation=np.tanh):
    h = [h0]
    for x_t in x:
        h.append(activation(x_t @ W_xh + h[-1] @ W_hh + b_h))
    return np.array(h)


@exercise("5.1 Two steps by hand")
def check_two_steps(answer):
    """State of one unit after two inputs."""
    w_xh, w_hh, b_h, h0, x = 0.8, -0.6, 0.1, 0.5, (1.0, -2.0)

    def after(steps, w=(w_xh, w_hh), b=b_h, h=h0, f=np.tanh):
        for x_t in x[:steps]:
            h = f(w[0] * x_t + w[1] * h + b)
        return h

    return wrong_value(
        answer,
        after(2),
        rtol=1e-3,
        likely=[
            (after(1), "this is the state after one step; the second input is still to come"),
            (after(2, f=lambda a: a), "this is linear: every step ends with tanh"),
            (
                w_xh * x[1] + w_hh * after(1) + b_h,
                "this is what goes into the second tanh, not what comes out",
            ),
            (after(2, h=0.0), "the initial state is not zero here"),
            (after(2, b=0.0), "the bias is added at every step"),
            (after(2, w=(w_hh, w_xh)), "the two weights are swapped: w_xh belongs to the input"),
            (
                np.tanh(w_xh * x[1] + w_hh * h0 + b_h),
                "the second step starts from the state after the first, not from h0",
            ),
        ],
    )


@exercise("5.2 Run a cell over a sequence")
def check_run(function):
    """All states of one sequence, the initial one first."""
    return wrong_function(
        function,
        CASES,
        want=_run,
        axes=("time", "unit"),
        likely=[
            (
                lambda *c: _run(*c)[1:],
                "the initial state is missing: T inputs make T + 1 states",
            ),
            (
                lambda x, h0, W_xh, W_hh, b_h: np.vstack([h0, np.tanh(x @ W_xh + h0 @ W_hh + b_h)]),
                "every step starts from h0: nothing is carried on",
            ),
            (
                lambda x, h0, W_xh, W_hh, b_h: _run(x, h0, W_xh, W_hh.T, b_h),
                "W_hh is read from the wrong side: states are rows, `h @ W_hh`",
            ),
            (lambda *c: _run(*c, activation=lambda a: a), "where is the tanh?"),
            (
                lambda x, h0, W_xh, W_hh, b_h: _run(x, h0, W_xh, W_hh, 0 * b_h),
                "where is the bias?",
            ),
            (
                lambda x, h0, W_xh, W_hh, b_h: _run(x, 0 * h0, W_xh, W_hh, b_h),
                "the run starts from zero, not from the initial state that was given",
            ),
            (
                lambda x, *c: np.vstack([c[0], _run(x[::-1], *c)[1:][::-1]]),
                "the inputs are read from the last to the first",
            ),
        ],
    )


def _parameters(D, H, n_out):
    return H * (D + H + 1) + n_out * (H + 1)


@exercise("5.3 Count the parameters")
def check_parameters(function):
    """Parameters of a cell and its readout."""
    return wrong_function(
        function,
        [(4, 16, 2), (1, 2, 3), (28, 5, 10)],
        want=_parameters,
        likely=[
            (
                lambda D, H, n_out: _parameters(D, H, n_out) + H,
                "one bias too many for each unit: PyTorch has two, this cell has one",
            ),
            (lambda D, H, n_out: H * (D + H + 1), "the readout has parameters too"),
            (
                lambda D, H, n_out: H * (D + H + 1) + n_out * H,
                "the readout has a bias for each output",
            ),
            (lambda D, H, n_out: H * (D + H) + n_out * H, "the biases are missing"),
            (
                lambda D, H, n_out: H * (D + 1) + n_out * (H + 1),
                "where is W_hh, from every unit to every unit?",
            ),
            (
                lambda D, H, n_out: H * (D + 1 + 1) + n_out * (H + 1),
                "W_hh leads from every unit to every unit: H times H numbers",
            ),
        ],
    )


def _last_states(h, lengths):
    return np.array([states[length] for states, length in zip(h, lengths, strict=True)])


@exercise("5.4 The state that counts")
def check_last_states(function):
    """State of each sequence after its own last step."""
    rng = np.random.default_rng(54)
    cases = [
        (rng.normal(size=(4, 7, 3)), np.array([6, 2, 5, 1])),
        (rng.normal(size=(2, 3, 2)), np.array([1, 2])),
    ]
    return wrong_function(
        function,
        cases,
        want=_last_states,
        axes=("sequence", "unit"),
        likely=[
            (lambda h, lengths: h[:, -1], "this is the state after the padding"),
            (
                lambda h, lengths: _last_states(h, lengths - 1),
                "one step too early: slot 0 is the initial state, so slot t is the one after t",
            ),
            (
                lambda h, lengths: h[:, lengths],
                "every sequence got the lengths of all: pair them, `h[np.arange(N), lengths]`",
            ),
            (
                lambda h, lengths: np.array(
                    [states[: n + 1].mean(axis=0) for states, n in zip(h, lengths, strict=True)]
                ),
                "this is the mean of the states, not the last one",
            ),
        ],
    )


def _unit(h, pushes, w_xh, w_hh):
    for push in pushes:
        h = np.tanh(w_xh * push + w_hh * h)
    return float(h)


@exercise("5.5 Build a latch")
def check_latch(w_xh, w_hh):
    """One unit that is set by +1, reset by -1 and unmoved by noise of up to 0.2."""
    w, u = float(w_xh), float(w_hh)
    quiet = [0.0] * 500

    def settles_twice(_):
        return abs(_unit(0.9, quiet, w, u)) > 0.3

    def crosses(_):
        low = _unit(-0.9, quiet, w, u)
        return _unit(low, [1.0, *quiet], w, u) > 0.3

    def holds(_):
        high = _unit(0.9, quiet, w, u)
        return _unit(high, [-0.2] * 500, w, u) > 0.3

    def works_in_noise(_):
        noisy = [0.2] * 500
        low = _unit(-0.9, quiet, w, u)
        return _unit(low, [1.0, *[-p for p in noisy]], w, u) > 0.3

    return wrong_claim(
        None,
        [
            (lambda _: np.isfinite(w) and np.isfinite(u), "both weights must be finite numbers"),
            (
                lambda _: u > -1,
                "a negative w_hh below -1 turns the sign round at every step: it remembers and "
                "swings, so the sign tells nothing",
            ),
            (
                lambda _: u > 1 and settles_twice(_),
                "with this w_hh there is one resting state only, or two too close together: "
                "whatever was set is forgotten",
            ),
            (lambda _: w > 0, "a push of +1 must drive the unit up: w_xh must be positive"),
            (
                crosses,
                "one push of +1 does not carry the unit from the low side to the high side; push "
                "harder or make it less stubborn",
            ),
            (
                holds,
                "noise of -0.2, step after step, flips it: too sensitive an input for this w_hh",
            ),
            (
                works_in_noise,
                "set in quiet it holds; set and then disturbed at once it falls back: leave more "
                "room between the push and the way to the other side",
            ),
        ],
    )


def _flip_threshold(w):
    h = np.sqrt(1 - 1 / w)
    return w * h - np.arctanh(h)


def _resting(w):
    h = 1.0
    for _ in range(10_000):
        h = np.tanh(w * h)
    return h


@exercise("5.6 How hard must one push?")
def check_threshold(function):
    """Smallest steady input that flips a latch with weight w."""
    return wrong_function(
        function,
        [(1.5,), (2.0,), (4.0,)],
        want=_flip_threshold,
        rtol=1e-3,
        likely=[
            (lambda w: -_flip_threshold(w), "the right size with the wrong sign: give a size"),
            (
                lambda w: w * _resting(w),
                "this is what one single push needs; a steady one needs less",
            ),
            (lambda w: np.sqrt(1 - 1 / w), "this is where the unit stands when it gives way"),
            (
                lambda w: w * np.sqrt(1 - 1 / w),
                "the input has to make up the difference of w h and arctanh h, not all of w h",
            ),
            (_resting, "this is the resting state, not an input"),
            (lambda w: w - 1, "right that nothing is needed at w = 1; the rest is not a line"),
        ],
    )


@exercise("5.7 Odd or even, for ever")
def check_parity(W_xh, W_hh, b_h, h0, w_out, b_out):
    """Two tanh units whose readout is positive while the number of ones so far is odd."""
    names = ("W_xh", "W_hh", "b_h", "h0", "w_out", "b_out")
    shapes = ((1, 2), (2, 2), (2,), (2,), (2,), ())
    given = [np.asarray(x, dtype=float) for x in (W_xh, W_hh, b_h, h0, w_out, b_out)]
    for name, x, shape in zip(names, given, shapes, strict=True):
        if x.shape != shape:
            return f"{name} must have shape {shape}, got {x.shape}"
        if not np.isfinite(x).all():
            return f"{name} must hold finite numbers"
    W_xh, W_hh, b_h, h0, w_out, b_out = given

    def right(bits):
        h = _run(bits[:, None].astype(float), h0, W_xh, W_hh, b_h)[1:]
        return (h @ w_out + b_out > 0) == (np.cumsum(bits) % 2 == 1)

    long = np.random.default_rng(57).integers(2, size=(20, 300))
    return wrong_claim(
        None,
        [
            (
                lambda _: (np.abs(h0) <= 1).all(),
                "tanh never leaves the range from -1 to 1, so h0 must lie in it too",
            ),
            (
                lambda _: right(np.array([0, 0, 0])).all(),
                "three zeros are even all the way; where does the run start, and does it stay?",
            ),
            (lambda _: right(np.array([1])).all(), "a single one is odd: the readout says even"),
            (
                lambda _: right(np.array([1, 1])).all(),
                "two ones are even again: a sum alone cannot come back, so let the second unit "
                "answer to *both* and subtract it",
            ),
            (
                lambda _: all(right(bits)[:8].all() for bits in long),
                "some short sequences are wrong: does a zero leave the state as it is?",
            ),
            (
                lambda _: all(right(bits).all() for bits in long),
                "right at first, wrong later: the units are too soft and drift; larger weights "
                "drive them to -1 and 1 at every step",
            ),
        ],
    )


def _explained(states, wanted, intercept=True):
    read = np.column_stack([states, np.ones(len(states))]) if intercept else states
    left = wanted - read @ np.linalg.lstsq(read, wanted, rcond=None)[0]
    return 1 - np.mean(left**2) / wanted.var()


def _recall(states, x, k, **readout):
    """Share of the variance of x[t - k] that a linear readout of states[t] explains."""
    return _explained(states[k:], x[: len(x) - k], **readout)


@exercise("5.8 How much fits into H numbers?")
def check_recall(function):
    """R squared of the best linear readout of the input of k steps ago."""
    rng = np.random.default_rng(58)
    x = rng.normal(size=200) + 0.5
    W_hh = np.linalg.qr(rng.normal(size=(4, 4)))[0] * 0.9
    states = _run(x[:, None], np.zeros(4), rng.normal(size=(1, 4)), W_hh, np.full(4, 0.3))[1:]

    return wrong_function(
        function,
        [(states, x, 1), (states, x, 3), (states, x, 0)],
        want=_recall,
        rtol=1e-5,
        likely=[
            (
                lambda s, x, k: _recall(s, x, k, intercept=False),
                "the readout has no constant: add a column of ones",
            ),
            (
                lambda s, x, k: _explained(s[: len(x) - k], x[k:]),
                "this reads the input of k steps ahead: states[t] belongs to x[t - k]",
            ),
            (lambda s, x, k: _recall(s, x, 0), "this reads the present input, whatever k is"),
            (
                lambda s, x, k: np.sqrt(_recall(s, x, k)),
                "this is a correlation; its square is the share of the variance",
            ),
            (
                lambda s, x, k: 1 - _recall(s, x, k),
                "this is the share that is *not* explained",
            ),
            (
                lambda s, x, k: _recall(s, x, k + 1),
                "one step off: states[t] has already read x[t]",
            ),
        ],
    )
