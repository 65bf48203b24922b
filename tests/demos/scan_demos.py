"""Small scan trees that the tests share."""

import numpy as np

from course_lib import demos
from course_lib.linear_attention import LinearAttentionParams
from course_lib.linear_recurrence import LinearParams
from course_lib.min_rnn import MinGRUParams

X = [1.2, -0.4, 0.3, -1.7, 0.8, 2.0, -0.9, 0.1, 0.55, -1.1, 0.7]
ROLLS = [2, 5, 5, 0, 5, 1, 3]


def scan_tree(**options):
    merged = {"name": "rounds", "x": X, "obs": ROLLS, **options}
    return demos.scan_tree(merged.pop("name"), **merged)


def other(**options):
    """Weights, conventions and names of its own."""
    three = ([0.3, 0.7], [[0.8, 0.2], [0.4, 0.6]], [[0.5, 0.3, 0.2], [0.1, 0.2, 0.7]])
    return scan_tree(**{
        "name": "other", "hmm": three, "obs": [0, 2, 1], "states": ("dry", "wet"),
        "symbols": "abc", "linear": LinearParams(np.array([0.35]), np.array([[-1.1]]), [0.2]),
        "min_gru": MinGRUParams([[0.7]], [[-1.3]], [-0.5], [0.4], "keep"),
        "attention": LinearAttentionParams([[1.5, -0.5]], [[0.3, -2.2]], [[0.9]]),
        "length": 11, "t": 2, "cell": 5, "heads": 8, "tokens": 5, **options,
    })  # fmt: skip


def every_demo():
    return [
        scan_tree(t=1),
        scan_tree(name="rolls", kind="hmm", length=16, t=3, cell=0),
        other(),
        other(name="sums", kind="attention"),
        other(name="decay", kind="linear", length=2, t=1, cell=1),
        other(name="wet", kind="hmm", t=4),
    ]
