"""Forecast demo: drag the last day, and the forecasts of two models and their bands move."""

import sys

import numpy as np

from course_lib.demos import _forecast_goals, _forecast_models, _svg
from course_lib.demos._demo import Demo, picture
from course_lib.demos._forecast_models import HOURS, Q
from course_lib.demos._state import check_state, goals_of, plain

MODELS = ("linear", "network")
REACH = 3.5  # standard deviations to both sides that can be dragged where no limits are given


def forecast(
    name, window, linear, network, *,
    scale, label="demand", unit="GW", quantiles=(0.1, 0.5, 0.9), start_hour=0, limits=None,
    actual=None, t=HOURS, hour=0, cell=0, model="network", how="direct", title="", goals=None,
    predict=False,
):  # fmt: skip
    """Show what a linear model and a recurrent network forecast from the last 24 hours.

    The reader drags the 24 hours; medians and bands of the hours to come, the weight of each past
    hour and the network's states follow. Both models work on ``(x - mean) / std``.

    Parameters
    ----------
    name : str
        Lower-case name, unique on the page; links such as ``#demo=name&t=24&xs.23=7.5`` use it.
    window : array-like of shape (24,)
        The last 24 hours in units, the oldest first.
    linear : tuple of (array-like of shape (24, P, 3), array-like of shape (P, 3))
        Weights W and b of three quantiles of P hours, 1 to 24: ``z @ W[:, p] + b[p]``.
    network : ForecastNetwork
        A recurrent network with 1 to 16 units; four decimals of every weight are used.
    scale : tuple of (float, float)
        Mean and standard deviation that the models were trained with, in units.
    label : str, default="demand"
        What is measured.
    unit : str, default="GW"
        Its unit; the limits must lie at least 0.5 of it apart.
    quantiles : tuple of (float, float, float), default=(0.1, 0.5, 0.9)
        Which quantiles the outputs are; the middle one is the median.
    start_hour : int, default=0
        Hour of the day of the first entry of the window.
    limits : tuple of (float, float), optional
        Smallest and largest value that can be dragged, in units; by default 3.5 standard deviations
        about the mean, and more where the window needs it.
    actual : array-like of shape (P,), optional
        What really came, in units; drawn as long as the reader has not changed the window.
    t : int, default=24
        Step shown first: 0 to 23 are the hours read, from 24 on come the hours forecast.
    hour : int, default=0
        Hour to come that the weights are about while ``t`` is in the past; 0 is the next.
    cell : int, default=0
        Unit of the network whose arithmetic is written out.
    model : {"network", "linear"}, default="network"
        Model in front.
    how : {"direct", "recursive"}, default="direct"
        Show all hours at once, or medians that were fed back hour by hour.
    title : str, default=""
        Heading of the demo.
    goals : sequence of Goal, optional
        Small tasks that the demo recognises; by default two that one dragged hour reaches.
    predict : bool, default=False
        Start with "predict first" switched on.

    Returns
    -------
    demo : Demo
        Put it last in a cell to show it.

    Raises
    ------
    ValueError
        If a shape, a number or the size does not fit; the message names it.
    """
    from course_lib._checks import check_finite, check_shape

    window = check_finite("window", check_shape("window", np.asarray(window, float), (HOURS,)))
    mean, std = check_finite("scale", check_shape("scale", np.asarray(scale, float), (2,)))
    if std <= 0:
        raise ValueError(f"scale: the standard deviation must be positive, got {std:g}")
    if limits is None:
        reach = mean + REACH * std * np.array([-1, 1])
        limits = min(reach[0], window.min()), max(reach[1], window.max())
    low, high = check_finite("limits", check_shape("limits", np.asarray(limits, float), (2,)))
    if high - low < 0.5:
        raise ValueError(f"limits must lie at least 0.5 {unit} apart, got {low:g} and {high:g}")
    digits = 0 if high - low >= 100 else 1 if high - low >= 10 else 2
    low, high = np.floor(low * 10**digits) / 10**digits, np.ceil(high * 10**digits) / 10**digits
    weights = _forecast_models.stored_linear(linear)
    P = len(np.asarray(linear[1]))
    if actual is not None:
        actual = check_finite("actual", check_shape("actual", np.asarray(actual, float), (P,)))
        actual = plain(actual.round(digits))
    xs = plain(window.round(digits))
    fixed = {
        "linear": weights,
        "network": _forecast_models.stored_network(network, P),
        "scale": plain([mean, std]),
        "label": label,
        "unit": unit,
        "quantiles": plain(check_shape("quantiles", np.asarray(quantiles, float), (Q,))),
        "start_hour": start_hour,
        "limits": plain([low, high]),
        "digits": digits,
        "start": xs,
        "actual": actual,
        "goals": [],
        "title": title,
    }
    if goals is None:
        goals = _forecast_goals.reachable(np.array(xs), fixed, f"{_percent(fixed)} %")
    fixed["goals"] = goals_of(goals)
    state = {
        "v": 1,
        "view": "forecast",
        "name": name,
        "fixed": fixed,
        "xs": xs,
        "t": t,
        "seed": 0,
        "opts": {"model": model, "how": how, "hour": hour, "cell": cell, "predict": predict},
    }
    check_state(state)
    return Demo(state, sys.modules[__name__])


def _percent(fixed):
    """Return how many of a hundred hours should lie in the band."""
    low, _, high = fixed["quantiles"]
    return f"{100 * (high - low):.0f}"


def check(state):
    """Raise ``ValueError`` where window, models and options do not fit each other."""
    fixed, opts = state["fixed"], state["opts"]
    P = _forecast_models.check_stored(fixed)
    low, middle, high = fixed["quantiles"]
    if not 0 < low < middle == 0.5 < high < 1:
        raise ValueError(f"quantiles must rise, with 0.5 between, got {fixed['quantiles']}")
    least, most = fixed["limits"]
    for t, x in enumerate(state["xs"]):
        if not least <= x <= most:
            raise ValueError(f"window at t={t} must be between {least:g} and {most:g}, got {x:g}")
    if fixed["actual"] is not None and len(fixed["actual"]) != P:
        raise ValueError(f"actual must have shape ({P},), got {len(fixed['actual'])} numbers")
    units = len(_forecast_models.unpack(fixed["network"]["weights"]["readout_W"]))
    for key, value, size in (
        ("t", state["t"], HOURS + P),
        ("hour", opts["hour"], P),
        ("cell", opts["cell"], units),
    ):
        if value >= size:
            raise ValueError(f"{key} must be below {size}, got {value}")


def trace(state):
    """Return window, states, forecasts and weights over the 24 hours read and the P to come.

    Series have 24 + P steps, NaN where there is nothing: ``x``; ``state`` (T, H); ``linear`` and
    ``network`` (T, 3), the sorted quantiles in units; ``linear_recursive`` and
    ``network_recursive``; ``naive``, the latest value; ``seasonal``, the same hour of the day
    before; ``weight_linear`` and ``weight_network``, how far the median of the chosen hour moves
    per unit of each hour read.
    """
    from course_lib.trace import Series, Trace

    fixed, x = state["fixed"], np.array(state["xs"], dtype=float)
    mean, std = fixed["scale"]
    z = ((x - mean) / std)[None]
    P = len(_forecast_models.unpack(fixed["linear"]["b"])) // Q
    hour = state["t"] - HOURS if state["t"] >= HOURS else state["opts"]["hour"]

    def read(values):
        values = np.asarray(values, dtype=float)
        return np.concatenate([values, np.full((P, *values.shape[1:]), np.nan)])

    def said(values):
        return np.concatenate([np.full((HOURS, *values.shape[1:]), np.nan), values])

    unit = {"unit": fixed["unit"]}
    names = tuple(str(q) for q in fixed["quantiles"])
    series = [Series("x", read(x), **unit)]
    series.append(Series("state", read(_forecast_models.states(fixed, z)[0])))
    for model in MODELS:
        direct = mean + std * _forecast_models.quantiles(fixed, model, z)[0]
        fed_back = mean + std * _forecast_models.recursive(fixed, model, z, P)[0]
        slopes = _forecast_models.slopes(fixed, model, z[0], hour)
        series.append(Series(model, said(direct), names, **unit))
        series.append(Series(f"{model}_recursive", said(fed_back), **unit))
        series.append(Series(f"weight_{model}", read(slopes)))
    series.append(Series("naive", said(np.full(P, x[-1])), **unit))
    series.append(Series("seasonal", said(x[:P]), **unit))
    steps = tuple(f"{(fixed['start_hour'] + t) % 24}:00" for t in range(HOURS + P))
    return Trace("forecast", tuple(series), steps)


def summary(state):
    """Return the sizes, for the fixed text form."""
    data = state["fixed"]["network"]
    H = len(_forecast_models.unpack(data["weights"]["readout_W"]))
    P = len(_forecast_models.unpack(state["fixed"]["linear"]["b"])) // Q
    return f"{HOURS} hours read, {P} forecast, {data['name']} H={H}"


def fallback(state):
    """Return the picture for readers without JavaScript: the window, medians and bands."""
    fixed, result = state["fixed"], trace(state)
    names = {"linear": "linear", "network": fixed["network"]["name"]}
    low, high = fixed["limits"]
    left, top, width, height = 46, 18, 620, 210
    step = width / result.T

    def points(values, first=0):
        y = top + height * (1 - (np.clip(values, low, high) - low) / (high - low))
        return [(left + (first + t + 0.5) * step, v) for t, v in enumerate(y)]

    parts = [
        _svg.rect(left, top + height * (1 - share), width, 1, _svg.FAINT) for share in (0, 0.5, 1)
    ]
    parts += [
        _svg.text(
            left - 6, top + height * (1 - share) + 4, f"{low + share * (high - low):g}", "end"
        )
        for share in (0, 0.5, 1)
    ]
    said = []
    for k, model in enumerate(MODELS):
        ahead, colour = result[model][HOURS:], _svg.STATE_COLOURS[k]
        edge = points(ahead[:, 0], HOURS) + points(ahead[:, 2], HOURS)[::-1]
        corners = " ".join(f"{x:.1f},{y:.1f}" for x, y in edge)
        parts.append(f'<polygon points="{corners}" fill="{colour}" fill-opacity="0.2"/>')
        parts.append(_svg.polyline(points(ahead[:, 1], HOURS), colour))
        one = ", ".join(f"{v:.{fixed['digits']}f}" for v in ahead[0])
        said.append(f"{names[model]} {one}")
    parts.append(_svg.polyline(points(result["seasonal"][HOURS:], HOURS), "#9aa5b1", 1))
    parts.append(_svg.polyline(points(result["x"][:HOURS]), _svg.INK))
    parts.append(_svg.legend(left, 252, list(names.values())))
    alt = (
        f"The last {HOURS} hours of {fixed['label']} as a curve in {fixed['unit']}, ending at "
        f"{result['x'][HOURS - 1]:.{fixed['digits']}f}, and two forecasts of the "
        f"{result.T - HOURS} hours to come, each a median in a band that should hold "
        f"{_percent(fixed)} of 100 hours. For the next hour (low, median, high): "
        f"{'; '.join(said)}. The grey curve repeats the day before."
    )
    return picture(_svg.svg(680, 266, "".join(parts), "Forecast"), alt)
