"""Family demo: one sequence read by an HMM, a Kalman filter, a linear RNN, an RNN and an LSTM."""

import sys

import numpy as np

from course_lib.demos import _cells, _family_models, _svg
from course_lib.demos._demo import Demo, picture
from course_lib.demos._state import Goal, check_limit, check_state, goals_of, integers, labels_of

MAX_T, MAX_K, MAX_V = 40, 4, 8
STOPS = {
    "hmm": "HMM",
    "kalman": "Kalman filter",
    "linear": "linear RNN",
    "rnn": "vanilla RNN",
    "lstm": "LSTM",
}

RECURRENT = {"linear": "a", "rnn": "W_hh", "lstm": "W_ha"}

GOALS = (
    Goal("Visit all five stops.", (("visited", "==", 5),)),
    Goal(
        "Find a sequence after which the LSTM and the HMM are more than 0.3 apart.",
        (("gap.4", ">", 0.3),),
    ),
)


def family(
    name, obs, pi, A, B, *,
    states=None, symbols=None, ask=None, kalman=None, linear=None, rnn=None, lstm=None,
    readout=None, stop=0, t=0, title="", goals=GOALS, predict=False,
):  # fmt: skip
    """Show five models that read the same symbols, their states drawn the same way.

    A slider walks from one model to the next. Each answers the same question after every symbol:
    how probable is state ``ask`` now? Models that are not given are made from the HMM by hand
    (see ``course_lib/demos/_family_models.py``), so that ``family(name, obs, pi, A, B)`` is enough.

    Parameters
    ----------
    name : str
        Lower-case name, unique on the page; links such as ``#demo=name&opts.stop=3&t=5`` use it.
    obs : array-like of shape (T,)
        Observed symbols in [0, V), at most 40.
    pi, A, B : array-like of shape (K,), (K, K) and (K, V)
        The HMM; 2 to 4 states, at most 8 symbols.
    states, symbols : sequence of str, optional
        Labels.
    ask : int, optional
        State whose probability is compared; the last one by default.
    kalman : dict, optional
        ``a``, ``process_var``, ``observation_var``, ``mean0``, ``var0`` as in ``KalmanParams``,
        ``values`` (V,), the number that each symbol stands for, and ``level``: the answer is
        level + mean, kept within 0 and 1.
    linear, rnn, lstm : LinearParams, RNNParams or LSTMParams, optional
        Cells that read one-hot symbols (D = V), at most 8 units; four digits of each weight are
        used. Each needs its ``readout``.
    readout : dict, optional
        For ``"linear"``, ``"rnn"`` and ``"lstm"``: (W (H, K), b (K,)); the answer is entry ``ask``
        of softmax(h @ W + b).
    stop : {0, 1, 2, 3, 4}, default=0
        Model shown first: HMM, Kalman filter, linear RNN, vanilla RNN, LSTM.
    t : int, default=0
        Step shown first.
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
        If a shape, a probability, a symbol or the size does not fit; the message names it.
    """
    from course_lib._checks import check_hmm, check_shape

    pi, A, B = (np.asarray(x, dtype=float) for x in (pi, A, B))
    check_hmm(pi, A, check_shape("B", B, (len(pi), None)))
    K, V = B.shape
    if not 2 <= K <= MAX_K:
        raise ValueError(f"pi: the demo shows 2 to {MAX_K} states, got {K}")
    check_limit("B", V, MAX_V, "symbols")
    ask = K - 1 if ask is None else ask
    if not 0 <= ask < K:
        raise ValueError(f"ask must be from 0 to {K - 1}, got {ask}")
    cells = {"linear": linear, "rnn": rnn, "lstm": lstm}
    state = {
        "v": 1,
        "view": "family",
        "name": name,
        "fixed": {
            "states": labels_of("states", states, K, "state "),
            "symbols": labels_of("symbols", symbols, V, "symbol "),
            "ask": ask,
            "models": _family_models.models(pi, A, B, ask, kalman, cells, readout or {}),
            "goals": goals_of(goals),
            "title": title,
        },
        "obs": integers("obs", obs),
        "t": t,
        "seed": 0,
        "opts": {"stop": stop, "unit": 0, "predict": predict},
    }
    check_state(state)
    return Demo(state, sys.modules[__name__])


def check(state):
    """Raise ``ValueError`` where weights, symbols and steps do not fit each other."""
    from course_lib._checks import check_finite, check_shape, check_symbols

    fixed, models = state["fixed"], state["fixed"]["models"]
    K, V = len(fixed["states"]), len(fixed["symbols"])
    check_symbols("obs", state["obs"], V)
    if state["t"] >= len(state["obs"]):
        raise ValueError(f"t must be below {len(state['obs'])}, got {state['t']}")
    _family_models.check_kalman(models["kalman"])
    check_finite("values", check_shape("values", models["kalman"]["values"], (V,)))
    for kind in ("linear", "rnn", "lstm"):
        H = len(models[kind]["params"][RECURRENT[kind]])
        check_limit(kind, H, _cells.MAX_H, "units")
        _cells.check_weights(kind, kind, models[kind]["params"], V, H)
        out = models[kind]["readout"]
        if "W" in out:
            check_finite(f"readout of {kind}", check_shape(f"readout of {kind}", out["W"], (H, K)))
            check_finite(f"readout of {kind}", check_shape(f"readout of {kind}", out["b"], (K,)))


def trace(state):
    """Return the state of every model and its answer after every symbol.

    Series are ``hmm`` (T, K), ``kalman`` (T, 2) with mean and variance, ``linear``, ``rnn`` and
    ``lstm`` (T, H), ``c`` (T, H) of the LSTM, and ``answer`` (T, 5): the probability of the state
    asked for, one column a model.
    """
    from course_lib.trace import Series, Trace

    fixed = state["fixed"]
    runs = _family_models.run(np.array(state["obs"]), fixed["models"], fixed["ask"])
    series = [Series("obs", np.array(state["obs"]))]
    series.append(Series("hmm", runs["hmm"], fixed["states"], 0, 1))
    series.append(Series("kalman", runs["kalman"], ("mean", "variance")))
    series += [Series(key, runs[key]) for key in ("linear", "rnn", "lstm", "c")]
    series.append(Series("answer", runs["answer"], tuple(STOPS.values())))
    return Trace("family", tuple(series))


def summary(state):
    """Return the sizes, for the fixed text form."""
    fixed = state["fixed"]
    return f"T={len(state['obs'])}, K={len(fixed['states'])}, V={len(fixed['symbols'])}, 5 models"


def fallback(state):
    """Return the picture for readers without JavaScript: the answer of every model over time."""
    fixed = state["fixed"]
    try:
        answer = trace(state)["answer"]
    except ValueError as error:  # an impossible sequence is a fine start for a demo
        words = _svg.text(16, 30, str(error))
        return picture(_svg.svg(680, 50, words, "impossible sequence"), str(error))
    left, step = 142, (656 - 130) / len(state["obs"])
    parts = [
        _svg.text(left + (t + 0.5) * step, 20, fixed["symbols"][y], "middle")
        for t, y in enumerate(state["obs"])
    ]
    for k, label in enumerate(STOPS.values()):
        parts.append(_svg.lane(12, 32 + 44 * k, 656, 36, label, answer[:, k], 1.0))
    ends = ", ".join(
        f"{label} {p:.2f}" for label, p in zip(STOPS.values(), answer[-1], strict=True)
    )
    alt = (
        f"Probability of {fixed['states'][fixed['ask']]} after each of {len(state['obs'])} "
        f"symbols, from five models that read the same sequence. At the last step: {ends}."
    )
    return picture(_svg.svg(680, 262, "".join(parts), "One family"), alt)
