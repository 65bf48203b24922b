"""The five models of the family demo: made by hand from an HMM where none are given, and run.

Each stop frees one thing. The **Kalman filter** follows the indicator u of the state asked for:
mean, variance and correlation over one step are those of the chain, and every symbol stands for a
number whose mean is u. The **linear RNN** is that filter with its gain frozen at the value it
settles on. The **vanilla RNN** is the exact filter of a chain of two states in h = 2 p - 1, which
reads h' = tanh(half the log likelihood ratio + atanh(lambda h + bias)), with atanh left out. The
**LSTM** keeps a leaky sum of the same evidence in its cell state.
"""

import numpy as np

from course_lib.demos import _cells
from course_lib.demos._state import SHORT, plain

KALMAN = ("a", "process_var", "observation_var", "mean0", "var0", "level")
MOST = 6.0  # nats: a symbol that one state never shows
OPEN = 5.0  # bias of a gate that is always open: sigmoid(5) = 0.993


def models(pi, A, B, ask, kalman, cells, readout):
    """Return what the state stores: ``{kind: {"params", "readout"}}`` and the two filters."""
    made = None
    if kalman is None or any(cell is None for cell in cells.values()):
        made = _by_hand(pi, A, B, ask)
    kalman = made["kalman"] if kalman is None else kalman
    missing = [key for key in (*KALMAN, "values") if key not in kalman]
    if missing:
        raise ValueError(f"kalman must hold {missing[0]!r}; it has {', '.join(sorted(kalman))}")
    out = {
        "hmm": {"pi": plain(pi), "A": plain(A), "B": plain(B)},
        "kalman": {key: plain(kalman[key]) for key in (*KALMAN, "values")},
    }
    for kind, cell in cells.items():
        if cell is None:
            out[kind] = made[kind]
        elif kind not in readout:
            raise ValueError(f"readout must hold {kind!r}: (W (H, K), b (K,)) of that cell")
        else:
            W, b = readout[kind]
            out[kind] = {
                "params": _cells.weights(kind, cell),
                "readout": {"W": plain(W, SHORT), "b": plain(b, SHORT)},
            }
    return out


def check_kalman(stored):
    """Raise ``ValueError`` unless the filter's numbers are finite and its variances in range."""
    from course_lib._checks import check_finite

    _kalman_params(stored)
    check_finite("level", stored["level"])


def _kalman_params(stored):
    from course_lib.kalman import KalmanParams

    return KalmanParams(**{key: float(stored[key]) for key in KALMAN[:-1]})


def _by_hand(pi, A, B, ask):
    from course_lib.kalman import steady_gain
    from course_lib.stationary import stationary_distribution

    long_run = stationary_distribution(A)
    p = long_run[ask]
    if not 0 < p < 1:
        raise ValueError(f"state {ask} has probability {p:g} in the long run: choose another ask")
    keep = float(np.clip((long_run[ask] * A[ask, ask] - p * p) / (p * (1 - p)), -0.999, 0.999))
    yes, no = B[ask], np.delete(long_run, ask) @ np.delete(B, ask, axis=0) / (1 - p)

    # Numbers for the symbols: mean 1 - p where the state is on, -p where it is off.
    score = p * yes / np.maximum(p * yes + (1 - p) * no, 1e-300)
    gap = (yes - no) @ score
    if gap < 1e-6:
        raise ValueError("the symbols say nothing about the state asked for; give kalman and cells")
    values = (score - no @ score) / gap - p
    spread = p * (yes @ values**2 - (1 - p) ** 2) + (1 - p) * (no @ values**2 - p * p)
    kalman = {
        "a": keep,
        "process_var": p * (1 - p) * (1 - keep**2),
        "observation_var": max(spread, 1e-4),
        "mean0": pi[ask] - p,
        "var0": max(pi[ask] * (1 - pi[ask]), 1e-4),
        "level": p,
        "values": values,
    }
    gain = steady_gain(_kalman_params(kalman))
    log_yes, log_no = (np.log(np.maximum(x, 1e-300)) for x in (yes, no))  # 0 where both are
    half = 0.5 * np.clip(log_yes - log_no, -MOST, MOST)
    drift = (1 - keep) * (2 * p - 1)
    leak = float(np.clip(keep, 0.02, 0.98))
    V = len(values)
    lstm = np.zeros((V, 4))
    lstm[:, 2] = half
    affine = {"scale": 0.5, "level": 0.5}
    made = {
        "linear": {"a": [keep * (1 - gain)], "W_xh": gain * values[:, None], "b_h": [0.0]},
        "rnn": {"W_xh": half[:, None], "W_hh": [[keep]], "b_h": [drift]},
        "lstm": {
            "W_xa": lstm,
            "W_ha": np.zeros((1, 4)),
            "b_a": [OPEN, np.log(leak / (1 - leak)), drift, OPEN],
            "w_ca": None,
        },
    }
    out = {"kalman": kalman}
    for kind, params in made.items():
        short = {key: None if x is None else plain(x, SHORT) for key, x in params.items()}
        answer = {"scale": 1, "level": plain(p, SHORT)} if kind == "linear" else affine
        out[kind] = {"params": short, "readout": answer}
    return out


def run(obs, stored, ask):
    """Return the state of every model after every symbol, and their answers (T, 5)."""
    from course_lib.hmm import forward_filter
    from course_lib.kalman import kalman_filter
    from course_lib.linear_recurrence import linear_forward
    from course_lib.lstm import lstm_forward
    from course_lib.rnn import rnn_forward

    hmm, kalman = stored["hmm"], stored["kalman"]
    belief = forward_filter(
        obs, *(np.array(hmm[key], dtype=float) for key in ("pi", "A", "B"))
    ).alpha
    filtered = kalman_filter(
        np.array(kalman["values"], dtype=float)[obs],
        _kalman_params(kalman),
    )
    x = np.eye(len(hmm["B"][0]))[obs][None]
    cell = {kind: _cells.params(kind, stored[kind]["params"]) for kind in ("linear", "rnn", "lstm")}
    lstm = lstm_forward(x, cell["lstm"])
    runs = {
        "hmm": belief,
        "kalman": np.stack([filtered.mean, filtered.var], axis=1),
        "linear": linear_forward(x, cell["linear"]).h[0, 1:],
        "rnn": rnn_forward(x, cell["rnn"]).h[0, 1:],
        "lstm": lstm.h[0, 1:],
        "c": lstm.c[0, 1:],
    }
    answers = [belief[:, ask], np.clip(kalman["level"] + filtered.mean, 0, 1)]
    answers += [_answer(runs[kind], stored[kind]["readout"], ask) for kind in cell]
    runs["answer"] = np.stack(answers, axis=1)
    return runs


def _answer(h, readout, ask):
    if "W" not in readout:
        return np.clip(readout["level"] + readout["scale"] * h[:, 0], 0, 1)
    scores = h @ np.array(readout["W"], dtype=float) + np.array(readout["b"], dtype=float)
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    return odds[:, ask] / odds.sum(axis=1)
