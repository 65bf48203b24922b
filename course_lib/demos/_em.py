"""EM demo: Baum-Welch moves Poisson or Gaussian emission densities over a histogram."""

import sys

import numpy as np

from course_lib.demos import _svg
from course_lib.demos._demo import Demo, picture
from course_lib.demos._state import Goal, check_limit, goals_of, labels_of, plain

MAX_T, MAX_K = 400, 4
COLLAPSED = 1e-6  # of the variance of the data: a state on one value, where EM stops

GOALS = (
    Goal(
        "Run until one iteration gains less than 0.01 nats.", (("gain", "<", 0.01), ("t", ">", 1))
    ),
    Goal("Find a start that ends at least 1 nat lower than your best one.", (("worse", ">=", 1),)),
)


def em(
    name, y, kind="poisson", start=None, K=2, *,
    t=0, n_iter=30, states=None, times=None, unit="", title="", goals=GOALS, predict=False,
):  # fmt: skip
    """Show Baum-Welch iterations on one sequence, from a start that the reader drags.

    Parameters
    ----------
    name : str
        Lower-case name, unique on the page; links such as ``#demo=name&t=5`` use it.
    y : array-like of shape (T,)
        Data, 2 to 400 values: counts (Poisson) or numbers (Gaussian).
    kind : {"poisson", "gaussian"}, default="poisson"
        Emission of every state.
    start : tuple (pi, A, emission) or dict, optional
        Where EM starts. The emission is an ``emissions.Poisson`` or ``emissions.Gaussian``; a dict
        has the keys ``pi``, ``A`` and ``rate`` (Poisson) or ``mean`` and ``var`` (Gaussian).
        By default the states start at quantiles of the data and stay with probability 0.9.
    K : int, default=2
        Number of states when no start is given, at most 4.
    t : int, default=0
        Iteration shown first.
    n_iter : int, default=30
        Last iteration, at most 60.
    states : sequence of str, optional
        Labels.
    times : (float, float), optional
        What the first and the last value are called, such as years.
    unit : str, default=""
        What ``y`` counts or measures, for the axis.
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
        If a shape, a probability, a value or the size does not fit; the message names it.
    """
    y = np.asarray(y, dtype=float)
    if y.ndim != 1 or not 2 <= len(y) <= MAX_T:
        raise ValueError(f"y must have shape (T,) with 2 to {MAX_T} values, got {y.shape}")
    if kind not in ("poisson", "gaussian"):
        raise ValueError(f"kind must be 'poisson' or 'gaussian', got {kind!r}")
    pi, A, mean, var = _start(y, kind, start, K)
    check_limit("start", len(pi), MAX_K, "states")
    state = {
        "v": 1,
        "view": "em",
        "name": name,
        "fixed": {
            "kind": kind,
            "y": plain(y),
            "times": plain((0, len(y) - 1) if times is None else times),
            "states": labels_of("states", states, len(pi), "state "),
            "unit": unit,
            "n_iter": n_iter,
            "goals": goals_of(goals),
            "title": title,
        },
        "params": {"pi": plain(pi), "A": plain(A), "mean": plain(mean), "var": plain(var)},
        "t": t,
        "seed": 0,
        "opts": {"cell": 0, "predict": predict},
    }
    return Demo(state, sys.modules[__name__])


def _start(y, kind, start, K):
    if start is None:
        check_limit("K", K, MAX_K, "states")
        mean = np.quantile(y, (np.arange(K) + 0.5) / K)
        if kind == "poisson":
            mean = np.maximum(mean, 0.5)  # a rate of zero can never emit a count above zero
        A = np.full((K, K), 0.1 / max(K - 1, 1))
        np.fill_diagonal(A, 0.9 if K > 1 else 1.0)
        var = () if kind == "poisson" else np.full(K, max(y.var(), 1e-3))
        return np.full(K, 1 / K), A, mean, var
    if isinstance(start, dict):
        spread = np.asarray(start.get("var", ()), dtype=float).ravel()
        mean = start["rate"] if kind == "poisson" else start["mean"]
        pi, A = start["pi"], start["A"]
    else:
        pi, A, emission = start
        mean = emission.rate if kind == "poisson" else emission.mean
        spread = () if kind == "poisson" else np.asarray(emission.var).ravel()
    pi, A = np.asarray(pi, dtype=float), np.asarray(A, dtype=float)
    mean = np.asarray(mean, dtype=float)
    if mean.size != len(pi):
        raise ValueError(f"the demo draws one dimension: {len(pi)} states, emission {mean.shape}")
    return pi, A, mean.ravel(), () if kind == "poisson" else np.asarray(spread, dtype=float)


def check(state):
    """Raise ``ValueError`` where the numbers do not make a model of the data."""
    from course_lib._checks import check_distribution, check_shape

    fixed, params = state["fixed"], state["params"]
    K, y = len(fixed["states"]), np.array(fixed["y"], dtype=float)
    for key, shape in (("pi", (K,)), ("A", (K, K))):
        check_shape(key, np.array(params[key], dtype=float), shape)
        check_distribution(key, np.array(params[key], dtype=float))
    check_shape("mean", np.array(params["mean"], dtype=float), (K,))
    if not np.all(np.isfinite(y)):
        raise ValueError(f"y at t={int(np.argmin(np.isfinite(y)))} is not finite")
    if fixed["kind"] == "poisson":
        bad = np.flatnonzero((y < 0) | (y != np.round(y)))
        if bad.size:
            raise ValueError(f"y at t={bad[0]} must be a count, got {y[bad[0]]}")
        if min(params["mean"]) <= 0:
            raise ValueError(f"rate must be above 0, got {params['mean']}")
    else:
        check_shape("var", np.array(params["var"], dtype=float), (K,))
    if state["t"] > fixed["n_iter"]:
        raise ValueError(f"t must be at most n_iter={fixed['n_iter']}, got {state['t']}")
    if state["opts"]["cell"] >= K:
        raise ValueError(f"cell must be below {K}, got {state['opts']['cell']}")


def model(state):
    """Return ``(pi, A, emission)`` of the start in ``state``."""
    from course_lib import emissions

    params = state["params"]
    pi, A, mean = (np.array(params[key], dtype=float) for key in ("pi", "A", "mean"))
    if state["fixed"]["kind"] == "poisson":
        return pi, A, emissions.Poisson(mean)
    return pi, A, emissions.Gaussian(mean[:, None], np.array(params["var"], dtype=float)[:, None])


def trace(state):
    """Return the parameters and the log evidence at iterations 0 to t as one trace."""
    from course_lib import hmm_learning
    from course_lib.trace import Series, Trace

    y, labels = np.array(state["fixed"]["y"], dtype=float), state["fixed"]["states"]
    poisson = state["fixed"]["kind"] == "poisson"
    y = y.astype(int) if poisson else y
    pi, A, B = model(state)
    floor = COLLAPSED * y.var()
    rows, stopped = [], False
    for _ in range(state["t"] + 1):
        if not stopped:
            # Without a floor the library would refuse the step that the demo stops before.
            step = hmm_learning.em_step(y, pi, A, B, var_floor=0.0 if poisson else 1e-300)
            mean = B.rate if poisson else B.mean[:, 0]
            row = (step.log_evidence_before, pi, A, mean, None if poisson else B.var[:, 0])
            stopped = not poisson and bool(np.any(B.var < floor))
            pi, A, B = step.pi, step.A, step.B
        rows.append(row)
    log_evidence, starts, tables, means, variances = zip(*rows, strict=True)
    series = [
        Series("log_evidence", np.array(log_evidence), unit="nats"),
        Series("pi", np.array(starts), labels=labels),
        Series("A", np.array(tables), labels=labels),
        Series("rate" if poisson else "mean", np.array(means), labels=labels),
    ]
    if not poisson:
        series.append(Series("var", np.array(variances), labels=labels))
    return Trace("baum_welch", tuple(series))


def summary(state):
    """Return the sizes, for the fixed text form."""
    fixed = state["fixed"]
    return f"{fixed['kind']}, T={len(fixed['y'])}, K={len(fixed['states'])}"


def fallback(state):
    """Return the picture for readers without JavaScript: histogram and likelihood curve."""
    fixed = state["fixed"]
    y, n_iter = np.array(fixed["y"], dtype=float), min(fixed["n_iter"], 20)
    result = trace({**state, "t": n_iter})
    curve = result["log_evidence"]
    counts, edges = np.histogram(y, bins=min(24, max(6, len(y) // 5)))
    parts = []
    for count, lo, hi in zip(counts, edges[:-1], edges[1:], strict=True):
        x0, x1 = (16 + (e - edges[0]) / (edges[-1] - edges[0]) * 380 for e in (lo, hi))
        height = 150 * count / counts.max()
        parts.append(_svg.rect(x0, 180 - height, x1 - x0 - 1, height, _svg.FAINT))
    means = result["rate" if fixed["kind"] == "poisson" else "mean"]
    for k in range(means.shape[1]):
        for step, width in ((0, 1), (n_iter, 3)):
            x = 16 + (means[step, k] - edges[0]) / (edges[-1] - edges[0]) * 380
            parts.append(_svg.rect(x - width / 2, 30, width, 150, _svg.STATE_COLOURS[k]))
    low, high = float(curve.min()), float(curve.max())
    points = [
        (430 + 230 * t / n_iter, 180 - 140 * (v - low) / max(high - low, 1e-12))
        for t, v in enumerate(curve)
    ]
    parts += [
        _svg.polyline(points, _svg.INK),
        _svg.text(16, 204, f"data and state means ({fixed['unit'] or 'y'}); thin: start"),
        _svg.text(430, 204, f"log evidence over {n_iter} iterations"),
    ]
    moved = "; ".join(
        f"{label} from {a:.3g} to {b:.3g}"
        for label, a, b in zip(fixed["states"], means[0], means[n_iter], strict=True)
    )
    alt = (
        f"Histogram of {len(y)} values. In {n_iter} EM iterations the state means move: {moved}. "
        f"The log evidence rises from {curve[0]:.2f} to {curve[n_iter]:.2f} nats."
    )
    return picture(_svg.svg(680, 220, "".join(parts), "EM"), alt)
