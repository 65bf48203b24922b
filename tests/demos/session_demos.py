"""Small session demos that the tests share: stated processes, networks with random weights."""

from types import SimpleNamespace

import numpy as np

from course_lib import demos
from course_lib.gru import gru_forward, init_gru
from course_lib.lstm import init_lstm, lstm_forward
from course_lib.rnn import init_rnn, rnn_forward

OBS = [0, 2, 4, 1, 5, 3, 5]
SHOP = SimpleNamespace(
    pi=[0.7, 0.3, 0.0],
    Q=[[0.8, 0.06, 0.02], [0.05, 0.75, 0.1], [0.02, 0.0, 0.7]],
    B=[
        [0.35, 0.3, 0.2, 0.05, 0.05, 0.05],
        [0.05, 0.25, 0.4, 0.15, 0.1, 0.05],
        [0.02, 0.03, 0.15, 0.1, 0.4, 0.3],
    ],
    buy=[0.0, 0.02, 0.25],
    leave=[0.12, 0.08, 0.03],
    events=("home", "search", "product", "reviews", "add", "cart"),
    intents=("browsing", "comparing", "wanting"),
)
# Who starts at the door must pay after one more click: no other session can be.
STRICT = SimpleNamespace(
    pi=[1.0, 0.0], Q=[[0.0, 1.0], [0.0, 0.0]], B=[[1.0, 0.0], [0.0, 1.0]],
    buy=[0.0, 1.0], leave=[0.0, 0.0], events=("door", "till"), intents=("in", "out"),
)  # fmt: skip
START = {"gru": init_gru, "lstm": init_lstm, "rnn": init_rnn}
RUN = {"gru": gru_forward, "lstm": lstm_forward, "rnn": rnn_forward}


def network(kind="lstm", V=6, H=7, seed=1):
    rng = np.random.default_rng(seed)
    return START[kind](V, H, rng), rng.normal(size=H), rng.normal() - 1.5


def shop(**options):
    merged = {
        "name": "shop", "events": OBS, "process": SHOP, "network": network(),
        "bag": ([-0.1, 0.0, 0.05, 0.1, 0.4, 0.5], -2.5), **options,
    }  # fmt: skip
    return demos.session(merged.pop("name"), **merged)


def strict(**options):
    merged = {"events": [0, 1], "process": STRICT, "bag": ([0.5, 1.0], -1.0)}
    return demos.session("strict", **{**merged, "network": network("gru", 2, 3), **options})


def every_demo():
    return [shop(t=4), shop(name="other", network=network("rnn", 6, 4, 3), ask="goes"), strict(t=1)]
