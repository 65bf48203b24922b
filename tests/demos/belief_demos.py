"""Small belief-simplex demos that the tests share: seeded networks with fitted probes."""

from dataclasses import replace

import numpy as np

from course_lib import demos
from course_lib.gru import gru_forward, init_gru
from course_lib.hmm import forward_filter
from course_lib.lstm import init_lstm, lstm_forward
from course_lib.rnn import init_rnn, rnn_forward
from tests.demos.pages import CASINO

T = 9
OBS = [0, 1, 3, 2, 2, 0, 3, 1, 1]
MODEL = {
    "pi": np.array([0.5, 0.2, 0.3]),
    "A": np.array([[0.8, 0.15, 0.05], [0.1, 0.7, 0.2], [0.02, 0.08, 0.9]]),
    "B": np.array([[0.7, 0.1, 0.1, 0.1], [0.2, 0.5, 0.2, 0.1], [0.05, 0.05, 0.1, 0.8]]),
}
DICE = {key: np.array(CASINO[key]) for key in ("pi", "A", "B")}
RUN = {"gru": gru_forward, "lstm": lstm_forward, "rnn": rnn_forward}
START = {"gru": init_gru, "lstm": init_lstm, "rnn": init_rnn}


def network(name, kind="gru", H=5, model=MODEL, seed=1, blur=0.0, **form):
    """A network with random weights, and a probe fitted to exact beliefs; ``blur`` spoils it."""
    rng = np.random.default_rng(seed)
    K, V = model["B"].shape
    params = START[kind](V, H, rng, **form)
    first = "W_xh" if kind == "rnn" else "W_xa"
    params = replace(params, **{first: 2 * getattr(params, first)})
    obs = rng.integers(V, size=(60, 8))
    belief = np.stack([forward_filter(y, **model).alpha for y in obs]).reshape(-1, K)
    h = RUN[kind](np.eye(V)[obs], params).h[:, 1:].reshape(-1, H)
    fit = np.linalg.lstsq(np.c_[h, np.ones(len(h))], belief, rcond=None)[0]
    probe = (fit[:-1] + blur * rng.normal(size=(H, K)), fit[-1])
    return demos.BeliefNetwork(name, params, (rng.normal(size=(H, V)), rng.normal(size=V)), probe)


def three_networks():
    return [
        network("untrained", blur=1.0),
        network("after 50 updates", "lstm", H=2, seed=3),
        network("trained", H=7, seed=2, reset="before", update="write"),
    ]


def belief(**options):
    merged = {
        "name": "belief", "obs": OBS, **MODEL, "networks": three_networks(), "symbols": "ABCD",
        "states": ["sun", "fog", "rain"], **options,
    }  # fmt: skip
    return demos.belief_simplex(merged.pop("name"), **merged)


def casino(**options):
    nets = [network("rnn", "rnn", H=3, model=DICE), network("gru", H=5, model=DICE, seed=4)]
    return demos.belief_simplex(**{**CASINO, "name": "casino", "networks": nets, **options})


def deterministic(**options):
    """A process in which some sequences cannot happen."""
    model = {
        "pi": np.array([1.0, 0.0, 0.0]),
        "A": np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]),
        "B": np.array([[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]),
    }
    loose = {**model, "B": 0.9 * model["B"] + 0.05}
    merged = {"name": "cycle", "obs": [0, 0, 1, 0], "networks": [network("one", model=loose)]}
    return demos.belief_simplex(**{**merged, **model, **options})


def every_demo():
    return [belief(t=4), casino(t=3, network=0), deterministic(t=3)]
