"""Gradient flow demo: how much of the gradient at the last state reaches each earlier one."""

import sys

import numpy as np

from course_lib._checks import check_finite
from course_lib.demos import _svg
from course_lib.demos._demo import Demo, picture
from course_lib.demos._state import SHORT, Goal, check_limit, goals_of, plain, uniforms

MAX_T, MAX_H = 60, 8
FLOOR = 1e-16  # below this, float64 keeps nothing of a gradient next to a gradient of size 1
BLOCKS = {"rnn": 1, "lstm": 4, "gru": 3}

GOALS = (
    Goal(
        "Make it vanish: less than a millionth of the gradient reaches the first state.",
        (("first", "<", 1e-6),),
    ),
    Goal("Make it explode beyond 1000.", (("largest", ">", 1000),)),
    Goal(
        "Keep it between 0.1 and 10 at every one of at least 40 steps.",
        (("length", ">=", 40), ("smallest", ">=", 0.1), ("largest", "<=", 10)),
    ),
)


def gradient_flow(
    name, *,
    length=50, cell="rnn", radius=0.9, forget_bias=1.0, start="random", activation="tanh",
    hidden=8, seed=0, x=None, t=0, title="", goals=GOALS, predict=False,
):  # fmt: skip
    """Show the norm of dh_T/dh_t at every step of a randomly started cell, on a log axis.

    Parameters
    ----------
    name : str
        Lower-case name, unique on the page; links such as ``#demo=name&opts.radius=1.2`` use it.
    length : int, default=50
        Number of time steps, 2 to 60.
    cell : {"rnn", "lstm", "gru"}, default="rnn"
        Which cell; the GRU is the one with the reset gate after the product.
    radius : float, default=0.9
        Spectral radius in [0, 2] of every recurrent block.
    forget_bias : float, default=1.0
        Bias of the LSTM's forget gate, in [-5, 10]; the other cells have none.
    start : {"random", "orthogonal", "identity"}, default="random"
        Recurrent blocks before they are scaled to the radius.
    activation : {"tanh", "relu", "linear"}, default="tanh"
        Activation of the vanilla RNN; the other cells keep theirs.
    hidden : int, default=8
        Number of units, at most 8.
    seed : int, default=0
        Seed of the weights, the same in Python and in the page.
    x : array-like of shape (T,), optional
        Input at each step, at most 60 numbers in [-10, 10], then zeros; drawn from the seed by
        default.
    t : int, default=0
        Lag shown first: how many steps before the last state, from 0 to ``length``.
    title : str, default=""
        Heading of the demo.
    goals : sequence of Goal
        Small tasks that the demo recognises.
    predict : bool, default=False
        Start with "predict first" switched on.

    Returns
    -------
    demo : Demo
        Put it last in a cell to show it.

    Raises
    ------
    ValueError
        If an option is unknown or outside its range; the message names it.
    """
    check_limit("hidden", hidden, MAX_H, "units")
    if x is None:
        x = [round(2 * u - 1, 2) for u in uniforms(seed + 1000, MAX_T)]
    x = np.asarray(x, dtype=float).ravel()
    check_limit("x", len(x), MAX_T, "steps")
    state = {
        "v": 1,
        "view": "gradient_flow",
        "name": name,
        "fixed": {"hidden": hidden, "goals": goals_of(goals), "title": title},
        "xs": plain(np.pad(x, (0, MAX_T - len(x))), SHORT),
        "t": t,
        "seed": seed,
        "opts": {
            "length": length,
            "cell": cell,
            "radius": plain(radius),
            "forget_bias": plain(forget_bias),
            "start": start,
            "activation": activation,
            "predict": predict,
        },
    }
    return Demo(state, sys.modules[__name__])


def check(state):
    """Raise ``ValueError`` where an option is not finite or the lag shown is past the start."""
    for name in ("radius", "forget_bias"):
        check_finite(name, state["opts"][name])
    check_finite("x", state["xs"])
    if state["t"] > state["opts"]["length"]:
        raise ValueError(f"t must be at most {state['opts']['length']}, got {state['t']}")


def weights(state):
    """Return ``W_x (1, G H)``, ``W_h (H, G H)`` and ``b (G H,)`` of the state's seed, G blocks.

    Drawn uniformly from (-1, 1), input weights first; every recurrent block is then made
    orthogonal or the identity if asked, and scaled to the spectral radius.
    """
    opts, H = state["opts"], state["fixed"]["hidden"]
    G = BLOCKS[opts["cell"]]
    u = 2 * np.array(uniforms(state["seed"], 4 * H + 4 * H * H)) - 1
    blocks = [_start(u[4 * H :].reshape(4, H, H)[k], opts) for k in range(G)]
    b = np.zeros(G * H)
    if opts["cell"] == "lstm":
        b[H : 2 * H] = opts["forget_bias"]
    return u[None, : G * H], np.concatenate(blocks, axis=1), b


def _start(W, opts):
    if opts["start"] == "identity":
        return opts["radius"] * np.eye(len(W))
    if opts["start"] == "orthogonal":
        Q, R = np.linalg.qr(W)
        return opts["radius"] * Q * np.sign(np.diag(R))
    return W * (opts["radius"] / np.abs(np.linalg.eigvals(W)).max())


def trace(state):
    """Return the states and the norms of dh_T/dh_t (LSTM: dh_T/dc_t as well), t from 0 to T.

    ``norm_h[t]`` is the spectral norm of the Jacobian of the last hidden state with respect to
    the one after t inputs, through every path. ``x[t]`` is the input that leads to state t + 1;
    the last state has none, and 0 stands there.
    """
    from course_lib.gradients import step_jacobian
    from course_lib.trace import Series, Trace

    ran, params = _run(state)
    H, T, lstm = state["fixed"]["hidden"], state["opts"]["length"], hasattr(ran, "c")
    J = np.eye(2 * H if lstm else H)[:H]  # dh_T / d state_T; a row for each unit of h_T
    norms = np.empty((T + 1, 2 if lstm else 1))
    for t in range(T, -1, -1):
        norms[t] = [np.linalg.norm(J[:, k : k + H], 2) for k in range(0, J.shape[1], H)]
        if t:
            J = J @ step_jacobian(ran, params, t - 1)
    series = [
        Series("x", np.append(state["xs"][:T], 0.0)),
        Series("h", ran.h[0]),
        Series("norm_h", norms[:, 0], low=0),
    ]
    if lstm:
        series += [Series("c", ran.c[0]), Series("norm_c", norms[:, 1], low=0)]
    return Trace("gradient_flow", tuple(series))


def _run(state):
    """Return the library's trace of the cell, and its weights."""
    opts = state["opts"]
    x = np.array(state["xs"][: opts["length"]], dtype=float)[None, :, None]
    W_x, W_h, b = weights(state)
    if opts["cell"] == "rnn":
        from course_lib.rnn import RNNParams, rnn_forward

        params = RNNParams(W_x, W_h, b)
        return rnn_forward(x, params, activation=opts["activation"]), params
    if opts["cell"] == "lstm":
        from course_lib.lstm import LSTMParams, lstm_forward

        params = LSTMParams(W_x, W_h, b)
        return lstm_forward(x, params), params
    from course_lib.gru import GRUParams, gru_forward

    params = GRUParams(W_x, W_h, b, np.zeros_like(b))
    return gru_forward(x, params), params


def summary(state):
    """Return cell and sizes, for the fixed text form."""
    opts = state["opts"]
    return f"{opts['cell']}, T={opts['length']}, H={state['fixed']['hidden']}"


def fallback(state):
    """Return the picture for readers without JavaScript: the norm against lag on a log axis."""
    result, opts = trace(state), state["opts"]
    T, low = opts["length"], np.log10(FLOOR)
    curves = [("dh_T/dh_t", result["norm_h"][::-1], _svg.STATE_COLOURS[0])]
    if opts["cell"] == "lstm":
        curves.append(("dh_T/dc_t", result["norm_c"][::-1], _svg.STATE_COLOURS[1]))
    curves.append(("0.7^n", 0.7 ** np.arange(T + 1), _svg.STATE_COLOURS[2]))
    logs = [np.log10(np.maximum(curve, FLOOR)) for _, curve, _ in curves]
    top = max(2.0, max(log.max() for log in logs))
    parts = []
    for power in np.arange(low, top + 0.1, 4):
        y = 190 - 165 * (power - low) / (top - low)
        words = f"10^{power:.0f}" + (" and below" if power == low else "")
        parts += [_svg.rect(110, y, 550, 0.7, _svg.FAINT), _svg.text(104, y + 4, words, "end")]
    for k, ((label, _, colour), log) in enumerate(zip(curves, logs, strict=True)):
        points = [
            (110 + 550 * n / T, 190 - 165 * (v - low) / (top - low)) for n, v in enumerate(log)
        ]
        parts.append(_svg.polyline(points, colour))
        parts.append(_svg.text(300 + 110 * k, 216, label, "start", f' fill="{colour}"'))
    parts.append(_svg.text(110, 216, f"lag T - t, 0 to {T}"))
    alt = (
        f"Norm of the gradient that travels back through {T} steps of a cell of kind "
        f"{opts['cell']} with spectral radius {opts['radius']:g}: 1 at the last state, "
        f"{result['norm_h'][T // 2]:.2g} half way and {result['norm_h'][0]:.2g} at the first; "
        f"0.7 to the power {T} is {0.7**T:.2g}."
    )
    return picture(_svg.svg(680, 230, "".join(parts), "Gradient flow"), alt)
