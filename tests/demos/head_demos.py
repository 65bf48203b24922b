"""A small one-head demo that the tests share: a seed's weights, a vocabulary of nine words."""

import numpy as np

from course_lib import demos

VOCABULARY = ("<unknown>", "the", "cat", "dog", "saw", "chased", "a", "small", "slept")
TEXT = "the small dog chased a cat"
M, E = 6, 4


def weights(seed=5, M=M, E=E, V=9):
    """An embedding (V, M) and W_q, W_k, W_v (M, E)."""
    rng = np.random.default_rng(seed)
    embedding = rng.normal(size=(V, M)).clip(-4, 4)
    return {"embedding": embedding, "params": tuple(rng.normal(0, 0.9, (3, M, E)))}


def one_head(**options):
    merged = {"name": "head", "text": TEXT, "vocabulary": VOCABULARY, **weights(), **options}
    return demos.one_head(**merged)


def every_demo():
    """All ways of telling the place, with and without mask and scaling."""
    return [
        one_head(),
        one_head(name="turned", positions="rotary", causal=False, t=2, row=3, key=1),
        one_head(name="bag", positions="none", scale=False, t=6, row=2, **weights(2, 2, 2)),
        one_head(name="wide", text="Cat, zebra & cat!", t=7, **weights(3, 8, 2)),
    ]
