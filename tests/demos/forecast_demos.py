"""Small forecast demos that the tests share: seeded models of a made-up demand."""

from dataclasses import replace

import numpy as np

from course_lib import demos
from course_lib.gru import init_gru
from course_lib.lstm import init_lstm
from course_lib.rnn import init_rnn

P, H = 5, 7
SCALE = (5.2, 0.8)
HOURS = np.arange(24)
DAY = (5.2 + 0.9 * np.sin(2 * np.pi * (HOURS - 9) / 24) + 0.05 * (HOURS % 5)).round(2)
START = {"gru": init_gru, "lstm": init_lstm, "rnn": init_rnn}


def linear(P=P, seed=1):
    """Weights that lean on the last hour and on the same hour of the day before."""
    rng = np.random.default_rng(seed)
    W = 0.05 * rng.normal(size=(24, P, 3))
    W[23] += 0.5
    W[HOURS[:P], HOURS[:P]] += 0.4
    return W, np.tile([-0.4, 0.0, 0.3], (P, 1)) + 0.1 * rng.normal(size=(P, 3))


def network(kind="gru", P=P, H=H, seed=2, name="GRU", **form):
    rng = np.random.default_rng(seed)
    params = START[kind](1, H, rng, **form)
    first = "W_xh" if kind == "rnn" else "W_xa"
    params = replace(params, **{first: 2 * getattr(params, first)})
    W = 0.4 * rng.normal(size=(H, P, 3))
    b = np.tile([-0.5, 0.0, 0.5], (P, 1))
    return demos.ForecastNetwork(name, params, (W, b))


def forecast(**options):
    merged = {
        "name": "demand", "window": DAY, "linear": linear(), "network": network(),
        "scale": SCALE, "start_hour": 7, "limits": (2, 9), **options,
    }  # fmt: skip
    return demos.forecast(merged.pop("name"), **merged)


def crossing(**options):
    """Outputs in the wrong order: the highest first, and the middle one now here, now there."""
    W, b = network(P=3, H=3, seed=5).readout
    wrong = demos.ForecastNetwork("LSTM", network("lstm", P=3, H=3).params, (2 * W, -b))
    W, b = linear(3)
    return forecast(**{"name": "crossing", "linear": (2 * W, -b), "network": wrong, **options})


def full(**options):
    """As large as it may be."""
    actual = np.roll(DAY, 1) + 0.1
    return forecast(**{
        "name": "full", "linear": linear(24), "network": network("gru", 24, 16),
        "actual": actual, **options,
    })  # fmt: skip


def every_demo():
    return [
        forecast(t=4),
        crossing(t=25, model="linear", how="recursive"),
        full(hour=3, t=11, cell=15),
        forecast(name="rnn", network=network("rnn", name="RNN"), t=28, how="recursive"),
        forecast(name="write", network=network(reset="before", update="write"), window=10 * DAY,
                 scale=(52, 8), limits=(20, 90), unit="km/h", label="wind", t=23),
    ]  # fmt: skip
