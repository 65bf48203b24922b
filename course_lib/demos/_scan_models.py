"""The four recurrences of the scan tree: their elements, how two combine, what one of them says."""

import numpy as np

from course_lib.demos._state import SHORT, plain

MOST = 16  # elements
BYTES = 4  # of one number, float32
MEMORIES = ("key-value cache", "GRU", "linear attention", "state space")


def stored(hmm, linear, min_gru, attention):
    """Return the four models as JSON, and decay and gate bias that the reader can change.

    Weights have few digits: what a reader sees is what is computed with.
    """
    from course_lib._checks import check_finite, check_hmm, check_shape
    from course_lib.linear_attention import LinearAttentionParams
    from course_lib.linear_recurrence import LinearParams
    from course_lib.min_rnn import MinGRUParams

    def short(name, x, shape):
        return plain(check_finite(name, check_shape(name, np.asarray(x, float), shape)), SHORT)

    pi, A, B = (np.asarray(x, dtype=float) for x in hmm)
    check_hmm(pi, A, check_shape("B", B, (len(pi), None)))
    if len(pi) != 2 or not 2 <= B.shape[1] <= 6:
        raise ValueError(
            f"hmm: the demo shows 2 states and 2 to 6 symbols, got {len(pi)} and {B.shape[1]}"
        )
    if B.min() <= 0:
        raise ValueError("hmm: every state must be able to show every symbol, got a 0 in B")
    for name, value, kind in (
        ("linear", linear, LinearParams),
        ("min_gru", min_gru, MinGRUParams),
        ("attention", attention, LinearAttentionParams),
    ):
        if not isinstance(value, kind):
            raise ValueError(f"{name} must be {kind.__name__}, got {type(value).__name__}")
    if attention.decay != 1:
        raise ValueError(f"attention: the demo shows no decay, got {attention.decay}")
    models = {
        "hmm": {"pi": plain(pi), "A": plain(A), "B": plain(B)},
        "linear": {
            "w": short("linear.W_xh", linear.W_xh, (1, 1))[0][0],
            "b": short("linear.b_h", linear.b_h, (1,))[0],
        },
        "min_gru": {
            "W_z": short("min_gru.W_z", min_gru.W_z, (1, 1))[0][0],
            "W_n": short("min_gru.W_n", min_gru.W_n, (1, 1))[0][0],
            "b_n": short("min_gru.b_n", min_gru.b_n, (1,))[0],
            "update": min_gru.update,
        },
        "attention": {
            "W_q": short("attention.W_q", attention.W_q, (1, 2))[0],
            "W_k": short("attention.W_k", attention.W_k, (1, 2))[0],
            "W_v": short("attention.W_v", attention.W_v, (1, 1))[0][0],
        },
    }
    return models, short("linear.a", linear.a, (1,))[0], short("min_gru.b_z", min_gru.b_z, (1,))[0]


def params(state):
    """Return the weights of the model shown, as the library takes them."""
    from course_lib.linear_attention import LinearAttentionParams
    from course_lib.linear_recurrence import LinearParams
    from course_lib.min_rnn import MinGRUParams

    opts, kind = state["opts"], state["opts"]["kind"]
    data = state["fixed"]["models"][kind]
    if kind == "hmm":
        return tuple(np.array(data[key], dtype=float) for key in ("pi", "A", "B"))
    if kind == "linear":
        return LinearParams(np.array([opts["decay"]]), np.array([[data["w"]]]), [data["b"]])
    if kind == "min_gru":
        one = ([[data["W_z"]]], [[data["W_n"]]], [opts["gate"]], [data["b_n"]])
        return MinGRUParams(*one, data["update"])
    return LinearAttentionParams([data["W_q"]], [data["W_k"]], [[data["W_v"]]])


def inputs(state):
    """Return the elements' inputs x (1, T, 1) and symbols (T,)."""
    T = state["opts"]["length"]
    return np.array(state["xs"][:T], dtype=float)[None, :, None], np.array(state["obs"][:T])


def rounds(state):
    """Return what every node of the doubling scan says, (rounds + 1, T).

    Node j of round r holds the last 2^r elements up to j as one. It says the state, or the output,
    that they alone lead to.
    """
    x, obs = inputs(state)
    kind, model = state["opts"]["kind"], params(state)
    elements, combine, says = _MODELS[kind](x, obs, model)
    said, reach = [says(elements)], 1
    while reach < x.shape[1]:
        new = combine([e[:-reach] for e in elements], [e[reach:] for e in elements])
        elements = [np.concatenate([e[:reach], n]) for e, n in zip(elements, new, strict=True)]
        said.append(says(elements))
        reach *= 2
    return np.stack(said)


def _hmm(x, obs, model):
    pi, A, B = model
    M = A * B[:, obs].T[:, None, :]  # (T, K, K)
    M[0] = pi * B[:, obs[0]]

    def says(elements):
        ends = elements[0].sum(axis=1)  # over rows: where it came from, as if both were as likely
        return ends[:, 1] / ends.sum(axis=1)

    def combine(left, right):
        product = left[0] @ right[0]
        return [product / product.max(axis=(1, 2), keepdims=True)]

    return [M], combine, says


def _pairs(a, b):
    from course_lib.scan import combine_linear

    return [a, b], combine_linear, lambda elements: elements[1]


def _linear(x, obs, p):
    drive = (x @ p.W_xh + p.b_h)[0, :, 0]
    return _pairs(np.full_like(drive, p.a[0]), drive)


def _min_gru(x, obs, p):
    from course_lib.min_rnn import min_gates

    keep, write, candidate = (part[0, :, 0] for part in min_gates(x, p))
    return _pairs(keep, write * candidate)


def _attention(x, obs, p):
    from course_lib.linear_attention import positive_features

    query, key = positive_features(x[0] @ p.W_q), positive_features(x[0] @ p.W_k)  # (T, 2)

    def says(elements):
        S, z = elements
        return (query * S).sum(axis=1) / (query * z).sum(axis=1)

    def combine(left, right):
        return [one + other for one, other in zip(left, right, strict=True)]

    return [key * (x[0] @ p.W_v), key], combine, says


_MODELS = {"hmm": _hmm, "linear": _linear, "min_gru": _min_gru, "attention": _attention}


def loop(state):
    """Return what the library's loop says after every element, (T,)."""
    from course_lib.hmm import forward_filter
    from course_lib.linear_attention import linear_attention_loop
    from course_lib.linear_recurrence import linear_forward
    from course_lib.min_rnn import min_gru_loop

    x, obs = inputs(state)
    kind, model = state["opts"]["kind"], params(state)
    if kind == "hmm":
        return forward_filter(obs, *model).alpha[:, 1]
    if kind == "linear":
        return linear_forward(x, model).h[0, 1:, 0]
    run = min_gru_loop if kind == "min_gru" else linear_attention_loop
    return run(x, model)[0][0, :, 0]


def memory(opts, tokens):
    """Return bytes (tokens, 4) that must be kept after so many tokens, in the order of MEMORIES."""
    tokens = np.asarray(tokens)
    layers, width, E = opts["layers"], opts["width"], opts["width"] // opts["heads"]
    fixed = [width, width * (E + 1), width * opts["memories"]]  # numbers a layer
    return (
        BYTES
        * layers
        * np.stack([2 * width * tokens, *(np.full_like(tokens, n) for n in fixed)], axis=-1)
    )
