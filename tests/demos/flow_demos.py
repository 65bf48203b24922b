"""Small gate, gradient and family demos that the tests share: seeded, sizes pairwise distinct."""

import numpy as np

from course_lib import demos
from course_lib.lstm import LSTMParams, init_lstm
from course_lib.rnn import init_rnn
from tests.demos.pages import CASINO

T, D, H = 13, 2, 3


def cells(peepholes=False, forget_bias=2.0):
    """An LSTM and an RNN whose states are large enough to see."""
    rng = np.random.default_rng(5)
    lstm = init_lstm(D, H, rng, forget_bias=forget_bias, peepholes=peepholes)
    peep = None if lstm.w_ca is None else rng.normal(size=(3, H))
    return LSTMParams(2 * lstm.W_xa, lstm.W_ha, lstm.b_a, peep), init_rnn(D, H, rng)


def gates(peepholes=False, beside=True, **options):
    lstm, rnn = cells(peepholes)
    x = np.zeros((T, D))
    x[1, 0] = 1.0
    x[:, 1] = np.random.default_rng(6).normal(size=T).round(1).clip(-1, 1) * 0.4
    inputs = {"inputs": ["bit", "noise"], "name": "gates", **options}
    return demos.gate_trace(inputs.pop("name"), x, lstm, rnn if beside else None, **inputs)


def flow(**options):
    return demos.gradient_flow(**{"name": "flow", "length": 17, "hidden": 3, "seed": 4, **options})


def one_family(**options):
    return demos.family(**{**CASINO, "name": "family", **options})


def learned(K=2, V=6):
    """Cells with more than one unit and their readouts, as a chapter would train them."""
    from course_lib.linear_recurrence import LinearParams

    rng = np.random.default_rng(7)
    linear = LinearParams(rng.uniform(-0.9, 0.9, 5), rng.normal(size=(V, 5)), rng.normal(size=5))
    return {
        "linear": linear,
        "rnn": init_rnn(V, 3, rng),
        "lstm": init_lstm(V, 4, rng),
        "readout": {
            kind: (rng.normal(size=(n, K)), rng.normal(size=K))
            for kind, n in (("linear", 5), ("rnn", 3), ("lstm", 4))
        },
    }


def every_demo():
    return [
        gates(t=4),
        gates(True, beside=False, name="peep", clamp={"f": 1.0, "g": -0.25}, unit=2),
        flow(t=6),
        flow(name="lstm", cell="lstm", start="orthogonal", t=17, forget_bias=3.5),
        flow(name="gru", cell="gru", start="identity", t=0),
        flow(name="relu", activation="relu", radius=0, length=60),
        one_family(t=5),
        one_family(name="learned", stop=4, t=11, **learned()),
        one_family(name="start", stop=1),
    ]
