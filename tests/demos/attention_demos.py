"""Small attention-map demos that the tests share."""

import numpy as np

from course_lib import demos

# Points of one plane at least 0.65 apart: a finger must hit each (axe: target-size).
Q = [[1.6, 0.9], [-1.0, 1.8], [0.3, -1.5]]
K = [[1.5, 0.0], [0.2, 1.6], [-1.4, 0.9], [-0.5, -1.7]]
V = [[2, 1], [-2, 1.5], [-1, -2], [1.5, -2]]


def look(**options):
    """Three queries, four keys; name and all else can be changed."""
    merged = {
        "name": "look", "q": Q, "k": K, "v": V, "queries": ["le", "chat", "dort"],
        "keys": ["the", "cat", "sleeps", "now"], **options,
    }  # fmt: skip
    return demos.attention_map(merged.pop("name"), **merged)


def largest(**options):
    """Six queries, eight keys, long names."""
    rng = np.random.default_rng(5)
    q, k, v = (rng.uniform(-3, 3, size=(n, 2)) for n in (6, 8, 8))
    names = {"queries": [f"a long name of a query {t}" for t in range(6)]}
    names["keys"] = [f"quite a long name of a key {s}" for s in range(8)]
    return demos.attention_map("largest", q, k, v, **{**names, "mask": "causal", **options})


def one(**options):
    """One query, one key: nothing to choose."""
    return demos.attention_map("one", [[1, 1]], [[0, 0]], [[3, -3]], **options)


def more_queries(**options):
    """More queries than keys: no causal mask."""
    q, k, v = [[1, 1], [2, 0], [0, 0]], [[1, 0], [0, 1]], [[3, -3], [1, 2]]
    return demos.attention_map("more", q, k, v, **{"mask": "padding", "length": 1, **options})


def every_demo():
    return [look(t=1), largest(), one(), more_queries()]
