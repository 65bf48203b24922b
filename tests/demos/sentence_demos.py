"""Small sentences demos that the tests share: a grammar of a few words, networks with seeds."""

from dataclasses import replace

import numpy as np

from course_lib import demos
from course_lib.gru import init_gru
from course_lib.lstm import init_lstm
from course_lib.rnn import init_rnn

START = {"gru": init_gru, "lstm": init_lstm, "rnn": init_rnn}
VOCABULARY = (
    *("<unknown>", "we", "they", "loved", "hated", "liked", "mocked", "the", "film", "book"),
    *("that", "and", "but", "cast", "plot", "was", "dull", "grand", "then", "it", "rained"),
)  # 21 words
DECIDING = (("hated", "mocked"), ("loved", "liked"))
CLAUSES = ("JOIN the PART was HOW", "JOIN they VERB the PART", "JOIN then it rained")
CLASSES = {
    "JOIN": ("and", "but"),
    "PART": ("cast", "plot", "film"),
    "HOW": ("dull", "grand"),
    "VERB": ("hated", "mocked", "loved", "liked"),
    "NEVER": ("we",),  # of no clause
}
TEXT = "We loved the book that they mocked"


def network(name, kind="rnn", D=3, H=5, seed=1, V=21, keep=None, **form):
    """A network with random weights; ``keep`` is the bias of forget gates that see nothing else."""
    rng = np.random.default_rng(seed)
    params = START[kind](D, H, rng, **form)
    if keep is not None:
        W_xa, W_ha, b_a = (x.copy() for x in (params.W_xa, params.W_ha, params.b_a))
        W_xa[:, H : 2 * H], W_ha[:, H : 2 * H], b_a[H : 2 * H] = 0, 0, keep
        b_a[:H] = -keep / 2  # little is written, so that c stays small
        params = replace(params, W_xa=W_xa, W_ha=W_ha, b_a=b_a)
    embedding, W = 2 * rng.normal(size=(V, D)), rng.normal(size=(H, 2))
    W *= 1 if keep is None else 20
    return demos.SentenceNetwork(name, embedding, params, (W, rng.normal(size=2)))


def three_networks():
    return [
        network("RNN"),
        network("LSTM", "lstm", H=4, seed=3, keep=9.0),
        network("GRU", "gru", H=6, seed=2, reset="before", update="write"),
    ]


def playground(**options):
    merged = {
        "name": "playground", "text": TEXT, "vocabulary": VOCABULARY, "networks": three_networks(),
        "deciding": DECIDING, "clauses": CLAUSES, "word_classes": CLASSES,
        "labels": ("disliked it", "liked it"), "length": 13, **options,
    }  # fmt: skip
    return demos.sentences(**merged)


def plain(**options):
    """One network and no clauses: what is typed is all there is."""
    return playground(
        name="plain", networks=[network("one", "gru", H=2)], clauses=(), word_classes=None,
        length=0, text="they hated zebras", **options,
    )  # fmt: skip


def every_demo():
    return [playground(t=4), plain(t=1)]
