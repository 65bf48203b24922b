"""Small state-trace and three-cells demos that the tests share: seeded, sizes pairwise distinct."""

from dataclasses import replace

import numpy as np

from course_lib import demos
from course_lib.gru import init_gru
from course_lib.lstm import init_lstm
from course_lib.rnn import init_rnn

T, D, H = 11, 2, 3
SIZES = {"rnn": 3, "lstm": 4, "gru": 5}


def inputs(T=T):
    x = np.zeros((T, D))
    x[1, 0] = 1.0
    x[:, 1] = np.random.default_rng(8).uniform(-0.6, 0.6, T).round(1)
    return x


def params(kind, H=H, **form):
    rng = np.random.default_rng(9)
    if kind == "rnn":
        p = init_rnn(D, H, rng, radius=0.9)
        return replace(p, W_xh=2 * p.W_xh)
    if kind == "lstm":
        p = init_lstm(D, H, rng, forget_bias=2.0, **form)
        return replace(p, W_xa=3 * p.W_xa)
    p = init_gru(D, H, rng, **form)
    return replace(p, W_xa=3 * p.W_xa)


def state(kind="rnn", form=None, **options):
    merged = {"name": "states", "inputs": ["bit", "noise"], "h0": [0.2, -0.4, 0.1], **options}
    return demos.state_trace(merged.pop("name"), inputs(), params(kind, **(form or {})), **merged)


def heads(C):
    rng = np.random.default_rng(10)
    return {kind: (rng.normal(size=(n, C)), rng.normal(size=C)) for kind, n in SIZES.items()}


def three(**options):
    cells = {kind: params(kind, n) for kind, n in SIZES.items()}
    merged = {"name": "three", "inputs": ["bit", "noise"], **options}
    return demos.three_cells(merged.pop("name"), inputs(), **cells, **merged)


def steady(x_t, h_prev):
    """A reader's own cell: a leaky sum of the inputs."""
    return 0.5 * h_prev + x_t @ np.array([[1.0, 0.0, -1.0], [0.0, 0.5, 0.5]])


def every_demo():
    return [
        state(t=4),
        state(name="relu", activation="relu", unit=2, pair=(2, 0)),
        state(name="linear", activation="linear"),
        state("lstm", name="lstm", c0=[1.0, 0.0, -0.5], show="c", unit=1),
        state("lstm", {"peepholes": True}, name="peep", t=10),
        state("gru", name="gru", t=3, unit=2),
        state("gru", {"reset": "before", "update": "write"}, name="before"),
        state(name="own", cell=steady),
        three(t=4),
        three(name="classes", readout=heads(2), show="readout", model="gru"),
        three(name="number", readout=heads(1), target=inputs()[:, 0], model="rnn"),
        three(name="gates", show="gates", unit=2),
    ]
