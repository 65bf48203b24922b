"""Small bottleneck demos that the tests share: networks with seeds, all conventions of a GRU."""

from dataclasses import replace

import numpy as np

from course_lib import demos
from course_lib.gru import init_gru
from course_lib.seq2seq import init_seq2seq

SOURCE = ("the", "cat", "saw", "Rome", "twice")
TARGET = ("STOP", "feles", "vidit", "Roma", "bis", "haec")
STOP, START = 0, 6
MEANING = (5, 1, 2, 3, 4)
SENTENCE = ("the", "cat", "saw", "Rome", "the", "cat")


def network(H=6, seed=1, reset="after", update="keep", stop=0.0, **sizes):
    """Random weights, large enough that outputs differ; ``stop`` is added to the score of STOP."""
    rng = np.random.default_rng(seed)
    V_s, V_t = sizes.get("V_s", len(SOURCE)), sizes.get("V_t", len(TARGET))
    params = init_seq2seq(V_s, V_t, 3, H, rng, sizes.get("attention"))
    b_out = params.b_out.copy()
    b_out[STOP] += stop
    cells = {
        key: init_gru(3, H, rng, reset, update) for key in ("encoder", "decoder")
    }  # of the convention that is asked for
    return replace(params, **cells, W_out=3.0 * params.W_out, b_out=b_out)


def squeeze(**options):
    merged = {
        "name": "squeeze", "source": SENTENCE, "source_words": SOURCE, "target_words": TARGET,
        "networks": {"small": network(), "large": network(9, 2, "before", "write", stop=-1.0)},
        "start": START, "stop": STOP, "meaning": MEANING, "width": 3, **options,
    }  # fmt: skip
    return demos.bottleneck(**merged)


def forward(**options):
    """One network, the order of the source, greedy."""
    return squeeze(
        **{"name": "forward", "networks": {"one": network(4, 5, stop=-2.0)}, "order": "same",
           "source": ("twice", "Rome"), "width": 1, **options}
    )  # fmt: skip


def every_demo():
    return [squeeze(t=4), forward(t=1)]
