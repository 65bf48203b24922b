"""Small alignment demos that the tests share: networks with seeds, every score, both orders."""

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


def network(attention, seed=1, reset="after", update="keep", stop=-3.0):
    """Random weights, large enough that weights and outputs differ; ``stop`` delays STOP."""
    rng = np.random.default_rng(seed)
    params = init_seq2seq(len(SOURCE), len(TARGET), 3, 7, rng, attention)
    b_out = params.b_out.copy()
    b_out[STOP] += stop
    cells = {key: init_gru(3, 7, rng, reset, update) for key in ("encoder", "decoder")}
    score = params.attention
    if attention == "additive":
        score = replace(score, v=9.0 * score.v)
    return replace(params, **cells, W_out=4.0 * params.W_out, b_out=b_out, attention=score)


def grow(**options):
    merged = {
        "name": "grow", "source": SENTENCE, "source_words": SOURCE, "target_words": TARGET,
        "params": network("additive"), "start": START, "stop": STOP, "meaning": MEANING, **options,
    }  # fmt: skip
    return demos.alignment(**merged)


def early(**options):
    """Scaled dot products, the order of the source; it stops at once."""
    params = network("scaled", 3, "before", "write", stop=9.0)
    return grow(**{"name": "early", "params": params, "order": "same", **options})


def dot(**options):
    return grow(**{"name": "dot", "params": network("dot", 2), "source": ("twice",), **options})


def every_demo():
    return [grow(t=2), early(), dot()]
